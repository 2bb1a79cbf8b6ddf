#!/usr/bin/env python3
"""Mixed traffic for minutes while faults switch on and off: what was sent, answered and failed, by class.

    soak.py [--minutes 15] [--clients 48] [--requests-per-second 150] [--seed 1]

client → (every second one through toxiproxy) → qrerank → toxiproxy → upstream. The program is QRERANK_BIN, else
build/release/qrerank, with the mock model; the upstream is a process of its own that answers at once, is killed and comes
back. Traffic: small GETs, flagged searches over 50 hits, uploads of 1 MiB, readers that take an answer in small sips,
clients that go away while they ask or are answered. The configuration is reloaded once a minute.

A failure is explained when a fault that could reach the request was on while it ran, or had ended less than GRACE_S before,
and it is one that the fault may cause: a 502, 503 or 504 of the right shape, or a connection that ended before the answer
was whole. An answer that is wrong is never explained. The exit status is 1 when a failure is not explained, when the
program ended, logged an exception, or still holds connections, descriptors or memory of it all at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import json
import multiprocessing
import os
import pathlib
import random
import re
import signal
import socket
import sys
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

import httpx  # noqa: E402

from tests.bench.connections import EXPECTED, REQUESTS, Visitor, resident_kib, serve_upstream  # noqa: E402
from tests.support.qrerank_process import Qrerank  # noqa: E402
from tests.support.toxiproxy import Link, Toxiproxy  # noqa: E402

KINDS = {"get": 60, "search": 25, "upload": 3, "sips": 6, "leaves while asking": 3, "leaves while answered": 3}
CONFIG = """
upstream: {connect_timeout: 1s, response_timeout: 2s}
proxy: {body_timeout: 5s}
log: {level: warn}
"""
# What a client waits: longer than any time limit above, and than an upload at the slowest rate below.
ANSWER_S = 30
# Connections that broke with a fault are noticed, and the upstream is looked at again, within this.
GRACE_S = 3
MAY_FAIL_WITH = {"502", "503", "504"}
MOST_GROWTH_KIB = 32 * 1024

# kind, stream, attributes; None: the link refuses connections, "kill": the upstream dies.
BACK_FAULTS = [
    ("latency", "downstream", {"latency": 200, "jitter": 100}),
    ("bandwidth", "upstream", {"rate": 100}),
    ("bandwidth", "downstream", {"rate": 100}),
    ("slicer", "downstream", {"average_size": 500, "size_variation": 100, "delay": 1000}),
    ("timeout", "downstream", {"timeout": 0}),
    ("timeout", "upstream", {"timeout": 0}),
    ("reset_peer", "downstream", {"timeout": 20}),
    ("limit_data", "downstream", {"bytes": 3000}),
    ("limit_data", "upstream", {"bytes": 100_000}),
    ("away", "", {}),
    ("kill", "", {}),
]
FRONT_FAULTS = [
    ("latency", "upstream", {"latency": 200, "jitter": 100}),
    ("bandwidth", "downstream", {"rate": 100}),
    ("timeout", "upstream", {"timeout": 0}),
    ("reset_peer", "downstream", {"timeout": 20}),
    ("limit_data", "downstream", {"bytes": 3000}),
]


class Upstream:
    """The process that plays Qdrant, always on the same port."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        heard, said = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=serve_upstream, args=(said, self.port), daemon=True)
        self.process.start()
        self.port = heard.recv()

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


@dataclasses.dataclass
class Fault:
    name: str
    in_front: bool
    since: float
    until: float = float("inf")

    def explains(self, through_front: bool, began: float, ended: float) -> bool:
        return (through_front or not self.in_front) and self.since <= ended and began <= self.until + GRACE_S


