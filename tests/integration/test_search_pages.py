"""Limits, offsets and pages, thresholds and weights: which points come, and in which order."""

from __future__ import annotations

import math

import pytest

from tests.integration import library
from tests.integration.searching import ENDPOINTS, TOP_K_LEAST, assert_used, body_of, post, reranked, texts_by_id

pytestmark = pytest.mark.sanitize


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_pages_are_disjoint_and_complete(endpoint, size, through, collection):
    whole = post(through, collection, endpoint, reranked(endpoint)).ids
    pages: list[str] = []
    for offset in range(0, library.COUNT + size, size):
        answer = post(through, collection, endpoint, reranked(endpoint, limit=size, offset=offset))
        assert answer.status == 200
        pages += answer.ids
    assert pages == whole


def test_points_beyond_top_k_follow_in_vector_order(through, direct, collection):
    own = post(direct, collection, "query", body_of("query")).ids
    answer = post(through, collection, "query", reranked("query", rerank_top_k=TOP_K_LEAST))
    assert_used(answer, TOP_K_LEAST)
    assert answer.ids[TOP_K_LEAST:] == own[TOP_K_LEAST:]
    assert sorted(answer.ids[:TOP_K_LEAST]) == sorted(own[:TOP_K_LEAST])
    assert all("rerank_score" not in point for point in answer.points[TOP_K_LEAST:])


def test_a_small_limit_sees_beyond_its_own_hits(through, direct, collection):
    answer = post(through, collection, "query", reranked("query", limit=1))
    texts = texts_by_id(direct, collection)
    assert len(answer.ids) == 1
    assert library.words_in_common(texts[answer.ids[0]]) == max(map(library.words_in_common, library.TEXTS))


def test_limit_that_is_absent_or_null_is_ten(through, collection):
    body = reranked("query")
    del body["limit"]
    assert len(post(through, collection, "query", body).ids) == 10
    assert len(post(through, collection, "query", {**body, "limit": None}).ids) == 10


def test_top_is_the_older_name_of_limit(through, collection):
    body = reranked("search", top=2)
    del body["limit"]
    assert len(post(through, collection, "search", body).ids) == 2


def test_limit_as_large_as_it_gets(through, collection):
    answer = post(through, collection, "query", reranked("query", limit=18446744073709551615, offset=2))
    assert_used(answer)
    assert len(answer.ids) == library.COUNT - 2


def test_score_threshold_chooses_the_candidates(through, direct, collection):
    own = post(direct, collection, "query", body_of("query")).points
    threshold = (float(own[4]["score"]) + float(own[5]["score"])) / 2
    answer = post(through, collection, "query", reranked("query", score_threshold=threshold))
    assert_used(answer, 5)
    assert sorted(answer.ids) == sorted(point["id"] for point in own[:5])


def test_rerank_score_threshold_drops_before_the_page(through, collection):
    points = post(through, collection, "query", reranked("query")).points
    border = points[4]["score"]
    kept = [p["id"] for p in points if "rerank_score" in p and float(p["score"]) >= float(border)]
    answer = post(through, collection, "query", reranked("query", rerank_score_threshold=float(border)))
    assert answer.ids == kept
    page = post(through, collection, "query", reranked("query", rerank_score_threshold=float(border), limit=2, offset=1))
    assert page.ids == kept[1:3]
    none = post(through, collection, "query", reranked("query", rerank_score_threshold=1.1))
    assert none.ids == [] and none.top["reranking_used"] == "true"


def test_weight_zero_keeps_vector_order(through, direct, collection):
    own = post(direct, collection, "query", body_of("query")).ids
    answer = post(through, collection, "query", reranked("query", rerank_weight=0))
    assert_used(answer, library.WITH_TEXT)
    assert answer.ids == own


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.9])
def test_weighted_score_is_the_sigmoid_of_both_z_scores(weight, through, collection):
    points = [p for p in post(through, collection, "query", reranked("query", rerank_weight=weight)).points if "rerank_score" in p]

    def z_scores(values: list[float]) -> list[float]:
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))
        return [(value - mean) / deviation for value in values]

    judged = [float(point["rerank_score"]) for point in points]
    model = z_scores([math.log(p / (1 - p)) for p in judged])
    vector = z_scores([float(point["vector_score"]) for point in points])
    expected = [1 / (1 + math.exp(-(weight * m + (1 - weight) * v))) for m, v in zip(model, vector)]
    assert [float(point["score"]) for point in points] == pytest.approx(expected, abs=1e-6)
    scores = [float(point["score"]) for point in points]
    assert scores == sorted(scores, reverse=True)
