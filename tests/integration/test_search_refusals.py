"""What is refused, by us or by Qdrant itself, and what a wish gets instead."""

from __future__ import annotations

import json

import pytest

from tests.integration.searching import ENDPOINTS, WORDS, assert_untouched, body_of, post, reranked

pytestmark = pytest.mark.sanitize

BAD_OPTIONS = [
    ({"rerank_top_k": 9}, ["rerank_top_k", "9", "10", "200"]),
    ({"rerank_top_k": 201}, ["rerank_top_k", "201", "10", "200"]),
    ({"rerank_top_k": 20.5}, ["rerank_top_k", "20.5", "integer"]),
    ({"rerank_top_k": "20"}, ["rerank_top_k", "20"]),
    ({"rerank_weight": 1.5}, ["rerank_weight", "1.5", "0", "1"]),
    ({"rerank_weight": -0.1}, ["rerank_weight", "-0.1"]),
    ({"rerank_timeout_ms": 0}, ["rerank_timeout_ms", "0", "1", "60000"]),
    ({"rerank_timeout_ms": 60001}, ["rerank_timeout_ms", "60001", "60000"]),
    ({"rerank_on_error": "explode"}, ["rerank_on_error", "explode", "fallback", "error"]),
    ({"rerank_score_threshold": "high"}, ["rerank_score_threshold", "high"]),
    ({"rerank_query": ""}, ["rerank_query"]),
    ({"rerank_query": 7}, ["rerank_query", "7"]),
    ({"rerank_query": "x" * 8193}, ["rerank_query", "8193", "8192"]),
    ({"rerank_model": "mok"}, ["rerank_model", "mok", "mock"]),
    ({"rerank_field": 3}, ["rerank_field", "3"]),
    ({"rerank_topk": 20}, ["rerank_topk", "rerank_top_k"]),
    ({"rerank_qurey": "x"}, ["rerank_qurey", "rerank_query"]),
    ({"params": {"rerank_top_k": 9}}, ["rerank_top_k", "9", "10", "200"]),
    ({"use_reranker": "yes"}, ["use_reranker", "yes"]),
    ({"use_reranker": 1}, ["use_reranker", "1"]),
    ({"rerank": False}, ["rerank"]),
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(("fields", "words"), BAD_OPTIONS, ids=lambda value: json.dumps(value)[:50])
def test_bad_option_in_the_body(endpoint, fields, words, silent, to_silent):
    answer = post(to_silent, "any", endpoint, {**reranked(endpoint), **fields})
    assert answer.status == 400, answer.text
    for word in words:
        assert word in answer.error
    assert silent.received == []


@pytest.mark.parametrize(
    ("headers", "parameters", "words"),
    [
        ({"X-Rerank-Top-K": "9"}, {}, ["9", "10", "200"]),
        ({"X-Rerank-Top-K": "ten"}, {}, ["ten"]),
        ({"X-Rerank-Tpo-K": "20"}, {}, ["top"]),
        ({"X-Rerank": "maybe"}, {}, ["maybe"]),
        ({}, {"rerank_top_k": "9"}, ["rerank_top_k", "9", "10", "200"]),
        ({}, {"rerank_tok_k": "20"}, ["rerank_tok_k", "rerank_top_k"]),
        ({}, {"rerank_weight": "2"}, ["rerank_weight", "2"]),
        ({}, {"use_reranker": "yes"}, ["use_reranker", "yes"]),
    ],
)
def test_bad_option_outside_the_body(headers, parameters, words, silent, to_silent):
    body = body_of("query", rerank_query=WORDS)
    if "X-Rerank" not in headers and "use_reranker" not in parameters:
        body["use_reranker"] = True
    answer = post(to_silent, "any", "query", body, headers=headers, params=parameters)
    assert answer.status == 400, answer.text
    for word in words:
        assert word.lower() in answer.error.lower()
    assert silent.received == []


@pytest.mark.parametrize(
    "members",
    [
        '"use_reranker":true,"use_reranker":true',
        '"use_reranker":true,"rerank_top_k":20,"rerank_top_k":20',
        '"use_reranker":true,"rerank":false',
    ],
)
def test_a_name_twice_is_refused(members, silent, to_silent):
    body = f'{{"query":[1.0,0.0],"limit":3,"rerank_query":"fox",{members}}}'
    assert post(to_silent, "any", "query", body).status == 400
    assert silent.received == []


@pytest.mark.parametrize(
    "query",
    [{"order_by": "n"}, {"sample": "random"}, {"context": [{"positive": 1, "negative": 2}]}, None],
    ids=["order_by", "sample", "context", "none"],
)
def test_demand_for_a_search_without_relevance_order(query, silent, to_silent):
    body = {"limit": 3, "use_reranker": True, "rerank_query": "fox", **({"query": query} if query else {})}
    answer = post(to_silent, "any", "query", body)
    assert answer.status == 400 and "use_reranker" in answer.error
    assert silent.received == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_demand_without_a_query_text(endpoint, silent, to_silent):
    answer = post(to_silent, "any", endpoint, body_of(endpoint, use_reranker=True))
    assert answer.status == 400 and "rerank_query" in answer.error
    assert silent.received == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("wish", [{"headers": {"X-Rerank": "true"}}, {"params": {"use_reranker": "true"}}])
def test_wish_without_a_query_text_passes(endpoint, wish, through, direct, collection):
    answer = post(through, collection, endpoint, body_of(endpoint, limit=4), **wish)
    assert_untouched(answer, post(direct, collection, endpoint, body_of(endpoint, limit=4)))
    assert (answer.header("x-reranking-used"), answer.header("x-reranking-reason")) == ("false", "no_query")


BROKEN_SEARCHES = [
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":0,%s}',
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":-1,%s}',
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":3.0,%s}',
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":3,"limit":2,%s}',
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":3,"offset":-1,%s}',
    '{"query":[1.0],"vector":[1.0],"limit":3,%s}',
    '{"query":{"bogus":1},"vector":"abc","limit":3,%s}',
    '{"query":[1.0,0.0],"vector":[1.0,0.0],"limit":3,"filter":{"rerank":true},%s}',
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("template", BROKEN_SEARCHES)
def test_a_search_that_qdrant_refuses_gets_its_own_error(endpoint, template, through, direct, collection):
    own = post(direct, collection, endpoint, template % '"z":1')
    answer = post(through, collection, endpoint, template % '"use_reranker":true,"rerank_query":"fox"')
    assert own.status in (400, 422)
    assert answer.status == own.status
    # Positions in the text move with the options that are taken out.
    assert answer.error.split(" at line ")[0] == own.error.split(" at line ")[0]
    assert answer.added_headers() == set()


def test_unknown_collection_is_qdrants_own_404(through, direct):
    answer = post(through, "nowhere", "query", reranked("query"))
    assert_untouched(answer, post(direct, "nowhere", "query", body_of("query")))
    assert answer.status == 404 and answer.added_headers() == set()