class Weather(threading.Thread):
    """Faults, one after the other and at times two at once; between them the sun shines."""

    def __init__(self, front: Link, back: Link, upstream: Upstream, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.front, self.back, self.upstream, self.chance = front, back, upstream, chance
        self.faults: list[Fault] = []
        self.over = threading.Event()
        self.bug: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.over.wait(self.chance.uniform(5, 10)):
                with contextlib.ExitStack() as on:
                    sides = self.chance.choice([(True,), (False,), (False,), (True, False)])
                    for in_front in sides:
                        on.enter_context(self.fault(in_front))
                    self.over.wait(self.chance.uniform(3, 7))
        except BaseException as bug:
            self.bug = bug

    @contextlib.contextmanager
    def fault(self, in_front: bool):
        kind, stream, attributes = self.chance.choice(FRONT_FAULTS if in_front else BACK_FAULTS)
        link = self.front if in_front else self.back
        fault = Fault(f"{'front' if in_front else 'back'} {kind} {stream}".strip(), in_front, time.monotonic())
        self.faults.append(fault)
        if kind == "away":
            link.enable(False)
        elif kind == "kill":
            self.upstream.kill()
        else:
            link.poison(kind, stream, **attributes)
        yield
        if kind == "away":
            link.enable(True)
        elif kind == "kill":
            self.upstream.start()
        else:
            link.cure(kind)
        fault.until = time.monotonic()

    def explains(self, through_front: bool, began: float, ended: float) -> bool:
        return any(fault.explains(through_front, began, ended) for fault in self.faults)


class Wrong(Exception):
    """An answer that no fault can explain."""


class Client(Visitor):
    """One connection's life."""

    def __init__(self, address: tuple[str, int], through_front: bool, weather: Weather, chance: random.Random, tally: "Tally"):
        super().__init__(address, chance)
        self.through_front, self.weather, self.tally = through_front, weather, tally

    async def run(self, until: float, pause: float) -> None:
        await asyncio.sleep(self.chance.random() * pause)
        while time.monotonic() < until:
            kind = self.chance.choices(list(KINDS), KINDS.values())[0]
            began = time.monotonic()
            self.tally.sent[kind] += 1
            try:
                outcome = await asyncio.wait_for(self.one(kind), ANSWER_S)
            except (OSError, EOFError) as error:
                outcome = f"connection ended: {type(error).__name__}"
            except (TimeoutError, asyncio.TimeoutError):
                outcome = "no answer in time"
            except Wrong as wrong:
                outcome = f"wrong: {wrong}"
            if outcome == "answered":
                self.tally.answered[kind] += 1
            elif outcome != "left":
                self.leave()
                explained = not outcome.startswith("wrong") and self.weather.explains(self.through_front, began, time.monotonic())
                (self.tally.explained if explained else self.tally.unexplained)[f"{kind}: {outcome}"] += 1
            else:
                self.tally.left[kind] += 1
            await asyncio.sleep(self.chance.expovariate(1 / pause))
        self.leave()

    async def one(self, kind: str) -> str:
        if self.writer is None:
            sock = socket.socket()
            sock.setblocking(False)
            if kind == "sips":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.get_running_loop().sock_connect(sock, self.address)
            self.reader, self.writer = await asyncio.open_connection(sock=sock, limit=64 * 1024)
        if await self.leaves_early(kind):
            return "left"
        assert self.reader is not None and self.writer is not None
        asked = "search" if kind == "sips" else kind
        self.writer.write(REQUESTS[asked])
        await self.writer.drain()
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1].decode()
        found = re.search(rb"\r\ncontent-length: (\d+)\r\n", head)
        if not found:
            raise Wrong(f"no length: {head[:60]!r}")
        body = await self.sip(int(found[1])) if kind == "sips" else await self.reader.readexactly(int(found[1]))
        if b"\r\nconnection: close\r\n" in head:
            self.leave()
        if status == "200":
            if EXPECTED[asked] not in body:
                raise Wrong("another body")
            return "answered"
        if status not in MAY_FAIL_WITH:
            raise Wrong(f"status {status}")
        try:
            json.loads(body)["status"]["error"]
        except (ValueError, KeyError, TypeError):
            raise Wrong(f"status {status} without an error") from None
        return f"status {status}"

    async def sip(self, length: int) -> bytes:
        assert self.reader is not None
        body = b""
        while len(body) < length:
            piece = await self.reader.read(min(1024, length - len(body)))
            if not piece:
                raise asyncio.IncompleteReadError(body, length)
            body += piece
            await asyncio.sleep(0.05)
        return body


class Tally:
    def __init__(self) -> None:
        self.sent: collections.Counter = collections.Counter()
        self.answered: collections.Counter = collections.Counter()
        self.left: collections.Counter = collections.Counter()
        self.explained: collections.Counter = collections.Counter()
        self.unexplained: collections.Counter = collections.Counter()

    def show(self) -> None:
        print(f"\n| traffic | sent | answered | left by the client | failed in a fault | failed without one |\n|---|{'---|' * 5}")
        for kind in KINDS:
            failed = [sum(n for what, n in counted.items() if what.startswith(f"{kind}: ")) for counted in (self.explained, self.unexplained)]
            print(f"| {kind} | {self.sent[kind]:,} | {self.answered[kind]:,} | {self.left[kind]:,} | {failed[0]:,} | {failed[1]:,} |")
        sums = [sum(counted.values()) for counted in (self.sent, self.answered, self.left, self.explained, self.unexplained)]
        print("| all | " + " | ".join(f"{n:,}" for n in sums) + " |")
        for title, counted in (("in a fault", self.explained), ("without one", self.unexplained)):
            for what, count in counted.most_common():
                print(f"  {title}: {count:6,}  {what}")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def connections(proxy: Qrerank) -> int:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=ANSWER_S).text
    return int(float(re.search(r'^qrerank_connections\{side="client"\} (\S+)$', text, re.MULTILINE)[1]))


