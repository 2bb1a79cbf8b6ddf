"""Searches from the edges of Qdrant's API through the whole program: kinds of vectors and queries, odd payloads, limits.

As everywhere, the upstream's own answer to the client's own request is the measure of what comes back.
"""

from __future__ import annotations

import json

import httpx
import pytest

from tests.integration import library
from tests.integration.endpoints import ENDPOINTS, Endpoint, body_of, own_search
from tests.integration.searching import Answer, post, without_time
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank

pytestmark = pytest.mark.sanitize

FLAG = {"use_reranker": True, "rerank_query": library.QUERY}

# Multivectors, and payloads with every oddity that a text may have.
ODD_PAYLOADS = [
    {"text": "a <b>red</b> fox &amp; a <i>winter</i> forest", "a.b[0]": "one"},
    {"text": ["a red", 7, "fox", None, ["deep"], {"n": 1}], "a.b[0]": "a red fox in the winter forest"},
    {"text": {"inner": "an object has no text"}, "a.b[0]": "a red fox"},
    {"text": 42, "a.b[0]": "the forest"},
    {"text": "winter " * 5000, "a.b[0]": "winter"},
    {"text": "the fox \u2028 \U0001f98a", "a.b[0]": ""},
    {"text": True},
]


@pytest.fixture(scope="module")
def odd(qdrant: Qdrant, direct: httpx.Client) -> str:
    name = qdrant.collection_name("odd")
    config = {"vectors": {"": {"size": 2, "distance": "Cosine"}, "many": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}}}
    assert direct.put(f"/collections/{name}", json=config).status_code == 200
    points = [
        {"id": at, "vector": {"": [1.0, at / 10], "many": [[1.0, at / 5], [0.0, 1.0]]}, "payload": payload}
        for at, payload in enumerate(ODD_PAYLOADS)
    ]
    response = direct.put(f"/collections/{name}/points?wait=true", json={"points": points})
    assert response.status_code == 200, response.text
    return name


def assert_used(answer: Answer, candidates: int | None = None) -> None:
    assert answer.status == 200, answer.text
    assert answer.top["reranking_used"] == "true", answer.text
    assert candidates is None or int(answer.top["reranking_candidates"]) == candidates


def assert_reranked_like(answer: Answer, own: Answer) -> None:
    """The same points with the same payloads, by relevance."""
    assert_used(answer)
    assert {point["id"]: point.get("payload") for point in answer.points} == {point["id"]: point.get("payload") for point in own.points}
    counts = [library.words_in_common(json.loads(point["payload"])["text"]) for point in answer.points if "rerank_score" in point]
    assert counts == sorted(counts, reverse=True)


# --- vectors ---------------------------------------------------------------------------------------------------------

SPARSE = {"indices": [1, 2], "values": [1.0, 0.5]}
VECTORS = [
    ("search", {"vector": {"name": "second", "vector": [0.1, 1.0, 0.5]}}),
    ("query", {"query": [0.1, 1.0, 0.5], "using": "second"}),
    ("query", {"query": {"nearest": [0.1, 1.0, 0.5]}, "using": "second", "params": {"exact": True}}),
    ("query", {"query": {"text": library.QUERY, "model": "qdrant/bm25"}, "using": "bm25"}),
    ("query", {"query": 1}),
    ("query", {"query": "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"}),
    ("query", {"query": {"recommend": {"positive": [1, [0.5, 0.5]], "negative": [20]}}}),
    ("query", {"query": {"discover": {"target": 2, "context": [{"positive": 1, "negative": 20}]}}}),
    ("recommend", {"positive": [1], "negative": [20], "strategy": "best_score", "using": "second"}),
]


@pytest.mark.parametrize(("endpoint", "inputs"), VECTORS, ids=lambda value: value if isinstance(value, str) else json.dumps(value))
def test_kinds_of_vectors_and_inputs(endpoint, inputs, through, direct, collection):
    body = {**inputs, "limit": library.COUNT, "with_payload": True}
    own = post(direct, collection, endpoint, body)
    assert own.status == 200, own.text
    assert_reranked_like(post(through, collection, endpoint, {**body, **FLAG}), own)


def test_sparse_vectors(through, direct, collection):
    for endpoint, inputs in (("search", {"vector": {"name": "bm25", "vector": SPARSE}}), ("query", {"query": SPARSE, "using": "bm25"})):
        body = {**inputs, "limit": 5}
        own = post(direct, collection, endpoint, body)
        answer = post(through, collection, endpoint, {**body, **FLAG})
        assert own.status == answer.status == 200
        assert sorted(answer.ids) == sorted(own.ids)


def test_multivectors(through, direct, odd):
    body = {"query": [[1.0, 0.0], [0.0, 1.0]], "using": "many", "limit": 20, "with_payload": True, "with_vector": ["many"]}
    own = post(direct, odd, "query", body)
    answer = post(through, odd, "query", {**body, **FLAG})
    assert_used(answer)
    assert {point["id"]: (point["payload"], point["vector"]) for point in answer.points} == {
        point["id"]: (point["payload"], point["vector"]) for point in own.points
    }


