// The controls: filled from what there is, read as one state. What is sent for it is request.js's.
import { by, setOptions } from "./dom.js";
import { plural } from "./numbers.js";
import { fieldList, isPointId } from "./request.js";
import { textOf, titleOf } from "./ranking.js";
import { embeddingModels, likelyModel, likelyVector, nothingHere, whyNoHits, whyNot } from "./ways.js";

let offered = { max_top_k: 200, instructions: [], default_model: "" };
let collection = null;
let served = []; // qrerank's own embedding models: all that a Document may call each, and how long its vectors are

export const PROMPT = "Type a question to see both orders of the hits.";
export const currentCollection = () => collection;
const vectorNamed = (name) => collection?.vectors.find((vector) => vector.name === name);

export function offer(form) {
  offered = form;
  by("top_k").max = form.max_top_k;
  setOptions(by("instructions"), form.instructions.map((one) => [one.name, one.text]));
}

export function offerModels(models) {
  served = models.filter((model) => model.kind === "embedding").map((model) => ({ names: [model.name, ...model.names], dimensions: model.dimensions }));
  const judges = models.filter((model) => model.kind !== "embedding");
  const choices = [["", "the configured one"], ...judges.map((model) => [model.name, model.state === "ready" ? model.name : `${model.name} (${model.state})`])];
  const select = by("model");
  const texts = (options) => options.map(([, label]) => label).join("\n");
  if (texts(choices) !== [...select.options].map((option) => option.text).join("\n")) setOptions(select, choices, select.value);
  showWays(); // how long a model's vectors are may be known only now
}

/** Until the next one is there, none is: a search must not go to the one before. */
export function forgetCollection() {
  collection = null;
}

/** A collection was chosen: its own settings become those of the controls. */
export function offerCollection(described) {
  collection = described;
  const { rule } = described;
  const kind = (vector) => (vector.kind === "sparse" ? "sparse" : `${vector.kind}, ${vector.size}`);
  setOptions(by("vector"), described.vectors.map((vector) => [vector.name, `${vector.name || "the only one"} (${kind(vector)})`]));
  by("vector").value = likelyVector(described, served)?.name ?? "";
  by("top_k").value = rule.top_k ?? 50;
  by("weight").value = rule.weight ?? 1;
  by("threshold").value = rule.score_threshold ?? "";
  by("instruction").value = rule.instruction ?? "";
  by("field").value = (rule.fields ?? []).join(", ");
  by("model").value = "";
  by("facts").textContent = described.points === null ? "" : plural(described.points, "point");
  const keys = new Set(described.sample.flatMap((point) => Object.entries(point.payload ?? {}).filter(([, value]) => typeof value === "string").map(([key]) => key)));
  setOptions(by("fields"), [...keys]);
  setOptions(by("points"), described.sample.map((point) => [point.id, titleOf(point.payload, textOf(point.payload, []), point.id)]));
  by("point").value = described.sample[0]?.id ?? "";
  offerWays();
}

/** After another vector: what may make a vector of the question. */
export function offerWays() {
  if (!collection) return;
  const vector = vectorNamed(by("vector").value);
  setOptions(by("embeddings"), embeddingModels(vector, collection, served));
  by("embedding").value = likelyModel(vector, collection, served);
  by("way").value = by("embedding").value || !collection.sample.length ? "text" : "point";
  showWays();
}

export function showWays() {
  const byPoint = by("way").value === "point";
  by("embedding-row").hidden = byPoint;
  by("point-row").hidden = !byPoint;
  const why = !collection ? "" : nothingHere(collection) || (byPoint ? "" : whyNot(vectorNamed(by("vector").value), by("embedding").value.trim(), collection, served));
  const mode = { always: "This collection is reranked without asking.", never: "The configuration forbids reranking this collection." }[collection?.rule.mode] ?? "";
  by("way-note").textContent = [why, mode].filter(Boolean).join(" ");
  by("way-note").hidden = !by("way-note").textContent;
}

export function showValues() {
  by("top_k-value").textContent = by("top_k").value;
  by("weight-value").textContent = Number(by("weight").value).toFixed(2);
  const off = !by("rerank").checked;
  for (const id of ["model", "weight", "threshold", "instruction", "field"]) by(id).disabled = off;
}

export function readState() {
  const question = by("question").value.trim();
  const field = by("field").value;
  const point = collection?.sample.find((one) => one.id === by("point").value.trim());
  const threshold = by("threshold").value.trim();
  return {
    collection: collection?.name ?? "",
    question,
    way: by("way").value,
    vector: by("vector").value,
    embedding: by("embedding").value.trim(),
    point: by("point").value.trim(),
    judged: question || (by("way").value === "point" ? textOf(point?.payload, fieldList(field)) : ""),
    rerank: by("rerank").checked,
    model: by("model").value,
    top_k: Number(by("top_k").value),
    weight: Number(by("weight").value),
    threshold: by("threshold").validity.badInput ? NaN : threshold === "" ? null : Number(threshold),
    instruction: by("instruction").value.trim(),
    field,
  };
}

export const noHits = (state) => (state.way === "text" ? whyNoHits(vectorNamed(state.vector), state.embedding) : "");

/** What is missing before a search can be sent; empty where nothing is. */
export function missing(state) {
  if (nothingHere(collection)) return nothingHere(collection);
  if (state.rerank && Number.isNaN(state.threshold)) return "The threshold is no number. Correct it, or leave it empty.";
  if (state.way === "point") {
    if (!state.point) return "Type or pick the id of a point to search by.";
    if (!isPointId(state.point)) return "The id of a point is a whole number or a UUID.";
    if (state.rerank && !state.judged) return "Type a question: what the hits of this point are to be judged against.";
    return "";
  }
  if (!state.question) return PROMPT;
  return whyNot(vectorNamed(state.vector), state.embedding, collection, served);
}
