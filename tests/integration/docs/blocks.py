"""The fenced blocks of a page of docs/: what to run, what it prints, what goes into the configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
# A block, and right behind it the block of what it prints, if there is one.
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.M | re.S)


@dataclass
class Block:
    page: str
    number: int  # of the page's, from 1
    language: str
    code: str
    printed: str | None

    @property
    def name(self) -> str:
        return f"{self.page} {self.language} {self.number}"


def blocks_of(page: str) -> list[Block]:
    """`page` as README.md or docs/tls.md. An indented YAML block goes on where the one before it ended."""
    found: list[Block] = []
    for match in _BLOCK.finditer((REPOSITORY / page).read_text()):
        code = match["code"]
        if match["language"] == "yaml" and code[0] == " ":
            before = [block for block in found if block.language == "yaml"][-1].code
            code = before + code
        found.append(Block(page, len(found) + 1, match["language"], code, match["printed"]))
    return found


def pages() -> list[str]:
    return ["README.md", *sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))]


def blocks(language: str) -> list[Block]:
    return [block for page in pages() for block in blocks_of(page) if block.language == language]
