"""@qdrant/js-client-rest, unmodified, driven by tests/integration/js/client.mjs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.integration.clients.comparison import Calls, compare
from tests.integration.clients.flags import assert_reranked

JAVASCRIPT = Path(__file__).parents[1] / "js"
NODE_SECONDS = 60


def run_node(what: str, url: str, collection: str, qdrant) -> Any:
    node = shutil.which("node")
    assert node, "node is missing: the tests of the JavaScript client need it (18 or later)"
    installed = JAVASCRIPT / "node_modules/@qdrant/js-client-rest"
    assert installed.is_dir(), f"{installed} is missing: run `scripts/setup --tests` or `npm ci` in {JAVASCRIPT}"
    command = [node, "client.mjs", what, url, collection, *([qdrant.api_key] if qdrant.api_key else [])]
    done = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=NODE_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ordinary_calls_are_the_same_through_the_proxy(qdrant, proxy):
    name = qdrant.collection_name("javascript")

    def run(url: str, calls: Calls) -> None:
        for method, value in run_node("ordinary", url, name, qdrant):
            calls.note(method, value)

    through, exchanges = compare("@qdrant/js-client-rest", run, qdrant, proxy)
    assert ["failed", 404] in [value for _, value in through.made]
    assert any(exchange.request.first.startswith("POST") and "/points/search " in exchange.request.first for exchange in exchanges)


def test_flags(qdrant, proxy, collection):
    found = run_node("reranked", proxy.url, collection, qdrant)
    ways = ("clientHeaders", "callHeaders", "callHeadersOfApi", "params", "body", "searched", "document")
    for way in ways:
        assert_reranked(found[way], found["plain"])
    assert (found["used"], found["model"]) == (True, "mock")


def test_a_collection_that_is_always_reranked(qdrant, always, collection):
    found = run_node("always", always.url, collection, qdrant)
    assert_reranked(found["always"], run_node("always", qdrant.url, collection, qdrant)["always"])
