"""Makes docs/conformance.md from the table and from what nginx and HAProxy were seen to do: `python -m tests.conformance.document`."""

import json
import re
from pathlib import Path

from tests.conformance.case import Case
from tests.conformance.others import RESULTS
from tests.conformance.outcome import ours
from tests.conformance.table import CASES, PARTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/conformance.md"
INTRODUCTION = """# Conformance

How qrerank reads and writes HTTP/1.1 as an intermediary (RFC 9110, RFC 9112), case by case. This page is made by
`python -m tests.conformance.document` from the table in `tests/conformance`, which
`pytest tests/conformance` plays through real sockets against the real program: {count} cases, each with our own bytes,
what the upstream must see and what the client must get.

Three rules decide what the RFCs leave open. What two readers could take in two ways is refused: with 400 and the end of
the connection towards a client, with 502 and never using that connection again towards an upstream. What is
unambiguous goes on as it came: the upstream judges methods, paths and values. And framing is never passed on: lengths
are checked, chunks are framed anew.

| part | cases | like nginx and HAProxy | different from one or both |
|---|---|---|---|
{parts}

The same bytes (the few cases of our own settings aside) were sent through {versions}, each
with little more than an upstream configured, by `python -m tests.conformance.others`. The rest of this page lists where
they did something else than we do: each line is a decision. `N; relayed` means that the client got status N and the upstream saw the
request, `+` and `-` name fields that passed there and not here, or the reverse.
"""


def load() -> dict:
    return json.loads(RESULTS.read_text())


def differs(case: Case, others: dict[str, dict[str, str]]) -> bool:
    return case.name in others and any(said != ours(case) for said in others[case.name].values())


def _cell(text: str) -> str:
    shown = "".join(c if c.isprintable() and ord(c) != 0xFF else f"\\x{ord(c):02x}" for c in text)
    return shown.replace("|", "\\|")


def render() -> str:
    results = load()
    others = results["cases"]
    rows, sections = [], []
    for part, cases in PARTS.items():
        different = [case for case in cases if differs(case, others)]
        rows.append(f"| {part} | {len(cases)} | {len(cases) - len(different)} | {len(different)} |")
        if different:
            lines = [f"## {part}", "", "| case | says | qrerank | nginx | HAProxy | why |", "|---|---|---|---|---|---|"]
            for case in different:
                said = others[case.name]
                cells = (case.name, case.section, ours(case), said["nginx"], said["haproxy"], case.why)
                lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
            sections.append("\n".join(lines))
    versions = " and ".join(re.search(r"(nginx/|HAProxy version )[\d.]+", text)[0] for text in results["versions"].values())
    introduction = INTRODUCTION.format(count=len(CASES), parts="\n".join(rows), versions=versions)
    return introduction + "\n" + "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render())
