"""What must not be seen: keys, tokens, queries and documents in logs, metrics and pages; and what one client's key may not
read, whatever another client asked before."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.authority import Authority
from tests.support.qrerank_process import Qrerank, program
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, ok, read_to_end

pytestmark = pytest.mark.sanitize

MARKER = "SEEN7Q"  # in everything that nobody may see
KEY, BEARER, QUERY, TEXT = (f"{MARKER}-{what}" for what in ("key", "bearer", "query", "document"))
TOKEN = f"{MARKER}-admin-token-0123456789"
SEARCHES = ["search", "query", "recommend", "discover"]
KINDS = ["", "/batch", "/groups"]


def answer_to(path: str, body: bytes) -> bytes:
    """Hits in the shape of the endpoint, each with the marker in its text."""
    points = [{"id": n, "version": 1, "score": 0.5, "payload": {"text": f"{TEXT} {n}", "other": TEXT}, "vector": [0.1]} for n in range(3)]
    if path.endswith("/points"):
        result: object = points
    elif path.endswith("/groups"):
        result = {"groups": [{"id": "g", "hits": points}]}
    else:
        one: object = {"points": points} if "/query" in path else points
        result = [one] * len(json.loads(body)["searches"]) if path.endswith("/batch") else one
    return json.dumps({"result": result, "status": "ok", "time": 0.1}).encode()


def error(status: int) -> bytes:
    body = json.dumps({"status": {"error": f"Wrong input: {QUERY}, {TEXT}"}, "time": 0.1}).encode()
    return b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


# By the collection's name: what the upstream does wrong.
FAULTS = {
    "whole": None,
    "says400": error(400),
    "says500": error(500),
    "nojson": ok(f'{{"result": {{"points": [{{"id": 1, "payload": {{"text": "{TEXT}'.encode()),
    "othershape": ok(f'{{"result": "{TEXT}", "status": "ok"}}'.encode()),
    "cutoff": f"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{TEXT}".encode(),
    "nohead": f"{TEXT}\r\n\r\n".encode(),
    "badhead": f"HTTP/1.1 200 OK\r\nContent-Length: {TEXT}\r\n\r\n".encode(),
    "badfield": f"HTTP/1.1 200 OK\r\n{TEXT} : {TEXT}\r\n\r\n".encode(),
    "badchunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TEXT}\r\n".encode(),
    "objects": ok(json.dumps({"result": {"points": [{"id": 1, "version": 1, "score": 1, "payload": {"text": {TEXT: TEXT}}}]}, "status": "ok"}).encode()),
    "closes": b"",
}


def play(reader: Reader, sock: socket.socket, _: int) -> None:
    while True:
        request = reader.message()
        path = urllib.parse.urlsplit(request.first.split(" ")[1]).path
        collection = path.split("/")[2] if path.startswith("/collections/") else "whole"
        fault = FAULTS.get(collection)
        if fault is None:
            asks = "/points" in path
            sock.sendall(ok(answer_to(path, request.body)) if asks else ok(json.dumps({"result": {"config": {}}, "title": TEXT}).encode()))
        else:
            sock.sendall(fault)
            if not fault.endswith(b"}") or fault.startswith(b"HTTP/1.1 200 OK\r\nContent-Length: 5000"):
                return


def body_of(kind: str, search: str, **options: object) -> dict:
    one = {"query": {"text": QUERY, "model": "m"}, "vector": [0.1], "positive": [1], "target": 1, "limit": 2, "with_payload": True}
    one |= {"group_by": "other", "group_size": 2} if kind == "/groups" else {}
    one |= options
    return {"searches": [one, one]} if kind == "/batch" else one


@contextlib.contextmanager
def sent(address: tuple[str, int], raw: bytes) -> Iterator[None]:
    with socket.create_connection(address, timeout=LIMIT_S) as sock:
        sock.sendall(raw)
        sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            read_to_end(sock)
        yield


def ask_everything(proxy: Qrerank) -> set[int]:
    """Returns the statuses that were seen."""
    statuses = set()
    keys = {"api-key": KEY, "authorization": f"Bearer {BEARER}"}
    flag = {"use_reranker": True, "rerank_query": QUERY}
    with proxy.client() as client:

        def post(path: str, body: object, headers: dict[str, str] | None = None, **more: object) -> None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            answer = client.post(path, content=content, headers=keys | (headers or {}), **more)
            statuses.add(answer.status_code)

        for collection in FAULTS:
            for search in SEARCHES:
                for kind in KINDS:
                    path = f"/collections/{collection}/points/{search}{kind}"
                    for options in ({}, flag, flag | {"with_vector": True}, flag | {"rerank_on_error": "error"}):
                        with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
                            post(path, body_of(kind, search, **options))
            with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError):
                statuses.add(client.get(f"/collections/{collection}?text={QUERY}", headers=keys).status_code)
        path = "/collections/whole/points/query"
        # Every carrier, and what is wrong in it.
        post(path, body_of("", "query"), {"x-rerank": "true", "x-rerank-query": QUERY})
        post(f"{path}?use_reranker=true&rerank_query={QUERY}", body_of("", "query"))
        for name in ("rerank_top_k", "rerank_model", "rerank_weight", "rerank_on_error", "rerank_timeout_ms", f"rerank_{QUERY}"):
            post(path, body_of("", "query", **flag, **{name: QUERY}))
            post(f"{path}?{urllib.parse.urlencode({'use_reranker': 'true', name: QUERY})}", body_of("", "query"))
            post(path, body_of("", "query"), {"x-rerank": "true", "x-" + name.replace("_", "-"): QUERY})
        post(path, body_of("", "query", use_reranker=QUERY))
        post(path, body_of("", "query"), {"x-rerank": QUERY})
        post(path, body_of("", "query", **(flag | {"rerank_query": QUERY * 9000})))
        post(path, body_of("", "query", **flag, rerank_model="absent"))
        post(path, body_of("", "query", **flag, rerank_model="broken"))
        post(path, body_of("", "query", **flag, rerank_model="broken", rerank_on_error="error"))
        post(path, body_of("", "query", **flag, rerank_timeout_ms=1))
        post(path, f'{{"use_reranker": true, "rerank_query": "{QUERY}'.encode())
        post(path, gzip.compress(json.dumps(body_of("", "query", **flag)).encode()), {"content-encoding": "gzip"})
        post(path, QUERY.encode(), {"content-encoding": "gzip", "x-rerank": "true"})
        post(path, body_of("", "query", **flag, filler=QUERY * 30000))
    # No requests at all, and clients that go.
    for raw in (
        f"GET /{QUERY} HTTP/9.9\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{KEY} : {KEY}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\napi-key: {KEY}\0\r\n\r\n",
        f"{KEY}\r\n\r\n",
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {KEY}\r\n\r\n",
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Rerank: 1\r\nContent-Length: 500\r\n\r\n{QUERY}",
        f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{QUERY}\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + KEY * 20000 + "\r\n\r\n",
        "GET /?" + QUERY * 20000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with sent(proxy.address, raw.encode()):
            pass
    return statuses


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_key_query_or_document_is_written_anywhere(log_format: str, tmp_path: Path):
    config = f"""
