"""docs/clients.md: every example is run as it stands there, but for the address, and prints what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.clients.test_javascript import JAVASCRIPT
from tests.support.qrerank_process import Qrerank
from tests.support.standin_process import StandIn

PAGE = Path(__file__).resolve().parents[3] / "docs/clients.md"
ADDRESS = "127.0.0.1:7333"
EXAMPLE_SECONDS = 120
# A heading, or a block of code with the block of what it prints.
_PARTS = re.compile(r"^## (?P<heading>[^\n]+)$|^```(?P<language>sh|python|js)\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.M | re.S)
# The program is read from standard input.
_COMMANDS = {"sh": ["bash", "-eu", "-o", "pipefail"], "python": [sys.executable, "-"], "js": ["node", "--input-type=module"]}


@dataclass
class Example:
    name: str
    language: str
    code: str
    printed: str


def examples() -> list[Example]:
    found: list[Example] = []
    heading = ""
    for part in _PARTS.finditer(PAGE.read_text()):
        if part["heading"]:
            heading = part["heading"]
            continue
        number = sum(example.name.startswith(heading) for example in found) + 1
        assert part["printed"], f"{heading}: an example without the block of what it prints"
        found.append(Example(f"{heading} {number}", part["language"], part["code"], part["printed"]))
    return found


FIRST, *REST = examples()


def run(example: Example, proxy: Qrerank) -> str:
    code = example.code.replace(ADDRESS, proxy.proxy)
    done = subprocess.run(
        _COMMANDS[example.language], input=code, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=EXAMPLE_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prepared() -> Iterator[Qrerank]:
    """A Qdrant of the page's own, the proxy in front of it, and the page's first example done."""
    with StandIn() as standin, Qrerank(standin.url, "inference: {models: {mock-embedding: {}}}") as proxy:
        assert run(FIRST, proxy) == FIRST.printed
        yield proxy


def test_every_block_of_code_is_an_example():
    fences = re.findall(r"^```(\w*)$", PAGE.read_text(), re.M)
    assert len([fence for fence in fences if fence not in ("", "text")]) == 1 + len(REST)
    assert {example.language for example in REST} == set(_COMMANDS)


@pytest.mark.parametrize("example", REST, ids=[example.name for example in REST])
def test_example(prepared, example):
    assert ADDRESS in example.code
    assert run(example, prepared) == example.printed
