"""Vectors for texts without a model: the same text gives the same vector everywhere, and nearness means nothing.

So the order of a vector search is an order that only a reranker can improve.
"""

from __future__ import annotations

import hashlib
import math

SIZE = 8


def vector_of(text: str) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest()[:SIZE]
    raw = [byte / 127.5 - 1 for byte in digest]
    length = math.sqrt(sum(one * one for one in raw))
    return [one / length for one in raw]
