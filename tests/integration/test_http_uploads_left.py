"""Clients that leave in the middle of an upload, at any moment: nothing of it stays."""

import socket
import time

import pytest

from tests.support.footprint import Footprint
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, reset

pytestmark = pytest.mark.sanitize
HEAD = b"PUT /collections/c/points HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
ROUNDS, AT_ONCE = 10, 20


def serve(_: Reader, sock: socket.socket, __: int) -> None:
    while sock.recv(1 << 16):  # takes what comes and answers nothing
        pass


def test_uploads_that_are_left_leave_nothing():
    """With one I/O thread and several at once, an end often comes while another coroutine of its connection has its turn
    already given away."""
    with FakeUpstream(serve) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings={"proxy.io_threads": 1}) as proxy:
        footprint = Footprint(proxy.process.pid)
        for number in range(ROUNDS):
            clients = [socket.create_connection(proxy.address, timeout=LIMIT_S) for _ in range(AT_ONCE)]
            for sock in clients:
                sock.sendall(HEAD + b"x" * 1000)
            time.sleep(number % 5 * 0.0005)
            for sock in clients:
                reset(sock)
        footprint.settled()
