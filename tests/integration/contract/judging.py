"""A point's text and its mock score, worked out the slow way: what a payload gives to judge, and what the mock makes of it.

Written from the contract and from the mock's own description, not from the program's code: payloads are read as a DOM.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEFAULT_FIELDS = ("content", "text", "document", "page_content")
# White space that str.isspace does not know as such.
_INVISIBLE = "\u200b\ufeff"


class Number(str):
    """A JSON number as it is spelled."""


def parsed(raw: str) -> Any:
    return json.loads(raw, parse_int=Number, parse_float=Number)


def is_blank(text: str) -> bool:
    # The separators 1C-1F are white space to Python alone.
    return all((c.isspace() and not "\x1c" <= c <= "\x1f") or c in _INVISIBLE for c in text)


def steps_of(path: str) -> list[str | int | None]:
    """Keys, indices, and None for `[]`; the path is known to be sound."""
    steps: list[str | int | None] = []
    at = 0
    while at < len(path):
        if path[at] == ".":
            at += 1
        elif path[at] == "[":
            end = path.index("]", at)
            steps.append(int(path[at + 1 : end]) if end > at + 1 else None)
            at = end + 1
        elif path[at] == '"':
            end = path.index('"', at + 1)
            steps.append(path[at + 1 : end])
            at = end + 1
        else:
            end = min([len(path)] + [found for mark in ".[" if (found := path.find(mark, at)) >= 0])
            steps.append(path[at:end])
            at = end
    return steps


def values_at(value: Any, steps: list[str | int | None]) -> list[Any]:
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        return values_at(value[step], rest) if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if step is None:
        return [found for element in value for found in values_at(element, rest)]
    return values_at(value[step], rest) if step < len(value) else []


def lines_of(payload: Any, path: str) -> list[str]:
    lines: list[str] = []
    for value in values_at(payload, steps_of(path)):
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and not is_blank(one):
                lines.append(one)
    return lines


def text_of(raw_payload: str | None, fields: list[str] | None) -> str:
    """What the model judges; empty: nothing. `raw_payload` is the whole payload as the server prints it."""
    payload = parsed(raw_payload) if raw_payload else {}
    if fields is not None:
        return "\n".join(line for path in fields for line in lines_of(payload, path))
    found = ("\n".join(lines_of(payload, path)) for path in DEFAULT_FIELDS)
    return next((text for text in found if text), "")


def words_of(text: str) -> list[str]:
    """For texts of ASCII and of letters that stand beyond it: all that the generated ones hold."""
    return "".join(c.lower() if c.isalnum() else " " for c in text).split()


def mock_logit(query: str, text: str) -> float:
    wanted = set(words_of(query))
    step = 8.0 / max(len(wanted), 1)
    size = float(len(text.encode()))
    return -4.0 + step * len(wanted & set(words_of(text))) - step / 2 * size / (size + 1000.0)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def z_scores(values: list[float]) -> list[float]:
    if not values or min(values) == max(values):
        return [0.0] * len(values)
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / deviation for value in values]
