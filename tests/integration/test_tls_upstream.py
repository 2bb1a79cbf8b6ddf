"""TLS to the upstream: who it must be, what is said where it is not, and the whole data path over it."""

from __future__ import annotations

import json
import pathlib
import socket
import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import body_of
from tests.support.authority import Authority, Identity, server_context
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, ok
from tests.support.tls_socket import TlsSocket

pytestmark = pytest.mark.sanitize
GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
# No checks of the upstream's health: the tests count its connections.
QUIET = {"upstream.health_interval": "0ms", "proxy.io_threads": 1}


@pytest.fixture(scope="module")
def identity(authority: Authority) -> Identity:
    return authority.issue("upstream")


def to(url: str, authority: Authority, **settings: object) -> Qrerank:
    named = {f"upstream.tls.{name}": value for name, value in settings.items()}
    if "upstream.tls.verify" not in named:
        named.setdefault("upstream.tls.ca", authority.certificate)
    return Qrerank(url, settings={**QUIET, **named})


def at(up: FakeUpstream, host: str = "localhost") -> str:
    return f"https://{host}:{up.port}"


def ask(process: Qrerank, request: bytes = GET) -> tuple[int, bytes]:
    with socket.create_connection(process.address, timeout=LIMIT_S) as sock:
        sock.sendall(request)
        answer = Reader(sock).message()
        return answer.status, answer.body


def error_of(process: Qrerank) -> str:
    status, body = ask(process)
    assert status == 502, (status, body)
    return json.loads(body)["status"]["error"]


@pytest.fixture(scope="module")
def chain(qdrant: Qdrant, authority: Authority, identity: Identity) -> Iterator[Qrerank]:
    """The program over https to a second one, which has Qdrant behind it and passes everything."""
    listener = {"proxy.tls.certificate": identity.certificate, "proxy.tls.key": identity.key}
    with Qrerank(qdrant.url, settings=listener) as inner, to(f"https://localhost:{inner.address[1]}", authority) as outer:
        yield outer


def test_searches_rereads_and_metadata_go_over_it(qdrant: Qdrant, chain: Qrerank) -> None:
    collection = library.fill(qdrant, "tls-upstream")
    flagged = body_of("query", use_reranker=True, rerank_query=library.QUERY, with_vector=True)  # vectors: read once more
    path = f"/collections/{collection}/points/query"
    with Qrerank(qdrant.url) as plain:
        expected = httpx.post(plain.url + path, json=flagged, headers=qdrant.headers, timeout=LIMIT_S)
    answer = httpx.post(chain.url + path, json=flagged, headers=qdrant.headers, timeout=LIMIT_S)
    assert answer.json()["reranking_used"] is True
    assert answer.json()["result"] == expected.json()["result"]
    passed = body_of("query")
    direct = httpx.post(qdrant.url + path, json=passed, headers=qdrant.headers, timeout=LIMIT_S)
    assert httpx.post(chain.url + path, json=passed, headers=qdrant.headers, timeout=LIMIT_S).json()["result"] == direct.json()["result"]


def test_large_bodies_both_ways(authority: Authority, identity: Identity) -> None:
    body = bytes(range(256)) * 20_000

    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        while True:
            sock.sendall(ok(reader.message().body))

    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        answer = httpx.post(process.url, content=body, timeout=LIMIT_S)
        assert answer.content == body
        chunks = (body[n : n + 77_777] for n in range(0, len(body), 77_777))
        assert httpx.post(process.url, content=chunks, timeout=LIMIT_S).content == body


def test_names_asked_for(authority: Authority, identity: Identity) -> None:
    asked: list[str | None] = []
    context = server_context(identity)
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    with FakeUpstream(answering(ok()), context) as up:
        for host, settings, name in (
            ("localhost", {}, "localhost"),
            ("127.0.0.1", {}, None),  # RFC 6066: no address in SNI
            ("127.0.0.1", {"server_name": "localhost"}, "localhost"),
        ):
            with to(at(up, host), authority, **settings) as process:
                assert ask(process)[0] == 200
            assert asked.pop() == name


def speaking_plain_http(_reader: Reader, sock: socket.socket, _: int) -> None:
    sock.recv(1)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_what_is_wrong_with_the_upstream_is_said(authority: Authority, tmp_path: pathlib.Path) -> None:
    stranger = Authority(tmp_path, "stranger").issue("of-a-stranger")
    table = {
        authority.issue("wrong-name", "DNS:other.test"): "certificate verify failed: hostname mismatch",
        authority.issue("expired", days=-1): "certificate verify failed: certificate has expired",
        stranger: "certificate verify failed: unable to get local issuer certificate",
    }
    for shown, expected in table.items():
        with FakeUpstream(answering(ok()), server_context(shown)) as up, to(at(up), authority) as process:
            assert error_of(process) == f"upstream {at(up)}: TLS handshake failed: {expected}"
        assert len(up.refused) == 1  # and nothing was sent
    with FakeUpstream(speaking_plain_http) as plain, to(at(plain), authority) as process:
        assert error_of(process).endswith("TLS handshake failed: wrong version number")
    with FakeUpstream(lambda _reader, sock, _: sock.recv(65536)) as closing, to(at(closing), authority) as process:
        assert error_of(process).endswith("TLS handshake failed: the connection was closed during the handshake")
    old = server_context(authority.issue("old"))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with FakeUpstream(answering(ok()), old) as up, to(at(up), authority, min_version="TLSv1.3") as process:
        assert "TLS handshake failed: " in error_of(process)


