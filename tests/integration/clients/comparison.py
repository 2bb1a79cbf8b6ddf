"""A client's calls made twice, direct and through the proxy, and held against each other call by call and on the wire."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import Qrerank
from tests.support.wire_recorder import Exchange, WireRecorder


@dataclass
class Totals:
    """What all comparisons of a test run came to."""

    calls: Counter[str] = field(default_factory=Counter)
    exchanges: Counter[str] = field(default_factory=Counter)
    differences: int = 0

    def sentence(self) -> str:
        clients = ", ".join(f"{name} {self.calls[name]} calls/{self.exchanges[name]} exchanges" for name in self.calls)
        return f"{self.calls.total()} calls, {self.exchanges.total()} exchanges, {self.differences} differences ({clients})"


TOTALS = Totals()


def plain(value: Any) -> Any:
    """What a client returned, as values that compare by content."""
    if isinstance(value, BaseModel):
        return type(value).__name__, {name: plain(one) for name, one in value.model_dump().items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


class Calls:
    """The calls of one client and what each gave, in order."""

    def __init__(self) -> None:
        self.made: list[tuple[str, Any]] = []

    def note(self, name: str, value: Any) -> None:
        self.made.append((name, plain(value)))

    def failed(self, name: str, error: Exception) -> None:
        self.made.append((name, ("raised", type(error).__name__, getattr(error, "status_code", None))))

    @property
    def failures(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in self.made if isinstance(value, tuple) and value[0] == "raised"]

    def of(self, client: Any) -> Any:
        """`client` with its methods noted: what they are called with and return goes through untouched."""
        return _Noting(client, self)


class _Noting:
    def __init__(self, client: Any, calls: Calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                value = method(*arguments, **named)
            except Exception as error:
                self._calls.failed(name, error)
                return None
            if inspect.isawaitable(value):
                return self._finish(name, value)
            if inspect.isgenerator(value):
                value = list(value)
            self._calls.note(name, value)
            return value

        return call

    async def _finish(self, name: str, value: Any) -> Any:
        try:
            found = await value
        except Exception as error:
            self._calls.failed(name, error)
            return None
        self._calls.note(name, found)
        return found


def keep(client: str, exchanges: list[Exchange]) -> None:
    """Leaves the traffic in the folder that QRERANK_TRAFFIC names: tests/fuzz/make_corpus.py makes seeds of it."""
    folder = os.environ.get("QRERANK_TRAFFIC")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "-", client).strip("-")
    for at, exchange in enumerate(exchanges):
        for kind, message in (("request", exchange.request), ("response", exchange.response)):
            (Path(folder) / f"{stem}-{at:03}.{kind}").write_bytes(message.on_the_wire())


Run = Callable[[str, Calls], None]


def compare(client: str, run: Run, qdrant: Qdrant, proxy: Qrerank, *, ordered: bool = True) -> tuple[Calls, list[Exchange]]:
    """Runs `run(url, calls)` direct and through the proxy and fails on a difference; gives the run through it.

    What was on the wire is compared without order, and with `ordered=False` the calls are too.
    """
    runs: list[tuple[Calls, list[Exchange]]] = []
    for address in (qdrant.address, proxy.address):
        calls = Calls()
        with WireRecorder(address) as recorder:
            run(recorder.url, calls)
        runs.append((calls, recorder.exchanges))
    (direct, asked), (through, passed) = runs

    keep(client, asked)
    assert through.made, "no call was made"
    TOTALS.calls[client] += len(through.made)
    TOTALS.exchanges[client] += len(passed)
    made = [calls.made if ordered else sorted(calls.made, key=repr) for calls in (direct, through)]
    differences = [(one, other) for one, other in itertools.zip_longest(*made) if one != other]
    wire = [Counter(exchange.comparable() for exchange in exchanges) for exchanges in (asked, passed)]
    differences += itertools.zip_longest((wire[0] - wire[1]).elements(), (wire[1] - wire[0]).elements())
    TOTALS.differences += len(differences)
    assert not differences, "\n".join(f"direct:  {one!r}\nthrough: {other!r}" for one, other in differences)
    return through, passed
