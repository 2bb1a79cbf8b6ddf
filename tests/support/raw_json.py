"""JSON cut into its raw slices: what a value looks like on the wire, not what it means."""

from __future__ import annotations

import json

_decoder = json.JSONDecoder()
_SPACE = " \t\r\n"


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _value(text: str, at: int) -> tuple[str, int]:
    at = _skip(text, at)
    _, end = _decoder.raw_decode(text, at)
    return text[at:end], _skip(text, end)


def members(text: str) -> dict[str, str]:
    """The members of an object, each value as it is written; a key twice fails."""
    at = _skip(text, 0)
    assert text[at] == "{", text[:80]
    found: dict[str, str] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _value(text, at)
        assert text[at] == ":", text[at : at + 20]
        value, at = _value(text, at + 1)
        name = json.loads(key)
        assert name not in found, f"{name} is there twice"
        found[name] = value
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def elements(text: str) -> list[str]:
    """The elements of an array as they are written."""
    at = _skip(text, 0)
    assert text[at] == "[", text[:80]
    found = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, at = _value(text, at)
        found.append(value)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found
