"""Pass-through: what goes in comes out, in both directions, whatever the framing."""

import socket
import threading
import time

import pytest

from tests.support.raw_http import FakeUpstream, Message, Reader, answering, at_end, ok, read_to_end
from tests.support.relay_process import RelayProcess

pytestmark = pytest.mark.sanitize
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def exchange(request: bytes, response: bytes, bodyless: bool = False) -> tuple[Message, Message]:
    """(the request as the upstream saw it, the response as the client saw it)"""
    seen: list[Message] = []
    with FakeUpstream(answering(response, requests=seen)) as up, RelayProcess(up.port) as proxy:
        answer = proxy.ask(request, bodyless)
    return seen[0], answer


@pytest.mark.parametrize("then", [b"\n" + GET, b"\n\r\n" + GET], ids=["one", "two"])
def test_an_empty_line_may_come_in_two_halves(then: bytes):
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        reader = Reader(sock)
        for _ in range(2):  # on a new connection and on a kept one
            sock.sendall(b"\r")
            time.sleep(0.05)  # so that it comes alone; together with the rest it is an ordinary empty line
            sock.sendall(then)
            assert reader.message().status == 200
        sock.sendall(b"\r")
        time.sleep(0.05)
        sock.sendall(GET)
        assert reader.message().status == 400


def test_end_to_end_headers_keep_order_spelling_and_bytes():
    fields = b"X-b:  two  spaces\r\nApi-Key: secret\r\nx-B: again\r\naccept-encoding: gzip\r\nHost: qdrant.example:1\r\nX-Empty:\r\n"
    back = b"Vary: Origin\r\nX-Z: 1\r\nx-a: \xe4\r\nX-Z: 2\r\nContent-Encoding: gzip\r\n"
    seen, answer = exchange(b"GET /a%2Fb//c?x=%20&&y HTTP/1.1\r\n" + fields + b"\r\n", ok(b"\x1f\x8b\x00", back))
    assert seen.head == b"GET /a%2Fb//c?x=%20&&y HTTP/1.1\r\n" + fields.replace(b"spaces", b"spaces") + b"\r\n"
    assert answer.head == b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n" + back + b"\r\n"
    assert answer.body == b"\x1f\x8b\x00"


def test_hop_by_hop_headers_stay_on_their_connection():
    request = (
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n"
        b"Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nX-Yours: 2\r\n\r\n"
    )
    back = b"Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nX-Open: 1\r\n"
    seen, answer = exchange(request, ok(extra=back))
    assert seen.lines[1:] == ["Host: x", "X-Yours: 2"]
    assert answer.lines[1:] == ["content-length: 5", "X-Open: 1"]


def test_connection_cannot_name_framing_away():
    request = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: content-length, host\r\nContent-Length: 3\r\n\r\nabc"
    seen, _ = exchange(request, ok())
    assert (seen.one("content-length"), seen.one("host"), seen.body) == ("3", "x", b"abc")


def test_chunked_with_trailers_both_ways():
    request = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"
    )
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\nX-End: yes\r\n\r\n"
    seen, answer = exchange(request, response)
    assert (seen.body, seen.trailers) == (b"abcdefg", b"X-Sum: 7\r\n")
    assert seen.one("content-length") is None
    assert (answer.body, answer.trailers) == (b"hi!", b"X-End: yes\r\n")


@pytest.mark.parametrize("cut", range(1, 40))
def test_chunked_request_in_two_pieces(cut, split_proxy):
    body = b"3\r\nabc\r\n4;a=b\r\ndefg\r\n0\r\nX-S: 7\r\n\r\n"
    proxy, seen = split_proxy
    before = len(seen)
    with proxy.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body[:cut])
        wait_for_connection_use(sock)
        sock.sendall(body[cut:])
        if cut <= len(body):
            assert Reader(sock).message().status == 200
    assert [message.body for message in seen[before:]] == [b"abcdefg"]


def wait_for_connection_use(sock: socket.socket) -> None:
    """Gives the other side the chance to read the first piece alone; correctness does not depend on it."""
    sock.settimeout(0.01)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        pass
    sock.settimeout(20)


@pytest.fixture(scope="module")
def split_proxy():
    seen: list[Message] = []
    with FakeUpstream(answering(ok(), requests=seen)) as up, RelayProcess(up.port) as proxy:
        yield proxy, seen


@pytest.mark.parametrize("status", [204, 304])
def test_bodyless_statuses_leave_the_connection_usable(status):
    response = b"HTTP/1.1 %d Some\r\nETag: x\r\n\r\n" % status
    with FakeUpstream(answering(response, ok(b"next"))) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(GET + GET)
        reader = Reader(sock)
        assert reader.message().status == status
        assert reader.message().body == b"next"


