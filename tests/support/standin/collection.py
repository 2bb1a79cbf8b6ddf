"""One collection: qdrant-client's local collection, with what a server does differently put right.

Payloads and vectors are kept here as they came (number types, key order, float32), scores of plain vector and
sparse queries are computed in float32 over whole matrices, ties follow insertion, every point has its version.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from qdrant_client.http import models
from qdrant_client.local.local_collection import LocalCollection

DEFAULT_NAME = ""
# Below this many components a server sums one after the other, without SIMD.
SEQUENTIAL_DIM = 16

SMALLER_IS_BETTER = (models.Distance.EUCLID, models.Distance.MANHATTAN)


def _sum_in_order(terms: np.ndarray) -> np.ndarray:
    """Sums the columns of [points, dim] in float32 as a server does."""
    if terms.shape[1] >= SEQUENTIAL_DIM:
        return terms.sum(axis=1, dtype=np.float32)
    total = np.zeros(terms.shape[0], dtype=np.float32)
    for column in range(terms.shape[1]):
        total += terms[:, column]
    return total


def normalise(vector: np.ndarray) -> np.ndarray:
    """Unit length in float32; a zero vector and one of length 1 stay as they are."""
    length = _sum_in_order((vector * vector)[np.newaxis, :])[0]
    if length < np.finfo(np.float32).eps or abs(length - np.float32(1.0)) <= 1e-6:
        return vector
    return vector / np.sqrt(length)


def distances(query: np.ndarray, vectors: np.ndarray, distance: models.Distance) -> np.ndarray:
    """Scores of all rows of [points, dim], float32."""
    if distance in (models.Distance.COSINE, models.Distance.DOT):
        if len(query) < SEQUENTIAL_DIM:
            return _sum_in_order(vectors * query)
        return vectors @ query
    difference = vectors - query
    if distance == models.Distance.EUCLID:
        return np.sqrt(_sum_in_order(difference * difference))
    return _sum_in_order(np.abs(difference))


class _Postings:
    """Sparse vectors of one name, by dimension."""

    def __init__(self, vectors: list[models.SparseVector], alive: np.ndarray) -> None:
        found: dict[int, tuple[list[int], list[float]]] = {}
        for point in np.flatnonzero(alive):
            vector = vectors[point]
            for index, value in zip(vector.indices, vector.values):
                points, values = found.setdefault(index, ([], []))
                points.append(int(point))
                values.append(value)
        self.count = int(alive.sum())
        self.lists = {
            index: (np.array(points), np.array(values, dtype=np.float32)) for index, (points, values) in found.items()
        }

    def idf(self, index: int) -> np.float32:
        frequency = len(self.lists[index][0]) if index in self.lists else 0
        ratio = np.float32(self.count - frequency + 0.5) / np.float32(frequency + 0.5)
        return np.float32(np.log(ratio + np.float32(1.0)))


class Collection(LocalCollection):
    """Adds to the local collection: versions, payload indexes and the server's arithmetic."""

    def __init__(self, config: models.CreateCollection, body: dict) -> None:
        super().__init__(config)
        self.body = body
        self.operations = 0
        self.indexes: dict[str, str] = {}
        self.raw_payloads: dict[Any, dict] = {}
        self.raw_vectors: dict[Any, dict[str, Any]] = {}
        self.versions: dict[Any, int] = {}
        self._postings: dict[str, _Postings] = {}

    # --- what is stored -------------------------------------------------------------------------------------

    def next_operation(self) -> int:
        self.operations += 1
        return self.operations

    def store(self, points: list[tuple[models.PointStruct, dict, dict]]) -> int:
        """Takes points with their raw payload and vectors by name; returns the operation's id."""
        self.upsert([point for point, _, _ in points])
        operation = self.next_operation()
        for point, payload, vectors in points:
            self.raw_payloads[point.id] = payload
            self.raw_vectors[point.id] = {
                name: self._as_stored(self.ids[point.id], name, vector) for name, vector in vectors.items()
            }
            self.versions[point.id] = operation
        self._postings.clear()
        return operation

    def _as_stored(self, index: int, name: str, vector: Any) -> Any:
        """The vector as it is given back; a dense one is put into the search matrix in the same bits."""
        if isinstance(vector, models.SparseVector):
            order = np.argsort(np.array(vector.indices, dtype=np.int64), kind="stable")
            return {
                "indices": [vector.indices[at] for at in order],
                "values": np.array(vector.values, dtype=np.float32)[order],
            }
        array = np.array(vector, dtype=np.float32)
        if self.get_vector_params(name).distance != models.Distance.COSINE:
            return array
        stored = normalise(array) if array.ndim == 1 else np.array([normalise(row) for row in array])
        if array.ndim == 1:
            self.vectors[name][index] = stored
        return stored

    def remove(self, ids: list[Any]) -> int:
        known = [point for point in ids if self._existing_idx(point) is not None]
        if known:
            self._delete_ids(known)
        for point in known:
            self.raw_payloads.pop(point, None)
            self.raw_vectors.pop(point, None)
        self._postings.clear()
        return self.next_operation()

    def set_raw_payload(self, ids: list[Any], payload: dict, replace: bool) -> int:
        operation = self.next_operation()
        for point in ids:
            index = self._existing_idx(point)
            if index is None:
                continue
            merged = dict(payload) if replace else {**self.raw_payloads[point], **payload}
            self.raw_payloads[point] = merged
            self.payload[index] = merged
            self.versions[point] = operation
        return operation

    def vectors_of(self, point: Any, wanted: bool | list[str]) -> Any:
        """The stored vectors in their REST form; None when none was asked for."""
        if wanted is False:
            return None
        stored = self.raw_vectors[point]
        if wanted is not True:
            stored = {name: stored[name] for name in wanted if name in stored}
        if list(stored) == [DEFAULT_NAME]:
            return stored[DEFAULT_NAME]
        return stored

    # --- what local mode computes otherwise -------------------------------------------------------------------

    def _get_payload(self, idx: int, with_payload: Any = True, return_copy: bool = True) -> Any:
        """Never copied: what leaves is projected and printed, not changed."""
        return self._process_payload(self.payload[idx], with_payload)

    def postings(self, name: str) -> _Postings:
        if name not in self._postings:
            alive = ~(self.deleted.astype(bool) | self.deleted_per_vector[name].astype(bool))
            self._postings[name] = _Postings(self.sparse_vectors[name], alive)
        return self._postings[name]

    def search(self, query_vector: Any, query_filter: Any = None, limit: int = 10, offset: int | None = None,
               with_payload: Any = True, with_vectors: Any = False, score_threshold: float | None = None,
               idf_corpus: Any = None) -> list[models.ScoredPoint]:
        name, vector = self._resolve_query_vector_name(query_vector)
        if isinstance(vector, models.SparseVector) and idf_corpus is None:
            scores, eligible = self._sparse_scores(vector, name)
            smaller = False
        elif isinstance(vector, np.ndarray) and vector.ndim == 1 and name in self.vectors:
            distance = self.get_vector_params(name).distance
            vector = vector.astype(np.float32)
            if distance == models.Distance.COSINE:
                vector = normalise(vector)
            scores = distances(vector, self.vectors[name][: len(self.payload)], distance)
            eligible = None
            smaller = distance in SMALLER_IS_BETTER
        else:
            # Local mode normalises its matrices in place here; what is stored must not drift.
            kept = {key: value.copy() for key, value in self.vectors.items()}
            try:
                return super().search(query_vector, query_filter, limit, offset, with_payload, with_vectors,
                                      score_threshold, idf_corpus)
            finally:
                self.vectors.update(kept)
        mask = self._payload_and_non_deleted_mask(query_filter, vector_name=name)
        if eligible is not None:
            mask = mask & eligible
        found = self._best(scores, mask, smaller, limit, offset or 0, score_threshold)
        return [
            models.ScoredPoint.model_construct(
                id=self.ids_inv[at], version=0, score=float(scores[at]), payload=self._get_payload(at, with_payload)
            )
            for at in found
        ]

    def _sparse_scores(self, vector: models.SparseVector, name: str) -> tuple[np.ndarray, np.ndarray]:
        postings = self.postings(name)
        scores = np.zeros(len(self.payload), dtype=np.float32)
        touched = np.zeros(len(self.payload), dtype=bool)
        with_idf = self.config.sparse_vectors[name].modifier == models.Modifier.IDF
        for index, value in sorted(zip(vector.indices, vector.values)):
            if index not in postings.lists:
                continue
            points, values = postings.lists[index]
            weight = np.float32(value)
            if with_idf:
                weight = weight * postings.idf(index)
            scores[points] += values * weight
            touched[points] = True
        return scores, touched

    @staticmethod
    def _best(scores: np.ndarray, mask: np.ndarray, smaller: bool, limit: int, offset: int,
              threshold: float | None) -> np.ndarray:
        """Internal ids of the best points, equal scores in the order of insertion."""
        candidates = np.flatnonzero(mask)
        keys = scores[candidates] if smaller else -scores[candidates]
        order = candidates[np.argsort(keys, kind="stable")]
        if threshold is not None:
            # A server compares in float32 and keeps equal scores.
            border = np.float32(threshold)
            order = order[scores[order] <= border] if smaller else order[scores[order] >= border]
        return order[offset : offset + limit]
