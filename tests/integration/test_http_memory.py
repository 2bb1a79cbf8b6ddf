"""Bodies of gigabytes pass in bounded memory, both ways, also to a reader slower than its writer; what is held has a bound."""

import json
import socket
import threading
import time

import httpx

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, Message, Reader, ok
from tests.support.relay_process import RelayProcess

MIB = 1024 * 1024
ALLOWED_KIB = 64 * 1024
BLOCK = bytes(range(256)) * 4096  # 1 MiB, so a shifted or doubled block shows


class Watch:
    """The largest VmRSS of a process while the block runs."""

    def __init__(self, proxy: RelayProcess):
        self.proxy, self.first, self.largest, self._over = proxy, proxy.resident_kib(), 0, threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def _sample(self):
        while not self._over.wait(0.02):
            self.largest = max(self.largest, self.proxy.resident_kib())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    @property
    def growth_kib(self) -> int:
        return self.largest - self.first


def drain(reader: Reader, sock, size: int, pause_every: int = 0) -> bool:
    """Reads `size` bytes of repeated BLOCKs; False if a byte is not what it should be."""
    buffer = bytearray(MIB)
    got = len(reader.rest)
    if reader.rest != (BLOCK * 2)[: len(reader.rest)]:
        return False
    doubled = memoryview(BLOCK * 2)
    reads = 0
    while got < size:
        n = sock.recv_into(buffer, min(MIB, size - got))
        if not n or memoryview(buffer)[:n] != doubled[got % MIB : got % MIB + n]:
            return False
        got += n
        reads += 1
        if pause_every and reads % pause_every == 0:
            time.sleep(0.01)  # slowness is the subject here
    return True


def serve_both_ways(reader, sock, _):
    while True:
        head = Message(reader.head(), b"")
        method, path = head.first.split(" ")[:2]
        size = int(path.strip("/")) * MIB
        if method == "GET":
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // MIB):
                sock.sendall(BLOCK)
        else:
            whole = drain(reader, sock, size)
            reader.rest = b""
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + (b"good" if whole else b"bad!"))


def download(proxy: RelayProcess, mib: int, pause_every: int = 0) -> bool:
    with proxy.connect() as sock:
        sock.sendall(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % mib)
        reader = Reader(sock)
        reader.head()
        return drain(reader, sock, mib * MIB, pause_every)


def upload(proxy: RelayProcess, mib: int) -> bytes:
    with proxy.connect() as sock:
        sock.sendall(b"PUT /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (mib, mib * MIB))
        for _ in range(mib):
            sock.sendall(BLOCK)
        return Reader(sock).message().body


def test_two_gibibytes_down_and_one_up():
    with FakeUpstream(serve_both_ways) as up, RelayProcess(up.port) as proxy:
        download(proxy, 1)
        with Watch(proxy) as watch:
            assert download(proxy, 2048)
            assert upload(proxy, 1024) == b"good"
        assert watch.growth_kib < ALLOWED_KIB


def test_slow_reader_holds_the_upstream_back():
    with FakeUpstream(serve_both_ways) as up, RelayProcess(up.port) as proxy:
        download(proxy, 1)
        with Watch(proxy) as watch:
            assert download(proxy, 128, pause_every=4)
        assert watch.growth_kib < ALLOWED_KIB


POINTS = 10
ANSWER = POINTS * MIB  # more than a socket's buffers take


def serve_large_points(reader, sock, _):
    while True:
        reader.message()
        points = [{"id": i, "version": 1, "score": 1 / (i + 1), "payload": {"text": f"fox {i}", "pad": "y" * MIB}} for i in range(POINTS)]
        sock.sendall(ok(json.dumps({"result": {"points": points}, "status": "ok", "time": 0.1}).encode()))


def flagged_search() -> bytes:
    body = json.dumps({"query": [1.0], "limit": POINTS, "with_payload": True, "use_reranker": True, "rerank_query": "fox", "rerank_top_k": POINTS}).encode()
    return b"POST /collections/c/points/query HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def held_bytes(proxy: Qrerank) -> int:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    return int(float(text.split("\nqrerank_held_body_bytes ")[1].split()[0]))


def wait_until_held(proxy: Qrerank, least: int, most: int) -> None:
    until = time.monotonic() + LIMIT_S
    while not least <= (held := held_bytes(proxy)) <= most:
        assert time.monotonic() < until, f"{held} bytes are held"
        time.sleep(0.02)


def resident_kib(proxy: Qrerank) -> int:
    with open(f"/proc/{proxy.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def test_an_idle_connection_keeps_nothing_of_its_answers():
    with FakeUpstream(serve_large_points) as up, Qrerank(f"http://127.0.0.1:{up.port}") as proxy:
        socks = [socket.create_connection(proxy.address, timeout=LIMIT_S) for _ in range(10)]

        def ask_with(sock: socket.socket) -> None:
            sock.sendall(flagged_search())
            assert Reader(sock).message().one("x-reranking-used") == "true"

        ask_with(socks[0])
        wait_until_held(proxy, 0, 0)
        before = resident_kib(proxy)
        for sock in socks:
            ask_with(sock)
        wait_until_held(proxy, 0, 0)
        assert resident_kib(proxy) - before < 32 * 1024
        for sock in socks:
            sock.close()


def test_answers_that_nobody_reads_have_a_bound_together():
    settings = {"proxy.max_inspect_memory": ANSWER * 5 // 2}
    with FakeUpstream(serve_large_points) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy:
        slow = []
        for n in (1, 2):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(LIMIT_S)
            sock.connect(proxy.address)
            sock.sendall(flagged_search())
            slow.append(sock)
            wait_until_held(proxy, n * ANSWER, 3 * ANSWER)
        with socket.create_connection(proxy.address, timeout=LIMIT_S) as sock:
            reader = Reader(sock)
            sock.sendall(flagged_search())
            other = reader.message()  # Qdrant's own order, streamed
            assert (other.status, other.one("x-reranking-used"), other.one("x-reranking-reason")) == (200, "false", "internal")
            assert len(json.loads(other.body)["result"]["points"]) == POINTS
            assert "no room in proxy.max_inspect_memory" in proxy.wait_for_log("too large")
            for reading in slow:
                assert Reader(reading).message().one("x-reranking-used") == "true"
                reading.close()
            wait_until_held(proxy, 0, 0)
            sock.sendall(flagged_search())
            assert reader.message().one("x-reranking-used") == "true"
