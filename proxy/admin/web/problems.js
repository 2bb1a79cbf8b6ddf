// What went wrong or was not done, in words that tell what to do.
import { hasApiKey } from "./api.js";
import { by, make } from "./dom.js";

const REASONS = {
  overloaded: "The queue of the model is full.",
  timeout: "Judging took longer than rerank.timeout_ms allows.",
  model_unavailable: "The model is not ready: it may still be loading, or its files are missing.",
  out_of_memory: "There is not enough memory for it.",
  no_candidates: "The search has no hits.",
  no_text: "None of the hits has text where it was looked for. Set the text field.",
  no_query: "There is nothing to judge the hits against.",
  backend_error: "The scoring service failed.",
  internal: "qrerank failed; its log tells more.",
};

function hintFor(status, text) {
  if (status === 401) return hasApiKey() ? "Is the API key under Connection, in the settings, the right one?" : "Type the API key under Connection, in the settings.";
  if (status === 403) return hasApiKey() ? "The API key under Connection, in the settings, does not allow this." : "Type an API key under Connection, in the settings.";
  if (text.includes("Vector dimension error")) return "The vectors of this embedding model are not as long as those of the collection. Choose another embedding model or vector, or search by a point.";
  if (text.includes("InferenceService")) return "This Qdrant makes no vectors of text by that model. Choose another embedding model or vector, or search by a point.";
  return "";
}

// On a phone the settings are folded.
const toTheKey = () => make("button", {
  type: "button", class: "quiet",
  onclick: () => {
    by("settings").open = true;
    by("key").focus();
  },
}, "To the API key");

export function showProblem(title, text, { status, mild } = {}) {
  const box = by("problem");
  const hint = hintFor(status, text);
  box.classList.toggle("mild", Boolean(mild));
  box.replaceChildren(make("strong", {}, title), make("p", {}, text), hint ? make("p", {}, hint) : "", status === 401 || status === 403 ? toTheKey() : "");
  box.hidden = false;
}

export function noProblem() {
  by("problem").hidden = true;
}

/** Of a side that kept Qdrant's order. */
export const reasonText = (reason) => REASONS[reason] ?? "";
