#!/usr/bin/env python3
"""nDCG@10 on public test collections: vector order, the reranker in Python, and the same through the whole proxy.

    relevance.py [--collections cranfield,med] [--queries N] [--binary build/release/qrerank] [--without-proxy]

Vector order is bge-small's. "offline" scores the first 50 of it with ONNX Runtime in float32 over the very weights that
scripts/setup converts, unpadded, one pair at a time. "proxy" asks a running qrerank with the flag. The two rerankings
must agree within 0.005, else the exit status is 1. Vectors and offline scores are kept in the cache; the first run takes
tens of minutes on two cores (all of Cranfield: 225 queries x 50 texts).

Collections are read in BEIR's layout from ${QRERANK_SHARED:-../shared}/data.
"""

import argparse
import csv
import hashlib
import json
import math
import os
import pathlib
import sys
import time

import numpy as np

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))

from demo_embed import DIMENSION, Embedder, cached_passages, meter  # noqa: E402
from demo_processes import Failed, Stack, cross_encoder_config  # noqa: E402
from demo_search import Api  # noqa: E402

TOP_K = 50
DEPTH = 10
TOLERANCE = 0.005
MODEL = "ms-marco-MiniLM-L12-v2"
MAX_TOKENS = 512


class Collection:
    """Documents as they stand in the payload, judged queries, and relevance by query and document."""

    def __init__(self, folder, queries):
        if not (folder / "corpus.jsonl").is_file():
            raise Failed(f"no test collection in {folder}; QRERANK_SHARED names the folder that holds data/")
        self.name = folder.name
        self.ids, self.texts = [], []
        for line in open(folder / "corpus.jsonl", encoding="utf-8"):
            document = json.loads(line)
            self.ids.append(document["_id"])
            self.texts.append(f"{document.get('title', '')}\n{document['text']}".strip())
        self.relevance = {}
        with open(folder / "qrels" / "test.tsv", encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                self.relevance.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
        asked = (json.loads(line) for line in open(folder / "queries.jsonl", encoding="utf-8"))
        judged = [(q["_id"], q["text"]) for q in asked if any(v > 0 for v in self.relevance.get(q["_id"], {}).values())]
        self.queries = judged[:queries] if queries else judged

    def ndcg(self, query_id, order):
        """Gain is the judgement itself, discount log2(rank + 1), ideal order over all judged documents (trec_eval's)."""
        judged = self.relevance[query_id]
        gains = [max(0, judged.get(self.ids[i], 0)) for i in order[:DEPTH]]
        ideal = sorted((max(0, v) for v in judged.values()), reverse=True)[:DEPTH]
        return _discounted(gains) / _discounted(ideal)


def _discounted(gains):
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


class OfflineReranker:
    """Logits of (query, text) pairs by ONNX Runtime on the dequantised float32 graph, kept on disk as they come."""

    def __init__(self, cache, kept):
        self.cache, self.kept, self.session = cache, kept, None
        weights = (cache / "models" / MODEL / "model.safetensors").read_bytes()
        self.digest = hashlib.sha256(weights).hexdigest()
        self.scores = {}
        if kept.exists():
            for line in open(kept, encoding="utf-8"):
                key, logit = line.split()
                self.scores[key] = float(logit)

    def _load(self):
        import onnxruntime
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(str(self.cache / "models" / MODEL / "tokenizer.json"))
        self.tokenizer.no_padding()
        # The query is kept whole and the document cut, as in the product.
        self.tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # minutes beside other work
        graph = self.cache / "models" / "onnx" / "reranker_en_float32" / "model.onnx"
        self.session = onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])

    def logits(self, query, texts):
        keys = [hashlib.sha256(f"{self.digest}\0{query}\0{text}".encode()).hexdigest()[:24] for text in texts]
        if self.session is None and any(key not in self.scores for key in keys):
            self._load()
        with open(self.kept, "a", encoding="utf-8") as sink:
            for key, text in zip(keys, texts):
                if key not in self.scores:
                    pair = self.tokenizer.encode(query, text)
                    (logit,), = self.session.run(None, {
                        "input_ids": np.array([pair.ids]), "attention_mask": np.array([pair.attention_mask]),
                        "token_type_ids": np.array([pair.type_ids])})[0]
                    self.scores[key] = float(logit)
                    sink.write(f"{key} {float(logit)!r}\n")
        return np.array([self.scores[key] for key in keys])


def vector_orders(collection, embedder, cache):
    """For each query its vector and the first TOP_K documents by cosine; equal ones in order of the corpus."""
    vectors = cached_passages(embedder, collection.texts, cache, f"embedding {collection.name}")
    queries = [embedder.query(text) for _, text in collection.queries]
    orders = [np.argsort(-(vectors @ query), kind="stable")[:TOP_K] for query in queries]
    return vectors, queries, orders


