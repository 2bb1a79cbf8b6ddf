"""Reading messages off a socket byte by byte as they are framed, with chunked bodies brought into one form."""

import re
import socket

from tests.support.raw_http import read_exactly, read_until

LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
BODYLESS = re.compile(rb"HTTP/1\.[01] (1\d\d|204|304) ")


def has_body(head: bytes) -> bool:
    return not BODYLESS.match(head) and bool(LENGTH.search(head) or CHUNKED.search(head) or head.startswith(b"HTTP/"))


def one_chunk(data: bytes, trailers: bytes = b"") -> bytes:
    """A chunked body whose data is one chunk: how they are compared."""
    return (b"%x\r\n%s\r\n" % (len(data), data) if data else b"") + b"0\r\n" + trailers + b"\r\n"


def read_chunked(sock: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    data = b""
    while True:
        line, rest = read_until(sock, b"\r\n", rest)
        if not re.fullmatch(rb"[0-9a-fA-F]+\r\n", line):
            raise AssertionError(f"a chunk's size line that the proxy should have written itself: {line!r}")
        size = int(line, 16)
        if size == 0:
            break
        chunk, rest = read_exactly(sock, size + 2, rest)
        assert chunk.endswith(b"\r\n"), chunk
        data += chunk[:-2]
    trailers = b""
    while (got := read_until(sock, b"\r\n", rest))[0] != b"\r\n":
        trailers, rest = trailers + got[0], got[1]
    return one_chunk(data, trailers), got[1]


def read_body(sock: socket.socket, head: bytes, rest: bytes) -> tuple[bytes, bytes]:
    """(the body, what came behind it) of a message with this head; a response without a length ends with the connection."""
    if not has_body(head):
        return b"", rest
    if CHUNKED.search(head):
        return read_chunked(sock, rest)
    if length := LENGTH.search(head):
        return read_exactly(sock, int(length[1]), rest)
    while piece := sock.recv(65536):
        rest += piece
    return rest, b""


def read_head(sock: socket.socket, rest: bytes) -> tuple[bytes, bytes]:
    return read_until(sock, b"\r\n\r\n", rest)
