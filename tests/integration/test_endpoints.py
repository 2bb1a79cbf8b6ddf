"""Every search endpoint, alone, in a batch and in groups, with the options in every place that they may stand.

The table is tests/integration/endpoints.py; docs/api.md shows it. What the upstream itself answers to the client's
own request is the measure: orders are checked against the texts, payloads and lookups byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.integration import library
from tests.integration.endpoints import CARRIERS, ENDPOINTS, Endpoint, body_of, carried, carries, own_search, table
from tests.integration.searching import Answer, post, without_time
from tests.support import raw_json
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import REPOSITORY, Qrerank

pytestmark = pytest.mark.sanitize

CELLS = [(endpoint, carrier) for endpoint in ENDPOINTS for carrier in CARRIERS if carries(endpoint, carrier)]
BATCHES = [endpoint for endpoint in ENDPOINTS if endpoint.form == "batch"]
GROUPS = [endpoint for endpoint in ENDPOINTS if endpoint.form == "groups"]


@pytest.fixture(scope="module")
def always(qdrant: Qdrant, collection: str) -> Iterator[httpx.Client]:
    with Qrerank(qdrant.url, f"collections:\n  {collection}:\n    rerank: always\n") as process:
        with process.client() as client:
            client.headers.update(qdrant.headers)
            yield client


# --- an answer's results, whatever the endpoint ----------------------------------------------------------------------


def results_of(answer: Answer, endpoint: Endpoint) -> list[str]:
    """The result of each search, as it is written."""
    return raw_json.elements(answer.result) if endpoint.form == "batch" else [answer.result]


def groups_of(result: str, endpoint: Endpoint) -> list[dict[str, str]]:
    """Groups as raw members; a list is one group without more than hits."""
    if endpoint.form == "groups":
        return [raw_json.members(group) for group in raw_json.elements(raw_json.members(result)["groups"])]
    return [{"hits": raw_json.members(result)["points"] if endpoint.kind == "query" else result}]


def hits_of(group: dict[str, str]) -> list[dict[str, str]]:
    return [raw_json.members(hit) for hit in raw_json.elements(group["hits"])]


def points_of(result: str, endpoint: Endpoint) -> list[dict[str, str]]:
    return [hit for group in groups_of(result, endpoint) for hit in hits_of(group)]


def text_of(point: dict[str, str]) -> str:
    return json.loads(point["payload"]).get("text", "")


def assert_reranked(result: str, endpoint: Endpoint) -> None:
    """By relevance within each group, and groups by their best hit."""
    best = []
    for group in groups_of(result, endpoint):
        scored = [hit for hit in hits_of(group) if "rerank_score" in hit]
        counts = [library.words_in_common(text_of(hit)) for hit in scored]
        assert counts == sorted(counts, reverse=True), result
        assert scored == hits_of(group)[: len(scored)]
        best.append(max(counts, default=-1))
    assert best == sorted(best, reverse=True), result
    assert sum("rerank_score" in hit for hit in points_of(result, endpoint)) > 3


def assert_same_points(result: str, own: str, endpoint: Endpoint) -> None:
    """The points, payloads and the rest of each group are the upstream's own, in whatever order."""

    def by_id(text: str) -> dict[str, dict]:
        found = {}
        for group in groups_of(text, endpoint):
            rest = {name: value for name, value in group.items() if name != "hits"}
            hits = {hit["id"]: (hit.get("version"), hit.get("payload"), hit.get("vector_score", hit["score"])) for hit in hits_of(group)}
            found[group.get("id", "")] = (rest, hits)
        return found

    assert by_id(result) == by_id(own)


# --- the table -------------------------------------------------------------------------------------------------------


def test_the_table_stands_in_the_documentation():
    text = (REPOSITORY / "docs/api.md").read_text()
    assert table() in text, "python -m tests.integration.endpoints prints the table for docs/api.md"


