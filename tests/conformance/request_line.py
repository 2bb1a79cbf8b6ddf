"""Request lines, target forms and Host."""

from tests.conformance.case import OK, Case, get, passes, refused

LINE = "RFC 9112 §3"
TARGET = "RFC 9112 §3.2"
ABSOLUTE = "RFC 9112 §3.2.2"
HOST = "RFC 9110 §7.2"

_NO_REWRITE = "a path goes on as it came; an upstream decides what it means"
_STRICT_LINE = "one space, one spelling: what two parsers could read in two ways goes nowhere"


def _line(line: bytes) -> bytes:
    return get(line=line)


def _host(*fields: bytes, line: bytes = b"GET /x HTTP/1.1") -> bytes:
    return b"\r\n".join((line, *fields)) + b"\r\n\r\n"


LINES: list[Case] = [
    passes("line-get", LINE, get()),
    passes("line-unknown-method", "RFC 9110 §9.1", _line(b"BREW /x HTTP/1.1")),
    passes("line-lower-case-method", "RFC 9110 §9.1", _line(b"get /x HTTP/1.1"), why="methods are case-sensitive tokens that the upstream judges"),
    passes("line-method-with-token-signs", "RFC 9110 §9.1", _line(b"M-SEARCH /x HTTP/1.1")),
    passes("line-delete", "RFC 9110 §9.3.5", _line(b"DELETE /x HTTP/1.1")),
    refused("line-method-with-bad-sign", "RFC 9110 §9.1", _line(b"GE(T /x HTTP/1.1")),
    refused("line-empty-method", LINE, _line(b" /x HTTP/1.1")),
    refused("line-tab-before-target", LINE, _line(b"GET\t/x HTTP/1.1"), why="one spelling: what two parsers could read in two ways goes nowhere"),
    refused("line-two-spaces-before-target", LINE, _line(b"GET  /x HTTP/1.1"), why=_STRICT_LINE),
    refused("line-two-spaces-before-version", LINE, _line(b"GET /x  HTTP/1.1"), why=_STRICT_LINE),
    refused("line-space-behind-version", LINE, _line(b"GET /x HTTP/1.1 "), why=_STRICT_LINE),
    refused("line-space-in-target", LINE, _line(b"GET /x y HTTP/1.1"), why=_STRICT_LINE),
    refused("line-leading-space", LINE, b" " + get()),
    refused("line-no-version", LINE, b"GET /x\r\n\r\n", why="HTTP/0.9 has neither headers nor a status; nobody speaks it to Qdrant"),
    refused("line-version-1", LINE, _line(b"GET /x HTTP/1")),
    refused("line-version-lower-case", "RFC 9112 §2.3", _line(b"GET /x http/1.1")),
    refused("line-version-two-digits", "RFC 9112 §2.3", _line(b"GET /x HTTP/1.10"), why="one spelling: what two parsers could read in two ways goes nowhere"),
    refused("line-version-name", "RFC 9112 §2.3", _line(b"GET /x HTTQ/1.1")),
    refused("line-version-2.0", "RFC 9110 §2.5", _line(b"GET /x HTTP/2.0"), 505, why="a version that is not spoken here: 505 says so"),
    refused("line-version-0.9", "RFC 9110 §2.5", _line(b"GET /x HTTP/0.9"), 505, why="a version that is not spoken here: 505 says so"),
    refused("line-version-1.2", "RFC 9110 §2.5", _line(b"GET /x HTTP/1.2"), 505, why="no such version was ever published: refused rather than guessed at"),
    refused("line-http2-preface", "RFC 9113 §3.4", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, why="a version that is not spoken here: 505 says so"),
    refused("line-tls-hello", LINE, b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"),
    refused("line-nul", LINE, _line(b"GET /x\x00y HTTP/1.1")),
    refused("line-bare-cr", LINE, _line(b"GET /x\ry HTTP/1.1")),
    refused("line-bare-lf", "RFC 9112 §2.2", b"GET /x HTTP/1.1\nHost: q\r\n\r\n", why="a bare LF ends a line for some and not for others"),
    refused("line-control-byte", LINE, _line(b"GET /x\x01 HTTP/1.1")),
    refused("line-delete-byte", LINE, _line(b"GET /x\x7f HTTP/1.1")),
    passes("line-empty-line-before", "RFC 9112 §2.2", b"\r\n" + get(), seen=get()),
    passes("line-two-empty-lines-before", "RFC 9112 §2.2", b"\r\n\r\n" + get(), seen=get()),
    refused("line-many-empty-lines-before", "RFC 9112 §2.2", b"\r\n" * 200 + get(), why="a few are courtesy, hundreds are somebody trying something"),
    refused("line-bare-lf-before", "RFC 9112 §2.2", b"\n" + get(), why="a bare LF ends a line for some and not for others"),
    refused("line-bare-cr-before", "RFC 9112 §2.2", b"\r" + get(), why="one spelling: what two parsers could read in two ways goes nowhere"),
    passes("line-target-8000-bytes", LINE, _line(b"GET /" + b"a" * 8000 + b" HTTP/1.1")),
    refused("line-target-70000-bytes", LINE, _line(b"GET /" + b"a" * 70000 + b" HTTP/1.1"), 431, why="one bound for the whole head, so one status"),
]

TARGETS: list[Case] = [
    passes("target-root", TARGET, _line(b"GET / HTTP/1.1")),
    passes("target-query", TARGET, _line(b"GET /x?a=b&c=%20d&&e HTTP/1.1")),
    passes("target-empty-query", TARGET, _line(b"GET /x? HTTP/1.1")),
    passes("target-double-slash", TARGET, _line(b"GET //x//y HTTP/1.1"), why=_NO_REWRITE),
    passes("target-dot-segments", TARGET, _line(b"GET /a/../x/./y HTTP/1.1"), why=_NO_REWRITE),
    passes("target-encoded-dots", TARGET, _line(b"GET /a/%2e%2e/%2Fx HTTP/1.1"), why=_NO_REWRITE),
    passes("target-encoded-nul", TARGET, _line(b"GET /a%00b HTTP/1.1"), why=_NO_REWRITE),
    passes("target-broken-encoding", TARGET, _line(b"GET /a%zz%2 HTTP/1.1"), why=_NO_REWRITE),
    passes("target-unsafe-signs", TARGET, _line(b'GET /a"<>[]{}|^`\\b HTTP/1.1'), why="not of the grammar but unambiguous; clients send collections' names like this"),
    passes("target-utf8", TARGET, _line("GET /collections/größe HTTP/1.1".encode()), why="curl sends what it is given; Qdrant takes it"),
    passes("target-colon", TARGET, _line(b"GET /a:b@c HTTP/1.1")),
    passes("target-like-absolute-in-path", TARGET, _line(b"GET /http://other/x HTTP/1.1"), why=_NO_REWRITE),
    refused("target-fragment", "RFC 9112 §3.2", _line(b"GET /x#y HTTP/1.1"), why="a fragment is never sent; some cut it off and some do not"),
    refused("target-no-slash", TARGET, _line(b"GET x HTTP/1.1")),
    refused("target-only-query", TARGET, _line(b"GET ?a=b HTTP/1.1")),
    refused("target-backslash", TARGET, _line(b"GET \\x HTTP/1.1")),
    passes("target-asterisk-options", "RFC 9112 §3.2.4", _line(b"OPTIONS * HTTP/1.1"), why="Qdrant may know what it means"),
    refused("target-asterisk-get", "RFC 9112 §3.2.4", _line(b"GET * HTTP/1.1"), why="refused where it is seen first, not left to the upstream"),
    refused("target-asterisk-and-more", "RFC 9112 §3.2.4", _line(b"OPTIONS *x HTTP/1.1"), why="refused where it is seen first, not left to the upstream"),
    refused("target-connect-authority", "RFC 9110 §9.3.6", b"CONNECT q:443 HTTP/1.1\r\nHost: q:443\r\n\r\n", 501, why="no tunnel to anywhere is opened here"),
    refused("target-connect-path", "RFC 9110 §9.3.6", _line(b"CONNECT /x HTTP/1.1"), 501, why="no tunnel to anywhere is opened here"),
    refused("target-authority-get", "RFC 9112 §3.2.3", _line(b"GET q:80 HTTP/1.1")),
    passes("absolute-same-host", ABSOLUTE, _line(b"GET http://q/x?y HTTP/1.1"), seen=_line(b"GET /x?y HTTP/1.1"), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-upper-case-scheme", ABSOLUTE, _line(b"GET HTTP://q/x HTTP/1.1"), seen=get(), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-https", ABSOLUTE, _line(b"GET https://q/x HTTP/1.1"), seen=get(), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes(
        "absolute-other-host", ABSOLUTE, _host(b"Host: q", line=b"GET http://other:81/x HTTP/1.1"),
        seen=_host(b"Host: other:81"), why="the RFC's rule: the target's authority replaces the Host field",
    ),
    passes("absolute-no-path", ABSOLUTE, _line(b"GET http://q HTTP/1.1"), seen=_line(b"GET / HTTP/1.1"), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-no-path-query", ABSOLUTE, _line(b"GET http://q?a=b HTTP/1.1"), seen=_line(b"GET /?a=b HTTP/1.1"), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-options-no-path", "RFC 9112 §3.2.4", _line(b"OPTIONS http://q HTTP/1.1"), seen=_line(b"OPTIONS * HTTP/1.1"), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-ipv6", ABSOLUTE, _host(b"Host: [::1]:6333", line=b"GET http://[::1]:6333/x HTTP/1.1"), seen=_host(b"Host: [::1]:6333"), why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    passes("absolute-1.0-no-host", ABSOLUTE, _host(line=b"GET http://q/x HTTP/1.0"), seen=_host(b"Host: q"), then="closed",
           got=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nconnection: close\r\n\r\nhello", why="an origin server is sent the path alone (RFC 9112 §3.2.1)"),
    refused("absolute-no-host-field", HOST, _host(line=b"GET http://q/x HTTP/1.1"), why="HTTP/1.1 without Host is refused whatever the target says"),
    refused("absolute-userinfo", "RFC 9110 §4.2.4", _line(b"GET http://a:b@q/x HTTP/1.1"), why="a password in a target is a mistake or a trick"),
    refused("absolute-other-scheme", ABSOLUTE, _line(b"GET ftp://q/x HTTP/1.1"), why="only http and https name something that is here"),
    refused("absolute-no-authority", ABSOLUTE, _line(b"GET http:///x HTTP/1.1"), why="refused where it is seen first, not left to the upstream"),
    refused("absolute-one-slash", ABSOLUTE, _line(b"GET http:/q/x HTTP/1.1")),
    refused("absolute-bad-authority", ABSOLUTE, _line(b"GET http://q:6x/x HTTP/1.1")),
    refused("absolute-backslash-in-authority", ABSOLUTE, _line(b"GET http://q\\x/y HTTP/1.1")),
]

HOSTS: list[Case] = [
    refused("host-missing", HOST, _host(), why="RFC 9112 §3.2 asks every recipient to refuse it"),
    refused("host-twice", HOST, _host(b"Host: q", b"Host: q"), why="not of the grammar of an authority, or two of them"),
    refused("host-two-different", HOST, _host(b"Host: q", b"Host: r")),
    refused("host-list", HOST, _host(b"Host: q, r"), why="not of the grammar of an authority, or two of them"),
    passes("host-empty", HOST, _host(b"Host:"), why="empty is what a client without an authority must send"),
    passes("host-port", HOST, _host(b"Host: q.example:6333")),
    passes("host-empty-port", HOST, _host(b"Host: q:")),
    passes("host-ipv4", HOST, _host(b"Host: 127.0.0.1:6333")),
    passes("host-ipv6", HOST, _host(b"Host: [2001:db8::1]:6333")),
    passes("host-spelling-kept", HOST, _host(b"hOsT:  Q.Example")),
    passes("host-last-field", HOST, _host(b"X-A: 1", b"Host: q")),
    passes("host-encoded", HOST, _host(b"Host: a%20b"), why="percent-encoding belongs to the grammar of a registered name"),
    passes("host-underscore", HOST, _host(b"Host: my_service:6333")),
    refused("host-space", HOST, _host(b"Host: q r"), why="not of the grammar of an authority, or two of them"),
    refused("host-slash", HOST, _host(b"Host: q/x"), why="not of the grammar of an authority, or two of them"),
    refused("host-userinfo", HOST, _host(b"Host: a@q"), why="not of the grammar of an authority, or two of them"),
    refused("host-query", HOST, _host(b"Host: q?x"), why="not of the grammar of an authority"),
    refused("host-hash", HOST, _host(b"Host: q#x"), why="not of the grammar of an authority"),
    refused("host-backslash", HOST, _host(b"Host: q\\x"), why="not of the grammar of an authority"),
    refused("host-bad-port", HOST, _host(b"Host: q:80x"), why="not of the grammar of an authority"),
    refused("host-port-too-large", HOST, _host(b"Host: q:65536"), why="no such port"),
    refused("host-two-ports", HOST, _host(b"Host: q:1:2"), why="not of the grammar of an authority"),
    refused("host-open-bracket", HOST, _host(b"Host: [::1"), why="not of the grammar of an authority"),
    refused("host-bracket-name", HOST, _host(b"Host: [q]"), why="not of the grammar of an authority"),
    refused("host-behind-bracket", HOST, _host(b"Host: [::1]x"), why="not of the grammar of an authority"),
    refused("host-byte-over-127", HOST, _host(b"Host: q\xe4"), why="not of the grammar of an authority"),
    passes("host-1.0-missing", HOST, _host(line=b"GET /x HTTP/1.0"), seen=_host(b"Host: $UPSTREAM"), then="closed",
           got=OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), why="to the upstream we speak HTTP/1.1, which needs one: its own address"),
]

CASES = LINES + TARGETS + HOSTS
