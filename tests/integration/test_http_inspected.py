"""The seam for intercepted requests: bodies held up to a size, the watch on the client, exchanges with the upstream."""

import json
import socket

import pytest

from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, answering, ok, reset
from tests.support.relay_process import RelayProcess

pytestmark = pytest.mark.sanitize


def post(path: bytes, body: bytes, extra: bytes = b"") -> bytes:
    return b"POST /inspect/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (path, extra, len(body), body)


def chunked(path: bytes, *pieces: bytes) -> bytes:
    head = b"POST /inspect/%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % path
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.fixture
def seen():
    return []


@pytest.fixture
def proxy(seen):
    with FakeUpstream(answering(ok(b"from upstream", b"X-Up: 1\r\n"), requests=seen)) as up, RelayProcess(up.port) as process:
        yield process


def test_held_body_is_answered_by_the_flow(proxy, seen):
    assert proxy.ask(post(b"echo", b"abc")).body == b"abc"
    assert proxy.ask(chunked(b"echo", b"ab", b"c")).body == b"abc"
    assert proxy.ask(post(b"echo", b"")).body == b""
    assert proxy.ask(post(b"echo", b"x" * 1000)).body == b"x" * 1000
    assert seen == []


def test_expecting_client_is_told_to_go_on(proxy):
    with proxy.connect() as sock:
        sock.sendall(post(b"echo", b"abc", b"Expect: 100-continue\r\n")[:-3])
        reader = Reader(sock)
        assert reader.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert reader.message().body == b"abc"


@pytest.mark.parametrize("request_bytes", [post(b"echo", b"y" * 1001), chunked(b"echo", b"y" * 600, b"y" * 401)])
def test_body_over_the_limit_streams_through_with_the_wished_header(proxy, seen, request_bytes):
    answer = proxy.ask(request_bytes)
    assert (answer.body, answer.one("x-uninspected")) == (b"from upstream", "yes")
    assert seen[0].body == b"y" * 1001


def test_chunked_body_that_grows_over_the_limit_piece_by_piece(proxy, seen):
    with proxy.connect() as sock:
        sock.sendall(b"POST /inspect/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(300):
            sock.sendall(b"400\r\n" + b"z" * 1024 + b"\r\n")
        sock.sendall(b"0\r\n\r\n")
        assert Reader(sock).message().body == b"from upstream"
    assert seen[0].body == b"z" * 1024 * 300


def test_pass_as_it_came_adds_headers(proxy, seen):
    answer = proxy.ask(post(b"pass", b"abc", b"X-Mine: 1\r\n"))
    assert (answer.body, answer.one("x-reranking-used"), answer.one("x-up")) == (b"from upstream", "false", "1")
    assert (seen[0].first, seen[0].body, seen[0].one("x-mine")) == ("POST /inspect/pass HTTP/1.1", b"abc", "1")
    assert proxy.ask(chunked(b"pass", b"ab", b"c")).status == 200
    assert (seen[1].body, seen[1].one("content-length"), seen[1].one("transfer-encoding")) == (b"abc", "3", None)


def test_exchange_with_the_upstream(proxy, seen):
    answer = proxy.ask(post(b"ask", b"abc", b"api-key: k\r\nExpect: 100-continue\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"))
    assert (answer.status, answer.body, answer.one("x-up")) == (200, b"from upstream", "1")
    assert seen[0].first == "POST /inspected HTTP/1.1"
    assert seen[0].lines[1:] == ["Host: x", "api-key: k", "Content-Length: 3"]


@pytest.mark.parametrize(
    "answer, status",
    [(b"", 502), (b"junk\r\n\r\n", 502), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 502)],
)
def test_exchange_that_fails_has_qdrants_error_shape(answer, status):
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(answer)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        failed = proxy.ask(post(b"ask", b"abc"))
    assert failed.status == status
    assert "upstream" in json.loads(failed.body)["status"]["error"]


@pytest.mark.parametrize(
    "answer, body",
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"q" * 200_000, b"q" * 200_000),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
    ],
)
def test_exchange_reads_every_framing(answer, body):
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(answer)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        assert proxy.ask(post(b"ask", b"abc")).body == body


@pytest.mark.parametrize("path", [b"ask", b"pass"])
def test_held_search_is_sent_again_on_a_stale_connection(path):
    bodies = []

    def serve(reader, sock, n):
        bodies.append(reader.message().body)
        sock.sendall(ok())
        if n == 0:
            bodies.append(reader.message().body)
            return
        reader.message()

    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy:
        for _ in range(2):
            assert proxy.ask(post(path, b"abc")).status == 200
    assert bodies == [b"abc"] * 3


def test_exception_is_a_500_and_the_connection_lives(proxy):
    with proxy.connect() as sock:
        sock.sendall(post(b"throw", b"abc") + post(b"echo", b"next"))
        reader = Reader(sock)
        failed = reader.message()
        assert failed.status == 500
        assert json.loads(failed.body)["status"]["error"] == "internal error"
        assert reader.message().body == b"next"


@pytest.mark.parametrize("end", ["close", "reset", "end of sending"])
def test_client_that_goes_away_cancels_the_flow(proxy, end):
    """An end of sending is the same FIN as a close: nothing is computed for a client that has most likely left."""
    sock = proxy.connect()
    sock.sendall(post(b"wait", b"abc"))
    sock.settimeout(0.05)
    with pytest.raises(TimeoutError):
        sock.recv(1)
    if end == "end of sending":
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(LIMIT_S)
        assert sock.recv(1) == b""  # no answer
    else:
        reset(sock) if end == "reset" else sock.close()
    assert proxy.process.stdout.readline() == "handle left\n"
    assert proxy.ask(post(b"echo", b"next")).body == b"next"


def test_drain_cancels_a_flow_that_does_not_end():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, drain_timeout=150) as proxy:
        with proxy.connect() as sock:
            sock.sendall(post(b"wait", b"abc"))
            sock.settimeout(0.05)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            proxy.terminate()
            proxy.process.wait(LIMIT_S)
            assert proxy.process.stdout.read() == "handle left\n"


def test_pipelined_request_waits_behind_an_inspected_one(proxy):
    with proxy.connect() as sock:
        sock.sendall(post(b"ask", b"1") + post(b"echo", b"2") + post(b"echo", b"3"))
        reader = Reader(sock)
        assert [reader.message().body for _ in range(3)] == [b"from upstream", b"2", b"3"]


def test_messages_know_their_parts():
    message = Message(b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", b"")
    assert (message.status, message.one("a"), message.one("b")) == (200, "1", None)
