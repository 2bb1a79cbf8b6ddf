"""What runs the program and what it is told: signals, readiness, watchdog, sockets handed over, descriptor limits."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.qrerank_process import REPOSITORY, Qrerank, program
from tests.support.raw_http import LIMIT_S, FakeUpstream, Reader, answering, at_end, ok

pytestmark = pytest.mark.sanitize
GET = b"GET /x HTTP/1.1\r\nHost: q\r\n\r\n"


def ask(address: tuple[str, int]) -> bytes:
    with socket.create_connection(address, timeout=LIMIT_S) as sock:
        sock.sendall(GET)
        return Reader(sock).message().body


class Manager:
    """A service manager's ear: $NOTIFY_SOCKET."""

    def __enter__(self) -> "Manager":
        self._folder = tempfile.TemporaryDirectory(prefix="qrerank-notify-")
        self.path = f"{self._folder.name}/socket"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._folder.cleanup()

    def hears(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())


@contextlib.contextmanager
def held_requests() -> Iterator[tuple[FakeUpstream, threading.Event]]:
    """An upstream that answers nothing; the event tells that it was asked."""
    asked = threading.Event()

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        if reader.message():
            asked.set()
            at_end(sock)

    with FakeUpstream(serve) as up:
        yield up, asked


def test_hangup_before_there_is_anything_to_reload():
    """The configuration is a pipe: until it is written the program is in its first lines."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "config.yaml"
        os.mkfifo(pipe)
        command = [str(program()), "serve", "--config", str(pipe), "--set", "proxy.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                with pipe.open("w") as first:  # opens when the program opens it to read
                    process.send_signal(signal.SIGHUP)
                    first.write("rerank: {top_k: 20}\n")
                assert process.stdout.readline().startswith("listening ")
                with pipe.open("w") as second:  # and again when it comes to the hangup
                    second.write("rerank: {top_k: 30}\n")
                line = next(line for line in process.stderr if " reloaded" in line)
                assert "configuration reloaded changed=rerank.top_k" in line
            finally:
                process.terminate()
        assert process.returncode == 0


def test_hangup_ends_commands_that_cannot_reload():
    with tempfile.TemporaryDirectory() as folder:
        pipe = Path(folder) / "config.yaml"
        os.mkfifo(pipe)
        # Under nohup the tests themselves ignore the signal, and what they start would.
        command = ["env", "--default-signal=HUP", str(program()), "check-config", "--config", str(pipe)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            with pipe.open("w"):
                process.send_signal(signal.SIGHUP)
                process.wait(LIMIT_S)
        assert process.returncode == -signal.SIGHUP


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_ends_at_once(second: signal.Signals):
    with held_requests() as (up, asked):
        proxy = Qrerank(f"http://127.0.0.1:{up.port}", settings={"proxy.drain_timeout": "1h"}).start()
        with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
            sock.sendall(GET)
            assert asked.wait(LIMIT_S)
            proxy.process.send_signal(signal.SIGTERM)
            proxy.wait_for_log("draining")
            assert proxy.process.poll() is None
            proxy.process.send_signal(second)
            assert proxy.process.wait(LIMIT_S) == -second
        proxy.stop()


def test_drain_has_an_end():
    with held_requests() as (up, asked), Qrerank(f"http://127.0.0.1:{up.port}", settings={"proxy.drain_timeout": "150ms"}) as proxy:
        with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
            sock.sendall(GET)
            assert asked.wait(LIMIT_S)
            assert proxy.stop() == 0
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""


def test_what_the_end_of_the_drain_cuts_off_is_said():
    """Relayed or being scored: not the client went, nor the server."""
    asked = threading.Event()

    def serve(reader: Reader, sock: socket.socket, _: int) -> None:
        if b"limit" in reader.message().body:
            sock.sendall(ok(b'{"result":{"points":[{"id":1,"version":1,"score":1.0,"payload":{"text":"fox"}}]},"status":"ok","time":0.1}'))
        asked.set()
        at_end(sock)

    body = b'{"query": [1.0], "limit": 1, "use_reranker": true, "rerank_query": "fox"}'
    search = b"POST /collections/c/points/query HTTP/1.1\r\nHost: q\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    settings = {"proxy.drain_timeout": "150ms", "rerank.default_model": "slow"}
    for request, path in ((GET, "/x"), (search, "/collections/c/points/query")):
        with FakeUpstream(serve) as up, Qrerank(f"http://127.0.0.1:{up.port}", "models: {slow: {stand_in: hangs}}\n", settings) as proxy:
            with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
                sock.sendall(request)
                assert asked.wait(LIMIT_S)
                assert proxy.stop() == 0
        asked.clear()
        lines = [line for line in proxy.stderr.splitlines() if "request failed" in line]
        assert len(lines) == 1 and f"path={path} status=0 reason=\"not finished within proxy.drain_timeout\"" in lines[0], proxy.stderr


def test_readiness_reload_and_stop_are_told():
    with Manager() as manager, FakeUpstream(answering(ok())) as up:
        with Qrerank(f"http://127.0.0.1:{up.port}", environment={"NOTIFY_SOCKET": manager.path}) as proxy:
            assert manager.hears()["READY"] == "1"
            for config, line in [("rerank: {top_k: 20}\n", "configuration reloaded"), ("rerank: {top_k: 0}\n", "not reloaded")]:
                assert line in proxy.reload(config)
                reloading = manager.hears()
                assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
                assert manager.hears()["READY"] == "1"
        assert manager.hears()["STOPPING"] == "1"


def test_the_watchdog_hears_of_threads_that_run():
    with Manager() as manager, FakeUpstream(answering(ok())) as up:
        environment = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "20000"}
        with Qrerank(f"http://127.0.0.1:{up.port}", environment=environment):
            heard = [manager.hears() for _ in range(5)]
            assert sum(message.get("WATCHDOG") == "1" for message in heard) == 4 and any("READY" in message for message in heard)


# Puts the sockets where a service manager does, and says so: the process's number is known only inside it.
HAND_OVER = """
import os, sys
sockets = [int(n) for n in sys.argv[1].split(",")]
for at, there in enumerate(sockets):
    os.dup2(there, 3 + at)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def handed(up: FakeUpstream, *sockets: socket.socket, names: str = "", **settings: object) -> Qrerank:
    numbers = ",".join(str(sock.fileno()) for sock in sockets)
    return Qrerank(
        f"http://127.0.0.1:{up.port}",
        settings=settings,
        launcher=[sys.executable, "-c", HAND_OVER, numbers],
        environment={"LISTEN_FDNAMES": names} if names else {},
        descriptors=[sock.fileno() for sock in sockets],
    )


def listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    there = fcntl.fcntl(made.fileno(), fcntl.F_DUPFD, 60)  # away from the numbers that they are moved to
    made.close()
    return socket.socket(fileno=there)


def test_sockets_that_were_handed_over_are_served():
    with FakeUpstream(answering(ok())) as up, listener() as admin, listener() as front:
        with handed(up, admin, front, names="admin:proxy") as proxy:
            assert proxy.address == front.getsockname()
            assert proxy.admin == "127.0.0.1:%d" % admin.getsockname()[1]
            assert ask(front.getsockname()) == b"hello"
            with socket.create_connection(admin.getsockname(), timeout=LIMIT_S) as sock:
                sock.sendall(GET.replace(b"/x", b"/livez"))
                assert Reader(sock).message().status == 200


def test_a_relays_socket_goes_by_its_name():
    with FakeUpstream(answering(ok())) as up, listener() as front, listener() as relayed:
        settings = {"relays.grpc.listen": "127.0.0.1:1", "relays.grpc.to": f"127.0.0.1:{up.port}"}
        with handed(up, relayed, front, names="relays.grpc:proxy", **settings) as proxy:
            assert proxy.address == front.getsockname()
            assert proxy.places["relays.grpc"] == "127.0.0.1:%d" % relayed.getsockname()[1]
            assert ask(front.getsockname()) == ask(relayed.getsockname()) == b"hello"


def test_clients_wait_through_a_restart():
    with FakeUpstream(answering(ok())) as up, listener() as front:
        with handed(up, front) as first:
            assert first.address == front.getsockname() and ask(front.getsockname()) == b"hello"
        with socket.create_connection(front.getsockname(), timeout=LIMIT_S) as waiting:  # nobody accepts it
            waiting.sendall(GET)
            with handed(up, front):
                assert Reader(waiting).message().body == b"hello"


@pytest.mark.parametrize("names", ["grpc:proxy", "proxy:proxy"])
def test_sockets_that_cannot_be_told_apart_stop_the_start(names: str):
    with FakeUpstream(answering(ok())) as up, listener() as one, listener() as two:
        with pytest.raises(AssertionError, match="FileDescriptorName|twice"):
            handed(up, one, two, names=names).start()


def test_one_socket_for_two_listeners_stops_the_start():
    with FakeUpstream(answering(ok())) as up, listener() as one:
        with pytest.raises(AssertionError, match="admin has the address of the one handed over as proxy"):
            handed(up, one, one).start()


@pytest.mark.skipif(not Path("/usr/bin/systemd-socket-activate").exists(), reason="no systemd here")
def test_systemd_itself_hands_a_socket_over():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with FakeUpstream(answering(ok())) as up:
        command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=proxy", str(program()), "serve"]
        command += ["--set", f"upstream.url=http://127.0.0.1:{up.port}", "--set", "admin.listen=127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert next(line for line in process.stderr if "Listening on" in line)
                assert ask(("127.0.0.1", port)) == b"hello"
                assert f"proxy=127.0.0.1:{port}" in process.stdout.readline()
            finally:
                process.terminate()
        assert process.returncode == 0


def test_descriptor_limit_is_raised_and_what_is_lacking_is_told():
    limits = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 400)); os.execv(sys.argv[1], sys.argv[1:])"
    with FakeUpstream(answering(ok())) as up:
        url = f"http://127.0.0.1:{up.port}"
        launcher = [sys.executable, "-c", limits]
        with Qrerank(url, launcher=launcher, settings={"proxy.max_connections": 1000}) as proxy:
            assert resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE) == (400, 400)
            line = proxy.wait_for_log("descriptor limit")
            assert re.search(r"WARN .*LimitNOFILE.* limit=400 needed=2256 max_connections=1000", line), line
        few = {"proxy.max_connections": 50}
        with Qrerank(url, launcher=launcher, settings=few) as proxy:
            assert ask(proxy.address) == b"hello"
        assert "descriptor limit" not in proxy.stderr
        relay = {"relays.grpc.listen": "127.0.0.1:0", "relays.grpc.to": "127.0.0.1:1", "relays.grpc.max_connections": 100}
        with Qrerank(url, launcher=launcher, settings=few | relay) as proxy:
            assert "limit=400 needed=556 max_connections=50" in proxy.wait_for_log("descriptor limit")


def test_version():
    said = subprocess.run([str(program()), "--version"], check=True, capture_output=True, text=True).stdout
    version = re.search(r"project\(qrerank VERSION ([\d.]+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
    assert said.startswith(f"qrerank {version}") and said == subprocess.run(
        [str(program()), "version"], check=True, capture_output=True, text=True
    ).stdout
