"""What the tests of the whole program share: a Qdrant with a small collection, and the proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.qdrant import Qdrant, chosen, running
from tests.support.qrerank_process import Qrerank


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sanitize: also run against the sanitizer builds")


def pytest_report_header() -> str:
    return f"qdrant: {chosen()}"


@pytest.fixture(scope="session")
def qdrant() -> Iterator[Qdrant]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def proxy(qdrant: Qdrant) -> Iterator[Qrerank]:
    """`qrerank serve` with the mock model and nothing else configured."""
    with Qrerank(qdrant.url) as process:
        yield process
