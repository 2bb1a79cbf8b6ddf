"""Text in, through the whole program: Documents whose model is configured become vectors before Qdrant sees the search.

`mock-embedding` hashes words; what it should give is computed here as its header says. The real weights are compared
with transformers' vectors (scripts/golden_embedding.py).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from tests.integration import library
from tests.integration.searching import Answer, post
from tests.integration.test_metrics import when
from tests.support.collector import Collector
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import REPOSITORY, Qrerank
from tests.support.raw_http import LIMIT_S
from tests.support.wire_recorder import WireRecorder

sanitize = pytest.mark.sanitize

NAME = "acme/words"
CONFIG = f"""
inference: {{models: {{mock-embedding: {{names: [{NAME}]}}, broken: {{path: /nowhere/at/all}}}}}}
models: {{lost: {{path: /nowhere/either}}}}
"""
BGE = Path(os.environ.get("QRERANK_CACHE", REPOSITORY / ".cache")) / "models/bge-small-en-v1.5"
SIZE = 64


def vector_of(text: str) -> list[float]:
    """The mock's, in float32."""
    row = np.zeros(SIZE)
    for word in "".join(c.lower() if c.isalnum() else " " for c in text).split():
        digest = 2166136261
        for character in word:
            digest = (digest ^ ord(character)) * 16777619 & 0xFFFFFFFF
        digest &= 0x7FFFFFFF
        row[digest % SIZE] += 1 if digest // SIZE % 2 == 0 else -1
    if not row.any():
        row[0] = 1
    return [float(value) for value in (row / math.sqrt(row @ row)).astype(np.float32)]


def fill(qdrant: Qdrant, stem: str, size: int, vectors: list[list[float]]) -> str:
    name = qdrant.collection_name(stem)
    points = [{"id": at, "vector": vector, "payload": {"text": text}}
              for at, (vector, text) in enumerate(zip(vectors, library.TEXTS), start=1)]
    with qdrant.client() as client:
        client.delete(f"/collections/{name}")
        made = client.put(f"/collections/{name}", json={"vectors": {"size": size, "distance": "Cosine"}})
        assert made.status_code == 200, made.text
        put = client.put(f"/collections/{name}/points?wait=true", json={"points": points})
        assert put.status_code == 200, put.text
    return name


@pytest.fixture(scope="module")
def words(qdrant: Qdrant) -> str:
    return fill(qdrant, "text-in", SIZE, [vector_of(text) for text in library.TEXTS])


class Path2Qdrant:
    """The proxy with the wire behind it."""

    def __init__(self, proxy: Qrerank, wire: WireRecorder, client: httpx.Client) -> None:
        self.proxy, self.wire, self.client = proxy, wire, client

    def search(self, collection: str, body: object, endpoint: str = "query", **options: object) -> Answer:
        self.wire.exchanges.clear()
        return post(self.client, collection, endpoint, body, **options)

    @property
    def sent(self) -> list[dict[str, object]]:
        """The bodies of the searches that reached Qdrant."""
        posts = [one.request for one in self.wire.exchanges if one.request.first.startswith("POST ")]
        return [json.loads(request.body) for request in posts]


@pytest.fixture(scope="module")
def through(qdrant: Qdrant) -> Iterator[Path2Qdrant]:
    with WireRecorder(qdrant.address) as wire, Qrerank(wire.url, CONFIG) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        yield Path2Qdrant(proxy, wire, client)


def document(text: str, model: str = NAME) -> dict[str, object]:
    return {"text": text, "model": model, "options": {"anything": [1]}}


FLAGGED = {"use_reranker": True, "with_payload": True, "limit": 3}


@sanitize
def test_a_question_becomes_a_vector_and_its_answer_is_reranked(through: Path2Qdrant, words: str) -> None:
    answer = through.search(words, {"query": document(library.QUERY), **FLAGGED})
    assert answer.status == 200, answer.text
    assert [sent["query"] for sent in through.sent] == [vector_of(library.QUERY)]
    assert answer.top["reranking_used"] == "true"
    best = json.loads(answer.points[0]["payload"])["text"]
    assert best == "a red fox in the winter forest"
    stages = [stage.split(";")[0].strip() for stage in answer.header("server-timing").split(",")]
    assert stages == ["upstream", "tokenize", "queue", "compute", "inference"]


