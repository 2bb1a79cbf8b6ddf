"""For what comes about a moment later and tells nobody."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.support.raw_http import LIMIT_S


def wait_until(holds: Callable[[], object]) -> None:
    """Asks again and again; fails when it was not so within LIMIT_S."""
    end = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