def test_examples_from_another_collection(through, direct, qdrant, collection):
    other = library.fill(qdrant, "examples")
    for endpoint, inputs in (("recommend", {"positive": [2]}), ("query", {"query": 2})):
        body = {**inputs, "lookup_from": {"collection": other}, "limit": library.COUNT, "with_payload": True}
        own = post(direct, collection, endpoint, body)
        assert own.status == 200, own.text
        assert_reranked_like(post(through, collection, endpoint, {**body, **FLAG}), own)


# --- queries ---------------------------------------------------------------------------------------------------------

TREE = [
    {"query": library.NORTH, "limit": 2, "prefetch": [{"query": {"text": "fox", "model": "qdrant/bm25"}, "using": "bm25", "limit": 4}]},
    {"query": {"text": "winter", "model": "qdrant/bm25"}, "using": "bm25"},
]
QUERIES = {
    "fusion": {"prefetch": TREE, "query": {"fusion": "dbsf"}},
    "rrf": {"prefetch": TREE, "query": {"rrf": {"k": 3}}},
    "formula": {"prefetch": TREE, "query": {"formula": {"sum": ["$score", {"mult": [0.5, "$score"]}]}}},
    "mmr": {"query": {"nearest": library.NORTH, "mmr": {"diversity": 0.3, "candidates_limit": 4}}},
    "rescore": {"prefetch": {"query": library.NORTH, "limit": 3}, "query": [0.1, 1.0, 0.5], "using": "second"},
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_over_prefetches(name, through, direct, collection):
    body = {**QUERIES[name], "limit": 3, "with_payload": True}
    own = post(direct, collection, "query", body)
    assert own.status == 200, own.text
    answer = post(through, collection, "query", {**body, **FLAG})
    assert_used(answer)
    # More was looked at than the client's own request would have found.
    assert int(answer.top["reranking_candidates"]) > len(own.ids)
    counts = [library.words_in_common(json.loads(point["payload"])["text"]) for point in answer.points]
    assert counts == sorted(counts, reverse=True) and len(counts) == 3
    # A fallback is the client's own result all the same.
    assert post(through, collection, "query", {**body, **FLAG, "rerank_field": "nowhere"}).result == own.result


NO_ORDER = {"sample": {"query": {"sample": "random"}}, "context": {"query": {"context": [{"positive": 1, "negative": 20}]}}, "none": {}}


@pytest.mark.parametrize("name", NO_ORDER)
@pytest.mark.parametrize("form", ["single", "batch", "groups"])
def test_queries_without_a_relevance_order(name, form, through, direct, collection):
    endpoint = Endpoint("query", form)
    search = {name: value for name, value in own_search(endpoint).items() if name != "query"}
    search.update(NO_ORDER[name])
    demand = post(through, collection, endpoint.path, body_of(endpoint, {**search, **FLAG}))
    assert demand.status == 400 and "no relevance order" in demand.error
    headers = {"X-Rerank": "true", "X-Rerank-Query": "fox"}
    wish = post(through, collection, endpoint.path, body_of(endpoint, search), headers=headers)
    own = post(direct, collection, endpoint.path, body_of(endpoint, search))
    assert wish.status == own.status
    if own.status == 200:
        assert (wish.header("x-reranking-used"), wish.header("x-reranking-reason")) == ("false", "no_query")
        if name != "sample":
            assert without_time(wish) == without_time(own)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.form != "groups"], ids=str)
def test_offset_beyond_all_hits_and_fewer_hits_than_asked(endpoint, through, direct, collection):
    few = {"filter": {"must": [{"key": "shelf", "match": {"value": 2}}]}}
    for offset in (0, 2, 100):
        search = own_search(endpoint, offset=offset, with_payload=["title"], **few)
        own = post(direct, collection, endpoint.path, body_of(endpoint, search))
        answer = post(through, collection, endpoint.path, body_of(endpoint, {**search, **FLAG}))
        assert_used(answer, 3 if endpoint.kind != "recommend" else None)
        assert len(answer.text) > 0 and answer.text.count('"id":') == own.text.count('"id":')


# --- payloads --------------------------------------------------------------------------------------------------------


def by_id(answer: Answer) -> dict[str, dict[str, str]]:
    return {point["id"]: point for point in answer.points}


def test_texts_of_any_kind(through, direct, odd):
    body = {"query": [1.0, 0.0], "limit": 20, "with_payload": True}
    answer = post(through, odd, "query", {**body, **FLAG})
    assert_used(answer, 5)  # neither the object nor the boolean is a text
    own = post(direct, odd, "query", body)
    assert {one: point["payload"] for one, point in by_id(answer).items()} == {one: point["payload"] for one, point in by_id(own).items()}
    assert [one for one in answer.ids if "rerank_score" not in by_id(answer)[one]] == ["2", "6"]
    # The strings and numbers of a list are one text.
    assert float(by_id(answer)["1"]["rerank_score"]) > float(by_id(answer)["3"]["rerank_score"])


