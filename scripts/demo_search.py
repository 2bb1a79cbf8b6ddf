#!/usr/bin/env python3
"""The demo: Debian's package descriptions in Qdrant, asked with and without reranking, side by side.

    demo_search.py --cache FOLDER --binary build/release/qrerank [--once]

Called by scripts/demo, which has set up and built. Corpus and vectors are made on the first run and kept in the cache.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse

from demo_embed import DIMENSION, Embedder, cached_passages
from demo_print import bold, comparison, dim, heading, red, server_timing
from demo_processes import Failed, Stack, cross_encoder_config

COLLECTION = "qrerank_demo"
EMBEDDING_MODEL = "BAAI/bge-small-en-v1.5"
CANDIDATES = 50
SHOWN = 8
QUESTIONS = [
    "shrink photos from the command line",
    "find out which files take up all my disk space",
    "turn a scanned document into searchable text",
    "record what happens on my screen as a video",
    "see which program is using my network connection",
]


class Api:
    """JSON requests, each on a connection of its own (Qdrant closes idle ones after seconds). A status that is not
    expected ends the program with the server's words."""

    def __init__(self, url):
        self.url = url
        self.address = urllib.parse.urlsplit(url).netloc

    def __call__(self, method, path, body=None, accept=(200,)):
        content = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.address, timeout=300)
        try:
            connection.request(method, path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except (http.client.HTTPException, OSError) as error:
            raise Failed(f"{method} {self.url}{path}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if response.status not in accept:
            raise Failed(f"{method} {self.url}{path}: {response.status} {answer[:600].decode(errors='replace')}")
        return json.loads(answer) if answer else None, response.headers


def corpus_and_vectors(cache):
    path = cache / "demo" / "packages.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        script = pathlib.Path(__file__).with_name("demo_corpus.py")
        if subprocess.run([sys.executable, str(script), str(path)]).returncode:
            raise Failed("the corpus could not be made (see above)")
    with open(path, encoding="utf-8") as lines:
        corpus = [json.loads(line) for line in lines]
    embedder = Embedder(cache / "models" / "onnx" / "bge_small_en")
    return corpus, embedder, cached_passages(embedder, [entry["text"] for entry in corpus], path.parent,
                                             "embedding the descriptions (once)")


def load(api, corpus, vectors):
    """Each point has a dense vector of ours and a sparse one that Qdrant makes of the text (BM25)."""
    api("DELETE", f"/collections/{COLLECTION}", accept=(200, 404))
    api("PUT", f"/collections/{COLLECTION}", {
        "vectors": {"dense": {"size": DIMENSION, "distance": "Cosine"}},
        "sparse_vectors": {"bm25": {"modifier": "idf"}},
        # What the compare page reads: who made the dense vectors, and what to try.
        "metadata": {"embedding_model": EMBEDDING_MODEL, "example_questions": QUESTIONS},
    })
    for start in range(0, len(corpus), 200):
        points = [{
            "id": entry["id"],
            "vector": {"dense": vector.tolist(), "bm25": {"text": entry["text"], "model": "qdrant/bm25"}},
            "payload": {key: entry[key] for key in ("package", "section", "title", "text")},
        } for entry, vector in zip(corpus[start:start + 200], vectors[start:start + 200])]
        api("PUT", f"/collections/{COLLECTION}/points?wait=true", {"points": points})


def wait_for_model(api, stack, seconds=120):
    """The model is loaded by the first search that asks for it; until it is there searches fall back and say so."""
    body = {"query": {"text": QUESTIONS[0], "model": "qdrant/bm25"}, "using": "bm25", "limit": 1,
            "use_reranker": True, "rerank_top_k": 10}
    deadline = time.monotonic() + seconds
    while True:
        stack.check()
        answer, _ = api("POST", f"/collections/{COLLECTION}/points/query", body)
        if answer.get("reranking_used"):
            return
        if time.monotonic() > deadline:
            raise Failed(f"no reranking after {seconds} s: {answer.get('reranking_reason', 'no reason given')}; "
                         f"see {stack.work / 'qrerank.log'}")
        time.sleep(0.3)


def ask(api, embedder, question):
    """Asks twice, prints both answers side by side and where the time went; False where it was not reranked."""
    search = {"query": embedder.query(question).tolist(), "using": "dense", "with_payload": ["package", "title"]}
    path = f"/collections/{COLLECTION}/points/query"
    plain, _ = api("POST", path, {**search, "limit": CANDIDATES})
    before = plain["result"]["points"]
    started = time.monotonic()
    reranked, headers = api("POST", path, {**search, "limit": SHOWN, "use_reranker": True, "rerank_query": question,
                                           "rerank_top_k": CANDIDATES})
    wall = 1000 * (time.monotonic() - started)

    heading(f"“{question}”")
    comparison(before[:SHOWN], reranked["result"]["points"],
               {point["id"]: rank for rank, point in enumerate(before, start=1)})
    times = server_timing(headers.get("Server-Timing"))
    parts = ", ".join(f"{name} {duration:.0f}" for name, duration in times.items())
    if not reranked.get("reranking_used"):
        print(red(f"    not reranked: {reranked.get('reranking_reason', 'no reason given')}"))
        return False
    print(dim(f"    {reranked['reranking_candidates']} candidates by {reranked['reranker_model']} in "
              f"{reranked['reranking_time_ms']:.0f} ms; the whole request {wall:.0f} ms ({parts})"))
    return True


def farewell(proxy, admin, qdrant):
    print(f"""
{bold('Up and running')}: qrerank {proxy}   Qdrant {qdrant}

Compare both orders in a browser: {bold(admin + '/')}

or ask it yourself:

  curl -s {proxy}/collections/{COLLECTION}/points/query -H 'content-type: application/json' -d '{{
    "query": {{"text": "shrink photos from the command line", "model": "bge-small"}}, "using": "dense",
    "limit": 5, "with_payload": ["package", "title"],
    "use_reranker": true}}'

or from Python, with the ordinary client:

  from qdrant_client import QdrantClient, models
  client = QdrantClient("{proxy}", headers={{"X-Rerank": "true"}}, cloud_inference=True)
  question = models.Document(text="shrink photos from the command line", model="bge-small")
  for hit in client.query_points("{COLLECTION}", query=question, using="dense", limit=5).points:
      print(f"{{hit.score:.3f}}", hit.payload["package"])
""")


def run(args, stack):
    corpus, embedder, vectors = corpus_and_vectors(args.cache)
    qdrant, kind = stack.qdrant()
    model, embedding = (args.cache / "models" / name for name in ("ms-marco-MiniLM-L12-v2", "bge-small-en-v1.5"))
    config = cross_encoder_config(qdrant, model, embedding=embedding)
    proxy, admin = stack.qrerank(args.binary, config, preferred_port=7333)
    print(f"Qdrant: {kind}")
    direct, api = Api(qdrant), Api(proxy)
    started = time.monotonic()
    load(direct, corpus, vectors)
    try:
        print(f"{len(corpus)} package descriptions loaded in {time.monotonic() - started:.0f} s")
        wait_for_model(api, stack)
        good = [ask(api, embedder, question) for question in QUESTIONS]
        if args.once or not all(good):
            return 0 if all(good) else 1
        farewell(proxy, admin, qdrant)
        print("Ctrl-C stops both.", flush=True)
        while True:
            time.sleep(0.5)
            stack.check()
    finally:
        # In somebody's own Qdrant nothing of ours stays behind.
        with contextlib.suppress(Failed):  # it may have ended itself
            direct("DELETE", f"/collections/{COLLECTION}", accept=(200, 404))


def interrupted(*_arguments):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--once", action="store_true", help="exit after the questions instead of staying up")
    args = parser.parse_args()
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupted)
    try:
        with Stack(args.cache / "demo" / "run") as stack:
            return run(args, stack)
    except Failed as error:
        print(red(f"demo: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
