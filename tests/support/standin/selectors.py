"""Payload selectors: which parts of a payload a client sees, as a server decides it.

A path item matches only its own kind: `chunks[]` goes into lists, `chunks.text` into objects, an index `[0]`
never matches when a payload is cut (recordings 310 to 316).
"""

from __future__ import annotations

import re
from typing import Any, Callable

_KEY = re.compile(r"[\w-]+", re.UNICODE)
_QUOTED = re.compile(r'"([^"]+)"')
_INDEX = re.compile(r"\[(\d*)\]")

ALL = "[]"
Path = tuple[Any, ...]


def parse_path(text: str) -> Path | None:
    """`a."b.c"[].d[3]` as ("a", "b.c", ALL, "d", 3) with keys as 1-tuples; None when it is no path."""
    items: list[Any] = []
    at = 0
    while True:
        match = _KEY.match(text, at) or _QUOTED.match(text, at)
        if match is None:
            return None
        items.append((match.group(1) if match.re is _QUOTED else match.group(0),))
        at = match.end()
        while match := _INDEX.match(text, at):
            items.append(int(match.group(1)) if match.group(1) else ALL)
            at = match.end()
        if at == len(text):
            return tuple(items)
        if text[at] != ".":
            return None
        at += 1


def _cut(value: Any, path: Path, keep: Callable[[Path], bool]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            inner = path + ((key,),)
            if keep(inner):
                kept[key] = _cut(item, inner, keep)
        return kept
    if isinstance(value, list):
        inner = path + (ALL,)
        return [_cut(item, inner, keep) for item in value] if keep(inner) else []
    return value


def include(payload: dict, paths: list[Path]) -> dict:
    """What lies on the way to a path or below it; scalars on the way stay."""

    def keep(here: Path) -> bool:
        return any(here[: len(path)] == path[: len(here)] for path in paths)

    return _cut(payload, (), keep)


def exclude(payload: dict, paths: list[Path]) -> dict:
    """Everything but what a path names."""

    def keep(here: Path) -> bool:
        return here not in paths

    return _cut(payload, (), keep) if paths else payload


class Selector:
    """A parsed `with_payload`: none, all, or a list of paths to take or to leave out."""

    def __init__(self, mode: str, paths: list[Path] | None = None) -> None:
        self.mode = mode
        self.paths = paths or []

    def project(self, payload: dict) -> dict | None:
        if self.mode == "none":
            return None
        if self.mode == "all":
            return payload
        return include(payload, self.paths) if self.mode == "include" else exclude(payload, self.paths)


NONE = Selector("none")
EVERYTHING = Selector("all")