@pytest.mark.parametrize(("endpoint", "carrier"), CELLS, ids=str)
def test_every_endpoint_by_every_carrier(endpoint, carrier, through, always, direct, collection):
    options = carried(carrier)
    client = always if carrier == "config" else through
    search = own_search(endpoint, with_payload=True)
    if carrier == "document":
        search.update({"query": {"text": library.QUERY, "model": "qdrant/bm25"}, "using": "bm25"})
    searches = [search] * (2 if endpoint.form == "batch" else 1)
    flagged = [{**one, **options.search} for one in searches]
    answer = post(client, collection, endpoint.path, body_of(endpoint, *flagged, **options.root), headers=options.headers, params=options.parameters)
    own = post(direct, collection, endpoint.path, body_of(endpoint, *searches))
    assert (own.status, answer.status) == (200, 200), answer.text
    assert answer.top["reranking_used"] == "true" and answer.header("x-reranking-used") == "true"
    for result, own_result in zip(results_of(answer, endpoint), results_of(own, endpoint), strict=True):
        assert_reranked(result, endpoint)
        assert_same_points(result, own_result, endpoint)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_without_the_flag_nothing_changes(endpoint, through, direct, collection):
    words = {"must_not": [{"key": "title", "match": {"any": ["use_reranker", 'rerank":true']}}]}
    body = body_of(endpoint, own_search(endpoint, with_payload=True, filter=words, rerank_top_k=1))
    answer = post(through, collection, endpoint.path, body)
    assert without_time(answer) == without_time(post(direct, collection, endpoint.path, body))
    assert answer.added_headers() == set()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_a_wish_without_a_query_text_passes(endpoint, through, direct, collection):
    body = body_of(endpoint, own_search(endpoint))
    answer = post(through, collection, endpoint.path, body, headers={"X-Rerank": "1"})
    assert without_time(answer) == without_time(post(direct, collection, endpoint.path, body))
    assert (answer.header("x-reranking-used"), answer.header("x-reranking-reason")) == ("false", "no_query")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
@pytest.mark.parametrize("vector", ["absent", True, ["second"]], ids=json.dumps)
@pytest.mark.parametrize("payload", ["absent", True, ["title"], ["meta.deep"], {"exclude": ["text"]}], ids=json.dumps)
def test_payloads_and_vectors_are_the_upstreams_own(endpoint, payload, vector, through, direct, collection):
    chosen = {} if payload == "absent" else {"with_payload": payload}
    if vector != "absent":
        chosen["with_vector"] = vector
    search = own_search(endpoint, **chosen)
    own = post(direct, collection, endpoint.path, body_of(endpoint, search))
    answer = post(through, collection, endpoint.path, body_of(endpoint, {**search, **carried("body").search}))
    assert answer.top["reranking_used"] == "true"
    for result, own_result in zip(results_of(answer, endpoint), results_of(own, endpoint), strict=True):
        assert_same_points(result, own_result, endpoint)
        theirs = {hit["id"]: hit.get("vector") for hit in points_of(own_result, endpoint)}
        for hit in points_of(result, endpoint):
            mine, other = hit.get("vector"), theirs[hit["id"]]
            # Named vectors are a hash map in the server: their order is not its word.
            assert mine == other or raw_json.members(mine) == raw_json.members(other)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
@pytest.mark.parametrize("on_error", ["fallback", "error"])
def test_no_candidate_has_text(endpoint, on_error, through, direct, collection):
    chosen = {"limit": 2, "with_payload": ["title"]}
    if endpoint.form == "groups":
        chosen["group_size"] = 2
    search = own_search(endpoint, **chosen)
    options = carried("body", rerank_field="nowhere", rerank_on_error=on_error).search
    own = post(direct, collection, endpoint.path, body_of(endpoint, search))
    answer = post(through, collection, endpoint.path, body_of(endpoint, {**search, **options}))
    assert answer.status == 200, answer.text
    assert answer.result == own.result
    assert (answer.top["reranking_used"], answer.top["reranking_reason"]) == ("false", '"no_text"')


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_no_candidates_at_all(endpoint, through, direct, collection):
    nothing = {"filter": {"must": [{"key": "title", "match": {"value": "nothing like it"}}]}}
    search = own_search(endpoint, **nothing)
    own = post(direct, collection, endpoint.path, body_of(endpoint, search))
    answer = post(through, collection, endpoint.path, body_of(endpoint, {**search, **carried("body").search}))
    assert answer.result == own.result
    assert (answer.top["reranking_used"], answer.top["reranking_reason"]) == ("false", '"no_candidates"')


