"""The relay-only program (tests/support/relay_main.cpp) as a process of a test."""

import os
import pathlib
import signal
import socket
import subprocess

from tests.support.raw_http import LIMIT_S, Message, Reader

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("QRERANK_BUILD", ROOT / "build/release")) / "relay_only"
    assert path.exists(), f"{path} is not built (QRERANK_BUILD names the build folder)"
    return path


class RelayProcess:
    def __init__(self, *upstream_ports: int, **options: int):
        """Options as relay_main.cpp names them, with _ for -, times in milliseconds."""
        arguments = [f"upstream={port}" for port in upstream_ports]
        arguments += [f"{name.replace('_', '-')}={value}" for name, value in {"io_threads": 2, **options}.items()]
        self.process = subprocess.Popen([program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = self.process.stdout.readline()
        assert ready.startswith("listening proxy="), (ready, self.process.stderr.read())
        self.port = int(ready.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            _, errors = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        if failed is None:
            assert self.process.returncode == 0, errors

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def ask(self, request: bytes, bodyless: bool = False) -> Message:
        """One request on its own connection."""
        with self.connect() as sock:
            sock.sendall(request)
            return Reader(sock).message(bodyless)

    def resident_kib(self) -> int:
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")