@sanitize
def test_the_same_question_with_its_own_vector_gets_the_same_answer(through: Path2Qdrant, words: str) -> None:
    by_text = through.search(words, {"query": document("the forest in winter"), **FLAGGED})
    vector = {"query": vector_of("the forest in winter"), "rerank_query": "the forest in winter", **FLAGGED}
    by_vector = through.search(words, vector)
    assert by_text.result == by_vector.result
    assert "inference" not in by_vector.header("server-timing")


@sanitize
def test_every_place_of_a_batch(through: Path2Qdrant, words: str) -> None:
    one, two = document("fox"), document("forest", "MOCK-Embedding")
    searches = [
        {"query": {"nearest": one}, "use_reranker": True},
        {"query": {"recommend": {"positive": [one, 1], "negative": [two]}}, "use_reranker": True, "rerank_query": "fox"},
        {"prefetch": [{"query": one, "prefetch": {"query": {"nearest": two}, "limit": 5}}], "query": {"fusion": "rrf"}, "use_reranker": True},
        {"query": {"discover": {"target": two, "context": [{"positive": one, "negative": 2}]}}, "use_reranker": True, "rerank_query": "fox"},
        {"query": one},
    ]
    answer = through.search(words, {"searches": searches}, "query/batch")
    assert answer.status == 200, answer.text
    (sent,) = through.sent
    fox, forest = vector_of("fox"), vector_of("forest")
    plain, recommended, fused, discovered, unflagged = sent["searches"]
    assert plain["query"] == {"nearest": fox}
    assert recommended["query"]["recommend"] == {"positive": [fox, 1], "negative": [forest]}
    assert fused["prefetch"][0]["query"] == fox
    assert fused["prefetch"][0]["prefetch"]["query"] == {"nearest": forest}
    assert discovered["query"]["discover"] == {"target": forest, "context": [{"positive": fox, "negative": 2}]}
    assert unflagged["query"] == fox, "one search without its vector would fail the whole batch"
    assert [one.get("reranking_used") for one in json.loads(answer.top["reranking"])] == [True, True, True, True, False]


@sanitize
def test_what_is_not_flagged_or_not_ours_goes_as_it_came(through: Path2Qdrant, words: str) -> None:
    body = json.dumps({"query": document("fox"), "limit": 3})
    answer = through.search(words, body)
    assert through.wire.exchanges[0].request.body == body.encode()
    assert answer.status == 500 and "InferenceService" in answer.error
    through.search(words, {"query": document("fox", "somebody/else"), **FLAGGED})
    assert through.sent[0]["query"] == document("fox", "somebody/else")


@sanitize
def test_a_fallback_that_asks_again_sends_vectors_too(through: Path2Qdrant, words: str) -> None:
    fused = {"prefetch": [{"query": document("fox")}, {"query": document("winter")}], "query": {"fusion": "rrf"}}
    answer = through.search(words, {**fused, **FLAGGED, "rerank_model": "lost"})
    assert answer.status == 200, answer.text
    assert (answer.top["reranking_used"], answer.top["reranking_reason"]) == ("false", '"model_unavailable"')
    assert len(through.sent) == 2
    for sent in through.sent:
        assert [prefetch["query"] for prefetch in sent["prefetch"]] == [vector_of("fox"), vector_of("winter")]


@sanitize
@pytest.mark.parametrize("on_error", ["fallback", "error"])
def test_without_its_vector_a_search_cannot_be_made(through: Path2Qdrant, words: str, on_error: str) -> None:
    answer = through.search(words, {"query": document("fox", "broken"), **FLAGGED, "rerank_on_error": on_error})
    assert answer.status == 503
    assert "A Document got no vector" in answer.error and "model_unavailable, model broken" in answer.error
    assert answer.header("retry-after") and answer.header("x-reranking-reason") == "model_unavailable"
    assert through.sent == []
    assert "fox" not in through.proxy.wait_for_log("embedding failed")


@sanitize
def test_a_typed_client_with_a_flag_in_its_headers(through: Path2Qdrant, qdrant: Qdrant, words: str) -> None:
    client = QdrantClient(through.proxy.url, api_key=qdrant.api_key, cloud_inference=True, headers={"X-Rerank": "true"},
                          check_compatibility=False, timeout=LIMIT_S)
    found = client.query_points(words, query=models.Document(text=library.QUERY, model=NAME), limit=1)
    assert found.points[0].payload == {"text": "a red fox in the winter forest"}
    client.close()


