"""What each endpoint answers: state, checks against a collection, and results in their REST shape. No HTTP here."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import ValidationError as ModelError
from qdrant_client.http import models
from qdrant_client.local.payload_value_extractor import value_by_key
from qdrant_client.local.qdrant_local import QdrantLocal

from . import point_requests, requests, values, wire
from .collection import Collection
from .errors import ApiError, FormatError, NotFound, ValidationError, WrongInput
from .selectors import EVERYTHING, Selector

RANGE_INDEXES = ("integer", "float", "datetime")


class Service:
    """All collections of one stand-in."""

    def __init__(self) -> None:
        self.local = QdrantLocal(":memory:")

    def collection(self, name: str) -> Collection:
        found = self.local.collections.get(self.local.aliases.get(name, name))
        if found is None:
            raise NotFound(f"Collection `{name}` doesn't exist!")
        return found

    # --- collections -------------------------------------------------------------------------------------------

    def collections(self) -> dict:
        return {"collections": [{"name": name} for name in self.local.collections]}

    def create(self, name: str, body: Any) -> bool:
        if name in self.local.collections:
            raise ApiError(f"Wrong input: Collection `{name}` already exists!", 409)
        if not isinstance(body, dict):
            raise FormatError("invalid type, expected struct CreateCollection")
        known = {key: value for key, value in body.items() if key in models.CreateCollection.model_fields}
        known["vectors"] = known.get("vectors") or {}
        try:
            config = models.CreateCollection(**known)
        except ModelError as error:
            raise FormatError(str(error.errors()[0]["msg"])) from None
        self.local.collections[name] = Collection(config, body)
        return True

    def delete(self, name: str) -> bool:
        return self.local.collections.pop(name, None) is not None

    def describe(self, name: str) -> dict:
        collection = self.collection(name)
        body = collection.body
        count = collection.count().count
        # A server counts what an index covers; with small collections that is the sparse vectors alone.
        indexed = sum(
            sum(name in vectors for vectors in collection.raw_vectors.values()) for name in collection.sparse_vectors
        )
        params = {
            "vectors": _without_nulls(body.get("vectors") or {}),
            "shard_number": body.get("shard_number") or 1,
            "replication_factor": body.get("replication_factor") or 1,
            "write_consistency_factor": body.get("write_consistency_factor") or 1,
            "on_disk_payload": True if body.get("on_disk_payload") is None else body["on_disk_payload"],
        }
        if body.get("sparse_vectors"):
            params["sparse_vectors"] = _without_nulls(body["sparse_vectors"])
        config = {
            "params": params,
            "hnsw_config": {
                "m": 16,
                "ef_construct": 100,
                "full_scan_threshold": 10000,
                "max_indexing_threads": 0,
                "on_disk": False,
                **_without_nulls(body.get("hnsw_config") or {}),
            },
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "max_segment_size": None,
                "memmap_threshold": None,
                "indexing_threshold": 10000,
                "flush_interval_sec": 5,
                "max_optimization_threads": None,
                "prevent_unoptimized": None,
                **_without_nulls(body.get("optimizers_config") or {}),
            },
            "wal_config": {
                "wal_capacity_mb": 32,
                "wal_segments_ahead": 0,
                "wal_retain_closed": 1,
                **_without_nulls(body.get("wal_config") or {}),
            },
            "quantization_config": body.get("quantization_config"),
        }
        if body.get("metadata"):
            config["metadata"] = body["metadata"]
        schema = {
            field: {"data_type": kind, "points": _points_with(collection, field)}
            for field, kind in collection.indexes.items()
        }
        return {
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": indexed,
            "points_count": count,
            "segments_count": 2,
            "config": config,
            "payload_schema": schema,
            "update_queue": {"length": 0},
        }

    def create_index(self, name: str, body: Any, status: str) -> dict:
        collection = self.collection(name)
        if not isinstance(body, dict) or not isinstance(body.get("field_name"), str):
            raise FormatError("missing field `field_name`")
        schema = body.get("field_schema") or body.get("field_type")
        kind = schema.get("type") if isinstance(schema, dict) else schema
        if not isinstance(kind, str):
            raise WrongInput("Can't auto-detect field type, please specify `field_schema` in the request")
        collection.indexes[body["field_name"]] = kind
        # A server spends two operations on an index.
        collection.next_operation()
        return {"operation_id": collection.next_operation(), "status": status}

    def delete_index(self, name: str, field: str, status: str) -> dict:
        collection = self.collection(name)
        collection.indexes.pop(field, None)
        return {"operation_id": collection.next_operation(), "status": status}

    # --- points ------------------------------------------------------------------------------------------------

    def upsert(self, name: str, body: Any, status: str) -> dict:
        collection = self.collection(name)
        points = point_requests.points_of(body)
        if not points:
            raise ApiError("Validation error in JSON body: [points: Empty update request]", 422)
        for _, _, vectors in points:
            for vector_name, vector in vectors.items():
                _check_vector(collection, vector_name, vector)
        return {"operation_id": collection.store(points), "status": status}

    def delete_points(self, name: str, body: Any, status: str) -> dict:
        collection = self.collection(name)
        return {"operation_id": collection.remove(self._selected(collection, body)), "status": status}

    def _selected(self, collection: Collection, body: Any) -> list:
        if isinstance(body, dict) and isinstance(body.get("points"), list):
            return [values.point_id(one) for one in body["points"]]
        if isinstance(body, dict) and isinstance(body.get("filter"), dict):
            mask = collection._payload_and_non_deleted_mask(values.filter_of(body["filter"]))
            return [collection.ids_inv[at] for at in np.flatnonzero(mask)]
        raise FormatError("data did not match any variant of untagged enum PointsSelector")

    def set_payload(self, name: str, body: Any, status: str, replace: bool) -> dict:
        collection = self.collection(name)
        if not isinstance(body, dict) or not isinstance(body.get("payload"), dict):
            raise FormatError("missing field `payload`")
        ids = self._selected(collection, body)
        return {"operation_id": collection.set_raw_payload(ids, body["payload"], replace), "status": status}

    def retrieve(self, name: str, body: Any) -> list:
        found = point_requests.RETRIEVE.read(body)
        collection = self.collection(name)
        with_payload = found.get("with_payload", EVERYTHING)
        with_vector = found.get("with_vector", False)
        return [
            _record(collection, one, with_payload, with_vector)
            for one in dict.fromkeys(found["ids"])
            if collection._existing_idx(one) is not None
        ]

    def point(self, name: str, spelled: str) -> dict:
        try:
            wanted = values.point_id(int(spelled) if spelled.isascii() and spelled.isdigit() else spelled)
        except FormatError:
            raise WrongInput(f'Can not recognize "{spelled}" as point id') from None
        collection = self.collection(name)
        if collection._existing_idx(wanted) is None:
            raise NotFound(f"Point with id {wanted} does not exists!")
        return _record(collection, wanted, EVERYTHING, True)

    def scroll(self, name: str, body: Any) -> dict:
        found = point_requests.SCROLL.read(body)
        if found.get("limit") == 0:
            raise ValidationError("Validation error in JSON body: [scroll_request.limit: value 0 invalid, must be 1 or larger]")
        collection = self.collection(name)
        order_by = _order_by(collection, found.get("order_by"))
        records, following = collection.scroll(
            scroll_filter=found.get("filter"),
            limit=min(found.get("limit", requests.DEFAULT_LIMIT), len(collection.payload) + 1),
            order_by=order_by,
            offset=found.get("offset"),
            with_payload=False,
        )
        with_payload = found.get("with_payload", EVERYTHING)
        points = []
        for record in records:
            point = _record(collection, record.id, with_payload, found.get("with_vector", False))
            if order_by is not None:
                point["order_value"] = record.order_value
            points.append(point)
        return {"points": points, "next_page_offset": following}

    def count(self, name: str, body: Any) -> dict:
        found = point_requests.COUNT.read(body)
        return {"count": self.collection(name).count(found.get("filter")).count}

    def facet(self, name: str, body: Any) -> dict:
        found = point_requests.FACET.read(body)
        collection = self.collection(name)
        if found["key"] not in collection.indexes:
            raise WrongInput(
                f"Index required but not found for \"{found['key']}\" of one of the following types: [keyword]."
                " Help: Create an index for this key or use a different filter."
            )
        hits = collection.facet(found["key"], found.get("filter"), found.get("limit", requests.DEFAULT_LIMIT)).hits
        return {"hits": [{"value": hit.value, "count": int(hit.count)} for hit in hits]}

    def matrix(self, name: str, body: Any, pairs: bool) -> dict:
        found = point_requests.MATRIX.read(body)
        collection = self.collection(name)
        arguments = (found.get("filter"), found.get("limit", 3), found.get("sample", 10), found.get("using"))
        if pairs:
            answer = collection.search_matrix_pairs(*arguments)
            return {"pairs": [{"a": one.a, "b": one.b, "score": wire.Single(one.score)} for one in answer.pairs]}
        answer = collection.search_matrix_offsets(*arguments)
        return {
            "offsets_row": [int(at) for at in answer.offsets_row],
            "offsets_col": [int(at) for at in answer.offsets_col],
            "scores": [wire.Single(score) for score in answer.scores],
            "ids": answer.ids,
        }

    # --- searches ----------------------------------------------------------------------------------------------

    def search(self, name: str, search: requests.Search) -> list:
        """The scored points of one search in their REST form."""
        collection = self.collection(name)
        self._check(collection, search.query, search.using, search.prefetch, search.lookup_from)
        everything = len(collection.payload) + 1
        answer = self._run(
            self.local.query_points,
            **_arguments(name, search, everything),
            offset=min(search.offset, everything),
        )
        return [_scored(collection, point, search) for point in answer.points]

    def groups(self, name: str, search: requests.Search) -> dict:
        collection = self.collection(name)
        self._check(collection, search.query, search.using, search.prefetch, search.lookup_from)
        everything = max(len(collection.payload), 1)
        answer = self._run(
            self.local.query_points_groups,
            **_arguments(name, search, everything),
            group_by=search.group_by,
            group_size=min(search.group_size, everything),
        )
        groups = []
        for group in answer.groups:
            shown = {"hits": [_scored(collection, point, search) for point in group.hits], "id": group.id}
            if search.with_lookup is not None:
                shown.update(self._lookup(group.id, search.with_lookup))
            groups.append(shown)
        return {"groups": groups}

    def _lookup(self, one: Any, wanted: Any) -> dict:
        if isinstance(wanted, str):
            wanted = {"collection": wanted}
        collection = self.collection(wanted["collection"])
        if collection._existing_idx(one) is None:
            return {}
        with_payload = EVERYTHING if wanted.get("with_payload") is None else values.selector(wanted["with_payload"])
        with_vector = wanted.get("with_vectors", wanted.get("with_vector")) or False
        return {"lookup": _record(collection, one, with_payload, with_vector)}

    def _run(self, method: Any, **arguments: Any) -> Any:
        """Calls local mode and turns its complaints into a server's."""
        with np.errstate(all="ignore"):
            try:
                return method(**arguments)
            except ValueError as error:
                message = str(error)
                if message.startswith("Point ") and message.endswith("is not found in the collection"):
                    raise NotFound(f"No point with id {message.split()[1]} found") from None
                raise WrongInput(message.removeprefix("Wrong input: ")) from None

    def _check(self, collection: Collection, query: Any, using: str | None, prefetch: Any, lookup: Any) -> None:
        """Names and dimensions, level by level, before anything runs."""
        for inner in prefetch or []:
            self._check(collection, inner.query, inner.using, inner.prefetch, inner.lookup_from)
        if isinstance(query, models.OrderByQuery):
            _order_by(collection, query.order_by)
        vectors = list(_vectors_in(query))
        by_id = _mentions_ids(query)
        if vectors or by_id:
            name = using or ""
            if name not in collection._all_vectors_keys:
                raise WrongInput(f"Not existing vector name error: {name}")
            for vector in vectors:
                _check_vector(collection, name, vector)