def offline_orders(collection, orders, reranker):
    show, reranked = meter(f"scoring {collection.name} offline"), []
    for number, ((_, text), order) in enumerate(zip(collection.queries, orders), start=1):
        logits = reranker.logits(text, [collection.texts[i] for i in order])
        reranked.append(order[np.argsort(-logits, kind="stable")])
        show(number, len(orders))
    return reranked


def load(api, collection, schema, vector):
    """Creates the collection by `schema`; `vector(i)` is the vector of document i, as a point has it."""
    api("PUT", f"/collections/{collection.name}", schema)
    for start in range(0, len(collection.texts), 200):
        points = [{"id": i, "vector": vector(i), "payload": {"text": collection.texts[i], "doc_id": collection.ids[i]}}
                  for i in range(start, min(start + 200, len(collection.texts)))]
        api("PUT", f"/collections/{collection.name}/points?wait=true", {"points": points})


def load_dense(api, collection, vectors):
    load(api, collection, {"vectors": {"size": DIMENSION, "distance": "Cosine"}}, lambda i: vectors[i].tolist())


def proxy_orders(collection, queries, api):
    """The first DEPTH documents for each query as the proxy returns them; a fallback is an error here."""
    show, orders = meter(f"asking the proxy, {collection.name}"), []
    for number, ((_, text), vector) in enumerate(zip(collection.queries, queries), start=1):
        answer = search(api, collection, vector, text)
        if not answer.get("reranking_used"):
            raise Failed(f"query {number} was not reranked: {answer.get('reranking_reason')}")
        orders.append([point["id"] for point in answer["result"]["points"]])
        show(number, len(queries))
    return orders


def search(api, collection, vector, text):
    return api("POST", f"/collections/{collection.name}/points/query", {
        "query": vector.tolist(), "limit": DEPTH, "with_payload": False,
        "use_reranker": True, "rerank_query": text, "rerank_top_k": TOP_K})[0]


def warm(api, collection, vector):
    """Waits until the model, which the first search asks for, is loaded."""
    deadline = time.monotonic() + 120
    while not search(api, collection, vector, "warm").get("reranking_used"):
        if time.monotonic() > deadline:
            raise Failed("the proxy does not rerank after 120 s")
        time.sleep(0.3)


def measure(collections, args, stack):
    cache = args.cache / "relevance"
    cache.mkdir(parents=True, exist_ok=True)
    embedder = Embedder(args.cache / "models" / "onnx" / "bge_small_en")
    reranker = OfflineReranker(args.cache, cache / "logits.txt")
    direct = api = None
    if not args.without_proxy:
        qdrant, kind = stack.qdrant()
        config = cross_encoder_config(qdrant, args.cache / "models" / MODEL, args.dtype)
        proxy, _ = stack.qrerank(args.binary, config)
        direct, api = Api(qdrant), Api(proxy)
        print(f"Qdrant: {kind}; qrerank: {args.dtype}")
    for collection in collections:
        vectors, queries, orders = vector_orders(collection, embedder, cache)
        measured = {"vector": orders, "offline": offline_orders(collection, orders, reranker)}
        if api:
            load_dense(direct, collection, vectors)
            try:
                warm(api, collection, queries[0])
                measured["proxy"] = proxy_orders(collection, queries, api)
            finally:
                direct("DELETE", f"/collections/{collection.name}", accept=(200, 404))
        yield collection, {what: float(np.mean([
            collection.ndcg(query_id, order) for (query_id, _), order in zip(collection.queries, found)]))
            for what, found in measured.items()}


HEADING = (f"{'collection':12} {'queries':>7} {'vector':>8} {'offline':>8} {'proxy':>8}  difference"
           f"   (nDCG@{DEPTH}, {MODEL}, the first {TOP_K} by bge-small)")


def shown(collection, values):
    """Prints the collection's row; whether proxy and offline agree."""
    line = f"{collection.name:12} {len(collection.queries):7d} {values['vector']:8.4f} {values['offline']:8.4f}"
    agree = True
    if "proxy" in values:
        difference = values["proxy"] - values["offline"]
        agree = abs(difference) <= TOLERANCE
        line += f" {values['proxy']:8.4f}  {difference:+.4f} ({'within' if agree else 'MORE THAN'} {TOLERANCE})"
    print(f"\n{HEADING}\n{line}\n", flush=True)
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collections", default="cranfield,med")
    parser.add_argument("--queries", type=int, default=0, help="only the first N of each collection (0: all)")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="what the proxy computes in")
    parser.add_argument("--without-proxy", action="store_true", help="vector order and offline reranking only")
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build" / "release" / "qrerank")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("QRERANK_CACHE", REPOSITORY / ".cache")))
    args = parser.parse_args()
    shared = pathlib.Path(os.environ.get("QRERANK_SHARED", REPOSITORY.parent / "shared"))
    try:
        collections = [Collection(shared / "data" / name, args.queries) for name in args.collections.split(",")]
        with Stack(args.cache / "relevance" / "run") as stack:
            agree = [shown(*row) for row in measure(collections, args, stack)]
    except Failed as error:
        print(f"relevance: {error}", file=sys.stderr)
        return 1
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
