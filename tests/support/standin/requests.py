"""Bodies of searches: which fields an endpoint knows, and what local mode is given.

Unknown fields are ignored where a server ignores them (top level, `params`, a query object, a `Document`), a known
field twice, also under its alias, is refused, and so are unknown members of filters and payload selectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

from pydantic import ValidationError as ModelError
from qdrant_client.http import models

from .errors import FormatError, ValidationError
from .fields import VECTORS_ALIAS, Fields, anything, model_of
from .queries import are_numbers, query_of
from .selectors import NONE, Selector
from .values import filter_of, kind_of, known_members, params_of, selector, single, text, usize, vector_names

DEFAULT_LIMIT = 10
DEFAULT_GROUP_SIZE = 3


@dataclass
class Search:
    """Any search, in the terms of `points/query`."""

    query: Any = None
    using: str | None = None
    prefetch: list[models.Prefetch] | None = None
    filter: models.Filter | None = None
    params: models.SearchParams | None = None
    score_threshold: float | None = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    with_payload: Selector = NONE
    with_vector: bool | list[str] = False
    lookup_from: models.LookupLocation | None = None
    group_by: str | None = None
    group_size: int = DEFAULT_GROUP_SIZE
    with_lookup: Any = None


_LEGACY_ALIASES = {"top": "limit", **VECTORS_ALIAS}

_COMMON: dict[str, Callable[[Any], Any]] = {
    "shard_key": anything,
    "filter": filter_of,
    "params": params_of,
    "limit": usize,
    "offset": usize,
    "with_payload": selector,
    "with_vector": vector_names,
}
_GROUPS: dict[str, Callable[[Any], Any]] = {"group_by": text, "group_size": usize, "with_lookup": anything}


def _check_limits(found: dict[str, Any], where: str, names: tuple[str, ...] = ("limit", "group_size")) -> None:
    for name in names:
        if found.get(name) == 0:
            raise ValidationError(
                f"Validation error in JSON body: [{where}{name}: value 0 invalid, must be 1 or larger]"
            )


def prefetches_of(value: Any) -> list[models.Prefetch]:
    found = []
    for item in value if isinstance(value, list) else [value]:
        read = _PREFETCH.read(item)
        _check_limits(read, "internal.prefetch.")
        found.append(models.Prefetch.model_construct(**read))
    return found


_PREFETCH = Fields(
    {
        "prefetch": prefetches_of,
        "query": query_of,
        "using": text,
        "filter": filter_of,
        "params": params_of,
        "score_threshold": single,
        "limit": usize,
        "lookup_from": model_of(models.LookupLocation),
    },
    struct="Prefetch",
)

_QUERY_FIELDS = {**_COMMON, **_PREFETCH.parsers}
QUERY = Fields(_QUERY_FIELDS, aliases=VECTORS_ALIAS, struct="QueryRequest")
QUERY_GROUPS = Fields(
    {**{name: parse for name, parse in _QUERY_FIELDS.items() if name != "offset"}, **_GROUPS},
    required=("group_by",),
    aliases=VECTORS_ALIAS,
    struct="QueryGroupsRequest",
)


def query_request(body: Any) -> Search:
    found = QUERY.read(body)
    _check_limits(found, "internal.")
    found.pop("shard_key", None)
    return Search(**found)


def query_groups_request(body: Any) -> Search:
    found = QUERY_GROUPS.read(body)
    _check_limits(found, "group_request.")
    found.pop("shard_key", None)
    return Search(**found)


# --- the older endpoints ---------------------------------------------------------------------------------------


def named_vector(value: Any) -> tuple[str | None, Any]:
    """The `vector` of points/search: an array, or {name, vector}."""
    if isinstance(value, list) and value and are_numbers(value):
        return None, [float(item) for item in value]
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        inner = value.get("vector")
        if isinstance(inner, list) and inner and are_numbers(inner):
            return value["name"], [float(item) for item in inner]
        if isinstance(inner, dict) and {"indices", "values"} <= inner.keys():
            try:
                return value["name"], models.SparseVector(**known_members(inner, models.SparseVector))
            except ModelError:
                pass
    raise FormatError("data did not match any variant of untagged enum NamedVectorStruct")


_SEARCH_FIELDS = {**_COMMON, "vector": named_vector, "score_threshold": single}
SEARCH = Fields(_SEARCH_FIELDS, ("vector", "limit"), _LEGACY_ALIASES, "SearchRequest")
SEARCH_GROUPS = Fields(
    {**{name: parse for name, parse in _SEARCH_FIELDS.items() if name != "offset"}, **_GROUPS},
    ("vector", "group_by", "group_size", "limit"),
    _LEGACY_ALIASES,
    "SearchGroupsRequest",
)


def _examples(value: Any) -> list:
    if not isinstance(value, list):
        raise FormatError(f"invalid type: {kind_of(value)}, expected a sequence")
    return [query_of(item) for item in value]


def _using(value: Any) -> str:
    return value["name"] if isinstance(value, dict) and "name" in value else text(value)


_RECOMMEND_FIELDS = {
    **_COMMON,
    "positive": _examples,
    "negative": _examples,
    "strategy": text,
    "score_threshold": single,
    "using": _using,
    "lookup_from": model_of(models.LookupLocation),
}
RECOMMEND = Fields(_RECOMMEND_FIELDS, ("limit",), _LEGACY_ALIASES, "RecommendRequest")
RECOMMEND_GROUPS = Fields(
    {**{name: parse for name, parse in _RECOMMEND_FIELDS.items() if name != "offset"}, **_GROUPS},
    ("group_by", "group_size", "limit"),
    _LEGACY_ALIASES,
    "RecommendGroupsRequest",
)
DISCOVER = Fields(
    {
        **_COMMON,
        "target": query_of,
        "context": anything,
        "using": _using,
        "lookup_from": model_of(models.LookupLocation),
    },
    ("limit",),
    _LEGACY_ALIASES,
    "DiscoverRequest",
)


def search_request(body: Any, groups: bool = False) -> Search:
    found = (SEARCH_GROUPS if groups else SEARCH).read(body)
    _check_limits(found, "search_request." if not groups else "search_group_request.")
    found.pop("shard_key", None)
    found["using"], found["query"] = found.pop("vector")
    return Search(**found)


def recommend_request(body: Any, groups: bool = False) -> Search:
    found = (RECOMMEND_GROUPS if groups else RECOMMEND).read(body)
    _check_limits(found, "recommend_request." if not groups else "recommend_group_request.")
    found.pop("shard_key", None)
    wanted = {name: found.pop(name) for name in ("positive", "negative", "strategy") if name in found}
    try:
        found["query"] = models.RecommendQuery(recommend=models.RecommendInput(**wanted))
    except ModelError:
        raise FormatError("unknown variant of RecommendStrategy") from None
    return Search(**found)


def discover_request(body: Any) -> Search:
    found = DISCOVER.read(body)
    _check_limits(found, "discover_request.")
    found.pop("shard_key", None)
    target, context = found.pop("target", None), found.pop("context", [])
    try:
        if target is None:
            found["query"] = models.ContextQuery(context=context)
        else:
            found["query"] = models.DiscoverQuery(discover=models.DiscoverInput(target=target, context=context))
    except ModelError:
        raise FormatError("data did not match any variant of untagged enum RecommendExample") from None
    return Search(**found)
