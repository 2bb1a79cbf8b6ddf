"""Writes the fuzzers' seeds from real traffic: the recorded exchanges with a Qdrant server, and what the clients' tests
left in a folder.

    QRERANK_TRAFFIC=/tmp/traffic pytest tests/integration/clients
    python -m tests.fuzz.make_corpus /tmp/traffic

One seed for each shape of request and answer, so that the corpus stays small.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli

from tests.support.recordings import Message, dechunk, load_all, split_messages

CORPUS = Path(__file__).parent / "corpus"
MAX_BYTES = 1500
DECODERS = {"gzip": gzip.decompress, "br": brotli.decompress}
_SEARCH = re.compile(r"/points/+(search|query|recommend|discover)(/+(batch|groups))?/*(\?|$)")
_FLAG = "X-Rerank: true\nX-Rerank-Query: red%20fox\n"
_FIELDS = ("content-type", "api-key", "accept-encoding", "timeout")
# Values of each kind that an option may have, and some that it may not.
_VALUES = ("true", "0", "red fox", "50", "0.5", "title,meta.abstract", '"a,b",c[].d', "error", "Qwen3-Reranker-0.6B", "\u00e9\U0001f98a", "")


def traffic(folder: Path | None) -> Iterator[tuple[str, Message, Message, bytes, bytes]]:
    """Name, request and response, and the bytes that each was."""
    for recording in load_all():
        if len(recording.requests) == 1 and len(recording.responses) == 1:
            yield f"recorded-{recording.number}", recording.requests[0], recording.final, recording.request, recording.response
    for path in sorted(folder.glob("*.request")) if folder else []:
        asked, answered = path.read_bytes(), path.with_suffix(".response").read_bytes()
        yield path.stem, split_messages(asked)[0], split_messages(answered)[0], asked, answered


def content(message: Message) -> bytes:
    chunked = message.header("transfer-encoding") is not None
    body = dechunk(message.body) if chunked else message.body
    coding = message.header("content-encoding")
    return DECODERS[coding](body) if coding in DECODERS else body


def shape(value: Any, depth: int = 0) -> Any:
    """What kind of JSON it is, without the values; not what is in payloads."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{key}:{shape(one, depth + 1)}" for key, one in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ("" if not value else str(shape(value[0], depth + 1))) + "]"
    return type(value).__name__


def shape_of(body: bytes) -> str:
    try:
        return shape(json.loads(body))
    except ValueError:
        return body[:20].decode("latin-1")


class Seeds:
    def __init__(self, name: str) -> None:
        self.folder = CORPUS / name
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        self.shapes: set[str] = set()

    def add(self, name: str, like: str, seed: bytes) -> None:
        if len(seed) <= MAX_BYTES and like not in self.shapes:
            self.shapes.add(like)
            (self.folder / name).write_bytes(seed)


def controls(kind: str, many: str | None, answer: Any) -> str:
    """The digits that the response fuzzer begins with: layout, batch, then top_k 8, weight 1, all hits, whole payloads."""
    layout = 2 if many == "groups" else 1 if kind == "query" else 0
    results = len(answer["result"]) if many == "batch" else 0
    return f"{layout}{results % 4}740050" if results < 4 else f"{layout}3740050"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    head, options, request, response = (Seeds(name) for name in ("head", "options", "request", "response"))
    for name, asked, answered, asked_bytes, answered_bytes in traffic(folder):
        names = [sorted(field.lower() for field, _ in message.headers) for message in (asked, answered)]
        head.add(f"{name}-request", f"{asked.start.split(' ')[0]} {names[0]}", asked_bytes)
        head.add(f"{name}-response", f"{answered.start} {names[1]}", answered_bytes)
        method, target = (asked.start.split(" ") + [""])[:2]
        found = _SEARCH.search(target)
        if not found or method != "POST":
            continue
        try:
            body, answer = content(asked), content(answered)
        except (ValueError, OSError):  # recorded for being malformed
            continue
        fields = "".join(f"{field}: {value}\n" for field, value in asked.headers if field.lower() in _FIELDS)
        written = f"POST {target}\n{fields}"
        like = f"{found[1]} {found[3]} {shape_of(body)}"
        request.add(name, like, f"{written}\n".encode() + body)
        request.add(f"{name}-flagged", f"flag {like}", f"{written}{_FLAG}\n".encode() + body)
        if answered.status == 200:
            digits = controls(found[1], found[3], json.loads(answer))
            response.add(name, f"{digits} {shape_of(answer)}", digits.encode() + answer)
    for at, value in enumerate(_VALUES):
        headers = _FLAG + "X-Rerank-Top-K: 20\nX-Rerank-Field: a,b\nX-Rerank-Weight: 0.5\n"
        target = "/collections/c/points/query?timeout=3&use_reranker=1&rerank_field=a&rerank_field=%22b,c%22&consistency=all"
        options.add(f"value-{at}", str(at), f"POST {target}\n{headers}\n{value}".encode())


if __name__ == "__main__":
    main()
