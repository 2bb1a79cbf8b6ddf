"""Python's qdrant-client, unmodified, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import threading
import warnings
from typing import Any

from qdrant_client import AsyncQdrantClient, QdrantClient, context_headers, models

from tests.integration import library
from tests.integration.clients.comparison import Calls, compare
from tests.integration.clients.flags import FLAG, WISH, assert_reranked

VECTORS = {"": models.VectorParams(size=2, distance=models.Distance.DOT), "b": models.VectorParams(size=2, distance=models.Distance.COSINE)}
SPARSE = {"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)}
ODD = models.Filter(must=[models.FieldCondition(key="kind", match=models.MatchValue(value="odd"))])
SEARCH = {"query": library.NORTH, "limit": 5, "with_payload": ["text"]}


def options(qdrant, **more: Any) -> dict[str, Any]:
    """The check of the server's version runs in a thread beside the calls: `test_check_of_the_servers_version` has it."""
    return {"api_key": qdrant.api_key, "timeout": 60, "check_compatibility": False, **more}


def points() -> list[models.PointStruct]:
    found = []
    for at, text in enumerate(library.TEXTS, start=1):
        bm25 = models.Document(text=text, model="qdrant/bm25")
        payload = {"n": at, "kind": "odd" if at % 2 else "even", "text": text, "use_reranker": "only content"}
        found.append(models.PointStruct(id=at, vector={"": [float(at), 1.0], "b": [1.0, float(at)], "bm25": bm25}, payload=payload))
    return found


def administration(name: str) -> list[tuple[str, tuple, dict]]:
    """(method, arguments, named arguments) of calls that make a collection."""
    return [
        ("info", (), {}),
        ("get_collections", (), {}),
        ("collection_exists", (name,), {}),
        ("create_collection", (name,), {"vectors_config": VECTORS, "sparse_vectors_config": SPARSE}),
        ("create_collection", (name,), {"vectors_config": VECTORS}),
        ("create_payload_index", (name, "n"), {"field_schema": "integer", "wait": True}),
        ("create_payload_index", (name, "kind"), {"field_schema": "keyword", "wait": True}),
        ("upsert", (name, points()), {"wait": True}),
        ("collection_exists", (name,), {}),
        ("get_collection", (name,), {}),
        ("count", (name,), {}),
        ("count", (name,), {"count_filter": ODD}),
    ]


def reading(name: str) -> list[tuple[str, tuple, dict]]:
    north = {"query": library.NORTH}
    fused = [models.Prefetch(query=library.NORTH, limit=5), models.Prefetch(query=[1.0, 1.0], using="b", limit=5)]
    recommend = models.RecommendQuery(recommend=models.RecommendInput(positive=[1], negative=[3]))
    discover = models.DiscoverQuery(discover=models.DiscoverInput(target=4, context=[models.ContextPair(positive=1, negative=3)]))
    bm25 = models.Document(text=library.QUERY, model="qdrant/bm25")
    two = [models.QueryRequest(query=library.NORTH, limit=1, with_payload=True), models.QueryRequest(query=[0.0, 1.0], limit=2)]
    return [
        ("retrieve", (name, [3, 1, 99]), {"with_vectors": True}),
        ("scroll", (name,), {"limit": 3}),
        ("scroll", (name,), {"limit": 3, "offset": 4, "scroll_filter": ODD, "with_vectors": ["b"]}),
        ("scroll", (name,), {"order_by": "n", "limit": 4}),
        ("query_points", (name,), north),
        ("query_points", (name,), {**north, "limit": 3, "offset": 2, "with_payload": False}),
        ("query_points", (name,), {**north, "query_filter": ODD, "with_vectors": True, "with_payload": ["n", "text"]}),
        ("query_points", (name,), {**north, "using": "b", "score_threshold": 0.5}),
        ("query_points", (name,), {**north, "search_params": models.SearchParams(exact=True, hnsw_ef=64), "timeout": 30}),
        ("query_points", (name,), {"query": bm25, "using": "bm25", "limit": 4}),
        ("query_points", (name,), {"query": 3, "limit": 4}),
        ("query_points", (name,), {"query": recommend}),
        ("query_points", (name,), {"query": discover}),
        ("query_points", (name,), {"prefetch": fused, "query": models.FusionQuery(fusion=models.Fusion.RRF), "limit": 6}),
        ("query_points", (name,), {"query": models.OrderByQuery(order_by="n"), "limit": 3}),
        ("query_points", (name,), {"limit": 3}),
        ("query_batch_points", (name, two), {}),
        ("query_batch_points", (name, []), {}),
        ("query_points_groups", (name, "kind"), {**north, "group_size": 2}),
        ("facet", (name, "kind"), {}),
        ("search_matrix_pairs", (name,), {"sample": 100, "limit": 2}),
        # Refused by Qdrant itself.
        ("query_points", (f"{name}-missing",), north),
        ("query_points", (name,), {"query": [1.0, 2.0, 3.0]}),
        ("query_points", (name,), {**north, "using": "nothing"}),
        ("query_points", (name,), {**north, "limit": 0}),
        ("retrieve", (f"{name}-missing", [1]), {}),
    ]


def changing(name: str) -> list[tuple[str, tuple, dict]]:
    return [
        ("set_payload", (name, {"kind": "prime"}, [2, 3]), {"wait": True}),
        ("overwrite_payload", (name, {"text": "new"}, [5]), {"wait": True}),
        ("retrieve", (name, [2, 3, 5]), {}),
        ("delete", (name, [2]), {"wait": True}),
        ("count", (name,), {}),
        ("delete_collection", (name,), {}),
        ("collection_exists", (name,), {}),
        ("count", (name,), {}),
    ]


