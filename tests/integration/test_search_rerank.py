"""Single searches through the whole program with the mock model: carriers, refusals, pages, selectors, fallbacks.

What the upstream itself answers to the client's own request is the measure: each returned point must carry it byte
for byte. Of the mock's score only this is assumed: more words of the query make a higher one, equal texts equal ones.
"""

from __future__ import annotations

import gzip
import json
import math
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import ENDPOINTS, Answer, body_of, post, reranked, same_vector, without_time
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, Reader
from tests.support.replay import Replay

pytestmark = pytest.mark.sanitize

TOP_K_LEAST = 10


@pytest.fixture(scope="module")
def collection(qdrant: Qdrant) -> str:
    return library.fill(qdrant, "library")


@pytest.fixture(scope="module")
def direct(qdrant: Qdrant) -> Iterator[httpx.Client]:
    with qdrant.client() as client:
        yield client


@pytest.fixture(scope="module")
def through(qdrant: Qdrant, proxy: Qrerank) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        client.headers.update(qdrant.headers)
        yield client


@pytest.fixture(scope="module")
def silent() -> Iterator[Replay]:
    """An upstream that must not be asked."""
    with Replay() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def to_silent(silent: Replay) -> Iterator[httpx.Client]:
    with Qrerank(silent.url) as process, process.client() as client:
        yield client


def texts_by_id(direct: httpx.Client, collection: str) -> dict[str, str]:
    answer = post(direct, collection, "query", body_of("query", with_payload=["text"]))
    found = {}
    for point in answer.points:
        text = json.loads(point["payload"]).get("text")
        if isinstance(text, str) and text.strip():
            found[point["id"]] = text
    assert len(found) == library.WITH_TEXT
    return found


def assert_by_relevance(ids: list[str], texts: dict[str, str]) -> None:
    counts = [library.words_in_common(texts[one]) for one in ids]
    assert counts == sorted(counts, reverse=True), list(zip(ids, counts))


def assert_used(answer: Answer, candidates: int | None = None) -> None:
    assert answer.status == 200, answer.text
    assert answer.top["reranking_used"] == "true"
    if candidates is not None:
        assert int(answer.top["reranking_candidates"]) == candidates


def assert_untouched(answer: Answer, own: Answer) -> None:
    assert answer.status == own.status
    assert without_time(answer) == without_time(own)


# --- what a reranked answer looks like -----------------------------------------------------------------------------


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


# --- carriers and their precedence ---------------------------------------------------------------------------------

WORDS = library.QUERY
PLUS = quote(library.QUERY)


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


def document(text: str = WORDS, **options: object) -> dict:
    found: dict[str, object] = {"text": text, "model": "qdrant/bm25"}
    return {**found, "options": options} if options else found


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


# --- refusals ------------------------------------------------------------------------------------------------------

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


# --- limit, offset, pages ------------------------------------------------------------------------------------------


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


# --- payloads and vectors ------------------------------------------------------------------------------------------

PAYLOADS = [
    "absent", None, True, False, [], ["text"], ["title"], ["meta.n"], ["meta.deep.x"], ["meta.deep.x[].y"],
    ["meta.deep.x[1].y"], ["text", "meta.n", "big"], ["text.sub"], ["nope"], {"include": ["text"]},
    {"include": ["title", "meta.deep"]}, {"include": []}, {"exclude": ["text"]}, {"exclude": ["meta.deep.x[].y"]},
    {"exclude": ["meta", "text", "title"]}, {"exclude": []},
]  # fmt: skip
VECTORS = ["absent", False, True, ["second"], ["bm25", "second"], []]


def selectors(payload: object, vector: object, vector_name: str = "with_vector") -> dict:
    found = {} if payload == "absent" else {"with_payload": payload}
    return found if vector == "absent" else {**found, vector_name: vector}


