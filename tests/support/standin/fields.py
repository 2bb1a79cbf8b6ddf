"""Which fields a body knows: read in its order, aliases resolved, a known one twice refused, unknown ones ignored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from pydantic import BaseModel
from pydantic import ValidationError as ModelError

from .errors import FormatError
from .values import kind_of, known_members, pairs_of

VECTORS_ALIAS = {"with_vectors": "with_vector"}


def model_of(model: type[BaseModel]) -> Callable[[Any], BaseModel]:
    def parse(value: Any) -> BaseModel:
        if not isinstance(value, dict):
            raise FormatError(f"invalid type: {kind_of(value)}, expected struct {model.__name__}")
        try:
            return model(**known_members(value, model))
        except ModelError as error:
            problem = error.errors()[0]
            raise FormatError(f"missing field `{problem['loc'][0]}`") from None

    return parse


def anything(value: Any) -> Any:
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
            raise FormatError(f"invalid type: {kind_of(body)}, expected struct {self.struct}")
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
