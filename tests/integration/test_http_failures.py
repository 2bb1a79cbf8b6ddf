"""What goes wrong on either side: cut-offs, stale connections, time limits, header limits, drain."""

import socket
import time

import pytest

from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, at_end, black_hole, is_qdrant_error, ok, read_to_end, reset
from tests.support.relay_process import RelayProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sanitize
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"


# The upstream


def test_refused_connection_is_502():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with RelayProcess(port) as proxy, proxy.connect() as sock:
        reader = Reader(sock)
        for request in (GET, POST):  # and the connection stays usable
            sock.sendall(request)
            assert "cannot connect" in is_qdrant_error(reader.message(), 502)


def test_connection_that_is_not_accepted_in_time_is_504():
    with black_hole() as port, RelayProcess(port, connect_timeout=300) as proxy:
        for request in (GET, POST):
            error = is_qdrant_error(proxy.ask(request), 504)
            assert "cannot connect: timed out" in error


@pytest.mark.parametrize("request_bytes", [GET, POST])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
def test_cut_off_before_the_head_ends_is_502(request_bytes, answer):
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(answer)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        is_qdrant_error(proxy.ask(request_bytes), 502)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n",
    ],
)
def test_cut_off_inside_the_body_is_no_whole_response(answer):
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(answer)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        with pytest.raises(ConnectionError):
            proxy.ask(GET)


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
def test_malformed_response_is_502(answer):
    with FakeUpstream(answering(answer)) as up, RelayProcess(up.port) as proxy:
        is_qdrant_error(proxy.ask(GET), 502)


def test_early_answer_reaches_a_client_that_is_still_sending():
    def serve(reader, sock, _):
        reader.head()
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
        at_end(sock)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"a" * 1000)
        answer = Reader(sock).message()
        assert (answer.status, answer.body, answer.one("connection")) == (413, b"no!", "close")
        assert at_end(sock)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_stale_connection_is_replaced_for_safe_methods(method, end):
    def serve(reader, sock, n):
        reader.head()
        sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        if n == 0:
            reader.head()  # the second request arrives and is dropped
            reset(sock) if end == "reset" else sock.close()
        else:
            at_end(sock)

    request = GET.replace(b"GET", method.encode())
    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy, proxy.connect() as sock:
        reader = Reader(sock)
        for _ in range(2):
            sock.sendall(request)
            assert reader.message(bodyless=True).status == 204
        assert up.connections == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_never_sent_twice(method):
    seen = []

    def serve(reader, sock, n):
        while True:
            seen.append(reader.message().first)
            if len(seen) == 2:
                return
            sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy:
        assert proxy.ask(GET).status == 200
        is_qdrant_error(proxy.ask(POST.replace(b"POST", method.encode())), 502)
        assert len(seen) == 2


def test_connection_that_the_upstream_closed_is_not_used_even_for_post():
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy:
        for n in range(3):
            assert proxy.ask(POST).status == 200
            while up._threads[n].is_alive():
                up._threads[n].join(LIMIT_S)
            wait_for_fin()


def wait_for_fin() -> None:
    """The FIN of a closed loopback socket is delivered before close() returns; this only yields the processor."""
    time.sleep(0)


def test_idle_upstream_connection_expires():
    ended = []

    def serve(reader, sock, _):
        reader.message()
        sock.sendall(ok())
        ended.append(at_end(sock))

    with FakeUpstream(serve) as up, RelayProcess(up.port, keep_alive_timeout=100) as proxy:
        proxy.ask(GET)
        up._threads[0].join(LIMIT_S)
        assert ended == [True]


def test_silent_upstream_is_504():
    with FakeUpstream(lambda reader, sock, _: at_end(sock) or at_end(sock) or read_to_end(sock)) as up:
        with RelayProcess(up.port, response_timeout=150) as proxy:
            assert "timed out" in is_qdrant_error(proxy.ask(GET), 504)


def test_upstream_that_stops_inside_the_body_is_cut():
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")
        at_end(sock)

    with FakeUpstream(serve) as up, RelayProcess(up.port, response_timeout=150) as proxy:
        with pytest.raises(ConnectionError):
            proxy.ask(GET)


def test_upstream_that_does_not_read_a_large_body_is_504():
    def serve(reader, sock, _):
        reader.head()
        time.sleep(2)

    with FakeUpstream(serve) as up, RelayProcess(up.port, response_timeout=200) as proxy, proxy.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        sock.settimeout(0.05)
        try:
            while True:
                sock.send(b"x" * 65536)
        except TimeoutError:
            pass
        sock.settimeout(LIMIT_S)
        is_qdrant_error(Reader(sock).message(), 504)


# The client


