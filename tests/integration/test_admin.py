"""The second listener of the running program: liveness, readiness, metrics, status."""

import re
import socket
import time

import httpx
import pytest

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S

pytestmark = pytest.mark.sanitize


def get(proxy: Qrerank, path: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, f"http://{proxy.admin}{path}", timeout=LIMIT_S)


def wait_until_ready(proxy: Qrerank) -> httpx.Response:
    """The upstream is probed in the background: the first answer may come before the first probe."""
    until = time.monotonic() + LIMIT_S
    while (answer := get(proxy, "/readyz")).status_code != 200 and time.monotonic() < until:
        time.sleep(0.05)
    return answer


def samples(proxy: Qrerank) -> dict[str, float]:
    lines = get(proxy, "/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_live_and_ready(proxy):
    assert get(proxy, "/livez").json() == {"live": True}
    ready = wait_until_ready(proxy)
    assert ready.status_code == 200, ready.text
    assert ready.json() == {"ready": True}


def test_not_ready_without_an_upstream():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}") as proxy:
        assert get(proxy, "/livez").status_code == 200
        answer = get(proxy, "/readyz")
        assert answer.status_code == 503
        assert answer.json()["ready"] is False
        assert answer.json()["reason"].startswith("no upstream is reachable")


def test_status(proxy, qdrant):
    wait_until_ready(proxy)
    status = get(proxy, "/status").json()
    assert set(status) == {"version", "uptime_seconds", "draining", "upstreams", "models", "config"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", status["version"])
    assert status["draining"] is False
    assert [(u["url"], u["reachable"]) for u in status["upstreams"]] == [(qdrant.url, True)]
    assert status["config"]["default_model"] == "mock"
    mock = next(model for model in status["models"] if model["name"] == "mock")
    assert mock["state"] == "ready"


def test_requests_are_counted(proxy):
    name = 'qrerank_requests_total{endpoint="other",outcome="passed"}'
    before = samples(proxy)
    with proxy.client() as client:
        client.get("/")
        client.get("/collections")
    # The last of a request is counted after its last byte has gone.
    until = time.monotonic() + LIMIT_S
    while (after := samples(proxy))[name] < before[name] + 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert after[name] == before[name] + 2
    opened = 'qrerank_connections_opened_total{side="client"}'
    assert after[opened] == before[opened] + 1
    assert any(name.startswith("qrerank_build_info{") for name in after)


def test_what_is_not_there(proxy):
    assert get(proxy, "/nowhere").status_code == 404
    refused = get(proxy, "/livez", "POST")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_own_pages_are_not_in_the_proxied_namespace(proxy, qdrant):
    """What the proxied listener answers for them is the upstream's own word."""
    with proxy.client() as client:
        for path in ("/status", "/admin"):
            ours = client.get(path)
            theirs = httpx.get(qdrant.url + path, headers={"accept-encoding": "identity"})
            assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)


def test_a_search_whose_upstream_fails_is_counted_and_logged_as_failed():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    log = "log:\n  access: true\n"
    with Qrerank(f"http://127.0.0.1:{port}", log) as proxy:
        body = {"query": [1.0], "use_reranker": True, "rerank_query": "secret words"}
        assert httpx.post(f"{proxy.url}/collections/c/points/query", json=body, timeout=LIMIT_S).status_code == 502
        found = samples(proxy)
        assert found['qrerank_requests_total{endpoint="query",outcome="failed"}'] == 1
    lines = [line for line in proxy.stderr.splitlines() if "request_id=" in line]
    assert [("request failed" in line, "outcome=failed" in line) for line in lines] == [(True, False), (False, True)]
    # One request, one id, although the client sent none.
    assert len({line.rpartition("request_id=")[2] for line in lines}) == 1
    assert "secret" not in proxy.stderr
