"""The commands of the pages, run as they stand, but for addresses (and what `qrerank bench` measures): each ends well and prints what stands below it.

Every page with commands is in PAGES; docs/clients.md has its own test (tests/integration/clients/test_page.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.docs.blocks import Block, blocks, blocks_of, commands_outside, pages
from tests.integration.test_models import MINILM, TINY
from tests.support.fake_hub import Hub
from tests.support.qrerank_process import Qrerank, program
from tests.support.standin_process import StandIn

HUB_NAME = "cross-encoder/ms-marco-MiniLM-L12-v2"
START, *REST = blocks_of("docs/quick-start.md")
assert START.language == "sh" and HUB_NAME in START.code
CONFIG = next(block for block in REST if block.language == "yaml").code
PAGES = ["README.md", "docs/admin.md", "docs/compare.md", "docs/models.md", "docs/operations.md", "docs/quick-start.md", "docs/tuning.md"]
INTERPRETERS = {"sh": ["bash", "-eu", "-o", "pipefail"], "python": [sys.executable, "-"]}
COMMANDS = [block for page in PAGES for block in blocks_of(page) if block.language in INTERPRETERS and block.code != START.code]
SECONDS = 240

TEXTS = {
    "library": [
        (1, [0.9, 0.1], "fox, fox and fox"),
        (2, [0.1, 0.9], "a railway in winter"),
        (3, [0.8, 0.2], "a red fox in the winter forest"),
    ],
    "packages": [
        (1, [0.9, 0.1], "gthumb: a viewer for photos, with a line of thumbnails, photos and photos"),
        (2, [0.1, 0.9], "jpegoptim: make image files smaller, a tool for the command line"),
        (3, [0.8, 0.2], "ncdu: show what takes room on a disk"),
    ],
}


class Newcomer:
    """A folder, a model pulled from a hub, the configuration of the quick start, and what runs of it."""

    def __init__(self, folder: Path, hub: Hub):
        self.folder = folder
        binaries = folder / "bin"
        binaries.mkdir()
        (binaries / "qrerank").symlink_to(program())
        clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self.environment = {**clean, "HOME": str(folder), "HF_ENDPOINT": hub.hub.url, "PATH": f"{binaries}:{os.environ['PATH']}"}
        self.addresses: dict[str, str] = {}
        (folder / "my-documents.txt").write_text("".join(f"text number {n} about a fox\n" for n in range(200)))

    def run(self, block: Block) -> str:
        code = block.code
        for page, real in self.addresses.items():
            code = code.replace(page, real)
        # What is measured is a machine's matter; here a tiny model will do.
        tiny = {"QRERANK_MODELS__MINILM__PATH": str(TINY)} if "qrerank bench" in code else {}
        code = code.replace("qrerank bench", "qrerank bench --seconds 0.2")
        done = subprocess.run(INTERPRETERS[block.language], input=code, cwd=self.folder, env=self.environment | tiny,
                              capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout


def fill(standin: StandIn) -> None:
    with httpx.Client(base_url=standin.url) as qdrant:
        for collection in ("library", "packages"):
            layout = {"vectors": {"size": 2, "distance": "Cosine"}, "sparse_vectors": {"bm25": {"modifier": "idf"}}}
            qdrant.put(f"/collections/{collection}", json=layout).raise_for_status()
            points = [
                {"id": number, "vector": {"": vector, "bm25": {"text": text, "model": "qdrant/bm25"}}, "payload": {"text": text}}
                for number, vector, text in TEXTS[collection]
            ]
            qdrant.put(f"/collections/{collection}/points?wait=true", json={"points": points}).raise_for_status()


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """After the first two steps of the quick start: the model is there, and the program runs with its configuration."""
    files = {file.name: file.read_bytes() for file in MINILM.iterdir() if file.suffix in (".json", ".safetensors")}
    files.pop("qrerank.json", None)
    weights = {name: body for name, body in files.items() if name.endswith(".safetensors")}
    hub = Hub(HUB_NAME, {name: body for name, body in files.items() if name not in weights}, weights)
    try:
        someone = Newcomer(tmp_path_factory.mktemp("newcomer"), hub)
        (someone.folder / "config.yaml").write_text(CONFIG)
        assert "ms-marco-MiniLM-L12-v2" in someone.run(START)
        with StandIn() as standin:
            fill(standin)
            settings = {"rerank.default_model": "minilm", "scoring.load_timeout": "10m", "rerank.timeout_ms": 60000}
            with Qrerank(standin.url, CONFIG, settings, environment=someone.environment) as proxy:
                someone.addresses = {"127.0.0.1:7333": proxy.proxy, "127.0.0.1:7334": proxy.admin, "127.0.0.1:6333": standin.url[7:]}
                yield someone
    finally:
        hub.stop()


# Commands that no block runs, and why.
BUILDS = "installs or builds qrerank itself, which these tests do not: CI runs scripts/test, the demo's parts have tests of their own"
SAME = "the quick start says the same, where it is run"
FOREVER = "runs until it is ended: the fixtures here start it"
HUB = "a model of more than a gigabyte from the real hub; the quick start's pull is run against one here"
MEASURES = "minutes of measuring with weights that are not in this repository"
ELSEWHERE = "names files of the reader; tests/integration/test_eval.py runs these options on judged queries of its own"
NOT_RUN = {
    "README.md": {"scripts/demo": BUILDS, "scripts/test": BUILDS, "qrerank pull cross-encoder": SAME, "qrerank serve": FOREVER},
    "docs/benchmarks.md": {"cmake --preset release": MEASURES, "scripts/golden_qwen3.py --bench": MEASURES},
    "docs/eval.md": {"qrerank eval --collection docs": ELSEWHERE},
    "docs/models.md": {"qrerank pull BAAI/bge-reranker-v2-m3": HUB},
    "docs/performance.md": {"scripts/golden_qwen3.py --bench": MEASURES},
    "docs/quick-start.md": {"scripts/setup": BUILDS, "cmake --build": BUILDS, "qrerank serve": FOREVER},
}


@pytest.mark.parametrize("page", pages())
def test_no_command_stands_outside_a_block_that_is_run(page: str):
    listed = NOT_RUN.get(page, {})
    outside = commands_outside(page)
    assert [line for line in outside if not line.startswith(tuple(listed))] == [], "write it into a ```sh block, or into NOT_RUN with the reason"
    assert [start for start in listed if not any(line.startswith(start) for line in outside)] == [], "no longer there"


def test_every_command_is_run():
    with_commands = {block.page for language in (*INTERPRETERS, "js") for block in blocks(language)}
    assert with_commands == {*PAGES, "docs/clients.md"}


@pytest.mark.parametrize("block", COMMANDS, ids=[block.name for block in COMMANDS])
def test_commands(newcomer: Newcomer, block: Block):
    printed = newcomer.run(block)
    if block.printed is not None:
        assert printed == block.printed
