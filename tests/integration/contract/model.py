"""The contract as a slow program: from a request and an upstream to the answer that the client must get.

It edits bodies as DOMs, fetches whole payloads, asks the upstream as often as it likes, and shares no code with the
program that it is held against. It knows the searches and options that `generated.py` makes, not all there are.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.integration.contract.judging import mock_logit, sigmoid, text_of, z_scores
from tests.support import raw_json

OPTIONS = ("use_reranker", "rerank", "rerank_query", "rerank_top_k", "rerank_field", "rerank_score_threshold",
           "rerank_weight", "rerank_on_error")
DEFAULT_TOP_K = 50
# More is refused by the server.
MAX_MMR_CANDIDATES = 16_384


@dataclass
class Request:
    """One call of an endpoint; parameters and headers carry texts."""

    path: str  # "query/groups"
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.path.partition("/")[0]

    @property
    def batch(self) -> bool:
        return self.path.endswith("/batch")

    @property
    def groups(self) -> bool:
        return self.path.endswith("/groups")


@dataclass
class Hit:
    """A returned point: members but for the scores as raw JSON, Qdrant's score as it printed it."""

    members: dict[str, str]
    own_score: str
    score: float | None = None  # None: not scored
    rerank_score: float | None = None


@dataclass
class Group:
    members: dict[str, str]  # but for the hits
    hits: list[Hit]


@dataclass
class Result:
    """What one search gives. `raw`: the result must be these bytes, else `hits` or `groups` tell it."""

    used: bool = False
    reason: str | None = None
    candidates: int = 0
    raw: str | None = None
    hits: list[Hit] = field(default_factory=list)
    groups: list[Group] | None = None


@dataclass
class Refused:
    """A 400 of the proxy."""


@dataclass
class Passed:
    """The upstream's own answer; `wish`: with headers that say why it is not more."""

    wish: bool


# Sends (path, body) to the upstream, which does not refuse it; gives `result` as raw JSON.
Ask = Callable[[str, dict[str, Any]], str]


# --- options ---------------------------------------------------------------------------------------------------------


def prefetches_of(search: dict[str, Any]) -> list[dict[str, Any]]:
    found = search.get("prefetch") or []
    return [found] if isinstance(found, dict) else found


