"""What the tests of the clients share, and the closing line that says what was compared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import library
from tests.integration.clients.comparison import TOTALS
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank


@pytest.fixture(scope="session")
def collection(qdrant: Qdrant) -> str:
    return library.fill(qdrant, "clients")


@pytest.fixture(scope="session")
def always(qdrant: Qdrant) -> Iterator[Qrerank]:
    """A proxy whose configuration asks for reranking, so that no client has to."""
    with Qrerank(qdrant.url, config='collections:\n  "*":\n    rerank: always\n') as process:
        yield process


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOTALS.calls:
        terminalreporter.write_line(f"clients, direct and through the proxy: {TOTALS.sentence()}")
