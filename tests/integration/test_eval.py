"""`qrerank eval` through the real proxy, held against the same reckoning in Python; and what it says when things go wrong."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.integration import library
from tests.integration.searching import body_of, post, reranked
from tests.integration.test_models import MINILM, metric
from tests.support.canned_server import CannedServer
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank, program

sanitize = pytest.mark.sanitize
BEST = "9007199254740993"
# The query's own words make these the best of the mock's order; the judgements are graded, and one is not in the collection.
QRELS = {
    "1": {BEST: 3, "10": 2, "11": 1, "1": 0, "nowhere": 1},
    "2": {"1": 1, "2": 1},
    "3": {"20": 0},
    "4": {"7": 2},
}
QUERIES = {"1": library.QUERY, "2": "baking bread", "3": "nobody judged this", "4": "winter"}
KEY = "key-of-the-test"


def environment(**more: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name != "QDRANT_API_KEY"}
    return {**own, **more}


def evaluate(url: str, *arguments: object, **environment_too: str) -> subprocess.CompletedProcess[str]:
    command = [str(program()), "eval", "--url", url, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment(**environment_too), check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps({"_id": one, "text": text}) for one, text in QUERIES.items()]
    (tmp_path / "queries.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "qrels").mkdir()
    rows = ["query-id\tcorpus-id\tscore"] + [f"{q}\t{d}\t{s}" for q, judged in QRELS.items() for d, s in judged.items()]
    (tmp_path / "qrels/test.tsv").write_text("\n".join(rows) + "\n")
    np.save(tmp_path / "vectors.npy", np.tile(np.array(library.NORTH, np.float32), (len(QUERIES), 1)))
    return tmp_path


def own(qdrant: Qdrant) -> dict[str, str]:
    return {"QDRANT_API_KEY": qdrant.api_key} if qdrant.api_key else {}


def ndcg(ids: list[str], judged: dict[str, int]) -> float:
    def discounted(gains: list[int]) -> float:
        return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))

    return discounted([judged.get(one, 0) for one in ids]) / discounted(sorted(judged.values(), reverse=True))


def judged_queries() -> list[str]:
    return [one for one in QUERIES if any(value > 0 for value in QRELS[one].values())]


def mean_ndcg(client: httpx.Client, collection: str, **fields: object) -> float:
    values = []
    for one in judged_queries():
        body = reranked("query", **fields) if fields else body_of("query")
        if fields:
            body["rerank_query"] = QUERIES[one]
        ids = [str(json.loads(point)) for point in post(client, collection, "query", body).ids]
        values.append(ndcg(ids, QRELS[one]))
    return sum(values) / len(values)


@sanitize
def test_numbers_are_those_of_the_same_searches(
    qdrant: Qdrant, proxy: Qrerank, collection: str, through: httpx.Client, folder: Path
):
    report, page = folder / "report.json", folder / "report.html"
    done = evaluate(proxy.url, "--collection", collection, "--queries", folder, "--vectors", folder / "vectors.npy",
                    "--top-k", "10,12", "--weight", "1,0.5,0", "--json", report, "--html", page, **own(qdrant))
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert told["judged"] and told["queries"] == 3 and told["queries_left_out"] == 1
    assert [(one["model"], one["top_k"], one["weight"]) for one in told["settings"]] == [
        ("mock", top_k, weight) for top_k in (10, 12) for weight in (0, 0.5, 1)]
    plain = mean_ndcg(through, collection)
    assert told["vector"]["quality"]["ndcg@10"]["mean"] == pytest.approx(plain, abs=1e-12)
    for one in told["settings"]:
        expected = mean_ndcg(through, collection, rerank_top_k=one["top_k"], rerank_weight=one["weight"])
        assert one["quality"]["ndcg@10"]["mean"] == pytest.approx(expected, abs=1e-12)
        assert one["gain_ndcg@10"]["mean"] == pytest.approx(expected - plain, abs=1e-12)
        interval = one["quality"]["ndcg@10"]
        assert interval["low"] <= interval["mean"] <= interval["high"]
        assert one["candidates_per_query"] == one["top_k"]  # as many have a text
        if one["weight"] == 0:
            assert one["kendall_tau"] == 1 and one["overlap@10"]["mean"] == 1 and one["p"] == 1
    assert {entry["top_k"] for entry in told["latencies"]} == {10, 12}
    assert all(entry["whole"]["p50_ms"] <= entry["whole"]["p95_ms"] for entry in told["latencies"])
    # The table says what the file says.
    line = next(line for line in done.stdout.splitlines() if line.startswith("vector "))
    assert f"{plain:.4f}" in line
    assert told["recommendation"]["headline"] in done.stdout
    assert library.QUERY in page.read_text() and "<svg" in page.read_text()
    assert done.stderr.count("\r") == 0, "progress is rewritten only on a terminal"
    assert "mock" in done.stderr or "reranked order" in done.stderr


def test_the_page_can_be_read_on_a_screen_and_on_a_phone(qdrant: Qdrant, proxy: Qrerank, folder: Path):
    name = library.fill(qdrant, "a_collection_whose_name_is_longer_than_a_phone_is_wide")
    page = folder / "report.html"
    done = evaluate(proxy.url, "--collection", name, "--queries", folder, "--vectors", folder / "vectors.npy",
                    "--top-k", "10,12", "--weight", "1,0.5,0.25,0", "--html", page, **own(qdrant))
    assert done.returncode == 0, done.stderr
    browser = ["node", "page.mjs", "report", page.as_uri(), ""]
    looked = subprocess.run(browser, cwd=Path(__file__).parent / "js", capture_output=True, text=True, timeout=180, check=False)
    assert looked.returncode == 0, looked.stderr
    seen = json.loads(looked.stdout)
    for screen in ("desktop", "phone"):
        assert seen[screen]["complaints"] == [] and seen[screen]["wider"] == seen[screen]["overlapping"] == 0, seen
        assert seen[screen]["smallest"] > 10, seen
    assert seen["desktop"]["cut"] == 0, seen


@sanitize
def test_equal_seeds_equal_reports(qdrant: Qdrant, proxy: Qrerank, collection: str, folder: Path):
    def run(seed: int) -> str:
        arguments = ["--collection", collection, "--queries", folder, "--vectors", folder / "vectors.npy", "--top-k", "10",
                     "--latency-queries", "0", "--seed", seed]
        done = evaluate(proxy.url, *arguments, **own(qdrant))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(3) == run(3)
    assert run(3) != run(4)


@sanitize
def test_without_judgements_it_tells_what_changes(qdrant: Qdrant, proxy: Qrerank, collection: str, folder: Path):
    (folder / "qrels/test.tsv").unlink()
    (folder / "qrels").rmdir()
    report = folder / "report.json"
    done = evaluate(proxy.url, "--collection", collection, "--queries", folder, "--document-model", "qdrant/bm25", "--using",
                    "bm25", "--model", "mock", "--top-k", "13", "--weight", "1", "--json", report, **own(qdrant))
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    assert not told["judged"] and told["queries"] == 4
    assert told["recommendation"]["verdict"] == "unjudged"
    # Nothing but a text without any of its words answers query 3.
    assert told["settings"][0]["queries_not_reranked"] == 1
    assert "no judgements, so whether it is better cannot be told" in done.stdout
    assert "nDCG" not in done.stdout


@sanitize
def test_ids_out_of_the_payload_and_more_like_this(qdrant: Qdrant, proxy: Qrerank, collection: str, folder: Path):
    (folder / "queries.jsonl").write_text(
        '{"_id":"a","text":"the forest in winter","point":7}\n{"_id":"b","text":"red fox","vector":[1,0]}\n')
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\na\tt9\t1\nb\tt4\t1\n")
    report = folder / "report.json"
    done = evaluate(proxy.url, "--collection", collection, "--queries", folder, "--id-field", "title", "--top-k", "16",
                    "--weight", "1", "--json", report, **own(qdrant))
    # Points without a title answer as well: that is told, with the way out.
    assert done.returncode == 1
    assert "a point has no text or whole number at title of its payload (--id-field)" in done.stderr
    done = evaluate(proxy.url, "--collection", collection, "--queries", folder, "--id-field", "title", "--top-k", "10",
                    "--weight", "1", "--json", report, **own(qdrant))
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    # By hand: point 7 is t6, "the forest in winter", and no neighbour of its own; of t7 and t9, which hold all its words, t9 is
    # the shorter. "red fox" has its best in "a red fox" (t4).
    assert [one["ndcg@10"][0] for one in told["by_query"]] == [pytest.approx(1), pytest.approx(1)]


@sanitize
def test_what_the_proxy_refuses_is_told(qdrant: Qdrant, proxy: Qrerank, collection: str, folder: Path):
    def problem(*arguments: object) -> str:
        done = evaluate(proxy.url, "--queries", folder, "--vectors", folder / "vectors.npy", *arguments, **own(qdrant))
        assert done.returncode == 1, done
        assert done.stdout == ""
        return done.stderr

    assert "404: Not found: Collection `nope" in problem("--collection", "nope")
    assert "400: " in problem("--collection", collection, "--model", "nomodel")
    assert "nomodel" in problem("--collection", collection, "--model", "nomodel")
    assert "rerank_top_k" in problem("--collection", collection, "--top-k", "100000")


@sanitize
def test_bad_arguments_start_nothing(folder: Path):
    def problem(*arguments: object) -> str:
        done = evaluate("http://127.0.0.1:9", *arguments)
        assert done.returncode == 2, done
        return done.stderr

    good = ["--collection", "c", "--queries", folder, "--vectors", folder / "vectors.npy"]
    assert "--collection is required" in problem("--queries", folder)
    assert "nothing to search with" in problem("--collection", "c", "--queries", folder)
    assert "queries.jsonl: No such file" in problem("--collection", "c", "--queries", folder / "none")
    assert "--weight" in problem(*good, "--weight", "2")
    assert "--top-k" in problem(*good, "--top-k", "0")
    assert "--api-key-file" in problem(*good, "--api-key-file", folder / "none")
    (folder / "key").write_text("two words\n")
    told = problem(*good, "--api-key-file", folder / "key")
    assert "characters that a key cannot have" in told and "two words" not in told
    for text, why in (("", "is empty"), ("\n", "is empty"), ("k" * 5000, "longer than 4KiB"), ("ours\ntheirs\n", "characters that a key cannot have")):
        (folder / "key").write_text(text)
        told = problem(*good, "--api-key-file", folder / "key")
        assert why in told and "kkkk" not in told and "ours" not in told


@sanitize
def test_nobody_there(folder: Path):
    done = evaluate("http://127.0.0.1:9", "--collection", "c", "--queries", folder, "--vectors", folder / "vectors.npy")
    assert done.returncode == 1
    assert "http://127.0.0.1:9: " in done.stderr


ANSWER = {"result": {"points": [{"id": 1, "score": 1.0}]}, "status": "ok", "time": 0.1}
RERANKED = {**ANSWER, "reranking_used": True, "reranker_model": "m", "reranking_time_ms": 1.0, "reranking_candidates": 1}
FELL_BACK = {**ANSWER, "reranking_used": False, "reranking_reason": "model_unavailable"}
ERROR = {"status": {"error": "Service is busy"}, "time": 0.1}


def answer_by_flag(request: dict) -> tuple[int, dict]:
    return 200, RERANKED if request["use_reranker"] else ANSWER


def one_run(server: CannedServer, folder: Path, *arguments: object, **environment_too: str):
    return evaluate(server.url, "--collection", "a/b c", "--queries", folder, "--vectors", folder / "vectors.npy", "--top-k",
                    "10", "--weight", "1", "--latency-queries", "0", *arguments, **environment_too)


@sanitize
def test_the_key_goes_to_the_proxy_and_nowhere_else(folder: Path):
    (folder / "key").write_text(KEY + "\n")
    (folder / "key").chmod(0o600)
    with CannedServer(answer_by_flag) as server:
        done = one_run(server, folder, "--api-key-file", folder / "key", QDRANT_API_KEY="another")
        assert done.returncode == 0, done.stderr
        assert {headers.get("api-key") for _, headers, _ in server.seen} == {KEY}
        assert {path for path, _, _ in server.seen} == {"/collections/a%2Fb%20c/points/query"}
        assert KEY not in done.stdout + done.stderr
        assert "warning" not in done.stderr
        (folder / "key").chmod(0o644)
        done = one_run(server, folder, "--api-key-file", folder / "key")
        assert done.returncode == 0
        assert f"warning: {folder / 'key'} holds the API key, mode 0644: others than its owner can read it (chmod 600)" in done.stderr
        server.seen.clear()
        assert one_run(server, folder, QDRANT_API_KEY="another").returncode == 0
        assert {headers.get("api-key") for _, headers, _ in server.seen} == {"another"}
        server.seen.clear()
        assert one_run(server, folder).returncode == 0
        assert {headers.get("api-key") for _, headers, _ in server.seen} == {None}


@sanitize
def test_progress_is_one_line_on_a_terminal(folder: Path):
    ours, terminal = os.openpty()
    with CannedServer(answer_by_flag) as server:
        command = [str(program()), "eval", "--url", server.url, "--collection", "c", "--queries", str(folder), "--vectors",
                   str(folder / "vectors.npy"), "--top-k", "10", "--weight", "1", "--latency-queries", "0"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, timeout=280, env=environment(), check=False)
    os.close(terminal)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0, shown
    assert "vector order: search 1 of 6, 0 %" in shown
    assert shown.count("\n") == 0 and shown.count("\r") > 1
    assert shown.endswith("\r\x1b[K")


@sanitize
def test_what_passes_is_waited_for(folder: Path):
    """A model that still loads, an upstream that is busy."""
    queue = [(503, ERROR), (200, FELL_BACK), (429, ERROR)]

    def answer(request: dict) -> tuple[int, dict]:
        return queue.pop(0) if queue and request["use_reranker"] else answer_by_flag(request)

    with CannedServer(answer) as server:
        done = one_run(server, folder)
    assert done.returncode == 0, done.stderr
    assert not queue
    assert "waiting: 503: Service is busy" in done.stderr
    assert "waiting: not reranked: model_unavailable" in done.stderr


@sanitize
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, ANSWER), "is this qrerank?"),
        ((200, {"result": []}), "the answer is not that of a Qdrant query"),
        ((200, b"<html>"), "the answer is not that of a Qdrant query"),
        ((401, b"Must provide an API key"), "401: Must provide an API key"),
        ((400, {"status": {"error": "rerank_model: none"}, "time": 0}), "400: rerank_model: none"),
        (None, "http://127.0.0.1:"),  # hangs up
    ],
)
def test_answers_that_end_it(folder: Path, answer: object, told: str):
    with CannedServer(lambda _: answer) as server:
        done = one_run(server, folder)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stdout == ""


def test_real_weights_score_once_and_latency_is_never_the_caches(qdrant: Qdrant, collection: str, folder: Path):
    """MiniLM: two top_k and three weights cost as much as one, and the timed searches cost anew."""
    config = json.dumps({"models": {"minilm": {"path": str(MINILM), "dtype": "float32", "device": "cpu"}}})
    report = folder / "report.json"
    with Qrerank(qdrant.url, config) as proxy:
        done = evaluate(proxy.url, "--collection", collection, "--queries", folder, "--vectors", folder / "vectors.npy",
                        "--model", "minilm", "--top-k", "10,12", "--weight", "0.5,0.75,1", "--latency-queries", "2",
                        "--json", report, **own(qdrant))
        assert done.returncode == 0, done.stderr
        told = json.loads(report.read_text())
        distinct = len(set(library.TEXTS[:12]))
        distinct_10 = len(set(library.TEXTS[:10]))
        assert metric(proxy, "qrerank_cache_misses_total") == 3 * distinct + 2 * (distinct + distinct_10)
        assert metric(proxy, "qrerank_cache_hits_total") > 0
    assert {one["model"] for one in told["settings"]} == {"minilm"}
    full = next(one for one in told["settings"] if one["top_k"] == 12 and one["weight"] == 1)
    assert full["candidates_per_query"] == 12
    assert all(entry["whole"]["searches"] == 2 for entry in told["latencies"])
