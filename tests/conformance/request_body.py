"""Where a request's body ends: lengths, codings, chunks and trailers."""

from tests.conformance.case import Case, chunks, get, passes, post, refused

LENGTH = "RFC 9110 §8.6"
FRAMING = "RFC 9112 §6.3"
CODING = "RFC 9112 §6.1"
CHUNK = "RFC 9112 §7.1"
EXTENSION = "RFC 9112 §7.1.1"
TRAILER = "RFC 9112 §7.1.2"

HELLO = b"5\r\nhello\r\n0\r\n\r\n"
_SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: q\r\n\r\n"
_STRICT = "a number is digits; what else some read there, others do not"
_STRICT_CODING = "exactly `chunked`, once: every other spelling is somebody's way around somebody's filter"
_STRICT_CHUNK = "a chunk that two decoders could end in two places goes nowhere"
_REFRAMED = "chunks are framed anew, so that no extension and no lenient reading travels on"
_TRAILERS = "trailers pass as they came; those about framing or routing are refused"


def _length(value: bytes, body: bytes = b"hello") -> bytes:
    return post(b"Content-Length: " + value, body=body)


def _coding(value: bytes, body: bytes = HELLO) -> bytes:
    return post(b"Transfer-Encoding: " + value, body=body)


LENGTHS: list[Case] = [
    passes("length-5", LENGTH, _length(b"5")),
    passes("length-0", LENGTH, _length(b"0", b"")),
    passes("length-leading-zeros", LENGTH, _length(b"005")),
    passes("length-get-with-body", "RFC 9110 §9.3.1", get(b"Content-Length: 5") + b"hello"),
    passes("length-delete-with-body", "RFC 9110 §9.3.5", post(b"Content-Length: 5", body=b"hello", line=b"DELETE /x HTTP/1.1")),
    passes("length-head-with-body", "RFC 9110 §9.3.2", post(b"Content-Length: 5", body=b"hello", line=b"HEAD /x HTTP/1.1"),
           answer=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
    passes("length-post-without", FRAMING, post(), why="no length and no coding: no body"),
    passes("length-in-two-pieces", LENGTH, (post(b"Content-Length: 10", body=b"hello"), b"world")),
    refused("length-twice-same", FRAMING, post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), why="the RFC allows either; two lengths are nobody's honest request"),
    refused("length-twice-different", FRAMING, post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    refused("length-list-same", FRAMING, _length(b"5, 5"), why="the RFC allows either; two lengths are nobody's honest request"),
    refused("length-list-different", FRAMING, _length(b"5, 6")),
    refused("length-empty", LENGTH, _length(b"")),
    refused("length-plus", LENGTH, _length(b"+5"), why=_STRICT),
    refused("length-minus", LENGTH, _length(b"-5"), why=_STRICT),
    refused("length-hex", LENGTH, _length(b"0x5"), why=_STRICT),
    refused("length-fraction", LENGTH, _length(b"5.0"), why=_STRICT),
    refused("length-exponent", LENGTH, _length(b"5e0"), why=_STRICT),
    refused("length-two-numbers", LENGTH, _length(b"5 5"), why=_STRICT),
    refused("length-quoted", LENGTH, _length(b'"5"'), why=_STRICT),
    refused("length-letters", LENGTH, _length(b"abc"), why=_STRICT),
    refused("length-vertical-tab", LENGTH, _length(b"5\x0b"), why=_STRICT),
    refused("length-2-to-64", LENGTH, _length(b"18446744073709551616"), why=_STRICT),
    refused("length-2-to-64-less-1", LENGTH, _length(b"18446744073709551615"), why="over 2^63 it is negative somewhere"),
    refused("length-2-to-63", LENGTH, _length(b"9223372036854775808"), why="over 2^63 it is negative somewhere"),
    refused("length-40-digits", LENGTH, _length(b"1" * 40), why=_STRICT),
    refused("length-wraps-to-5", LENGTH, _length(b"18446744073709551621"), why=_STRICT),
    refused("length-unicode-digit", LENGTH, _length("５".encode()), why=_STRICT),
]

CODINGS: list[Case] = [
    passes("coding-chunked", CODING, _coding(b"chunked")),
    passes("coding-upper-case", CODING, _coding(b"CHUNKED"), seen=_coding(b"CHUNKED")),
    passes("coding-get-with-body", CODING, get(b"Transfer-Encoding: chunked") + HELLO),
    refused("coding-and-length", FRAMING, post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=HELLO), why="the oldest way to smuggle: never passed on, not even mended"),
    refused("coding-before-length", FRAMING, post(b"Transfer-Encoding: chunked", b"Content-Length: 15", body=HELLO), why="the oldest way to smuggle: never passed on, not even mended"),
    refused("coding-and-length-0", FRAMING, post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + _SMUGGLED), why="the oldest way to smuggle: never passed on, not even mended"),
    refused("coding-twice-in-list", CODING, _coding(b"chunked, chunked"), why=_STRICT_CODING),
    refused("coding-two-fields", CODING, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=HELLO), why=_STRICT_CODING),
    refused("coding-two-fields-identity", CODING, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=HELLO), why=_STRICT_CODING),
    refused("coding-identity", FRAMING, _coding(b"identity"), why=_STRICT_CODING),
    refused("coding-not-last", FRAMING, _coding(b"chunked, gzip"), why=_STRICT_CODING),
    refused("coding-gzip-only", FRAMING, _coding(b"gzip"), why="not ending in chunked: the end cannot be known"),
    refused("coding-gzip-chunked", CODING, _coding(b"gzip, chunked"), 501, why="a coding that we do not decode must not be taken for the body"),
    refused("coding-unknown", CODING, _coding(b"xchunked"), why=_STRICT_CODING),
    refused("coding-quoted", CODING, _coding(b'"chunked"'), why=_STRICT_CODING),
    refused("coding-parameter", CODING, _coding(b"chunked;a=b"), why=_STRICT_CODING),
    refused("coding-empty", CODING, _coding(b""), why=_STRICT_CODING),
    refused("coding-empty-element", CODING, _coding(b"chunked,"), why=_STRICT_CODING),
    refused("coding-leading-comma", CODING, _coding(b", chunked"), why=_STRICT_CODING),
    refused("coding-vertical-tab", CODING, _coding(b"\x0bchunked"), why=_STRICT_CODING),
    refused("coding-nul", CODING, _coding(b"chunked\x00"), why=_STRICT_CODING),
    refused("coding-two-words", CODING, _coding(b"chunked chunked"), why=_STRICT_CODING),
    passes("coding-unknown-field-name", CODING, post(b"Transfer_Encoding: chunked", b"Content-Length: 5", body=b"hello"), why="another name, so another field; the upstream sees it as we do"),
    refused("coding-in-1.0", CODING, _coding(b"chunked").replace(b"HTTP/1.1", b"HTTP/1.0"), why="faulty framing in HTTP/1.0, whatever else stands there"),
]

