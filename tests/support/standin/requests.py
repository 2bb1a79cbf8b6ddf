"""Request bodies: which fields an endpoint knows, what it refuses and in which words, and what local mode is given.

Unknown fields are ignored where a server ignores them (top level, `params`, a query object, a `Document`), a known
field twice, also under its alias, is refused, and so are unknown members of filters and payload selectors.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, Callable

from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as ModelError
from qdrant_client.http import models

from . import bm25, wire
from .errors import FormatError, InferenceUnavailable, ValidationError
from .selectors import EVERYTHING, NONE, Selector, parse_path

DEFAULT_LIMIT = 10
DEFAULT_GROUP_SIZE = 3

_SELECTOR_WORDS = "Expected a boolean, an array of strings, or an object with an include/exclude field"
_QUERY_WORDS = "Expected some form of vector, id, or a type of query"


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


def pairs_of(value: dict) -> list[tuple[str, Any]]:
    return value.pairs if isinstance(value, wire.Obj) else list(value.items())


def _kind(value: Any) -> str:
    """A value in serde's `invalid type` words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{wire.print_double(value)}`"
    if isinstance(value, str):
        return f"string {wire.dump(value)}"
    return "sequence" if isinstance(value, list) else "map"


def usize(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError(f"invalid type: {_kind(value)}, expected usize")
    if value < 0:
        raise FormatError(f"invalid value: integer `{value}`, expected usize")
    return value


def single(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FormatError(f"invalid type: {_kind(value)}, expected f32")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise FormatError(f"invalid type: {_kind(value)}, expected a string")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FormatError(f"invalid type: {_kind(value)}, expected a boolean")
    return value


def point_id(value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= wire.U64_MAX:
        return value
    if isinstance(value, str):
        try:
            return str(uuid.UUID(value))
        except ValueError:
            pass
    shown = value if isinstance(value, str) else wire.dump(value)
    raise FormatError(
        f"value {shown} is not a valid point ID, valid values are either an unsigned integer or a UUID"
    )


def selector(value: Any) -> Selector:
    """with_payload in all its forms."""
    if isinstance(value, bool):
        return EVERYTHING if value else NONE
    mode = "include"
    if isinstance(value, dict):
        pairs = pairs_of(value)
        if len(pairs) != 1 or pairs[0][0] not in ("include", "exclude"):
            raise FormatError(_SELECTOR_WORDS)
        mode, value = pairs[0]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise FormatError(_SELECTOR_WORDS)
    paths = [parse_path(item) for item in value]
    if None in paths:
        raise FormatError(_SELECTOR_WORDS)
    return Selector(mode, paths)


def vector_names(value: Any) -> bool | list[str]:
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise FormatError("data did not match any variant of untagged enum WithVector")


_FILTER = TypeAdapter(models.Filter)


def filter_of(value: Any) -> models.Filter:
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {_kind(value)}, expected struct Filter")
    try:
        return _FILTER.validate_python(value)
    except ModelError as error:
        for problem in error.errors():
            if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
                raise FormatError(
                    f"unknown field `{problem['loc'][0]}`, expected one of `should`, `min_should`, `must`, `must_not`"
                ) from None
        raise FormatError("data did not match any variant of untagged enum Condition") from None


def _known(value: dict, model: type[BaseModel]) -> dict:
    """The members that a model has; a server ignores the others here."""
    return {key: item for key, item in value.items() if key in model.model_fields and item is not None}


def params_of(value: Any) -> models.SearchParams:
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {_kind(value)}, expected struct SearchParams")
    try:
        return models.SearchParams(**_known(value, models.SearchParams))
    except ModelError as error:
        problem = error.errors()[0]
        raise FormatError(f"invalid type: {_kind(problem['input'])}, expected {problem['loc'][-1]}") from None


def inference_object(value: Any) -> bool:
    return isinstance(value, dict) and "model" in value and bool({"text", "image", "object"} & value.keys())


def embed(value: dict, for_query: bool) -> dict:
    """The sparse vector of a `qdrant/bm25` document; there is no inference service for any other model."""
    if not isinstance(value.get("text"), str) or str(value["model"]).lower() not in bm25.MODELS:
        raise InferenceUnavailable()
    if for_query:
        indices, values = bm25.embed_query(value["text"])
    else:
        indices, values = bm25.embed_document(value["text"], value.get("options"))
    return {"indices": indices, "values": [float(item) for item in values]}


def _embedded(value: Any) -> Any:
    """A query with its inference objects replaced by vectors; formulas hold conditions and are left alone."""
    if inference_object(value):
        return embed(value, for_query=True)
    if isinstance(value, dict):
        return {key: item if key == "formula" else _embedded(item) for key, item in value.items()}
    if isinstance(value, list) and value and not isinstance(value[0], (int, float)):
        return [_embedded(item) for item in value]
    return value


_VARIANTS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "nearest": (models.NearestQuery, None),
    "recommend": (models.RecommendQuery, models.RecommendInput),
    "discover": (models.DiscoverQuery, models.DiscoverInput),
    "context": (models.ContextQuery, None),
    "order_by": (models.OrderByQuery, None),
    "fusion": (models.FusionQuery, None),
    "rrf": (models.RrfQuery, None),
    "formula": (models.FormulaQuery, None),
    "sample": (models.SampleQuery, None),
    "relevance_feedback": (models.RelevanceFeedbackQuery, models.RelevanceFeedbackInput),
}


def _numbers(value: list) -> bool:
    return all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in value)


def query_of(value: Any) -> Any:
    """The `query` of points/query, ready for local mode."""
    if isinstance(value, list):
        if value and _numbers(value):
            return [float(item) for item in value]
        if value and all(isinstance(item, list) and item and _numbers(item) for item in value):
            return value
        raise FormatError(_QUERY_WORDS)
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return point_id(value)
        except FormatError:
            raise FormatError(_QUERY_WORDS) from None
    if not isinstance(value, dict):
        raise FormatError(_QUERY_WORDS)
    value = _embedded(value)
    try:
        if "indices" in value and "values" in value:
            return models.SparseVector(**_known(value, models.SparseVector))
        for name, (model, inner) in _VARIANTS.items():
            if name in value:
                known = _known(value, model)
                if inner is not None and isinstance(known.get(name), dict):
                    known[name] = _known(known[name], inner)
                return model(**known)
    except ModelError:
        pass
    raise FormatError(_QUERY_WORDS)


def _model(model: type[BaseModel]) -> Callable[[Any], BaseModel]:
    def parse(value: Any) -> BaseModel:
        if not isinstance(value, dict):
            raise FormatError(f"invalid type: {_kind(value)}, expected struct {model.__name__}")
        try:
            return model(**_known(value, model))
        except ModelError as error:
            problem = error.errors()[0]
            raise FormatError(f"missing field `{problem['loc'][0]}`") from None

    return parse


def _anything(value: Any) -> Any:
    return value


@dataclass
class Fields:
    """The fields one kind of body knows: their parsers, aliases and which must be there."""

    parsers: dict[str, Callable[[Any], Any]]
    required: tuple[str, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    struct: str = "body"

    def read(self, body: Any) -> dict[str, Any]:
        """The known fields, parsed in document order; null counts as absent where a field is optional."""
        if not isinstance(body, dict):
            raise FormatError(f"invalid type: {_kind(body)}, expected struct {self.struct}")
        found: dict[str, Any] = {}
        seen: set[str] = set()
        for key, value in pairs_of(body):
            name = self.aliases.get(key, key)
            parse = self.parsers.get(name)
            if parse is None:
                continue
            if name in seen:
                raise FormatError(f"duplicate field `{name}`")
            seen.add(name)
            if value is None and name not in self.required:
                continue
            found[name] = parse(value)
        for name in self.required:
            if name not in found:
                raise FormatError(f"missing field `{name}`")
        return found


_VECTORS_ALIAS = {"with_vectors": "with_vector"}
_LEGACY_ALIASES = {"top": "limit", **_VECTORS_ALIAS}

_COMMON: dict[str, Callable[[Any], Any]] = {
    "shard_key": _anything,
    "filter": filter_of,
    "params": params_of,
    "limit": usize,
    "offset": usize,
    "with_payload": selector,
    "with_vector": vector_names,
}
_GROUPS: dict[str, Callable[[Any], Any]] = {"group_by": text, "group_size": usize, "with_lookup": _anything}


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
        "lookup_from": _model(models.LookupLocation),
    },
    struct="Prefetch",
)

