"""A small fake of the Hugging Face hub: a listing with hashes, small files from the hub, weights from a store that it redirects
to. The hub and the store are two servers on two ports, as the real ones are two hosts."""

import hashlib
import http.server
import json
import random
import socket
import threading

NAME = "owner/tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secretsecretsecret"
_SMALL = {
    "config.json": b'{"architectures":["X"]}',
    "tokenizer.json": b'{"model":{}}',
    "tokenizer_config.json": b"{}",
    "README.md": b"# not needed",
}


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handle):
        super().__init__(("127.0.0.1", 0), Handler)
        self.handle_get = handle
        self.seen = []  # (path, headers)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.server.handle_get(self)

    def answer(self, status: int, body: bytes = b"", **headers: str):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut_off_after(self, body: bytes, count: int):
        """Announces all of `body`, sends a part and resets the connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:count])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Hub:
    """A model with small files told by git's hash and weights told by sha256; weights redirect to the store."""

    def __init__(self, name: str = NAME, small: dict[str, bytes] | None = None, weights: dict[str, bytes] | None = None):
        self.name = name
        self.commit = COMMIT
        self.small = dict(_SMALL) if small is None else small
        self.weights = {"model.safetensors": random.Random(7).randbytes(300_000)} if weights is None else weights
        self.needs_token = False
        self.store_faults = []  # of handlers, each used once before the store works again
        self.listing_faults = []
        self.ranges = True
        self.hub = Server(self.on_hub)
        self.store = Server(self.on_store)

    def listing(self) -> dict:
        siblings = [
            {"rfilename": name, "size": len(body), "blobId": git_sha1(body)} for name, body in self.small.items()
        ]
        siblings += [
            {
                "rfilename": name,
                "size": len(body),
                "blobId": "f" * 40,
                "lfs": {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134},
            }
            for name, body in self.weights.items()
        ]
        return {"id": self.name, "sha": self.commit, "siblings": siblings}

    def on_hub(self, request: Handler):
        if self.needs_token and request.headers.get("authorization") != f"Bearer {TOKEN}":
            return request.answer(401)
        path, _, query = request.path.partition("?")
        if path == f"/api/models/{self.name}/revision/main" and query == "blobs=true":
            if self.listing_faults:
                return self.listing_faults.pop(0)(request)
            return request.answer(200, json.dumps(self.listing()).encode())
        prefix = f"/{self.name}/resolve/{self.commit}/"
        name = path.removeprefix(prefix)
        if path.startswith(prefix) and name in self.small:
            return request.answer(200, self.small[name])
        if path.startswith(prefix) and name in self.weights:
            return request.answer(302, location=f"{self.store.url}/blob/{name}?signature=xyz")
        return request.answer(404)

    def on_store(self, request: Handler):
        if self.store_faults:
            return self.store_faults.pop(0)(request)
        body = self.weights[request.path.removeprefix("/blob/").partition("?")[0]]
        asked = request.headers.get("range")
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            return request.answer(
                206, body[start:], content_range=f"bytes {start}-{len(body) - 1}/{len(body)}"
            )
        return request.answer(200, body)

    def stop(self):
        for server in (self.hub, self.store):
            server.shutdown()
            server.server_close()
