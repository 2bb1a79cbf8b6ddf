"""Qdrant's searches and where their options may stand: one table, for the tests and for docs/api.md.

    python -m tests.integration.endpoints     prints the table as it stands in docs/api.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.integration import library

KINDS = ("search", "query", "recommend", "discover")
FORMS = ("single", "batch", "groups")
CARRIERS = {
    "body": "body field",
    "root": "root of a batch",
    "params": "`params`",
    "document": "`Document.options`",
    "header": "header",
    "parameter": "query parameter",
    "config": "`collections.…`",
}


@dataclass(frozen=True)
class Endpoint:
    kind: str
    form: str

    @property
    def path(self) -> str:
        return self.kind if self.form == "single" else f"{self.kind}/{self.form}"

    def __str__(self) -> str:
        return self.path


# Qdrant has no discover/groups.
ENDPOINTS = [Endpoint(kind, form) for kind in KINDS for form in FORMS if (kind, form) != ("discover", "groups")]


def carries(endpoint: Endpoint, carrier: str) -> bool:
    """Whether the endpoint has such a place at all: a root only a batch, Documents only the query endpoints."""
    if carrier == "root":
        return endpoint.form == "batch"
    return carrier != "document" or endpoint.kind == "query"


def own_search(endpoint: Endpoint, **fields: Any) -> dict[str, Any]:
    """One search of the endpoint over the library, without options; in groups by shelf."""
    inputs: dict[str, Any] = {
        "search": {"vector": library.NORTH},
        "query": {"query": library.NORTH},
        "recommend": {"positive": [1]},
        "discover": {"target": 2, "context": [{"positive": 1, "negative": 20}]},
    }[endpoint.kind]
    counts: dict[str, Any] = {"limit": library.COUNT}
    if endpoint.form == "groups":
        counts = {"group_by": "shelf", "limit": 10, "group_size": library.COUNT}
    return {**inputs, **counts, **fields}


def body_of(endpoint: Endpoint, *searches: dict[str, Any], **root: Any) -> dict[str, Any]:
    """The body that holds the search, or the batch of them."""
    if endpoint.form == "batch":
        return {"searches": list(searches), **root}
    (search,) = searches
    return search


@dataclass
class Carried:
    """Options in one place: what is added to the search, the root, the headers and the query parameters."""

    search: dict[str, Any]
    root: dict[str, Any]
    headers: dict[str, str]
    parameters: dict[str, str]


def carried(carrier: str, query: str = library.QUERY, **options: Any) -> Carried:
    """The flag, the query text and `options` (numbers and texts) where `carrier` says."""
    whole = {"use_reranker": True, "rerank_query": query, **options}
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in whole.items()}
    if carrier == "body":
        return Carried(whole, {}, {}, {})
    if carrier == "root":
        return Carried({}, whole, {}, {})
    if carrier == "params":
        return Carried({"params": {"exact": True, **whole}}, {}, {}, {})
    if carrier == "document":
        document = {"text": query, "model": "qdrant/bm25", "options": {"use_reranker": True, **options}}
        return Carried({"query": document, "using": "bm25"}, {}, {}, {})
    if carrier == "header":
        names = {name: "X-Rerank-" + name.removeprefix("rerank_").replace("_", "-") for name in texts}
        names["use_reranker"] = "X-Rerank"
        return Carried({}, {}, {names[name]: quote(value) for name, value in texts.items()}, {})
    if carrier == "parameter":
        return Carried({}, {}, {}, texts)
    assert carrier == "config", carrier
    # The collection is configured `always`; only the query text has to come from somewhere.
    return Carried({}, {}, {"X-Rerank-Query": quote(query)}, {})


def table() -> str:
    """Endpoint by carrier, in Markdown."""
    lines = ["| `POST /collections/{c}/points/…` | " + " | ".join(CARRIERS.values()) + " |", "|---" * (len(CARRIERS) + 1) + "|"]
    for endpoint in ENDPOINTS:
        cells = ["yes" if carries(endpoint, carrier) else "–" for carrier in CARRIERS]
        lines.append(f"| `{endpoint}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
