"""A server that answers POSTs of JSON as a test says, for clients of ours. Real sockets, no logic of its own."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any


class CannedServer:
    """`answer(request body)` gives (status, object or bytes), or None to hang up. `seen` holds (path, headers, body)."""

    def __init__(self, answer: Callable[[dict[str, Any]], tuple[int, Any] | None]) -> None:
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                owner.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                answered = answer(body)
                if answered is None:
                    self.close_connection = True
                    return
                status, content = answered
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "CannedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
