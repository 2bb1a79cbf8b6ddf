"""SIGHUP: a new configuration for new requests, the old one where the new one is faulty, and never a lost connection."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import body_of, post
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, ok
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize

ALWAYS = 'collections: {"*": {rerank: always, top_k: 10}}\n'
NEVER = 'collections: {"*": {rerank: never}}\n'
FLAGGED = body_of("query", use_reranker=True, rerank_query=library.QUERY)


@pytest.fixture(scope="module")
def collection(qdrant: Qdrant) -> str:
    return library.fill(qdrant, "reload")


@pytest.fixture()
def proxy(qdrant: Qdrant) -> Iterator[Qrerank]:
    with Qrerank(qdrant.url) as process:
        yield process


@pytest.fixture()
def client(qdrant: Qdrant, proxy: Qrerank) -> Iterator[httpx.Client]:
    with proxy.client() as made:
        made.headers.update(qdrant.headers)
        yield made


def reloads(proxy: Qrerank) -> dict[str, int]:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    name = "qrerank_config_reloads_total"
    return {outcome: int(text.split(f'{name}{{outcome="{outcome}"}} ')[1].split()[0]) for outcome in ("in_force", "refused")}


def test_new_rules_are_in_force_without_a_restart(proxy: Qrerank, client: httpx.Client, collection: str) -> None:
    assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == str(library.WITH_TEXT)
    assert "configuration reloaded" in proxy.reload("rerank: {top_k: 10}\nlog: {access: true}\n")
    assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == "10"
    proxy.wait_for_log("outcome=reranked")
    assert "changed=collections.*" in proxy.reload(NEVER + "rerank: {top_k: 10}\nlog: {access: true}\n")
    assert post(client, collection, "query", FLAGGED).status == 400
    assert reloads(proxy) == {"in_force": 2, "refused": 0}


def test_a_faulty_configuration_changes_nothing_and_says_why(proxy: Qrerank, client: httpx.Client, collection: str) -> None:
    proxy.reload("rerank: {top_k: 10}\n")
    for faulty, why in [
        ("rerank: {top_k: 5}\n", "rerank.top_k: 5 is out of bounds"),
        ("rerank: {top_k: 10\n", "not valid YAML"),
        ("rernk: {}\n", "did you mean rerank?"),
        ("rerank: {top_k: 5, weight: 2}\n", "; "),
        ("models: {new: {path: /new}}\ncollections: {docs: {model: old}}\n", "collections.docs.model: 'old' is neither"),
    ]:
        line = proxy.reload(faulty)
        assert "ERROR" in line and "not reloaded, the old one stays" in line and why in line, line
        assert "\\n" not in line, line
        assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == "10"
    proxy.config_file.unlink()
    assert "cannot be read" in proxy.reload()
    assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == "10"
    assert reloads(proxy) == {"in_force": 1, "refused": 6}
    assert "configuration reloaded" in proxy.reload("rerank: {top_k: 11}\n")
    assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == "11"


def test_what_needs_a_restart_stays_and_is_named(proxy: Qrerank, client: httpx.Client, collection: str) -> None:
    since = len(proxy.stderr)
    proxy.reload("proxy: {io_threads: 3}\nscoring: {cache_bytes: 1MiB}\nrerank: {top_k: 10}\n")
    line = proxy.wait_for_log("takes effect after a restart", since)
    assert 'settings="proxy.io_threads, scoring.cache_bytes"' in line
    assert post(client, collection, "query", FLAGGED).header("x-reranking-candidates") == "10", "the rest is in force"


def test_models_come_and_go(proxy: Qrerank, client: httpx.Client, collection: str) -> None:
    asked = {**FLAGGED, "rerank_model": "m", "rerank_on_error": "error"}

    def names() -> set[str]:
        listed = httpx.get(f"http://{proxy.admin}/models", timeout=LIMIT_S).json()["models"]
        return {one["name"] for one in listed}

    unknown = post(client, collection, "query", asked)
    assert unknown.status == 400 and "not a configured model" in unknown.error
    assert 'changed=models.m' in proxy.reload("models: {m: {path: /there-is-none}}\n")
    assert names() == {"mock", "m"}
    # It is known and cannot be loaded: that is another answer than for an unknown one.
    assert post(client, collection, "query", asked).status == 503
    assert "changed=models.m" in proxy.reload("")
    assert names() == {"mock"}
    assert post(client, collection, "query", asked).status == 400


def test_log_level_follows(proxy: Qrerank) -> None:
    proxy.reload("log: {level: error}\n")
    since = len(proxy.stderr)
    assert "ERROR" in proxy.reload("log: {level: loud}\n")
    assert "configuration reloaded" in proxy.reload("log: {level: info}\n")
    assert "WARN" not in proxy.stderr[since:]


class Asker(threading.Thread):
    """Searches over one connection, again and again; a second connection is a failure."""

    def __init__(self, proxy: Qrerank, headers: dict[str, str], collection: str) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(*proxy.address, timeout=LIMIT_S)
        self.path = f"/collections/{collection}/points/query"
        self.headers = {**headers, "content-type": "application/json", "x-rerank-query": "fox"}
        self.done = 0
        self.reranked = 0
        self.failure: BaseException | None = None
        self.stopping = False
        self.progress = threading.Condition()

    def run(self) -> None:
        try:
            self.connection.connect()
            self.connection.auto_open = 0  # a connection that the proxy dropped is not made again
            while not self.stopping:
                self.ask()
        except BaseException as failure:  # told by the test
            self.failure = failure
        finally:
            with self.progress:
                self.stopping = True
                self.progress.notify_all()
            self.connection.close()

    def ask(self) -> None:
        self.connection.request("POST", self.path, json.dumps(body_of("query")), self.headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        points = answer["result"]["points"]
        assert len(points) == library.COUNT
        reranked = response.getheader("x-reranking-used") == "true"
        if reranked:
            # One configuration from the flag to the number of candidates.
            assert response.getheader("x-reranking-candidates") == "10"
            assert sum("rerank_score" in point for point in points) == 10
        else:
            assert "reranking_used" not in answer
        with self.progress:
            self.done += 1
            self.reranked += reranked
            self.progress.notify_all()

    def wait_for_more(self, requests: int) -> None:
        with self.progress:
            until = self.done + requests
            assert self.progress.wait_for(lambda: self.done >= until or self.stopping, LIMIT_S), "no answer"


def test_reload_under_load_drops_nothing(qdrant: Qdrant, collection: str) -> None:
    with Qrerank(qdrant.url, ALWAYS) as proxy:
        askers = [Asker(proxy, qdrant.headers, collection) for _ in range(4)]
        for asker in askers:
            asker.start()
        for turn in range(12):
            for asker in askers:
                asker.wait_for_more(2)
            assert "configuration reloaded" in proxy.reload(NEVER if turn % 2 == 0 else ALWAYS)
        for asker in askers:
            asker.wait_for_more(2)
            asker.stopping = True
            asker.join(LIMIT_S)
        failures = [asker.failure for asker in askers if asker.failure]
        assert failures == []
        assert reloads(proxy) == {"in_force": 12, "refused": 0}
        for asker in askers:
            assert 0 < asker.reranked < asker.done, "both configurations were seen"


def test_a_search_that_is_under_way_ends_with_the_configuration_it_began_with() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def serve(reader, sock, _n):
        while True:
            body = json.loads(reader.message().body)
            if body["limit"] == 20:
                asked.set()
                assert go_on.wait(LIMIT_S)
            points = [{"id": i, "version": 1, "score": 1 / (i + 1), "payload": {"text": "fox"}} for i in range(body["limit"])]
            sock.sendall(ok(json.dumps({"result": {"points": points}, "status": "ok", "time": 0.1}).encode()))

    config = "rerank: {{top_k: {}}}\n"
    with FakeUpstream(serve) as upstream, Qrerank(f"http://127.0.0.1:{upstream.port}", config.format(20)) as proxy:
        with proxy.client() as client:
            answers = []
            search = {"query": [1.0], "limit": 1, "use_reranker": True, "rerank_query": "fox"}
            under_way = threading.Thread(target=lambda: answers.append(post(client, "c", "query", search)))
            under_way.start()
            assert asked.wait(LIMIT_S)
            assert "configuration reloaded" in proxy.reload(config.format(10))
            with proxy.client() as other:
                assert post(other, "c", "query", search).header("x-reranking-candidates") == "10"
            go_on.set()
            under_way.join(LIMIT_S)
        assert [answer.header("x-reranking-candidates") for answer in answers] == ["20"]


def has_open(pid: int, path: Path) -> bool:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(descriptor) == str(path):
                return True
    return False


@contextlib.contextmanager
def read_from_a_pipe(proxy: Qrerank) -> Iterator[int]:
    """A reload is at it and gets nothing: what is written to the pipe and its end are still to come."""
    proxy.config_file.unlink()
    os.mkfifo(proxy.config_file)
    pipe = os.open(proxy.config_file, os.O_RDWR)
    try:
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: has_open(proxy.process.pid, proxy.config_file))
        yield pipe
    finally:
        os.close(pipe)


def test_a_configuration_that_is_slow_to_read_holds_nothing_up(proxy: Qrerank) -> None:
    since = len(proxy.stderr)
    with read_from_a_pipe(proxy) as pipe:
        for _ in range(3):
            assert httpx.get(f"http://{proxy.admin}/livez", timeout=LIMIT_S).status_code == 200
        assert " reloaded" not in proxy.stderr[since:]
        proxy.config_file.unlink()
        proxy.config_file.write_text("rerank: {top_k: 12}\n")
        proxy.process.send_signal(signal.SIGHUP)  # waits for its turn
        os.write(pipe, b"rerank: {top_k: 11}\n")
    wait_until(lambda: proxy.stderr[since:].count("configuration reloaded") == 2)
    assert "top_k: 12" in httpx.get(f"http://{proxy.admin}/config", timeout=LIMIT_S).text


def test_the_end_does_not_wait_for_a_configuration_that_is_slow_to_read(qdrant: Qdrant) -> None:
    with Qrerank(qdrant.url) as proxy, read_from_a_pipe(proxy):
        assert proxy.stop() == 0
        assert "stopped" in proxy.stderr and " reloaded" not in proxy.stderr
