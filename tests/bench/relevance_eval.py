#!/usr/bin/env python3
"""`qrerank eval` on the public test collections: MiniLM-L12 over bge-small vectors, everything started and loaded here.

    relevance_eval.py [--collections med,cranfield,cisi] [--over bm25] [--dtype bfloat16] [--out FOLDER] [-- options of qrerank eval]

For each collection the table goes to standard output, NAME.json and NAME.html into the folder. What follows `--` goes to
`qrerank eval` as it is: `-- --first 5 --top-k 50 --weight 0,0.25,0.5,0.75,1`. All of Cranfield at top_k 100 takes about half
an hour on two cores; the vectors are kept in the cache. With `--over bm25` the candidates are keyword search's: the server
makes sparse vectors of documents and queries.

Collections are read in BEIR's layout from ${QRERANK_SHARED:-../shared}/data.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

from relevance import MODEL, REPOSITORY, Api, Collection, Embedder, Failed, Stack, cached_passages, cross_encoder_config, load, load_dense

BM25 = "qdrant/bm25"  # part of Qdrant 1.15 and later, and of the stand-in


def write_vectors(collection, embedder, path):
    with open(path, "w", encoding="utf-8") as sink:
        for query_id, text in collection.queries:
            sink.write(json.dumps({"_id": query_id, "vector": embedder.query(text).tolist()}) + "\n")


def load_bm25(api, collection):
    words = sum(len(text.split()) for text in collection.texts) / len(collection.texts)
    load(api, collection, {"sparse_vectors": {"bm25": {"modifier": "idf"}}},
         lambda i: {"bm25": {"text": collection.texts[i], "model": BM25, "options": {"avg_len": words}}})


def evaluate(args, folder, collection, proxy, queries):
    """The exit status of `qrerank eval`, whose output is this program's."""
    out = args.out / collection.name
    return subprocess.run([
        str(args.binary), "eval", "--url", proxy, "--collection", collection.name, "--queries", str(folder),
        *queries, "--id-field", "doc_id", "--model", "minilm",
        "--json", f"{out}.json", "--html", f"{out}.html", *args.options]).returncode


def run(args, data, stack):
    cache = args.cache / "relevance"
    cache.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    embedder = Embedder(args.cache / "models" / "onnx" / "bge_small_en")
    qdrant, kind = stack.qdrant()
    proxy, _ = stack.qrerank(args.binary, cross_encoder_config(qdrant, args.cache / "models" / MODEL, args.dtype))
    direct = Api(qdrant)
    print(f"Qdrant: {kind}; qrerank: {MODEL}, {args.dtype}", flush=True)
    worst = 0
    for name in args.collections.split(","):
        collection = Collection(data / name, 0)
        try:
            if args.over == "bm25":
                load_bm25(direct, collection)
                queries = ["--document-model", BM25, "--using", "bm25"]
            else:
                load_dense(direct, collection, cached_passages(embedder, collection.texts, cache, f"embedding {name}"))
                vectors = cache / f"{name}-queries.jsonl"
                write_vectors(collection, embedder, vectors)
                queries = ["--vectors", str(vectors)]
            print(f"\n== {name}", flush=True)
            worst = max(worst, evaluate(args, data / name, collection, proxy, queries))
        finally:
            direct("DELETE", f"/collections/{name}", accept=(200, 404))
    return worst


def main():
    own, options = sys.argv[1:], []
    if "--" in own:
        place = own.index("--")
        own, options = own[:place], own[place + 1:]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collections", default="med,cranfield,cisi")
    parser.add_argument("--over", default="bge-small", choices=["bge-small", "bm25"], help="whose order is reranked")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "int8"], help="what the proxy computes in")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("relevance-reports"), help="folder of the reports")
    parser.add_argument("--binary", type=pathlib.Path, default=REPOSITORY / "build" / "release" / "qrerank")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("QRERANK_CACHE", REPOSITORY / ".cache")))
    args = parser.parse_args(own)
    args.options = options
    data = pathlib.Path(os.environ.get("QRERANK_SHARED", REPOSITORY.parent / "shared")) / "data"
    try:
        with Stack(args.cache / "relevance" / "run-eval") as stack:
            return run(args, data, stack)
    except Failed as error:
        print(f"relevance_eval: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
