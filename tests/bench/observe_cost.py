#!/usr/bin/env python3
"""What metrics, the access log and tracing cost a request that passes through, against the same program without.

    tests/bench/observe_cost.py [--rounds 12] [--seconds 2] [--connections 64] [--search]

A request is a GET answered with 32 bytes, the least there is to do; with `--search` a POST of 2 KiB answered with 16 KiB.

The programs, each on core 0 with one I/O thread, take turns under wrk in one run, in an order that turns round by round:
`plain` (log.access off, no tracing), `log` (the access log as JSON into a file), `trace 1%` (one request of a hundred is
recorded and sent to a collector), both, and both with every request recorded. The upstream (nginx) and wrk share core 1; so does the collector, whose work is
not counted. Metrics cannot be switched off, so their cost is measured apart: `--bare relay_only` adds the listener and
relay alone, which count nothing (and also judge no request). Told: requests/s and processor time per request of each, the
median over the rounds of its ratio to `plain` in the same round, and from the first to the third quarter of these. Needs
wrk, nginx and taskset.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
COLLECTOR = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
NGINX = """worker_processes 1; daemon off; error_log {folder}/error.log crit; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:18290 backlog=4096; location / {{ return 200 "0123456789abcdef0123456789abcdef"; }}
            set $part "{part}";
            location /search {{ return 200 "$part$part$part$part$part$part$part$part"; }} }} }}
"""
SEARCH = """wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"vector": [' .. string.rep("0.125,", 338) .. '1]}'
"""


class Program:
    def __init__(self, name: str, binary: Path, folder: Path, settings: dict[str, str]) -> None:
        self.name = name
        if binary.name == "relay_only":
            command = [str(binary), "upstream=18290", "listen=0", "io-threads=1"]
        else:
            given = {"upstream.url": "http://127.0.0.1:18290", "proxy.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0",
                     "proxy.io_threads": "1", "upstream.health_interval": "0ms", **settings}
            command = [str(binary), "serve", *(word for key, value in given.items() for word in ("--set", f"{key}={value}"))]
        self.log = (folder / f"{name}.log").open("wb")
        self.process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.search(r"proxy=127\.0\.0\.1:(\d+)", line)[1])
        self.admin = (re.search(r"admin=(\S+)", line) or ["", ""])[1]

    def cpu(self) -> int:
        return sum(map(int, Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))

    def measure(self, seconds: int, connections: int, request: list[str]) -> tuple[float, float]:
        """Requests a second, and microseconds of processor for each."""
        before = self.cpu()
        done = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                               *request[1:], f"http://127.0.0.1:{self.port}{request[0]}"],
                              capture_output=True, text=True, check=True)
        if re.search("Non-2xx|Socket errors", done.stdout):
            sys.exit(done.stdout)
        requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
        return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]), (self.cpu() - before) / TICKS * 1e6 / requests


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", type=Path, default=Path("build/release/qrerank"))
    arguments.add_argument("--bare", type=Path, help="relay_only")
    arguments.add_argument("--rounds", type=int, default=12)
    arguments.add_argument("--seconds", type=int, default=2)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--search", action="store_true")
    given = arguments.parse_args()
    for tool in ("wrk", "nginx", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing")
    with tempfile.TemporaryDirectory(prefix="observe-cost-") as name:
        folder = Path(name)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, part="0123456789abcdef" * 128))
        (folder / "search.lua").write_text(SEARCH)
        request = ["/search", "-s", str(folder / "search.lua")] if given.search else ["/small"]
        upstream = subprocess.Popen(["taskset", "-c", "1", "nginx", "-p", name, "-c", f"{name}/nginx.conf"])
        collector = subprocess.Popen(["taskset", "-c", "1", sys.executable, "-c", COLLECTOR], stdout=subprocess.PIPE, text=True)
        trace = {"tracing.endpoint": f"http://127.0.0.1:{collector.stdout.readline().strip()}/v1/traces"}
        access = {"log.access": "true", "log.format": "json"}
        programs = [Program("plain", given.program, folder, {}), Program("log", given.program, folder, access),
                    Program("trace 1%", given.program, folder, {**trace, "tracing.sample_ratio": "0.01"}),
                    Program("log+trace 1%", given.program, folder, {**access, **trace, "tracing.sample_ratio": "0.01"}),
                    Program("log+trace all", given.program, folder, {**access, **trace})]
        if given.bare:
            programs.append(Program("bare", given.bare, folder, {}))
        try:
            found: dict[str, list[tuple[float, float]]] = {program.name: [] for program in programs}
            for program in programs:
                program.measure(1, given.connections, request)
            for turn in range(given.rounds):
                for program in programs[turn % len(programs):] + programs[: turn % len(programs)]:
                    found[program.name].append(program.measure(given.seconds, given.connections, request))
        finally:
            for program in programs:
                program.process.terminate()
            upstream.terminate()
            collector.terminate()
        print(f"{given.rounds} rounds of {given.seconds} s, {given.connections} connections, {request[0]}")
        print(f"{'program':14} {'req/s':>9} {'us/req':>7}   {'us/req against plain, median (quarters)':>40}   {'req/s against plain':>24}")
        for name, all_rounds in found.items():
            speed, cost = (statistics.median(one[i] for one in all_rounds) for i in (0, 1))
            told = []
            for i in (1, 0):
                ratios = [one[i] / base[i] - 1 for one, base in zip(all_rounds, found["plain"], strict=True)]
                low, middle, high = statistics.quantiles(ratios, n=4) if name != "plain" else (0, 0, 0)
                told.append(f"{middle:+.1%} ({low:+.1%} to {high:+.1%})")
            print(f"{name:14} {speed:9.0f} {cost:7.1f}   {told[0]:>40}   {told[1]:>24}")


if __name__ == "__main__":
    main()