def assert_points_as_the_upstream_gives_them(answer: Answer, own: Answer) -> None:
    theirs = {point["id"]: point for point in own.points}
    assert sorted(answer.ids) == sorted(theirs)
    for point in answer.points:
        expected = theirs[point["id"]]
        assert point.get("payload") == expected.get("payload")
        assert same_vector(point.get("vector"), expected.get("vector"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("payload", PAYLOADS, ids=json.dumps)
def test_every_form_of_with_payload(endpoint, payload, through, direct, collection):
    chosen = selectors(payload, "absent")
    answer = post(through, collection, endpoint, reranked(endpoint, **chosen))
    assert_used(answer, library.WITH_TEXT)
    assert_points_as_the_upstream_gives_them(answer, post(direct, collection, endpoint, body_of(endpoint, **chosen)))


@pytest.mark.parametrize("payload", ["absent", True, ["title"], {"exclude": ["text"]}], ids=json.dumps)
@pytest.mark.parametrize("vector", VECTORS, ids=json.dumps)
@pytest.mark.parametrize("name", ["with_vector", "with_vectors"])
def test_every_form_of_with_vector(payload, vector, name, through, direct, collection):
    chosen = selectors(payload, vector, name)
    answer = post(through, collection, "query", reranked("query", **chosen))
    assert_used(answer, library.WITH_TEXT)
    assert_points_as_the_upstream_gives_them(answer, post(direct, collection, "query", body_of("query", **chosen)))


@pytest.mark.parametrize("payload", [True, ["meta"], {"exclude": ["text"]}], ids=json.dumps)
def test_text_from_another_field(payload, through, direct, collection):
    chosen = {"with_payload": payload}
    answer = post(through, collection, "query", reranked("query", rerank_field="title", **chosen))
    assert_used(answer, library.WITH_TEXT)
    assert_points_as_the_upstream_gives_them(answer, post(direct, collection, "query", body_of("query", **chosen)))


def test_texts_of_several_fields_are_joined(through, collection):
    fields = {"rerank_query": "t7", "use_reranker": True, "rerank_field": ["title", "text"]}
    answer = post(through, collection, "query", body_of("query", with_payload=["title"], **fields))
    assert_used(answer, library.WITH_TEXT)
    assert json.loads(answer.points[0]["payload"]) == {"title": "t7"}
    headers = {"X-Rerank": "1", "X-Rerank-Query": "t7", "X-Rerank-Field": "title,text"}
    again = post(through, collection, "query", body_of("query", with_payload=["title"]), headers=headers)
    assert again.ids == answer.ids


# --- thresholds and weight -----------------------------------------------------------------------------------------


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


# --- fallbacks -----------------------------------------------------------------------------------------------------


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


# --- what else a search may hold -----------------------------------------------------------------------------------


def hybrid() -> dict:
    dense = {"query": library.NORTH, "limit": 3}
    sparse = {"query": document(), "using": "bm25", "limit": 3}
    return {"prefetch": [dense, sparse], "query": {"fusion": "rrf"}, "limit": 5}


def test_prefetches_are_widened_with_the_search(through, direct, collection):
    own = post(direct, collection, "query", {**hybrid(), "limit": 50})
    assert len(own.ids) <= 6
    answer = post(through, collection, "query", {**hybrid(), "use_reranker": True})
    assert_used(answer, library.WITH_TEXT)
    assert len(answer.ids) == 5
    assert_by_relevance(answer.ids, texts_by_id(direct, collection))


def test_filters_and_strings_may_speak_of_reranking(through, direct, collection):
    words = {"filter": {"must_not": [{"key": "title", "match": {"any": ["use_reranker", "rerank_top_k"]}}]}, "limit": 4}
    answer = post(through, collection, "query", body_of("query", **words))
    assert_untouched(answer, post(direct, collection, "query", body_of("query", **words)))
    assert answer.added_headers() == set()
    assert_used(post(through, collection, "query", reranked("query", **words)))


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


def test_gzip_body(through, collection):
    body = gzip.compress(json.dumps(reranked("query")).encode())
    answer = post(through, collection, "query", body, headers={"Content-Encoding": "gzip"})
    assert_used(answer, library.WITH_TEXT)
    assert answer.ids == post(through, collection, "query", reranked("query")).ids


def test_client_that_offers_gzip_can_read_the_answer(through, collection):
    answer = post(through, collection, "query", reranked("query"), headers={"Accept-Encoding": "gzip, deflate"})
    assert_used(answer)
    assert answer.header("content-encoding") in (None, "identity", "gzip")


def test_broken_gzip_body_is_no_search(through, direct, collection):
    body = gzip.compress(json.dumps(reranked("query")).encode())[:-9]
    answer = post(through, collection, "query", body, headers={"Content-Encoding": "gzip"})
    assert answer.status == 400 and answer.added_headers() == set()


@pytest.mark.parametrize("path", ["points/query/", "points//query", "points/%71uery"])
def test_paths_are_matched_as_a_server_matches_them(path, through, collection):
    response = through.post(f"/collections/{collection}/{path}", json=reranked("query"))
    assert_used(Answer(response))


def test_chunked_request_on_a_kept_connection(proxy, qdrant, collection):
    text = json.dumps(reranked("query", limit=2)).encode()
    key = "".join(f"{name}: {value}\r\n" for name, value in qdrant.headers.items()).encode()
    head = b"POST /collections/%s/points/query HTTP/1.1\r\nHost: x\r\n%sTransfer-Encoding: chunked\r\n\r\n" % (collection.encode(), key)
    request = head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:7], text[7:])) + b"0\r\n\r\n"
    with socket.create_connection(proxy.address, timeout=LIMIT_S) as client:
        reader = Reader(client)
        for _ in range(3):
            client.sendall(request)
            answer = reader.message()
            assert answer.status == 200 and b'"reranking_used":true' in answer.body


def test_curl_with_headers_and_with_parameters(proxy, qdrant, collection):
    url = f"{proxy.url}/collections/{collection}/points/query"
    key = [item for name, value in qdrant.headers.items() for item in ("-H", f"{name}: {value}")]
    plain = json.dumps(body_of("query", limit=3))
    by_header = ["-H", "X-Rerank: true", "-H", "X-Rerank-Query: red%20fox", url]
    by_parameter = [f"{url}?use_reranker=true&rerank_query=red+fox"]
    answers = []
    for arguments in (by_header, by_parameter):
        done = subprocess.run(["curl", "-sS", "--fail", *key, "-d", plain, *arguments], capture_output=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert all(answer["reranking_used"] is True for answer in answers)
    assert answers[0]["result"] == answers[1]["result"]


def test_upstream_that_is_gone_is_a_502(collection):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}") as process, process.client() as client:
        answer = post(client, collection, "query", reranked("query"))
        assert answer.status == 502 and answer.error
