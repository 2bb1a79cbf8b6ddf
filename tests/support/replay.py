"""A fake Qdrant that answers a recorded request with the recorded bytes, and keeps what it was sent."""

from __future__ import annotations

import socket

from tests.support.raw_http import FakeUpstream, Message, Reader
from tests.support.recordings import Recording

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Replay:
    """Plays the recording set by `play`; every connection is closed after the last of its responses."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self._responses: list[bytes] = []
        self._upstream = FakeUpstream(self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._upstream.port}"

    def play(self, recording: Recording) -> None:
        self.received = []
        self._responses = responses_of(recording)

    def _serve(self, reader: Reader, sock: socket.socket, _n: int) -> None:
        while True:
            message = read_request(reader, sock)
            at = len(self.received)
            self.received.append(message)
            if at >= len(self._responses):
                return
            sock.sendall(self._responses[at])
            if b"\r\nconnection: close" in self._responses[at].partition(b"\r\n\r\n")[0].lower():
                return

    def __enter__(self) -> "Replay":
        self._upstream.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self._upstream.__exit__(*failure)


def responses_of(recording: Recording) -> list[bytes]:
    """The final responses of a recording, one by one, as their bytes; an interim one is sent where it is due."""
    found, rest = [], recording.response
    for response in recording.responses:
        head = rest[: rest.index(b"\r\n\r\n") + 4]
        size = len(head) + len(response.body)
        if not response.start.startswith("HTTP/1.1 1"):
            found.append(rest[:size])
        rest = rest[size:]
    return found


def read_request(reader: Reader, sock: socket.socket) -> Message:
    """One request; whoever waits for `100 Continue` gets it before the body is read."""
    head = reader.head()
    if b"\r\nexpect: 100-continue" in head.lower():
        sock.sendall(CONTINUE)
    reader.rest = head + reader.rest
    return reader.message()
