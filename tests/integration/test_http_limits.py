"""Limits and time limits of the whole program, each tripped. Those of proxy/http alone are in test_http_failures.py."""

import contextlib
import json
import re
import socket
import time

import httpx
import pytest

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, answering, at_end, ok

pytestmark = pytest.mark.sanitize
GET = b"GET /x HTTP/1.1\r\nHost: q\r\n\r\n"


def proxied(port: int, **settings: object) -> Qrerank:
    """Settings of proxy.* by their last names."""
    return Qrerank(f"http://127.0.0.1:{port}", settings={f"proxy.{name}": value for name, value in settings.items()})


def connect(proxy: Qrerank) -> tuple[socket.socket, Reader]:
    sock = socket.create_connection(proxy.address, timeout=LIMIT_S)
    return sock, Reader(sock)


def error_of(answer: Message, status: int) -> str:
    assert answer.status == status, (answer.head, answer.body)
    return json.loads(answer.body)["status"]["error"]


def search(body: bytes, *fields: bytes) -> bytes:
    lines = (b"POST /collections/c/points/query HTTP/1.1", b"Host: q", b"X-Rerank: true", b"Content-Length: %d" % len(body), *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def test_header_count_is_431():
    seen: list[Message] = []
    with FakeUpstream(answering(ok(), requests=seen)) as up, proxied(up.port, max_headers=3) as proxy:
        sock, reader = connect(proxy)
        with sock:
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: q\r\nA: 1\r\nB: 2\r\n\r\n")
            assert reader.message().status == 200
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: q\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n")
            assert "more than 3" in error_of(reader.message(), 431)
            assert at_end(sock)
    assert [request.all("B") for request in seen if request.first.startswith("GET /x ")] == [["2"]]


def test_connections_of_one_address():
    with FakeUpstream(answering(ok())) as up, proxied(up.port, max_connections_per_address=2) as proxy:
        first, first_reader = connect(proxy)
        second, second_reader = connect(proxy)
        for sock, reader in ((first, first_reader), (second, second_reader)):
            sock.sendall(GET)
            assert reader.message().status == 200
        third, third_reader = connect(proxy)
        with third:
            answer = third_reader.message()
            assert "too many connections" in error_of(answer, 503)
            assert answer.one("connection") == "close" and at_end(third)
        metrics = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
        assert "\nqrerank_connections_turned_away_total 1\n" in metrics
        first.close()
        while True:  # the place comes free when the proxy has seen the end
            again, reader = connect(proxy)
            with again:
                again.sendall(GET)
                try:
                    if reader.message().status == 200:
                        break
                except ConnectionError:
                    pass
        second.sendall(GET)  # and whoever had a place kept it
        assert second_reader.message().status == 200
        second.close()


def test_upstream_that_accepts_nothing_is_504():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = []
        try:
            for _ in range(8):  # until the kernel's queue is full and SYNs stay unanswered
                sock = socket.socket()
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
                waiting.append(sock)
            settings = {"upstream.connect_timeout": "100ms"}
            with Qrerank(f"http://127.0.0.1:{port}", settings=settings) as proxy:
                sock, reader = connect(proxy)
                with sock:
                    sock.sendall(GET)
                    assert "timed out" in error_of(reader.message(), 504)
        finally:
            for sock in waiting:
                sock.close()


def test_whole_request_ends_while_the_upstream_thinks():
    def serve(reader, sock, _):
        if b"/slow" in reader.message().head:
            assert at_end(sock)  # let go of, not left waiting
        else:
            sock.sendall(ok())

    with FakeUpstream(serve) as up, proxied(up.port, request_timeout="300ms") as proxy:
        sock, reader = connect(proxy)
        with sock:
            sock.sendall(GET.replace(b"/x", b"/slow"))
            answer = reader.message()
            assert "request_timeout" in error_of(answer, 504)
            assert answer.one("connection") == "close" and at_end(sock)
        sock, reader = connect(proxy)
        with sock:
            sock.sendall(GET)
            assert reader.message().status == 200


def test_whole_request_ends_inside_an_endless_answer():
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # ends when the proxy lets go
            sock.sendall(b"1\r\nx\r\n")

    with FakeUpstream(serve) as up, proxied(up.port, request_timeout="300ms") as proxy:
        sock, reader = connect(proxy)
        with sock:
            sock.sendall(GET)
            assert reader.head().startswith(b"HTTP/1.1 200")
            with pytest.raises(ConnectionResetError):
                while sock.recv(65536):
                    pass
                raise AssertionError("ended as if it were whole")


@pytest.mark.parametrize("path", [b"/x", b"/collections/c/points/query"])
def test_whole_request_ends_while_its_body_drips(path):
    def serve(reader, sock, _):
        reader.message()

    with FakeUpstream(serve) as up, proxied(up.port, request_timeout="300ms") as proxy:
        sock, reader = connect(proxy)
        with sock:
            sock.sendall(b"POST %s HTTP/1.1\r\nHost: q\r\nContent-Length: 100\r\n\r\nhello" % path)
            assert "request_timeout" in error_of(reader.message(), 408)


def test_tunnel_outlives_the_limit_of_a_request():
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"

    def serve(reader, sock, _):
        if not reader.message().one("upgrade"):  # a request beside the tunnel, which runs into its limit
            assert at_end(sock)
            return
        sock.sendall(switched)
        while piece := sock.recv(65536):
            sock.sendall(piece)

    with FakeUpstream(serve) as up, proxied(up.port, request_timeout="300ms", io_threads=1) as proxy:
        tunnel, reader = connect(proxy)
        with tunnel:
            tunnel.sendall(b"GET /x HTTP/1.1\r\nHost: q\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
            assert reader.head().startswith(b"HTTP/1.1 101")
            sock, other = connect(proxy)
            with sock:
                sock.sendall(GET)  # sent later than the tunnel: when it is over, the tunnel's time is too
                assert other.message().status == 504
            tunnel.sendall(b"still here")
            assert tunnel.recv(100) == b"still here"


def held_bytes(proxy: Qrerank) -> int:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    return int(re.search(r"^qrerank_held_body_bytes (\d+)$", text, re.MULTILINE)[1])


def test_held_bodies_share_their_memory():
    seen: list[Message] = []
    with FakeUpstream(answering(ok(b"{}"), requests=seen)) as up, proxied(up.port, max_inspect_memory="1KiB") as proxy:
        holder, holding = connect(proxy)
        sock, reader = connect(proxy)
        body = b'{"limit": 1}'.ljust(700)
        with holder, sock:
            holder.sendall(search(body) + body[:600])
            until = time.monotonic() + LIMIT_S
            while held_bytes(proxy) != 600:
                assert time.monotonic() < until
            sock.sendall(search(body) + body)
            answer = reader.message()
            assert (answer.status, answer.one("x-reranking-used")) == (200, "false")
            assert answer.one("x-reranking-reason") is None  # nobody looked at it
            holder.sendall(body[600:])
            assert holding.message().one("x-reranking-reason") == "no_query"
            holder.sendall(GET)  # behind it what was held is given back
            assert holding.message().status == 200
            sock.sendall(search(body) + body)
            assert reader.message().one("x-reranking-reason") == "no_query"
        assert [request.body for request in seen if request.first.startswith("POST ")] == [body] * 3


def test_announced_bodies_hold_no_memory():
    """As many as would fill it several times over, and of none of them a byte was sent."""
    announced = search(b"", b"Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 1048576")
    with FakeUpstream(answering(ok(b"{}"))) as up, proxied(up.port, max_inspect_memory="2MiB") as proxy:
        with contextlib.ExitStack() as waiting:
            for _ in range(20):
                sock, reader = connect(proxy)
                waiting.enter_context(sock)
                sock.sendall(announced)
                assert reader.head().startswith(b"HTTP/1.1 100")  # so the body is waited for
            assert held_bytes(proxy) == 0
            sock, reader = connect(proxy)
            with sock:
                body = b'{"limit": 1}'.ljust(700)
                sock.sendall(search(body) + body)
                assert reader.message().one("x-reranking-reason") == "no_query"  # it was looked at
