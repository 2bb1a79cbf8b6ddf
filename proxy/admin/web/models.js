// The models: what state each is in, and orders to load or unload one. Asked again and again while the page is seen.
import { ask } from "./api.js";
import { by, make } from "./dom.js";
import { bytes, bytesOf } from "./numbers.js";

const OFTEN_MS = 700;
const SELDOM_MS = 5000;
export const BUILT_IN = "mock"; // always there
const busySince = new Map(); // name -> when this page first saw it load or unload
let known = new Map(); // name -> state
let timer = 0;
let changed = () => {};

const isBusy = (model) => model.state === "loading" || model.state === "draining";

const isRead = (model) => model.state === "loading" && model.load_total > 0;

function stateOf(model) {
  if (isBusy(model)) {
    if (!busySince.has(model.name)) busySince.set(model.name, Date.now());
    const facts = [`${model.state} for ${Math.round((Date.now() - busySince.get(model.name)) / 1000)} s`];
    if (isRead(model)) facts.push(bytesOf(model.load_read, model.load_total));
    return facts.join(" · ");
  }
  busySince.delete(model.name);
  if (model.state === "failed") return `failed: ${model.detail}`;
  const facts = model.state === "ready" && model.bytes > 0 ? [bytes(model.bytes), model.dtype, model.device] : [];
  return [model.state, ...facts].filter(Boolean).join(" · ");
}

function rowOf(model) {
  const loaded = model.state === "ready" || model.state === "draining";
  const action = loaded ? "unload" : "load";
  const button = make("button", {
    type: "button", class: "quiet", disabled: isBusy(model), "data-action": action, "aria-label": `${loaded ? "Unload" : "Load"} ${model.name}`,
    onclick: () => order(model.name, action),
  }, loaded ? "Unload" : "Load");
  const state = stateOf(model);
  return make("li", { class: model.state, "data-model": model.name },
    make("span", { class: "dot", "aria-hidden": "true" }), make("span", { class: "name", title: model.name }, model.name),
    make("span", { class: "state num", title: state }, state),
    isRead(model) ? make("progress", { value: model.load_read, max: model.load_total, "aria-label": `${model.name}: read` }) : null, model.name === BUILT_IN ? null : button);
}

async function order(name, action) {
  try {
    await ask(`/models/${encodeURIComponent(name)}/${action}`, {});
  } catch (error) {
    by("models-said").textContent = `${name}: ${error.message}`;
  }
  await refresh();
}

function show(models) {
  const focused = document.activeElement?.closest?.("[data-model]")?.dataset.model;
  by("models").replaceChildren(...models.map(rowOf));
  if (focused) [...by("models").children].find((row) => row.dataset.model === focused)?.querySelector("button")?.focus();
  const said = models.filter((model) => known.has(model.name) && known.get(model.name) !== model.state);
  if (said.length) by("models-said").textContent = said.map((model) => `${model.name} is ${model.state}`).join(", ");
  const before = known;
  known = new Map(models.map((model) => [model.name, model.state]));
  changed(models, models.filter((model) => model.state === "ready" && before.has(model.name) && before.get(model.name) !== "ready"));
}

export async function refresh() {
  clearTimeout(timer);
  let wait = SELDOM_MS;
  if (!document.hidden) {
    try {
      const { models } = await ask("/models");
      show(models);
      if (models.some(isBusy)) wait = OFTEN_MS;
    } catch (error) {
      by("models-said").textContent = error.message;
    }
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

/** `tell(models, nowReady)` after each look. */
export function watchModels(tell) {
  changed = tell;
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  return refresh();
}
