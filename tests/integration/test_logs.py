"""The log's fields as docs/logs.md lists them, in both formats; request ids that go up and come back."""

import json
import re
import socket

import httpx
import pytest

from tests.integration import library
from tests.support.qrerank_process import REPOSITORY, Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, answering, ok

JSON = "log:\n  access: true\n  format: json\n"


def documented() -> set[str]:
    section = (REPOSITORY / "docs/logs.md").read_text().partition("## The access log")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def lines(proxy: Qrerank, message: str) -> list[dict[str, object]]:
    all_lines = [json.loads(line) for line in proxy.stderr.splitlines()]
    return [line for line in all_lines if line["message"] == message]


def test_fields_of_the_access_log_are_those_of_the_page(qdrant, collection):
    with Qrerank(qdrant.url, JSON) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        body = {"query": library.NORTH, "use_reranker": True, "rerank_query": "marker of the query"}
        client.post(f"/collections/{collection}/points/query?timeout=5", json=body, headers={"x-request-id": "mine"})
        client.get("/collections?marker=secret")
        body["rerank_field"] = "nowhere"
        client.post(f"/collections/{collection}/points/query", json=body, headers={"x-request-id": "last"})
        proxy.wait_for_log('"last"')
    reranked, relayed, fallen_back = lines(proxy, "request")
    for line in (reranked, relayed, fallen_back):
        assert set(line) == documented() | {"time", "level", "message"}
        assert line["client"] == "127.0.0.1" and line["upstream"] == qdrant.url
        assert isinstance(line["us"], int) and line["us"] > 0
        assert line["trace"] == "-"
    assert (reranked["outcome"], reranked["model"], reranked["reason"]) == ("reranked", "mock", "-")
    assert reranked["candidates"] > 0 and reranked["request_id"] == "mine"
    assert (relayed["path"], relayed["outcome"], relayed["status"]) == ("/collections", "passed", 200)
    assert relayed["bytes"] > 0 and re.fullmatch("[0-9a-f]{32}", relayed["request_id"])
    assert (fallen_back["outcome"], fallen_back["reason"], fallen_back["candidates"]) == ("fallback", "no_text", 0)
    assert "marker" not in proxy.stderr


def test_text_lines_have_the_same_fields():
    with FakeUpstream(answering(ok())) as up, Qrerank(f"http://127.0.0.1:{up.port}", "log: {access: true}") as proxy:
        with proxy.client() as client:
            client.get("/x")
        line = proxy.wait_for_log(" request ")
    assert set(re.findall(r" (\w+)=", line)) == documented()


def test_why_a_model_or_an_upstream_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    config = "models: {broken: {path: /nowhere/at/all, preload: true}}"
    with Qrerank(f"http://127.0.0.1:{port}", config) as proxy:
        model, upstream = proxy.wait_for_log("model failed to load"), proxy.wait_for_log("upstream changed")
    assert "model=broken" in model and 'why="/nowhere/at/all' in model
    assert "to=down" in upstream and "Connection refused" in upstream.partition("why=")[2]


def test_what_fails_is_told_without_an_access_log():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}", "log:\n  format: json\n") as proxy, proxy.client() as client:
        client.get("/x?api-key=secret")
        proxy.wait_for_log("request failed")
    (line,) = lines(proxy, "request failed")
    assert (line["level"], line["method"], line["path"], line["status"]) == ("warn", "GET", "/x", 502)
    assert line["reason"].startswith(f"upstream http://127.0.0.1:{port}: cannot connect")


@pytest.fixture
def seen() -> list[Message]:
    return []


def test_ids_pass_as_they_came_unless_asked_for(seen):
    with FakeUpstream(answering(ok(extra=b"X-Request-Id: theirs\r\n"), requests=seen)) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy:
        with proxy.client() as client:
            assert client.get("/x", headers={"X-Request-Id": "mine"}).headers.get_list("x-request-id") == ["theirs"]
            client.get("/x")
    assert [request.all("x-request-id") for request in seen] == [["mine"], []]


@pytest.mark.sanitize
def test_ids_go_up_and_come_back(seen):
    with FakeUpstream(answering(ok(extra=b"X-Request-Id: theirs\r\n"), requests=seen)) as up:
        settings = {"proxy.request_id": "true", "log.access": "true"}
        with Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy, proxy.client() as client:
            assert client.get("/x", headers={"X-Request-Id": "mine"}).headers.get_list("x-request-id") == ["mine"]
            (made,) = client.get("/x").headers.get_list("x-request-id")
            assert re.fullmatch("[0-9a-f]{32}", made)
            (instead,) = client.get("/x", headers={"X-Request-Id": "not (sane)"}).headers.get_list("x-request-id")
            assert [request.all("x-request-id") for request in seen] == [["mine"], [made], [instead]]
            refused = client.post("/collections/c/points/query", json={"use_reranker": 7}, headers={"x-request-id": "bad"})
            assert refused.status_code == 400 and refused.headers.get_list("x-request-id") == ["bad"]
            for name in ("mine", made, instead, "bad"):
                assert f"request_id={name}" in proxy.wait_for_log(f"request_id={name}")


def test_ids_of_a_reranked_search(qdrant, collection):
    with Qrerank(qdrant.url, settings={"proxy.request_id": "true"}) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        body = {"query": library.NORTH, "use_reranker": True, "rerank_query": "x"}
        answer = client.post(f"/collections/{collection}/points/query", json=body)
        assert answer.json()["reranking_used"] is True
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_the_level_changes_while_it_runs():
    with FakeUpstream(answering(ok())) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings={"log.level": "error", "log.access": "true"}) as proxy:
        page = f"http://{proxy.admin}/log-level"
        with proxy.client() as client:
            client.get("/quiet")
            told = httpx.put(page, content='{"level":"info"}', timeout=LIMIT_S).json()
            assert told == httpx.get(page, timeout=LIMIT_S).json() == {"level": "info", "configured": "error"}
            client.get("/loud")
            proxy.wait_for_log("path=/loud")
        assert "path=/quiet" not in proxy.stderr
        assert "log level changed level=info" in proxy.stderr
        proxy.reload("")
        assert httpx.get(page, timeout=LIMIT_S).json()["level"] == "error"


def test_the_configuration_in_force_is_told(tmp_path):
    config = "admin:\n  token: marker-0123456789abcdef\ntracing:\n  headers: A=marker-of-a-key\nrerank:\n  top_k: 33\n"
    with Qrerank("http://127.0.0.1:1", config) as proxy:
        page = f"http://{proxy.admin}/config"
        assert httpx.get(page, timeout=LIMIT_S).status_code == 401
        told = httpx.get(page, headers={"authorization": "Bearer marker-0123456789abcdef"}, timeout=LIMIT_S)
        assert told.headers["content-type"] == "application/yaml"
        assert "top_k: 33" in told.text and "marker" not in told.text
