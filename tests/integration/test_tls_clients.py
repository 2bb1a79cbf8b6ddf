"""TLS on the client side: real clients, certificates that change, handshakes that fail, ends that are cut."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator

import httpx
import pytest
from qdrant_client import QdrantClient, models

from tests.integration import library
from tests.integration.searching import body_of
from tests.support.authority import Authority, Identity, openssl
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank, program
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, ok, reset
from tests.support.tls_socket import TlsSocket, connect
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize
GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def identity(authority: Authority) -> Identity:
    return authority.issue("server")


def tls_of(identity: Identity, **more: object) -> dict[str, object]:
    settings = {"certificate": identity.certificate, "key": identity.key, **more}
    return {f"proxy.tls.{name}": value for name, value in settings.items()}


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(answering(ok(b"hello"))) as up:
        yield up


def in_front(upstream: FakeUpstream, settings: dict[str, object], config: str = "") -> Qrerank:
    return Qrerank(f"http://127.0.0.1:{upstream.port}", config, settings)


@pytest.fixture(scope="module")
def secure(upstream: FakeUpstream, identity: Identity) -> Iterator[Qrerank]:
    with in_front(upstream, {**tls_of(identity), "log.level": "debug"}) as process:
        yield process


def common_name(sock: TlsSocket) -> str:
    certificate = ssl.DER_cert_to_PEM_cert(sock.tls.getpeercert(binary_form=True))
    done = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=certificate, capture_output=True, text=True, check=True)
    return done.stdout.strip().rpartition("= ")[2]


def ask(sock: TlsSocket) -> bytes:
    sock.sendall(GET)
    return Reader(sock).message().body


def failed_handshakes(process: Qrerank) -> int:
    text = httpx.get(f"http://{process.admin}/metrics", timeout=LIMIT_S).text
    return int(text.split("\nqrerank_tls_handshakes_failed_total ")[1].split()[0])


# Real clients.


def test_the_qdrant_client_searches_and_is_reranked(qdrant: Qdrant, authority: Authority, identity: Identity) -> None:
    collection = library.fill(qdrant, "tls")
    with Qrerank(qdrant.url, settings=tls_of(identity)) as process:
        host, port = process.address
        options = {"verify": authority.client_context(), "headers": dict(qdrant.headers)}
        client = QdrantClient(url=f"https://localhost:{port}", timeout=LIMIT_S, check_compatibility=False, **options)
        assert collection in [found.name for found in client.get_collections().collections]
        assert client.count(collection).count == client.count(collection, count_filter=models.Filter()).count
        with httpx.Client(base_url=f"https://localhost:{port}", verify=authority.client_context(), headers=qdrant.headers) as web:
            flagged = body_of("query", use_reranker=True, rerank_query=library.QUERY)
            answer = web.post(f"/collections/{collection}/points/query", json=flagged)
            assert answer.json()["reranking_used"] is True


def test_curl(secure: Qrerank, authority: Authority) -> None:
    command = ["curl", "-sS", "--cacert", authority.certificate, "--data-binary", "@-", f"https://localhost:{secure.address[1]}/x"]
    done = subprocess.run([str(word) for word in command], input=b"x" * 100_000, capture_output=True, timeout=LIMIT_S, check=True)
    assert done.stdout == b"hello"


# Bytes.


def test_large_bodies_both_ways(authority: Authority, identity: Identity) -> None:
    size = 5_000_000
    body = bytes(range(256)) * (size // 256)
    seen: list[bytes] = []

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        while True:
            seen.append(reader.message().body)
            sock.sendall(ok(body))

    with FakeUpstream(serve) as up, in_front(up, tls_of(identity)) as process:
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            reader = Reader(sock)
            for _ in range(2):
                head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
                # Both directions at once: neither side may wait for the other to take everything first.
                sending = threading.Thread(target=sock.sendall, args=(head + body,))
                sending.start()
                sending.join(LIMIT_S)
                assert reader.message().body == body
    assert seen == [body, body]


def test_a_tunnel_with_half_closes(authority: Authority, identity: Identity) -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        reader.head()
        sock.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nfirst")
        got = reader.rest
        while piece := sock.recv(65536):  # until the client's end has come through
            got += piece
        sock.sendall(b"you said " + got)

    with FakeUpstream(serve) as up, in_front(up, tls_of(identity)) as process:
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            sock.sendall(upgrade)
            reader = Reader(sock)
            assert reader.head().startswith(b"HTTP/1.1 101 ")
            sock.sendall(b"abc")
            sock.end_sending()
            got = reader.rest
            while piece := sock.recv(65536):  # ends with close_notify, else recv raises
                got += piece
    assert got == b"firstyou said abc"


def test_a_body_that_ends_with_the_connection_is_whole_only_with_close_notify(authority: Authority, identity: Identity) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\nto the end"

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        head = reader.head()
        sock.sendall(answer)
        if head.startswith(b"GET /cut "):
            reset(sock)

    with FakeUpstream(serve) as up, in_front(up, tls_of(identity)) as process:
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            sock.sendall(GET)
            got = b""
            while piece := sock.recv(65536):
                got += piece
            assert got.endswith(b"to the end")
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            sock.sendall(GET.replace(b"/x", b"/cut"))
            with pytest.raises(ConnectionResetError):  # the client can tell
                while sock.recv(65536):
                    pass


def test_the_upstream_is_told_that_it_was_https(authority: Authority, identity: Identity) -> None:
    seen: list = []
    with FakeUpstream(answering(ok(), requests=seen)) as up:
        with in_front(up, {**tls_of(identity), "proxy.x_forwarded": "append"}) as process:
            with connect(process.address, authority.client_context(), LIMIT_S) as sock:
                ask(sock)
    assert seen[0].one("x-forwarded-proto") == "https"


# Handshakes.


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(secure: Qrerank, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    session = None
    for resumed in (False, True, True):
        sock = socket.create_connection(secure.address, timeout=LIMIT_S)
        with TlsSocket(sock, context, "localhost", session) as tls:
            assert ask(tls) == b"hello"  # with TLS 1.3, tickets come with it
            assert tls.tls.session_reused is resumed
            assert tls.tls.selected_alpn_protocol() == "http/1.1"
            session = tls.tls.session


def test_old_versions_and_other_protocols_are_refused(upstream: FakeUpstream, authority: Authority, identity: Identity) -> None:
    with in_front(upstream, tls_of(identity, min_version="TLSv1.3")) as process:
        old = authority.client_context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
            connect(process.address, old, LIMIT_S)
        grpc = authority.client_context()
        grpc.set_alpn_protocols(["h2"])
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            connect(process.address, grpc, LIMIT_S)
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            assert ask(sock) == b"hello"
        assert failed_handshakes(process) == 2


@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE", b"OPTIONS"])
def test_plain_http_is_told_so(secure: Qrerank, method: bytes) -> None:
    with socket.create_connection(secure.address, timeout=LIMIT_S) as sock:
        sock.sendall(method + b" /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        answer = Reader(sock).message()
        assert (answer.status, answer.one("connection")) == (400, "close")
        assert "HTTPS" in json.loads(answer.body)["status"]["error"]
        assert sock.recv(1) == b""


def test_cut_and_nonsense_handshakes_leave_nothing_behind(secure: Qrerank, authority: Authority) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    descriptors = pathlib.Path(f"/proc/{secure.process.pid}/fd")
    with connect(secure.address, authority.client_context(), LIMIT_S) as sock:
        ask(sock)
    before = len(list(descriptors.iterdir()))
    failed = failed_handshakes(secure)
    tries = [hello[:n] for n in [*range(12), *range(12, len(hello), 40)]]
    tries += [b"\0" * 100, b"\xff" * 5000, hello[:60] + b"\xff" * 200, b"SSH-2.0-x\r\n"]
    for bytes_ in tries:
        for half in (True, False):
            with socket.create_connection(secure.address, timeout=LIMIT_S) as sock:
                sock.sendall(bytes_)
                if half:
                    sock.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(ConnectionResetError):
                        while sock.recv(1000):
                            pass
    with connect(secure.address, authority.client_context(), LIMIT_S) as sock:
        assert ask(sock) == b"hello"
        wait_until(lambda: failed_handshakes(secure) == failed + 2 * len(tries))
    wait_until(lambda: len(list(descriptors.iterdir())) <= before)



def test_a_slow_handshake_is_ended_and_delays_nobody(upstream: FakeUpstream, authority: Authority, identity: Identity) -> None:
    with in_front(upstream, tls_of(identity, handshake_timeout="300ms")) as process:
        with socket.create_connection(process.address, timeout=LIMIT_S) as silent:
            with connect(process.address, authority.client_context(), LIMIT_S) as sock:
                assert ask(sock) == b"hello"
                assert silent.recv(1) == b""
                assert ask(sock) == b"hello"  # longer than the limit of handshakes
        assert failed_handshakes(process) == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("mode", ["required", "optional"])
def test_certificates_of_clients(
    upstream: FakeUpstream, authority: Authority, identity: Identity, tmp_path: pathlib.Path, mode: str, version: ssl.TLSVersion
) -> None:
    clients, strangers = Authority(tmp_path, "clients"), Authority(tmp_path, "strangers")
    known, expired, stranger = clients.issue("known"), clients.issue("expired", days=-1), strangers.issue("stranger")

    def tried(shown: Identity | None) -> bool:
        context = authority.client_context(shown)
        context.minimum_version = context.maximum_version = version
        try:
            with connect(process.address, context, LIMIT_S) as sock:
                return ask(sock) == b"hello"  # with TLS 1.3 the refusal comes behind the handshake
        except (ssl.SSLError, OSError):
            return False

    with in_front(upstream, tls_of(identity, client_ca=clients.certificate, client_certificates=mode)) as process:
        assert tried(known)
        assert tried(None) is (mode == "optional")
        assert not tried(expired)
        assert not tried(stranger)
        assert failed_handshakes(process) == (2 if mode == "optional" else 3)


# Reload.


def test_a_reload_brings_a_new_certificate_and_keeps_running_connections(
    upstream: FakeUpstream, authority: Authority, tmp_path: pathlib.Path
) -> None:
    used = Identity(tmp_path / "cert.pem", tmp_path / "cert.key")

    def put(identity: Identity) -> None:
        used.certificate.write_bytes(identity.certificate.read_bytes())
        used.key.write_bytes(identity.key.read_bytes())

    first, second = authority.issue("first"), authority.issue("second")
    put(first)
    with in_front(upstream, tls_of(used)) as process:
        old = connect(process.address, authority.client_context(), LIMIT_S)
        assert (ask(old), common_name(old)) == (b"hello", "first")
        put(second)
        assert "configuration reloaded" in process.reload()
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            assert (ask(sock), common_name(sock)) == (b"hello", "second")
        assert ask(old) == b"hello"

        used.key.write_bytes(first.key.read_bytes())  # not its key
        line = process.reload()
        assert "not reloaded" in line and "is not the key of the certificate" in line
        used.certificate.unlink()
        line = process.reload()
        assert "not reloaded" in line and "No such file" in line
        os.mkfifo(used.certificate)  # nobody writes to it, and the next reload is to come to an end, too
        line = process.reload()
        assert "not reloaded" in line and "a pipe, which is no file" in line
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            assert common_name(sock) == "second"
        used.certificate.unlink()
        put(first)
        assert "configuration reloaded" in process.reload()
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            assert common_name(sock) == "first"
        assert ask(old) == b"hello"
        old.close()


def test_reloads_under_load_fail_no_request(upstream: FakeUpstream, authority: Authority, identity: Identity) -> None:
    over = threading.Event()

    def work(keep_alive: bool) -> int:
        done = 0
        context = authority.client_context()
        while not over.is_set():
            with connect(process.address, context, LIMIT_S) as sock:
                for _ in range(20 if keep_alive else 1):
                    assert ask(sock) == b"hello"
                    done += 1
        return done

    with in_front(upstream, tls_of(identity)) as process, concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(work, n % 2 == 0) for n in range(4)]
        try:
            for _ in range(10):
                assert "configuration reloaded" in process.reload()
        finally:
            over.set()
        assert all(each.result(LIMIT_S) > 0 for each in running)
        assert failed_handshakes(process) == 0


def test_an_expired_certificate_is_used_and_warned_of(upstream: FakeUpstream, authority: Authority, identity: Identity) -> None:
    old = authority.issue("expired", days=-1)
    settings = {f"proxy.tls.{name}": path for name, path in (("certificate", old.certificate), ("key", old.key))}
    warned = f"proxy.tls.certificate: {old.certificate} has expired"
    assert warned in check(*(f"{key}={value}" for key, value in settings.items())).stderr
    config = "proxy: {{tls: {{certificate: {}, key: {}}}}}\n"
    with in_front(upstream, {}, config.format(identity.certificate, identity.key)) as process:
        assert "expired" not in process.stderr
        process.reload(config.format(old.certificate, old.key))
        process.wait_for_log(warned)
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            connect(process.address, authority.client_context(), LIMIT_S)


def test_tls_can_be_switched_on_and_off_by_a_reload(upstream: FakeUpstream, authority: Authority, identity: Identity) -> None:
    with in_front(upstream, {}) as process:
        plain = http.client.HTTPConnection(*process.address, timeout=LIMIT_S)
        plain.request("GET", "/x")
        assert plain.getresponse().read() == b"hello"
        process.reload(f"proxy: {{tls: {{certificate: {identity.certificate}, key: {identity.key}}}}}\n")
        with connect(process.address, authority.client_context(), LIMIT_S) as sock:
            assert ask(sock) == b"hello"
        plain.request("GET", "/x")  # a running connection stays what it is
        assert plain.getresponse().read() == b"hello"
        process.reload("{}\n")
        with contextlib.closing(http.client.HTTPConnection(*process.address, timeout=LIMIT_S)) as again:
            again.request("GET", "/x")
            assert again.getresponse().read() == b"hello"
        plain.close()


# Life.


def test_a_drain_says_goodbye(authority: Authority, identity: Identity) -> None:
    asked, answer = threading.Event(), threading.Event()

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        reader.message()
        asked.set()
        assert answer.wait(LIMIT_S)
        sock.sendall(ok(b"late"))

    with FakeUpstream(serve) as up, in_front(up, tls_of(identity)) as process:
        context = authority.client_context()
        idle = connect(process.address, context, LIMIT_S)
        half = socket.create_connection(process.address, timeout=LIMIT_S)  # its handshake never begins
        busy = connect(process.address, context, LIMIT_S)
        busy.sendall(GET)
        assert asked.wait(LIMIT_S)
        process.process.terminate()
        assert idle.recv(1) == b""  # with close_notify, else this raises
        assert half.recv(1) == b""
        answer.set()
        message = Reader(busy).message()
        assert (message.body, message.one("connection")) == (b"late", "close")
        assert busy.recv(1) == b""
        for sock in (idle, half, busy):
            sock.close()
        assert process.process.wait(LIMIT_S) == 0  # a second signal would end it at once


# Configuration.


def check(*settings: str) -> subprocess.CompletedProcess[str]:
    command = [str(program()), "check-config"]
    for setting in settings:
        command += ["--set", setting]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)


def test_unusable_files_are_told_before_and_at_the_start(identity: Identity, authority: Authority, tmp_path: pathlib.Path) -> None:
    locked = tmp_path / "locked.key"
    openssl("ec", "-in", identity.key, "-aes128", "-passout", "pass:secret-words", "-out", locked)
    other = authority.issue("other", rsa=True)
    good = f"proxy.tls.certificate={identity.certificate}"
    table = {
        (good, f"proxy.tls.key={tmp_path}/none"): "none cannot be read: No such file or directory",
        (good, f"proxy.tls.key={locked}"): "is encrypted",
        (good, f"proxy.tls.key={other.key}"): "is not the key of the certificate",
        (good,): "proxy.tls.certificate needs proxy.tls.key beside it",
        (f"proxy.tls.certificate={identity.key}", f"proxy.tls.key={identity.key}"): "is not a PEM certificate",
        ("upstream.url=https://q", f"upstream.tls.ca={tmp_path}"): "cannot be read: Is a directory",
    }
    for settings, expected in table.items():
        done = check(*settings)
        assert (done.returncode, done.stdout) == (2, "") and expected in done.stderr, done
        sets = dict(setting.split("=", 1) for setting in settings)
        with pytest.raises(AssertionError, match="before it listened") as failed:
            Qrerank("http://127.0.0.1:1", settings=sets).start()
        assert expected in str(failed.value)
        assert "secret-words" not in str(failed.value)
    assert check(good, f"proxy.tls.key={identity.key}").returncode == 0