async def traffic(proxy: Qrerank, front: Link, weather: Weather, tally: Tally, args: argparse.Namespace) -> int:
    """Returns VmRSS after the first minute, in KiB: what is made once is made, and all connections are there."""
    until = time.monotonic() + args.minutes * 60
    pause = args.clients / args.requests_per_second
    running = [
        asyncio.ensure_future(
            Client(("127.0.0.1", front.port) if n % 2 else proxy.address, bool(n % 2), weather, random.Random(args.seed * 1000 + n), tally).run(
                until, pause
            )
        )
        for n in range(args.clients)
    ]
    early = 0
    while time.monotonic() < until and proxy.process.poll() is None:
        await asyncio.sleep(min(60.0, max(0.0, until - time.monotonic())))
        early = early or resident_kib(proxy.process.pid)
        print(
            f"{args.minutes * 60 - (until - time.monotonic()):5.0f} s: {sum(tally.sent.values()):,} sent, {len(weather.faults)} faults, "
            f"{resident_kib(proxy.process.pid) / 1024:.1f} MiB, {descriptors(proxy.process.pid)} descriptors",
            flush=True,
        )
        proxy.process.send_signal(signal.SIGHUP)
    await asyncio.gather(*running)
    return early


def soak(proxy: Qrerank, front: Link, back: Link, upstream: Upstream, args: argparse.Namespace) -> list[str]:
    pid = proxy.process.pid
    with proxy.client() as client:
        for _ in range(20):
            assert client.get("/").status_code == 200
    before = resident_kib(pid), descriptors(pid)
    tally = Tally()
    weather = Weather(front, back, upstream, random.Random(args.seed))
    weather.start()
    early = asyncio.run(traffic(proxy, front, weather, tally, args))
    weather.over.set()
    weather.join()
    late = resident_kib(pid)
    until = time.monotonic() + ANSWER_S
    while (connections(proxy) > 0 or descriptors(pid) > before[1]) and time.monotonic() < until:
        time.sleep(0.1)
    after = resident_kib(pid), descriptors(pid)
    open_now = connections(proxy)

    tally.show()
    by_kind = collections.Counter(fault.name for fault in weather.faults)
    print(f"\n{sum(by_kind.values())} faults: " + ", ".join(f"{count} × {name}" for name, count in sorted(by_kind.items())))
    print(f"reloads: {proxy.stderr.count('configuration reloaded')}")
    mib = [f"{kib / 1024:.1f} MiB" for kib in (before[0], early, late, after[0])]
    print(f"VmRSS: {mib[0]} before, {mib[1]} after the first minute, {mib[2]} with the last request, {mib[3]} after it")
    print(f"descriptors: {before[1]} before, {after[1]} after; client connections after: {open_now}")

    faults = []
    if tally.unexplained:
        faults.append(f"{sum(tally.unexplained.values())} failures without a fault")
    if weather.bug:
        faults.append(f"the faults broke: {weather.bug!r}")
    if after[1] > before[1] or open_now:
        faults.append(f"{after[1] - before[1]} descriptors and {open_now} connections are left")
    if after[0] - early > MOST_GROWTH_KIB:
        faults.append(f"memory grew by {(after[0] - early) / 1024:.1f} MiB")
    if "by an exception" in proxy.stderr:
        faults.append("a connection ended by an exception")
    with proxy.client() as client:
        if client.get("/").status_code != 200:
            faults.append("the next request fails")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--clients", type=int, default=48)
    parser.add_argument("--requests-per-second", type=float, default=150, help="aimed at, over all clients")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    upstream = Upstream()
    try:
        with Toxiproxy() as toxiproxy:
            back = toxiproxy.link(upstream.port)
            with Qrerank(f"http://127.0.0.1:{back.port}", CONFIG) as proxy:
                front = toxiproxy.link(proxy.address[1])
                faults = soak(proxy, front, back, upstream, args)
    finally:
        if upstream.process.is_alive():
            upstream.kill()
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
