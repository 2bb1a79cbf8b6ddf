"""Clients as people use them, unmodified: Python's qdrant-client, @qdrant/js-client-rest and curl.

Through the proxy their ordinary calls give what they give directly, and a flag where their types let one through
gives reranked results.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, context_headers, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.integration import library
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank

JAVASCRIPT = Path(__file__).parent / "js"
NODE_SECONDS = 60

FLAG = {"X-Rerank": "true", "X-Rerank-Query": quote(library.QUERY)}


@pytest.fixture(scope="module")
def collection(qdrant: Qdrant) -> str:
    return library.fill(qdrant, "clients")


def python_client(url: str, qdrant: Qdrant, **options: object) -> QdrantClient:
    return QdrantClient(url=url, api_key=qdrant.api_key, timeout=60, **options)


def ordinary_calls(client: QdrantClient, name: str) -> dict[str, object]:
    """What the calls of an application return, as plain data."""
    found: dict[str, object] = {}
    client.delete_collection(name)
    vectors = models.VectorParams(size=2, distance=models.Distance.DOT)
    found["created"] = client.create_collection(name, vectors_config=vectors)
    points = [
        models.PointStruct(id=at, vector=[float(at), 1.0], payload={"n": at, "kind": "odd" if at % 2 else "even"})
        for at in range(1, 8)
    ]
    found["upserted"] = client.upsert(name, points, wait=True).status
    found["exists"] = client.collection_exists(name)
    found["count"] = client.count(name).count
    found["retrieved"] = client.retrieve(name, [3, 1], with_vectors=True)
    found["scrolled"] = client.scroll(name, limit=3)
    found["queried"] = client.query_points(name, query=[1.0, 0.0], limit=3)
    odd = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="odd"))])
    found["filtered"] = client.query_points(name, query=[1.0, 0.0], query_filter=odd, with_vectors=True)
    found["recommended"] = client.query_points(
        name, query=models.RecommendQuery(recommend=models.RecommendInput(positive=[1]))
    )
    requests = [models.QueryRequest(query=[1.0, 0.0], limit=1), models.QueryRequest(query=[0.0, 1.0], limit=2)]
    found["batch"] = client.query_batch_points(name, requests)
    found["groups"] = client.query_points_groups(name, "kind", query=[1.0, 0.0], group_size=2)
    found["deleted"] = client.delete(name, [2], wait=True).status
    found["left"] = client.count(name).count
    try:
        client.query_points(f"{name}-missing", query=[1.0, 0.0])
    except UnexpectedResponse as error:
        found["missing"] = error.status_code
    found["dropped"] = client.delete_collection(name)
    return found


def texts_of(answer: models.QueryResponse) -> list[str]:
    return [point.payload["text"] for point in answer.points]


def assert_reranked(texts: list[str], plain: list[str]) -> None:
    counts = [library.words_in_common(text) for text in texts]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == max(map(library.words_in_common, library.TEXTS))
    assert texts != plain


def test_ordinary_python_calls_are_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("python")
    through = ordinary_calls(python_client(proxy.url, qdrant), name)
    assert through == ordinary_calls(python_client(qdrant.url, qdrant), name)
    assert through["missing"] == 404 and through["left"] == 6


SEARCH = {"query": library.NORTH, "limit": 5, "with_payload": ["text"]}


def test_python_client_with_headers_of_its_own(qdrant, proxy, collection):
    plain = texts_of(python_client(proxy.url, qdrant).query_points(collection, **SEARCH))
    assert plain == texts_of(python_client(qdrant.url, qdrant).query_points(collection, **SEARCH))
    flagged = python_client(proxy.url, qdrant, headers=FLAG)
    assert_reranked(texts_of(flagged.query_points(collection, **SEARCH)), plain)


def test_python_client_with_headers_of_one_call(qdrant, proxy, collection):
    client = python_client(proxy.url, qdrant)
    plain = texts_of(client.query_points(collection, **SEARCH))
    with context_headers.headers(FLAG):
        flagged = texts_of(client.query_points(collection, **SEARCH))
    assert_reranked(flagged, plain)
    assert texts_of(client.query_points(collection, **SEARCH)) == plain


def test_flagged_python_client_makes_its_ordinary_calls(qdrant, proxy):
    """Headers set once go with every call: those without a query text pass as they are."""
    name = qdrant.collection_name("python-flagged")
    wish = {"X-Rerank": "true"}
    through = ordinary_calls(python_client(proxy.url, qdrant, headers=wish), name)
    assert through == ordinary_calls(python_client(qdrant.url, qdrant), name)


def test_python_client_with_options_in_a_document(qdrant, proxy, collection):
    client = python_client(proxy.url, qdrant, cloud_inference=True)

    def search(options: dict | None) -> list[str]:
        query = models.Document(text=library.QUERY, model="qdrant/bm25", options=options)
        return texts_of(client.query_points(collection, query=query, using="bm25", limit=5))

    direct = python_client(qdrant.url, qdrant, cloud_inference=True)
    query = models.Document(text=library.QUERY, model="qdrant/bm25")
    own = texts_of(direct.query_points(collection, query=query, using="bm25", limit=5))
    assert search(None) == own
    counts = [library.words_in_common(text) for text in search({"use_reranker": True, "rerank_top_k": 20})]
    assert counts == sorted(counts, reverse=True)


def test_asynchronous_python_client(qdrant, proxy, collection):
    async def searches(url: str, headers: dict[str, str] | None) -> list[list[str]]:
        client = AsyncQdrantClient(url=url, api_key=qdrant.api_key, headers=headers, timeout=60)
        try:
            answers = await asyncio.gather(*(client.query_points(collection, **SEARCH) for _ in range(20)))
        finally:
            await client.close()
        return [texts_of(answer) for answer in answers]

    direct = asyncio.run(searches(qdrant.url, None))
    assert asyncio.run(searches(proxy.url, None)) == direct
    for texts in asyncio.run(searches(proxy.url, FLAG)):
        assert_reranked(texts, direct[0])


def run_node(what: str, url: str, collection: str, qdrant: Qdrant) -> dict:
    node = shutil.which("node")
    assert node, "node is missing: the tests of the JavaScript client need it (18 or later)"
    installed = JAVASCRIPT / "node_modules/@qdrant/js-client-rest"
    assert installed.is_dir(), f"{installed} is missing: run `scripts/setup --tests` or `npm ci` in {JAVASCRIPT}"
    command = [node, "client.mjs", what, url, collection, *([qdrant.api_key] if qdrant.api_key else [])]
    done = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=NODE_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ordinary_javascript_calls_are_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("javascript")
    through = run_node("ordinary", proxy.url, name, qdrant)
    assert through == run_node("ordinary", qdrant.url, name, qdrant)
    assert through["missing"] == 404 and through["left"] == 2


def test_javascript_client_with_flags(qdrant, proxy, collection):
    found = run_node("reranked", proxy.url, collection, qdrant)
    for way in ("clientHeaders", "callHeaders", "params", "body"):
        assert_reranked(found[way], found["plain"])
    assert (found["used"], found["model"]) == (True, "mock")


def curl(qdrant: Qdrant, *arguments: str) -> Callable[[str], dict]:
    def ask(url: str) -> dict:
        program = shutil.which("curl")
        assert program, "curl is missing"
        key = [item for name, value in qdrant.headers.items() for item in ("-H", f"{name}: {value}")]
        done = subprocess.run([program, "-sS", *key, *arguments, url], capture_output=True, timeout=NODE_SECONDS)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        answer.pop("time")
        return answer

    return ask


def test_curl_with_a_body_flag(qdrant, proxy, collection):
    path = f"/collections/{collection}/points/query"
    body = {"query": {"text": library.QUERY, "model": "qdrant/bm25"}, "using": "bm25", "limit": 3, "with_payload": True}
    ordinary = curl(qdrant, "-d", json.dumps(body))
    assert ordinary(proxy.url + path) == ordinary(qdrant.url + path)
    answer = curl(qdrant, "-d", json.dumps({**body, "use_reranker": True}))(proxy.url + path)
    assert answer["reranking_used"] is True and answer["reranker_model"] == "mock"
    assert len(answer["result"]["points"]) == 3