def _arguments(name: str, search: requests.Search, everything: int) -> dict:
    """What local mode's two methods of searching have in common."""
    return {
        "collection_name": name,
        "query": search.query,
        "using": search.using,
        "prefetch": search.prefetch,
        "query_filter": search.filter,
        "search_params": search.params,
        "limit": min(search.limit, everything),
        "with_payload": False,
        "score_threshold": search.score_threshold,
        "lookup_from": search.lookup_from,
    }


def _points_with(collection: Collection, field: str) -> int:
    return sum(value_by_key(payload, field) not in (None, []) for payload in collection.raw_payloads.values())


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _check_vector(collection: Collection, name: str, vector: Any) -> None:
    if name not in collection._all_vectors_keys:
        raise WrongInput(f"Not existing vector name error: {name}")
    if isinstance(vector, models.SparseVector):
        return
    if name in collection.sparse_vectors:
        raise WrongInput(f"Conversion between sparse and regular vectors failed")
    size = collection.get_vector_params(name).size
    for row in vector if vector and isinstance(vector[0], list) else [vector]:
        if len(row) != size:
            raise WrongInput(f"Vector dimension error: expected dim: {size}, got {len(row)}")


def _inputs(query: Any) -> list:
    """The vector inputs of a query of any kind."""
    if isinstance(query, models.NearestQuery):
        return [query.nearest]
    if isinstance(query, models.RecommendQuery):
        return [*(query.recommend.positive or []), *(query.recommend.negative or [])]
    if isinstance(query, (models.DiscoverQuery, models.ContextQuery)):
        pairs = query.context if isinstance(query, models.ContextQuery) else query.discover.context
        pairs = pairs if isinstance(pairs, list) else [pairs]
        inputs = [one for pair in pairs if pair is not None for one in (pair.positive, pair.negative)]
        return inputs if isinstance(query, models.ContextQuery) else [query.discover.target, *inputs]
    if isinstance(query, models.RelevanceFeedbackQuery):
        feedback = query.relevance_feedback
        return [feedback.target, *(item.example for item in feedback.feedback)]
    if isinstance(query, (list, int, str, models.SparseVector)):
        return [query]
    return []


