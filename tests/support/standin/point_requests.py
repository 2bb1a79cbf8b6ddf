"""Bodies of requests that are about points and not about searches: reading, listing, counting, storing."""

from __future__ import annotations

from typing import Any

from qdrant_client.http import models

from .errors import FormatError
from .fields import VECTORS_ALIAS, Fields, anything
from .queries import embed, inference_object
from .values import boolean, filter_of, kind_of, point_id, selector, text, usize, vector_names

RETRIEVE = Fields(
    {
        "shard_key": anything,
        "ids": lambda value: [point_id(item) for item in value] if isinstance(value, list) else text(value),
        "with_payload": selector,
        "with_vector": vector_names,
    },
    ("ids",),
    VECTORS_ALIAS,
    "PointRequest",
)
SCROLL = Fields(
    {
        "shard_key": anything,
        "offset": point_id,
        "limit": usize,
        "filter": filter_of,
        "with_payload": selector,
        "with_vector": vector_names,
        "order_by": anything,
    },
    aliases=VECTORS_ALIAS,
    struct="ScrollRequest",
)
COUNT = Fields({"shard_key": anything, "filter": filter_of, "exact": boolean}, struct="CountRequest")
FACET = Fields(
    {"shard_key": anything, "key": text, "limit": usize, "filter": filter_of, "exact": boolean},
    ("key",),
    struct="FacetRequest",
)
MATRIX = Fields(
    {"shard_key": anything, "filter": filter_of, "sample": usize, "limit": usize, "using": text},
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
            raise FormatError(f"invalid type: {kind_of(payload)}, expected a map")
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
