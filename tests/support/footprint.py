"""What a process holds, so that a test can tell whether it kept something."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.raw_http import LIMIT_S

# Of a program whose connections and buffers have come and gone; sanitizers keep more.
ALLOWED_KIB = 32 * 1024


class Footprint:
    """Descriptors and memory now; `settled` waits until there is no more than that."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.descriptors, self.resident_kib = self._now()

    def _now(self) -> tuple[int, int]:
        status = Path(f"/proc/{self.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        return len(os.listdir(f"/proc/{self.pid}/fd")), resident

    def settled(self) -> None:
        until = time.monotonic() + LIMIT_S
        while (now := self._now())[0] > self.descriptors:
            assert time.monotonic() < until, f"{now[0]} descriptors, {self.descriptors} before"
            time.sleep(0.02)
        assert now[1] - self.resident_kib < ALLOWED_KIB, f"grew by {now[1] - self.resident_kib} KiB"
