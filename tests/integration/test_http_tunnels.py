"""Tunnels behind an Upgrade that do not come to their end: neither side may take what it got for all of it."""

from __future__ import annotations

import contextlib
import fcntl
import queue
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, is_reset, read_to_end, reset
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize

UPGRADE = b"GET /t HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"


@contextlib.contextmanager
def tunnel(upstream_side: Callable[[socket.socket], None], **settings: object) -> Iterator[tuple[Qrerank, socket.socket]]:
    """The client's side of one, in which the upstream's "hello" came."""

    greeted = threading.Event()

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        reader.head()
        sock.sendall(SWITCHED + b"hello")
        assert greeted.wait(LIMIT_S)
        upstream_side(sock)

    named = {name.replace("__", "."): value for name, value in settings.items()}
    with FakeUpstream(serve) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings={"log.access": "true", **named}) as proxy:
        with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
            sock.sendall(UPGRADE)
            reader = Reader(sock)
            assert reader.head().startswith(b"HTTP/1.1 101")
            assert reader.rest + sock.recv(5 - len(reader.rest)) == b"hello"
            greeted.set()
            yield proxy, sock


class Heard:
    """What the upstream's side sees: a reset, or an end."""

    def __init__(self) -> None:
        self.reset = False
        self._done = threading.Event()

    def __call__(self, sock: socket.socket) -> None:
        self.reset = is_reset(sock)
        self._done.set()

    def is_reset(self) -> bool:
        assert self._done.wait(LIMIT_S)
        return self.reset


def says(proxy: Qrerank, why: str) -> bool:
    failed = proxy.wait_for_log("request failed")
    proxy.wait_for_log("status=101")
    return f'reason="{why}"' in failed and "status=101" in failed


def test_a_client_that_resets():
    heard = Heard()
    with tunnel(heard) as (proxy, sock):
        reset(sock)
        assert heard.is_reset()
        assert says(proxy, "the client cut the tunnel off")


def test_an_upstream_that_resets():
    def serve(sock: socket.socket) -> None:
        assert sock.recv(1) == b"!"
        reset(sock)

    with tunnel(serve) as (proxy, sock):
        sock.sendall(b"!")
        assert is_reset(sock)
        assert says(proxy, "the upstream cut the tunnel off")


MUCH = 300_000


def taken(sock: socket.socket) -> None:
    """Waits until the proxy has all that was sent to it."""
    wait_until(lambda: struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4)) == (0,))


def read_late(sock: socket.socket) -> tuple[int, bool]:
    """How much comes to one who reads when the other side is gone, and whether a reset is behind it."""
    time.sleep(0.3)
    got = 0
    try:
        while piece := sock.recv(65536):
            got += len(piece)
    except ConnectionResetError:
        return got, True
    return got, False


@pytest.mark.parametrize("ended", [False, True])
def test_what_came_before_an_upstreams_reset_arrives(ended: bool):
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"x" * MUCH)
        taken(sock)
        if ended:
            sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b"!"
        reset(sock)

    with tunnel(serve) as (proxy, sock):
        sock.sendall(b"!")
        assert read_late(sock) == (MUCH, not ended)
        assert says(proxy, "the upstream cut the tunnel off")


def test_what_came_before_a_clients_reset_arrives():
    heard: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
    with tunnel(lambda sock: heard.put(read_late(sock))) as (proxy, sock):
        sock.sendall(b"x" * MUCH)
        taken(sock)
        reset(sock)
        assert heard.get(timeout=LIMIT_S) == (MUCH, True)
        assert says(proxy, "the client cut the tunnel off")


def test_silence():
    heard = Heard()
    with tunnel(heard, proxy__idle_timeout="300ms") as (proxy, sock):
        assert is_reset(sock) and heard.is_reset()
        assert says(proxy, "nothing went through the tunnel for proxy.idle_timeout")


def test_the_end_of_a_drain():
    heard = Heard()
    with tunnel(heard, proxy__drain_timeout="100ms") as (proxy, sock):
        proxy.process.terminate()
        assert is_reset(sock) and heard.is_reset()
        assert "within proxy.drain_timeout" in proxy.wait_for_log("request failed")
        proxy.process.wait(LIMIT_S)  # a second signal would end it at once


def test_one_that_ends_is_no_failure():
    def serve(sock: socket.socket) -> None:
        sock.sendall(read_to_end(sock).upper())

    with tunnel(serve) as (proxy, sock):
        sock.sendall(b"bye")
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == b"BYE"
        assert "outcome=passed" in proxy.wait_for_log("status=101")
        assert "request failed" not in proxy.stderr