def test_a_key_with_dots_and_brackets(through, odd):
    body = {"query": [1.0, 0.0], "limit": 20, "with_payload": False}
    answer = post(through, odd, "query", {**body, **FLAG, "rerank_field": '"a.b[0]"'})
    assert_used(answer, 5)
    assert answer.ids[:2] == ["1", "2"]
    assert all("payload" not in point for point in answer.points)
    headers = {"X-Rerank": "1", "X-Rerank-Query": "red%20fox%20winter%20forest", "X-Rerank-Field": '%22a.b[0]%22'}
    assert post(through, odd, "query", body, headers=headers).ids == answer.ids


def test_an_object_as_text_is_named_once_in_the_log(qdrant, odd):
    with Qrerank(qdrant.url) as process:
        with process.client() as client:
            client.headers.update(qdrant.headers)
            for _ in range(3):
                assert_used(post(client, odd, "query", {"query": [1.0, 0.0], **FLAG}))
        process.stop()
        lines = [line for line in process.stderr.splitlines() if "holds an object" in line]
        assert len(lines) == 1, process.stderr
        assert " ERROR " in lines[0] and "field=text" in lines[0] and odd in lines[0]


def test_a_long_text_is_cut_before_it_is_scored(qdrant, through, odd):
    # Of "a red fox in the winter forest" the last words are lost.
    body = {"query": [1.0, 0.0], "limit": 20, **FLAG, "rerank_field": '"a.b[0]"'}
    whole = by_id(post(through, odd, "query", body))["1"]
    with Qrerank(qdrant.url, settings={"scoring.max_text_chars": 16}) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        cut = by_id(post(client, odd, "query", body))["1"]
    assert float(cut["rerank_score"]) < float(whole["rerank_score"])


# --- limits of the proxy ---------------------------------------------------------------------------------------------


def test_answers_too_large_to_hold(qdrant, direct, odd):
    body = {"query": [1.0, 0.0], "limit": 20, "with_payload": True}
    own = post(direct, odd, "query", body)
    assert len(own.text) > 32 * 1024
    with Qrerank(qdrant.url, settings={"upstream.max_response_body": "16KiB"}) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        answer = post(client, odd, "query", {**body, **FLAG})
        assert without_time(answer) == without_time(own)
        assert (answer.header("x-reranking-used"), answer.header("x-reranking-reason")) == ("false", "internal")
        batch = post(client, odd, "query/batch", {"searches": [body, {**body, **FLAG}]})
        assert without_time(batch) == without_time(post(direct, odd, "query/batch", {"searches": [body, body]}))
        refused = post(client, odd, "query", {**body, **FLAG, "rerank_on_error": "error"})
        assert refused.status == 502 and "16384 bytes" in refused.error
        # One that fits is reranked as ever.
        assert_used(post(client, odd, "query", {**body, **FLAG, "with_payload": False, "rerank_field": '"a.b[0]"'}))


# --- what only a real server has -------------------------------------------------------------------------------------


@pytest.mark.needs_server("custom shard keys, which a Qdrant in cluster mode has")
def test_shard_keys_travel_to_the_second_read(through, direct, qdrant):
    name = qdrant.collection_name("sharded")
    made = direct.put(f"/collections/{name}", json={"vectors": {"size": 2, "distance": "Cosine"}, "sharding_method": "custom"})
    if "istributed mode disabled" in made.text or "luster mode" in made.text:
        pytest.skip("this server is not in cluster mode")
    assert made.status_code == 200, made.text
    for key in ("east", "west"):
        assert direct.put(f"/collections/{name}/shards", json={"shard_key": key}).status_code == 200
        points = [{"id": at, "vector": [1.0, at / 10], "payload": {"text": f"{key} {text}"}} for at, text in enumerate(library.TEXTS)]
        assert direct.put(f"/collections/{name}/points?wait=true", json={"points": points, "shard_key": key}).status_code == 200
    body = {"query": [1.0, 0.0], "limit": 20, "with_payload": True, "with_vector": True, "shard_key": "west"}
    answer = post(through, name, "query", {**body, **FLAG})
    assert_reranked_like(answer, post(direct, name, "query", body))
    assert all(json.loads(point["payload"])["text"].startswith("west") for point in answer.points)


@pytest.mark.needs_server("relevance feedback as a server scores it")
def test_relevance_feedback(through, direct, collection):
    feedback = {"target": 2, "feedback": [{"example": 1, "score": 0.9}], "strategy": {"naive": {"a": 1.0, "b": 1.0, "c": 1.0}}}
    body = {"query": {"relevance_feedback": feedback}, "limit": library.COUNT, "with_payload": True}
    own = post(direct, collection, "query", body)
    assert own.status == 200, own.text
    assert_reranked_like(post(through, collection, "query", {**body, **FLAG}), own)
