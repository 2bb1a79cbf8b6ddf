#!/usr/bin/env python3
"""A thousand keep-alive connections with mixed traffic against the proxy: errors by class, and whether memory grows.

    connections.py [--connections 1000] [--seconds 60] [--requests-per-second 1500]

The program is QRERANK_BIN, else build/release/qrerank, with the mock model. The upstream is a process of this script that
answers at once. Each connection sends small GETs, flagged searches over 50 hits, uploads of 1 MiB, and now and then goes
away in the middle of a request or of an answer and comes back. The exit status is 1 when anything but these departures
went wrong, or when VmRSS at the end is over 1.05 times that after ten seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import multiprocessing
import pathlib
import random
import resource
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.support.qrerank_process import Qrerank  # noqa: E402

SETTLE_SECONDS = 10
MOST_GROWTH = 1.05
ANSWER_SECONDS = 20
UPLOAD_BYTES = 1 << 20
SMALL = b'{"title":"qdrant - vector search engine","version":"1.19.0"}'
HITS = [{"id": n, "version": 0, "score": 1 - n / 100, "payload": {"text": f"hit {n} speaks of foxes and of winter " * 5}}
        for n in range(50)]  # fmt: skip
FOUND = json.dumps({"result": {"points": HITS}, "status": "ok", "time": 0.001}).encode()


def response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


class Upstream(asyncio.Protocol):
    """Answers each request as soon as its body is there, keeping nothing of it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.head, self.missing, self.answer = transport, b"", 0, b""

    def data_received(self, data: bytes) -> None:
        while data:
            if self.missing == 0:
                self.head += data
                head, mark, data = self.head.partition(b"\r\n\r\n")
                if not mark:
                    return
                self.head = b""
                self.answer = response(FOUND if b"/points/query" in head.partition(b"\r\n")[0] else SMALL)
                length = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                self.missing = int(length[0]) if length else 0
            taken = min(self.missing, len(data))
            self.missing, data = self.missing - taken, data[taken:]
            if self.missing == 0:
                self.transport.write(self.answer)


def serve_upstream(said: multiprocessing.connection.Connection, port: int = 0) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=4096)
        said.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


SEARCH = {"query": [1.0], "limit": 10, "with_payload": True, "use_reranker": True, "rerank_query": "winter foxes 7"}
REQUESTS = {
    "get": b"GET / HTTP/1.1\r\nHost: soak\r\n\r\n",
    "search": post("/collections/c/points/query", json.dumps(SEARCH).encode()),
    "upload": post("/collections/c/points/vectors", b" " * UPLOAD_BYTES),
}
EXPECTED = {"get": SMALL, "search": b'"reranking_used":true', "upload": SMALL}
# What is drawn, by weight; the last two end in the client going away.
KINDS = {"get": 70, "search": 20, "upload": 4, "leaves while asking": 3, "leaves while answered": 3}


class Visitor:
    """A connection that can go away in the middle; soak.py's clients are such, too."""

    def __init__(self, address: tuple[str, int], chance: random.Random):
        self.address, self.chance = address, chance
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def leaves_early(self, kind: str) -> bool:
        """Does the two kinds of visits that end so; False: another kind, nothing was sent."""
        assert self.writer is not None
        if kind == "leaves while asking":
            self.writer.write(REQUESTS["upload"][: self.chance.randrange(1, UPLOAD_BYTES)])
        elif kind == "leaves while answered":
            self.writer.write(REQUESTS["search"])
            await self.writer.drain()
        else:
            return False
        self.leave()
        return True

    def leave(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None


class Client(Visitor):
    """One connection's life; counts what it did and what went wrong."""

    def __init__(self, address: tuple[str, int], chance: random.Random, done: collections.Counter, errors: collections.Counter):
        super().__init__(address, chance)
        self.done, self.errors = done, errors

    async def run(self, until: float, pause: float) -> None:
        await asyncio.sleep(self.chance.random() * pause)
        while time.monotonic() < until:
            kind = self.chance.choices(list(KINDS), KINDS.values())[0]
            try:
                if self.writer is None:
                    self.reader, self.writer = await asyncio.open_connection(*self.address)
                await asyncio.wait_for(self.one(kind), ANSWER_SECONDS)
                self.done[kind] += 1
            except (OSError, EOFError, TimeoutError, asyncio.TimeoutError, AssertionError) as error:
                self.errors[f"{kind}: {type(error).__name__} {error}"[:100]] += 1
                self.leave()
            await asyncio.sleep(self.chance.expovariate(1 / pause))
        self.leave()

    async def one(self, kind: str) -> None:
        if await self.leaves_early(kind):
            return
        assert self.reader is not None and self.writer is not None
        self.writer.write(REQUESTS[kind])
        await self.writer.drain()
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1].decode()
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await self.reader.readexactly(length)
        assert status == "200", f"status {status}"
        assert EXPECTED[kind] in body, "another body"


def resident_kib(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


async def soak(proxy: Qrerank, args: argparse.Namespace) -> tuple[collections.Counter, collections.Counter, int, int]:
    done: collections.Counter = collections.Counter()
    errors: collections.Counter = collections.Counter()
    until = time.monotonic() + args.seconds
    pause = args.connections / args.requests_per_second
    clients = [Client(proxy.address, random.Random(n), done, errors) for n in range(args.connections)]
    running = asyncio.gather(*(client.run(until, pause) for client in clients))
    await asyncio.sleep(SETTLE_SECONDS)
    early = resident_kib(proxy.process.pid)
    await asyncio.sleep(max(0.0, until - time.monotonic() - 0.5))
    late = resident_kib(proxy.process.pid)  # every connection is still there
    await running
    return done, errors, early, late


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests-per-second", type=float, default=1500, help="aimed at, over all connections")
    args = parser.parse_args()
    if args.seconds <= SETTLE_SECONDS:
        parser.error(f"--seconds: expected more than {SETTLE_SECONDS}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    heard, said = multiprocessing.Pipe(duplex=False)
    upstream = multiprocessing.Process(target=serve_upstream, args=(said,), daemon=True)
    upstream.start()
    try:
        with Qrerank(f"http://127.0.0.1:{heard.recv()}", "log:\n  level: error\n") as proxy:
            done, errors, early, late = asyncio.run(soak(proxy, args))
    finally:
        upstream.terminate()
        upstream.join()

    print(f"{args.connections} connections, {args.seconds:.0f} s, {sum(done.values()) / args.seconds:.0f} requests/s")
    for kind in KINDS:
        print(f"  {kind:24} {done[kind]:8}")
    print(f"errors: {sum(errors.values())}")
    for what, count in errors.most_common():
        print(f"  {count:8}  {what}")
    growth = late / early
    print(f"VmRSS {early / 1024:.1f} MiB after {SETTLE_SECONDS} s, {late / 1024:.1f} MiB at the end: {growth:.3f}x (aim: {MOST_GROWTH}x)")
    return 1 if errors or growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
