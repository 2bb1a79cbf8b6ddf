"""The `query` of a search, ready for local mode, and the documents in it embedded by BM25."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic import ValidationError as ModelError
from qdrant_client.http import models

from . import bm25
from .errors import FormatError, InferenceUnavailable
from .values import known_members, point_id

_QUERY_WORDS = "Expected some form of vector, id, or a type of query"


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


def are_numbers(value: list) -> bool:
    return all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in value)


def query_of(value: Any) -> Any:
    """The `query` of points/query, ready for local mode."""
    if isinstance(value, list):
        if value and are_numbers(value):
            return [float(item) for item in value]
        if value and all(isinstance(item, list) and item and are_numbers(item) for item in value):
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
            return models.SparseVector(**known_members(value, models.SparseVector))
        for name, (model, inner) in _VARIANTS.items():
            if name in value:
                known = known_members(value, model)
                if inner is not None and isinstance(known.get(name), dict):
                    known[name] = known_members(known[name], inner)
                return model(**known)
    except ModelError:
        pass
    raise FormatError(_QUERY_WORDS)
