"""Plays the table against nginx and HAProxy and keeps what they did: `python -m tests.conformance.others`.

Writes others.json beside this file; docs/conformance.md is then made again by `python -m tests.conformance.document`.
Not a test: what other programs do is looked at when the table changes, and each difference gets its reason there.
"""

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.outcome import watched
from tests.conformance.player import Upstream
from tests.conformance.table import CASES

RESULTS = Path(__file__).with_name("others.json")
NGINX = """
daemon off; worker_processes 1; error_log {folder}/error.log crit; pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream u {{ server 127.0.0.1:{upstream}; keepalive 16; }}
  server {{ listen 127.0.0.1:{port}; location / {{
    proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    proxy_request_buffering off; proxy_buffering off; proxy_next_upstream off; }} }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server up 127.0.0.1:{upstream}
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


@contextlib.contextmanager
def _running(name: str, config: str, upstream: int) -> Iterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        port = _free_port()
        path = Path(folder) / "config"
        path.write_text(config.format(folder=folder, port=port, upstream=upstream))
        command = {"nginx": ["nginx", "-p", folder, "-c", str(path)], "haproxy": ["haproxy", "-f", str(path)]}[name]
        process = subprocess.Popen([shutil.which(command[0]) or f"/usr/sbin/{command[0]}", *command[1:]], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.05)
            yield "127.0.0.1", port
        finally:
            process.terminate()
            process.wait()


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).splitlines()[0]


def main() -> None:
    upstream = Upstream()
    versions = {"nginx": _version(["/usr/sbin/nginx", "-v"]), "haproxy": _version(["/usr/sbin/haproxy", "-v"])}
    cases = [case for case in CASES if not case.settings]
    seen: dict[str, dict[str, str]] = {case.name: {} for case in cases}
    for name, config in (("nginx", NGINX), ("haproxy", HAPROXY)):
        with _running(name, config, upstream.port) as address:
            for case in cases:
                seen[case.name][name] = watched(case, upstream, address)
    RESULTS.write_text(json.dumps({"versions": versions, "cases": seen}, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(cases)} cases against {versions}")


if __name__ == "__main__":
    main()
