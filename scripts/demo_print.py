"""How the demo looks: tables of 100 columns, colours on a terminal only."""

import os
import shutil
import sys

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
WIDTH = 100


def paint(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def bold(text):
    return paint(text, "1")


def dim(text):
    return paint(text, "2")


def red(text):
    return paint(text, "31")


def cut(text, width):
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"


def heading(text):
    print("\n" + bold(text) + "\n" + dim("─" * min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)))


def move(before, after):
    """How far a hit came from its rank in vector order (None: from beyond the candidates shown)."""
    if before is None:
        return "new"
    if before == after:
        return "="
    return f"{'↑' if before > after else '↓'}{abs(before - after)}"


def _coloured_move(text):
    padded = text.rjust(4)
    return paint(padded, "32") if text[0] in "↑n" else paint(padded, "33") if text[0] == "↓" else dim(padded)


def comparison(before, after, ranks):
    """Two answers side by side. `ranks`: point id -> rank in vector order, from 1, over all candidates."""
    print(dim(f"    {cut('vector order', 18)} score │ {cut('reranked', 46)} model  vector  was  move"))
    for row, (left, right) in enumerate(zip(before, after), start=1):
        was = ranks.get(right["id"])
        payload = right["payload"]
        name = f"{payload['package']}: {payload['title']}"
        score = right.get("rerank_score")
        print(f"{row:3d} {cut(left['payload']['package'], 18)} {left['score']:5.3f} │ {cut(name, 46)} "
              f"{bold(f'{score:5.3f}') if score is not None else '    –'}   {right.get('vector_score', right['score']):5.3f}  "
              f"{was if was else '–':>3}  {_coloured_move(move(was, row))}")


def server_timing(header):
    """`upstream;dur=3.1, compute;dur=800` -> {"upstream": 3.1, "compute": 800.0}"""
    times = {}
    for entry in (header or "").split(","):
        name, *parameters = [part.strip() for part in entry.split(";")]
        for parameter in parameters:
            if parameter.startswith("dur="):
                times[name] = float(parameter[4:])
    return times
