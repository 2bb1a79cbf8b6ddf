"""Which model judges, through the whole program: named, by rule, by the search's Document, by the collection's metadata.

The models are three names for one small checkpoint; which of them was chosen is told by the answer. Where the build has
no local models the search falls back, and still tells.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import Answer, body_of, post
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import FakeUpstream, Message, Reader, ok

pytestmark = pytest.mark.sanitize

CHECKPOINT = Path(__file__).resolve().parents[1] / "golden/small/bert"
MODELS = f"""
models:
  base: {{hub: BAAI/bge-reranker-base, path: {CHECKPOINT}}}
  large: {{hub: BAAI/bge-reranker-large, path: {CHECKPOINT}}}
  many: {{hub: BAAI/bge-reranker-v2-m3, path: {CHECKPOINT}}}
"""


def chosen(client: httpx.Client, collection: str, endpoint: str = "query", **fields: object) -> str | None:
    body = {"use_reranker": True, "rerank_query": library.QUERY, **body_of(endpoint, **fields)}
    answer = post(client, collection, endpoint, body)
    assert answer.status == 200, answer.text
    model = answer.header("x-reranker-model")
    assert json.loads(answer.top["reranker_model"]) == model
    return model


@pytest.fixture(scope="module")
def collections(qdrant: Qdrant) -> dict[str, str]:
    """Test's name → name at Qdrant."""
    metadata = {
        "silent": None,
        "large": {"embedding_model": "BAAI/bge-large-en-v1.5", "made": "2026"},
        "many": {"embedding_model": "intfloat/multilingual-e5-large"},
        "stranger": {"embedding_model": "acme/embedder"},
        "odd": {"embedding_model": ["BAAI/bge-large-en-v1.5"]},
        "ruled": {"embedding_model": "BAAI/bge-large-en-v1.5"},
        "named": {"embedding_model": "BAAI/bge-large-en-v1.5"},
    }
    return {stem: library.fill(qdrant, f"selection-{stem}", known) for stem, known in metadata.items()}


@pytest.fixture(scope="module")
def through(qdrant: Qdrant, collections: dict[str, str]) -> Iterator[httpx.Client]:
    rules = f"""
collections:
  {collections["ruled"]}: {{embedding_model: BAAI/bge-m3}}
  {collections["named"]}: {{reranker: base, embedding_model: BAAI/bge-m3}}
model_mapping:
  qdrant/bm25: many
"""
    with Qrerank(qdrant.url, MODELS + rules) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        yield client


@pytest.mark.parametrize("endpoint", ["query", "search"])
def test_the_collections_metadata_decides(through: httpx.Client, collections: dict[str, str], endpoint: str) -> None:
    for stem, model in {"silent": "mock", "large": "large", "many": "many", "stranger": "mock", "odd": "mock"}.items():
        assert chosen(through, collections[stem], endpoint) == model, stem


def test_the_rules_embedding_model_comes_before_the_metadata(through: httpx.Client, collections: dict[str, str]) -> None:
    assert chosen(through, collections["ruled"]) == "many"


def test_a_named_model_comes_before_all(through: httpx.Client, collections: dict[str, str]) -> None:
    assert chosen(through, collections["named"]) == "base"
    assert chosen(through, collections["named"], rerank_model="mock") == "mock"
    assert chosen(through, collections["large"], rerank_model="base") == "base"


def test_the_document_comes_before_the_metadata(through: httpx.Client, collections: dict[str, str]) -> None:
    document = {"text": library.QUERY, "model": "qdrant/bm25"}
    assert chosen(through, collections["large"], query=document, using="bm25") == "many"
    prefetch = [{"query": document, "using": "bm25"}, {"query": library.NORTH}]
    assert chosen(through, collections["large"], query={"fusion": "rrf"}, prefetch=prefetch) == "many"
    assert chosen(through, collections["ruled"], query=document, using="bm25") == "many"
    assert chosen(through, collections["named"], query=document, using="bm25") == "base"


def test_an_alias_of_an_embedding_model_is_that_model(qdrant: Qdrant, collections: dict[str, str]) -> None:
    ours = "inference: {models: {mock-embedding: {hub: BAAI/bge-large-en-v1.5, names: [acme/words]}}}\n"
    with Qrerank(qdrant.url, MODELS + ours + f"collections: {{{collections['ruled']}: {{embedding_model: acme/words}}}}") as process, process.client() as client:
        client.headers.update(qdrant.headers)
        assert chosen(client, collections["ruled"]) == "large"
        assert chosen(client, collections["stranger"]) == "mock", "of acme/embedder nobody knows anything"