@sanitize
def test_the_status_pages_tell_and_a_reload_takes_it_away(qdrant: Qdrant, words: str) -> None:
    with Qrerank(qdrant.url, CONFIG) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        listed = httpx.get(f"http://{proxy.admin}/models", timeout=LIMIT_S).json()["models"]
        told = {model["name"]: model for model in listed}
        assert told["mock"]["kind"] == told["lost"]["kind"] == "reranker"
        assert told["mock-embedding"]["kind"] == "embedding"
        assert told["mock-embedding"]["names"] == [NAME]
        assert told["mock-embedding"]["dimensions"] == SIZE and told["mock"]["dimensions"] is None
        body = {"query": document(library.QUERY), **FLAGGED}
        assert post(client, words, "query", body).status == 200
        assert "reloaded" in proxy.reload("{}")
        answer = post(client, words, "query", body)
        assert answer.status == 500 and "InferenceService" in answer.error


def test_a_model_that_judges_makes_no_vectors(through: Path2Qdrant, words: str) -> None:
    answer = through.search(words, {"query": document("fox"), **FLAGGED, "rerank_model": "mock-embedding"})
    assert answer.status == 400 and "rerank_model" in answer.error


def test_the_real_weights(qdrant: Qdrant) -> None:
    assert BGE.exists(), f"{BGE} is missing: scripts/setup brings it"
    cases = json.loads((REPOSITORY / "tests/golden/bge-small.json").read_text())["cases"]
    wanted = [np.array(json.loads(case["cls"])) for case in cases]
    wanted = [vector / np.linalg.norm(vector) for vector in wanted]
    name = fill(qdrant, "text-in-bge", len(wanted[0]), [vector.tolist() for vector in wanted])
    config = json.dumps({"inference": {"models": {"bge": {"hub": "BAAI/bge-small-en-v1.5", "path": str(BGE), "dtype": "float32", "device": "cpu"}}}})
    with WireRecorder(qdrant.address) as wire, Qrerank(wire.url, config) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        through = Path2Qdrant(proxy, wire, client)
        for case, vector in zip(cases, wanted):
            body = {"query": document(case["text"], "baai/BGE-small-en-v1.5"), "rerank_query": "fox", **FLAGGED}
            answer = through.search(name, body)
            assert answer.status == 200, answer.text
            assert float(np.dot(np.array(through.sent[0]["query"]), vector)) > 0.99999, case["text"]


@sanitize
def test_vectors_are_counted_and_traced(qdrant: Qdrant, words: str) -> None:
    with Collector() as collector, Qrerank(qdrant.url, CONFIG, settings={"tracing.endpoint": collector.url}) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        good = [{"query": document("marker-of-the-text"), "use_reranker": True}, {"query": document("fox"), "use_reranker": True}]
        for _ in range(2):
            assert post(client, words, "query/batch", {"searches": good}).status == 200
        assert post(client, words, "query", {"query": document("fox", "broken"), **FLAGGED}).status == 503
        found = when(proxy, lambda now: now['qrerank_requests_total{endpoint="query",outcome="failed"}'] == 1)
        assert (found["qrerank_embeddings_total"], found["qrerank_cached_embeddings_total"]) == (4, 2)
        assert found['qrerank_embedding_failures_total{reason="model_unavailable"}'] == 1
        assert sum(value for name, value in found.items() if name.startswith("qrerank_embedding_failures_total")) == 1
        assert found["qrerank_embedding_duration_seconds_count"] == 3
        collector.wait(lambda: len([span for span in collector.spans if span.name == "embed"]) == 3)
        spans = [span for span in collector.spans if span.name == "embed"]
        servers = {span.id for span in collector.spans if span.kind == 2}
        assert all(span.parent in servers for span in spans)
        assert [span.attributes for span in spans if not span.failed] == [{"qrerank.model": "mock-embedding", "qrerank.texts": 2}] * 2
        assert [span.attributes["qrerank.reason"] for span in spans if span.failed] == ["model_unavailable"]
        assert "marker-of-the-text" not in str(collector.spans)
