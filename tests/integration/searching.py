"""Searches as the tests of reranking send them, and answers taken apart into raw slices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.integration import library
from tests.support import raw_json

ENDPOINTS = ("search", "query")


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
