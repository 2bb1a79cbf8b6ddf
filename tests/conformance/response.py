"""Answers of the upstream: what passes, what is 502, what ends the client's connection, what is never used again."""

from tests.conformance.case import OK, Case, bad_answer, cut, get, ok, ok_chunks, passes, post

STATUS = "RFC 9112 §4"
FRAMING = "RFC 9112 §6.3"
CHUNK = "RFC 9112 §7.1"
HOP = "RFC 9110 §7.6.1"

HELLO = b"5\r\nhello\r\n0\r\n\r\n"
HEAD = get(line=b"HEAD /x HTTP/1.1")
_STRICT = "an answer that two clients could read in two ways is not passed on"
_CONTROL = "a control byte in a value is cut, kept or a line's end, depending on who reads"
_REFRAMED = "chunks are framed anew, so that no extension and no lenient reading travels on"


def _line(line: bytes) -> bytes:
    return ok(b"Content-Length: 5", body=b"hello", line=line)


def _field(*fields: bytes) -> bytes:
    return ok(b"Content-Length: 5", *fields, body=b"hello")


def _chunks(body: bytes) -> bytes:
    return ok_chunks(body)


STATUS_LINES: list[Case] = [
    passes("status-404", STATUS, get(), answer=_line(b"HTTP/1.1 404 Not Found")),
    passes("status-empty-reason", STATUS, get(), answer=_line(b"HTTP/1.1 200 ")),
    passes("status-long-reason", STATUS, get(), answer=_line(b"HTTP/1.1 200 All is well, thank you")),
    passes("status-reason-utf8", STATUS, get(), answer=_line("HTTP/1.1 200 schön".encode())),
    passes("status-299", STATUS, get(), answer=_line(b"HTTP/1.1 299 Odd")),
    passes("status-599", STATUS, get(), answer=_line(b"HTTP/1.1 599 Odd")),
    bad_answer("status-no-space-behind", STATUS, _line(b"HTTP/1.1 200"), why=_STRICT),
    bad_answer("status-two-digits", STATUS, _line(b"HTTP/1.1 20 OK"), why=_STRICT),
    bad_answer("status-four-digits", STATUS, _line(b"HTTP/1.1 2000 OK"), why=_STRICT),
    bad_answer("status-099", "RFC 9110 §15", _line(b"HTTP/1.1 099 Odd"), why=_STRICT),
    bad_answer("status-600", "RFC 9110 §15", _line(b"HTTP/1.1 600 Odd"), why="the RFC: outside 100 to 599 is a server error"),
    bad_answer("status-letters", STATUS, _line(b"HTTP/1.1 abc OK"), why=_STRICT),
    bad_answer("status-2.0", STATUS, _line(b"HTTP/2.0 200 OK"), why=_STRICT),
    bad_answer("status-lower-case", STATUS, _line(b"http/1.1 200 OK"), why=_STRICT),
    bad_answer("status-0.9", "RFC 9112 §2.3", b"hello, no head at all\r\n\r\n", up_ends="close", why="HTTP/0.9 is not spoken here"),
    bad_answer("status-leading-empty-line", STATUS, b"\r\n" + OK, why="bytes before a status line belong to no answer"),
    bad_answer("status-leading-space", STATUS, b" " + OK, why=_STRICT),
    bad_answer("status-nul-in-reason", STATUS, _line(b"HTTP/1.1 200 O\x00K"), why=_CONTROL),
    bad_answer("status-bare-cr-in-reason", STATUS, _line(b"HTTP/1.1 200 O\rK"), why=_CONTROL),
    bad_answer("status-bare-lf", "RFC 9112 §2.2", b"HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello", why=_STRICT),
]

