"""The recorded exchanges with a real Qdrant server, as the bytes that went over the wire.

Files hold request and response one after the other. Bytes that are no UTF-8 were written as `\\xNN`, two bodies were
shortened with a note of their true size, and the files from 300 on were written as text (bare line feeds): all that
is undone here. Replaying is in replay.py.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_REQUEST_MARK = re.compile(rb">>> REQUEST \(([^)]*)\)\n")
_RESPONSE_MARK = b"\n\n<<< RESPONSE\n"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_SHORTENED = re.compile(rb"\n<<\.\.\. (\d+) bytes in all \.\.\.>>\n")
# Written by the recorder when the server had closed before everything was sent.
_RESET_NOTE = re.compile(rb"\n?<<\[Errno \d+\][^>]*>>$")

# From this number on line ends were translated.
FIRST_TEXT_RECORDING = 300


def shared_folder() -> Path:
    """Where the shared data lies: QRERANK_SHARED, else `shared` beside the repository."""
    return Path(os.environ.get("QRERANK_SHARED") or REPOSITORY.parent / "shared")


def recordings_folder() -> Path:
    folder = shared_folder() / "data" / "qdrant-1.19"
    if not folder.is_dir():
        raise FileNotFoundError(f"the recorded exchanges are missing: {folder} (set QRERANK_SHARED)")
    return folder


@dataclass
class Message:
    """One HTTP message: its first line, headers in order and spelling, and body as on the wire (still chunked)."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])


@dataclass
class Recording:
    """One file: everything the client sent and everything the server answered on one connection."""

    name: str
    number: int
    server: str
    request: bytes
    response: bytes
    notes: list[str] = field(default_factory=list)

    @cached_property
    def requests(self) -> list[Message]:
        return split_messages(self.request)

    @cached_property
    def responses(self) -> list[Message]:
        """All responses, interim ones included."""
        return split_messages(self.response, [message.start.split(" ")[0] for message in self.requests])

    @property
    def final(self) -> Message:
        return self.responses[-1]


def split_messages(stream: bytes, methods: list[str] | None = None) -> list[Message]:
    """Cuts a stream of HTTP messages by their own framing; what is left unframed stays in the last body."""
    found = []
    while stream:
        head, separator, rest = stream.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        message = Message(lines[0], headers, b"")
        found.append(message)
        if not separator:
            break
        interim = lines[0].startswith("HTTP/1.1 1")
        length = message.header("content-length")
        if message.header("transfer-encoding") is not None:
            size = _chunked_size(rest)
        elif interim:
            size = 0
        elif length is not None:
            size = int(length)
        else:
            size = len(rest) if lines[0].startswith("HTTP/") else 0
        message.body, stream = rest[:size], rest[size:]
    return found


def _chunked_size(data: bytes) -> int:
    """Length of a chunked body with its trailer; all of the data when it is cut off."""
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return len(data)
        try:
            size = int(data[at:end].split(b";")[0], 16)
        except ValueError:
            return len(data)
        at = end + 2 + size + 2
        if size == 0:
            return at


def dechunk(data: bytes) -> bytes:
    """The content of a chunked body without trailers."""
    found, at = b"", 0
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end].split(b";")[0], 16)
        if size == 0:
            return found
        found += data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def _restore(part: bytes, text: bool) -> bytes:
    """The bytes as they were on the wire."""
    if text:
        head, separator, body = part.partition(b"\n\n")
        if not separator:
            return part.replace(b"\n", b"\r\n")
        return head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body
    return _ESCAPED.sub(lambda match: bytes([int(match.group(1), 16)]), part)


def _lengthen(part: bytes, notes: list[str]) -> bytes:
    """Puts back the repeated byte that a shortened part left out."""
    match = _SHORTENED.search(part)
    if match is None:
        return part
    filler = part[match.end() : match.end() + 1]
    missing = int(match.group(1)) - (len(part) - len(match.group(0)))
    notes.append(f"lengthened to {match.group(1).decode()} bytes")
    return part[: match.start()] + filler * missing + part[match.end() :]


def load(path: Path) -> Recording:
    data = path.read_bytes()
    mark = _REQUEST_MARK.match(data)
    number = int(path.name.split("-")[0])
    if mark is None:
        raise ValueError(f"{path.name}: no request mark")
    request, separator, response = data[mark.end() :].partition(_RESPONSE_MARK)
    if not separator:
        raise ValueError(f"{path.name}: no response mark")
    notes: list[str] = []
    text = number >= FIRST_TEXT_RECORDING
    response = response[:-1] if response.endswith(b"\n") else response
    if _RESET_NOTE.search(response):
        notes.append("the server closed while the client was still sending")
        response = _RESET_NOTE.sub(b"", response)
    request = _lengthen(_restore(request, text), notes)
    response = _lengthen(_restore(response, text), notes)
    return Recording(path.stem, number, mark.group(1).decode(), request, response, notes)


def load_all() -> list[Recording]:
    """Every recording in the order of their numbers, which is the order they were made in."""
    paths = sorted(recordings_folder().glob("*.txt"), key=lambda path: int(path.name.split("-")[0]))
    return [load(path) for path in paths]
