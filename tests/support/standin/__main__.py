"""`python -m tests.support.standin --port 0`: prints `listening HOST:PORT` and serves until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
import warnings

from .routes import Application, Keys
from .server import serve

HOST = "127.0.0.1"


async def run(port: int, keys: Keys) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    server = await serve(Application(keys), HOST, port)
    print(f"listening {HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    # Local mode warns that it searches exactly whatever `params` say, and about large collections.
    warnings.simplefilter("ignore", UserWarning)
    parser = argparse.ArgumentParser(prog="standin", description="A stand-in for a Qdrant server, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--api-key", help="asked of every request but /, /healthz, /livez and /readyz")
    parser.add_argument("--read-only-api-key", help="a second key that may only read")
    arguments = parser.parse_args()
    asyncio.run(run(arguments.port, Keys(arguments.api_key, arguments.read_only_api_key)))


main()
