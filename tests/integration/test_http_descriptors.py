"""A program that has run out of descriptors.

Not on the sanitizer builds: UBSan looks at memory through a pipe, finds no descriptor for it, and reports what is no fault.
"""

import os
import resource
import socket
import time

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, answering, ok

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_connections_beyond_the_descriptors_are_served_when_some_come_free():
    with FakeUpstream(answering(ok())) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy:

        def ask() -> Message:
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(GET)
                return Reader(sock).message()

        assert ask().body == b"hello"
        room = len(os.listdir(f"/proc/{proxy.process.pid}/fd")) + 6
        before = resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (room, room))
        assert before[0] > room
        clients = [socket.create_connection(proxy.address, timeout=LIMIT_S) for _ in range(12)]
        try:
            for sock in clients:
                sock.sendall(GET)
            # Some wait for a descriptor on our side, and some find none left for the upstream's connection: 502.
            assert Reader(clients[0]).message().status in (200, 502)
            for sock in clients[:11]:
                sock.close()
            assert Reader(clients[11]).message().status in (200, 502)
        finally:
            for sock in clients:
                sock.close()
        until = time.monotonic() + LIMIT_S
        while ask().status != 200 and time.monotonic() < until:
            pass  # descriptors of closed clients are given back as their ends are seen
        assert ask().body == b"hello"
    assert "cannot accept connections" in proxy.stderr
