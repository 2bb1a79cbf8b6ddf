"""Searches that cannot be reranked: the client's own answer and a reason."""

from __future__ import annotations

import socket

import pytest

from tests.integration.searching import ENDPOINTS, body_of, hybrid, post, reranked
from tests.support.qrerank_process import Qrerank

pytestmark = pytest.mark.sanitize


@pytest.mark.parametrize("on_error", ["fallback", "error"])
def test_no_candidate_has_text(on_error, through, direct, collection):
    chosen = {"limit": 5, "offset": 1, "with_payload": ["title"]}
    fields = {"rerank_field": "nowhere", "rerank_on_error": on_error}
    answer = post(through, collection, "query", reranked("query", **chosen, **fields))
    own = post(direct, collection, "query", body_of("query", **chosen))
    assert answer.status == 200
    assert answer.result == own.result
    assert (answer.top["reranking_used"], answer.top["reranking_reason"]) == ("false", '"no_text"')
    assert (answer.header("x-reranking-used"), answer.header("x-reranking-reason")) == ("false", "no_text")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_candidates_at_all(endpoint, through, direct, collection):
    nothing = {"filter": {"must": [{"key": "title", "match": {"value": "nothing like it"}}]}}
    answer = post(through, collection, endpoint, reranked(endpoint, **nothing))
    own = post(direct, collection, endpoint, body_of(endpoint, **nothing))
    assert answer.result == own.result
    assert (answer.top["reranking_used"], answer.top["reranking_reason"]) == ("false", '"no_candidates"')


def test_fallback_of_a_widened_prefetch_is_the_clients_own_answer(through, direct, collection):
    body = {**hybrid(), "with_payload": True}
    own = post(direct, collection, "query", body)
    answer = post(through, collection, "query", {**body, "use_reranker": True, "rerank_field": "nowhere"})
    assert answer.top["reranking_reason"] == '"no_text"'
    assert answer.result == own.result


def test_upstream_that_is_gone_is_a_502(collection):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}") as process, process.client() as client:
        answer = post(client, collection, "query", reranked("query"))
        assert answer.status == 502 and answer.error
