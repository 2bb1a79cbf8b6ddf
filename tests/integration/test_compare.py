"""What the compare page asks of the admin listener: collections and comparisons, through the proxy's own listener."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import document
from tests.support.authority import Authority
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, at_end, ok
from tests.support.standin_process import StandIn

pytestmark = pytest.mark.sanitize

TOKEN = "a-token-of-the-admin-listener"
STAGES = {"upstream", "tokenize", "queue", "compute"}


@contextlib.contextmanager
def page_of(proxy: Qrerank, **headers: str) -> Iterator[httpx.Client]:
    """Asks as the page does."""
    with httpx.Client(base_url=f"http://{proxy.admin}", headers=headers, timeout=LIMIT_S) as client:
        yield client


@pytest.fixture(scope="module")
def page(proxy: Qrerank, qdrant: Qdrant) -> Iterator[httpx.Client]:
    with page_of(proxy, **qdrant.headers) as client:
        yield client


def comparison(collection: str, /, **fields: object) -> dict[str, object]:
    return {"collection": collection, "search": {"query": library.NORTH}, "options": {"rerank_query": library.QUERY}} | fields


def ids(side: dict) -> list[str]:
    return [point["id"] for point in side["points"]]


def test_the_form(page: httpx.Client, proxy: Qrerank):
    form = page.get("/compare").json()
    assert form["proxy"] == proxy.url
    assert (form["max_top_k"], form["default_model"]) == (200, "mock")
    assert "general" in [one["name"] for one in form["instructions"]]


def test_collections(page: httpx.Client, collection: str):
    names = page.get("/collections").json()["collections"]
    assert collection in names and names == sorted(names)
    described = page.get(f"/collections/{collection}").json()
    assert described["points"] == library.COUNT
    kinds = {vector["name"]: vector["kind"] for vector in described["vectors"]}
    assert kinds == {"": "dense", "second": "dense", "bm25": "sparse"} or kinds == {"second": "dense", "bm25": "sparse"}
    assert described["rule"]["mode"] == "on_request"
    assert 0 < len(described["sample"]) <= 8
    assert all(isinstance(point["id"], str) for point in described["sample"])


def test_what_is_not_there(page: httpx.Client):
    missing = page.get("/collections/no%20such")
    assert missing.status_code == 502
    assert missing.json() == {"error": "Not found: Collection `no such` doesn't exist!", "status": 404}
    assert page.get("/collections/").status_code == 404
    assert page.post("/collections").status_code == 405
    put = page.put("/compare")
    assert (put.status_code, put.headers["allow"]) == (405, "GET, HEAD, POST")


def test_both_orders(page: httpx.Client, collection: str):
    both = page.post("/compare", json=comparison(collection, limit=5)).json()
    vector, reranked = both["vector"], both["reranked"]
    assert vector["status"] == reranked["status"] == 200
    assert sorted(ids(vector)) == sorted(ids(reranked)) and len(ids(vector)) == library.COUNT
    assert ids(vector) != ids(reranked)
    assert "18446744073709551615" in ids(vector) and "9007199254740993" in ids(vector)
    assert reranked["points"][0]["payload"]["text"] == "a red fox in the winter forest"
    best = reranked["points"][0]
    assert {"score", "vector_score", "rerank_score"} <= set(best)
    assert (vector["used"], reranked["used"], reranked["model"]) == (False, True, "mock")
    assert reranked["candidates"] == library.WITH_TEXT
    assert set(reranked["timing"]) == STAGES
    assert 0 < reranked["timing"]["upstream"] <= reranked["wall_ms"]


def test_vector_order_alone(page: httpx.Client, collection: str):
    both = page.post("/compare", json=comparison(collection, rerank=False)).json()
    assert set(both) == {"vector"} and len(both["vector"]["points"]) == library.COUNT


def test_options_reach_the_search(page: httpx.Client, collection: str):
    options = {"rerank_query": library.QUERY, "rerank_top_k": 10, "rerank_weight": 0}
    both = page.post("/compare", json=comparison(collection, options=options, limit=3)).json()
    assert len(ids(both["vector"])) == 10
    assert ids(both["vector"]) == ids(both["reranked"])


def test_a_document_makes_the_vector(page: httpx.Client, collection: str):
    both = page.post("/compare", json=comparison(collection, search={"query": document(), "using": "bm25"}, options={})).json()
    assert both["reranked"]["used"]
    assert ids(both["reranked"])[0] == ids(both["vector"])[0]


def test_errors_are_those_of_the_search(page: httpx.Client, collection: str):
    def side(which: str, **fields: object) -> tuple[int, str]:
        answer = page.post("/compare", json=comparison(collection, **fields))
        assert answer.status_code == 200, answer.text
        return answer.json()[which]["status"], answer.json()[which]["error"]

    status, why = side("reranked", options={"rerank_query": "x", "rerank_top_k": 5})
    assert status == 400 and "rerank_top_k" in why and "10" in why
    status, why = side("reranked", options={"rerank_query": "x", "rerank_model": "absent"})
    assert status == 400 and "absent" in why
    status, why = side("vector", search={"query": [1, 2, 3]})
    assert status == 400 and "dimension" in why
    status, why = side("vector", collection="no such")
    assert status == 404 and "doesn't exist" in why
    status, why = side("vector", search={"query": {"text": "x", "model": "foo/bar"}})
    assert status == 500 and "InferenceService" in why


def test_a_document_that_qdrant_cannot_read_but_the_proxy_can():
    """Qdrant refuses the search without the flag; in the others it gets a vector. Their order at weight 0 is vector order."""
    texts = ["bread", "a red fox", "the fox"]
    points = [{"id": n, "version": 1, "score": 0.9 - n / 10, "payload": {"text": text}} for n, text in enumerate(texts)]
    found = ok(json.dumps({"result": {"points": points}, "status": "ok", "time": 0.1}).encode())
    why = json.dumps({"status": {"error": "no such model"}, "time": 0.1}).encode()
    refused = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(why), why)
    search = {"query": {"text": "red fox", "model": "served-by-the-proxy"}}
    settings = {"proxy.io_threads": 1}  # one connection to the upstream, whose answers come in this order
    for rerank in (True, False):
        with FakeUpstream(answering(refused, found)) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy, page_of(proxy) as page:
            both = page.post("/compare", json=comparison("c", search=search, options={}, rerank=rerank)).json()
        assert ids(both["vector"]) == ["0", "1", "2"]
        assert [point["score"] for point in both["vector"]["points"]] == [0.9, 0.8, 0.7]
        assert "rerank_score" not in both["vector"]["points"][0] and not both["vector"]["used"]
        assert ("reranked" in both) == rerank
        if rerank:
            assert ids(both["reranked"]) == ["1", "2", "0"]
    with FakeUpstream(answering(refused)) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy, page_of(proxy) as page:
        both = page.post("/compare", json=comparison("c", search=search, options={})).json()
        bad = page.post("/compare", json=comparison("c", search=search, options={"rerank_field": "a[b"})).json()
    assert set(both) == {"vector"} and both["vector"]["error"] == "no such model"
    assert set(bad) == {"vector"} and bad["vector"]["status"] == 400 and "rerank_field" in bad["vector"]["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"collection":"c"}', b'{"collection":"c","search":{"query":1},"top":1}'])
def test_bodies_that_are_refused(page: httpx.Client, body: bytes):
    refused = page.post("/compare", content=body)
    assert refused.status_code == 400 and refused.json()["error"]


def test_too_large_a_body(page: httpx.Client):
    large = page.post("/compare", content=b" " * 70_000)
    assert large.status_code == 413 and "body is larger than 65536 bytes" in large.json()["error"]


def test_the_gate_stands_before_everything(qdrant: Qdrant, collection: str):
    with Qrerank(qdrant.url, settings={"admin.token": TOKEN}) as proxy:
        with page_of(proxy) as stranger:
            for path in ("/compare", "/collections", f"/collections/{collection}"):
                assert stranger.get(path).status_code == 401
            assert stranger.post("/compare", json=comparison(collection)).status_code == 401
            assert stranger.get("/").status_code == stranger.get("/web/main.js").status_code == 200
        with page_of(proxy, authorization=f"Bearer {TOKEN}", **qdrant.headers) as known:
            assert known.post("/compare", json=comparison(collection)).json()["reranked"]["used"]
    with Qrerank(qdrant.url) as proxy, page_of(proxy) as page:
        assert page.post("/compare", json=comparison(collection), headers={"origin": "http://evil.example"}).status_code == 403
        assert page.get("/collections", headers={"host": "evil.example"}).status_code == 421
        assert page.get("/", headers={"host": "evil.example"}).status_code == 421


def test_the_page_is_kept_by_browsers_until_it_changes(page: httpx.Client):
    first = page.get("/")
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in first.headers["content-security-policy"]
    same = page.get("/", headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert page.get("/status").headers["cache-control"] == "no-store"
    assert page.head("/").headers["content-length"] == str(len(first.content))


def test_the_key_goes_to_qdrant_and_nowhere_else():
    with StandIn(api_key="the-key-of-qdrant") as standin:
        name = library.fill(Qdrant(standin.url, "a stand-in with a key", api_key="the-key-of-qdrant"), "library")
        with Qrerank(standin.url, "log: {level: trace, access: true}") as proxy:
            with page_of(proxy) as page:
                refused = page.get("/collections")
                assert refused.status_code == 502
                assert refused.json() == {"error": "Must provide an API key or an Authorization bearer token", "status": 401}
                side = page.post("/compare", json=comparison(name)).json()["vector"]
                assert (side["status"], side["error"]) == (401, "Must provide an API key or an Authorization bearer token")
            with page_of(proxy, **{"api-key": "the-key-of-qdrant"}) as page:
                assert page.get("/collections").json() == {"collections": [name]}
                assert page.post("/compare", json=comparison(name)).json()["reranked"]["used"]
                status = page.get("/status").text
            with page_of(proxy, **{"api-key": "wrong-key"}) as page:
                assert page.get("/collections").json()["status"] == 401
            for text in (proxy.stderr, status):
                assert "the-key-of-qdrant" not in text and "wrong-key" not in text and library.QUERY not in text


def test_an_upstream_that_is_down():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}") as proxy, page_of(proxy) as page:
        listed = page.get("/collections")
        assert (listed.status_code, listed.json()["status"]) == (502, 502)
        assert "cannot connect" in listed.json()["error"]
        side = page.post("/compare", json=comparison("c")).json()["vector"]
        assert side["status"] == 502 and "cannot connect" in side["error"]
        assert page.get("/livez").status_code == 200


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"result":', b'{"result":{"points":7}}'])
def test_an_upstream_that_is_no_qdrant(answer: bytes):
    with FakeUpstream(answering(ok(answer))) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy, page_of(proxy) as page:
        assert page.get("/collections").json() == {"error": "the answer is not Qdrant's"}
        assert page.get("/collections/c").json() == {"error": "the answer is not Qdrant's"}
        assert page.post("/compare", json=comparison("c")).json()["vector"]["status"] == 502


def test_a_listener_that_speaks_tls(qdrant: Qdrant, collection: str, authority: Authority):
    server = authority.issue("server")
    tls = {"proxy.tls.certificate": server.certificate, "proxy.tls.key": server.key}
    with Qrerank(qdrant.url, settings=tls) as proxy, page_of(proxy, **qdrant.headers) as page:
        assert page.get("/compare").json()["proxy"] == f"https://{proxy.proxy}"
        assert page.post("/compare", json=comparison(collection)).json()["reranked"]["used"]
    mutual = {**tls, "proxy.tls.client_certificates": "required", "proxy.tls.client_ca": authority.certificate}
    with Qrerank(qdrant.url, settings=mutual) as proxy, page_of(proxy) as page:
        refused = page.get("/collections")
        assert refused.status_code == 502 and "status" not in refused.json()


def test_a_browser_that_leaves_ends_its_comparison():
    """The reranked search waits for the upstream when the page's connection ends: the upstream's ends, too."""
    asked, ended = threading.Event(), threading.Event()

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        reader.message()
        sock.sendall(ok(b'{"result":{"points":[]},"status":"ok","time":0.1}'))
        assert b'"use_reranker"' not in reader.message().body
        asked.set()
        assert at_end(sock)
        ended.set()

    settings = {"proxy.io_threads": 1}  # one connection to the upstream
    with FakeUpstream(serve) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy:
        body = json.dumps(comparison("c")).encode()
        with socket.create_connection(tuple(proxy.admin.rsplit(":", 1)), timeout=LIMIT_S) as sock:
            sock.sendall(b"POST /compare HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s" % (proxy.admin.encode(), len(body), body))
            assert asked.wait(LIMIT_S)
        assert ended.wait(LIMIT_S)
        with page_of(proxy) as page:
            assert page.get("/livez").status_code == 200
        assert "an admin page failed" not in proxy.stderr


def test_comparisons_side_by_side(qdrant: Qdrant, collection: str, proxy: Qrerank):
    """A page that waits holds up nobody else."""
    with contextlib.ExitStack() as stack:
        sockets = []
        body = json.dumps(comparison(collection)).encode()
        keys = "".join(f"{name}: {value}\r\n" for name, value in qdrant.headers.items())
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(tuple(proxy.admin.rsplit(":", 1)), timeout=LIMIT_S))
            sock.sendall(f"POST /compare HTTP/1.0\r\nContent-Length: {len(body)}\r\n{keys}\r\n".encode() + body)
            sockets.append(sock)
        for sock in sockets[::2]:
            sock.close()  # these do not wait for their answer
        for sock in sockets[1::2]:
            whole = b""
            while piece := sock.recv(65536):
                whole += piece
            assert b'"used":true' in whole