# --- batches ---------------------------------------------------------------------------------------------------------


def reranking_of(answer: Answer) -> list[dict]:
    return json.loads(answer.top["reranking"])


VARIETY = [
    {},
    {"limit": 2, "offset": 1, "with_payload": ["title"]},
    {"limit": 5, "with_payload": {"exclude": ["text"]}, "rerank_top_k": 10},
    {"limit": 3, "with_vector": True, "with_payload": True},
    {"rerank_weight": 0.25, "with_payload": ["meta.deep"]},
    {"rerank_score_threshold": 0.3, "rerank_query": "winter sports"},
    {"rerank_field": ["title", "text"], "rerank_query": "t7 fox"},
    {"rerank_field": "nowhere", "limit": 4},
    {"use_reranker": False, "with_payload": True},
    {"filter": {"must": [{"key": "title", "match": {"value": "nothing"}}]}},
]


@pytest.mark.parametrize("endpoint", BATCHES, ids=str)
def test_a_batch_gives_what_its_searches_give_one_by_one(endpoint, through, collection):
    searches = [{**own_search(endpoint), **carried("body").search, **fields} for fields in VARIETY]
    batch = post(through, collection, endpoint.path, body_of(endpoint, *searches))
    assert batch.status == 200, batch.text
    singles = [post(through, collection, endpoint.kind, search) for search in searches]
    assert results_of(batch, endpoint) == [single.result for single in singles]
    reports = reranking_of(batch)
    for report, single in zip(reports, singles, strict=True):
        alone = {name: json.loads(value) for name, value in single.top.items() if name.startswith("rerank")}
        for timed in (report, alone):
            timed.pop("reranking_time_ms", None)
        assert report == (alone or {"reranking_used": False})
    assert int(batch.top["reranking_candidates"]) == sum(report.get("reranking_candidates", 0) for report in reports)
    assert "reranking_reason" not in batch.top and batch.header("x-reranking-reason") is None
    assert [report.get("reranking_reason") for report in reports][-3:] == ["no_text", None, "no_candidates"]


def test_each_search_by_its_own_flag(through, direct, collection):
    endpoint = Endpoint("query", "batch")
    plain, flagged = own_search(endpoint), {**own_search(endpoint), **carried("body").search}
    answer = post(through, collection, endpoint.path, body_of(endpoint, plain, flagged, {**plain, "use_reranker": False}))
    own = post(direct, collection, endpoint.path, body_of(endpoint, plain, plain, plain))
    results, own_results = results_of(answer, endpoint), results_of(own, endpoint)
    assert (results[0], results[2]) == (own_results[0], own_results[2])
    assert results[1] != own_results[1]
    assert [report["reranking_used"] for report in reranking_of(answer)] == [False, True, False]
    assert reranking_of(answer)[0] == {"reranking_used": False}


def test_the_root_of_a_batch_speaks_for_its_searches(through, collection):
    endpoint = Endpoint("query", "batch")
    search = own_search(endpoint)
    answer = post(
        through,
        collection,
        endpoint.path,
        body_of(endpoint, search, {**search, "rerank_top_k": 10}, {**search, "use_reranker": False}, **carried("root", rerank_top_k=12).root),
    )
    assert [report.get("reranking_candidates") for report in reranking_of(answer)] == [12, 10, None]


def test_a_wish_in_a_batch_is_judged_search_by_search(through, direct, collection):
    endpoint = Endpoint("query", "batch")
    document = {"query": {"text": library.QUERY, "model": "qdrant/bm25"}, "using": "bm25", "limit": 5, "with_payload": True}
    plain = own_search(endpoint)
    body = body_of(endpoint, plain, document)
    answer = post(through, collection, endpoint.path, body, headers={"X-Rerank": "true"})
    own = post(direct, collection, endpoint.path, body)
    assert results_of(answer, endpoint)[0] == results_of(own, endpoint)[0]
    assert reranking_of(answer)[0] == {"reranking_used": False, "reranking_reason": "no_query"}
    assert reranking_of(answer)[1]["reranking_used"] is True


