// How a question becomes a vector, by what the collection and the servers offer. Pure.
export const BM25 = "qdrant/bm25";

const bare = (model) => model.slice(model.lastIndexOf("/") + 1).toLowerCase();
export const sameModel = (one, other) => one.toLowerCase() === other.toLowerCase() || bare(one) === bare(other);

// The one of qrerank's own that is known by the name of the model that made the vectors.
const servedAs = (made, served) => served.find((model) => model.names.some((name) => sameModel(name, made)));

// `dimensions` of a model that was never loaded may not be known.
const otherLength = (model, vector) => model.dimensions !== null && model.dimensions !== vector.size;
// A vector for each text, as long as those that are there.
const mayFit = (model, vector) => vector.kind === "dense" && !otherLength(model, vector);

/** Names that may stand in a Document for this vector, the likeliest first. `served`: qrerank's own, {names, dimensions}. */
export function embeddingModels(vector, collection, served) {
  if (!vector) return [];
  if (vector.kind === "sparse") return [BM25];
  const made = collection.embedding_model;
  const own = served.filter((model) => mayFit(model, vector)).map((model) => model.names[0]);
  const fits = made ? servedAs(made, served)?.names[0] ?? made : undefined;
  return [...new Set(fits ? [fits, ...own] : own)];
}

/** The model that the field begins with; empty where nobody is known to make such a vector. */
export function likelyModel(vector, collection, served) {
  if (!vector) return "";
  if (vector.kind === "sparse") return BM25;
  const made = collection.embedding_model;
  const fitting = served.filter((model) => mayFit(model, vector));
  const own = made ? servedAs(made, fitting) : fitting.length === 1 ? fitting[0] : undefined;
  return own?.names[0] ?? "";
}

/** The vector to begin with: one that a question can be turned into, dense before sparse. */
export function likelyVector(collection, served) {
  const known = collection.vectors.find((vector) => vector.kind !== "sparse" && likelyModel(vector, collection, served));
  return known ?? collection.vectors.find((vector) => vector.kind === "sparse") ?? collection.vectors[0];
}

/** Why nothing at all can be searched here; empty where something can. */
export function nothingHere(collection) {
  if (collection.vectors.length === 0) return "This collection has no vectors: there is nothing to search by.";
  if (collection.points === 0) return "This collection has no points yet: there is nothing to find. Reload this page when it has some.";
  return "";
}

/** What may be behind a search without hits; empty where nothing is known. */
export function whyNoHits(vector, model) {
  if (vector?.kind !== "sparse") return "";
  return `Either none of its words is in the texts, or the sparse vector “${vector.name}” was not made by ${model}.`;
}

/** Why a question cannot be asked as things stand; empty where it can. */
export function whyNot(vector, model, collection, served) {
  const own = model ? servedAs(model, served) : undefined;
  if (own && vector.kind !== "sparse" && otherLength(own, vector))
    return `${model} makes vectors of ${own.dimensions} numbers, those of ${vector.name ? `“${vector.name}”` : "this collection"} have ${vector.size}. ${otherWays(vector, collection)}`;
  if (model) return "";
  const made = collection.embedding_model ? ` Its vectors were made by ${collection.embedding_model}.` : "";
  return `No embedding model is known for ${vector.name ? `“${vector.name}”` : "this vector"}.${made} ${otherWays(vector, collection)}`;
}

function otherWays(vector, collection) {
  const sparse = collection.vectors.find((one) => one.kind === "sparse" && one !== vector);
  return "Type the name of one that Qdrant's inference serves"
    + (sparse ? `, choose the sparse vector “${sparse.name}”,` : ",") + " or search by a point.";
}
