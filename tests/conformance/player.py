"""Plays cases: a scripted upstream that all cases of a run share, and the client's side of one case."""

import contextlib
import json
import socket
import ssl
import threading

from tests.conformance.case import END, Await, Case, Error
from tests.conformance.wire import has_body, read_body, read_head
from tests.support.raw_http import Message, read_until, reset
from tests.support.tls_socket import TlsSocket

LIMIT_S = 10
AFTER = b"GET /after HTTP/1.1\r\nHost: q\r\n\r\n"
AFTER_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter"


class Upstream:
    """Answers each request with the case's next answer, and keeps what it saw. `/after` is always answered."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context  # with one it speaks TLS
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.begin(None)
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, case: Case | None) -> None:
        """Forgets the last case and ends its connections."""
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            self._open = []
            self.case, self.seen, self.connections = case, [], []
            self.answered = 0

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            sock.settimeout(LIMIT_S)
            with self._lock:
                self._open.append(sock)
                run = (sock, self.case)
            threading.Thread(target=self._serve, args=run, daemon=True).start()

    def _serve(self, sock: socket.socket, case: Case) -> None:
        if self._context is not None:
            try:
                sock = TlsSocket(sock, self._context)
            except OSError:
                return  # the last case ended while it was made
        with contextlib.suppress(OSError), sock:
            rest = b""
            while True:
                head, rest = read_head(sock, rest)
                if head.startswith(b"GET /after "):
                    self._note(sock, case, None)
                    sock.sendall(AFTER_ANSWER)
                    continue
                if case.early:
                    self._note(sock, case, head)
                    self._answer(sock, case)
                    body, rest = read_body(sock, head, rest)
                else:
                    sock.sendall(case.interim)
                    body, rest = read_body(sock, head, rest)
                    self._note(sock, case, head + body)
                    self._answer(sock, case)
                if case.up_ends == "close":
                    return
                if case.up_ends == "reset":
                    reset(sock)
                    return

    def _note(self, sock: socket.socket, case: Case, request: bytes | None) -> None:
        with self._lock:
            if case is self.case:
                self.connections.append(sock)
                if request is not None:
                    self.seen.append(request)

    def _answer(self, sock: socket.socket, case: Case) -> None:
        with self._lock:
            which = min(self.answered, len(case.answers) - 1)
            self.answered += 1
        sock.sendall(case.answers[which])


class Client:
    """The client's side of a case."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext | None = None) -> None:
        self.sock = socket.create_connection(address, timeout=LIMIT_S)
        if context is not None:
            self.sock = TlsSocket(self.sock, context, "localhost")
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def act(self, case: Case) -> None:
        for step in case.send:
            if isinstance(step, Await):
                before, behind = read_until(self.sock, step.mark, self.rest)
                self.rest = before + behind
            elif step is END:
                self.sock.shutdown(socket.SHUT_WR)
            else:
                with contextlib.suppress(ConnectionError):  # refused before everything was sent
                    self.sock.sendall(step)

    def read_to_end(self) -> tuple[bytes, bool]:
        """(everything that still comes, whether it ended cleanly)"""
        got, self.rest = self.rest, b""
        try:
            while piece := self.sock.recv(65536):
                got += piece
        except ConnectionResetError:
            return got, False
        return got, True

    def expect(self, wanted: bytes | Error, case: Case) -> None:
        head, self.rest = read_head(self.sock, self.rest)
        if isinstance(wanted, Error):
            body, self.rest = read_body(self.sock, head, self.rest) if self._has_body(case) else (b"", self.rest)
            self._expect_error(Message(head, body), wanted, case)
            return
        wanted_head, _, wanted_body = wanted.partition(b"\r\n\r\n")
        body = b""
        if wanted_body or (has_body(wanted_head + b"\r\n\r\n") and self._has_body(case)):
            body, self.rest = read_body(self.sock, head, self.rest)
        assert head + body == wanted

    def expect_after(self) -> None:
        head, self.rest = read_head(self.sock, self.rest)
        body, self.rest = read_body(self.sock, head, self.rest)
        assert (head[:12], body) == (AFTER_ANSWER[:12], b"after")

    @staticmethod
    def _has_body(case: Case) -> bool:
        return not (isinstance(case.send[0], bytes) and case.send[0].startswith(b"HEAD "))

    @staticmethod
    def _expect_error(answer: Message, wanted: Error, case: Case) -> None:
        assert answer.status == wanted.status, (answer.head, answer.body)
        assert answer.one("content-type") == "application/json"
        if answer.body:
            error = json.loads(answer.body)
            assert set(error) == {"status", "time"} and error["status"]["error"]
        if case.then == "closed":
            assert answer.one("connection") == "close"


def play(case: Case, upstream: Upstream, address: tuple[str, int], context: ssl.SSLContext | None = None) -> None:
    """Fails with AssertionError (or a timeout) where the proxy does anything else than the case says."""
    upstream.begin(case)
    with Client(address, context) as client:
        client.act(case)
        if case.then == "cut":
            got, clean = client.read_to_end()
            (wanted,) = case.got
            assert got == wanted, (got, wanted)
            assert not clean, "the client could take it for a whole response"
        else:
            for wanted in case.got:
                client.expect(wanted, case)
            if case.then == "closed":
                assert client.read_to_end() == (b"", True)
            else:
                before = list(upstream.connections)
                client.sock.sendall(AFTER)
                client.expect_after()
                if before:
                    assert (upstream.connections[-1] is before[-1]) == case.again, "the upstream's connection"
                assert client.rest == b""
        own = b"127.0.0.1:%d" % upstream.port
        scheme = b"http" if context is None else b"https"
        wanted = (request.replace(b"$UPSTREAM", own).replace(b"-Proto: http\r", b"-Proto: %s\r" % scheme) for request in case.seen)
        assert tuple(upstream.seen) == tuple(wanted)
