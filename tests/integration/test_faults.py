"""Faults of the network and of the upstream, made by toxiproxy on either side of the real program.

After each: the client got the right status or saw that the answer was cut, nothing of the fault is left (connections,
descriptors, memory), and the next request works.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.footprint import Footprint
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, read_to_end
from tests.support.toxiproxy import Link, Toxiproxy

GET = b"GET /x HTTP/1.1\r\nHost: q\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\nhello"
SEARCH_BODY = b'{"query": [0.1], "limit": 2, "rerank": true, "rerank_query": "apples"}'
SEARCH = b"POST /collections/c/points/query HTTP/1.1\r\nHost: q\r\nContent-Length: %d\r\n\r\n%s" % (len(SEARCH_BODY), SEARCH_BODY)
HITS = b'{"result":{"points":[{"id":1,"version":0,"score":0.5,"payload":{"text":"pears"}},{"id":2,"version":0,"score":0.4,"payload":{"text":"apples"}}]},"status":"ok","time":0.1}'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\n01234567890123456789"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\na\r\n0123456789\r\n0\r\nX-T: v\r\n\r\n"
FOUND = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(HITS), HITS)


def serve(reader: Reader, sock: socket.socket, _: int) -> None:
    while True:
        request = reader.message()
        path = request.first.split(" ")[1]
        sock.sendall(FOUND if path.startswith("/collections/") else CHUNKED if path == "/chunked" else PLAIN)


class Rig:
    """client → `front` → qrerank → `back` → upstream."""

    def __init__(self, toxiproxy: Toxiproxy, upstream_port: int) -> None:
        self.back = toxiproxy.link(upstream_port)
        # Idle connections go quickly, so that descriptors can be counted.
        settings = {"upstream.response_timeout": "500ms", "upstream.keep_alive_timeout": "100ms", "proxy.body_timeout": "500ms"}
        self.proxy = Qrerank(f"http://127.0.0.1:{self.back.port}", settings=settings)
        self.proxy.start()
        self.front = toxiproxy.link(self.proxy.address[1])
        for request in (GET, POST, SEARCH):  # everything that is made once is made
            assert self.ask(request).status == 200
        self.footprint = Footprint(self.proxy.process.pid)

    def ask(self, request: bytes, port: int | None = None) -> Message:
        with socket.create_connection(("127.0.0.1", port or self.proxy.address[1]), timeout=LIMIT_S) as sock:
            sock.sendall(request)
            return Reader(sock).message()

    @contextlib.contextmanager
    def fault(self, link: Link, kind: str, stream: str = "downstream", **attributes: int) -> Iterator[None]:
        link.poison(kind, stream, **attributes)
        try:
            yield
        finally:
            link.cure(kind)

    def healthy(self) -> None:
        assert self.ask(GET).body == PLAIN[-20:]
        answer = self.ask(SEARCH)
        assert answer.status == 200 and json.loads(answer.body)["reranking_used"] is True
        self.footprint.settled()


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with FakeUpstream(serve) as up, Toxiproxy() as toxiproxy:
        rig = Rig(toxiproxy, up.port)
        yield rig
        assert rig.proxy.stop() == 0, rig.proxy.stderr


@pytest.fixture(autouse=True)
def healthy_afterwards(rig: Rig) -> Iterator[None]:
    yield
    rig.healthy()


def error_of(answer: Message) -> str:
    return json.loads(answer.body)["status"]["error"]


@pytest.mark.parametrize("request_bytes", [GET, POST, SEARCH], ids=["get", "post", "search"])
@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 100, "jitter": 50}),
        ("bandwidth", {"rate": 2}),
        ("slicer", {"average_size": 1, "size_variation": 0, "delay": 100}),
        ("slow_close", {"delay": 100}),
    ],
)
@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_slow_and_sliced_links_change_nothing(rig: Rig, side: str, kind: str, attributes: dict, stream: str, request_bytes: bytes):
    with rig.fault(getattr(rig, side), kind, stream, **attributes):
        answer = rig.ask(request_bytes, rig.front.port)
    assert answer.status == 200
    if request_bytes is SEARCH:
        points = json.loads(answer.body)["result"]["points"]
        assert [point["id"] for point in points] == [2, 1]
    else:
        assert answer.body == PLAIN[-20:]


@pytest.mark.parametrize("request_bytes", [GET, POST, SEARCH], ids=["get", "post", "search"])
def test_reset_by_the_upstream_is_502(rig: Rig, request_bytes: bytes):
    with rig.fault(rig.back, "reset_peer", timeout=0):
        assert "upstream" in error_of(answer := rig.ask(request_bytes))
    assert answer.status == 502


@pytest.mark.parametrize("request_bytes", [GET, POST, SEARCH], ids=["get", "post", "search"])
@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_black_hole_is_504(rig: Rig, request_bytes: bytes, stream: str):
    with rig.fault(rig.back, "timeout", stream, timeout=0):
        assert "timed out" in error_of(answer := rig.ask(request_bytes))
    assert answer.status == 504


@pytest.mark.parametrize("request_bytes", [GET, POST, SEARCH], ids=["get", "post", "search"])
def test_upstream_that_is_away_is_502(rig: Rig, request_bytes: bytes):
    rig.back.enable(False)
    try:
        assert "cannot connect" in error_of(answer := rig.ask(request_bytes))
        assert answer.status == 502
    finally:
        rig.back.enable(True)


def whole(answer: bytes) -> bool:
    """Would a client take it for a complete response?"""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if b"chunked" in head.lower():
        return answer.endswith(b"0\r\nX-T: v\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return len(body) == length


@pytest.mark.parametrize("path", ["/plain", "/chunked"])
def test_answer_cut_at_every_byte(rig: Rig, path: str):
    """Before the client got a byte: 502. After that: an end that no client takes for a whole answer."""
    answer = CHUNKED if path == "/chunked" else PLAIN
    seen = {502: 0, 200: 0}
    for kept in range(len(answer)):
        with rig.fault(rig.back, "limit_data", bytes=kept):
            with socket.create_connection(rig.proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(b"POST %s HTTP/1.1\r\nHost: q\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" % path.encode())
                got, cut = b"", False
                try:
                    while piece := sock.recv(65536):
                        got += piece
                except ConnectionResetError:
                    cut = True
        status = int(got.split(b" ")[1])
        seen[status] += 1
        if status == 502:
            assert whole(got) and not cut and kept <= answer.index(b"\r\n\r\n") + 4 + 4, (kept, got)
        else:
            assert cut and not whole(got) and kept >= answer.index(b"\r\n\r\n") + 4, (kept, got)
    assert seen[502] > 0 and seen[200] > 0


def test_answer_to_a_search_cut_at_every_byte(rig: Rig):
    """Its client has got nothing yet: always a 502 that says so."""
    for kept in range(len(FOUND)):
        with rig.fault(rig.back, "limit_data", bytes=kept):
            answer = rig.ask(SEARCH)
        assert answer.status == 502 and "upstream" in error_of(answer), (kept, answer.body)


@pytest.mark.parametrize("request_bytes", [POST, SEARCH], ids=["post", "search"])
def test_request_cut_at_every_byte(rig: Rig, request_bytes: bytes):
    """Nobody is answered, and nothing is left of it."""
    for kept in range(0, len(request_bytes)):
        with socket.create_connection(rig.proxy.address, timeout=LIMIT_S) as sock:
            sock.sendall(request_bytes[:kept])
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                assert read_to_end(sock) == b"", kept


def test_clients_that_reset_at_every_byte_of_their_answer(rig: Rig):
    for kept in range(len(PLAIN)):
        with rig.fault(rig.front, "limit_data", bytes=kept):
            with socket.create_connection(("127.0.0.1", rig.front.port), timeout=LIMIT_S) as sock:
                sock.sendall(GET)
                with contextlib.suppress(ConnectionResetError):
                    read_to_end(sock)


UPSTREAM = """
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(listener.getsockname()[1], flush=True)
while True:
    sock, _ = listener.accept()
    got = b""
    while b"\\r\\n\\r\\n" not in got:
        piece = sock.recv(65536)
        if not piece:
            break
        got += piece
    if b"/half" in got:
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\nhello")
        sock.recv(1)
    elif got:
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")
    sock.close()
"""


def start_upstream(port: int = 0) -> tuple[subprocess.Popen, int]:
    process = subprocess.Popen([sys.executable, "-c", UPSTREAM, str(port)], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


def end(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_upstream_killed_inside_an_answer_and_back():
    upstream, port = start_upstream()
    with Qrerank(f"http://127.0.0.1:{port}") as proxy:
        footprint = None
        for _ in range(3):
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(GET.replace(b"/x", b"/half"))
                reader = Reader(sock)
                assert reader.head().startswith(b"HTTP/1.1 200")
                while not reader.rest.endswith(b"hello"):
                    reader.rest += sock.recv(65536)
                end(upstream)
                with pytest.raises(ConnectionResetError):  # not an end that looks like a whole answer
                    sock.recv(1)
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(GET)
                assert Reader(sock).message().status == 502
            upstream, _ = start_upstream(port)
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(GET)
                assert Reader(sock).message().body == b"hello"
            footprint = footprint or Footprint(proxy.process.pid)
        footprint.settled()
    end(upstream)
