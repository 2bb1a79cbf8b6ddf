"""Whole exchanges: 1xx and Expect, HTTP/1.0, pipelining, half-close, early answers, Max-Forwards."""

from tests.conformance.case import END, OK, Await, Case, bad_answer, get, ok, passes, post, refused

EXPECT = "RFC 9110 §10.1.1"
INTERIM = "RFC 9110 §15.2"
OLD = "RFC 9112 §9.3"
PIPELINE = "RFC 9112 §9.3.2"
FORWARDS = "RFC 9110 §7.6.2"

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: close\r\n\r\nhello"
KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: keep-alive\r\n\r\nhello"
OLD_GET = get(line=b"GET /x HTTP/1.0")
EXPECTING = post(b"Content-Length: 5", b"Expect: 100-continue")


def _answer(status: bytes, body: bytes = b"") -> bytes:
    return ok(b"Content-Length: %d" % len(body), body=body, line=b"HTTP/1.1 " + status)


EXPECTS: list[Case] = [
    passes("expect-waits", EXPECT, (EXPECTING, Await(CONTINUE), b"hello"), interim=CONTINUE, got=(CONTINUE, OK), seen=EXPECTING + b"hello",
           why="the upstream's 100 is waited for; nginx and HAProxy say it themselves or read the body first"),
    passes("expect-does-not-wait", EXPECT, (EXPECTING, b"hello"), seen=EXPECTING + b"hello", answer=OK, why="the upstream is asked, as the client asked"),
    passes("expect-final-at-once", EXPECT, EXPECTING, answer=_answer(b"413 Too Large"), early=True,
           got=b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nconnection: close\r\n\r\n", then="closed", why="closed, for the body may still come"),
    passes("expect-417", EXPECT, EXPECTING, answer=_answer(b"417 No"), early=True, got=b"HTTP/1.1 417 No\r\nContent-Length: 0\r\nconnection: close\r\n\r\n", then="closed",
           why="closed, for the body may still come"),
    passes("expect-other", EXPECT, post(b"Content-Length: 5", b"Expect: more", body=b"hello"), why="the upstream judges it"),
    passes("expect-without-body", EXPECT, get(b"Expect: 100-continue"), answer=OK, why="the upstream is asked, as the client asked"),
    passes("expect-1.0", EXPECT, post(b"Content-Length: 5", b"Expect: 100-continue", body=b"hello", line=b"POST /x HTTP/1.0"),
           seen=post(b"Content-Length: 5", body=b"hello"), got=CLOSED, then="closed", why="an HTTP/1.0 client could not read the 100"),
    passes("interim-100-unasked", INTERIM, get(), answer=CONTINUE + OK, got=(CONTINUE, OK), why="MUST of the RFC: 1xx are forwarded"),
    passes("interim-103", "RFC 8297", get(), answer=HINTS + OK, got=(HINTS, OK), why="MUST of the RFC: 1xx are forwarded"),
    passes("interim-several", INTERIM, get(), answer=HINTS + CONTINUE + HINTS + OK, got=(HINTS, CONTINUE, HINTS, OK), why="MUST of the RFC: 1xx are forwarded"),
    passes("interim-unknown", INTERIM, get(), answer=b"HTTP/1.1 199 Odd\r\n\r\n" + OK, got=(b"HTTP/1.1 199 Odd\r\n\r\n", OK), why="MUST of the RFC: 1xx are forwarded"),
    passes("interim-with-length", "RFC 9110 §8.6", get(), answer=b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n" + OK, got=(b"HTTP/1.1 103 Hints\r\n\r\n", OK),
           why="MUST NOT of the RFC, so left out"),
    passes("interim-to-1.0", INTERIM, OLD_GET, seen=get(), answer=HINTS + OK, got=CLOSED, then="closed", why="MUST NOT of the RFC: an HTTP/1.0 client gets no 1xx"),
    bad_answer("interim-then-closed", INTERIM, b"HTTP/1.1 199 Odd\r\n", up_ends="close"),
    bad_answer("interim-101-unasked", "RFC 9110 §15.2.2", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", why="nobody asked: what follows is no HTTP"),
]

OLDER: list[Case] = [
    passes("old-closes", OLD, OLD_GET, seen=get(), got=CLOSED, then="closed", why="to the upstream we speak HTTP/1.1, whatever the client speaks"),
    passes("old-keep-alive", OLD, get(b"Connection: keep-alive", line=b"GET /x HTTP/1.0"), seen=get(), got=KEPT, why="to the upstream we speak HTTP/1.1, whatever the client speaks"),
    passes("old-keep-alive-chunks", OLD, get(b"Connection: keep-alive", line=b"GET /x HTTP/1.0"), seen=get(), answer=ok(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
           got=ok(b"connection: close", body=b"hello"), then="closed", why="HTTP/1.0 reads no chunks: ended by closing"),
    passes("old-post", OLD, post(b"Content-Length: 5", body=b"hello", line=b"POST /x HTTP/1.0"), seen=post(b"Content-Length: 5", body=b"hello"), got=CLOSED, then="closed", why="to the upstream we speak HTTP/1.1, whatever the client speaks"),
    passes("old-head", OLD, get(line=b"HEAD /x HTTP/1.0"), seen=get(line=b"HEAD /x HTTP/1.1"), answer=ok(b"Content-Length: 5"),
           got=ok(b"Content-Length: 5", b"connection: close"), then="closed", why="to the upstream we speak HTTP/1.1, whatever the client speaks"),
    passes("old-upgrade", "RFC 9110 §7.8", get(b"Connection: upgrade", b"Upgrade: websocket", line=b"GET /x HTTP/1.0"), seen=get(), got=CLOSED, then="closed",
           why="MUST of the RFC: Upgrade in HTTP/1.0 is ignored"),
]

_GETS = tuple(get(line=b"GET /%d HTTP/1.1" % n) for n in range(5))
_FIRST, _SECOND = _answer(b"201 First", b"a"), _answer(b"202 Second", b"bb")

PIPELINED: list[Case] = [
    passes("pipeline-5-gets", PIPELINE, b"".join(_GETS), seen=_GETS, answer=tuple(_answer(b"21%d Answer" % n, b"x" * n) for n in range(5))),
    passes("pipeline-post-get", PIPELINE, post(b"Content-Length: 5", body=b"hello") + get(), seen=(post(b"Content-Length: 5", body=b"hello"), get()), answer=(_FIRST, _SECOND)),
    passes("pipeline-get-post-in-pieces", PIPELINE, (get() + post(b"Content-Length: 5", body=b"he"), b"llo"), seen=(get(), post(b"Content-Length: 5", body=b"hello")), answer=(_FIRST, _SECOND)),
    passes("pipeline-close-in-first", "RFC 9112 §9.6", get(b"Connection: close") + get(), seen=(get(),), got=CLOSED, then="closed"),
    refused("pipeline-bad-second", PIPELINE, get() + b"nonsense\r\n\r\n", seen=get(), got=OK),
    refused("pipeline-length-and-coding-second", PIPELINE, get() + post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), seen=get(), got=OK,
            why="the oldest way to smuggle: never passed on, not even mended"),
    passes("pipeline-empty-lines-between", "RFC 9112 §2.2", get() + b"\r\n" + get(), seen=(get(), get()), answer=(_FIRST, _SECOND)),
    passes("pipeline-head-then-get", PIPELINE, get(line=b"HEAD /x HTTP/1.1") + get(), seen=(get(line=b"HEAD /x HTTP/1.1"), get()),
           answer=(ok(b"Content-Length: 7"), ok(b"Content-Length: 0"))),
    refused("pipeline-behind-bad-length", PIPELINE, post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello") + get(), why="two lengths: what stands behind them is not looked at"),
]

_HALF = "an end of sending is no end of reading, of what is relayed; a search that is being scored is given up (docs/api.md)"

ENDS: list[Case] = [
    passes("half-close-get", "RFC 9112 §9.6", (get(), END), seen=get(), then="closed", why=_HALF),
    passes("half-close-post", "RFC 9112 §9.6", (post(b"Content-Length: 5", body=b"hello"), END), seen=post(b"Content-Length: 5", body=b"hello"), then="closed", why=_HALF),
    passes("half-close-pipelined", "RFC 9112 §9.6", (get() + get(), END), seen=(get(), get()), answer=(_FIRST, _SECOND), then="closed", why=_HALF),
    passes("early-answer-length", "RFC 9112 §9.5", post(b"Content-Length: 500000", body=b"x" * 100), seen=post(b"Content-Length: 500000"), early=True, answer=_answer(b"413 No"),
           got=b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nconnection: close\r\n\r\n", then="closed", why="answered at once and closed, for the body may still come"),
    passes("early-answer-chunks", "RFC 9112 §9.5", post(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"), seen=post(b"Transfer-Encoding: chunked"), early=True, answer=_answer(b"413 No"),
           got=b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nconnection: close\r\n\r\n", then="closed", why="answered at once and closed, for the body may still come"),
    passes("early-answer-and-close", "RFC 9112 §9.5", post(b"Content-Length: 500000", body=b"x" * 100), seen=post(b"Content-Length: 500000"), early=True, up_ends="close", answer=_answer(b"413 No"),
           got=b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nconnection: close\r\n\r\n", then="closed", why="answered at once and closed, for the body may still come"),
    Case("end-inside-head", "RFC 9112 §8", (b"GET /x HTTP/1.1\r\nHo", END), (), (OK,), (), "closed", why="nothing was asked, so nothing is answered"),
    Case("end-without-a-byte", "RFC 9112 §9.6", (END,), (), (OK,), (), "closed", why="nothing was asked, so nothing is answered"),
]

_TRACE = b"TRACE /x HTTP/1.1"
_OPTIONS = b"OPTIONS /x HTTP/1.1"
_HERE = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_MUST = "MUST of the RFC; nginx and HAProxy pass it on as it came"

FORWARDED: list[Case] = [
    passes("options", FORWARDS, get(line=_OPTIONS)),
    passes("options-preflight", "Fetch §3.2", get(b"Origin: http://o", b"Access-Control-Request-Method: POST", line=_OPTIONS)),
    passes("options-max-forwards-1", FORWARDS, get(b"Max-Forwards: 1", line=_OPTIONS), seen=get(b"Max-Forwards: 0", line=_OPTIONS), why=_MUST),
    passes("options-max-forwards-10", FORWARDS, get(b"A: 1", b"max-forwards: 10", b"B: 2", line=_OPTIONS), seen=get(b"A: 1", b"Max-Forwards: 9", b"B: 2", line=_OPTIONS), why=_MUST),
    passes("options-max-forwards-0", FORWARDS, get(b"Max-Forwards: 0", line=_OPTIONS), seen=(), got=_HERE, why=_MUST),
    passes("options-asterisk-max-forwards-0", FORWARDS, get(b"Max-Forwards: 0", line=b"OPTIONS * HTTP/1.1"), seen=(), got=_HERE, why=_MUST),
    passes("options-max-forwards-huge", FORWARDS, get(b"Max-Forwards: 99999999999999999999", line=_OPTIONS), seen=get(b"Max-Forwards: 4294967295", line=_OPTIONS), why="too large to be kept: cut to the largest that we know"),
    refused("options-max-forwards-letters", FORWARDS, get(b"Max-Forwards: x", line=_OPTIONS), why="a count is digits"),
    refused("options-max-forwards-twice", FORWARDS, get(b"Max-Forwards: 0", b"Max-Forwards: 9", line=_OPTIONS), why="which one counts cannot be known"),
    passes("trace", "RFC 9110 §9.3.8", get(line=_TRACE), why="Qdrant answers 404; we do not judge methods"),
    passes("trace-max-forwards-3", FORWARDS, get(b"Max-Forwards: 3", line=_TRACE), seen=get(b"Max-Forwards: 2", line=_TRACE), why=_MUST),
    passes("trace-max-forwards-0", FORWARDS, get(b"Max-Forwards: 0", b"api-key: secret", line=_TRACE), seen=(),
           got=b'HTTP/1.1 405 Method Not Allowed\r\ncontent-type: application/json\r\ncontent-length: 80\r\n\r\n{"status":{"error":"TRACE is not answered here: it would echo keys"},"time":0.0}',
           why="not forwarded, as the RFC asks; but a request with its keys is not echoed by us"),
    passes("get-max-forwards", FORWARDS, get(b"Max-Forwards: 0"), why="counts for TRACE and OPTIONS only"),
]

CASES = EXPECTS + OLDER + PIPELINED + ENDS + FORWARDED
