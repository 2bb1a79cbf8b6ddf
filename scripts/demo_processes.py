"""Qdrant and qrerank as child processes of the demo and the benchmarks: started on loopback, stopped in reverse order.

Only processes started here are ended here; a Qdrant that was named by QRERANK_TEST_QDRANT_URL is left as it is.
"""

import os
import pathlib
import socket
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
STOP_SECONDS = 15


class Failed(Exception):
    """A process that did not start or that ended early; the text says which one and shows the end of its log."""


def free_port(preferred=0):
    """`preferred` if nothing listens there, else one that the kernel picks."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
            except OSError:
                continue
    raise Failed("no free port on 127.0.0.1")


def cross_encoder_config(qdrant, model, dtype="float32", embedding=None):
    """A configuration text: the Qdrant at that URL, the model folder `model` as the default model `minilm`, and, if there
    is one, the folder `embedding` as what makes vectors of questions. The time
    limit is the longest there is: on a busy machine a demo or a measurement is to wait, not to fall back."""
    return f"""\
upstream:
  url: {qdrant}
rerank:
  default_model: minilm
  timeout_ms: 60000
models:
  minilm:
    path: {model}
    dtype: {dtype}
""" + (f"""\
inference:
  models:
    bge-small:
      hub: BAAI/bge-small-en-v1.5
      path: {embedding}
""" if embedding else "")


class Child:
    """One process in a session of its own (a Ctrl-C in the terminal reaches the demo alone, which then stops it)."""

    def __init__(self, name, command, log, cwd=None):
        self.name, self.log = name, pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as sink:
            self.process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sink,
                                            stderr=subprocess.STDOUT, start_new_session=True)

    def said(self, prefix, seconds):
        """The first line of its log that begins with `prefix`, waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.log.read_text(errors="replace").splitlines():
                if line.startswith(prefix):
                    return line
            self.check()
            time.sleep(0.05)
        raise Failed(f"{self.name} did not say `{prefix}…` within {seconds} s\n{self.last_words()}")

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended with exit status {self.process.returncode}\n{self.last_words()}")

    def last_words(self):
        lines = self.log.read_text(errors="replace").splitlines()[-12:]
        return "\n".join([f"the end of {self.log}:"] + [f"    {line}" for line in lines])

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Stack:
    """What the demo runs, in order of start; leaving the `with` block stops it in reverse."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for child in reversed(self.children):
            child.stop()

    def check(self):
        for child in self.children:
            child.check()

    def _start(self, *arguments, **options):
        child = Child(*arguments, **options)
        self.children.append(child)
        return child

    def qdrant(self):
        """(URL, what it is): the one that is named, else what tests/support/qdrant.py starts, a `qdrant` binary or the
        stand-in of the tests."""
        named = os.environ.get("QRERANK_TEST_QDRANT_URL")
        if named:
            return named.rstrip("/"), "the Qdrant that QRERANK_TEST_QDRANT_URL names"
        command = [sys.executable, "-m", "tests.support.qdrant", "serve"]
        child = self._start("Qdrant", command, self.work / "qdrant.log", cwd=REPOSITORY)
        address = child.said("listening ", 90).split()[1]
        return f"http://{address}", child.said("qdrant: ", 1).removeprefix("qdrant: ")

    def qrerank(self, binary, config, preferred_port=0):
        """(proxy URL, admin URL) of `qrerank serve` with the configuration text `config` and free ports."""
        path = self.work / "config.yaml"
        path.write_text(config)
        child = self._start("qrerank", [str(binary), "serve", "--config", str(path),
                                        "--set", f"proxy.listen=127.0.0.1:{free_port(preferred_port)}",
                                        "--set", f"admin.listen=127.0.0.1:{free_port()}"], self.work / "qrerank.log")
        words = dict(word.split("=", 1) for word in child.said("listening ", 60).split()[1:])
        return "http://" + words["proxy"], "http://" + words["admin"]
