"""A collection with every oddity, and random searches of it: endpoints, queries, pages, selectors, options, carriers."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import quote

from tests.integration.contract.model import Request
from tests.support.qdrant import Qdrant

COUNT = 60
GROUPS = 7
WORDS = ("red", "fox", "winter", "forest", "bread", "railway", "Größe", "naïve", "quick", "lazy", "river", "stone")
DENSE = {"": ("Cosine", 2), "euclid": ("Euclid", 2), "manhattan": ("Manhattan", 3), "dot": ("Dot", 3)}
ENDPOINTS = ("search", "search/batch", "search/groups", "query", "query", "query/batch", "query/groups",
             "recommend", "recommend/batch", "recommend/groups", "discover", "discover/batch")
FIELDS = ("text", "content", "meta.body", "chunks[].t", "chunks[1].t", "tags", "tags[0]", '"a.b[0]"', '"a b".c', "größe", "nowhere")
PAYLOADS: tuple[Any, ...] = (None, True, False, ["text"], ["meta"], ["meta.n", "tags"], ["nowhere"], [], {"include": ["chunks[].n", "n"]},
            {"exclude": ["text"]}, {"exclude": ["content", "page_content", "document", "text"]}, {"exclude": ["meta.body"]},
            {"exclude": ["chunks"]}, {"exclude": []})  # fmt: skip


def _text(rng: random.Random) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 12)))


def _odd_text(rng: random.Random) -> Any:
    return rng.choice([_text(rng), _text(rng), _text(rng), _text(rng).replace(" ", "\n\"quoted\" \\ \u2028"), "", " \n\t\u00a0\u3000", None,
                       rng.randint(0, 99), 0.5, True, {"inner": "fox"}, [_text(rng), 7, None, [_text(rng)], {"t": "red"}, " "]])  # fmt: skip


def _payload(rng: random.Random, at: int) -> dict[str, Any]:
    payload: dict[str, Any] = {"n": at, "g": rng.randrange(GROUPS), "gs": rng.sample(["a", "b", "c", "d"], rng.randint(0, 3))}
    for name in ("text", "content", "document", "page_content"):
        if rng.random() < 0.3:
            payload[name] = _odd_text(rng)
    if rng.random() < 0.8:
        payload["meta"] = {"body": _odd_text(rng), "n": [at, {"y": 0.5}]}
    payload["chunks"] = [{"t": _text(rng), "n": one} for one in range(rng.randrange(3))]
    payload["tags"] = [_text(rng) for _ in range(rng.randrange(3))]
    payload["a.b[0]"], payload["a b"], payload["größe"] = _text(rng), {"c": _odd_text(rng)}, _text(rng)
    order = list(payload)
    rng.shuffle(order)
    return {name: payload[name] for name in order}


def _dense(rng: random.Random, name: str) -> list[float]:
    # Few values: equal scores are common.
    return [rng.choice([-1.0, -0.5, 0.25, 0.5, 1.0]) for _ in range(DENSE[name][1])]


def _id(at: int) -> int | str:
    if at % 10 == 3:
        return f"5c56c793-69f3-4fbf-87e6-c4bf54c2{at:04d}"
    return 2**64 - 1 - at if at % 10 == 7 else 2**53 + at if at % 10 == 5 else at


def fill(qdrant: Qdrant, seed: int) -> str:
    rng = random.Random(seed)
    name = qdrant.collection_name("contract")
    points = []
    for at in range(COUNT):
        vector: dict[str, Any] = {one: _dense(rng, one) for one in DENSE if one != "euclid" or at % 5 != 3}
        if at % 4:
            vector["bm25"] = {"text": _text(rng), "model": "qdrant/bm25"}
        points.append({"id": _id(at), "vector": vector, "payload": _payload(rng, at)})
    with qdrant.client() as client:
        vectors = {one: {"size": size, "distance": distance} for one, (distance, size) in DENSE.items()}
        made = client.put(f"/collections/{name}", json={"vectors": vectors, "sparse_vectors": {"bm25": {"modifier": "idf"}}})
        assert made.status_code == 200, made.text
        made = client.put(f"/collections/{name}/points?wait=true", json={"points": points})
        assert made.status_code == 200, made.text
    return name


# --- searches --------------------------------------------------------------------------------------------------------


def _some_id(rng: random.Random) -> int | str:
    """One that has every dense vector."""
    return _id(rng.randrange(COUNT // 5) * 5 + rng.choice([0, 1, 2, 4]))


def _document(rng: random.Random) -> dict[str, Any]:
    return {"text": _text(rng), "model": "qdrant/bm25"}


def _using(rng: random.Random) -> tuple[str, dict[str, Any]]:
    name = rng.choice(list(DENSE))
    return name, {"using": name} if name or rng.random() < 0.2 else {}


def _prefetch(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    if rng.random() < 0.4:
        found: dict[str, Any] = {"query": _document(rng), "using": "bm25"}
    else:
        name, using = _using(rng)
        found = {"query": _dense(rng, name), **using}
    if rng.random() < 0.7:
        found["limit"] = rng.randint(1, 30)
    if depth < 2 and rng.random() < 0.3:
        found["prefetch"] = [_prefetch(rng, depth + 1)]
    return found


def _query_inputs(rng: random.Random) -> dict[str, Any]:
    name, using = _using(rng)
    vector = _dense(rng, name)
    kind = rng.randrange(9)
    if kind == 0:
        return {"query": rng.choice([{"nearest": vector}, vector]), **using}
    if kind == 1:
        return {"query": rng.choice([_document(rng), {"nearest": _document(rng)}]), "using": "bm25"}
    if kind == 2:
        return {"prefetch": [_prefetch(rng) for _ in range(rng.randint(1, 3))], "query": {"fusion": rng.choice(["rrf", "dbsf"])}}
    if kind == 3:
        mmr = {"diversity": rng.choice([0.2, 0.7]), **({"candidates_limit": rng.randint(1, 40)} if rng.random() < 0.7 else {})}
        return {"query": {"nearest": [1.0, 0.5], "mmr": mmr}}
    if kind == 4:
        return {"prefetch": _prefetch(rng), "query": vector, **using}
    if kind == 5:
        return {"query": {"context": [{"positive": 0, "negative": 1}]}}
    if kind == 6:
        return {"query": {"recommend": {"positive": [_some_id(rng)], "negative": [_some_id(rng)]}}}
    if kind == 7:
        formula = {"sum": ["$score", {"mult": [rng.choice([0.5, -2.0]), "$score"]}]}
        return {"prefetch": [_prefetch(rng)], "query": {"formula": formula}}
    return {"query": vector, **using}


def _inputs(rng: random.Random, kind: str) -> dict[str, Any]:
    name, using = _using(rng)
    if kind == "search":
        vector = _dense(rng, name)
        return {"vector": {"name": name, "vector": vector} if name else vector}
    if kind == "query":
        return _query_inputs(rng)
    if kind == "recommend":
        return {"positive": [0, _some_id(rng)], **rng.choice([{}, {"negative": [2]}, {"strategy": "best_score"}]), **using}
    target = {"target": 2} if rng.random() < 0.8 else {}
    return {**target, "context": [{"positive": 1, "negative": 6}], **using}


def _search(rng: random.Random, kind: str, groups: bool) -> dict[str, Any]:
    search = _inputs(rng, kind)
    if groups:
        search |= {"group_by": rng.choice(["g", "gs", "n"]), "limit": rng.randint(1, 12), "group_size": rng.randint(1, 8)}
        for name in ("limit", "group_size") if kind == "query" else ():
            if rng.random() < 0.2:
                search.pop(name)
    else:
        search[rng.choice(["limit", "top"]) if kind != "query" else "limit"] = rng.choice([1, 2, 3, 5, 10, 25, 45, 70, 2**63])
        if rng.random() < 0.4:
            search["offset"] = rng.choice([0, 1, 3, 12, 40, 59, 60, 100, None])
        if kind == "query" and rng.random() < 0.2:
            search["limit"] = None
    if rng.random() < 0.8:
        search["with_payload"] = rng.choice(PAYLOADS)
    if rng.random() < 0.3:
        search[rng.choice(["with_vector", "with_vectors"])] = rng.choice([True, False, ["dot"], ["bm25", "euclid"], None])
    if rng.random() < 0.15:
        search["filter"] = {"must": [{"key": "g", "match": {"any": rng.sample(range(GROUPS + 1), 2)}}]}
    if rng.random() < 0.15 and kind in ("search", "query"):
        search["score_threshold"] = rng.choice([0.0, 0.5, 1.0])
    if rng.random() < 0.2:
        search["params"] = {"exact": True}
    return search


# --- options and their carriers --------------------------------------------------------------------------------------


def _options(rng: random.Random) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if rng.random() < 0.8:
        options["rerank_query"] = _text(rng)
    if rng.random() < 0.7:
        options["rerank_top_k"] = rng.choice([10, 11, 20, 50, 200])
    if rng.random() < 0.4:
        options["rerank_weight"] = rng.choice([0, 0.25, 0.4, 0.9, 1])
    if rng.random() < 0.2:
        options["rerank_score_threshold"] = rng.choice([-1, 0.02, 0.3, 0.5, 0.7, 1.1])
    if rng.random() < 0.3:
        options["rerank_field"] = rng.choice([rng.choice(FIELDS), rng.sample(FIELDS, rng.randint(1, 3))])
    if rng.random() < 0.2:
        options["rerank_on_error"] = rng.choice(["fallback", "error"])
    return options


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else ",".join(value) if isinstance(value, list) else json.dumps(value)


def _put(rng: random.Random, request: Request, search: dict[str, Any], name: str, value: Any) -> None:
    """Into one of the carriers that this search has."""
    documents = [one for one in (search.get("query"),) if isinstance(one, dict) and "text" in one]
    carriers = ["search", "search", "params", "header", "parameter"] + (["document"] if documents else []) + (["root"] if request.batch else [])
    carrier = rng.choice(carriers)
    if carrier == "header":
        header = "X-Rerank" if name == "use_reranker" else "X-" + name.replace("_", "-").title()
        request.headers[header] = quote(_as_text(value))
    elif carrier == "parameter":
        request.parameters[name] = _as_text(value)
    elif carrier == "search":
        search[rng.choice(["use_reranker", "rerank"]) if name == "use_reranker" and "use_reranker" not in search else name] = value
    elif carrier == "document":
        documents[0].setdefault("options", {})[name] = value
    elif carrier == "params":
        search.setdefault("params", {})[name] = value
    else:
        request.body[name] = value


def _shuffled(rng: random.Random, search: dict[str, Any]) -> dict[str, Any]:
    order = list(search)
    rng.shuffle(order)
    return {name: search[name] for name in order}


def request(rng: random.Random) -> Request:
    path = rng.choice(ENDPOINTS)
    made = Request(path, {})
    searches = [_search(rng, made.kind, made.groups) for _ in range(rng.randint(1, 4) if made.batch else 1)]
    if made.batch and rng.random() < 0.2:
        searches.append(json.loads(json.dumps(searches[0])))
    for search in searches:
        for name, value in _options(rng).items():
            _put(rng, made, search, name, value)
        if rng.random() < 0.85:
            _put(rng, made, search, "use_reranker", rng.random() < 0.9)
    searches = [_shuffled(rng, search) for search in searches]
    made.body = {"searches": searches, **made.body} if made.batch else searches[0]
    return made
