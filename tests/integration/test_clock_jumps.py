"""A wall clock that jumps days forth and back while requests run: no limit passes early, none fails to pass, lines follow.

libfaketime (apt: faketime) gives the program the clock that a file names; the steady clock stays the system's.
"""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, at_end, ok

FORTH, BACK = "+5d", "-3000d"
MODELS = "models:\n  works: {stand_in: works}\n  hangs: {stand_in: hangs}\n"
HITS = b'{"result":{"points":[{"id":1,"version":0,"score":0.5,"payload":{"text":"pears"}},{"id":2,"version":0,"score":0.4,"payload":{"text":"apples"}}]},"status":"ok","time":0.1}'


def library() -> str:
    listing = subprocess.run(["dpkg", "-L", "libfaketime"], check=True, capture_output=True, text=True).stdout
    return next(line for line in listing.splitlines() if line.endswith("libfaketimeMT.so.1"))


class Clock:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        self.set("+0")
        self.environment = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(offset + "\n")
        os.replace(fresh, self.file)


class Rig:
    """`/silent` is answered when `go` is set."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(folder)
        self.asked, self.go = threading.Event(), threading.Event()
        self.up = FakeUpstream(self.serve)
        settings = {"log.access": True, "log.format": "json", "upstream.keep_alive_timeout": "1h", "upstream.health_interval": "0ms"}
        self.proxy = Qrerank(f"http://127.0.0.1:{self.up.port}", MODELS, settings, environment=self.clock.environment)

    def serve(self, reader: Reader, sock: socket.socket, _: int) -> None:
        while True:
            request = reader.message()
            if "/silent" in request.first:
                self.asked.set()
                assert self.go.wait(LIMIT_S)
            sock.sendall(ok(HITS, b"Content-Type: application/json\r\n") if request.body else ok())

    def search(self, model: str, timeout_ms: int) -> dict:
        body = {"query": [0.1], "limit": 2, "rerank": True, "rerank_query": "apples", "rerank_model": model, "rerank_timeout_ms": timeout_ms}
        return httpx.post(f"{self.proxy.url}/collections/c/points/query", json=body, timeout=LIMIT_S).json()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    with rig.up, rig.proxy:
        yield rig
        rig.go.set()


def jumps(clock: Clock, stop: threading.Event) -> None:
    while not stop.is_set():
        for offset in (FORTH, BACK):
            clock.set(offset)


def test_requests_go_on_while_it_jumps(rig: Rig):
    stop = threading.Event()
    jumping = threading.Thread(target=jumps, args=(rig.clock, stop))
    with rig.proxy.client() as client:
        assert client.get("/x").text == "hello"
        jumping.start()
        try:
            for _ in range(200):
                assert client.get("/x").text == "hello"  # on one connection of the client's …
            for _ in range(20):
                assert rig.search("works", 60_000)["reranking_used"]
        finally:
            stop.set()
            jumping.join()
    assert rig.up.connections <= 4  # … and kept ones to the upstream: one a thread


@pytest.mark.parametrize("offset", [FORTH, BACK])
def test_what_waits_goes_on_waiting(rig: Rig, offset: str):
    with socket.create_connection(rig.proxy.address, timeout=LIMIT_S) as slow, socket.create_connection(rig.proxy.address, timeout=LIMIT_S) as idle:
        slow.sendall(b"GET /silent HTTP/1.1\r\nHost: q\r\n\r\n")
        idle.sendall(b"GET /x HTTP/1.1\r\nHost: q\r\n\r\n")
        reader = Reader(idle)
        assert reader.message().body == b"hello"
        assert rig.asked.wait(LIMIT_S)
        rig.clock.set(offset)
        for _ in range(50):  # the threads have come to their timers many times meanwhile
            idle.sendall(b"GET /x HTTP/1.1\r\nHost: q\r\n\r\n")
            assert reader.message().body == b"hello"
        rig.go.set()
        assert Reader(slow).message().body == b"hello"


@pytest.mark.parametrize("offset", [FORTH, BACK])
def test_limits_still_pass(rig: Rig, offset: str):
    """After the jump, and for what began before it."""
    rig.search("hangs", 1)  # from now on that model is busy for good
    told: list[str] = []
    began = threading.Thread(target=lambda: told.append(rig.search("hangs", 1500)["reranking_reason"]))
    began.start()
    rig.clock.set(offset)
    assert rig.search("hangs", 200)["reranking_reason"] == "timeout"
    began.join(LIMIT_S)
    assert told == ["timeout"]


@pytest.mark.parametrize("offset", [FORTH, BACK])
def test_a_drain_ends(tmp_path: Path, offset: str):
    clock = Clock(tmp_path)
    with FakeUpstream(lambda reader, sock, _: (reader.message(), asked.set(), at_end(sock))) as up:
        asked = threading.Event()
        settings = {"proxy.drain_timeout": "500ms"}
        with Qrerank(f"http://127.0.0.1:{up.port}", settings=settings, environment=clock.environment) as proxy:
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(b"GET /silent HTTP/1.1\r\nHost: q\r\n\r\n")
                assert asked.wait(LIMIT_S)
                clock.set(offset)
                assert proxy.stop() == 0


def test_health_checks_go_on(tmp_path: Path):
    clock = Clock(tmp_path)
    with FakeUpstream(answering(ok())) as up:
        settings = {"upstream.health_interval": "50ms"}
        with Qrerank(f"http://127.0.0.1:{up.port}", settings=settings, environment=clock.environment) as proxy:
            for offset in (FORTH, BACK, "+0"):
                clock.set(offset)
                seen = up.connections
                for _ in range(2000):
                    if up.connections > seen + 2:
                        break
                    httpx.get(f"http://{proxy.admin}/livez", timeout=LIMIT_S)
                assert up.connections > seen + 2


def test_log_lines_carry_the_wall_clock(rig: Rig):
    now = datetime.datetime.now(datetime.timezone.utc)
    for offset, path in ((FORTH, "/forth"), (BACK, "/back")):
        rig.clock.set(offset)
        httpx.get(rig.proxy.url + path, timeout=LIMIT_S)
        expected = now + datetime.timedelta(days=int(offset.removesuffix("d")))
        line = rig.proxy.wait_for_log(f'"path":"{path}"')
        assert f"{expected:%Y-%m-%dT}" in line, line
