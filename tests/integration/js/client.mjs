// Drives the unmodified @qdrant/js-client-rest and prints what it got as JSON.
//   node client.mjs ordinary|reranked|always URL COLLECTION [API_KEY]
import { QdrantClient, withHeaders } from "@qdrant/js-client-rest";

const [what, url, collection, apiKey] = process.argv.slice(2);
const QUERY = "red fox winter forest";
const NORTH = [1, 0];
const options = { url, apiKey, checkCompatibility: false };
const texts = (answer) => answer.points.map((point) => point.payload.text);

// The calls of an application, each with what it gave: [[method, value]…].
async function ordinary() {
  const client = new QdrantClient(options);
  const mine = `${collection}-js`;
  const odd = { must: [{ key: "kind", match: { value: "odd" } }] };
  const points = [1, 2, 3, 4].map((id) => ({ id, vector: [id, 1], payload: { n: id, kind: id % 2 ? "odd" : "even", text: `text ${id}` } }));
  const found = [];
  const call = async (method, ...rest) => {
    const value = await client[method](...rest).catch((error) => ["failed", error.status ?? error.message]);
    found.push([method, value]);
  };
  await client.deleteCollection(mine);
  await call("collectionExists", mine);
  await call("createCollection", mine, { vectors: { size: 2, distance: "Dot" } });
  await call("createPayloadIndex", mine, { field_name: "n", field_schema: "integer", wait: true });
  await call("upsert", mine, { wait: true, points });
  await call("getCollection", mine);
  await call("count", mine, { exact: true });
  await call("count", mine, { filter: odd, exact: true });
  await call("retrieve", mine, { ids: [3, 1, 99], with_vector: true });
  await call("scroll", mine, { limit: 2 });
  await call("scroll", mine, { limit: 2, offset: 3, filter: odd, with_vector: true });
  await call("query", mine, { query: NORTH, limit: 2, with_payload: true });
  await call("query", mine, { query: NORTH, limit: 2, offset: 1, filter: odd, with_payload: ["n"], with_vector: true });
  await call("query", mine, { query: NORTH, params: { exact: true }, score_threshold: 2 });
  await call("query", mine, { query: 3, limit: 2 });
  await call("query", mine, { query: { order_by: "n" }, limit: 2 });
  await call("query", mine, { prefetch: [{ query: NORTH }, { query: [0, 1] }], query: { fusion: "rrf" }, limit: 2 });
  await call("search", mine, { vector: NORTH, limit: 2, with_payload: ["n"] });
  await call("searchBatch", mine, { searches: [{ vector: NORTH, limit: 1 }, { vector: [0, 1], limit: 2 }] });
  await call("searchPointGroups", mine, { vector: NORTH, group_by: "kind", limit: 2, group_size: 1 });
  await call("recommend", mine, { positive: [1], negative: [4], limit: 2 });
  await call("recommendBatch", mine, { searches: [{ positive: [1], limit: 1 }] });
  await call("discoverPoints", mine, { target: 2, context: [{ positive: 1, negative: 4 }], limit: 2 });
  await call("queryBatch", mine, { searches: [{ query: NORTH, limit: 1 }, { query: [0, 1], limit: 1 }] });
  await call("queryGroups", mine, { query: NORTH, group_by: "kind", limit: 2, group_size: 1 });
  await call("searchMatrixPairs", mine, { sample: 100, limit: 2 });
  await call("facet", mine, { key: "kind" });
  await call("setPayload", mine, { payload: { kind: "prime" }, points: [2], wait: true });
  await call("delete", mine, { wait: true, points: [2] });
  await call("count", mine, { exact: true });
  await call("query", `${mine}-missing`, { query: NORTH });
  await call("query", mine, { query: [1, 2, 3] });
  await call("deleteCollection", mine);
  return found;
}

async function reranked() {
  const search = { query: NORTH, limit: 5, with_payload: ["text"] };
  const flag = { "X-Rerank": "true", "X-Rerank-Query": encodeURIComponent(QUERY) };
  const ours = { use_reranker: true, rerank_query: QUERY };
  const plain = new QdrantClient(options);
  const flagged = new QdrantClient({ ...options, headers: flag });
  const whole = await plain.api().queryPoints({ collection_name: collection, ...search, ...ours });
  const ofApi = await plain.api().queryPoints({ collection_name: collection, ...search }, { headers: flag });
  const found = await flagged.search(collection, { vector: NORTH, limit: 5, with_payload: ["text"] });
  const document = { text: QUERY, model: "qdrant/bm25", options: { use_reranker: true } };
  return {
    plain: texts(await plain.query(collection, search)),
    clientHeaders: texts(await flagged.query(collection, search)),
    callHeaders: texts(await withHeaders(flag, () => plain.query(collection, search))),
    callHeadersOfApi: texts(ofApi.data.result),
    params: texts(await plain.query(collection, { ...search, params: ours })),
    body: texts(whole.data.result),
    searched: found.map((point) => point.payload.text),
    document: texts(await plain.query(collection, { ...search, query: document, using: "bm25" })),
    used: whole.data.reranking_used,
    model: whole.data.reranker_model,
  };
}

async function always() {
  const query = { text: QUERY, model: "qdrant/bm25" };
  const answer = await new QdrantClient(options).query(collection, { query, using: "bm25", limit: 5, with_payload: ["text"] });
  return { always: texts(answer) };
}

console.log(JSON.stringify(await { ordinary, reranked, always }[what]()));
