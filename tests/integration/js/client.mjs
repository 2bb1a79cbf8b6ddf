// Drives the unmodified @qdrant/js-client-rest and prints what it got as one JSON object.
//   node client.mjs ordinary|reranked URL COLLECTION [API_KEY]
import { QdrantClient, withHeaders } from "@qdrant/js-client-rest";

const [what, url, collection, apiKey] = process.argv.slice(2);
const QUERY = "red fox winter forest";
const NORTH = [1, 0];
const options = { url, apiKey, checkCompatibility: false };

async function ordinary() {
  const client = new QdrantClient(options);
  const mine = `${collection}-js`;
  const found = {};
  await client.deleteCollection(mine);
  found.created = await client.createCollection(mine, { vectors: { size: 2, distance: "Dot" } });
  found.upserted = (await client.upsert(mine, {
    wait: true,
    points: [1, 2, 3].map((id) => ({ id, vector: [id, 1], payload: { n: id, text: `text ${id}` } })),
  })).status;
  found.exists = await client.collectionExists(mine);
  found.count = await client.count(mine, { exact: true });
  found.retrieved = await client.retrieve(mine, { ids: [3, 1], with_vector: true });
  found.scrolled = await client.scroll(mine, { limit: 2 });
  found.queried = await client.query(mine, { query: NORTH, limit: 2, with_payload: true });
  found.searched = await client.search(mine, { vector: NORTH, limit: 2, with_payload: ["n"] });
  found.batch = await client.queryBatch(mine, { searches: [{ query: NORTH, limit: 1 }, { query: [0, 1], limit: 1 }] });
  found.groups = await client.queryGroups(mine, { query: NORTH, group_by: "text", limit: 2, group_size: 1 });
  found.deleted = (await client.delete(mine, { wait: true, points: [2] })).status;
  found.left = (await client.count(mine, { exact: true })).count;
  found.missing = await client.query(`${mine}-missing`, { query: NORTH }).catch((error) => error.status);
  found.dropped = await client.deleteCollection(mine);
  return found;
}

async function reranked() {
  const search = { query: NORTH, limit: 5, with_payload: ["text"] };
  const flag = { "X-Rerank": "true", "X-Rerank-Query": encodeURIComponent(QUERY) };
  const plain = new QdrantClient(options);
  const flagged = new QdrantClient({ ...options, headers: flag });
  const texts = (answer) => answer.points.map((point) => point.payload.text);
  const inParams = { ...search, params: { use_reranker: true, rerank_query: QUERY } };
  const inBody = { collection_name: collection, ...search, use_reranker: true, rerank_query: QUERY };
  const whole = await plain.api().queryPoints(inBody);
  return {
    plain: texts(await plain.query(collection, search)),
    clientHeaders: texts(await flagged.query(collection, search)),
    callHeaders: texts(await withHeaders(flag, () => plain.query(collection, search))),
    params: texts(await plain.query(collection, inParams)),
    body: texts(whole.data.result),
    used: whole.data.reranking_used,
    model: whole.data.reranker_model,
  };
}

console.log(JSON.stringify(await { ordinary, reranked }[what]()));
