"""What became of a case in a few words: ours as the table has it, another proxy's as it was seen."""

import re
import socket

from tests.conformance.case import Case, Error
from tests.conformance.player import AFTER, Client, Upstream

# How long nothing must come for an answer to be over. Only for watching other proxies: no test waits like this.
QUIET_S = 0.25
STATUS = re.compile(rb"HTTP/1\.[01] (\d\d\d)")
# Fields that every proxy writes for itself.
OWN_REQUEST = {"host", "connection", "via", "content-length", "transfer-encoding"}
OWN_RESPONSE = OWN_REQUEST | {"server", "date", "keep-alive"}


def _fields(message: bytes, own: set[str]) -> set[str]:
    lines = message.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = [(line.partition(":")[0].strip().lower(), line.partition(":")[2].strip()) for line in lines]
    return {f"{name}: {value}" for name, value in pairs if name not in own}


def _body(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def _data(message: bytes) -> bytes:
    """A body without its framing."""
    head, _, body = message.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return body
    return re.sub(rb"(?s)\A[0-9a-f]+\r\n(.*)\r\n0\r\n.*\Z", rb"\1", body) if not body.startswith(b"0\r\n") else b""


def _trailers(message: bytes) -> bytes:
    return _body(message).rpartition(b"\r\n0\r\n")[2].removesuffix(b"\r\n")


def _changes(seen: bytes, wanted: bytes, own: set[str]) -> list[str]:
    there, here = _fields(seen, own), _fields(wanted, own)
    shown = [f"+ `{field[:40]}`" for field in sorted(there - here)] + [f"- `{field[:40]}`" for field in sorted(here - there)]
    return shown[:2] + (["…"] if len(shown) > 2 else [])


def _words(statuses: list[str], requests: list[str]) -> str:
    return (" ".join(statuses) or "no answer") + (f"; {', '.join(requests)}" if requests else "")


def _wanted_status(got: bytes | Error) -> str:
    return str(got.status) if isinstance(got, Error) else STATUS.match(got)[1].decode()


def ours(case: Case) -> str:
    relayed = ["relayed"] if len(case.seen) == 1 else [f"{len(case.seen)} relayed"] if case.seen else []
    return _words([_wanted_status(got) for got in case.got], relayed + (["cut"] if case.then == "cut" else []))


def _relayed(case: Case, seen: list[bytes]) -> list[str]:
    if not seen:
        return []
    if len(seen) != len(case.seen):
        return [f"{len(seen)} relayed" if len(seen) > 1 else "relayed"]
    changes = []
    for request, wanted in zip(seen, case.seen, strict=True):
        line, wanted_line = request.split(b"\r\n")[0], wanted.split(b"\r\n")[0]
        if line != wanted_line:
            changes.append(f"as `{line.decode('latin-1')[:40]}`")
        changes += _changes(request, wanted, OWN_REQUEST)
        if _data(request) != _data(wanted):
            changes.append("another body")
        elif b"\r\n0\r\n" in wanted and not _body(request).count(_trailers(wanted)):
            changes.append("without trailers")
    return [f"{len(seen)} relayed" if len(seen) > 1 else "relayed", *changes]


def _read(client: Client) -> tuple[bytes, str]:
    """(what came until it was quiet or over, "" or how it ended)"""
    got, client.rest = client.rest, b""
    client.sock.settimeout(QUIET_S)
    try:
        while piece := client.sock.recv(65536):
            got += piece
    except TimeoutError:
        return got, ""
    except ConnectionResetError:
        return got, "reset"
    return got, "closed"


def watched(case: Case, upstream: Upstream, address: tuple[str, int]) -> str:
    """Plays a case against a proxy of which nothing is known."""
    upstream.begin(case)
    with Client(address) as client:
        client.sock.settimeout(2)
        try:
            client.act(case)
        except (TimeoutError, ConnectionError):
            pass
        got, end = _read(client)
        if end == "":
            try:
                client.sock.sendall(AFTER)
                behind, end = _read(client)
                end = "" if b"after" in behind else end
            except (ConnectionError, socket.timeout):
                pass
    statuses = [found.decode() for found in STATUS.findall(got)]
    words = _relayed(case, list(upstream.seen))
    whole = [wanted for wanted in case.got if isinstance(wanted, bytes)]
    if case.then == "cut":
        words += ["cut"] if end else []
    elif statuses == [_wanted_status(wanted) for wanted in case.got] and len(whole) == 1:
        changes = _changes(got, whole[0], OWN_RESPONSE)
        words += ["answered with", *changes] if changes else []
    return _words(statuses, words)