@pytest.mark.parametrize(
    ("searches", "root", "words"),
    [
        ([{}, {"use_reranker": True}], {}, "searches[1]: use_reranker"),
        ([{}, {"query": {"sample": "random"}}], {"use_reranker": True, "rerank_query": "fox"}, "searches[1]: use_reranker"),
        ([{"rerank_topk": 20}], {"use_reranker": True, "rerank_query": "fox"}, "did you mean rerank_top_k?"),
        ([{}], {"use_reranker": True, "rerank_query": "fox", "rerank_top_k": 5}, "rerank_top_k"),
    ],
)
def test_one_refused_search_refuses_the_batch(searches, root, words, through, collection):
    endpoint = Endpoint("query", "batch")
    answer = post(through, collection, endpoint.path, body_of(endpoint, *({**own_search(endpoint), **one} for one in searches), **root))
    assert answer.status == 400 and words in answer.error
    assert answer.added_headers() == set()


@pytest.mark.parametrize("broken", [{"limit": 0}, {"limit": 2.5}, {"offset": -1}, {"query": [1.0]}], ids=json.dumps)
def test_a_search_that_qdrant_refuses_gets_its_own_error(broken, through, direct, collection):
    endpoint = Endpoint("query", "batch")
    searches = [own_search(endpoint), own_search(endpoint, **broken)]
    own = post(direct, collection, endpoint.path, body_of(endpoint, *searches))
    answer = post(through, collection, endpoint.path, body_of(endpoint, *searches, **carried("root").root))
    assert own.status in (400, 422) and answer.status == own.status
    assert answer.error.split(" at line ")[0] == own.error.split(" at line ")[0]
    assert answer.added_headers() == set()


def test_an_empty_batch(through, direct, collection):
    for body in ({"searches": []}, {"searches": [], "use_reranker": True}):
        answer = post(through, collection, "query/batch", body)
        assert (answer.status, answer.result) == (200, "[]")
    assert (answer.top["reranking_used"], answer.top["reranking"]) == ("false", "[]")


def test_the_same_point_in_several_searches_of_a_batch(through, collection):
    endpoint = Endpoint("search", "batch")
    search = {**own_search(endpoint, limit=3, with_payload=["title"]), **carried("body").search}
    results = results_of(post(through, collection, endpoint.path, body_of(endpoint, *[search] * 5)), endpoint)
    assert len(results) == 5 and len(set(results)) == 1


# --- groups ----------------------------------------------------------------------------------------------------------


def scores_by_id(through: httpx.Client, collection: str) -> dict[str, float]:
    """What the mock gives each point for the query, by a plain search over all of them."""
    answer = post(through, collection, "query", {**own_search(Endpoint("query", "single")), **carried("body").search})
    return {point["id"]: float(point["rerank_score"]) for point in answer.points if "rerank_score" in point}


def expected_groups(widened: str, endpoint: Endpoint, scores: dict[str, float], top_k: int, limit: int, size: int, least: float | None) -> list:
    """The contract's words on groups, over the upstream's own answer to the widened request."""
    groups = [(json.loads(group["id"]), [hit["id"] for hit in hits_of(group)]) for group in groups_of(widened, endpoint)]
    different = list(dict.fromkeys(one for _, hits in groups for one in hits))[:top_k]
    known = {one: scores[one] for one in different if one in scores}
    found = []
    for name, hits in groups:
        if least is not None:
            hits = [one for one in hits if known.get(one, -1) >= least]
        hits = sorted(hits, key=lambda one: -known.get(one, -1))
        if hits:
            found.append((max(known.get(one, -1) for one in hits), name, hits[:size]))
    return [(name, hits) for _, name, hits in sorted(found, key=lambda group: -group[0])][:limit]


