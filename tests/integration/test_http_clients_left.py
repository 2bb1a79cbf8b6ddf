"""Clients that are gone while the upstream still thinks about a relayed request: a reset ends it, an end of sending does not."""

import socket
import threading
import time

import pytest

from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, at_end, ok, reset
from tests.support.relay_process import RelayProcess

pytestmark = pytest.mark.sanitize
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LOOKED_AT_S = 1  # kLookAtClient of proxy/http/relay.cpp


@pytest.mark.parametrize(
    "pieces", [(GET,), (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe", b"llo")], ids=["at once", "streamed"]
)
@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel"], ids=["before", "inside the answer"])
def test_reset_takes_the_request_along(pieces, begun):
    came, left = threading.Event(), []

    def serve(reader, sock, _):
        reader.head()
        came.set()
        if reader.rest != b"hello" and len(pieces) > 1:
            reader.rest += sock.recv(100)
        sock.sendall(begun)
        came.set()
        left.append(at_end(sock))

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        sock = proxy.connect()
        for piece in pieces:
            sock.sendall(piece)
            assert came.wait(LIMIT_S)
        if begun:
            assert sock.recv(1000)
        reset(sock)
        up._threads[0].join(LIMIT_S / 2)
        assert left == [True]


def test_end_of_sending_does_not():
    def serve(reader, sock, _):
        reader.message()
        time.sleep(2.5 * LOOKED_AT_S)  # it is looked at twice meanwhile
        sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(GET)
        sock.shutdown(socket.SHUT_WR)
        assert Reader(sock).message().body == b"hello"
