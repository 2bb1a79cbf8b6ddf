"""The stand-in held against every recorded exchange with a real server: status, headers and body but `time`.

The recordings are sent in their order, which sets up the state they were made in. What the stand-in does not serve,
or cannot give bit for bit, stands in the two tables below with the reason; a recording in neither is compared whole.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
from typing import Any

import brotli
import pytest

from tests.support import recordings
from tests.support.recordings import Message, Recording
from tests.support.standin_process import StandIn

# The keys of the recorded servers that had some, by the address in the recording.
READ_WRITE, READ_ONLY = "rw-secret", "ro-secret"
KEYED_SERVER = "127.0.0.1:6343"

# Longer than the 5 s after which a server closes an idle connection (recordings 89 and 147).
PATIENCE_S = 30

_SNAPSHOTS = "the stand-in holds its points in memory and has no snapshot files"
_DASHBOARD = "a static file of the web UI, which the stand-in does not carry"
_INFERENCE = "needs the remote inference service that the recorded server was configured with"

NOT_SERVED = {
    "96-get-metrics": "counters and memory of the recorded process itself",
    "98-get-dashboard": _DASHBOARD,
    "99-get-dashboard_": _DASHBOARD,
    "102-get-quotas": "memory and disk usage of the recorded machine",
    "107-snapshot-create": _SNAPSHOTS,
    "108-snapshot-list": _SNAPSHOTS,
    "110-snapshot-range": _SNAPSHOTS,
    "111-snapshot-delete": _SNAPSHOTS,
    "232-inf-upsert-document": _INFERENCE,
    "233-inf-query-document-usage": _INFERENCE,
    "234-inf-query-plain-usage": "searches the points that 232 stored",
}

_RANDOM = "the server draws the points at random"
_USAGE = "`usage` counts the recorded server's own processor and disk work (hardware_reporting)"
_DOUBLE = "local mode computes this score in double precision, a server in float32"

# Name -> what is left out of the comparison, and why.
PARTLY = {
    "41-query-sample": ("ids", _RANDOM),
    "42-query-relevance-feedback": ("last digits", _DOUBLE),
    "49-discover": ("last digits", _DOUBLE),
    "50-discover-batch": ("last digits", _DOUBLE),
    "51-matrix-pairs": ("matrix", _RANDOM),
    "52-matrix-offsets": ("matrix", _RANDOM),
    "91-options-preflight": ("header order", "the server writes these headers, and the methods, in random order"),
    "132-query-big-exp": ("ids", "all six scores are equal (NaN); which comes first depends on the server's segments"),
    "143-pipelined": ("connection", "the server has read ahead and announces the close one answer early"),
    "212-auth-preflight": ("header order", "the server writes these headers, and the methods, in random order"),
    "215-auth-rw-upsert": ("usage", _USAGE),
    "216-auth-ro-search-hardware-usage": ("usage", _USAGE),
    "217-auth-ro-query-hardware-usage": ("usage", _USAGE),
    "218-auth-ro-upsert-403": ("usage", _USAGE),
    "219-auth-err-with-usage": ("usage", _USAGE),
}

# Two float32 steps at 1.0.
LAST_DIGITS = 3e-7

RECORDINGS = recordings.load_all()


def exchange(address: tuple[str, int], request: bytes) -> bytes:
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(address, timeout=PATIENCE_S) as client:
        try:
            client.sendall(request)
        except ConnectionError:
            pass  # refused before everything was sent; the answer is still to be read
        received = b""
        while True:
            try:
                part = client.recv(65536)
            except ConnectionError:
                return received
            if not part:
                return received
            received += part


@pytest.fixture(scope="module")
def answers() -> dict[str, bytes]:
    """Every recording played to a fresh stand-in per recorded server, in order."""
    servers: dict[str, StandIn] = {}
    found = {}
    try:
        for recording in RECORDINGS:
            if recording.server not in servers:
                keys = (READ_WRITE, READ_ONLY) if recording.server == KEYED_SERVER else (None, None)
                servers[recording.server] = StandIn(*keys).start()
            found[recording.name] = exchange(servers[recording.server].address, recording.request)
    finally:
        for server in servers.values():
            server.stop()
    return found


def content(message: Message) -> bytes:
    """The body without its transfer and content coding."""
    body = message.body
    if message.header("transfer-encoding") is not None:
        body = recordings.dechunk(body)
    coding = message.header("content-encoding")
    if coding == "gzip":
        body = gzip.decompress(body)
    elif coding == "br":
        body = brotli.decompress(body)
    return body


_TIME = re.compile(rb'"time":[0-9.e-]+')


def comparable_body(message: Message, left_out: str) -> Any:
    """The body for comparison: text but `time`; vectors by name have no order of their own (a hash map)."""
    body = content(message)
    if message.header("content-type") != "application/json" or not _TIME.search(body):
        return body
    if left_out == "" and b'"vector":{' not in body:
        return _TIME.sub(b'"time":0', body)
    # Numbers stay as they are spelled.
    tree = json.loads(body, parse_float=lambda text: f"float {text}", parse_int=lambda text: f"int {text}")
    del tree["time"]
    if left_out == "usage":
        tree.pop("usage", None)
    return _ordered(tree, left_out, "")


def _ordered(value: Any, left_out: str, key: str) -> Any:
    """Objects as lists of pairs, so that key order counts, but for vectors by name."""
    if isinstance(value, dict):
        pairs = [(name, _ordered(item, left_out, name)) for name, item in value.items()]
        return sorted(pairs) if key == "vector" else pairs
    if isinstance(value, list):
        return [_ordered(item, left_out, key) for item in value]
    if left_out == "ids" and key == "id":
        return "any id"
    if left_out == "last digits" and key == "score":
        return pytest.approx(float(value.removeprefix("float ")), abs=LAST_DIGITS)
    return value


def comparable_headers(message: Message, left_out: str) -> list[tuple[str, str]]:
    dropped = {"date", "content-length"} | ({"connection"} if left_out == "connection" else set())
    headers = [(name, value) for name, value in message.headers if name not in dropped]
    if left_out == "header order":
        headers = sorted((name, ", ".join(sorted(value.split(", ")))) for name, value in headers)
    return headers


def matrix_shape(message: Message) -> Any:
    """What does not depend on the draw: which members there are and how many of each."""
    result = json.loads(content(message))["result"]
    if "pairs" in result:
        return [list(pair) for pair in result["pairs"]]
    return {name: len(values) for name, values in result.items()}


@pytest.mark.parametrize("recording", [one for one in RECORDINGS if one.name not in NOT_SERVED], ids=lambda one: one.name)
def test_answers_like_the_recorded_server(recording: Recording, answers: dict[str, bytes]) -> None:
    left_out, _ = PARTLY.get(recording.name, ("", ""))
    methods = [message.start.split(" ")[0] for message in recording.requests]
    given = recordings.split_messages(answers[recording.name], methods)
    assert [one.start for one in given] == [one.start for one in recording.responses]
    for ours, theirs in zip(given, recording.responses):
        assert comparable_headers(ours, left_out) == comparable_headers(theirs, left_out)
        assert (ours.header("date") is None) == (theirs.header("date") is None)
        if ours.header("content-length") is not None:
            assert int(ours.header("content-length")) == len(ours.body)
        if left_out == "matrix":
            assert matrix_shape(ours) == matrix_shape(theirs)
        else:
            assert comparable_body(ours, left_out) == comparable_body(theirs, left_out)


def test_every_recording_is_compared_or_listed() -> None:
    names = [recording.name for recording in RECORDINGS]
    assert len(names) == len(set(names)) == 201
    assert set(NOT_SERVED) | set(PARTLY) <= set(names), "a table names a recording that does not exist"
    assert not set(NOT_SERVED) & set(PARTLY)


@pytest.mark.parametrize("name", NOT_SERVED)
def test_what_is_not_served_differs(name: str, answers: dict[str, bytes]) -> None:
    """An entry that is no longer needed is to be taken out of the table."""
    recording = next(one for one in RECORDINGS if one.name == name)
    given = recordings.split_messages(answers[name])[-1]
    assert (given.start, comparable_body(given, "")) != (recording.final.start, comparable_body(recording.final, ""))