@pytest.mark.parametrize("endpoint", GROUPS, ids=str)
@pytest.mark.parametrize("group_by", ["shelf", "tags[]", "title"])
@pytest.mark.parametrize(("limit", "size"), [(1, 1), (2, 3), (10, 1), (3, 16), (10, 16)])
@pytest.mark.parametrize("top_k", [10, 50])
def test_groups_by_the_contracts_words(endpoint, group_by, limit, size, top_k, through, direct, collection):
    scores = scores_by_id(through, collection)
    size_asked = max(size, min(2 * size, top_k))
    limit_asked = max(limit, -(-top_k // size_asked))
    body = own_search(endpoint, group_by=group_by, with_payload=["title"])
    widened = post(direct, collection, endpoint.path, {**body, "limit": limit_asked, "group_size": size_asked})
    assert widened.status == 200, widened.text
    for least in (None, 0.3):
        options = carried("body", rerank_top_k=top_k, **({} if least is None else {"rerank_score_threshold": least})).search
        answer = post(through, collection, endpoint.path, {**body, "limit": limit, "group_size": size, **options})
        assert answer.top["reranking_used"] == "true", answer.text
        shown = [(json.loads(group["id"]), [hit["id"] for hit in hits_of(group)]) for group in groups_of(answer.result, endpoint)]
        assert shown == expected_groups(widened.result, endpoint, scores, top_k, limit, size, least)


def test_a_point_in_two_groups_is_scored_once(through, collection):
    body = {**own_search(Endpoint("query", "groups"), group_by="tags[]"), **carried("body").search}
    answer = post(through, collection, "query/groups", body)
    first, second = groups_of(answer.result, Endpoint("query", "groups"))
    assert int(answer.top["reranking_candidates"]) == library.WITH_TEXT
    assert first["hits"] == second["hits"]


@pytest.fixture(scope="module")
def shelves(qdrant: Qdrant, direct: httpx.Client) -> str:
    """A collection whose points have the numbers of most shelves."""
    shelves = qdrant.collection_name("shelves")
    points = ",".join(f'{{"id":{n},"vector":[1.0,0.0],"payload":{{"place":"row {n}","big":18446744073709551615,"f":1.0}}}}' for n in range(3))
    assert direct.put(f"/collections/{shelves}", json={"vectors": {"size": 2, "distance": "Dot"}}).status_code == 200
    assert direct.put(f"/collections/{shelves}/points?wait=true", content='{"points":[' + points + "]}").status_code == 200
    return shelves


@pytest.mark.parametrize("endpoint", GROUPS, ids=str)
def test_lookups_move_with_their_groups(endpoint, through, direct, collection, shelves):
    for lookup in (shelves, {"collection": shelves, "with_payload": ["place"]}):
        search = own_search(endpoint, with_lookup=lookup, with_payload=True)
        own = post(direct, collection, endpoint.path, search)
        answer = post(through, collection, endpoint.path, {**search, **carried("body").search})
        assert "lookup" in own.result
        assert_same_points(answer.result, own.result, endpoint)
        assert_reranked(answer.result, endpoint)


@pytest.mark.parametrize(
    "broken", [{"group_size": 0}, {"group_size": 1.5}, {"limit": 0}, {"group_size": "absent"}, {"limit": "absent"}], ids=json.dumps
)
@pytest.mark.parametrize("endpoint", GROUPS, ids=str)
def test_groups_that_qdrant_refuses_get_its_own_error(endpoint, broken, through, direct, collection):
    search = {name: value for name, value in own_search(endpoint, **broken).items() if value != "absent"}
    own = post(direct, collection, endpoint.path, search)
    answer = post(through, collection, endpoint.path, {**search, **carried("body").search})
    assert answer.status == own.status
    if own.status == 200:  # the query endpoint has defaults
        assert endpoint.kind == "query" and answer.top["reranking_used"] == "true"
    else:
        assert answer.error.split(" at line ")[0] == own.error.split(" at line ")[0]


def test_defaults_of_query_groups(through, direct, collection):
    body = {"query": library.NORTH, "group_by": "tags[]", **carried("body").search}
    answer = post(through, collection, "query/groups", body)
    assert [len(hits_of(group)) for group in groups_of(answer.result, Endpoint("query", "groups"))] == [3, 3]
