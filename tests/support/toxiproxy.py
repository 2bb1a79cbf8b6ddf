"""toxiproxy (github.com/Shopify/toxiproxy, pinned in toxiproxy/go.mod) as a process of a test: TCP with faults.

Built with the Go of tests/requirements.txt into QRERANK_CACHE when it is not there yet. QRERANK_TOXIPROXY names another
server program.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from tests.support.raw_http import LIMIT_S

MODULE = Path(__file__).with_name("toxiproxy")
SERVER = "github.com/Shopify/toxiproxy/v2/cmd/server"


def go() -> str:
    beside = Path(sys.executable).with_name("go")
    found = str(beside) if beside.exists() else shutil.which("go")
    assert found, "no Go to build toxiproxy with: scripts/setup --tests brings one"
    return found


def program() -> Path:
    if named := os.environ.get("QRERANK_TOXIPROXY"):
        return Path(named)
    version = hashlib.sha256((MODULE / "go.sum").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("QRERANK_CACHE") or Path(__file__).resolve().parents[2] / ".cache")
    path = cache / "toxiproxy" / version / "toxiproxy-server"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # another run may build it as well
            built = Path(folder) / "server"
            subprocess.run([go(), "build", "-mod=readonly", "-o", str(built), SERVER], cwd=MODULE, check=True)
            built.replace(path)
    return path


class Link:
    """One proxied port. `poison` adds a fault, `cure` takes all of them away; new faults hold for running connections too."""

    def __init__(self, api: httpx.Client, name: str, upstream_port: int) -> None:
        self._api, self._name = api, name
        answer = api.post("/proxies", json={"name": name, "listen": "127.0.0.1:0", "upstream": f"127.0.0.1:{upstream_port}", "enabled": True})
        answer.raise_for_status()
        self.port = int(answer.json()["listen"].rpartition(":")[2])

    def poison(self, kind: str, stream: str = "downstream", **attributes: int) -> None:
        """`downstream` is what the server says, `upstream` what the client says. Times are milliseconds."""
        toxic = {"name": kind, "type": kind, "stream": stream, "attributes": attributes}
        self._api.post(f"/proxies/{self._name}/toxics", json=toxic).raise_for_status()

    def cure(self, kind: str) -> None:
        self._api.delete(f"/proxies/{self._name}/toxics/{kind}").raise_for_status()

    def enable(self, enabled: bool) -> None:
        """Disabled, it refuses connections and ends those that are there. The port stays its own."""
        self._api.post(f"/proxies/{self._name}", json={"enabled": enabled, "listen": f"127.0.0.1:{self.port}"}).raise_for_status()


class Toxiproxy:
    def __enter__(self) -> "Toxiproxy":
        with socket.create_server(("127.0.0.1", 0)) as sock:
            port = sock.getsockname()[1]
        command = [program(), "-host", "127.0.0.1", "-port", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Connections are tried again until it listens.
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_S, transport=httpx.HTTPTransport(retries=5))
        self._links = 0
        return self

    def link(self, upstream_port: int) -> Link:
        self._links += 1
        return Link(self._api, f"link{self._links}", upstream_port)

    def __exit__(self, *_: object) -> None:
        self._api.close()
        self._process.terminate()
        self._process.wait(LIMIT_S)
