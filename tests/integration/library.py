"""A small library of texts in a collection: few enough to see what an answer should be, odd enough to trip a rewrite.

Vectors lie on a circle, so that the order of a vector search for `NORTH` is the order of `BOOKS` by their angle.
"""

from __future__ import annotations

import json
import math

from tests.support.qdrant import Qdrant

# More query words make a higher mock score; nothing else is assumed of it.
QUERY = "red fox winter forest"
NORTH = [1.0, 0.0]

# Written as text: numbers keep their spelling on the way to Qdrant.
_ODD = '"big":18446744073709551615,"f":1.0,"neg":-0.0,"exp":1e-7,"nul":null,"tags":["x","y"],"a b":"space"'

_TEXTS = [
    "a guide to baking bread",
    "the fox",
    "winter sports in the mountains",
    "red wine and cheese",
    "a red fox",
    "painting a wooden fence",
    "the forest in winter",
    "a red fox in the winter forest",
    "history of the railway",
    "a fox in the winter forest",
    "red fox winter",
    "gardening for beginners",
    "the fox",
]
# Ids beyond 2^53, where doubles collide, and UUIDs.
_IDS = ["1", "2", "3", "18446744073709551615", "5", '"5c56c793-69f3-4fbf-87e6-c4bf54c28c26"', "7", "9007199254740993",
        "9007199254740992", "10", "11", "12", "13"]
# In vector order behind all of them: no text, an empty one, whitespace.
_WITHOUT_TEXT = [('"meta":{"n":1},"shelf":1', "20"), ('"text":"","shelf":9', "21"), ('"text":" \\n\\t "', "22")]

# To group by: each shelf holds several texts, shelf 9 none. `tags` puts every text into two groups.
SHELVES = 4

COUNT = len(_TEXTS) + len(_WITHOUT_TEXT)
WITH_TEXT = len(_TEXTS)
TEXTS = tuple(_TEXTS)


def points_json() -> str:
    points = []
    total = COUNT
    for at, (text, one) in enumerate(zip(_TEXTS, _IDS)):
        deep = f'{{"n":{at},"deep":{{"x":[{at},{{"y":{at}.5}}]}}}}'
        payload = f'{{"text":{json.dumps(text)},"title":"t{at}","shelf":{at % SHELVES},"meta":{deep},{_ODD}}}'
        sparse = f',"bm25":{{"text":{json.dumps(text)},"model":"qdrant/bm25"}}'
        points.append(_point(one, at, total, payload, sparse))
    for offset, (payload, one) in enumerate(_WITHOUT_TEXT):
        points.append(_point(one, len(_TEXTS) + offset, total, "{" + payload + "}"))
    return '{"points":[' + ",".join(points) + "]}"


def _point(one: str, at: int, total: int, payload: str, sparse: str = "") -> str:
    angle = (at + 1) / (total + 1) * math.pi / 2
    vectors = f'"":[{math.cos(angle)},{math.sin(angle)}],"second":[{at}.0,1.0,0.5]{sparse}'
    return f'{{"id":{one},"vector":{{{vectors}}},"payload":{payload}}}'


def fill(qdrant: Qdrant, stem: str, metadata: dict[str, object] | None = None) -> str:
    """Makes the collection, with `metadata` of its own if there is any, and returns its name."""
    name = qdrant.collection_name(stem)
    with qdrant.client() as client:
        client.delete(f"/collections/{name}")
        config = {
            "vectors": {"": {"size": 2, "distance": "Cosine"}, "second": {"size": 3, "distance": "Dot"}},
            "sparse_vectors": {"bm25": {"modifier": "idf"}},
            **({"metadata": metadata} if metadata else {}),
        }
        response = client.put(f"/collections/{name}", json=config)
        assert response.status_code == 200, response.text
        response = client.put(f"/collections/{name}/points?wait=true", content=points_json())
        assert response.status_code == 200, response.text
    return name


def words_in_common(text: str, query: str = QUERY) -> int:
    return len(set(text.lower().split()) & set(query.lower().split()))
