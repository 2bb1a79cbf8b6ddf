"""The compare page in a real browser: Debian's Chromium, driven by tests/integration/js/page.mjs through playwright-core."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import library
from tests.integration.test_models import MINILM, weight_bytes
from tests.integration.test_text_in import SIZE, vector_of
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.standin_process import StandIn

JAVASCRIPT = Path(__file__).parent / "js"
BROWSER_SECONDS = 180
TOKEN, KEY = "a-token-of-the-admin-listener", "the-key-of-qdrant"
MARKUP = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"


def browse(what: str, proxy: Qrerank, collection: str, *more: str) -> Any:
    """What page.mjs saw. The page must not have complained, nor asked anybody but its own listener."""
    for needed, how in ((shutil.which("node"), "node 20 or later"), (shutil.which("chromium"), "apt's chromium"),
                        ((JAVASCRIPT / "node_modules/playwright-core").is_dir(), "playwright-core")):  # fmt: skip
        assert needed, f"{how} is missing: run scripts/setup --tests"
    command = ["node", "page.mjs", what, f"http://{proxy.admin}/", collection, *more]
    done = subprocess.run(command, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=BROWSER_SECONDS)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["complaints"] == []
    assert seen["hosts"] == [proxy.admin]
    return seen


@pytest.fixture(scope="module")
def keyless(proxy: Qrerank, qdrant: Qdrant) -> Qrerank:
    if qdrant.api_key:
        pytest.skip("the named Qdrant wants a key; test_keys types one")
    return proxy


# Of a search by point 1 along the dense vector, which finds all but itself.
VECTOR_ORDER = [f"t{at}" for at in range(1, len(library.TEXTS))]


def assert_by_words(titles: list[str]) -> None:
    counts = [library.words_in_common(library.TEXTS[int(title[1:])]) for title in titles]
    assert counts == sorted(counts, reverse=True) and titles != VECTOR_ORDER[:10], titles


def test_search_sliders_and_flag(keyless: Qrerank, collection: str):
    seen = browse("search", keyless, collection)
    assert seen["byText"]["search"] == {"query": {"text": library.QUERY, "model": "qdrant/bm25"}, "using": "bm25"}
    vector = VECTOR_ORDER[:10]
    assert seen["vector"] == vector
    assert_by_words(seen["reranked"])
    assert seen["model"] == "mock" and "judged by mock" in seen["summary"]
    assert seen["lines"] >= 10
    assert [stage.split()[0] for stage in seen["stages"]] == ["upstream", "tokenize", "queue", "compute"]
    assert (seen["weight"], seen["topK"]) == (0, 10)
    assert seen["atZero"] == vector
    assert seen["back"] == seen["reranked"]
    assert seen["fewSummary"].startswith("10 candidates")
    assert seen["off"] == {"right": False, "left": vector}


def test_details_snippets_and_keyboard(keyless: Qrerank, collection: str, tmp_path: Path):
    seen = browse("details", keyless, collection)
    assert seen["copied"] == seen["snippets"]["js"]
    assert "18446744073709551615" in seen["dialog"] or "model score" in seen["dialog"]
    assert seen["closed"] and seen["hot"] == 1
    assert seen["focused"] == "question"
    assert len(seen["described"]) == 12 and all(seen["described"]) and seen["hint"]
    printed = json.loads(run(["bash", "-eu", "-c", seen["snippets"]["curl"]]))
    assert printed["reranking_used"] is True
    assert [point["payload"]["title"] for point in printed["result"]["points"]] == seen["titles"]
    for command, snippet in ((["node", "--input-type=module", "-"], seen["snippets"]["js"]), ([sys.executable, "-"], seen["snippets"]["python"])):
        lines = run(command, snippet).splitlines()
        found = [line for line in lines if "title" in line]
        assert len(found) == len(seen["titles"])
        assert all(f"'{title}'" in line for title, line in zip(seen["titles"], found))


def run(command: list[str], program: str = "") -> str:
    done = subprocess.run(command, input=program, cwd=JAVASCRIPT, capture_output=True, text=True, timeout=BROWSER_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_loaded_and_judges(qdrant: Qdrant, collection: str):
    config = json.dumps({"models": {"minilm": {"path": str(MINILM), "dtype": "float32", "device": "cpu"}}})
    with Qrerank(qdrant.url, config, {"rerank.timeout_ms": 60_000}) as proxy:
        seen = browse("load", proxy, collection)
    assert seen["before"] == seen["after"] == "unloaded"
    assert seen["loaded"] == f"ready · {round(weight_bytes(MINILM) / 2**20)} MiB · float32 · cpu"
    assert (seen["model"], seen["used"]) == ("minilm", True)


def test_mistakes_are_named(qdrant: Qdrant, keyless: Qrerank, collection: str):
    first = library.fill(qdrant, "a_first_one")  # by name before the other
    seen = browse("mistakes", keyless, max(first, collection))
    assert seen == {**seen, "unasked": 0, "collection": max(first, collection)}


def test_tooltips_lie_over_the_results(keyless: Qrerank, collection: str):
    assert browse("tooltip", keyless, collection)["over"]


def test_the_collection_chosen_last_is_searched(qdrant: Qdrant, keyless: Qrerank, collection: str):
    other = library.fill(qdrant, "another_one")
    assert browse("hasty", keyless, other, collection)["asked"] == collection


def test_a_model_that_loads_shows_how_far_it_is(qdrant: Qdrant, collection: str):
    config = json.dumps({"models": {"minilm": {"path": str(MINILM), "dtype": "float32", "device": "cpu"}}})
    with Qrerank(qdrant.url, config) as proxy:
        seen = browse("progress", proxy, collection)
    assert seen["state"].endswith(" s · 312 of 1,180 MiB")
    assert seen["share"] == pytest.approx(312 / 1180)
    assert seen["wide"] > 0.8


def test_the_collections_own_embedding_model_is_chosen(qdrant: Qdrant):
    """The collection calls it by the name that it has on the hub, the configuration by another."""
    name = qdrant.collection_name("by_its_model")
    with qdrant.client() as client:
        client.delete(f"/collections/{name}")
        made = {"vectors": {"words": {"size": SIZE, "distance": "Cosine"}}, "sparse_vectors": {"bm25": {"modifier": "idf"}},
                "metadata": {"embedding_model": "acme/words-v2"}}
        assert client.put(f"/collections/{name}", json=made).status_code == 200
        points = [{"id": at, "vector": {"words": vector_of(text)}, "payload": {"title": f"t{at}", "text": text}}
                  for at, text in enumerate(library.TEXTS)]
        assert client.put(f"/collections/{name}/points?wait=true", json={"points": points}).status_code == 200
    config = "inference: {models: {mock-embedding: {names: [acme/words-v2]}}}"
    with Qrerank(qdrant.url, config) as proxy:
        seen = browse("choice", proxy, name)
    assert seen["chosen"] == ["words", "text", "mock-embedding"] and seen["offered"] == ["mock-embedding"]
    assert seen["query"]["model"] == "mock-embedding" and seen["used"]
    assert len(seen["left"]) == 10


@pytest.fixture
def locked() -> Iterator[tuple[Qrerank, str]]:
    with StandIn(api_key=KEY) as standin:
        name = library.fill(Qdrant(standin.url, "a stand-in with a key", api_key=KEY), "library")
        with Qrerank(standin.url, settings={"admin.token": TOKEN}) as proxy:
            yield proxy, name


def test_keys(locked: tuple[Qrerank, str]):
    proxy, name = locked
    seen = browse("keys", proxy, name, TOKEN, KEY)
    assert "Must provide an API key" in seen["without"]
    assert seen["sent"] == [f"Bearer {TOKEN}", KEY] and seen["used"]
    assert '"api-key: $QDRANT_API_KEY"' in seen["snippet"]
    assert KEY not in seen["kept"] + seen["snippet"] and TOKEN not in seen["kept"]
    assert KEY not in proxy.stderr and TOKEN not in proxy.stderr


def test_payloads_are_never_markup(qdrant: Qdrant, keyless: Qrerank):
    name = qdrant.collection_name("hostile")
    with qdrant.client() as client:
        client.delete(f"/collections/{name}")
        client.put(f"/collections/{name}", json={"sparse_vectors": {"bm25": {"modifier": "idf"}}})
        payload = {"title": MARKUP, "text": f"fox {MARKUP}"}
        points = [{"id": 1, "vector": {"bm25": {"text": "a red fox", "model": "qdrant/bm25"}}, "payload": payload}]
        assert client.put(f"/collections/{name}/points?wait=true", json={"points": points}).status_code == 200
    seen = browse("hostile", keyless, name)
    assert seen["title"] == MARKUP and MARKUP in seen["body"]
    assert (seen["ran"], seen["images"]) == (False, 0)


def test_phone_and_themes(keyless: Qrerank, collection: str):
    seen = browse("phone", keyless, collection)
    assert seen["dark"][0] == "dark" and seen["light"][0] == "light" and seen["dark"][1] != seen["light"][1]
    assert seen["again"] == seen["light"]
    assert seen["wider"] == 0
    badges = browse("badges", keyless, collection)
    assert (badges["left"], badges["right"], badges["wider"]) == (False, True, 0)
    assert_by_words(badges["titles"])
    moves = [VECTOR_ORDER.index(title) - at for at, title in enumerate(badges["titles"])]
    assert badges["moves"] == [f"↑{move}" if move > 0 else f"↓{-move}" if move < 0 else "=" for move in moves]


def test_nothing_there_and_nothing_reachable():
    with StandIn() as standin, Qrerank(standin.url) as proxy:
        assert browse("problem", proxy, "")["empty"].startswith("This Qdrant has no collections yet.")
    with Qrerank(standin.url) as proxy:
        seen = browse("problem", proxy, "")
        assert "cannot connect" in seen["problem"]