CHUNKS: list[Case] = [
    passes("chunk-one", CHUNK, chunks(HELLO)),
    passes("chunk-two", CHUNK, chunks(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), seen=chunks(HELLO), why=_REFRAMED),
    passes("chunk-only-last", CHUNK, chunks(b"0\r\n\r\n"), why="framed as it came, even where nothing is in it"),
    passes("chunk-upper-case-size", CHUNK, chunks(b"A\r\n0123456789\r\n0\r\n\r\n"), seen=chunks(b"a\r\n0123456789\r\n0\r\n\r\n"), why=_REFRAMED),
    passes("chunk-leading-zeros", CHUNK, chunks(b"0005\r\nhello\r\n000\r\n\r\n"), seen=chunks(HELLO), why=_REFRAMED),
    passes("chunk-byte-by-byte", CHUNK, tuple(chunks(HELLO)[n : n + 1] for n in range(len(chunks(HELLO)))), seen=chunks(HELLO)),
    passes("chunk-crlf-in-data", CHUNK, chunks(b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n")),
    passes("chunk-large", CHUNK, chunks(b"ffff\r\n" + b"x" * 65535 + b"\r\n0\r\n\r\n")),
    passes("chunk-extension", EXTENSION, chunks(b"5;a=b\r\nhello\r\n0\r\n\r\n"), seen=chunks(HELLO), why=_REFRAMED),
    passes("chunk-extension-no-value", EXTENSION, chunks(b"5;a\r\nhello\r\n0;b\r\n\r\n"), seen=chunks(HELLO), why=_REFRAMED),
    passes("chunk-extension-quoted", EXTENSION, chunks(b'5;a="b;c\\"d"\r\nhello\r\n0\r\n\r\n'), seen=chunks(HELLO), why=_REFRAMED),
    passes("chunk-extension-spaces", EXTENSION, chunks(b"5 ; a = b\r\nhello\r\n0\r\n\r\n"), seen=chunks(HELLO), why=_REFRAMED),
    refused("chunk-extension-lf", EXTENSION, chunks(b"5;a\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-extension-bare-cr", EXTENSION, chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-extension-nul", EXTENSION, chunks(b"5;a=\x00\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-extension-unclosed-quote", EXTENSION, chunks(b'5;a="b\r\nhello\r\n0\r\n\r\n'), why=_STRICT_CHUNK),
    refused("chunk-extension-20000-bytes", EXTENSION, chunks(b"5;a=" + b"b" * 20000 + b"\r\nhello\r\n0\r\n\r\n"), why="a size line is bounded at 16 KiB"),
    refused("chunk-no-size", CHUNK, chunks(b"\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-minus", CHUNK, chunks(b"-5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-plus", CHUNK, chunks(b"+5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-0x", CHUNK, chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-underscore", CHUNK, chunks(b"0_5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-letters", CHUNK, chunks(b"xyz\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-space-before", CHUNK, chunks(b" 5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-space-behind", CHUNK, chunks(b"5 \r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-comma", CHUNK, chunks(b"5,5\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-17-digits", CHUNK, chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-2-to-64-less-1", CHUNK, chunks(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), why="over 2^63 it is negative somewhere"),
    refused("chunk-size-40-digits", CHUNK, chunks(b"5" * 40 + b"\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-bare-lf", CHUNK, chunks(b"5\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-bare-cr", CHUNK, chunks(b"5\rhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-size-nul", CHUNK, chunks(b"5\x00\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-data-too-long", CHUNK, chunks(b"4\r\nhello\r\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-data-no-crlf", CHUNK, chunks(b"5\r\nhello0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-data-lf", CHUNK, chunks(b"5\r\nhello\n0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-data-two-other-bytes", CHUNK, chunks(b"5\r\nhelloXX0\r\n\r\n"), why=_STRICT_CHUNK),
    refused("chunk-last-with-data", CHUNK, chunks(b"5\r\nhello\r\n0\r\nhello\r\n\r\n"), why="the line behind the last chunk is a trailer, and this is none"),
]

TRAILERS: list[Case] = [
    passes("trailer-one", TRAILER, chunks(b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n"), why=_TRAILERS),
    passes("trailer-two", TRAILER, chunks(b"5\r\nhello\r\n0\r\nX-T: v\r\nX-U: w\r\n\r\n"), why=_TRAILERS),
    passes("trailer-announced", TRAILER, chunks(b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n", b"Trailer: X-T"), why=_TRAILERS),
    passes("trailer-in-its-own-piece", TRAILER, (chunks(b"5\r\nhello\r\n0\r\n"), b"X-T: v\r\n", b"\r\n"), why=_TRAILERS),
    refused("trailer-length", "RFC 9110 §6.5.1", chunks(b"0\r\nContent-Length: 5\r\n\r\n"), why=_TRAILERS),
    refused("trailer-coding", "RFC 9110 §6.5.1", chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), why=_TRAILERS),
    refused("trailer-host", "RFC 9110 §6.5.1", chunks(b"0\r\nHost: r\r\n\r\n"), why=_TRAILERS),
    refused("trailer-connection", "RFC 9110 §6.5.1", chunks(b"0\r\nConnection: close\r\n\r\n"), why=_TRAILERS),
    refused("trailer-fold", FRAMING, chunks(b"0\r\nX: a\r\n b\r\n\r\n"), why="held to the rules of the header section"),
    refused("trailer-bare-lf", FRAMING, chunks(b"0\r\nX: a\n\r\n\r\n"), why="held to the rules of the header section"),
    refused("trailer-nul", FRAMING, chunks(b"0\r\nX: a\x00b\r\n\r\n"), why="held to the rules of the header section"),
    refused("trailer-space-before-colon", FRAMING, chunks(b"0\r\nX : a\r\n\r\n"), why="held to the rules of the header section"),
    refused("trailer-no-colon", FRAMING, chunks(b"0\r\nX\r\n\r\n"), why="held to the rules of the header section"),
    refused("trailer-20000-bytes", "RFC 6585 §5", chunks(b"0\r\nX: " + b"a" * 20000 + b"\r\n\r\n"), why="a trailer section is bounded at 16 KiB"),
]

SMUGGLED: list[Case] = [
    passes("next-behind-length", FRAMING, _length(b"5") + _SMUGGLED, seen=(_length(b"5"), _SMUGGLED), answer=(b"HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 202 B\r\nContent-Length: 0\r\n\r\n"),
           ),
    passes("next-behind-chunks", FRAMING, chunks(HELLO) + _SMUGGLED, seen=(chunks(HELLO), _SMUGGLED), answer=(b"HTTP/1.1 201 A\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 202 B\r\nContent-Length: 0\r\n\r\n"), why="chunks are framed anew"),
    passes("body-that-is-a-request", FRAMING, post(b"Content-Length: %d" % len(_SMUGGLED), body=_SMUGGLED)),
    refused("next-behind-refused", FRAMING, post(b"Content-Length: x", body=b"") + _SMUGGLED),
    refused("next-behind-bad-chunk", FRAMING, chunks(b"5;\x01\r\nhello\r\n0\r\n\r\n") + _SMUGGLED, why=_STRICT_CHUNK),
]

CASES = LENGTHS + CODINGS + CHUNKS + TRAILERS + SMUGGLED
