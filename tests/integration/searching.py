"""Searches as the tests of reranking send them, and answers taken apart into raw slices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.integration import library
from tests.support import raw_json

ENDPOINTS = ("search", "query")
TOP_K_LEAST = 10
# The query's text, and as a header carries it.
WORDS = library.QUERY
PLUS = quote(WORDS)


@dataclass
class Answer:
    """One response; points are dicts of raw JSON slices."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.content.decode()

    @property
    def top(self) -> dict[str, str]:
        return raw_json.members(self.text)

    @property
    def result(self) -> str:
        return self.top["result"]

    @property
    def points(self) -> list[dict[str, str]]:
        result = self.result
        listed = raw_json.members(result)["points"] if result.startswith("{") else result
        return [raw_json.members(point) for point in raw_json.elements(listed)]

    @property
    def ids(self) -> list[str]:
        return [point["id"] for point in self.points]

    @property
    def error(self) -> str:
        status = json.loads(self.text)["status"]
        assert set(json.loads(self.text)) == {"status", "time"}, "an error has Qdrant's own shape"
        return status["error"]

    def header(self, name: str) -> str | None:
        return self.response.headers.get(name)

    def added_headers(self) -> set[str]:
        return {name for name in self.response.headers if name.startswith("x-rerank") or name == "server-timing"}


def body_of(endpoint: str, **fields: Any) -> dict[str, Any]:
    """A search along NORTH with every point in its limit, and `fields` over that."""
    vector = {"query": library.NORTH} if endpoint == "query" else {"vector": library.NORTH}
    return {**vector, "limit": library.COUNT, **fields}


def reranked(endpoint: str, **fields: Any) -> dict[str, Any]:
    return body_of(endpoint, use_reranker=True, rerank_query=library.QUERY, **fields)


def post(client: httpx.Client, collection: str, endpoint: str, body: Any, **options: Any) -> Answer:
    content = body if isinstance(body, (bytes, str)) else json.dumps(body)
    headers = {"content-type": "application/json", **options.pop("headers", {})}
    return Answer(client.post(f"/collections/{collection}/points/{endpoint}", content=content, headers=headers, **options))


def without_time(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.top.items() if name != "time"}


def same_vector(one: str | None, other: str | None) -> bool:
    """Named vectors are a hash map in the server: their order is not its word."""
    if one is not None and other is not None and one.startswith("{") and other.startswith("{"):
        return raw_json.members(one) == raw_json.members(other)
    return one == other


def document(text: str = WORDS, **options: object) -> dict:
    found: dict[str, object] = {"text": text, "model": "qdrant/bm25"}
    return {**found, "options": options} if options else found


def hybrid() -> dict:
    dense = {"query": library.NORTH, "limit": 3}
    sparse = {"query": document(), "using": "bm25", "limit": 3}
    return {"prefetch": [dense, sparse], "query": {"fusion": "rrf"}, "limit": 5}


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
