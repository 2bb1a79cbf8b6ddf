"""What /metrics says, taken apart, and the table of docs/metrics.md that is made of it.

`python -m tests.support.metrics` prints the table, of the program that QRERANK_BIN names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx

from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
# What a histogram's series add to its name.
PARTS = ("_bucket", "_sum", "_count")
# What is named by the configuration has its series from the start: a model that is never loaded, a relay.
NAMED = "models:\n  own:\n    path: /nowhere\nrelays:\n  grpc:\n    listen: 127.0.0.1:0\n    to: 127.0.0.1:1\n"


@dataclass
class Metric:
    type: str
    help: str
    labels: dict[str, set[str]] = field(default_factory=dict)  # of a label, the values that there are; not `le`


def parsed(text: str) -> dict[str, Metric]:
    """By name, as the page names them: of a histogram without the parts."""
    metrics: dict[str, Metric] = {}
    help_of: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, said = line.removeprefix("# HELP ").partition(" ")
            help_of[name] = said
        elif line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split()
            metrics[name] = Metric(kind, help_of[name])
        elif line:
            name, labels, _ = SAMPLE.fullmatch(line).groups()
            base = next((name.removesuffix(part) for part in PARTS if name.endswith(part) and name.removesuffix(part) in metrics), name)
            for label, value in LABEL.findall(labels or ""):
                if label != "le":
                    metrics[base].labels.setdefault(label, set()).add(value)
    return metrics


def scraped(proxy: Qrerank) -> dict[str, Metric]:
    return parsed(httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text)


def table(metrics: dict[str, Metric]) -> str:
    """Markdown; values of labels are told where they are a closed set that fits a line."""
    lines = ["| name | type | labels | meaning |", "|---|---|---|---|"]
    for name, metric in sorted(metrics.items()):
        labels = ", ".join(f"`{label}`" for label in sorted(metric.labels))
        lines.append(f"| `{name}` | {metric.type} | {labels} | {metric.help} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with Qrerank("http://127.0.0.1:1", NAMED) as process:
        print(table(scraped(process)), end="")