FIELDS: list[Case] = [
    passes("answer-fields-as-they-came", "RFC 9110 §5.3", get(), answer=_field(b"Vary: Origin", b"x-Z:  a  b", b"X-Z: 2", b"X-Empty:")),
    passes("answer-set-cookie-twice", "RFC 6265 §3", get(), answer=_field(b"Set-Cookie: a=b", b"Set-Cookie: c=d")),
    passes("answer-bytes-over-127", "RFC 9110 §5.5", get(), answer=_field(b"X: \xe4\xff")),
    passes("answer-server-and-date", "RFC 9110 §10.2.4", get(), answer=_field(b"Server: s", b"Date: Mon, 23 Nov 2026 07:00:58 GMT"), why="the answer is the upstream's, with its name and its clock"),
    passes("answer-unknown-coding", "RFC 9110 §8.4", get(), answer=_field(b"Content-Encoding: zstd")),
    passes("answer-hop-by-hop", HOP, get(), answer=_field(b"Connection: X-Mine", b"X-Mine: 1", b"Keep-Alive: timeout=5"), got=_field(), why="MUST of the RFC"),
    passes("answer-close", HOP, get(), answer=_field(b"Connection: close"), got=_field(), up_ends="close", again=False),
    passes("answer-close-kept-open", HOP, get(), answer=_field(b"Connection: close"), got=_field(), again=False),
    passes("answer-upgrade-offered", "RFC 9110 §7.8", get(), answer=_field(b"Upgrade: h2c", b"Connection: upgrade"), got=_field(), why="an offer to us; we do not take it"),
    passes("answer-proxy-authenticate", "RFC 9110 §11.7.1", get(), answer=_field(b"Proxy-Authenticate: Basic"), got=_field(), why="a challenge to us, not to the client"),
    passes("answer-named-length", HOP, get(), answer=_field(b"Connection: Content-Length"), got=_field()),
    passes("answer-101-fields", "RFC 6585 §5", get(), answer=_field(*(b"X-%d: v" % n for n in range(100))), why="the count of fields is bounded for clients only"),
    bad_answer("answer-fold", "RFC 9112 §5.2", _field(b"X: a\r\n b"), why="obs-fold: 502 is one of the RFC's two ways"),
    bad_answer("answer-space-before-colon", "RFC 9112 §5.1", _field(b"X : a"), why="the RFC would have the space cut; an upstream that sends it is broken or somebody else's"),
    bad_answer("answer-no-colon", "RFC 9112 §5.1", _field(b"X"), why=_STRICT),
    bad_answer("answer-no-name", "RFC 9112 §5.1", _field(b": v"), why=_STRICT),
    bad_answer("answer-space-in-name", "RFC 9112 §5.1", _field(b"X Y: v"), why=_STRICT),
    bad_answer("answer-nul-in-value", "RFC 9110 §5.5", _field(b"X: a\x00b"), why=_CONTROL),
    bad_answer("answer-bare-cr-in-value", "RFC 9110 §5.5", _field(b"X: a\rb"), why=_CONTROL),
    bad_answer("answer-bare-cr-splits", "RFC 9110 §5.5", _field(b"X: a\rSet-Cookie: b=c"), why=_CONTROL),
    bad_answer("answer-bare-lf-splits", "RFC 9112 §2.2", _field(b"X: a\nSet-Cookie: b=c"), why=_STRICT),
    bad_answer("answer-escape", "RFC 9110 §5.5", _field(b"X: \x1b[2J"), why=_CONTROL),
    bad_answer("answer-head-300-kib", "RFC 9112 §5.4", _field(b"X: " + b"v" * 300_000)),
]

