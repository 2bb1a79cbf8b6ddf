// How a question becomes a vector, by what the collection and the servers offer. Pure.
export const BM25 = "qdrant/bm25";

const bare = (model) => model.slice(model.lastIndexOf("/") + 1).toLowerCase();
export const sameModel = (one, other) => one.toLowerCase() === other.toLowerCase() || bare(one) === bare(other);

// The name by which a model that qrerank serves is known, of one whose vectors were made by `made`.
const servedAs = (made, served) => served.find((names) => names.some((name) => sameModel(name, made)))?.[0];

/** Names that may stand in a Document for this vector, the likeliest first. `served`: the names of each of qrerank's own. */
export function embeddingModels(vector, collection, served) {
  if (!vector) return [];
  if (vector.kind === "sparse") return [BM25];
  const made = collection.embedding_model;
  const own = served.map(([name]) => name);
  const fits = made ? servedAs(made, served) ?? made : undefined;
  return [...new Set(fits ? [fits, ...own] : own)];
}

/** The model that the field begins with; empty where nobody is known to make such a vector. */
export function likelyModel(vector, collection, served) {
  if (!vector) return "";
  if (vector.kind === "sparse") return BM25;
  if (served.length === 0) return "";
  const made = collection.embedding_model;
  if (!made) return served.length === 1 ? served[0][0] : "";
  return servedAs(made, served) ?? "";
}

/** The vector to begin with: one that a question can be turned into, dense before sparse. */
export function likelyVector(collection, served) {
  const known = collection.vectors.find((vector) => vector.kind !== "sparse" && likelyModel(vector, collection, served));
  return known ?? collection.vectors.find((vector) => vector.kind === "sparse") ?? collection.vectors[0];
}

/** Why a question cannot be asked as things stand; empty where it can. */
export function whyNot(vector, model, collection) {
  if (!vector) return "This collection has no vectors: there is nothing to search by.";
  if (model) return "";
  const sparse = collection.vectors.find((one) => one.kind === "sparse");
  const made = collection.embedding_model ? ` Its vectors were made by ${collection.embedding_model}.` : "";
  return `No embedding model is known for ${vector.name ? `“${vector.name}”` : "this vector"}.${made} Type the name of one that Qdrant's inference serves`
    + (sparse ? `, choose the sparse vector “${sparse.name}”,` : ",") + " or search by a point.";
}