def test_head_has_a_length_and_no_body():
    def serve(reader, sock, _):
        for _ in range(2):
            assert reader.head().startswith(b"HEAD")
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")

    head = GET.replace(b"GET", b"HEAD")
    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(head + head)
        reader = Reader(sock)
        for _ in range(2):
            assert reader.message(bodyless=True).one("content-length") == "1000"
        assert up.connections == 1


def test_close_delimited_response_ends_with_the_connection():
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n" + b"z" * 100_000)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        answer = proxy.ask(GET)
    assert answer.body == b"z" * 100_000
    assert answer.one("connection") == "close"


def test_informational_responses_and_expect():
    def serve(reader, sock, _):
        head = reader.head()
        assert b"Expect: 100-continue\r\n" in head
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        body = reader.rest
        while len(body) < 5:
            body += sock.recv(10)
        assert body == b"12345"
        sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        reader = Reader(sock)
        assert reader.head().startswith(b"HTTP/1.1 103")
        assert reader.head().startswith(b"HTTP/1.1 100")
        sock.sendall(b"12345")
        assert reader.message().status == 200


def test_http_10_client_gets_plain_bytes_and_an_end():
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    with FakeUpstream(answering(response)) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        head, _, body = read_to_end(sock).partition(b"\r\n\r\n")
    assert body == b"hi"
    assert b"ransfer-" not in head


def test_http_10_keep_alive_where_asked():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        reader = Reader(sock)
        for _ in range(2):
            sock.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert reader.message().one("connection") == "keep-alive"


def test_pipelined_requests_are_answered_in_order():
    def serve(reader, sock, _):
        while True:
            request = reader.message()
            sock.sendall(ok(request.first.encode() + request.body))

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        post = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nb%d"
        sock.sendall(b"".join(post % (i, i) for i in range(10)))
        reader = Reader(sock)
        for i in range(10):
            assert reader.message().body == b"POST /%d HTTP/1.1b%d" % (i, i)


def test_empty_lines_before_a_request_are_skipped():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port) as proxy:
        assert proxy.ask(b"\r\n\r\n" + GET).status == 200


def test_upgrade_becomes_a_tunnel():
    def serve(reader, sock, _):
        request = Message(reader.head(), b"")
        assert request.one("upgrade") == "echo"
        assert request.one("connection").lower() == "upgrade"
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst")
        rest = reader.rest
        while True:
            if rest:
                sock.sendall(rest)
            rest = sock.recv(100)
            if not rest:
                sock.sendall(b"bye")
                return

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
        reader = Reader(sock)
        answer = Message(reader.head(), b"")
        assert (answer.status, answer.one("upgrade"), answer.one("connection")) == (101, "echo", "upgrade")
        sock.sendall(b" late")
        sock.shutdown(socket.SHUT_WR)
        assert reader.rest + read_to_end(sock) == b"firstearly latebye"


def test_large_bodies_both_ways_at_once():
    blob = bytes(range(256)) * 20_000  # 5 MB

    def serve(reader, sock, _):
        head = Message(reader.head(), b"")
        size = int(head.one("content-length"))
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        rest = reader.rest
        while size:  # an echo: the response begins before the request has ended
            sock.sendall(rest)
            size -= len(rest)
            rest = sock.recv(65536) if size else b""

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        def send():
            sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(blob) + blob)

        sending = threading.Thread(target=send)
        sending.start()
        answer = Reader(sock).message()
        sending.join()
        assert answer.body == blob


def test_upstream_connection_is_kept_and_shared():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, io_threads=1) as proxy:
        for _ in range(5):
            assert proxy.ask(GET).status == 200
        assert up.connections == 1


def test_connection_close_is_honoured_on_both_sides():
    with FakeUpstream(answering(ok(extra=b"Connection: close\r\n"))) as up, RelayProcess(up.port) as proxy:
        with proxy.connect() as sock:
            reader = Reader(sock)
            sock.sendall(GET)
            assert reader.message().one("connection") is None
            sock.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            assert reader.message().one("connection") == "close"
            assert at_end(sock)
        assert up.connections == 2


def test_several_upstreams_take_turns_and_a_dead_one_is_passed_over():
    def named(name):
        return answering(ok(name, b"Connection: close\r\n"))

    with FakeUpstream(named(b"a")) as a, FakeUpstream(named(b"b")) as b:
        with RelayProcess(a.port, b.port, io_threads=1) as proxy:
            assert sorted(proxy.ask(GET).body for _ in range(4)) == [b"a", b"a", b"b", b"b"]
        with socket.create_server(("127.0.0.1", 0)) as closed:
            dead = closed.getsockname()[1]
        with RelayProcess(dead, b.port, io_threads=1) as proxy:
            assert [proxy.ask(GET).body for _ in range(4)] == [b"b"] * 4
