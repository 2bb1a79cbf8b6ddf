"""From method, path and body to an answer: the route table, keys and query parameters. Sockets are in server.py."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable
from urllib.parse import parse_qsl, unquote

from . import requests, wire
from .errors import ApiError, FormatError, NoRoute
from .service import Service

VERSION = "1.19.0"
COMMIT = "74f3e85b9473c62560006c043e13737ce6b48412"
MAX_BODY = 32 * 1024 * 1024

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

# Served without a key.
OPEN_PATHS = ((), ("healthz",), ("livez",), ("readyz",))
# POST requests that only read.
READS = {"search", "query", "recommend", "discover", "scroll", "count", "facet"}


@dataclass
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""
    # What the body was on the wire when it was too large to keep.
    oversized: int = 0


@dataclass
class Answer:
    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Keys:
    """The API keys; without any, everybody may do everything."""

    read_write: str | None = None
    read_only: str | None = None

    def refusal(self, request: Request) -> str | None:
        """Why a request may not pass, as the server's 401 text; the `api-key` header wins over a bearer token."""
        if self.read_write is None and self.read_only is None:
            return None
        given = _key_of(request)
        if given is None:
            return "Must provide an API key or an Authorization bearer token"
        return None if given in (self.read_write, self.read_only) else "Invalid API key or JWT"

    def may_write(self, request: Request) -> bool:
        return self.read_only is None or _key_of(request) != self.read_only


def _key_of(request: Request) -> str | None:
    key = request.headers.get("api-key")
    if key is None and request.headers.get("authorization", "").startswith("Bearer "):
        key = request.headers["authorization"][len("Bearer ") :]
    return key