BODIES: list[Case] = [
    passes("answer-length", FRAMING, get(), answer=OK),
    passes("answer-length-0", FRAMING, get(), answer=ok(b"Content-Length: 0")),
    passes("answer-chunked", CHUNK, get(), answer=_chunks(HELLO)),
    passes("answer-chunked-empty", CHUNK, get(), answer=_chunks(b"0\r\n\r\n")),
    passes("answer-chunk-extension", "RFC 9112 §7.1.1", get(), answer=_chunks(b"5;a=b\r\nhello\r\n0;c\r\n\r\n"), got=_chunks(HELLO), why=_REFRAMED),
    passes("answer-chunk-zeros", CHUNK, get(), answer=_chunks(b"00005\r\nhello\r\n00\r\n\r\n"), got=_chunks(HELLO), why=_REFRAMED),
    passes("answer-trailers", "RFC 9112 §7.1.2", get(), answer=_chunks(b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"), why="trailers pass as they came"),
    passes("answer-until-close", FRAMING, get(), answer=ok(body=b"hello"), got=ok(b"connection: close", body=b"hello"), up_ends="close", then="closed",
           why="ended as it came: by the end of the connection"),
    passes("answer-until-close-1.0", FRAMING, get(), answer=ok(body=b"hello", line=b"HTTP/1.0 200 OK"), got=ok(b"connection: close", body=b"hello"), up_ends="close", then="closed",
           why="ended as it came: by the end of the connection"),
    passes("answer-1.0-length", "RFC 9112 §9.3", get(), answer=_line(b"HTTP/1.0 200 OK"), got=OK, up_ends="close", again=False),
    passes("answer-1.0-keep-alive", "RFC 9112 §9.3", get(), answer=ok(b"Content-Length: 5", b"Connection: keep-alive", body=b"hello", line=b"HTTP/1.0 200 OK"), got=OK),
    passes("answer-204", FRAMING, get(), answer=ok(line=b"HTTP/1.1 204 No Content")),
    passes("answer-204-with-length", "RFC 9110 §8.6", get(), answer=ok(b"Content-Length: 5", line=b"HTTP/1.1 204 No Content"), got=ok(line=b"HTTP/1.1 204 No Content"), why="MUST NOT of the RFC, so left out"),
    passes("answer-204-with-body", FRAMING, get(), answer=ok(b"Content-Length: 5", body=b"hello", line=b"HTTP/1.1 204 No Content"), got=ok(line=b"HTTP/1.1 204 No Content"), again=False),
    passes("answer-204-chunked", "RFC 9112 §6.1", get(), answer=ok(b"Transfer-Encoding: chunked", line=b"HTTP/1.1 204 No Content"), got=ok(line=b"HTTP/1.1 204 No Content"), why="MUST NOT of the RFC, so left out"),
    passes("answer-304-with-length", FRAMING, get(), answer=ok(b"Content-Length: 5", b'ETag: "a"', line=b"HTTP/1.1 304 Not Modified")),
    passes("answer-304-with-body", FRAMING, get(), answer=ok(b"Content-Length: 5", body=b"hello", line=b"HTTP/1.1 304 Not Modified"), got=ok(b"Content-Length: 5", line=b"HTTP/1.1 304 Not Modified"), again=False),
    passes("answer-205", FRAMING, get(), answer=ok(b"Content-Length: 0", line=b"HTTP/1.1 205 Reset Content")),
    passes("answer-head-length", "RFC 9110 §9.3.2", HEAD, answer=ok(b"Content-Length: 5")),
    passes("answer-head-chunked", "RFC 9112 §6.1", HEAD, answer=ok(b"Transfer-Encoding: chunked")),
    passes("answer-head-neither", "RFC 9110 §9.3.2", HEAD, answer=ok(b"X: v")),
    passes("answer-head-with-body", FRAMING, HEAD, answer=OK, got=ok(b"Content-Length: 5"), again=False),
    passes("answer-bytes-behind", FRAMING, get(), answer=OK + b"more", got=OK, again=False),
    passes("answer-answer-behind", FRAMING, get(), answer=OK + b"HTTP/1.1 201 Bad\r\nContent-Length: 0\r\n\r\n", got=OK, again=False),
    passes("answer-chunks-bytes-behind", FRAMING, get(), answer=_chunks(HELLO) + b"more", got=_chunks(HELLO), again=False),
    bad_answer("answer-coding-and-length", FRAMING, ok(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=HELLO), why="never mended: whose length it is cannot be known"),
    bad_answer("answer-length-twice-same", FRAMING, ok(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), why="the RFC allows either; two lengths are nobody's honest answer"),
    bad_answer("answer-length-twice-different", FRAMING, ok(b"Content-Length: 5", b"Content-Length: 6", body=b"hello"), why=_STRICT),
    bad_answer("answer-length-list", FRAMING, ok(b"Content-Length: 5, 5", body=b"hello"), why="the RFC allows either; two lengths are nobody's honest answer"),
    bad_answer("answer-length-minus", FRAMING, ok(b"Content-Length: -5", body=b"hello"), why=_STRICT),
    bad_answer("answer-length-hex", FRAMING, ok(b"Content-Length: 0x5", body=b"hello"), why=_STRICT),
    bad_answer("answer-length-empty", FRAMING, ok(b"Content-Length:", body=b"hello"), why=_STRICT),
    bad_answer("answer-length-2-to-64", FRAMING, ok(b"Content-Length: 18446744073709551616", body=b"hello"), why=_STRICT),
    bad_answer("answer-length-2-to-63", FRAMING, ok(b"Content-Length: 9223372036854775808", body=b"hello"), why="over 2^63 it is negative somewhere"),
    bad_answer("answer-coding-gzip", FRAMING, ok(b"Transfer-Encoding: gzip", body=b"hello"), why="a coding that we do not decode"),
    bad_answer("answer-coding-gzip-chunked", FRAMING, ok(b"Transfer-Encoding: gzip, chunked", body=HELLO), why="a coding that we do not decode"),
    bad_answer("answer-coding-twice", FRAMING, ok(b"Transfer-Encoding: chunked, chunked", body=HELLO), why=_STRICT),
    bad_answer("answer-coding-identity", FRAMING, ok(b"Transfer-Encoding: identity", body=b"hello"), why=_STRICT),
    bad_answer("answer-coding-in-1.0", "RFC 9112 §6.1", ok(b"Transfer-Encoding: chunked", body=HELLO, line=b"HTTP/1.0 200 OK"), why="faulty framing in HTTP/1.0, whatever else stands there"),
    bad_answer("answer-coding-before-space-colon", "RFC 9112 §5.1", ok(b"Transfer-Encoding : chunked", body=HELLO), why=_STRICT),
    bad_answer("answer-closed-in-head", FRAMING, b"HTTP/1.1 200 OK\r\nContent-Le", up_ends="close"),
    bad_answer("answer-closed-before-head", FRAMING, b"", up_ends="close", send=post(b"Content-Length: 5", body=b"hello")),
    bad_answer("answer-reset-before-head", FRAMING, b"", up_ends="reset", send=post(b"Content-Length: 5", body=b"hello")),
    bad_answer("answer-bad-first-chunk", CHUNK, _chunks(b"zz\r\nhello\r\n0\r\n\r\n"), why="seen before a byte went out: said so"),
    bad_answer("answer-chunk-0x", CHUNK, _chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), why=_STRICT),
    bad_answer("answer-chunk-minus", CHUNK, _chunks(b"-5\r\nhello\r\n0\r\n\r\n"), why=_STRICT),
    bad_answer("answer-chunk-size-lf", CHUNK, _chunks(b"5\nhello\r\n0\r\n\r\n"), why=_STRICT),
    bad_answer("answer-chunk-overflow", CHUNK, _chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), why=_STRICT),
    bad_answer("answer-chunk-data-too-long", CHUNK, _chunks(b"4\r\nhello\r\n0\r\n\r\n"), why=_STRICT),
    bad_answer("answer-trailer-length", "RFC 9110 §6.5.1", _chunks(b"0\r\nContent-Length: 5\r\n\r\n"), why="a trailer about framing is somebody's trick"),
    bad_answer("answer-trailer-fold", FRAMING, _chunks(b"0\r\nX: a\r\n b\r\n\r\n"), why="held to the rules of the header section"),
    cut("answer-cut-in-length", FRAMING, ok(b"Content-Length: 10", body=b"hello"), ok(b"Content-Length: 10", body=b"hello"), up_ends="close"),
    cut("answer-reset-in-length", FRAMING, ok(b"Content-Length: 10", body=b"hello"), ok(b"Content-Length: 10", body=b"hello"), up_ends="reset"),
    cut("answer-cut-in-chunk", CHUNK, _chunks(b"a\r\nhello"), _chunks(b"5\r\nhello\r\n"), up_ends="close", why=_REFRAMED),
    cut("answer-cut-between-chunks", CHUNK, _chunks(b"5\r\nhello\r\n"), _chunks(b"5\r\nhello\r\n"), up_ends="close"),
    cut("answer-cut-in-trailers", CHUNK, _chunks(b"5\r\nhello\r\n0\r\nX: "), _chunks(b"5\r\nhello\r\n"), up_ends="close"),
]

CASES = STATUS_LINES + FIELDS + BODIES
