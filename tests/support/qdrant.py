"""The Qdrant that tests and the demo talk to: one that is named, else a `qdrant` binary, else the stand-in.

    python -m tests.support.qdrant serve --port 6333

prints on stderr which it is and `listening HOST:PORT` on stdout, and serves until SIGTERM or Ctrl-C. QRERANK_TEST_QDRANT_URL
names a server (QRERANK_TEST_QDRANT_API_KEY its key, if it has one); QDRANT_BIN or the PATH give the binary.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.support.standin_process import StandIn

START_SECONDS = 60
STOP_SECONDS = 15


@dataclass
class Qdrant:
    """A Qdrant to talk to."""

    url: str
    what: str
    # Somebody else's server: names must not meet its own collections, and what is made is taken away again.
    foreign: bool = False
    api_key: str | None = None
    made: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def headers(self) -> dict[str, str]:
        return {"api-key": self.api_key} if self.api_key else {}

    def collection_name(self, stem: str) -> str:
        """A name for a collection that is deleted when the Qdrant is left."""
        name = f"qrerank-test-{stem}-{uuid.uuid4().hex[:12]}" if self.foreign else stem
        self.made.append(name)
        return name

    def client(self) -> httpx.Client:
        """Uncompressed, so that bodies compare by their bytes."""
        return httpx.Client(base_url=self.url, headers={**self.headers, "accept-encoding": "identity"}, timeout=60)

    def delete_made(self) -> None:
        with self.client() as client:
            for name in self.made:
                client.delete(f"/collections/{name}")
        self.made.clear()


def free_port(wanted: int = 0) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", wanted))
        return probe.getsockname()[1]


def binary() -> str | None:
    return os.environ.get("QDRANT_BIN") or shutil.which("qdrant")


STANDIN = "the stand-in over qdrant-client's local mode"


def chosen() -> str:
    """Which Qdrant `running` would give, without starting it."""
    named = os.environ.get("QRERANK_TEST_QDRANT_URL")
    return f"the server that QRERANK_TEST_QDRANT_URL names ({named})" if named else binary() or STANDIN


@contextlib.contextmanager
def _of_binary(path: str, port: int) -> Iterator[Qdrant]:
    with tempfile.TemporaryDirectory(prefix="qdrant-") as folder:
        port = free_port(port)
        environment = {
            **os.environ,
            "QDRANT__SERVICE__HOST": "127.0.0.1",
            "QDRANT__SERVICE__HTTP_PORT": str(port),
            "QDRANT__SERVICE__GRPC_PORT": str(free_port()),
            "QDRANT__STORAGE__STORAGE_PATH": f"{folder}/storage",
            "QDRANT__STORAGE__SNAPSHOTS_PATH": f"{folder}/snapshots",
            "QDRANT__TELEMETRY_DISABLED": "true",
        }
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            process = subprocess.Popen([path], cwd=folder, env=environment, stdout=sink, stderr=subprocess.STDOUT)
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}", log)
            yield Qdrant(f"http://127.0.0.1:{port}", path)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"qdrant ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"qdrant was not ready within {START_SECONDS} s: {log.read_text(errors='replace')[-2000:]}")


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[Qdrant]:
    """The first Qdrant there is; what is started here is stopped on the way out."""
    named = os.environ.get("QRERANK_TEST_QDRANT_URL")
    if named:
        found = Qdrant(
            named.rstrip("/"),
            chosen(),
            foreign=True,
            api_key=os.environ.get("QRERANK_TEST_QDRANT_API_KEY"),
        )
        try:
            yield found
        finally:
            found.delete_made()
        return
    path = binary()
    if path:
        with _of_binary(path, port) as found:
            yield found
        return
    with StandIn(port=port) as standin:
        yield Qdrant(standin.url, STANDIN)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.support.qdrant", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="start it and stay")
    serve.add_argument("--port", type=int, default=0, help="0 takes a free one; a named server keeps its own")
    arguments = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with running(arguments.port) as found:
        print(f"qdrant: {found.what}", file=sys.stderr, flush=True)
        host, port = found.address
        print(f"listening {host}:{port}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
