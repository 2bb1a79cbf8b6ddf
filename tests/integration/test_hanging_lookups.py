"""A name server that never answers: requests are answered in time, and SIGTERM ends the program in time.

The lookup itself cannot be ended; tests/support/hanging_lookup.cpp is loaded before the C library and makes it hang.
"""

import socket
import time

import httpx
import pytest

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, answering, at_end, ok
from tests.support.relay_process import program

pytestmark = pytest.mark.sanitize
LIMITS = {"proxy.drain_timeout": "200ms", "upstream.connect_timeout": "100ms"}


def hanging(upstream: str, settings: dict[str, object], config: str = "") -> Qrerank:
    library = program().parent / "hanging_lookup.so"
    assert library.exists(), f"{library} is not built"
    return Qrerank(upstream, config, LIMITS | settings, environment={"LD_PRELOAD": str(library)})


def ends_in_time(proxy: Qrerank) -> None:
    began = time.monotonic()
    assert proxy.stop() == 0
    assert time.monotonic() - began < LIMIT_S / 2


@pytest.mark.parametrize("interval", ["0ms", "10ms"], ids=["asked by a request", "and by health checks"])
def test_upstream_whose_name_is_never_found(interval):
    with hanging("http://hangs.invalid:6333", {"upstream.health_interval": interval}) as proxy:
        for _ in range(4):  # on one I/O thread after another
            answer = httpx.get(f"{proxy.url}/x", timeout=LIMIT_S)
            assert answer.status_code == 504
            assert "cannot resolve the name: timed out" in answer.json()["status"]["error"]
        ends_in_time(proxy)


def test_relay_whose_target_is_never_found():
    relay = {"relays.grpc.listen": "127.0.0.1:0", "relays.grpc.to": "hangs.invalid:6334", "relays.grpc.connect_timeout": "100ms"}
    with FakeUpstream(answering(ok())) as up, hanging(f"http://127.0.0.1:{up.port}", relay) as proxy:
        host, _, port = proxy.places["relays.grpc"].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as sock:
            assert at_end(sock)
        ends_in_time(proxy)


def test_other_names_are_found():
    with FakeUpstream(answering(ok())) as up, hanging(f"http://localhost:{up.port}", {}) as proxy:
        assert httpx.get(f"{proxy.url}/x", timeout=LIMIT_S).status_code == 200
