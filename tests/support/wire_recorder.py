"""Stands between a client and a server and keeps every exchange: what was asked and what came back, on the wire.

Messages are read whole and sent on as they came (a chunked body in one chunk), so it is for tests of contents, not
of streaming.
"""

from __future__ import annotations

import gzip
import re
import socket
import threading
import zlib
from dataclasses import dataclass

import brotli

from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader

# What may differ between two runs of the same call: the moment, the way the bytes are framed, the hop (and with it the
# HTTP version). Qdrant's answers hold the time they took, so their length may differ too.
OF_THE_MOMENT = {"date", "via", "content-length", "transfer-encoding", "connection", "keep-alive"}
_TIME = re.compile(rb'"time":[0-9.e+-]+(?=[,}])')
_DECODERS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress}


@dataclass
class Exchange:
    request: Message
    response: Message

    def body(self) -> bytes:
        """The answer's content, decoded."""
        coding = self.response.one("content-encoding")
        return _DECODERS[coding](self.response.body) if coding else self.response.body

    def comparable(self) -> tuple[str, bytes, str, tuple[tuple[str, str], ...], bytes]:
        """Request line, request body, status and reason, headers and content without what is of the moment."""
        pairs = [line.split(":", 1) for line in self.response.lines[1:]]
        headers = sorted((name.lower(), value.strip()) for name, value in pairs)
        kept = tuple(pair for pair in headers if pair[0] not in OF_THE_MOMENT)
        content = _TIME.sub(b'"time":0', self.body())
        status = self.response.first.partition(" ")[2]
        return self.request.first, self.request.body, status, kept, content


class WireRecorder:
    """A server on a loopback port that asks `target` (host, port) and keeps the exchanges in the order they ended."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self._server = FakeUpstream(self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> WireRecorder:
        self._server.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.__exit__(*failure)

    def _serve(self, reader: Reader, client: socket.socket, _: int) -> None:
        with socket.create_connection(self.target, timeout=LIMIT_S) as upstream:
            answers = Reader(upstream)
            while True:
                request = reader.message()
                upstream.sendall(request.on_the_wire())
                response = answers.message(bodyless=request.first.startswith("HEAD "))
                with self._lock:
                    self.exchanges.append(Exchange(request, response))
                client.sendall(response.on_the_wire())
