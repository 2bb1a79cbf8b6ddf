"""Every case of the table through real sockets and the real program."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.case import Case
from tests.conformance.player import Upstream, play
from tests.conformance.table import CASES
from tests.support.qrerank_process import Qrerank

pytestmark = pytest.mark.sanitize
# What `Case.settings` names.
SETTINGS: dict[str, dict[str, object]] = {
    "": {},
    "append": {"proxy.via": "true", "proxy.x_forwarded": "append"},
    "replace": {"proxy.x_forwarded": "replace"},
}


@pytest.fixture(scope="module")
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(scope="module")
def configured(upstream: Upstream) -> Iterator[Callable[[str], Qrerank]]:
    """The program with one of SETTINGS, started when it is first asked for."""
    running: dict[str, Qrerank] = {}
    with ExitStack() as stack:

        def start(settings: str) -> Qrerank:
            if settings not in running:
                program = Qrerank(f"http://127.0.0.1:{upstream.port}", settings=SETTINGS[settings])
                running[settings] = stack.enter_context(program)
            return running[settings]

        yield start


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, upstream: Upstream, configured: Callable[[str], Qrerank]) -> None:
    play(case, upstream, configured(case.settings).address)


def test_the_table_is_whole() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 200
    assert len(set(names)) == len(names)
    assert all(case.section.startswith(("RFC ", "Fetch ", "de facto")) for case in CASES)