def _vectors_in(query: Any) -> list:
    return [one for one in _inputs(query) if isinstance(one, (list, models.SparseVector))]


def _mentions_ids(query: Any) -> bool:
    return any(not isinstance(one, (list, models.SparseVector)) for one in _inputs(query))


def _order_by(collection: Collection, order: Any) -> models.OrderBy | None:
    if order is None:
        return None
    if isinstance(order, dict):
        try:
            order = models.OrderBy(**order)
        except ModelError:
            raise FormatError("data did not match any variant of untagged enum OrderByInterface") from None
    key = order if isinstance(order, str) else order.key
    if collection.indexes.get(key) not in RANGE_INDEXES:
        raise WrongInput(
            f"No range index for `order_by` key: `{key}`. Please create one to use `order_by`. Check"
            " https://qdrant.tech/documentation/concepts/indexing/#payload-index"
            " to see which payload schemas support Range conditions"
        )
    return models.OrderBy(key=order) if isinstance(order, str) else order


def _with_parts(shown: dict, collection: Collection, one: Any, with_payload: Selector, with_vector: Any) -> dict:
    payload = with_payload.project(collection.raw_payloads[one])
    if payload is not None:
        shown["payload"] = payload
    vectors = collection.vectors_of(one, with_vector)
    if vectors is not None:
        shown["vector"] = vectors
    return shown


def _record(collection: Collection, one: Any, with_payload: Selector, with_vector: Any) -> dict:
    return _with_parts({"id": one}, collection, one, with_payload, with_vector)


def _scored(collection: Collection, point: models.ScoredPoint, search: requests.Search) -> dict:
    # Searches without a score (scroll, sample, order_by) have version 0 in the server's answers.
    unscored = search.query is None or isinstance(search.query, (models.SampleQuery, models.OrderByQuery))
    shown = {
        "id": point.id,
        "version": 0 if unscored else collection.versions[point.id],
        "score": wire.Single(1.0 if unscored else point.score),
    }
    _with_parts(shown, collection, point.id, search.with_payload, search.with_vector)
    if isinstance(search.query, models.OrderByQuery):
        key = _order_by(collection, search.query.order_by).key
        values = value_by_key(collection.raw_payloads[point.id], key) or [None]
        shown["order_value"] = values[0]
    return shown
