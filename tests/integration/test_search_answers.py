"""What a reranked answer holds: order, members, points without text, ids and spellings that survive.

What the upstream itself answers to the client's own request is the measure: each returned point must carry it byte
for byte. Of the mock's score only this is assumed: more words of the query make a higher one, equal texts equal ones.
"""

from __future__ import annotations

import pytest

from tests.integration import library
from tests.integration.searching import (
    ENDPOINTS,
    assert_by_relevance,
    assert_used,
    body_of,
    post,
    reranked,
    texts_by_id,
)

pytestmark = pytest.mark.sanitize


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_points_come_in_the_order_of_relevance(endpoint, through, direct, collection):
    own = post(direct, collection, endpoint, body_of(endpoint))
    answer = post(through, collection, endpoint, reranked(endpoint))
    assert_used(answer, library.WITH_TEXT)
    assert sorted(answer.ids) == sorted(own.ids)
    texts = texts_by_id(direct, collection)
    scored = [point for point in answer.points if "rerank_score" in point]
    assert {point["id"] for point in scored} == set(texts)
    assert_by_relevance([point["id"] for point in scored], texts)
    assert answer.ids != own.ids


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_members_of_a_reranked_answer(endpoint, through, direct, collection):
    own = {point["id"]: point for point in post(direct, collection, endpoint, body_of(endpoint)).points}
    answer = post(through, collection, endpoint, reranked(endpoint))
    top = answer.top
    assert list(top)[0] == "result" and top["status"] == '"ok"' and "time" in top
    assert top["reranker_model"] == '"mock"'
    assert float(top["reranking_time_ms"]) >= 0
    assert "reranking_reason" not in top
    assert answer.header("x-reranking-used") == "true"
    assert answer.header("x-reranker-model") == "mock"
    assert answer.header("x-reranking-candidates") == top["reranking_candidates"]
    assert float(answer.header("x-reranking-time-ms")) >= 0
    assert answer.header("x-reranking-reason") is None
    timing = [entry.strip().split(";")[0] for entry in answer.header("server-timing").split(",")]
    assert timing == ["upstream", "tokenize", "queue", "compute"]
    assert answer.header("content-type") == "application/json"
    assert answer.header("vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    scores = []
    for point in answer.points:
        theirs = own[point["id"]]
        assert point["version"] == theirs["version"]
        if "rerank_score" in point:
            assert point["vector_score"] == theirs["score"]
            assert point["score"] == point["rerank_score"]
            assert 0 <= float(point["score"]) <= 1
            scores.append(float(point["score"]))
        else:
            assert point["score"] == theirs["score"]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_points_without_text_follow_in_vector_order(endpoint, through, direct, collection):
    own = post(direct, collection, endpoint, body_of(endpoint)).ids
    for weight in (0, 0.5, 1):
        points = post(through, collection, endpoint, reranked(endpoint, rerank_weight=weight)).points
        unscored = [point["id"] for point in points if "rerank_score" not in point]
        assert unscored == ["20", "21", "22"] == own[-3:]
        assert all("rerank_score" in point for point in points[: library.WITH_TEXT])


def test_equal_texts_have_equal_scores_and_vector_order(through, direct, collection):
    texts = texts_by_id(direct, collection)
    points = post(through, collection, "query", reranked("query")).points
    twins = [point for point in points if texts.get(point["id"]) == "the fox"]
    assert [twin["id"] for twin in twins] == ["2", "13"]
    assert twins[0]["rerank_score"] == twins[1]["rerank_score"]


def test_ids_and_odd_spellings_survive(through, collection):
    body = (
        '{ "query" : [1.0e0, 0.0], "limit":\t20 , "use_reranker":true, "\\u0072erank_query":"fox", "x":1e300,'
        ' "with_payload":["big","exp","neg"] }'
    )
    answer = post(through, collection, "query", body)
    assert_used(answer)
    assert {"18446744073709551615", "9007199254740993", "9007199254740992"} <= set(answer.ids)
    payload = next(point["payload"] for point in answer.points if point["id"] == "9007199254740993")
    assert payload == '{"big":18446744073709551615,"neg":-0.0,"exp":1e-7}'