log: {{level: trace, access: true, format: {log_format}}}
admin: {{token: {TOKEN}}}
proxy: {{max_inspect_body: 200KiB}}
upstream: {{response_timeout: 1s}}
models: {{broken: {{path: {tmp_path}}}}}
"""
    with FakeUpstream(play) as up, Qrerank(f"http://127.0.0.1:{up.port}", config) as proxy:
        statuses = ask_everything(proxy)
        assert {200, 400, 500, 502, 503} <= statuses, statuses
        mine = {"authorization": f"Bearer {TOKEN}"}
        admin = f"http://{proxy.admin}"
        pages = [httpx.get(admin + page, headers=mine, timeout=LIMIT_S) for page in ("/metrics", "/status", "/readyz")]
        for headers in ({"authorization": f"Bearer {KEY}"}, {"authorization": f"Basic {KEY}"}, {"api-key": KEY, "host": KEY}):
            refused = httpx.get(f"{admin}/status?{QUERY}", headers=headers, timeout=LIMIT_S)
            assert refused.status_code == 401
            pages.append(refused)
        pages.append(httpx.get(f"{admin}/{QUERY}", headers=mine, timeout=LIMIT_S))
        assert "configuration reloaded" in proxy.reload(config + f"rerank: {{instruction: {QUERY}}}\n")
        assert "not reloaded" in proxy.reload(config.replace(TOKEN, f"{MARKER} with spaces"))
        seen = [page.text + str(page.headers) for page in pages]
    seen.append(proxy.stderr)
    assert proxy.stderr.count("\n") > 100
    found = [line for text in seen for line in text.splitlines() if MARKER in line]
    assert found == []


class Guarded:
    """A Qdrant whose keys read one collection each, or both; searching is one right, looking at the settings another."""

    RIGHTS = {"both": {"open", "hidden"}, "one": {"open"}, "blind": {"open", "hidden"}}

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []  # key, target
        self.lock = threading.Lock()

    def serve(self, reader: Reader, sock: socket.socket, _: int) -> None:
        while True:
            sock.sendall(self.answer(reader.message()))

    def answer(self, request: Message) -> bytes:
        key = request.one("api-key") or ""
        target = request.first.split(" ")[1]
        collection = target.split("/")[2]
        with self.lock:
            self.asked.append((key, target))
        looks = request.first.startswith("GET ")
        if collection not in self.RIGHTS.get(key, set()) or (looks and key == "blind"):
            body = b'{"status":{"error":"Forbidden: no access to this collection"},"time":0.0}'
            return b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        if looks:
            return ok(json.dumps({"result": {"config": {"metadata": {"embedding_model": "theirs"}}}, "status": "ok"}).encode())
        asked = json.loads(request.body)
        ids = asked.get("ids", range(min(asked.get("limit", 10), 4)))
        points = [{"id": n, "version": 1, "score": 1 - n / 10} for n in ids]
        selects = asked.get("with_payload")
        for point in points:
            payload = {"text": f"{collection} text {point['id']}", "private": f"{collection} private"}
            fields = selects if isinstance(selects, list) else selects.get("include", payload) if isinstance(selects, dict) else payload
            if selects:
                point["payload"] = {name: payload[name] for name in payload if name in fields}
            if asked.get("with_vector") or asked.get("with_vectors"):
                point["vector"] = [0.25]
        result = points if target.endswith("/points") else {"points": points}
        return ok(json.dumps({"result": result, "status": "ok", "time": 0.1}).encode())


@pytest.fixture()
def guarded() -> Iterator[tuple[Guarded, httpx.Client]]:
    upstream = Guarded()
    config = 'model_mapping: {theirs: mock}\ncollections: {"*": {field: [text, private]}}\n'
    with FakeUpstream(upstream.serve) as up, Qrerank(f"http://127.0.0.1:{up.port}", config) as proxy, proxy.client() as client:
        yield upstream, client


SEARCH = {"query": [0.1], "limit": 3, "use_reranker": True, "rerank_query": "hidden text 2", "with_payload": ["text"]}


def asks(client: httpx.Client, key: str | None, collection: str, **options: object) -> httpx.Response:
    headers = {"api-key": key} if key else {}
    return client.post(f"/collections/{collection}/points/query", json=SEARCH | options, headers=headers)


VARIANTS = [{}, {"with_vector": True}, {"with_payload": {"exclude": ["private"]}}, {"rerank_field": "private"}, {"rerank_weight": 0.5}]


def test_what_one_key_read_helps_no_other(guarded):
    """All caches are warm with what the first key may read: the second gets what the server says to it, and no more."""
    upstream, client = guarded
    for options in VARIANTS:
        answer = asks(client, "both", "hidden", **options)
        assert answer.status_code == 200 and answer.headers["x-reranking-used"] == "true" and b"hidden text" in answer.content
    for key in ("one", "unknown", None):
        for options in VARIANTS:
            answer = asks(client, key, "hidden", **options)
            assert answer.status_code == 403 and answer.json()["status"]["error"].startswith("Forbidden")
            assert b"hidden" not in answer.content and not [name for name in answer.headers if name.startswith("x-rerank")]
    assert asks(client, "one", "open").json()["reranking_used"] is True


def test_every_request_upstream_carries_the_clients_own_key(guarded):
    """Search, second read of the page, metadata: never another key, never none."""
    upstream, client = guarded
    for key in ("both", "blind", "one"):
        for collection in ("open", "hidden"):
            for options in VARIANTS:
                del upstream.asked[:]
                asks(client, key, collection, **options)
                assert upstream.asked and {asker for asker, _ in upstream.asked} == {key}
                assert {target.split("/")[2].split("?")[0] for _, target in upstream.asked} == {collection}


def test_a_key_that_may_not_look_learns_nothing_of_the_settings(guarded):
    upstream, client = guarded
    assert asks(client, "both", "open").status_code == 200
    del upstream.asked[:]
    answer = asks(client, "blind", "open")
    # It asked itself, was refused, and the answer does not come out of what the other key read.
    assert ("blind", "/collections/open") in upstream.asked
    assert answer.json()["reranking_used"] is True


@pytest.mark.parametrize("options", [{"rerank_field": "private"}, {"rerank_field": ["text", "private"], "with_payload": False}, {"with_payload": False}])
def test_fields_that_were_only_read_to_score_do_not_reach_the_client(guarded, options: dict):
    _, client = guarded
    answer = asks(client, "both", "hidden", **options)
    assert answer.json()["reranking_used"] is True
    assert b"private" not in answer.content
    if options.get("with_payload") is False:
        assert b"hidden text" not in answer.content


def test_the_admin_token(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    with FakeUpstream(play) as up:
        url = f"http://127.0.0.1:{up.port}"
        with Qrerank(url, f"admin: {{listen: '0.0.0.0:0', token_file: {token}}}\n", settings={"admin.listen": "0.0.0.0:0"}) as proxy:
            admin = f"http://127.0.0.1:{proxy.admin.rpartition(':')[2]}"

            def status(page: str, said: str | None = None) -> int:
                headers = {"authorization": said} if said else {}
                answer = httpx.get(admin + page, headers=headers, timeout=LIMIT_S)
                assert (answer.status_code == 401) == (answer.headers.get("www-authenticate") == 'Bearer realm="qrerank"')
                return answer.status_code

            for page in ("/metrics", "/status", "/nowhere"):
                assert status(page) == 401 and status(page, f"Bearer {TOKEN}0") == 401
            assert status("/metrics", f"Bearer {TOKEN}") == 200 and status("/nowhere", f"bearer {TOKEN}") == 404
            assert status("/livez") == 200 and status("/readyz") in (200, 503)
            # Rotated without a restart.
            token.write_text("another-token-0123456789")
            assert "changed=admin.token" in proxy.reload()
            assert status("/metrics", f"Bearer {TOKEN}") == 401 and status("/metrics", "Bearer another-token-0123456789") == 200


def test_names_that_lead_here_falsely_are_refused():
    with FakeUpstream(play) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy:
        for host, expected in [("evil.example:7334", 421), ("localhost", 200), (proxy.admin, 200), ("[::1]:7334", 200)]:
            answer = httpx.get(f"http://{proxy.admin}/status", headers={"host": host}, timeout=LIMIT_S)
            assert answer.status_code == expected, host


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program()), "check-config", *arguments], capture_output=True, text=True, timeout=LIMIT_S)


def test_an_admin_listener_for_all_needs_a_token_or_a_word():
    refused = check("--set", "admin.listen=0.0.0.0:7334")
    assert refused.returncode == 2 and "can be reached from other machines" in refused.stderr
    assert check("--set", "admin.listen=0.0.0.0:7334", "--set", "admin.open=true").returncode == 0
    told = check("--set", f"admin.token={TOKEN}", "--set", "admin.listen=[::]:7334")
    assert told.returncode == 0 and TOKEN not in told.stdout and "<secret>" in told.stdout


def test_a_readable_file_with_a_secret_is_warned_of(tmp_path: Path):
    config = tmp_path / "config.yaml"
    config.write_text(f"admin: {{token: {TOKEN}}}\n")
    config.chmod(0o644)
    told = check("--config", str(config))
    assert told.returncode == 0
    assert re.fullmatch(r"warning: .*/config.yaml holds admin.token, mode 0644: others than its owner can read it \(chmod 600\)\n", told.stderr)
    config.chmod(0o600)
    assert check("--config", str(config)).stderr == ""
    server = Authority(tmp_path).issue("server")
    key = ("--set", f"proxy.tls.certificate={server.certificate}", "--set", f"proxy.tls.key={server.key}")
    for mode, may in ((0o600, None), (0o640, None), (0o644, "its owner and group can read it"), (0o660, "its owner can write it")):
        server.key.chmod(mode)
        told = check(*key).stderr
        assert told == (f"warning: {server.key} holds a private key, mode {mode:04o}: others than {may} (chmod 640)\n" if may else "")
    with FakeUpstream(play) as up, Qrerank(f"http://127.0.0.1:{up.port}", config.read_text()) as proxy:
        pass  # the starter of the tests writes it with the usual mode
    assert "holds admin.token, mode 06" in proxy.stderr
