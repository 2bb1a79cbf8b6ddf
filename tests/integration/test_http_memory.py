"""Bodies of gigabytes pass in bounded memory, both ways, also to a reader slower than its writer."""

import threading
import time

from tests.support.raw_http import FakeUpstream, Message, Reader
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
