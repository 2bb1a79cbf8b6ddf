"""docs/conformance.md says what the table says, and every difference from nginx and HAProxy has its reason."""

from tests.conformance.document import DOCUMENT, differs, load, render
from tests.conformance.table import CASES


def test_the_page_is_made_from_the_table() -> None:
    assert DOCUMENT.read_text() == render(), "run python -m tests.conformance.document"


def test_every_case_was_played_against_the_others() -> None:
    assert set(load()["cases"]) == {case.name for case in CASES if not case.settings}, "run python -m tests.conformance.others"


def test_every_difference_has_its_reason() -> None:
    others = load()["cases"]
    assert [case.name for case in CASES if differs(case, others) and not case.why] == []
