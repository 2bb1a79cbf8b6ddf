"""Every case of the table through real sockets and the real program."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.case import Case
from tests.conformance.player import Upstream, play
from tests.conformance.table import CASES
from tests.support.authority import Authority, server_context
from tests.support.qrerank_process import Qrerank

pytestmark = pytest.mark.sanitize
# What `Case.settings` names.
SETTINGS: dict[str, dict[str, object]] = {
    "": {},
    "append": {"proxy.via": "true", "proxy.x_forwarded": "append"},
    "replace": {"proxy.x_forwarded": "replace"},
}


class Both:
    """The upstream, and the program in front of it with one of SETTINGS, started when it is first asked for."""

    def __init__(self, authority: Authority | None, stack: ExitStack) -> None:
        self._stack, self._running = stack, {}
        self._tls: dict[str, object] = {}
        self.context = None
        if authority is None:
            self.upstream = Upstream()
            self.url = f"http://127.0.0.1:{self.upstream.port}"
            return
        own, its = authority.issue("qrerank"), authority.issue("upstream")
        self.upstream = Upstream(server_context(its))
        self.url = f"https://127.0.0.1:{self.upstream.port}"
        self.context = authority.client_context()
        self._tls = {"proxy.tls.certificate": own.certificate, "proxy.tls.key": own.key, "upstream.tls.ca": authority.certificate}

    def program(self, settings: str) -> Qrerank:
        if settings not in self._running:
            program = Qrerank(self.url, settings={**SETTINGS[settings], **self._tls})
            self._running[settings] = self._stack.enter_context(program)
        return self._running[settings]

    def play(self, case: Case) -> None:
        play(case, self.upstream, self.program(case.settings).address, self.context)


@pytest.fixture(scope="module")
def plain() -> Iterator[Both]:
    with ExitStack() as stack:
        yield Both(None, stack)


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    with ExitStack() as stack:
        yield Both(Authority(tmp_path_factory.mktemp("certificates")), stack)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, plain: Both) -> None:
    plain.play(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_over_tls(case: Case, encrypted: Both) -> None:
    encrypted.play(case)


def test_the_table_is_whole() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 200
    assert len(set(names)) == len(names)
    assert all(case.section.startswith(("RFC ", "Fetch ", "de facto")) for case in CASES)
