"""As much of PromQL as tells which metrics and labels an expression uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FUNCTIONS = {"rate", "increase", "histogram_quantile", "sum", "min", "max", "avg", "label_values"}
# Behind these comes a list of labels in brackets.
GROUPINGS = {"by", "without", "on", "ignoring"}
TOKEN = re.compile(
    r'\s+|(?P<text>"(?:[^"\\]|\\.)*")|(?P<range>\[[^\]]+\])|(?P<word>[a-zA-Z_:][\w:]*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/<>=(){},])'
)


@dataclass
class Used:
    name: str
    labels: list[tuple[str, str, str]] = field(default_factory=list)  # name, operator, value


def uses(expression: str) -> tuple[list[Used], set[str]]:
    """The metrics, and the labels that results are grouped by. ValueError for what is no expression."""
    tokens = []
    at = 0
    while at < len(expression):
        found = TOKEN.match(expression, at)
        if not found:
            raise ValueError(f"{expression[at:at + 20]!r} in {expression}")
        at = found.end()
        if found.lastgroup:
            tokens.append((found.lastgroup, found[0]))
    metrics: list[Used] = []
    grouped: set[str] = set()
    open_brackets: list[str] = []
    place = 0
    while place < len(tokens):
        kind, token = tokens[place]
        place += 1
        after = tokens[place][1] if place < len(tokens) else ""
        if token in GROUPINGS:
            end = tokens.index(("sign", ")"), place)
            grouped |= {word for kind, word in tokens[place:end] if kind == "word"}
            place = end + 1
        elif kind == "word" and token in FUNCTIONS:
            if after not in ("(", *GROUPINGS):
                raise ValueError(f"{token} without brackets in {expression}")
        elif kind == "word":
            metrics.append(Used(token))
        elif token == "{":
            end = tokens.index(("sign", "}"), place)
            matchers = tokens[place:end]
            for i in range(0, len(matchers), 4):
                (label_kind, label), (_, operator), (value_kind, value) = matchers[i : i + 3]
                if (label_kind, value_kind) != ("word", "text") or operator not in ("=", "!=", "=~", "!~"):
                    raise ValueError(f"{matchers} in {expression}")
                metrics[-1].labels.append((label, operator, value[1:-1]))
            place = end + 1
        elif token in "({":
            open_brackets.append(token)
        elif token in ")}":
            if not open_brackets:
                raise ValueError(f"a bracket too many in {expression}")
            open_brackets.pop()
    if open_brackets:
        raise ValueError(f"a bracket is missing in {expression}")
    return metrics, grouped
