"""Ports that are passed through as they are (`relays`): raw sockets on both ends. gRPC itself is in test_grpc.py."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.footprint import Footprint
from tests.support.qrerank_process import Qrerank, program
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, at_end, is_reset, ok, read_to_end, reset

pytestmark = pytest.mark.sanitize
MUCH = 64 << 20  # more than the kernel's buffers of two connections, on either side


class Host:
    """qrerank with an upstream for HTTP and relays of the test's own: {name: {key: value}}."""

    def __init__(self, relays: dict[str, dict[str, object]], **settings: object) -> None:
        self.http = FakeUpstream(answering(ok()))
        all_settings = {f"relays.{name}.{key}": value for name, keys in relays.items() for key, value in ({"listen": "127.0.0.1:0"} | keys).items()}
        self.proxy = Qrerank(f"http://127.0.0.1:{self.http.port}", settings=all_settings | settings)

    def __enter__(self) -> "Host":
        self.http.__enter__()
        self.proxy.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        try:
            self.proxy.__exit__(failed)
        finally:
            self.http.__exit__(failed)

    def address(self, name: str = "raw") -> tuple[str, int]:
        host, _, port = self.proxy.places[f"relays.{name}"].rpartition(":")
        return host, int(port)

    def connect(self, name: str = "raw") -> socket.socket:
        return socket.create_connection(self.address(name), timeout=LIMIT_S)

    def metric(self, name: str, **labels: str) -> float:
        wanted = f"{name}{{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "} "
        for line in httpx.get(f"http://{self.proxy.admin}/metrics", timeout=LIMIT_S).text.splitlines():
            if line.startswith(wanted):
                return float(line.split()[-1])
        raise AssertionError(f"no metric {wanted}")


@contextlib.contextmanager
def one(serve: Callable[[Reader, socket.socket, int], None], name: str = "raw", **keys: object) -> Iterator[tuple[Host, FakeUpstream]]:
    """One relay in front of one scripted server. Settings of the program are spelled with `__` for the dot."""
    program_settings = {key.replace("__", "."): keys.pop(key) for key in list(keys) if "__" in key}
    with FakeUpstream(serve) as target, Host({name: {"to": f"127.0.0.1:{target.port}", **keys}}, **program_settings) as host:
        yield host, target


def echo(_: Reader, sock: socket.socket, __: int) -> None:
    while piece := sock.recv(65536):
        sock.sendall(piece)


