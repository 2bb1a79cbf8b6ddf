"""Every form of payload and vector selector: the points are as the upstream itself gives them."""

from __future__ import annotations

import json

import pytest

from tests.integration import library
from tests.integration.searching import ENDPOINTS, Answer, assert_used, body_of, post, reranked, same_vector

pytestmark = pytest.mark.sanitize

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
