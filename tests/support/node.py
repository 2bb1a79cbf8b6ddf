"""A node of a cluster that can be stopped, started again on the same port, made unready and made to hang."""

from __future__ import annotations

import socket
import threading

from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, ok

UNREADY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class Node:
    """Answers /readyz, and everything else with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.ready = True
        self.requests: list[str] = []  # what came, checks aside
        self.checks = 0
        self._changed = threading.Condition()  # guards the two above
        self._go_on = threading.Event()  # cleared: requests are not answered
        self._go_on.set()
        self._upstream: FakeUpstream | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hang(self) -> None:
        self._go_on.clear()

    def go_on(self) -> None:
        self._go_on.set()

    def wait_for_requests(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, LIMIT_S), self.requests

    def wait_for_checks(self, more: int) -> None:
        with self._changed:
            until = self.checks + more
            assert self._changed.wait_for(lambda: self.checks >= until, LIMIT_S), self.checks

    def _serve(self, reader: Reader, sock: socket.socket, _n: int) -> None:
        while True:
            message = reader.message()
            _, path, _ = message.first.split(" ")
            with self._changed:
                if path == "/readyz":
                    self.checks += 1
                else:
                    self.requests.append(message.first)
                self._changed.notify_all()
            if path == "/readyz":
                sock.sendall(ok(b"all shards are ready") if self.ready else UNREADY)
                return
            self._go_on.wait(LIMIT_S)
            sock.sendall(ok(self.name.encode()))

    def start(self) -> Node:
        self._upstream = FakeUpstream(self._serve, port=self.port)
        self.port = self._upstream.port
        self._upstream.__enter__()
        return self

    def stop(self) -> None:
        """Its connections end and new ones are refused."""
        if self._upstream is not None:
            self._go_on.set()
            self._upstream.__exit__(None)
            self._upstream = None
