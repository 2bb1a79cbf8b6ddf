"""Several nodes behind one proxy: turns, checks, ejection, return, and what clients notice of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.node import Node
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, answering, black_hole, ok
from tests.support.relay_process import RelayProcess

pytestmark = pytest.mark.sanitize

# Quick checks; one thread, so that turns can be counted.
QUICK = {
    "proxy.io_threads": 1,
    "upstream.health_interval": "20ms",
    "upstream.health_rise": 1,
    "upstream.health_fall": 1,
    "upstream.eject_failures": 0,
}
NO_CHECKS = {**QUICK, "upstream.health_interval": "0ms"}


@pytest.fixture()
def nodes() -> Iterator[list[Node]]:
    made = [Node(name).start() for name in ("a", "b", "c")]
    try:
        yield made
    finally:
        for node in made:
            node.stop()


@contextmanager
def running(nodes: list[Node], settings: dict[str, object]) -> Iterator[tuple[Qrerank, httpx.Client]]:
    with Qrerank(",".join(node.url for node in nodes), settings=settings) as proxy, proxy.client() as client:
        yield proxy, client


def names(client: httpx.Client, count: int, method: str = "GET") -> Counter[str]:
    """Who answered so many requests; all of them must succeed."""
    answered: Counter[str] = Counter()
    for _ in range(count):
        answer = client.request(method, "/x")
        assert answer.status_code == 200, answer.text
        answered[answer.text] += 1
    return answered


def state_of(proxy: Qrerank, node: Node) -> dict:
    upstreams = httpx.get(f"http://{proxy.admin}/status", timeout=LIMIT_S).json()["upstreams"]
    return next(upstream for upstream in upstreams if upstream["url"] == node.url)


def wait_for_state(proxy: Qrerank, node: Node, state: str) -> None:
    """Every change is logged after it happened."""
    while True:
        since = len(proxy.stderr)
        if state_of(proxy, node)["state"] == state:
            return
        proxy.wait_for_log("upstream changed", since)


def sample(proxy: Qrerank, name: str, node: Node) -> float:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    return float(text.split(f'{name}{{upstream="{node.url}"}} ')[1].split()[0])


def error_of(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    body = json.loads(answer.content)
    assert set(body) == {"status", "time"}
    return body["status"]["error"]


def test_requests_go_round(nodes: list[Node]):
    with running(nodes, NO_CHECKS) as (_, client):
        assert names(client, 6) == {"a": 2, "b": 2, "c": 2}
        assert names(client, 6, "POST") == {"a": 2, "b": 2, "c": 2}


def test_the_one_with_the_fewest_requests_is_asked(nodes: list[Node]):
    a, b, _ = nodes
    a.hang()
    with running([a, b], {**NO_CHECKS, "upstream.balance": "least_outstanding"}) as (proxy, client):
        names(client, 1)  # b's turn
        waiting = threading.Thread(target=names, args=(client, 1))
        waiting.start()
        a.wait_for_requests(1)
        with proxy.client() as other:
            assert names(other, 5) == {"b": 5}
        assert state_of(proxy, a)["outstanding"] == sample(proxy, "qrerank_upstream_outstanding_requests", a) == 1
        a.go_on()
        waiting.join(LIMIT_S)
        assert state_of(proxy, a)["outstanding"] == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_node_that_refuses_costs_nothing_and_comes_back(nodes: list[Node], method: str):
    a, b, _ = nodes
    with running([a, b], QUICK) as (proxy, client):
        assert names(client, 4, method) == {"a": 2, "b": 2}
        a.stop()
        assert names(client, 6, method) == {"b": 6}  # before a check noticed, and after
        wait_for_state(proxy, a, "down")
        assert sample(proxy, "qrerank_upstream_up", a) == 0
        assert sample(proxy, "qrerank_upstream_up", b) == 1
        assert names(client, 2, method) == {"b": 2}
        a.start()
        wait_for_state(proxy, a, "up")
        assert names(client, 4, method) == {"a": 2, "b": 2}


def test_a_node_that_is_not_ready_gets_nothing(nodes: list[Node]):
    a, b, _ = nodes
    a.ready = False
    with running([a, b], QUICK) as (proxy, client):
        wait_for_state(proxy, a, "down")
        assert names(client, 4) == {"b": 4}
        assert "answers 503 to /readyz" in state_of(proxy, a)["detail"]
        assert httpx.get(f"http://{proxy.admin}/readyz").status_code == 200
        a.ready = True
        wait_for_state(proxy, a, "up")
        assert names(client, 4) == {"a": 2, "b": 2}


@pytest.mark.parametrize("flagged", [False, True], ids=["plain", "flagged"])
def test_a_node_that_swallows_connections_takes_nothing_off_the_time_for_the_answer(flagged: bool):
    found = ok(b'{"result":{"points":[]},"status":"ok","time":0.1}', b"Content-Type: application/json\r\n")
    limits = {"upstream.connect_timeout": "500ms", "upstream.response_timeout": "400ms"}
    with black_hole() as hole, FakeUpstream(answering(found)) as good:
        urls = f"http://127.0.0.1:{good.port},http://127.0.0.1:{hole}"  # the second one's turn is first
        with Qrerank(urls, settings={**NO_CHECKS, **limits}) as proxy, proxy.client() as client:
            search = {"query": [1], "use_reranker": flagged, "rerank_query": "q"}
            answer = client.post("/collections/c/points/query", json=search)
            assert answer.status_code == 200, answer.text
            assert answer.json().get("reranking_reason") == ("no_candidates" if flagged else None)


def test_no_node_left_is_503(nodes: list[Node]):
    with running(nodes[:2], QUICK) as (proxy, client):
        for node in nodes[:2]:
            node.ready = False
        for node in nodes[:2]:
            wait_for_state(proxy, node, "down")
        for method in ("GET", "POST"):
            answer = client.request(method, "/x")
            assert error_of(answer, 503) == "no healthy upstream"
            assert answer.headers["retry-after"] == "2"
        search = client.post("/collections/c/points/query", json={"query": [1], "use_reranker": True, "rerank_query": "q"})
        assert error_of(search, 503) == "no healthy upstream"
        unready = httpx.get(f"http://{proxy.admin}/readyz")
        assert unready.status_code == 503
        assert unready.json()["reason"].startswith("no upstream is reachable: upstream http://")
        nodes[0].ready = True
        wait_for_state(proxy, nodes[0], "up")
        assert names(client, 2) == {"a": 2}


def test_nodes_that_all_refuse_are_502_until_the_checks_notice(nodes: list[Node]):
    with running(nodes[:2], NO_CHECKS) as (proxy, client):
        for node in nodes[:2]:
            node.stop()
        for method in ("GET", "POST"):
            assert "cannot connect" in error_of(client.request(method, "/x"), 502)
        assert [state_of(proxy, node)["failures"] for node in nodes[:2]] == [2, 2]


def test_a_single_node_is_tried_whatever_the_checks_say(nodes: list[Node]):
    a = nodes[0]
    with running([a], {**QUICK, "upstream.eject_failures": 1}) as (proxy, client):
        a.stop()
        wait_for_state(proxy, a, "down")
        for _ in range(3):
            assert "cannot connect" in error_of(client.get("/x"), 502)
        a.start()
        assert names(client, 1) == {"a": 1}  # whether or not a check noticed
        assert state_of(proxy, a)["ejections"] == 0
        assert a.checks == 0  # connected to, not asked


def test_a_hung_node_is_ejected_and_comes_back_on_trial(nodes: list[Node]):
    a, b, _ = nodes
    settings = {**NO_CHECKS, "upstream.eject_failures": 2, "upstream.response_timeout": "300ms"}
    with running([a, b], {**settings, "upstream.eject_time": "100ms"}) as (proxy, client):
        a.hang()
        statuses = Counter(client.get("/x").status_code for _ in range(4))
        assert statuses == {200: 2, 504: 2}
        assert state_of(proxy, a)["ejections"] == sample(proxy, "qrerank_upstream_ejections_total", a) == 1
        assert proxy.wait_for_log("to=ejected").count(a.url) == 1
        a.go_on()
        while state_of(proxy, a)["state"] == "ejected":
            assert client.get("/x").status_code == 200  # sooner or later one is its trial
        assert names(client, 4) == {"a": 2, "b": 2}


def test_where_all_are_ejected_they_are_tried_nevertheless(nodes: list[Node]):
    a, b, _ = nodes
    settings = {**NO_CHECKS, "upstream.eject_failures": 1, "upstream.eject_time": "1h", "upstream.eject_time_max": "1h"}
    with running([a, b], settings) as (proxy, client):
        a.stop()
        b.stop()
        assert client.get("/x").status_code == 502
        assert [state_of(proxy, node)["state"] for node in (a, b)] == ["ejected", "ejected"]
        a.start()
        b.start()
        assert names(client, 4) == {"a": 2, "b": 2}


def test_a_node_by_name(nodes: list[Node]):
    with Qrerank(f"http://localhost:{nodes[0].port}", settings=QUICK) as proxy, proxy.client() as client:
        assert names(client, 2) == {"a": 2}
    with Qrerank("http://no-such-name.invalid:6333", settings=QUICK) as proxy, proxy.client() as client:
        assert "cannot resolve the name" in error_of(client.get("/x"), 502)


# What may be sent again, and where


def cutting(requests: list[str], answered: int = 0):
    """Answers so many requests of each connection, takes one more and ends without an answer."""

    def serve(reader, sock, _n):
        for _ in range(answered):
            reader.message()
            sock.sendall(ok())
        requests.append(reader.message().first)

    return serve


GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
REPEATABLE = ["GET /x", "HEAD /x", "POST /inspect/ask", "POST /inspect/pass"]


def request_of(line: str) -> bytes:
    return line.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("line", REPEATABLE)
def test_a_repeatable_request_on_a_stale_connection_goes_to_another_node(line: str):
    cut: list[str] = []
    with FakeUpstream(answering(ok())) as good, FakeUpstream(cutting(cut, answered=1)) as stale:
        with RelayProcess(good.port, stale.port, io_threads=1) as proxy:
            for _ in range(2):  # one to each
                assert proxy.ask(GET).status == 200
            assert proxy.ask(request_of(line), bodyless=line.startswith("HEAD")).status == 200
            assert (len(cut), stale.connections, good.connections) == (1, 1, 2)  # a new one: idle ones may be stale too


@pytest.mark.parametrize("line", REPEATABLE)
def test_a_request_that_is_cut_off_once_more_is_502(line: str):
    cut: list[str] = []
    with FakeUpstream(cutting(cut)) as worst, FakeUpstream(cutting(cut, 1)) as stale, FakeUpstream(cutting(cut)) as worse:
        with RelayProcess(worst.port, stale.port, worse.port, io_threads=1) as proxy:
            assert [proxy.ask(GET).status for _ in range(3)] == [200, 502, 502]  # a turn each, on fresh connections
            assert len(cut) == 2
            assert proxy.ask(request_of(line), bodyless=line.startswith("HEAD")).status == 502
            assert len(cut) == 4


@pytest.mark.parametrize("line", REPEATABLE)
def test_a_fresh_connection_that_is_cut_off_is_502(line: str):
    """It was not stale: the server took the request and may have done what it asks."""
    cut: list[str] = []
    with FakeUpstream(answering(ok())) as good, FakeUpstream(cutting(cut)) as bad:
        with RelayProcess(good.port, bad.port, io_threads=1) as proxy:
            assert proxy.ask(request_of(line), bodyless=line.startswith("HEAD")).status == 502
            assert (len(cut), good.connections) == (1, 0)


def test_a_request_that_may_not_be_repeated_is_sent_once():
    cut: list[str] = []
    with FakeUpstream(answering(ok())) as good, FakeUpstream(cutting(cut, answered=1)) as stale:
        with RelayProcess(good.port, stale.port, io_threads=1) as proxy:
            for _ in range(2):
                assert proxy.ask(GET).status == 200
            answer = proxy.ask(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
            assert answer.status == 502
            assert (len(cut), good.connections) == (1, 1)


def test_once_a_byte_of_the_answer_came_nothing_is_repeated():
    def serve(reader, sock, _):
        for answer in (ok(), b"HTTP/1.1 2"):
            reader.message()
            sock.sendall(answer)

    for line in ("GET /x", "POST /inspect/ask"):
        with FakeUpstream(answering(ok())) as good, FakeUpstream(serve) as bad:
            with RelayProcess(good.port, bad.port, io_threads=1) as proxy:
                for _ in range(2):  # one to each
                    assert proxy.ask(GET).status == 200
                assert proxy.ask(request_of(line)).status == 502
                assert good.connections == 1


def test_a_stale_connection_of_the_only_fit_node_is_replaced_there(nodes: list[Node]):
    cut: list[str] = []
    gone = nodes[0]
    settings = {**NO_CHECKS, "upstream.eject_failures": 1, "upstream.eject_time": "1h", "upstream.eject_time_max": "1h"}
    with FakeUpstream(cutting(cut, answered=1)) as up:
        gone.stop()
        urls = f"{gone.url},http://127.0.0.1:{up.port}"
        with Qrerank(urls, settings=settings) as proxy, proxy.client() as client:
            for _ in range(3):  # the second one is refused by the other node first, which is ejected for it
                assert client.get("/x").status_code == 200
            assert (len(cut), up.connections) == (1, 3)


def test_a_stale_connection_is_replaced_where_it_was_when_the_other_node_refuses(nodes: list[Node]):
    cut: list[str] = []
    gone = nodes[0]
    with FakeUpstream(cutting(cut, answered=1)) as up:
        urls = f"{gone.url},http://127.0.0.1:{up.port}"
        with Qrerank(urls, settings=NO_CHECKS) as proxy, proxy.client() as client:
            for _ in range(2):  # one to each
                assert client.get("/x").status_code == 200
            gone.stop()
            assert client.get("/x").status_code == 200
            assert (len(cut), up.connections) == (1, 2)


# Under load

PROCESS = """
import asyncio, sys
name = sys.argv[2].encode()
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n%s" % (len(name), name))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class NodeProcess:
    """A node that can be killed as processes are."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self.process = subprocess.Popen([sys.executable, "-c", PROCESS, str(port), name], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def fresh_cut_offs(proxy: Qrerank) -> int:
    """New connections that ended before or within an answer; stale ones count as no errors."""
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    samples = (line for line in text.splitlines() if line.startswith("qrerank_upstream_errors_total{"))
    return sum(int(line.split()[1]) for line in samples if 'kind="cut_off"' in line)


def test_no_repeatable_request_on_a_kept_alive_connection_fails_when_one_of_three_nodes_dies():
    made = [NodeProcess(name) for name in ("a", "b", "c")]
    settings = {**QUICK, "proxy.io_threads": 2, "upstream.eject_failures": 5, "upstream.health_interval": "50ms"}
    answers: list[Counter[str]] = []
    failed: list[str] = []
    stop = threading.Event()
    counted = threading.Condition()

    def pound(proxy: Qrerank) -> None:
        mine: Counter[str] = Counter()
        with proxy.client() as client:
            answers.append(mine)
            while not stop.is_set():
                answer = client.get("/x")
                if answer.status_code != 200:
                    failed.append(answer.text)
                with counted:
                    mine[answer.text] += 1
                    counted.notify_all()

    def wait_for(name: str, more: int) -> None:
        """So many more answers of that node."""
        with counted:
            until = sum(mine[name] for mine in answers) + more
            assert counted.wait_for(lambda: sum(mine[name] for mine in answers) >= until, LIMIT_S)

    try:
        with Qrerank(",".join(node.url for node in made), settings=settings) as proxy:
            threads = [threading.Thread(target=pound, args=(proxy,)) for _ in range(8)]
            for thread in threads:
                thread.start()
            try:
                for round_ in range(3):
                    victim = made[round_]
                    wait_for(victim.name, 50)
                    victim.kill()
                    for node in made:
                        if node is not victim:
                            wait_for(node.name, 100)
                    made[round_] = NodeProcess(victim.name, victim.port)
                    wait_for(victim.name, 50)  # it is back
            finally:
                stop.set()
                for thread in threads:
                    thread.join(LIMIT_S)
            assert len(failed) == fresh_cut_offs(proxy), failed
            assert all(state_of(proxy, node)["outstanding"] == 0 for node in made)
    finally:
        for node in made:
            node.kill()
