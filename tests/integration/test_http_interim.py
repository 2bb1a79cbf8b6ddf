"""1xx of the upstream that are out of place: a switch of protocols too early, interim responses without end."""

import time

import pytest

from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, answering, at_end, is_qdrant_error, ok, read_exactly, read_to_end
from tests.support.relay_process import RelayProcess

pytestmark = pytest.mark.sanitize
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
UPGRADING = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"


@pytest.mark.parametrize(
    "begun, rest",
    [
        (b"Content-Length: 1000\r\n\r\nhello", b"x" * 995),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"0\r\n\r\n"),
        (b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n", b"x" * 1000),
    ],
)
def test_switch_of_protocols_before_the_request_is_sent_is_502(begun, rest):
    """What the client still sends is a body, and must not be read as the other protocol."""
    after_the_switch = []

    def serve(reader, sock, n):
        if n == 0:
            reader.head()
            sock.sendall(SWITCHED)
            after_the_switch.append(read_to_end(sock))
        else:  # the first connection is not used again
            answering(ok())(reader, sock, n)

    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy, proxy.connect() as sock:
        sock.sendall(UPGRADING + begun)
        answer = Reader(sock).message()
        assert "switched protocols before the request's end" in is_qdrant_error(answer, 502)
        assert answer.one("connection") == "close"
        sock.sendall(rest)
        assert at_end(sock)
        assert proxy.ask(GET).status == 200
        up._threads[0].join(LIMIT_S)
        assert len(after_the_switch) == 1 and rest not in after_the_switch[0]


def test_switch_of_protocols_behind_a_whole_body_is_a_tunnel():
    def serve(reader, sock, _):
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert reader.message().body == b"hello"
        sock.sendall(SWITCHED)
        sock.sendall(sock.recv(100).upper())

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        reader = Reader(sock)
        sock.sendall(UPGRADING + b"Content-Length: 5\r\n\r\nhe")
        assert reader.head().startswith(b"HTTP/1.1 100")  # so the rest of it is streamed
        sock.sendall(b"llo")
        assert reader.head().startswith(b"HTTP/1.1 101")
        sock.sendall(b"ping")
        assert sock.recv(100) == b"PING"


@pytest.mark.parametrize("pause", [0, 0.02], ids=["flood", "drip"])
@pytest.mark.parametrize("path", [b"/", b"/inspect/ask"])
def test_interim_responses_without_end_are_504(path, pause):
    """However quick each of them is: the time limit is for all of them and the answer together."""

    def serve(reader, sock, _):
        reader.message()
        while True:  # ends when the proxy lets go
            sock.sendall(HINTS)
            time.sleep(pause)

    with FakeUpstream(serve) as up, RelayProcess(up.port, response_timeout=300) as proxy, proxy.connect() as sock:
        sock.sendall(POST % path)
        sock.settimeout(LIMIT_S / 2)
        reader = Reader(sock)
        until = time.monotonic() + LIMIT_S / 2
        while (head := reader.head()) == HINTS:
            assert time.monotonic() < until
        answer = Message(head, b"")
        answer.body, _ = read_exactly(sock, int(answer.one("content-length")), reader.rest)
        assert "timed out" in is_qdrant_error(answer, 504)