def gone_clients():
    return [
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"POST /inspect/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    ]


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("sent", gone_clients())
def test_client_that_goes_away_takes_its_upstream_request_along(sent, end):
    whole = []

    def serve(reader, sock, _):
        whole.append(reader.message())
        sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        sock = proxy.connect()
        sock.sendall(sent)
        reset(sock) if end == "reset" else sock.close()
        assert proxy.ask(GET).status == 200  # others are served on
        for thread in up._threads:
            thread.join(0 if not whole else 0.01)
    assert [message.first for message in whole] == ["GET / HTTP/1.1"]


def test_client_that_leaves_a_download_frees_the_upstream():
    ended = []

    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                sock.sendall(b"x" * 65536)
        except OSError:
            ended.append(True)

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        sock = proxy.connect()
        sock.sendall(GET)
        sock.recv(1000)
        sock.close()
        up._threads[0].join(LIMIT_S)
        assert ended == [True]


def test_half_closed_client_gets_its_answer():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port) as proxy, proxy.connect() as sock:
        sock.sendall(GET)
        sock.shutdown(socket.SHUT_WR)
        assert Reader(sock).message().body == b"hello"


def test_slow_header_is_408():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, header_timeout=150) as proxy:
        assert "in time" in is_qdrant_error(proxy.ask(b"GET / HTTP/1.1\r\nHost"), 408)


def test_dripping_header_does_not_extend_its_time():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, header_timeout=300) as proxy, proxy.connect() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        sock.settimeout(0.02)
        answer = b""
        for _ in range(200):
            try:
                answer += sock.recv(4096)
                break
            except TimeoutError:
                sock.send(b"a: b\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_slow_body_is_408():
    with FakeUpstream(lambda reader, sock, _: read_to_end(sock)) as up, RelayProcess(up.port, body_timeout=150) as proxy:
        for path in (b"/", b"/inspect/echo"):
            request = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc" % path
            is_qdrant_error(proxy.ask(request), 408)


def test_idle_client_is_closed_silently():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, idle_timeout=150) as proxy, proxy.connect() as sock:
        sock.sendall(GET)
        Reader(sock).message()
        assert at_end(sock)


def test_client_that_does_not_read_is_cut():
    ended = []

    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                sock.sendall(b"x" * 65536)
        except OSError:
            ended.append(True)

    with FakeUpstream(serve) as up, RelayProcess(up.port, body_timeout=200) as proxy, proxy.connect() as sock:
        sock.sendall(GET)
        wait_until(lambda: ended)


@pytest.mark.parametrize("field", [b"a" * 5000, b"b: " + b"c" * 5000])
@pytest.mark.parametrize("end", [b"\r\n\r\n", b""])
def test_large_header_is_431(field, end):
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, max_header_bytes=4096) as proxy:
        is_qdrant_error(proxy.ask(b"GET / HTTP/1.1\r\n" + field + end), 431)
        just_fits = b"GET / HTTP/1.1\r\nHost: x\r\nA: "
        just_fits += b"x" * (4096 - len(just_fits) - 4) + b"\r\n\r\n"
        assert proxy.ask(just_fits).status == 200


def test_header_larger_than_the_first_buffer():
    seen = []
    request = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 60_000 + b"\r\n\r\n"
    with FakeUpstream(answering(ok(), requests=seen)) as up, RelayProcess(up.port) as proxy:
        assert proxy.ask(request).status == 200
    assert seen[0].head == request


# Drain


def test_sigterm_lets_the_running_request_finish_and_closes_idle_connections():
    def serve(reader, sock, _):
        reader.message()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
        assert at_end(idle)  # the drain has begun
        sock.sendall(b"llo")

    with FakeUpstream(serve) as up, RelayProcess(up.port) as proxy:
        with proxy.connect() as idle, proxy.connect() as busy:
            busy.sendall(GET)
            assert busy.recv(5) == b"HTTP/"
            proxy.terminate()
            assert b"llo" in read_to_end(busy)
            proxy.process.wait(LIMIT_S)
            with pytest.raises(ConnectionRefusedError):
                proxy.connect()


def test_response_that_begins_during_the_drain_says_close():
    def serve(reader, sock, _):
        reader.message()
        proxy.terminate()
        assert at_end(idle)
        sock.sendall(ok())

    with FakeUpstream(serve) as up, RelayProcess(up.port, io_threads=1) as proxy:
        with proxy.connect() as idle, proxy.connect() as busy:
            busy.sendall(GET)
            assert Reader(busy).message().one("connection") == "close"
            assert at_end(busy)


def test_drain_has_an_end():
    with FakeUpstream(lambda reader, sock, _: read_to_end(sock)) as up, RelayProcess(up.port, drain_timeout=200) as proxy:
        with proxy.connect() as sock:
            sock.sendall(GET)
            while not up.connections:
                time.sleep(0.001)
            proxy.terminate()
            proxy.process.wait(LIMIT_S)
            assert at_end(sock)


def test_connections_over_the_limit_wait_their_turn():
    with FakeUpstream(answering(ok())) as up, RelayProcess(up.port, max_connections=2) as proxy:
        with proxy.connect() as first, proxy.connect() as second:
            for sock in (first, second):
                sock.sendall(GET)
                Reader(sock).message()
            with proxy.connect() as third:
                third.sendall(GET)
                third.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    third.recv(1)
                first.close()
                third.settimeout(LIMIT_S)
                assert Reader(third).message().status == 200