def test_a_handshake_that_hangs_is_a_504(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        settings = {**QUIET, "upstream.tls.ca": authority.certificate, "upstream.connect_timeout": "300ms"}
        with Qrerank(url, settings=settings) as process:
            status, body = ask(process)
            assert (status, json.loads(body)["status"]["error"]) == (504, f"upstream {url}: TLS handshake failed: timed out")


def test_unverified_works_and_is_said_loudly(authority: Authority, identity: Identity) -> None:
    with FakeUpstream(answering(ok(b"hello")), server_context(identity)) as up:
        with to(at(up), authority, verify="false") as process:
            assert ask(process) == (200, b"hello")
            assert " WARN " in process.wait_for_log("upstream.tls.verify is false")
        with to(at(up), authority) as process:
            assert ask(process) == (200, b"hello")
            assert "verify" not in process.stderr


def test_our_own_certificate(authority: Authority, identity: Identity, tmp_path: pathlib.Path) -> None:
    clients = Authority(tmp_path, "clients")
    own = clients.issue("qrerank")
    with FakeUpstream(answering(ok(b"hello")), server_context(identity, clients)) as up:
        with to(at(up), authority, certificate=own.certificate, key=own.key) as process:
            assert ask(process) == (200, b"hello")
        with to(at(up), authority) as process:
            assert ask(process)[0] == 502


def test_connections_are_kept_and_sessions_resumed(authority: Authority, identity: Identity) -> None:
    resumed: list[bool] = []

    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        resumed.append(sock.tls.session_reused)
        for _ in range(3):
            reader.message()
            sock.sendall(ok())

    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        for _ in range(9):
            assert ask(process)[0] == 200
    assert resumed == [False, True, True]


@pytest.mark.parametrize("said", [True, False])
def test_a_connection_that_ended_while_idle_costs_no_request(authority: Authority, identity: Identity, said: bool) -> None:
    """Also where the end comes with the request: the first connection waits for a second one and does not answer it."""

    def serve(reader: Reader, sock: TlsSocket, n: int) -> None:
        while True:
            request = reader.message()
            if n == 0 and request.first.startswith("GET /again"):
                if not said:
                    sock.abort()
                return
            sock.sendall(ok(b"hello"))

    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        assert ask(process) == (200, b"hello")
        assert ask(process, GET.replace(b"/x", b"/again")) == (200, b"hello")
        assert up.connections == 2


def test_an_end_without_close_notify_is_no_end(authority: Authority, identity: Identity) -> None:
    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        head = reader.head()
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        if b"/cut" in head:
            sock.abort()

    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        assert ask(process) == (200, b"to the end")
        with pytest.raises(ConnectionResetError):  # the client can tell
            ask(process, GET.replace(b"/x", b"/cut"))
        assert "connection closed without TLS's close_notify" in process.wait_for_log("reading the response")


def test_a_response_cut_at_every_byte(authority: Authority, identity: Identity) -> None:
    whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        n = int(reader.head().split()[1].rpartition(b"/")[2])
        if n > 0:
            sock.sendall(whole[:n])
        if n % 2 == 0:
            sock.abort()

    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        descriptors = pathlib.Path(f"/proc/{process.process.pid}/fd")
        before = len(list(descriptors.iterdir()))
        for n in range(len(whole)):
            post = b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % n
            head_ended = n >= whole.index(b"\r\n\r\n") + 4
            try:
                status, _ = ask(process, post)
                assert status == 502 and not head_ended, n
            except (ConnectionResetError, ConnectionError):
                assert head_ended, n
        assert ask(process, b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % len(whole))[0] == 200
        assert len(list(descriptors.iterdir())) <= before + 4  # what is still being closed


def test_a_tunnel_ends_in_each_direction_by_itself(authority: Authority, identity: Identity) -> None:
    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        reader.head()
        sock.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        sock.sendall(b"before")
        sock.end_sending()
        got = reader.rest
        while piece := sock.recv(1000):
            got += piece
        assert got == b"after"

    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority) as process:
        with socket.create_connection(process.address, timeout=LIMIT_S) as sock:
            sock.sendall(request)
            reader = Reader(sock)
            reader.head()
            got = reader.rest
            while piece := sock.recv(1000):
                got += piece
            assert got == b"before"
            sock.sendall(b"after")


def test_a_node_of_several_is_checked_over_tls(authority: Authority, identity: Identity) -> None:
    with FakeUpstream(answering(ok(b"ready")), server_context(identity)) as good:
        with FakeUpstream(answering(ok()), server_context(authority.issue("bad", "DNS:other.test"))) as bad:
            settings = {"upstream.tls.ca": authority.certificate, "upstream.health_interval": "20ms", "upstream.health_fall": 1}
            urls = f"{at(good)},{at(bad)}"
            with Qrerank(urls, settings=settings) as process:
                process.wait_for_log(f"upstream={at(bad)} from=up to=down")
                for _ in range(4):
                    assert ask(process) == (200, b"ready")


def test_a_reload_changes_whom_we_trust(authority: Authority, identity: Identity, tmp_path: pathlib.Path) -> None:
    def serve(reader: Reader, sock: TlsSocket, _: int) -> None:
        reader.message()
        sock.sendall(ok(b"hello", b"connection: close\r\n"))

    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.certificate.read_bytes())
    with FakeUpstream(serve, server_context(identity)) as up, to(at(up), authority, ca=trusted) as process:
        assert ask(process) == (200, b"hello")
        trusted.write_bytes(Authority(tmp_path, "other").certificate.read_bytes())
        assert "configuration reloaded" in process.reload()
        assert "unable to get local issuer certificate" in error_of(process)  # and no session is resumed
        trusted.write_text("no certificate")
        line = process.reload()
        assert "not reloaded" in line and "holds no PEM certificates" in line