def test_bytes_go_both_ways_untouched_and_are_counted():
    sent, received = os.urandom(8 << 20), hashlib.sha256()
    with one(echo) as (host, _), host.connect() as sock:
        sender = threading.Thread(target=lambda: (sock.sendall(sent), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        count = 0
        while piece := sock.recv(1 << 20):
            received.update(piece)
            count += len(piece)
        sender.join(LIMIT_S)
        assert count == len(sent) and received.digest() == hashlib.sha256(sent).digest()
        assert host.metric("qrerank_relay_bytes_total", direction="there", relay="raw") == len(sent)
        assert host.metric("qrerank_relay_bytes_total", direction="back", relay="raw") == len(sent)
        assert host.metric("qrerank_relay_connections_opened_total", relay="raw") == 1


def test_a_server_that_speaks_first_is_heard():
    with one(lambda _, sock, __: (sock.sendall(b"hello"), at_end(sock))) as (host, _), host.connect() as sock:
        assert sock.recv(5) == b"hello"


def test_half_close_of_the_client_reaches_the_server():
    def serve(_: Reader, sock: socket.socket, __: int) -> None:
        sock.sendall(b"got %d" % len(read_to_end(sock)))

    with one(serve) as (host, _), host.connect() as sock:
        sock.sendall(b"x" * 1000)
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock) == b"got 1000"


def test_half_close_of_the_server_reaches_the_client():
    heard, done = [], threading.Event()

    def serve(_: Reader, sock: socket.socket, __: int) -> None:
        sock.sendall(b"bye")
        sock.shutdown(socket.SHUT_WR)
        heard.append(read_to_end(sock))
        done.set()

    with one(serve) as (host, _), host.connect() as sock:
        assert read_to_end(sock) == b"bye"
        sock.sendall(b"one more thing")
        sock.shutdown(socket.SHUT_WR)
        assert done.wait(LIMIT_S) and heard == [b"one more thing"]


def test_a_reset_is_passed_on_as_one():
    heard, done = [], threading.Event()

    def serve(_: Reader, sock: socket.socket, n: int) -> None:
        sock.sendall(b"hello")
        if n == 0:
            assert sock.recv(1) == b"!"
            reset(sock)
        else:
            heard.append(is_reset(sock))
            done.set()

    with one(serve) as (host, _):
        with host.connect() as sock:
            assert sock.recv(5) == b"hello"
            sock.sendall(b"!")
            assert is_reset(sock)
        with host.connect() as sock:
            assert sock.recv(5) == b"hello"
            reset(sock)
        assert done.wait(LIMIT_S) and heard == [True]


@pytest.mark.parametrize("gone", ["client", "server"])
def test_a_reset_behind_an_end_is_passed_on(gone: str):
    """Who has said its end and then goes must not leave the other side waiting, nor a place taken."""
    ended, broken = threading.Event(), threading.Event()

    def leave(sock: socket.socket) -> None:
        sock.shutdown(socket.SHUT_WR)
        assert ended.wait(LIMIT_S)
        reset(sock)

    def stay(sock: socket.socket) -> None:
        assert sock.recv(1) == b""
        ended.set()
        poll = select.poll()
        poll.register(sock, 0)  # errors are told without being asked for
        if poll.poll(LIMIT_S * 1000):
            broken.set()

    with one(lambda _, sock, __: (stay if gone == "client" else leave)(sock), max_connections=1) as (host, _):
        with host.connect() as sock:
            (leave if gone == "client" else stay)(sock)
            assert broken.wait(LIMIT_S)
        with host.connect():  # there is a place again
            while host.metric("qrerank_relay_connections_opened_total", relay="raw") < 2:
                time.sleep(0.02)


@pytest.mark.parametrize("slow", ["client", "server"])
def test_a_slow_reader_holds_the_other_side_up(slow: str):
    """Back-pressure: nothing piles up in between, and all of it arrives once it is read."""
    served, go, stalled = threading.Event(), threading.Event(), threading.Event()
    counted: list[int] = []

    def send_until_stalled(sock: socket.socket) -> None:
        piece, left = memoryview(b"y" * (1 << 20)), MUCH
        sock.setblocking(False)
        while left:
            if not select.select([], [sock], [], 0.5 if not stalled.is_set() else LIMIT_S)[1]:
                assert not stalled.is_set(), "nothing was taken any more"
                stalled.set()
                continue
            left -= sock.send(piece[: min(left, len(piece))])
        sock.setblocking(True)
        sock.shutdown(socket.SHUT_WR)

    def receive(sock: socket.socket) -> None:
        assert go.wait(LIMIT_S)
        counted.append(sum(iter(lambda: len(sock.recv(1 << 20)), 0)))

    def serve(_: Reader, sock: socket.socket, __: int) -> None:
        served.set()
        (send_until_stalled if slow == "client" else receive)(sock)

    with one(serve) as (host, _), host.connect() as sock:
        assert served.wait(LIMIT_S)
        before = Footprint(host.proxy.process.pid)
        mine = threading.Thread(target=receive if slow == "client" else send_until_stalled, args=(sock,))
        mine.start()
        assert stalled.wait(LIMIT_S), "everything was taken although nobody read"
        before.settled()
        go.set()
        mine.join(LIMIT_S)
        assert at_end(sock)
        assert counted == [MUCH]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_target_that_refuses_is_told_by_a_reset():
    port = closed_port()
    with Host({"raw": {"to": f"127.0.0.1:{port}"}}) as host:
        with contextlib.suppress(ConnectionResetError):  # may come before connect() returns
            with host.connect() as sock:
                assert is_reset(sock)
        line = host.proxy.wait_for_log("a relayed connection came to nothing")
        assert f"relay=raw why=\"127.0.0.1:{port}: cannot connect: Connection refused\"" in line
        assert host.metric("qrerank_relay_connections_failed_total", relay="raw") == 1


def test_the_next_target_is_asked_when_one_refuses_and_all_in_turn():
    def named(name: bytes) -> Callable[[Reader, socket.socket, int], None]:
        return lambda _, sock, __: sock.sendall(name)

    with FakeUpstream(named(b"a")) as a, FakeUpstream(named(b"b")) as b:
        to = f"127.0.0.1:{a.port},127.0.0.1:{closed_port()},localhost:{b.port}"
        with Host({"raw": {"to": to}}) as host:
            answers = []
            for _ in range(6):
                with host.connect() as sock:
                    answers.append(read_to_end(sock))
            assert answers == [b"a", b"b", b"b"] * 2


def test_a_target_that_does_not_answer_has_its_time():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, contextlib.ExitStack() as queued:
        while True:  # until its queue is full
            filler = queued.enter_context(socket.socket())
            filler.settimeout(0.3)
            try:
                filler.connect(deaf.getsockname())
            except TimeoutError:
                break
        with Host({"raw": {"to": "127.0.0.1:%d" % deaf.getsockname()[1], "connect_timeout": "100ms"}}) as host, host.connect() as sock:
            assert is_reset(sock)
            assert "cannot connect: timed out" in host.proxy.wait_for_log("came to nothing")


def test_a_name_that_is_none_is_told():
    with Host({"raw": {"to": "nowhere.invalid:1"}}) as host, host.connect() as sock:
        assert is_reset(sock)
        assert "nowhere.invalid:1: cannot resolve the name" in host.proxy.wait_for_log("came to nothing")


def test_over_its_connections_clients_wait_for_a_place():
    with one(echo, max_connections=2) as (host, _):
        with host.connect() as first, host.connect() as second:
            for sock in (first, second):
                sock.sendall(b"x")
                assert sock.recv(1) == b"x"
            with host.connect() as third:
                third.sendall(b"y")
                assert not select.select([third], [], [], 0.2)[0]
                assert host.metric("qrerank_relay_connections", relay="raw") == 2
                first.close()
                assert third.recv(1) == b"y"


def test_over_the_share_of_its_address_a_client_is_closed():
    with one(echo, max_connections_per_address=1) as (host, _), host.connect() as first:
        first.sendall(b"x")
        assert first.recv(1) == b"x"
        with host.connect() as second:
            assert at_end(second)
        assert host.metric("qrerank_relay_connections_turned_away_total", relay="raw") == 1
        first.sendall(b"x")
        assert first.recv(1) == b"x"


def test_silence_ends_a_connection_only_where_that_is_configured():
    ended = threading.Event()

    def serve(_: Reader, sock: socket.socket, __: int) -> None:
        for at in range(8):  # one direction is enough to keep it
            sock.sendall(b"%d" % at)
            threading.Event().wait(0.1)
        assert is_reset(sock)
        ended.set()

    with one(serve, idle_timeout="400ms") as (host, _), host.connect() as sock:
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(100):
                got += piece
        assert got == b"01234567" and ended.wait(LIMIT_S)


def test_sigterm_lets_connections_finish():
    asked, go = threading.Event(), threading.Event()

    def serve(_: Reader, sock: socket.socket, __: int) -> None:
        if sock.recv(1) != b"?":
            return  # of one that only looks whether the listener is still there
        asked.set()
        assert go.wait(LIMIT_S)
        sock.sendall(b"done")

    with one(serve, proxy__drain_timeout="1h") as (host, _), host.connect() as sock:
        sock.sendall(b"?")
        assert asked.wait(LIMIT_S)
        host.proxy.process.send_signal(signal.SIGTERM)
        host.proxy.wait_for_log("draining")
        until_refused(host.address())
        assert httpx.get(f"http://{host.proxy.admin}/readyz", timeout=LIMIT_S).status_code == 503
        go.set()
        assert read_to_end(sock) == b"done"
        sock.close()
        assert host.proxy.process.wait(LIMIT_S) == 0


def until_refused(address: tuple[str, int]) -> None:
    """The listener closes a moment after the drain began; a connection that made it before is dropped."""
    for _ in range(1000):
        try:
            socket.create_connection(address, timeout=LIMIT_S).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue  # it waited in the listener's queue when that closed
    raise AssertionError("connections are still accepted")


def test_sigterm_ends_what_does_not_finish():
    with one(echo, proxy__drain_timeout="200ms") as (host, _), host.connect() as sock:
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"
        host.proxy.process.send_signal(signal.SIGTERM)
        assert is_reset(sock)
        assert host.proxy.process.wait(LIMIT_S) == 0


def refused_start(*settings: str) -> str:
    """What `serve` says when it does not start."""
    command = [str(program()), "serve", "--set", "proxy.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2) and done.stdout == "", done
    return done.stderr


def test_a_port_in_use_refuses_the_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refused_start(f"relays.grpc.listen=127.0.0.1:{port}", "relays.grpc.to=127.0.0.1:6334")
    assert f"relays.grpc.listen: cannot listen on 127.0.0.1:{port}: Address already in use" in told


def test_what_cannot_work_is_refused():
    told = refused_start(
        "relays.a.listen=127.0.0.1:6334",
        "relays.b.to=127.0.0.1:6334",
        "relays.c.to=qdrant",
        "relays.d.to=qdrant:0",
        "relays.e.to=http://qdrant:6334",
        "relays.f.to=a:1,a:1",
        "relays.g.listen=127.0.0.1:1",
        "relays.g.to=a:1,127.0.0.1:1",
        "relays.h.listen=127.0.0.1:1",
        "relays.h.to=a:1",
        "relays.i j.listen=127.0.0.1:2",
        "relays.k.tom=b:2",
    )
    for expected in (
        "relays.a needs `listen` and `to`",
        "relays.b needs `listen` and `to`",
        "relays.c.to: 'qdrant' is not HOST:PORT, or a list",
        "relays.d.to: 'qdrant:0' is not HOST:PORT",
        "relays.e.to: 'http://qdrant:6334' is not HOST:PORT",
        "relays.f.to: 'a:1' is there twice",
        "relays.g.to: 127.0.0.1:1 is where the relay itself listens",
        "relays.h.listen and relays.g.listen are the same address, 127.0.0.1:1",
        "relays: 'i j' cannot be a name",
        "relays.k.tom is not a known key; did you mean relays.k.to?",
    ):
        assert expected in told


def test_a_change_waits_for_a_restart_and_nothing_is_cut():
    with one(echo) as (host, target), host.connect() as sock:
        host.proxy.reload("relays:\n  other:\n    listen: 127.0.0.1:0\n    to: 127.0.0.1:1\n")
        line = host.proxy.wait_for_log("takes effect after a restart")
        assert "relays.other" in line
        sock.sendall(b"x")
        assert sock.recv(1) == b"x"


def test_nothing_is_left_of_many_connections():
    with one(echo) as (host, _):

        def turn() -> None:
            socks = [host.connect() for _ in range(50)]
            for n, sock in enumerate(socks):
                sock.sendall(b"x" * 1000)
                assert sock.recv(1) == b"x"
                reset(sock) if n % 2 else sock.close()

        turn()
        before = Footprint(host.proxy.process.pid)
        for _ in range(4):
            turn()
        before.settled()
        assert host.metric("qrerank_relay_connections", relay="raw") == 0
