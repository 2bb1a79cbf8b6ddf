"""Rules by collection, through the whole program, and what `qrerank check-config` tells of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import Answer, body_of, post, without_time
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank, program

pytestmark = pytest.mark.sanitize

STEMS = ("rules-always", "rules-never", "rules-glob", "rules-glob-exact", "elsewhere")


@pytest.fixture(scope="module")
def names(qdrant: Qdrant) -> dict[str, str]:
    return {stem: library.fill(qdrant, stem) for stem in STEMS}


def rules(names: dict[str, str]) -> str:
    return f"""
rerank: {{top_k: 12}}
collections:
  "*rules-glob*": {{rerank: always, field: title, weight: 0.5, score_threshold: 0.0}}
  {names["rules-always"]}: {{rerank: always, instruction: qa}}
  {names["rules-never"]}: {{rerank: never}}
  {names["rules-glob-exact"]}: {{top_k: 10}}
  "*rules-*": {{rerank: never}}
"""


@pytest.fixture(scope="module")
def through(qdrant: Qdrant, names: dict[str, str]) -> Iterator[httpx.Client]:
    with Qrerank(qdrant.url, rules(names)) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        yield client


def used(answer: Answer) -> bool:
    assert answer.status == 200, answer.text
    return answer.header("x-reranking-used") == "true"


def test_always(through: httpx.Client, names: dict[str, str]) -> None:
    document = {"text": library.QUERY, "model": "qdrant/bm25"}
    answer = post(through, names["rules-always"], "query", body_of("query", query=document, using="bm25"))
    assert used(answer)
    said_no = post(through, names["rules-always"], "query", body_of("query", use_reranker=False))
    assert said_no.added_headers() == set()
    without_text = post(through, names["rules-always"], "query", body_of("query"))
    assert without_text.header("x-reranking-reason") == "no_query"


def test_never(through: httpx.Client, names: dict[str, str], qdrant: Qdrant) -> None:
    demand = post(through, names["rules-never"], "query", body_of("query", use_reranker=True, rerank_query="fox"))
    assert demand.status == 400
    assert "never" in demand.error
    wish = post(through, names["rules-never"], "query", body_of("query"), headers={"x-rerank": "true", "x-rerank-query": "fox"})
    assert wish.status == 200
    with qdrant.client() as direct:
        assert without_time(wish) == without_time(post(direct, names["rules-never"], "query", body_of("query")))


def test_the_first_glob_that_fits_and_its_options(through: httpx.Client, names: dict[str, str]) -> None:
    answer = post(through, names["rules-glob"], "query", body_of("query", rerank_query="t3 t5"))
    assert used(answer)
    assert answer.header("x-reranking-candidates") == "12", "top_k of the global section: the rule says none"
    assert len(answer.points) <= 12, "the rule's threshold drops what was not scored"


def test_an_exact_name_wins_and_takes_nothing_from_globs(through: httpx.Client, names: dict[str, str]) -> None:
    plain = post(through, names["rules-glob-exact"], "query", body_of("query", rerank_query="fox"))
    assert plain.added_headers() == set(), "on request: the exact rule says nothing else"
    asked = post(through, names["rules-glob-exact"], "query", body_of("query", use_reranker=True, rerank_query="fox"))
    assert asked.header("x-reranking-candidates") == "10"


def test_without_a_rule(through: httpx.Client, names: dict[str, str]) -> None:
    assert post(through, names["elsewhere"], "query", body_of("query")).added_headers() == set()
    assert used(post(through, names["elsewhere"], "query", body_of("query", use_reranker=True, rerank_query="fox")))


def check_config(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program()), "check-config", *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_check_config_tells_the_rule_and_where_each_value_was_said(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "rerank:\n  weight: 0.7\n"
        "models:\n  bge: {hub: BAAI/bge-reranker-base}\n"
        'collections:\n  "d*": {rerank: never}\n  docs:\n    rerank: always\n    embedding_model: BAAI/bge-base-en\n    field: [title, body]\n'
    )
    done = check_config("--config", file, "--set", "collections.docs.top_k=20", "--collection", "docs", "--collection", "cats")
    assert done.returncode == 0, done.stderr
    docs, cats = done.stdout.split("cats: ")
    lines = [" ".join(line.split()) for line in docs.splitlines()]
    assert lines[0] == f"docs: the rule collections.docs ({file}:7), by its exact name; passed over: 'd*'"
    for line in (
        f"rerank always # collections.docs.rerank, {file}:8",
        f"embedding_model BAAI/bge-base-en # collections.docs.embedding_model, {file}:9",
        f"field title, body # collections.docs.field, {file}:10",
        "model bge # the model for BAAI/bge-base-en: BAAI/bge-reranker-base",
        "top_k 20 # collections.docs.top_k, --set collections.docs.top_k",
        f"weight 0.7 # rerank.weight, {file}:2",
        "on_error fallback # default",
    ):
        assert line in lines
    assert cats.startswith("no rule fits; ")
    assert " never " not in cats


def test_check_config_refuses_a_rule_that_makes_no_sense(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("collections:\n  docs:\n    rerank: sometimes\n    reranker: bge\n    fields: a\n")
    done = check_config("--config", file, "--collection", "docs")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"{file}:5: collections.docs.fields is not a known key; did you mean collections.docs.field?",
        f"{file}:3: collections.docs.rerank: 'sometimes' is not one of on_request, always, never",
        f"{file}:4: collections.docs.model: 'bge' is neither `mock` nor a name under `models`",
    ]
