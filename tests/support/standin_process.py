"""Starts and stops a stand-in Qdrant as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STOP_SECONDS = 10


class StandIn:
    """A running stand-in on a free loopback port."""

    def __init__(self, api_key: str | None = None, read_only_api_key: str | None = None, port: int = 0) -> None:
        self.arguments = ["--port", str(port)]
        if api_key is not None:
            self.arguments += ["--api-key", api_key]
        if read_only_api_key is not None:
            self.arguments += ["--read-only-api-key", read_only_api_key]
        self.process: subprocess.Popen[str] | None = None
        self.address = ("", 0)

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def start(self) -> "StandIn":
        command = [sys.executable, "-m", "tests.support.standin", *self.arguments]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            self.process.wait()
            raise RuntimeError(f"the stand-in did not start (exit code {self.process.returncode}): {line!r}")
        host, _, port = line.split()[1].rpartition(":")
        self.address = (host, int(port))
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    def __enter__(self) -> "StandIn":
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
