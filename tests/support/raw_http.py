"""Sockets for tests that care about bytes: an upstream scripted per connection, and a client that sees everything."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

from tests.support.tls_socket import TlsSocket

LIMIT_S = 20  # nothing here takes that long; a test that hangs must end


def read_until(sock: socket.socket, mark: bytes, got: bytes = b"") -> tuple[bytes, bytes]:
    """(bytes up to and including the mark, what came behind it); ConnectionError at an early end."""
    while mark not in got:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError(f"ended after {got[-200:]!r}")
        got += piece
    head, _, rest = got.partition(mark)
    return head + mark, rest


def read_exactly(sock: socket.socket, n: int, got: bytes = b"") -> tuple[bytes, bytes]:
    while len(got) < n:
        piece = sock.recv(65536)
        if not piece:
            raise ConnectionError(f"ended after {len(got)} of {n} bytes")
        got += piece
    return got[:n], got[n:]


def read_to_end(sock: socket.socket) -> bytes:
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def at_end(sock: socket.socket) -> bool:
    """Waits for the peer to close; False when it talks instead."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def is_reset(sock: socket.socket) -> bool:
    """Waits for the end; whatever comes before it is read."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that neither takes a connection nor refuses it: its listener's queue is full."""
    with contextlib.ExitStack() as waiting, socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        port = busy.getsockname()[1]
        with contextlib.suppress(TimeoutError):
            while True:
                waiting.enter_context(socket.create_connection(("127.0.0.1", port), timeout=0.5))
        yield port


class Message:
    """One request or response as it was on the wire."""

    def __init__(self, head: bytes, body: bytes, trailers: bytes = b""):
        self.head, self.body, self.trailers = head, body, trailers
        self.lines = head.decode("latin-1").split("\r\n")[:-2]
        self.first = self.lines[0]

    def all(self, name: str) -> list[str]:
        pairs = [line.split(":", 1) for line in self.lines[1:]]
        return [value.strip() for key, value in pairs if key.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    def on_the_wire(self) -> bytes:
        """The whole message; a chunked body in one chunk."""
        body = self.body
        if self.one("transfer-encoding"):
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + b"0\r\n" + self.trailers + b"\r\n"
        return self.head + body

    @property
    def status(self) -> int:
        return int(self.first.split(" ")[1])


class Reader:
    """Messages from one socket, keeping what comes behind each."""

    def __init__(self, sock: socket.socket):
        self.sock, self.rest = sock, b""

    def head(self) -> bytes:
        head, self.rest = read_until(self.sock, b"\r\n\r\n", self.rest)
        return head

    def message(self, bodyless: bool = False) -> Message:
        message = Message(self.head(), b"")
        if bodyless or message.first.split(" ")[1:2] in (["204"], ["304"]):
            return message
        if message.one("transfer-encoding"):
            message.body, message.trailers = self.chunked()
        elif (length := message.one("content-length")) is not None:
            message.body, self.rest = read_exactly(self.sock, int(length), self.rest)
        elif message.first.startswith("HTTP/"):
            message.body, self.rest = self.rest + read_to_end(self.sock), b""
        return message

    def chunked(self) -> tuple[bytes, bytes]:
        body = b""
        while True:
            line, self.rest = read_until(self.sock, b"\r\n", self.rest)
            size = int(line, 16)
            if size == 0:
                trailers = b""
                while (line := self._line()) != b"\r\n":
                    trailers += line
                return body, trailers
            data, self.rest = read_exactly(self.sock, size + 2, self.rest)
            assert data.endswith(b"\r\n")
            body += data[:-2]

    def _line(self) -> bytes:
        line, self.rest = read_until(self.sock, b"\r\n", self.rest)
        return line


class FakeUpstream:
    """Runs `serve(reader, sock, n)` in a thread for the n-th connection (from 0); what it raises fails the test.

    With a context it speaks TLS: `sock` is a TlsSocket then. Handshakes that fail are kept in `refused`.
    """

    def __init__(
        self, serve: Callable[[Reader, socket.socket, int], None], context: ssl.SSLContext | None = None, port: int = 0
    ):
        self.serve, self.context = serve, context
        self.refused: list[Exception] = []
        self.connections = 0
        self.errors: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._accepting.start()
        return self

    def __exit__(self, failed, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(LIMIT_S)
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT_S)
        if failed is None and self.errors:
            raise self.errors[0]

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(LIMIT_S)
            self._open.append(sock)
            thread = threading.Thread(target=self._run, args=(sock, self.connections), daemon=True)
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def _run(self, sock, n):
        try:
            if self.context is not None:
                try:
                    sock = TlsSocket(sock, self.context)
                except (OSError, ssl.SSLError) as error:
                    self.refused.append(error)
                    return
            self.serve(Reader(sock), sock, n)
        except AssertionError as error:
            self.errors.append(error)
        except OSError:
            pass  # the proxy closed: ordinary at the end of a test
        finally:
            sock.close()


def answering(*responses: bytes, requests: list[Message] | None = None):
    """Serves each connection with these responses in turn, the last one again and again."""

    def serve(reader, sock, _):
        n = 0
        while True:
            request = reader.message()
            if requests is not None:
                requests.append(request)
            sock.sendall(responses[min(n, len(responses) - 1)])
            n += 1

    return serve


def ok(body: bytes = b"hello", extra: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n%s" % (len(body), extra, body)


def is_qdrant_error(answer: Message, status: int) -> str:
    """The error that it tells."""
    assert answer.status == status, (answer.head, answer.body)
    assert answer.one("content-type") == "application/json"
    body = json.loads(answer.body)
    assert set(body) == {"status", "time"}
    return body["status"]["error"]
