"""What one field of a request may hold, and the words in which a server refuses anything else."""

from __future__ import annotations

import uuid
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as ModelError
from qdrant_client.http import models

from . import wire
from .errors import FormatError
from .selectors import EVERYTHING, NONE, Selector, parse_path

_SELECTOR_WORDS = "Expected a boolean, an array of strings, or an object with an include/exclude field"


def pairs_of(value: dict) -> list[tuple[str, Any]]:
    return value.pairs if isinstance(value, wire.Obj) else list(value.items())


def kind_of(value: Any) -> str:
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
        raise FormatError(f"invalid type: {kind_of(value)}, expected usize")
    if value < 0:
        raise FormatError(f"invalid value: integer `{value}`, expected usize")
    return value


def single(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FormatError(f"invalid type: {kind_of(value)}, expected f32")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise FormatError(f"invalid type: {kind_of(value)}, expected a string")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FormatError(f"invalid type: {kind_of(value)}, expected a boolean")
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
        raise FormatError(f"invalid type: {kind_of(value)}, expected struct Filter")
    try:
        return _FILTER.validate_python(value)
    except ModelError as error:
        for problem in error.errors():
            if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
                raise FormatError(
                    f"unknown field `{problem['loc'][0]}`, expected one of `should`, `min_should`, `must`, `must_not`"
                ) from None
        raise FormatError("data did not match any variant of untagged enum Condition") from None


def known_members(value: dict, model: type[BaseModel]) -> dict:
    """The members that a model has; a server ignores the others here."""
    return {key: item for key, item in value.items() if key in model.model_fields and item is not None}


def params_of(value: Any) -> models.SearchParams:
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {kind_of(value)}, expected struct SearchParams")
    try:
        return models.SearchParams(**known_members(value, models.SearchParams))
    except ModelError as error:
        problem = error.errors()[0]
        raise FormatError(f"invalid type: {kind_of(problem['input'])}, expected {problem['loc'][-1]}") from None
