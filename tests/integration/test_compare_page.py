"""The compare page in a real browser: Debian's Chromium, driven by tests/integration/js/page.mjs through playwright-core."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration import library
from tests.integration.test_models import MINILM, weight_bytes
from tests.integration.test_text_in import SIZE, vector_of
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import FakeUpstream, Reader, ok
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
    assert seen["model"] == "mock" and "judged by mock" in seen["summary"] and "(it only counts common words)" in seen["summary"]
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


NOTHING = "there is nothing to search by"
NO_POINTS = "This collection has no points yet"


def test_collections_that_cannot_be_searched_as_they_are():
    """Vectors of none, of a sparse kind alone, under names alone, and of another length than the only embedding model makes."""
    texts = list(enumerate(library.TEXTS, 1))
    vectors = {
        "bare": ({}, [{} for _ in texts]),
        "pointless": ({"vectors": {"size": SIZE, "distance": "Cosine"}}, []),
        "sparse": ({"sparse_vectors": {"bm25": {"modifier": "idf"}}}, [{"bm25": {"text": text, "model": "qdrant/bm25"}} for _, text in texts]),
        "fits": ({"vectors": {"a": {"size": 3, "distance": "Dot"}, "b": {"size": SIZE, "distance": "Cosine"}}},
                 [{"a": [at, 1, 1], "b": vector_of(text)} for at, text in texts]),
        "short": ({"vectors": {"title": {"size": 3, "distance": "Cosine"}, "body": {"size": 4, "distance": "Cosine"}}},
                  [{"title": [at, 1, 1], "body": [at, 1, 1, 1]} for at, _ in texts]),
    }  # fmt: skip
    with StandIn() as standin, Qdrant(standin.url, "a stand-in").client() as client:
        for name, (made, its) in vectors.items():
            assert client.put(f"/collections/{name}", json=made).status_code == 200
            points = [{"id": at, "vector": vector, "payload": {"text": text}} for (at, text), vector in zip(texts, its)]
            if points:
                assert client.put(f"/collections/{name}/points?wait=true", json={"points": points}).status_code == 200
        with Qrerank(standin.url, "inference: {models: {mock-embedding: {}}}") as proxy:
            seen = browse("unsearchable", proxy, "sparse", *vectors)
    found = seen["found"]
    assert NOTHING in found["bare"]["said"] and NOTHING in found["bare"]["note"] and found["bare"]["searches"] == 0
    assert NO_POINTS in found["pointless"]["said"] and found["pointless"]["searches"] == 0
    state = {name: (one["way"], one["vector"], one["embedding"], one["offered"], one["searches"]) for name, one in found.items()}
    assert state["sparse"] == ("text", "bm25", "qdrant/bm25", ["qdrant/bm25"], 1)
    assert state["fits"] == ("text", "b", "mock-embedding", ["mock-embedding"], 1)
    assert state["short"] == ("point", "title", "", [], 1)
    assert all("judged by mock" in found[name]["said"] for name in ("sparse", "fits", "short"))
    assert seen["nothing"].endswith("none of its words is in the texts, or the sparse vector “bm25” was not made by qdrant/bm25.")
    assert seen["typed"].startswith("mock-embedding makes vectors of 64 numbers, those of “title” have 3.")


def test_what_is_told_where_qdrant_wants_a_key():
    with StandIn(api_key=KEY) as standin:
        name = library.fill(Qdrant(standin.url, "a stand-in with a key", api_key=KEY), "library")
        with Qrerank(standin.url) as proxy:
            seen = browse("refused", proxy, name, KEY)
    assert "Qdrant answers 401" in seen["none"] and "Type the API key under Connection" in seen["none"]
    assert seen["again"] == seen["none"]  # a search tries once more, and says nothing else
    assert seen["focused"] == "key"
    assert "Qdrant answers 401" in seen["wrong"] and "the right one?" in seen["wrong"]
    assert "judged by mock" in seen["right"]
    for one in (seen["searched"], seen["byOne"]):
        assert one.startswith("The search is answered with 401") and "the right one?" in one
    assert seen["wider"] == 0


def forbidding(url: str, what: str):
    """In front of a Qdrant, as a token that does not allow `what`."""
    lacks = b'{"status":{"error":"Forbidden: Access to collection library is required"},"time":0.0}'

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        while True:
            asked = reader.message()
            method, path, _version = asked.first.split(" ")
            kind = "sample" if b'"sample"' in asked.body else "search" if method == "POST" else "list" if path == "/collections" else "describe"
            if kind == what:
                sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(lacks), lacks))
            else:
                sock.sendall(ok(httpx.request(method, url + path, content=asked.body).content))

    return serve


@pytest.mark.parametrize("what", ["list", "describe", "search", "sample"])
def test_what_is_told_where_a_key_allows_less(what: str):
    with StandIn() as standin:
        name = library.fill(Qdrant(standin.url, "a stand-in"), "library")
        with FakeUpstream(forbidding(standin.url, what)) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy:
            none, some = browse("forbidden", proxy, name), browse("forbidden", proxy, name, KEY)
    if what == "sample":  # the page does without
        assert all("judged by mock" in seen["asked"] and seen["way"] == "text" for seen in (none, some))
        return
    title = "The search is answered with 403" if what == "search" else "Qdrant answers 403"
    for seen, hint in ((none, "Type an API key under Connection"), (some, "does not allow this")):
        assert seen["asked"].startswith(title) and "Access to collection library" in seen["asked"] and hint in seen["asked"]
        assert what == "search" or seen["began"] == seen["asked"]


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