def test_a_document_that_no_mapping_knows_says_nothing(qdrant: Qdrant, collections: dict[str, str]) -> None:
    with Qrerank(qdrant.url, MODELS) as process, process.client() as client:
        client.headers.update(qdrant.headers)
        document = {"text": library.QUERY, "model": "qdrant/bm25"}
        assert chosen(client, collections["large"], query=document, using="bm25") == "large"
        assert chosen(client, collections["silent"], query=document, using="bm25") == "mock"


class Guarded:
    """A fake Qdrant: `looking` keys may read the collection's metadata, everybody may search."""

    def __init__(self, looking: set[str]) -> None:
        self.looking = looking
        self.asked: list[Message] = []
        self.answer_info = True
        self._upstream = FakeUpstream(self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._upstream.port}"

    def _serve(self, reader: Reader, sock: socket.socket, _n: int) -> None:
        while True:
            message = reader.message()
            if not message.first.startswith("GET "):
                sock.sendall(ok(b'{"result":{"points":[{"id":1,"version":1,"score":0.5,"payload":{"text":"fox"}}]},"time":0.1}'))
                continue
            self.asked.append(message)
            if not self.answer_info:
                return
            if message.one("api-key") in self.looking:
                sock.sendall(ok(b'{"result":{"config":{"metadata":{"embedding_model":"BAAI/bge-large-en"}}},"time":0.1}'))
            else:
                body = b'{"status":{"error":"Forbidden"},"time":0.1}'
                sock.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    def __enter__(self) -> "Guarded":
        self._upstream.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._upstream.__exit__(*failure)


def as_client(client: httpx.Client, key: str, collection: str = "c%20d") -> str | None:
    content = json.dumps({"query": [1.0], "use_reranker": True, "rerank_query": "fox"})
    headers = {"api-key": key, "x-request-id": key, "x-rerank-top-k": "20"}
    answer = Answer(client.post(f"/collections/{collection}/points/query?timeout=9", content=content, headers=headers))
    assert answer.status == 200, answer.text
    return answer.header("x-reranker-model")


def test_metadata_is_read_once_with_the_clients_own_key_and_kept_for_it_alone() -> None:
    with Guarded({"may"}) as upstream, Qrerank(upstream.url, MODELS) as process, process.client() as client:
        for _ in range(3):
            assert as_client(client, "may") == "large"
        assert len(upstream.asked) == 1
        assert upstream.asked[0].first == "GET /collections/c%20d HTTP/1.1"
        sent = {line.partition(":")[0].lower() for line in upstream.asked[0].lines[1:]}
        assert sent <= {"host", "api-key", "accept-encoding", "content-length", "via"}
        for _ in range(2):
            assert as_client(client, "may-not") == "mock", "what one key read must not be told to another"
        assert [message.one("api-key") for message in upstream.asked] == ["may", "may-not"]
        assert as_client(client, "may") == "large"
        assert as_client(client, "may", "other") == "large"
        assert len(upstream.asked) == 3, "another collection is another question"
        process.wait_for_log("a collection's metadata was not read")
    assert "may-not" not in process.stderr.replace("request_id=may-not", ""), "no key in the log"


def test_a_failure_to_read_metadata_fails_no_search() -> None:
    with Guarded({"may"}) as upstream, Qrerank(upstream.url, MODELS) as process, process.client() as client:
        upstream.answer_info = False  # closes the connection instead
        assert as_client(client, "may") == "mock"
        assert as_client(client, "may") == "mock"


def test_metadata_that_does_not_come_holds_nothing_up() -> None:
    released = []

    def serve(reader: Reader, sock: socket.socket, _n: int) -> None:
        while True:
            message = reader.message()
            if message.first.startswith("GET "):
                released.append(message)
                reader.head()  # never answers; ends when the proxy gives up
            sock.sendall(ok(b'{"result":{"points":[{"id":1,"version":1,"score":0.5,"payload":{"text":"fox"}}]},"time":0.1}'))

    with FakeUpstream(serve) as upstream:
        settings = {"selection.metadata_timeout": "50ms"}
        with Qrerank(f"http://127.0.0.1:{upstream.port}", MODELS, settings) as process, process.client() as client:
            assert as_client(client, "may") == "mock"
            assert len(released) == 1


def test_metadata_is_not_read_where_it_could_not_matter() -> None:
    for config, settings in [("", {}), (MODELS, {"selection.metadata_ttl": "0ms"}), (MODELS, {"rerank.model": "mock"})]:
        with Guarded({"may"}) as upstream:
            with Qrerank(upstream.url, config, settings) as process, process.client() as client:
                assert as_client(client, "may") == "mock"
            assert upstream.asked == []
