"""A collector of spans: OTLP over HTTP, JSON only. It answers what `answer` says, and waits as long as `hold` is set."""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.support.raw_http import LIMIT_S


@dataclass
class Span:
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    start_ns: int
    end_ns: int
    attributes: dict[str, object]
    failed: bool


def _value(held: dict[str, str]) -> object:
    return int(held["intValue"]) if "intValue" in held else held["stringValue"]


def _span(one: dict) -> Span:
    return Span(
        one["name"], one["kind"], one["traceId"], one["spanId"], one.get("parentSpanId", ""), int(one["startTimeUnixNano"]),
        int(one["endTimeUnixNano"]), {a["key"]: _value(a["value"]) for a in one["attributes"]}, one.get("status", {}).get("code") == 2,
    )


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that was ended in mid-answer is no fault of anybody's; all else is printed.
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


class Collector:
    def __init__(self, certificate: tuple[Path, Path] | None = None, port: int = 0) -> None:
        self.answer = 200
        self.hold = threading.Event()
        self.hold.set()  # set: answers at once
        self.spans: list[Span] = []
        self.headers: list[dict[str, str]] = []
        self.services: set[str] = set()
        self.posts = 0
        self._changed = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.hold.wait(LIMIT_S)
                outer._take(self.path, dict(self.headers.items()), body)
                self.send_response(outer.answer)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", port), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1/traces"

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self._changed:
            self.posts += 1
            self.headers.append({name.lower(): value for name, value in headers.items()})
            if self.answer == 200:
                assert path == "/v1/traces"
                for resource in json.loads(body)["resourceSpans"]:
                    self.services |= {a["value"]["stringValue"] for a in resource["resource"]["attributes"] if a["key"] == "service.name"}
                    for scope in resource["scopeSpans"]:
                        self.spans += [_span(one) for one in scope["spans"]]
            self._changed.notify_all()

    def wait(self, enough) -> None:
        with self._changed:
            assert self._changed.wait_for(enough, LIMIT_S), f"{self.posts} posts, spans: {[span.name for span in self.spans]}"

    def wait_for_spans(self, count: int) -> list[Span]:
        self.wait(lambda: len(self.spans) >= count)
        return list(self.spans)

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
