"""Options in the body, headers, parameters and configuration: the same everywhere, the nearer one wins."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import (
    ENDPOINTS,
    PLUS,
    TOP_K_LEAST,
    WORDS,
    Answer,
    assert_by_relevance,
    assert_untouched,
    assert_used,
    body_of,
    document,
    post,
    reranked,
    texts_by_id,
)
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank

pytestmark = pytest.mark.sanitize


def carried(place: str, top_k: int, flag: bool = True) -> tuple[dict, dict[str, str], dict[str, str]]:
    """(body fields, headers, parameters) with flag, query and top_k in one place."""
    options = {"use_reranker": flag, "rerank_query": WORDS, "rerank_top_k": top_k}
    plain = {"use_reranker": str(flag).lower(), "rerank_query": WORDS, "rerank_top_k": str(top_k)}
    if place == "body":
        return options, {}, {}
    if place == "params":
        return {"params": options}, {}, {}
    if place == "header":
        return {}, {"X-Rerank": plain["use_reranker"], "X-Rerank-Query": PLUS, "x-rerank-top-k": str(top_k)}, {}
    return {}, {}, plain


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("place", ["body", "params", "header", "parameter"])
def test_every_carrier(endpoint, place, through, direct, collection):
    fields, headers, parameters = carried(place, TOP_K_LEAST)
    answer = post(through, collection, endpoint, body_of(endpoint, **fields), headers=headers, params=parameters)
    assert_used(answer, TOP_K_LEAST)
    texts = texts_by_id(direct, collection)
    assert_by_relevance(answer.ids[:TOP_K_LEAST], texts)


PLACES = ["body", "params", "header", "parameter"]


@pytest.mark.parametrize(("strong", "weak"), [(a, b) for at, a in enumerate(PLACES) for b in PLACES[at + 1 :]])
def test_a_nearer_carrier_wins(strong, weak, through, collection):
    def both(flag: bool) -> Answer:
        fields, headers, parameters = {}, {}, {}
        for place, top_k, wanted in ((weak, 12, True), (strong, TOP_K_LEAST, flag)):
            more = carried(place, top_k, wanted)
            fields, headers, parameters = {**fields, **more[0]}, {**headers, **more[1]}, {**parameters, **more[2]}
        return post(through, collection, "query", body_of("query", **fields), headers=headers, params=parameters)

    assert_used(both(True), TOP_K_LEAST)
    off = both(False)
    assert "reranking_used" not in off.top and off.added_headers() == set()


def test_alias_of_the_flag(through, collection):
    assert_used(post(through, collection, "query", body_of("query", rerank=True, rerank_query=WORDS)))
    assert_used(post(through, collection, "query", body_of("query", rerank=True, use_reranker=True, rerank_query=WORDS)))
    parameters = {"rerank": "1", "rerank_query": WORDS}
    assert_used(post(through, collection, "query", body_of("query"), params=parameters))


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "True"])
def test_booleans_outside_json(word, through, collection):
    headers = {"X-Rerank": word, "X-Rerank-Query": PLUS}
    assert_used(post(through, collection, "query", body_of("query"), headers=headers))


@pytest.mark.parametrize("flag", [None, False])
def test_without_the_flag_nothing_is_checked_or_added(flag, through, direct, collection):
    fields = {"rerank_top_k": 5, "rerank_nonsense": [], "use_reranker": flag}
    answer = post(through, collection, "query", body_of("query", **fields))
    assert_untouched(answer, post(direct, collection, "query", body_of("query")))
    assert answer.added_headers() == set()


def test_query_text_and_options_of_a_document(through, direct, collection):
    own = post(direct, collection, "query", {"query": document(), "using": "bm25", "limit": 20})
    for query in (document(use_reranker=True, rerank_top_k=TOP_K_LEAST), {"nearest": document(use_reranker=True)}):
        answer = post(through, collection, "query", {"query": query, "using": "bm25", "limit": 20})
        assert_used(answer)
        assert sorted(answer.ids) == sorted(own.ids)
        assert_by_relevance(answer.ids, texts_by_id(direct, collection))


@pytest.fixture(scope="module")
def configured(qdrant: Qdrant, collection: str) -> Iterator[httpx.Client]:
    never = library.fill(qdrant, "never")
    config = f"collections:\n  {collection}:\n    rerank: always\n    top_k: 11\n  {never}:\n    rerank: never\n"
    with Qrerank(qdrant.url, config) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        client.never = never
        yield client


def test_collection_that_always_reranks(configured, direct, collection):
    answer = post(configured, collection, "query", body_of("query", rerank_query=WORDS))
    assert_used(answer, 11)
    assert_used(post(configured, collection, "query", body_of("query", rerank_query=WORDS, rerank_top_k=12)), 12)
    off = post(configured, collection, "query", body_of("query", rerank_query=WORDS, use_reranker=False))
    assert_untouched(off, post(direct, collection, "query", body_of("query")))
    wish = post(configured, collection, "query", body_of("query"))
    assert_untouched(wish, post(direct, collection, "query", body_of("query")))
    assert (wish.header("x-reranking-used"), wish.header("x-reranking-reason")) == ("false", "no_query")


def test_collection_that_never_reranks(configured, direct):
    assert post(configured, configured.never, "query", reranked("query")).status == 400
    headers = {"X-Rerank": "true", "X-Rerank-Query": PLUS}
    answer = post(configured, configured.never, "query", body_of("query"), headers=headers)
    assert_untouched(answer, post(direct, configured.never, "query", body_of("query")))
