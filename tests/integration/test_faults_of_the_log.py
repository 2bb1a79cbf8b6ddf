"""Standard error that is full, closed, not read or gone: requests go on, and the program still ends."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.qrerank_process import program
from tests.support.raw_http import LIMIT_S, FakeUpstream, answering, ok
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize
# More lines than wait in memory (two mebibytes at most) and than fit into a pipe of one page.
MANY = 18_000


class Serving:
    def __init__(self, up: FakeUpstream, stderr: int, launcher: list[str]) -> None:
        command = [*launcher, str(program()), "serve", "--set", f"upstream.url=http://127.0.0.1:{up.port}"]
        for setting in ("proxy.listen=127.0.0.1:0", "admin.listen=127.0.0.1:0", "log.access=true"):
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        line = self.process.stdout.readline()
        self.proxy, self.admin = re.fullmatch(r"listening proxy=(\S+) admin=(\S+)\n", line).groups()

    def asks(self, times: int, path: str = "/x", address: str = "") -> bytes:
        connection = http.client.HTTPConnection(address or self.proxy, timeout=LIMIT_S)
        for _ in range(times):
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200
        connection.close()
        return body

    def dropped(self) -> int:
        return int(re.search(rb"^qrerank_log_lines_dropped_total (\d+)", self.asks(1, "/metrics", self.admin), re.MULTILINE)[1])

    def ends(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_S)


@contextlib.contextmanager
def serving(stderr: int, launcher: list[str] | None = None) -> Iterator[Serving]:
    with FakeUpstream(answering(ok())) as up:
        served = Serving(up, stderr, launcher or [])
        try:
            yield served
            assert served.asks(1) == b"hello"
            assert served.ends() == 0
        finally:
            served.process.kill()
            served.process.wait()
            served.process.stdout.close()


def test_no_space_left():
    with open("/dev/full", "w") as full, serving(full.fileno()) as served:
        served.asks(200)


def test_nobody_reads():
    ours, theirs = os.pipe()
    try:
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 4096)
        with serving(theirs) as served:
            served.asks(MANY)
            assert served.dropped() > 0
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_reader_is_gone():
    ours, theirs = os.pipe()
    try:
        with serving(theirs) as served:
            os.close(ours)
            served.asks(200)
    finally:
        os.close(theirs)


def test_closed_from_the_start():
    """The number of standard error goes to no socket: log lines would be written into it."""
    with serving(subprocess.DEVNULL, ["sh", "-c", 'exec "$@" 2>&-', "sh"]) as served:
        assert os.readlink(f"/proc/{served.process.pid}/fd/2") == "/dev/null"
        served.asks(200)


def test_a_file_that_was_taken_away_or_cut():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/log"
        with open(path, "ab") as log, serving(log.fileno()) as served:
            served.asks(10)
            os.rename(path, f"{path}.1")
            served.asks(10)
            os.truncate(f"{path}.1", 0)
            served.asks(10)
            os.unlink(f"{path}.1")
            served.asks(10)


@contextlib.contextmanager
def tiny_disk() -> Iterator[str]:
    """Of 64 KiB."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk; test_no_space_left needs none")
def test_a_disk_that_fills_up_and_has_room_again():
    with tiny_disk() as disk:
        with open(f"{disk}/log", "ab") as log, serving(log.fileno()) as served:
            served.asks(2000)
            wait_until(lambda: served.dropped() > 0)
            assert os.statvfs(disk).f_bfree == 0
            served.asks(1, "/last")
            lost = served.dropped
            wait_until(lambda: lost() > 100)
            os.truncate(f"{disk}/log", 0)
            served.asks(3, "/after")
            wait_until(lambda: Path(f"{disk}/log").read_text().count("path=/after") == 3)
            # The line that the full disk cut has an end, so that the next one stands for itself.
            lines = Path(f"{disk}/log").read_text().lstrip("\0\n").splitlines()
            assert all(re.match(r"20\d\d-\d\d-\d\dT\S+ +[A-Z]+ ", line) for line in lines), lines
