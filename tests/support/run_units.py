"""Runs every Boost.Test program that a build folder registers with ctest and writes how many cases passed and failed.

ctest counts programs; people want to know about cases, and a program that crashes must count as a failure.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TIME_LIMIT_S = 600


def programs(build: pathlib.Path) -> list[tuple[str, list[str]]]:
    listing = subprocess.run(
        ["ctest", "--test-dir", str(build), "--show-only=json-v1"], check=True, capture_output=True, text=True
    )
    return [(test["name"], test["command"]) for test in json.loads(listing.stdout)["tests"]]


def run(name: str, command: list[str]) -> tuple[int, int]:
    """(passed, failed) of one program; a crash, a time-out or a missing report is one failure more."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        report_options = ["--report_level=short", "--report_format=XML", f"--report_sink={report.name}"]
        kept = [part for part in command if not part.startswith("--report")]
        try:
            done = subprocess.run(kept + report_options, capture_output=True, text=True, timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            print(f"{name}: no end after {TIME_LIMIT_S} s", flush=True)
            return 0, 1
        text = pathlib.Path(report.name).read_text()
    passed = failed = 0
    if text.strip():
        suite = ElementTree.fromstring(text).find("TestSuite")
        if suite is not None:
            passed = int(suite.get("test_cases_passed", 0)) + int(suite.get("test_cases_passed_with_warnings", 0))
            failed = sum(int(suite.get(f"test_cases_{kind}", 0)) for kind in ("failed", "skipped", "aborted"))
    if done.returncode != 0 and failed == 0:
        failed = 1
    if passed + failed == 0:
        failed = 1
    if failed:
        print(f"--- {name}: exit {done.returncode}\n{done.stdout}{done.stderr}", flush=True)
    return passed, failed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--label", required=True)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    options = parser.parse_args()
    found = programs(options.build)
    if not found:
        print(f"{options.label}: no test programs in {options.build}")
        return 1
    passed = failed = 0
    for name, command in found:
        more_passed, more_failed = run(name, command)
        passed += more_passed
        failed += more_failed
    print(f"{options.label}: {passed} passed, {failed} failed in {len(found)} programs")
    options.results.write_text(json.dumps({"label": options.label, "passed": passed, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
