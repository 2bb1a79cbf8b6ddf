"""Models that hang, throw, run out of memory, give nonsense or do not load, in the whole program (`models.*.stand_in`).

After each: the client got the right status and reason, nothing of the fault is left (connections, descriptors, memory),
and the next request works.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.footprint import Footprint
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, reset
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize
REASONS = {
    "hangs": "timeout",
    "throws": "internal",
    "out_of_memory": "out_of_memory",
    "not_a_number": "internal",
    "fails_to_load": "model_unavailable",
}
MODELS = "models:\n" + "".join(f"  {name}: {{stand_in: {name}}}\n" for name in ("works", *REASONS))
POINTS = [{"id": n, "version": 0, "score": 1 - n / 10, "payload": {"text": text}} for n, text in enumerate(("pears", "apples", "plums"))]


def search(model: str, **options: object) -> dict[str, object]:
    flags = {"use_reranker": True, "rerank_query": "apples", "rerank_model": model, "rerank_timeout_ms": 30_000}
    if model == "hangs":
        flags["rerank_timeout_ms"] = 200
    return {"query": [0.1], "limit": 3, "with_payload": True} | flags | options


def serve(reader: Reader, sock: socket.socket, _: int) -> None:
    while True:
        request = reader.message()
        body = json.loads(request.body)
        found = {"points": POINTS}
        answer = json.dumps({"result": [found] * len(body["searches"]) if "searches" in body else found, "status": "ok", "time": 0.1}).encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


class Rig:
    def __init__(self, port: int, **settings: object) -> None:
        quick = {"upstream.keep_alive_timeout": "100ms"}  # so that descriptors can be counted
        self.proxy = Qrerank(f"http://127.0.0.1:{port}", MODELS, settings=quick | settings)

    def send(self, body: dict[str, object]) -> socket.socket:
        sock = socket.create_connection(self.proxy.address, timeout=LIMIT_S)
        path, raw = "query/batch" if "searches" in body else "query", json.dumps(body).encode()
        sock.sendall(b"POST /collections/c/points/%s HTTP/1.1\r\nHost: q\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(raw), raw))
        return sock

    def ask(self, body: dict[str, object]) -> Message:
        with self.send(body) as sock:
            return Reader(sock).message()

    def reason(self, body: dict[str, object]) -> str | None:
        answer = self.ask(body)
        assert answer.status == 200
        return json.loads(answer.body).get("reranking_reason")

    def healthy(self) -> None:
        answer = json.loads(self.ask(search("works")).body)
        assert answer["reranking_used"] and [point["id"] for point in answer["result"]["points"]] == [1, 0, 2]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with FakeUpstream(serve) as up:
        rig = Rig(up.port)
        with rig.proxy:
            for model in REASONS:  # what is made once is made: threads, and the batch that never ends
                rig.ask(search(model))
            rig.healthy()
            rig.footprint = Footprint(rig.proxy.process.pid)
            yield rig


@pytest.fixture
def healthy_afterwards(rig: Rig) -> Iterator[None]:
    yield
    rig.healthy()
    rig.footprint.settled()


@pytest.mark.usefixtures("healthy_afterwards")
@pytest.mark.parametrize("model", REASONS)
def test_a_fault_gives_the_clients_own_result(rig: Rig, model: str):
    for _ in range(5):
        answer = rig.ask(search(model))
        assert answer.status == 200
        body = json.loads(answer.body)
        assert body["result"]["points"] == POINTS
        assert (body["reranking_used"], body["reranking_reason"]) == (False, REASONS[model])
        assert answer.one("x-reranking-reason") == REASONS[model]


@pytest.mark.usefixtures("healthy_afterwards")
@pytest.mark.parametrize("model", REASONS)
def test_a_fault_is_an_error_where_that_is_asked_for(rig: Rig, model: str):
    answer = rig.ask(search(model, rerank_on_error="error"))
    assert answer.status == (507 if model == "out_of_memory" else 503)
    assert answer.one("x-reranking-reason") == REASONS[model]
    assert "error" in json.loads(answer.body)["status"]
    assert model == "out_of_memory" or answer.one("retry-after")


@pytest.mark.usefixtures("healthy_afterwards")
def test_in_a_batch_the_others_are_reranked(rig: Rig):
    models = ["works", *REASONS, "works"]
    batch = {"searches": [search(model) for model in models]}
    answer = rig.ask(batch)
    assert answer.status == 200
    body = json.loads(answer.body)
    told = [(one["reranking_used"], one.get("reranking_reason")) for one in body["reranking"]]
    assert told == [(model == "works", REASONS.get(model)) for model in models]
    assert [[point["id"] for point in found["points"]] for found in body["result"]] == [[1, 0, 2] if model == "works" else [0, 1, 2] for model in models]
    assert body["reranking_used"]
    for one in batch["searches"]:
        one["rerank_on_error"] = "error"
    refused = rig.ask(batch)
    assert refused.status == 503


@pytest.mark.usefixtures("healthy_afterwards")
def test_clients_that_leave_while_it_hangs_leave_nothing(rig: Rig):
    for n in range(20):
        sock = rig.send(search("hangs", rerank_timeout_ms=60_000))
        reset(sock) if n % 2 else sock.close()


@pytest.mark.usefixtures("healthy_afterwards")
def test_a_client_that_ends_its_sending_while_it_is_scored_counts_as_gone(rig: Rig):
    """A whole request, then shutdown(SHUT_WR): docs/api.md says that no answer comes."""
    before = cancelled_at(rig)
    for _ in range(3):
        with rig.send(search("hangs", rerank_timeout_ms=60_000)) as sock:
            wait_until(lambda: b'"waiting":1' in models_of(rig))
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
    assert cancelled_at(rig) == before + 3


def test_a_full_queue_refuses_and_empties_when_clients_leave():
    with FakeUpstream(serve) as up:
        rig = Rig(up.port, **{"scoring.max_queued_texts": 7, "scoring.cache_bytes": 0})
        with rig.proxy:
            waiting = []

            def is_full() -> bool:  # how many the batch that never ends took with it is not known
                waiting.append(rig.send(search("hangs", rerank_timeout_ms=60_000)))
                return rig.reason(search("hangs", rerank_timeout_ms=2000)) == "overloaded"

            wait_until(is_full)
            assert rig.ask(search("hangs", rerank_on_error="error")).status == 503
            rig.healthy()  # another model's queue
            for sock in waiting:
                sock.close()
            wait_until(lambda: rig.reason(search("hangs", rerank_timeout_ms=50)) == "timeout")
            rig.healthy()



def test_a_reload_puts_another_model_in_the_place_of_one_that_hangs():
    with FakeUpstream(serve) as up:
        rig = Rig(up.port)
        with rig.proxy:
            assert rig.reason(search("hangs")) == "timeout"
            rig.proxy.reload(MODELS.replace("stand_in: hangs", "stand_in: works"))
            assert rig.reason(search("hangs", rerank_timeout_ms=30_000)) is None


@pytest.mark.parametrize("answered", [True, False], ids=["answered in time", "cut off"])
def test_sigterm_ends_the_program_although_a_batch_hangs(answered: bool):
    with FakeUpstream(serve) as up:
        rig = Rig(up.port, **{"proxy.drain_timeout": "1h" if answered else "200ms"})
        rig.proxy.start()
        rig.ask(search("hangs"))  # the batch that never ends
        got: list[int] = []

        def wait() -> None:
            with rig.send(search("hangs", rerank_timeout_ms=3000 if answered else 60_000)) as sock:
                sent.set()
                try:
                    got.append(Reader(sock).message().status)
                except ConnectionError:
                    got.append(0)

        sent = threading.Event()
        client = threading.Thread(target=wait)
        client.start()
        assert sent.wait(LIMIT_S)
        wait_until(lambda: b'"waiting":1' in models_of(rig))
        rig.proxy.process.send_signal(signal.SIGTERM)
        assert rig.proxy.process.wait(LIMIT_S) == 0
        client.join(LIMIT_S)
        assert got == [200 if answered else 0]
        assert "a batch does not end: stopped without it" in rig.proxy.stderr
        rig.proxy.stop()


def test_a_hangup_does_not_end_what_is_ending() -> None:
    with FakeUpstream(serve) as up:
        rig = Rig(up.port, **{"proxy.drain_timeout": "200ms"})
        rig.proxy.start()
        rig.ask(search("hangs"))  # the batch that never ends
        rig.proxy.process.send_signal(signal.SIGTERM)
        rig.proxy.wait_for_log("stopped")
        while rig.proxy.process.poll() is None:
            rig.proxy.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        assert rig.proxy.process.returncode == 0
        assert "a batch does not end: stopped without it" in rig.proxy.stderr
        rig.proxy.stop()


def models_of(rig: Rig) -> bytes:
    return page_of(rig, b"/models").replace(b" ", b"")


def cancelled_at(rig: Rig) -> int:
    counts = re.findall(rb'^qrerank_requests_total\{.*outcome="cancelled".*\} (\d+)$', page_of(rig, b"/metrics"), re.MULTILINE)
    return sum(map(int, counts))


def page_of(rig: Rig, path: bytes) -> bytes:
    host, _, port = rig.proxy.admin.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as sock:
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        return Reader(sock).message().body
