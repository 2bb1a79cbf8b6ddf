"""One line of the conformance table: what a client sends, what the upstream must see, what the client must get.

The tables are plain bytes of our own. Playing them is player.py's work; what nginx and HAProxy do with the same bytes
is recorded by others.py.
"""

from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass(frozen=True)
class Await:
    """The client goes on when this much has come back."""

    mark: bytes


class _End:
    """The client shuts down its sending side."""

    def __repr__(self) -> str:
        return "END"


END = _End()
Step = bytes | Await | _End


@dataclass(frozen=True)
class Error:
    """An answer of our own in Qdrant's shape."""

    status: int


@dataclass(frozen=True)
class Case:
    name: str
    section: str  # RFC and section that say so
    send: tuple[Step, ...]
    seen: tuple[bytes, ...]  # the requests that reach the upstream, whole; chunked bodies as one chunk
    answers: tuple[bytes, ...]  # what the upstream says to each request, the last again and again
    got: tuple[bytes | Error, ...]  # the responses; chunked bodies as one chunk
    then: str  # the client's connection afterwards: "open", "closed" (cleanly), "cut" (inside a response)
    up_ends: str = ""  # the upstream's connection after its answer: "" goes on, "close", "reset"
    early: bool = False  # the upstream answers when it has a request's head
    interim: bytes = b""  # what the upstream says when it has a request's head, before it reads the body
    again: bool = True  # with then="open": the upstream's connection carries the next request
    settings: str = ""  # which configured program: "" is the default one
    why: str = ""  # why we differ from nginx or HAProxy, where we do


def _steps(send: Step | tuple[Step, ...]) -> tuple[Step, ...]:
    return send if isinstance(send, tuple) else (send,)


def _whole(send: tuple[Step, ...]) -> bytes:
    return b"".join(step for step in send if isinstance(step, bytes))


def passes(name, section, send, seen=None, answer=OK, got=None, then="open", **more) -> Case:
    """Goes through. The upstream sees what was sent and the client gets what was answered, unless said otherwise."""
    steps = _steps(send)
    requests = (_whole(steps),) if seen is None else _steps(seen)
    answers = _steps(answer)
    return Case(name, section, steps, requests, answers, answers if got is None else _steps(got), then, **more)


def refused(name, section, send, status=400, seen=(), got=(), **more) -> Case:
    """Answered with an error of ours and closed; the upstream sees nothing of it (only what came before)."""
    return Case(name, section, _steps(send), _steps(seen), (OK,), (*_steps(got), Error(status)), "closed", **more)


def bad_answer(name, section, answer, send=None, seen=None, status=502, **more) -> Case:
    """An answer that must not be passed on: 502, and the upstream's connection is never used again."""
    steps = _steps(send or get())
    requests = (_whole(steps),) if seen is None else _steps(seen)
    return Case(name, section, steps, requests, _steps(answer), (Error(status),), "open", again=False, **more)


def cut(name, section, answer, got, send=None, **more) -> Case:
    """The answer turns out bad when a part of it is with the client: the client's connection ends inside it."""
    steps = _steps(send or get())
    return Case(name, section, steps, (_whole(steps),), _steps(answer), _steps(got), "cut", **more)


def _message(line: bytes, fields: tuple[bytes, ...], body: bytes) -> bytes:
    return b"\r\n".join((line, *fields)) + b"\r\n\r\n" + body


def get(*fields: bytes, line: bytes = b"GET /x HTTP/1.1") -> bytes:
    """A request with a Host and these fields."""
    return _message(line, (b"Host: q", *fields), b"")


def post(*fields: bytes, body: bytes = b"", line: bytes = b"POST /x HTTP/1.1") -> bytes:
    return _message(line, (b"Host: q", *fields), body)


def chunks(body: bytes, *fields: bytes) -> bytes:
    """A chunked request; `body` with its framing."""
    return post(b"Transfer-Encoding: chunked", *fields, body=body)


def ok(*fields: bytes, body: bytes = b"", line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return _message(line, fields, body)


def ok_chunks(body: bytes, *fields: bytes) -> bytes:
    return ok(b"Transfer-Encoding: chunked", *fields, body=body)
