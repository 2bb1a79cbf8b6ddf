"""HTTP/1.1 on a socket, with a Qdrant server's limits, header order and habits; the parser is httptools."""

from __future__ import annotations

import asyncio
import gzip
import http
import time
import zlib
from email.utils import formatdate

import brotli
import httptools

from .routes import MAX_BODY, Answer, Application, Request

# A server's own values: see qdrant.md in the shared notes and recordings 89, 147, 148.
IDLE_SECONDS = 5.0
HEAD_SECONDS = 5.0
MAX_HEAD = 128 * 1024

VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


class Connection(asyncio.Protocol):
    """One client connection; requests are answered in order, each before the next is looked at."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.transport: asyncio.Transport | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.parser = httptools.HttpRequestParser(self)
        # Between messages, inside a head, or inside a body.
        self.in_message = False
        self.in_head = False
        self.head_size = 0
        self.reset()

    def reset(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.size = 0
        self.keep_alive = True

    # --- asyncio ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.arm(IDLE_SECONDS)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.transport = None

    def arm(self, seconds: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(seconds, self.expired)

    def expired(self) -> None:
        if self.in_head:
            self.refuse(408)
        elif self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        if not self.in_message and not self.in_head and data.strip(b"\r\n"):
            self.in_head = True
            self.arm(HEAD_SECONDS)
        if self.in_head:
            self.head_size += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.refuse(400)
        except httptools.HttpParserError:
            self.refuse(400)
            return
        # What arrived together with a body is not head: on_headers_complete has reset the count.
        if self.in_head and self.head_size > MAX_HEAD:
            self.refuse(431)

    # --- httptools -------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.reset()
        self.in_message = True
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.head_size = 0
        self.arm(60.0)
        self.keep_alive = self.parser.should_keep_alive()
        self.version = self.parser.get_http_version()
        self.method = self.parser.get_method().decode("ascii")
        if self.headers.get("expect", "").lower() == "100-continue" and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.size <= MAX_BODY:
            self.chunks.append(body)
        else:
            self.chunks.clear()

    def on_message_complete(self) -> None:
        self.in_message = False
        if self.transport is None:
            return
        body = b"".join(self.chunks)
        oversized = self.size if self.size > MAX_BODY else 0
        try:
            if self.headers.get("content-encoding", "").lower() == "gzip" and not oversized:
                body = gzip.decompress(body)
            target = httptools.parse_url(self.url)
        except (httptools.HttpParserInvalidURLError, OSError, EOFError, zlib.error):
            self.refuse(400)
            return
        request = Request(
            self.method,
            (target.path or b"/").decode("latin-1"),
            (target.query or b"").decode("latin-1"),
            self.headers,
            body,
            oversized,
        )
        self.send(self.application.answer(request))
        if self.keep_alive:
            self.arm(IDLE_SECONDS)
        else:
            self.transport.close()
            self.transport = None

    # --- answers ---------------------------------------------------------------------------------------------

    def send(self, answer: Answer) -> None:
        body = answer.body
        coding = _coding(self.headers.get("accept-encoding", "")) if body else None
        lines = []
        if coding is None:
            lines.append(f"content-length: {len(body)}")
        else:
            body = _compress(body, coding)
            body = b"%X\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            lines.append("transfer-encoding: chunked")
        if not self.keep_alive and self.version != "1.0":
            lines.append("connection: close")
        if coding is not None:
            lines.append(f"content-encoding: {coding}")
        lines.append(f"vary: accept-encoding, {VARY}" if coding is not None else f"vary: {VARY}")
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.content_type is not None:
            lines.append(f"content-type: {answer.content_type}")
        self.write(self.version, answer.status, lines, body)

    def write(self, version: str, status: int, lines: list[str], body: bytes = b"") -> None:
        lines.append(f"date: {formatdate(time.time(), usegmt=True)}")
        head = f"HTTP/{version} {status} {http.HTTPStatus(status).phrase}\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        self.transport.write(head.encode("latin-1") + body)

    def refuse(self, status: int) -> None:
        """Answers what is no request, or too slow or too large a one, and closes."""
        if self.transport is None:
            return
        self.write("1.1", status, ["content-length: 0", "connection: close"])
        self.transport.close()
        self.transport = None


def _coding(accepted: str) -> str | None:
    """The coding a server would choose: br before gzip before deflate."""
    offered = set()
    for item in accepted.split(","):
        name, _, weight = item.strip().partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            offered.add(name.strip().lower())
    return next((coding for coding in ("br", "gzip", "deflate") if coding in offered), None)


def _compress(body: bytes, coding: str) -> bytes:
    if coding == "br":
        return brotli.compress(body, quality=3)
    if coding == "gzip":
        return gzip.compress(body, 1, mtime=0)
    return zlib.compress(body, 1)


async def serve(application: Application, host: str, port: int) -> asyncio.Server:
    """Listens; port 0 takes a free one (see the server's sockets)."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(application), host, port, backlog=1024)
