"""What the tests of the whole program share: a Qdrant with a small collection, and the proxy in front of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.integration import library
from tests.support.authority import Authority
from tests.support.qdrant import STANDIN, Qdrant, chosen, running
from tests.support.qrerank_process import Qrerank
from tests.support.replay import Replay

NEEDS = "needs a real server: "


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sanitize: also run against the sanitizer builds")
    config.addinivalue_line("markers", "needs_server(what): needs what a real server has and the stand-in has not")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Schemathesis gives all operations one id; pytest-xdist runs one test of each id and drops the others."""
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.nodeid] += 1
        if seen[item.nodeid] > 1:
            item._id = item.parent.id.child(f"{item.name}[{seen[item.nodeid]}]")
    assert len({item.nodeid for item in items}) == len(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = item.get_closest_marker("needs_server")
    if needed is not None and chosen() == STANDIN:
        pytest.skip(NEEDS + needed.args[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the stand-in cannot do is told at the end of every run, verbose or not, in one process or several."""
    reasons = [(report.nodeid, report.longrepr[2]) for report in terminalreporter.getreports("skipped")]
    missing = [f"{test}: {why[why.index(NEEDS):]}" for test, why in reasons if NEEDS in why]
    if missing:
        terminalreporter.section("not run against the stand-in: set QRERANK_TEST_QDRANT_URL")
        for line in missing:
            terminalreporter.write_line(line)


def pytest_report_header() -> str:
    return f"qdrant: {chosen()}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def qdrant() -> Iterator[Qdrant]:
    with running() as found:
        yield found


@pytest.fixture(scope="session")
def proxy(qdrant: Qdrant) -> Iterator[Qrerank]:
    """`qrerank serve` with the mock model and nothing else configured."""
    with Qrerank(qdrant.url) as process:
        yield process


@pytest.fixture(scope="module")
def collection(qdrant: Qdrant) -> str:
    return library.fill(qdrant, "library")


@pytest.fixture(scope="module")
def direct(qdrant: Qdrant) -> Iterator[httpx.Client]:
    with qdrant.client() as client:
        yield client


@pytest.fixture(scope="module")
def through(qdrant: Qdrant, proxy: Qrerank) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        client.headers.update(qdrant.headers)
        yield client


@pytest.fixture(scope="module")
def silent() -> Iterator[Replay]:
    """An upstream that must not be asked."""
    with Replay() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def to_silent(silent: Replay) -> Iterator[httpx.Client]:
    with Qrerank(silent.url) as process, process.client() as client:
        yield client