def documents_of(search: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    if kind != "query":
        return []
    query = search.get("query")
    near = query.get("nearest") if isinstance(query, dict) else None
    found = [one for one in (query, near) if isinstance(one, dict) and isinstance(one.get("text"), str)][:1]
    for prefetch in prefetches_of(search):
        found += documents_of(prefetch, kind)
    return found


def from_text(name: str, text: str) -> Any:
    if name in ("use_reranker", "rerank"):
        return text.lower() in ("true", "1")
    if name == "rerank_field":
        return [part.strip() for part in text.split(",")]
    return text if name in ("rerank_query", "rerank_on_error") else json.loads(text)


def places_of(request: Request, search: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """What speaks of a search, the strongest first, and how many of these stand in the body."""
    places = [search, search.get("params") or {}]
    places += [document.get("options") or {} for document in documents_of(search, request.kind)]
    if request.batch:
        places.append(request.body)
    in_body = len(places)
    headers = {name.lower(): value for name, value in request.headers.items()}
    spelled = {name: "x-rerank" if name == "use_reranker" else "x-" + name.replace("_", "-") for name in OPTIONS}
    places.append({name: from_text(name, unquote(headers[key])) for name, key in spelled.items() if key in headers and name != "rerank"})
    places.append({name: from_text(name, value) for name, value in request.parameters.items() if name in OPTIONS})
    return places, in_body


def said(place: dict[str, Any], *names: str) -> Any:
    return next((place[name] for name in names if place.get(name) is not None), None)


def options_of(places: list[dict[str, Any]]) -> dict[str, Any]:
    found = {name: next((value for place in places if (value := said(place, name)) is not None), None) for name in OPTIONS}
    if isinstance(found["rerank_field"], str):
        found["rerank_field"] = [found["rerank_field"]]
    return found


def stripped(search: dict[str, Any], kind: str) -> dict[str, Any]:
    own = copy.deepcopy(search)
    for place in [own, own.get("params") or {}] + [one.get("options") or {} for one in documents_of(own, kind)]:
        for name in OPTIONS:
            place.pop(name, None)
    return own


# --- one search ------------------------------------------------------------------------------------------------------


def has_order(search: dict[str, Any], kind: str) -> bool:
    if kind == "query":
        query = search.get("query")
        return query is not None and not (isinstance(query, dict) and {"context", "order_by", "sample"} & query.keys())
    return kind != "discover" or search.get("target") is not None


def raise_inner(search: dict[str, Any], limit: int, pool: int) -> bool:
    """Prefetches and mmr, at every depth; whether anything grew."""
    grew = False
    query = search.get("query")
    mmr = query.get("mmr") if isinstance(query, dict) else None
    pool_of_mmr = min(pool, MAX_MMR_CANDIDATES)
    if mmr is not None and (mmr.get("candidates_limit") is None or mmr["candidates_limit"] < pool_of_mmr):
        grew = True
        if mmr.get("candidates_limit") is not None:
            mmr["candidates_limit"] = pool_of_mmr
    for prefetch in prefetches_of(search):
        if (10 if prefetch.get("limit") is None else prefetch["limit"]) < limit:
            prefetch["limit"] = limit
            grew = True
        grew = raise_inner(prefetch, limit, pool) or grew
    return grew


def limit_of(search: dict[str, Any]) -> int:
    found = search.get("limit", search.get("top"))
    return 10 if found is None else found


def widened(search: dict[str, Any], groups: bool, top_k: int) -> tuple[dict[str, Any], bool]:
    """The search that is sent (but for its selectors), and whether more than a list's limit grew."""
    wide = copy.deepcopy(search)
    wide.pop("top", None)
    limit, size = limit_of(search), 1
    if groups:
        own = search.get("group_size")
        own = 3 if own is None else own
        size = max(own, min(2 * own, top_k))
        wide["group_size"] = size
        wide["limit"] = max(limit, math.ceil(top_k / size))
        grew = (wide["limit"], size) != (limit, own)
    else:
        wide["limit"] = max(top_k, (search.get("offset") or 0) + limit)
        wide.pop("offset", None)
        grew = False
    return wide, raise_inner(wide, wide["limit"], wide["limit"] * size) or grew


def hits_in(result: str, groups: bool) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    """The groups of a result with their points; a list counts as one group."""
    listed = raw_json.members(result) if result.startswith("{") else {"points": result}
    if not groups:
        return [({}, [raw_json.members(point) for point in raw_json.elements(listed["points"])])]
    found = []
    for one in raw_json.elements(listed["groups"]):
        members = raw_json.members(one)
        found.append((members, [raw_json.members(point) for point in raw_json.elements(members.pop("hits"))]))
    return found


def final_scores(logits: dict[str, float], own: dict[str, str], in_order: list[str], weight: float) -> dict[str, float]:
    """The final score of each scored point, by its id. `own`: Qdrant's scores of all points, `in_order` all of them."""
    scored = [one for one in in_order if one in logits]
    if weight == 1:
        return {one: sigmoid(logits[one]) for one in scored}
    known = [float(own[one]) for one in in_order if own[one] != "null"]
    sign = -1.0 if known and known[0] == min(known) and known[0] != max(known) else 1.0
    oriented = {one: sign * float(own[one]) for one in scored if own[one] != "null"}
    lowest = min(oriented.values(), default=0.0)
    vector = z_scores([oriented.get(one, lowest) for one in scored])
    model = z_scores([logits[one] for one in scored])
    return {one: sigmoid(weight * m + (1 - weight) * v) for one, m, v in zip(scored, model, vector)}


def search_result(request: Request, search: dict[str, Any], ask: Ask) -> Result | Refused | Passed:
    places, in_body = places_of(request, search)
    speaking = next((at for at, place in enumerate(places) if said(place, "use_reranker", "rerank") is not None), None)
    if speaking is None or not said(places[speaking], "use_reranker", "rerank"):
        return Passed(wish=False)
    options = options_of(places)
    texts = [one["text"] for one in documents_of(search, request.kind) if one["text"].strip()]
    query = options["rerank_query"] or (texts[0] if texts else None)
    if query is None or not has_order(search, request.kind):
        return Refused() if speaking < in_body else Passed(wish=True)

    top_k = options["rerank_top_k"] or DEFAULT_TOP_K
    own = stripped(search, request.kind)
    wide, grew = widened(own, request.groups, top_k)
    own_selectors = {name: wide.pop(name, None) for name in ("with_payload", "with_vector", "with_vectors")}
    whole = ask(request.path, {**wide, "with_payload": True})
    candidates = hits_in(whole, request.groups)
    in_order = list(dict.fromkeys(point["id"] for _, hits in candidates for point in hits))
    points = {point["id"]: point for _, hits in reversed(candidates) for point in reversed(hits)}
    logits = {}
    for one in in_order[:top_k]:
        if text := text_of(points[one].get("payload"), options["rerank_field"]):
            logits[one] = mock_logit(query, text)
    if not logits:
        return Result(reason="no_candidates" if not in_order else "no_text", raw=ask(request.path, own))

    weight = 1 if options["rerank_weight"] is None else options["rerank_weight"]
    scores = final_scores(logits, {one: point["score"] for one, point in points.items()}, in_order, weight)
    # What the client's own selectors give for each of them.
    shown = hits_in(ask(request.path, {**wide, **{k: v for k, v in own_selectors.items() if v is not None}}), request.groups)
    threshold = options["rerank_score_threshold"]

    def ordered(hits: list[dict[str, str]]) -> list[Hit]:
        made = []
        for point in hits:
            members = dict(point)
            hit = Hit(members, members.pop("score"))
            if hit.members["id"] in scores:
                hit.score, hit.rerank_score = scores[hit.members["id"]], sigmoid(logits[hit.members["id"]])
            made.append(hit)
        if threshold is not None:
            made = [hit for hit in made if hit.score is not None and hit.score >= threshold]
        if weight == 0:
            return sorted(made, key=lambda hit: hit.score is None)
        return sorted(made, key=lambda hit: -math.inf if hit.score is None else hit.score, reverse=True)

    result = Result(used=True, candidates=len(logits))
    if not request.groups:
        offset = search.get("offset") or 0
        result.hits = ordered(shown[0][1])[offset : offset + limit_of(search)]
        return result
    groups = [Group(members, ordered(hits)) for members, hits in shown]
    groups = [group for group in groups if group.hits]

    def best(group: Group) -> float:
        found = [hit.score for hit in group.hits if hit.score is not None]
        return (0.0 if weight == 0 else max(found)) if found else -math.inf

    size = 3 if search.get("group_size") is None else search["group_size"]
    groups = sorted(groups, key=best, reverse=True)[: limit_of(search)]
    result.groups = [Group(group.members, group.hits[:size]) for group in groups]
    return result


# --- the request -----------------------------------------------------------------------------------------------------


def results_of(request: Request, ask: Ask) -> list[Result] | Refused | Passed:
    """One result for each search; a search that only passes has its own result as `raw`."""
    if not request.batch:
        found = search_result(request, request.body, ask)
        return [found] if isinstance(found, Result) else found

    def ask_one(path: str, search: dict[str, Any]) -> str:
        return raw_json.elements(ask(path, {"searches": [search]}))[0]

    all_results = [search_result(request, search, ask_one) for search in request.body["searches"]]
    if any(isinstance(one, Refused) for one in all_results):
        return Refused()
    if not any(isinstance(one, Result) for one in all_results):
        return Passed(wish=any(one.wish for one in all_results))
    found = []
    for search, one in zip(request.body["searches"], all_results):
        if isinstance(one, Passed):
            reason = "no_query" if one.wish else None
            one = Result(reason=reason, raw=ask_one(request.path, stripped(search, request.kind)))
        found.append(one)
    return found