def all_calls(name: str) -> list[tuple[str, tuple, dict]]:
    return [*administration(name), *reading(name), *changing(name)]


def without_collection(qdrant, name: str) -> None:
    with qdrant.client() as client:
        client.delete(f"/collections/{name}")


def test_every_ordinary_call_is_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("python")

    def run(url: str, calls: Calls) -> None:
        without_collection(qdrant, name)
        client = calls.of(QdrantClient(url=url, **options(qdrant)))
        for method, arguments, named in all_calls(name):
            getattr(client, method)(*arguments, **named)

    through, exchanges = compare("qdrant-client", run, qdrant, proxy)
    assert len(through.made) == len(all_calls(name))
    statuses = {exchange.response.status for exchange in exchanges}
    assert {200, 400, 404, 409, 422} <= statuses


def test_ordinary_calls_with_a_wish_in_the_constructor(qdrant, proxy):
    """Headers set once go with every call: what cannot be reranked passes as it is."""
    name = qdrant.collection_name("python-wish")
    wished = QdrantClient(url=proxy.url, **options(qdrant, headers=WISH))
    unwished = QdrantClient(url=proxy.url, **options(qdrant))
    found = []
    for client in (unwished, wished):
        without_collection(qdrant, name)
        calls = Calls()
        for method, arguments, named in all_calls(name):
            # The one kind of search here that holds a text is reranked, as it should be.
            if not isinstance(named.get("query"), models.Document):
                getattr(calls.of(client), method)(*arguments, **named)
        found.append(calls.made)
    assert found[0] == found[1]


def test_every_ordinary_asynchronous_call_is_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("python-async")

    def run(url: str, calls: Calls) -> None:
        async def all_of_them() -> None:
            client = AsyncQdrantClient(url=url, **options(qdrant))
            noting = calls.of(client)
            for part in (administration(name), None, changing(name)):
                if part is None:  # nothing changes meanwhile: all at once
                    await asyncio.gather(*(getattr(noting, m)(*a, **n) for m, a, n in reading(name)))
                    continue
                for method, arguments, named in part:
                    await getattr(noting, method)(*arguments, **named)
            await client.close()

        without_collection(qdrant, name)
        asyncio.run(all_of_them())

    through, _ = compare("qdrant-client (async)", run, qdrant, proxy, ordered=False)
    assert len(through.made) == len(all_calls(name))


def test_check_of_the_servers_version(qdrant, proxy):
    """The client asks for the version in a thread when it is made; a server it cannot judge is warned of."""
    before = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        QdrantClient(url=proxy.url, **options(qdrant, check_compatibility=True))
        for thread in set(threading.enumerate()) - before:
            thread.join()
    assert [str(one.message) for one in said if "version" in str(one.message)] == []


def texts_of(answer: models.QueryResponse) -> list[str]:
    return [point.payload["text"] for point in answer.points]


def test_headers_of_the_constructor(qdrant, proxy, collection):
    plain = texts_of(QdrantClient(url=proxy.url, **options(qdrant)).query_points(collection, **SEARCH))
    flagged = QdrantClient(url=proxy.url, **options(qdrant, headers=FLAG))
    assert_reranked(texts_of(flagged.query_points(collection, **SEARCH)), plain)


def test_headers_of_one_call(qdrant, proxy, collection):
    client = QdrantClient(url=proxy.url, **options(qdrant))
    plain = texts_of(client.query_points(collection, **SEARCH))
    with context_headers.headers(FLAG):
        flagged = texts_of(client.query_points(collection, **SEARCH))
    assert_reranked(flagged, plain)
    assert texts_of(client.query_points(collection, **SEARCH)) == plain


def test_options_in_a_document(qdrant, proxy, collection):
    client = QdrantClient(url=proxy.url, **options(qdrant, cloud_inference=True))

    def search(document_options: dict | None) -> list[str]:
        query = models.Document(text=library.QUERY, model="qdrant/bm25", options=document_options)
        return texts_of(client.query_points(collection, query=query, using="bm25", limit=3))

    plain = search(None)
    assert_reranked(search({"use_reranker": True, "rerank_top_k": 20}), plain)


def test_a_collection_that_is_always_reranked(qdrant, always, collection):
    """No flag anywhere: the configuration has it, the client's own Document the text."""
    found = []
    for url in (qdrant.url, always.url):
        query = models.Document(text=library.QUERY, model="qdrant/bm25")
        client = QdrantClient(url=url, **options(qdrant))
        found.append(texts_of(client.query_points(collection, query=query, using="bm25", limit=3)))
    assert_reranked(found[1], found[0])


def test_asynchronous_client(qdrant, proxy, collection):
    async def searches(headers: dict[str, str] | None, of_call: dict[str, str] | None) -> list[list[str]]:
        client = AsyncQdrantClient(url=proxy.url, **options(qdrant, headers=headers))

        async def one() -> list[str]:
            if of_call is None:
                return texts_of(await client.query_points(collection, **SEARCH))
            async with context_headers.async_headers(of_call):
                return texts_of(await client.query_points(collection, **SEARCH))

        try:
            return await asyncio.gather(*(one() for _ in range(20)))
        finally:
            await client.close()

    plain = asyncio.run(searches(None, None))
    for texts in asyncio.run(searches(FLAG, None)) + asyncio.run(searches(None, FLAG)):
        assert_reranked(texts, plain[0])
