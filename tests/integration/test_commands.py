"""`qrerank rerank`, `bench` and `models`: the commands that need a configuration and no server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration import library
from tests.integration.test_models import MINILM, TINY, weight_bytes
from tests.support.qrerank_process import program

sanitize = pytest.mark.sanitize
HOME = ["a red fox in the winter forest", "history of the railway", "", "a fox", "a red fox in the winter forest"]


def run(*arguments: object, lines: list[str] | bytes = b"") -> subprocess.CompletedProcess[bytes]:
    given = lines if isinstance(lines, bytes) else "".join(line + "\n" for line in lines).encode()
    command = [str(program()), *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, timeout=280, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    models = {
        "minilm": {"path": str(MINILM), "dtype": "float32", "device": "cpu"},
        "tiny": {"path": str(TINY), "dtype": "float32", "device": "cpu", "replicas": 2},
    }
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"models": models, "rerank": {"default_model": "tiny"}}))
    return path


@sanitize
def test_lines_come_best_first():
    done = run("rerank", library.QUERY, lines=HOME)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [text for _, text in rows] == [HOME[0], HOME[0], "a fox", HOME[1]]
    scores = [float(score) for score, _ in rows]
    assert scores == sorted(scores, reverse=True) and scores[0] == scores[1] > scores[2] > scores[3]


@sanitize
def test_lines_as_objects():
    done = run("rerank", "--json", library.QUERY, lines=HOME)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row["line"] for row in rows] == [1, 5, 4, 2]
    assert all(row["text"] == HOME[row["line"] - 1] for row in rows)
    assert all(0 < row["score"] < 1 for row in rows)


@sanitize
def test_odd_input():
    assert run("rerank", "q").stdout == b""
    done = run("rerank", "--json", "fox", lines=b"\xff fox\r\n \t\nlast without newline fox")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert sorted((row["line"], row["text"]) for row in rows) == [(1, "\ufffd fox"), (3, "last without newline fox")]
    many = run("rerank", "--json", "fox", "--set", "scoring.max_queued_texts=100", lines=[f"text {n}" for n in range(1500)])
    assert many.stdout.count(b"\n") == 1500


@sanitize
def test_what_cannot_be_asked():
    for arguments, told in [
        (["rerank"], "query is required"),
        (["rerank", " "], "the query is blank"),
        (["rerank", "q", "--model", "nomodel"], "--model nomodel is not configured; there are mock"),
        (["rerank", "q", "--config", "/nowhere.yaml"], "/nowhere.yaml"),
    ]:
        done = run(*arguments, lines=HOME)
        assert done.returncode == 2 and told in done.stderr.decode(), done
        assert done.stdout == b""


@sanitize
def test_a_terminal_is_told_what_is_waited_for():
    ours, its = os.openpty()
    with os.fdopen(ours, "wb", buffering=0) as keyboard:
        command = [str(program()), "rerank", "fox"]
        with subprocess.Popen(command, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.close(its)
            keyboard.write(b"a red fox\n\x04")
            out, told = process.communicate(timeout=60)
    assert process.returncode == 0 and out.endswith(b"\ta red fox\n")
    assert told == b"Type texts, a line each; Ctrl-D ends them.\n"
    assert run("rerank", "fox", lines=HOME).stderr == b""


def test_real_weights_by_hand(config: Path):
    question = "How many people live in Berlin?"
    texts = ["Berlin is well known for its museums.",
             "Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers."]
    done = run("rerank", "--config", config, "--model", "minilm", "--json", question, lines=texts)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    # shared/building.md: 9.085 and -3.934 by ONNX Runtime in float32
    assert [row["line"] for row in rows] == [2, 1]
    assert [row["logit"] for row in rows] == pytest.approx([9.085, -3.934], abs=0.01)


def test_bench_measures_the_model(config: Path):
    done = run("bench", "--config", config, "--json", "--candidates", "2,5", "--at-once", "1,3", "--seconds", "0", "--words", "20")
    assert done.returncode == 0, done.stderr
    model, *rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert (model["model"], model["dtype"], model["device"]) == ("tiny", "float32", "cpu")
    assert model["bytes"] == 2 * weight_bytes(TINY) and model["texts"] == "made-up English of about 20 words"
    assert [(row["at_once"], row["candidates"]) for row in rows] == [(1, 2), (1, 5), (3, 2), (3, 5)]
    for row in rows:
        assert row["searches"] == 3 * row["at_once"]  # none comes from a cache, each counts once
        assert row["tokens"] > 10 * row["candidates"]
        assert 0 < row["p50_ms"] <= row["p95_ms"] and row["searches_per_second"] > 0 and row["tokens_per_second"] > 0
    table = run("bench", "--config", config, "--candidates", "2", "--at-once", "1", "--seconds", "0").stdout.decode().splitlines()
    assert table[0].startswith("tiny: bert, float32 on cpu, ") and table[3].startswith("at once  candidates")
    assert table[4].split()[:3] == ["1", "2", "3"]


@sanitize
def test_bench_with_lines_of_a_file(tmp_path: Path):
    texts = tmp_path / "texts.txt"
    texts.write_text("a fox\n\nthe railway\na fox\nwinter\n")
    done = run("bench", "--json", "--texts", texts, "--candidates", "3", "--at-once", "2", "--seconds", "0.05")
    assert done.returncode == 0, done.stderr
    model, row = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert model["model"] == "mock" and model["texts"] == "3 different lines" and row["searches"] >= 6


@sanitize
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "nomodel"], "--model nomodel is not configured; there are mock"),
        (["--texts", "/nowhere.txt"], "--texts /nowhere.txt cannot be read"),
        (["--texts", "/dev/null"], "--texts /dev/null: no line that is not blank"),
        (["--texts", __file__, "--candidates", "2000"], "--candidates 2000: "),
        (["--candidates", "0"], "--candidates"),
        (["--at-once", "x"], "--at-once"),
    ],
)
def test_what_cannot_be_measured(arguments: list[str], told: str):
    done = run("bench", *arguments)
    assert done.returncode == 2 and told in done.stderr.decode(), done
    assert done.stdout == b""


def test_models_are_told(config: Path):
    done = run("models", "--config", config, "--json")
    assert done.returncode == 0, done.stderr
    minilm, tiny = json.loads(done.stdout)
    assert (minilm["name"], minilm["default"], minilm["loads"]) == ("minilm", False, True)
    assert minilm["folder"] == str(MINILM) and minilm["dtype"] == "float32" and minilm["device"] == "cpu"
    assert minilm["memory_bytes"] == weight_bytes(MINILM)
    assert minilm["disk_bytes"] == sum(file.stat().st_size for file in MINILM.iterdir() if file.is_file())
    assert tiny["default"] and tiny["device"] == "cpu,cpu" and tiny["memory_bytes"] == 2 * weight_bytes(TINY)
    text = run("models", "--config", config).stdout.decode()
    assert "tiny (rerank.default_model)\n" in text and "mock\n" in text and f"  folder  {MINILM}\n" in text


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ({"m": {"hub": "owner/missing"}}, "is missing: qrerank pull --config {config} owner/missing"),
        ({"m": {"path": "/nowhere"}}, "/nowhere"),
        ({"m": {"path": str(MINILM), "device": "cuda:7"}}, "m: "),
    ],
)
def test_models_that_would_not_load(tmp_path: Path, models: dict, told: str):
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"models": models, "models_folder": str(tmp_path)}))
    told = told.replace("{config}", str(path))
    done = run("models", "--config", path)
    assert done.returncode == 1
    assert "would not load: " in done.stdout.decode() and told in done.stdout.decode()
    problem = json.loads(run("models", "--config", path, "--json").stdout)[0]
    assert not problem["loads"] and told in problem["problem"]


def test_models_without_room(config: Path):
    done = run("models", "--config", config, "--set", "scoring.memory_budget=1MiB", "--json")
    assert done.returncode == 1
    assert not json.loads(done.stdout)[0]["loads"]


@sanitize
def test_no_models_but_the_mock():
    done = run("models")
    assert done.returncode == 0
    assert done.stdout.startswith(b"mock (rerank.default_model)\n")
    assert run("models", "--json").stdout == b"[]\n"


@sanitize
def test_no_command_and_help():
    helped = run("help")
    assert helped.returncode == 0 and helped.stderr == b"" and b"Exit status: 0 done" in helped.stdout
    for arguments, told in ((), helped.stdout.decode()), (("bogus",), "there is no command bogus"):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert told in done.stderr.decode() and "check-config" in done.stderr.decode()


@sanitize
@pytest.mark.parametrize(("command", "part"), [("eval", "qrels/test.tsv"), ("rerank", "score TAB line"), ("models", "Nothing is loaded"), ("check-config", "All mistakes are told at once"), ("bench", "A row for each number")])
def test_help_teaches(command: str, part: str):
    done = run(command, "--help")
    assert done.returncode == 0 and part in done.stdout.decode()
