// From what the controls say to the body of POST /compare. Pure.

/** Qdrant's ids are whole numbers, beyond 2^53 as well, or UUIDs. */
export function pointId(text) {
  const typed = text.trim();
  if (!/^\d+$/.test(typed)) return typed;
  return Number.isSafeInteger(Number(typed)) ? Number(typed) : JSON.rawJSON?.(typed) ?? typed;
}

/** Whether Qdrant would take it for one. */
export const isPointId = (text) => /^(\d{1,20}|(urn:uuid:)?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12})$/i.test(text.trim());

export const fieldList = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);

/** The search as Qdrant takes it, without paging. */
export function searchOf(state) {
  const query = state.way === "point" ? pointId(state.point) : { text: state.question, model: state.embedding };
  return { query, ...(state.vector ? { using: state.vector } : {}) };
}

/** The options, named as in a body; what is left to the configuration is left out. */
export function optionsOf(state) {
  const options = {};
  if (state.way === "point" || state.judged !== state.question) options.rerank_query = state.judged;
  options.rerank_top_k = state.top_k;
  options.rerank_weight = state.weight;
  if (state.model) options.rerank_model = state.model;
  if (state.threshold !== null) options.rerank_score_threshold = state.threshold;
  if (state.instruction) options.rerank_instruction = state.instruction;
  const fields = fieldList(state.field);
  if (fields.length) options.rerank_field = fields.length === 1 ? fields[0] : fields;
  return options;
}

export function comparison(state, limit) {
  const options = state.rerank ? optionsOf(state) : { rerank_top_k: state.top_k };
  return { collection: state.collection, search: searchOf(state), options, rerank: state.rerank, limit };
}