class Application:
    """Answers requests one at a time."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.service = Service()
        self.keys = keys or Keys()

    def answer(self, request: Request) -> Answer:
        headers = self._cors(request)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return self._preflight(request)
        segments = tuple(unquote(part) for part in request.path.split("/") if part)
        if segments not in OPEN_PATHS:
            refusal = self.keys.refusal(request)
            if refusal is not None:
                return Answer(401, refusal.encode(), None, headers)
        began = time.perf_counter()
        try:
            status, content_type, body = self._route(request, segments, began)
        except NoRoute:
            status, content_type, body = 404, None, b""
        except ApiError as error:
            # A server has not begun to measure when it refuses a body.
            early = error.status == 422 or isinstance(error, (FormatError, _Early))
            status, content_type = error.status, JSON
            body = _envelope("status", {"error": error.message}, 0.0 if early else time.perf_counter() - began)
        return Answer(status, body, content_type, headers)

    @staticmethod
    def _cors(request: Request) -> list[tuple[str, str]]:
        origin = request.headers.get("origin")
        return [("access-control-allow-origin", origin)] if origin is not None else []

    @staticmethod
    def _preflight(request: Request) -> Answer:
        asked = request.headers.get("access-control-request-headers")
        headers = [
            ("access-control-allow-methods", "TRACE, POST, DELETE, CONNECT, PUT, HEAD, PATCH, GET, OPTIONS"),
            ("access-control-allow-origin", request.headers.get("origin", "*")),
        ]
        if asked is not None:
            headers.append(("access-control-allow-headers", asked))
        return Answer(200, b"", None, headers)

    def _route(self, request: Request, segments: tuple[str, ...], began: float) -> tuple[int, str | None, bytes]:
        method = request.method
        if method == "GET" and segments in _PLAIN:
            content_type, body = _PLAIN[segments]
            return 200, content_type, body
        handler, arguments = self._handler(method, segments)
        parameters = dict(parse_qsl(request.query, keep_blank_values=True))
        _check_parameters(parameters)
        if "name" in arguments and "/" in arguments["name"]:
            raise _Early(
                'Validation error in path parameters: [collection_name: collection name cannot contain "/" char]', 422
            )
        if not self.keys.may_write(request) and not _only_reads(method, segments):
            raise ApiError("Forbidden: Global manage access is required", 403)
        status = "completed" if parameters.get("wait", "false") == "true" else "acknowledged"
        body = None
        if handler.takes_body:
            if request.oversized:
                raise _Early(
                    f"JSON payload ({request.oversized} bytes) is larger than allowed (limit: {MAX_BODY} bytes)."
                )
            body = wire.parse(request.body)
        try:
            result = handler.run(self.service, body=body, status=status, **arguments)
        except FormatError as error:
            error.place_at_end(request.body)
            raise
        return 200, JSON, _envelope("result", result, time.perf_counter() - began)

    def _handler(self, method: str, segments: tuple[str, ...]) -> tuple["Handler", dict[str, str]]:
        for pattern, handler in _ROUTES.get(method, []):
            if len(pattern) != len(segments):
                continue
            arguments = {}
            for wanted, given in zip(pattern, segments):
                if wanted.startswith("{"):
                    arguments[wanted[1:-1]] = given
                elif wanted != given:
                    break
            else:
                return handler, arguments
        raise NoRoute()


class _Early(ApiError):
    """Refused before the request reached its endpoint."""


def _envelope(kind: str, value: Any, elapsed: float) -> bytes:
    spent = wire.print_double(round(elapsed, 9))
    if kind == "status":
        return f'{{"status":{wire.dump(value)},"time":{spent}}}'.encode()
    return f'{{"result":{wire.dump(value)},"status":"ok","time":{spent}}}'.encode()


def _check_parameters(parameters: dict[str, str]) -> None:
    timeout = parameters.get("timeout")
    if timeout is not None:
        if not (timeout.isascii() and timeout.isdigit()):
            raise _Early(f'Deserialize error in query parameters: invalid digit found in string')
        if int(timeout) == 0:
            raise _Early("Deserialize error in query parameters: invalid value: integer `0`, expected a nonzero u64")
    consistency = parameters.get("consistency")
    if consistency is not None and consistency not in ("majority", "quorum", "all"):
        if not (consistency.isascii() and consistency.isdigit()) or int(consistency) == 0:
            raise _Early(
                "Deserialize error in query parameters: failed to deserialize read consistency query parameter"
                f" value '{consistency}'"
            )


def _only_reads(method: str, segments: tuple[str, ...]) -> bool:
    if method == "GET":
        return True
    return method == "POST" and (segments[-1] == "points" or bool(READS & set(segments[2:])))


@dataclass
class Handler:
    run: Callable[..., Any]
    takes_body: bool


def _searches(body: Any) -> list:
    if not isinstance(body, dict) or not isinstance(body.get("searches"), list):
        raise FormatError("missing field `searches`")
    return body["searches"]


def _query(service: Service, body: Any, name: str, **_: Any) -> dict:
    return {"points": service.search(name, requests.query_request(body))}


def _query_batch(service: Service, body: Any, name: str, **_: Any) -> list:
    searches = [requests.query_request(one) for one in _searches(body)]
    return [{"points": service.search(name, one)} for one in searches]


def _one(parse: Callable[[Any], requests.Search]) -> Callable[..., Any]:
    return lambda service, body, name, **_: service.search(name, parse(body))


def _batch(parse: Callable[[Any], requests.Search]) -> Callable[..., Any]:
    def run(service: Service, body: Any, name: str, **_: Any) -> list:
        searches = [parse(one) for one in _searches(body)]
        return [service.search(name, one) for one in searches]

    return run


def _groups(parse: Callable[..., requests.Search]) -> Callable[..., Any]:
    return lambda service, body, name, **_: service.groups(name, parse(body, groups=True))


def _with_body(method: str, **fixed: Any) -> Handler:
    return Handler(
        lambda service, body, name, status, **rest: getattr(service, method)(name, body, **fixed, **rest), True
    )


def _writing(method: str, **fixed: Any) -> Handler:
    return Handler(
        lambda service, body, name, status, **rest: getattr(service, method)(name, body, status, **fixed, **rest), True
    )


_PLAIN = {
    (): (JSON, f'{{"title":"qdrant - vector search engine","version":"{VERSION}","commit":"{COMMIT}"}}'.encode()),
    ("healthz",): (TEXT, b"healthz check passed"),
    ("livez",): (TEXT, b"healthz check passed"),
    ("readyz",): (TEXT, b"all shards are ready"),
}

_ROUTES: dict[str, list[tuple[tuple[str, ...], Handler]]] = {}


def _add(method: str, path: str, handler: Handler) -> None:
    _ROUTES.setdefault(method, []).append((tuple(path.split("/")), handler))


def _read(method: str) -> Handler:
    return Handler(lambda service, body, status, **rest: getattr(service, method)(**rest), False)


_add("GET", "collections", _read("collections"))
_add("GET", "aliases", Handler(lambda service, **_: {"aliases": []}, False))
_add("GET", "cluster", Handler(lambda service, **_: {"status": "disabled"}, False))
_add("GET", "issues", Handler(lambda service, **_: {"issues": []}, False))
_add("GET", "collections/{name}", _read("describe"))
_add("GET", "collections/{name}/exists", Handler(
    lambda service, name, **_: {"exists": name in service.local.collections}, False))
_add("PUT", "collections/{name}", Handler(lambda service, body, name, **_: service.create(name, body), True))
_add("DELETE", "collections/{name}", Handler(lambda service, name, **_: service.delete(name), False))
_add("PUT", "collections/{name}/index", _writing("create_index"))
_add("DELETE", "collections/{name}/index/{field}", Handler(
    lambda service, name, field, status, **_: service.delete_index(name, field, status), False))
_add("POST", "collections/{name}/facet", _with_body("facet"))
_add("PUT", "collections/{name}/points", _writing("upsert"))
_add("POST", "collections/{name}/points", _with_body("retrieve"))
_add("GET", "collections/{name}/points/{spelled}", _read("point"))
_add("POST", "collections/{name}/points/delete", _writing("delete_points"))
_add("POST", "collections/{name}/points/payload", _writing("set_payload", replace=False))
_add("PUT", "collections/{name}/points/payload", _writing("set_payload", replace=True))
_add("POST", "collections/{name}/points/scroll", _with_body("scroll"))
_add("POST", "collections/{name}/points/count", _with_body("count"))
_add("POST", "collections/{name}/points/query", Handler(_query, True))
_add("POST", "collections/{name}/points/query/batch", Handler(_query_batch, True))
_add("POST", "collections/{name}/points/query/groups", Handler(
    lambda service, body, name, **_: service.groups(name, requests.query_groups_request(body)), True))
for _kind, _parse in (("search", requests.search_request), ("recommend", requests.recommend_request)):
    _add("POST", f"collections/{{name}}/points/{_kind}", Handler(_one(_parse), True))
    _add("POST", f"collections/{{name}}/points/{_kind}/batch", Handler(_batch(_parse), True))
    _add("POST", f"collections/{{name}}/points/{_kind}/groups", Handler(_groups(_parse), True))
_add("POST", "collections/{name}/points/discover", Handler(_one(requests.discover_request), True))
_add("POST", "collections/{name}/points/discover/batch", Handler(_batch(requests.discover_request), True))
_add("POST", "collections/{name}/points/search/matrix/pairs", _with_body("matrix", pairs=True))
_add("POST", "collections/{name}/points/search/matrix/offsets", _with_body("matrix", pairs=False))
