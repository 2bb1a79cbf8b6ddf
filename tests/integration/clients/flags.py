"""How the tests of the clients ask for reranking, and what reranked texts look like."""

from __future__ import annotations

from urllib.parse import quote

from tests.integration import library

FLAG = {"X-Rerank": "true", "X-Rerank-Query": quote(library.QUERY)}
# Set once in a constructor, without a query text: a wish that most calls cannot fulfil.
WISH = {"X-Rerank": "true"}


def assert_reranked(texts: list[str], plain: list[str], query: str = library.QUERY) -> None:
    """`texts` stand in the mock scorer's order, which is not that of `plain`."""
    counts = [library.words_in_common(text, query) for text in texts]
    assert counts == sorted(counts, reverse=True), texts
    assert counts[0] == max(library.words_in_common(text, query) for text in library.TEXTS)
    assert texts != plain
