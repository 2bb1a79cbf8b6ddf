"""The real program as a process of a test: `qrerank serve` with a configuration of the test's own.

QRERANK_BIN names the binary, else it is build/release/qrerank. When it is missing the test fails; it is never skipped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.support.raw_http import LIMIT_S

REPOSITORY = Path(__file__).resolve().parents[2]
# A sanitizer build on a busy machine takes its time.
READY_SECONDS = 60


def program() -> Path:
    path = Path(os.environ.get("QRERANK_BIN") or REPOSITORY / "build/release/qrerank")
    assert path.exists(), f"{path} is not built (QRERANK_BIN names the program)"
    return path


class Qrerank:
    """A running proxy; `settings` are `--set` overrides, such as {"rerank.top_k": 20}.

    `launcher` comes before the program's own command, `environment` on top of the test's, `descriptors` stay open.
    """

    def __init__(
        self,
        upstream: str,
        config: str = "",
        settings: dict[str, object] | None = None,
        launcher: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        self.config = config
        self.launcher = list(launcher)
        self.environment = environment or {}
        self.descriptors = descriptors
        self.settings = {
            "proxy.listen": "127.0.0.1:0",
            "admin.listen": "127.0.0.1:0",
            "upstream.url": upstream,
            "rerank.default_model": "mock",
            **(settings or {}),
        }
        self.process: subprocess.Popen[str] | None = None
        self.proxy = self.admin = ""
        self.places: dict[str, str] = {}  # what the `listening` line names: {"proxy": "127.0.0.1:7333", …}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lines: list[str] = []
        self._logged = threading.Condition()  # guards _lines; told of each line and of the end
        self._ended = False
        self._reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{self.proxy}"

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.proxy.rpartition(":")
        return host, int(port)

    @property
    def stderr(self) -> str:
        with self._logged:
            return "".join(self._lines)

    def wait_for_log(self, text: str, since: int = 0) -> str:
        """The first line that holds `text`, of those after the first `since` characters of standard error."""

        def found() -> str | None:
            lines = "".join(self._lines)[since:].splitlines()
            return next((line for line in lines if text in line), None)

        with self._logged:
            self._logged.wait_for(lambda: found() or self._ended, READY_SECONDS)
            line = found()
        assert line, f"no log line holds {text!r}:\n{self.stderr}"
        return line

    @property
    def config_file(self) -> Path:
        return Path(self._folder.name) / "config.yaml"

    def reload(self, config: str | None = None) -> str:
        """Writes the file anew, sends SIGHUP, and returns the line that tells what came of it."""
        if config is not None:
            self.config_file.write_text(config)
        since = len(self.stderr)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for_log(" reloaded", since)

    def client(self) -> httpx.Client:
        """Uncompressed, so that bodies compare by their bytes."""
        return httpx.Client(base_url=self.url, headers={"accept-encoding": "identity"}, timeout=LIMIT_S)

    def start(self) -> "Qrerank":
        self._folder = tempfile.TemporaryDirectory(prefix="qrerank-")
        self.config_file.write_text(self.config)
        command = [*self.launcher, str(program()), "serve", "--config", str(self.config_file)]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        environment = {name: value for name, value in os.environ.items() if not (name.startswith("QRERANK_") and "__" in name)}
        self.process = subprocess.Popen(
            command, env=environment | self.environment, pass_fds=self.descriptors, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        try:
            line = self.process.stdout.readline()
            while line and not line.startswith("listening "):
                line = self.process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            self.process.wait()
            self._reader.join(LIMIT_S)
            raise AssertionError(f"qrerank ended with {self.process.returncode} before it listened:\n{self.stderr}")
        self.places = dict(word.split("=", 1) for word in line.split()[1:])
        self.proxy, self.admin = self.places["proxy"], self.places["admin"]
        return self

    def _collect(self) -> None:
        for line in self.process.stderr:
            with self._logged:
                self._lines.append(line)
                self._logged.notify_all()
        with self._logged:
            self._ended = True
            self._logged.notify_all()

    def stop(self) -> int:
        """SIGTERM, drain, exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"qrerank did not stop within {LIMIT_S} s of SIGTERM:\n{self.stderr}") from None
        finally:
            self._reader.join(LIMIT_S)
            self.process.stdout.close()
            self._folder.cleanup()
        return code

    def __enter__(self) -> "Qrerank":
        return self.start()

    def __exit__(self, failed: object, *_: object) -> None:
        code = self.stop()
        if failed is None:
            assert code == 0, f"qrerank ended with {code}:\n{self.stderr}"
