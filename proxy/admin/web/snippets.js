// The reranked search as somebody would send it from elsewhere. Pure; the key itself is never written out.
import { BM25 } from "./ways.js";
import { optionsOf, searchOf } from "./request.js";

const PAGE = 10;
const inShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const indented = (value, by) => JSON.stringify(value, null, 2).replaceAll("\n", `\n${" ".repeat(by)}`);
const python = (value) => {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
};

export function curl(state, proxy, keyed) {
  const body = { ...searchOf(state), limit: PAGE, with_payload: true };
  if (state.rerank) Object.assign(body, { use_reranker: true }, optionsOf(state));
  const key = keyed ? ` \\\n  -H "api-key: $QDRANT_API_KEY"` : "";
  return `curl -s ${proxy}/collections/${encodeURIComponent(state.collection)}/points/query \\\n`
    + `  -H 'content-type: application/json'${key} \\\n  -d ${inShell(JSON.stringify(body, null, 2))}\n`;
}

/** qdrant-client's types forbid unknown members: the options travel as headers. */
export function pythonClient(state, proxy, keyed) {
  const headers = {};
  if (state.rerank) {
    headers["X-Rerank"] = "true";
    for (const [name, value] of Object.entries(optionsOf(state))) {
      const header = name.split("_").map((part) => part[0].toUpperCase() + part.slice(1)).join("-");
      headers[`X-${header}`] = encodeURIComponent([].concat(value).join(","));
    }
  }
  const search = searchOf(state);
  const query = state.way === "point" ? python(search.query)
    : `models.Document(text=${python(search.query.text)}, model=${python(search.query.model)})`;
  const lines = [`"${proxy}"`];
  if (keyed) lines.push(`api_key=os.environ["QDRANT_API_KEY"]`);
  if (state.way === "text" && search.query.model !== BM25) lines.push("cloud_inference=True");
  lines.push("check_compatibility=False");
  if (state.rerank) lines.push(`headers=${indented(headers, 4)}`);
  const using = search.using ? `, using=${python(search.using)}` : "";
  return `${keyed ? "import os\n\n" : ""}from qdrant_client import QdrantClient, models\n\n`
    + `client = QdrantClient(\n    ${lines.join(",\n    ")},\n)\n`
    + `answer = client.query_points(${python(state.collection)}, query=${query}${using}, limit=${PAGE})\n`
    + `for hit in answer.points:\n    print(f"{hit.score:.3f}", hit.id, hit.payload)\n`;
}

/** The JavaScript client passes on what stands in `params`. */
export function javascript(state, proxy, keyed) {
  const search = { ...searchOf(state), limit: PAGE, with_payload: true };
  if (state.rerank) search.params = { use_reranker: true, ...optionsOf(state) };
  const key = keyed ? ", apiKey: process.env.QDRANT_API_KEY" : "";
  return `import { QdrantClient } from "@qdrant/js-client-rest";\n\n`
    + `const client = new QdrantClient({ url: ${JSON.stringify(proxy)}${key}, checkCompatibility: false });\n`
    + `const answer = await client.query(${JSON.stringify(state.collection)}, ${indented(search, 0)});\n`
    + `for (const hit of answer.points) console.log(hit.score.toFixed(3), hit.id, hit.payload);\n`;
}

export const snippets = { curl, python: pythonClient, js: javascript };
