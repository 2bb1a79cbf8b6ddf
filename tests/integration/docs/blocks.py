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


# What a person would type: its first word says so.
_COMMAND = re.compile(r" *(?:\$ )?(?:(?:curl|docker|cmake|npm|pip|qrerank|systemctl|wget) |(?:\./|sudo |[A-Z_]+=\S* )*(?:scripts|deploy)/)")
_RUNNABLE = ("sh", "python", "js")


def commands_outside(page: str) -> list[str]:
    """The command lines of a page that stand in no block which is run: indented, or fenced as something else."""
    found: list[str] = []
    fence: str | None = None
    for line in (REPOSITORY / page).read_text().splitlines():
        if line.startswith("```"):
            fence = line[3:] if fence is None else None
        elif _COMMAND.match(line) and fence not in _RUNNABLE and (fence is not None or line.startswith("    ")):
            found.append(line.strip())
    return found


def pages() -> list[str]:
    return ["README.md", *sorted(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))]


def blocks(language: str) -> list[Block]:
    return [block for page in pages() for block in blocks_of(page) if block.language == language]