_QUERY_FIELDS = {**_COMMON, **_PREFETCH.parsers}
QUERY = Fields(_QUERY_FIELDS, aliases=_VECTORS_ALIAS, struct="QueryRequest")
QUERY_GROUPS = Fields(
    {**{name: parse for name, parse in _QUERY_FIELDS.items() if name != "offset"}, **_GROUPS},
    required=("group_by",),
    aliases=_VECTORS_ALIAS,
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
    if isinstance(value, list) and value and _numbers(value):
        return None, [float(item) for item in value]
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        inner = value.get("vector")
        if isinstance(inner, list) and inner and _numbers(inner):
            return value["name"], [float(item) for item in inner]
        if isinstance(inner, dict) and {"indices", "values"} <= inner.keys():
            try:
                return value["name"], models.SparseVector(**_known(inner, models.SparseVector))
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
        raise FormatError(f"invalid type: {_kind(value)}, expected a sequence")
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
    "lookup_from": _model(models.LookupLocation),
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
        "context": _anything,
        "using": _using,
        "lookup_from": _model(models.LookupLocation),
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


# --- points ----------------------------------------------------------------------------------------------------

RETRIEVE = Fields(
    {
        "shard_key": _anything,
        "ids": lambda value: [point_id(item) for item in value] if isinstance(value, list) else text(value),
        "with_payload": selector,
        "with_vector": vector_names,
    },
    ("ids",),
    _VECTORS_ALIAS,
    "PointRequest",
)
SCROLL = Fields(
    {
        "shard_key": _anything,
        "offset": point_id,
        "limit": usize,
        "filter": filter_of,
        "with_payload": selector,
        "with_vector": vector_names,
        "order_by": _anything,
    },
    aliases=_VECTORS_ALIAS,
    struct="ScrollRequest",
)
COUNT = Fields({"shard_key": _anything, "filter": filter_of, "exact": boolean}, struct="CountRequest")
FACET = Fields(
    {"shard_key": _anything, "key": text, "limit": usize, "filter": filter_of, "exact": boolean},
    ("key",),
    struct="FacetRequest",
)
MATRIX = Fields(
    {"shard_key": _anything, "filter": filter_of, "sample": usize, "limit": usize, "using": text},
    struct="SearchMatrixRequest",
)


def stored_vectors(value: Any) -> dict[str, Any]:
    """A point's vectors by name, documents embedded."""
    if value is None:
        return {}
    if isinstance(value, list):
        return {"": value}
    if inference_object(value):
        return {"": stored_vector(value)}
    if not isinstance(value, dict):
        raise FormatError("data did not match any variant of untagged enum PointVectors")
    return {name: stored_vector(item) for name, item in value.items()}


def stored_vector(value: Any) -> Any:
    if inference_object(value):
        value = embed(value, for_query=False)
    if isinstance(value, dict):
        if not {"indices", "values"} <= value.keys():
            raise FormatError("data did not match any variant of untagged enum Vector")
        return models.SparseVector(indices=value["indices"], values=value["values"])
    return value


def points_of(body: Any) -> list[tuple[models.PointStruct, dict, dict]]:
    """The points of an upsert, as a list or as columns, each with its raw payload and vectors by name."""
    if not isinstance(body, dict):
        raise FormatError("data did not match any variant of untagged enum PointInsertOperations")
    if isinstance(body.get("batch"), dict):
        rows = _rows_of(body["batch"])
    elif isinstance(body.get("points"), list):
        rows = body["points"]
    else:
        raise FormatError("data did not match any variant of untagged enum PointInsertOperations")
    found = []
    for row in rows:
        if not isinstance(row, dict) or "id" not in row or "vector" not in row:
            raise FormatError("data did not match any variant of untagged enum PointInsertOperations")
        payload = row.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise FormatError(f"invalid type: {_kind(payload)}, expected a map")
        payload = payload or {}
        vectors = stored_vectors(row["vector"])
        point = models.PointStruct.model_construct(id=point_id(row["id"]), vector=vectors, payload=payload)
        found.append((point, payload, vectors))
    return found


def _rows_of(batch: dict) -> list[dict]:
    ids, vectors = batch.get("ids"), batch.get("vectors")
    payloads = batch.get("payloads") or [None] * len(ids or [])
    if not isinstance(ids, list) or not isinstance(vectors, (list, dict)):
        raise FormatError("data did not match any variant of untagged enum PointInsertOperations")
    if isinstance(vectors, dict):
        columns = [{name: column[at] for name, column in vectors.items()} for at in range(len(ids))]
    else:
        columns = vectors
    return [
        {"id": one, "vector": vector, "payload": payload} for one, vector, payload in zip(ids, columns, payloads)
    ]
