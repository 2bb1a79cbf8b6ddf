"""The sparse embedding that a Qdrant server computes itself for the model `qdrant/bm25`.

Word tokens, lower case, English stop words and Snowball stemmer, ids by murmur3, saturated term frequencies for
documents and ones for queries; the inverse document frequency is applied by the collection's `idf` modifier.
"""

from __future__ import annotations

import re
from collections import Counter

import mmh3
import numpy as np
from py_rust_stemmers import SnowballStemmer

MODELS = ("qdrant/bm25", "bm25")

DEFAULT_K = 1.2
DEFAULT_B = 0.75
DEFAULT_AVERAGE_LENGTH = 256.0

_stemmer = SnowballStemmer("english")
_word = re.compile(r"[^\W_]+", re.UNICODE)

# The stop words of the Snowball project's English list.
STOP_WORDS = frozenset(
    """a about above after again against all am an and any are aren as at be because been before being below
    between both but by can couldn d did didn do does doesn doing don down during each few for from further had
    hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn it its itself
    just ll m ma me mightn more most mustn my myself needn no nor not now o of off on once only or other our ours
    ourselves out over own re s same shan she should shouldn so some such t than that the their theirs them
    themselves then there these they this those through to too under until up ve very was wasn we were weren what
    when where which while who whom why will with won wouldn y you your yours yourself yourselves""".split()
)


def tokens(text: str) -> list[str]:
    """Stemmed tokens in order, repeats kept."""
    words = (word for word in _word.findall(text.lower()) if word not in STOP_WORDS)
    return [_stemmer.stem_word(word) for word in words]


def token_id(token: str) -> int:
    return abs(mmh3.hash(token))


def embed_document(text: str, options: dict | None = None) -> tuple[list[int], np.ndarray]:
    """Indices in ascending order and float32 weights of a stored text."""
    options = options or {}
    k = float(options.get("k", DEFAULT_K))
    b = float(options.get("b", DEFAULT_B))
    average = float(options.get("avg_len", DEFAULT_AVERAGE_LENGTH))
    stems = tokens(text)
    weights: dict[int, float] = {}
    for token, count in Counter(stems).items():
        weights[token_id(token)] = count * (k + 1) / (count + k * (1 - b + b * len(stems) / average))
    indices = sorted(weights)
    return indices, np.array([weights[index] for index in indices], dtype=np.float32)


def embed_query(text: str) -> tuple[list[int], np.ndarray]:
    """Every distinct token of a query weighs one."""
    indices = sorted({token_id(token) for token in tokens(text)})
    return indices, np.ones(len(indices), dtype=np.float32)
