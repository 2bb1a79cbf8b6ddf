"""Adds up what run_units.py and pytest wrote and prints the closing line of scripts/test: "N passed, N failed"."""

import argparse
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def of_pytest(path: pathlib.Path) -> tuple[int, int, int]:
    root = ElementTree.parse(path).getroot()
    suite = root if root.tag == "testsuite" else root.find("testsuite")
    tests, failures, errors, skipped = (int(suite.get(k, 0)) for k in ("tests", "failures", "errors", "skipped"))
    return tests - failures - errors - skipped, failures + errors, skipped


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--failed-steps", type=int, required=True)
    options = parser.parse_args()
    passed = failed = 0
    for path in sorted(options.results.iterdir()):
        skipped = 0
        if path.suffix == ".json":
            counted = json.loads(path.read_text())
            ok, bad = counted["passed"], counted["failed"]
        elif path.suffix == ".xml":
            ok, bad, skipped = of_pytest(path)
        else:
            continue
        note = f", {skipped} skipped (each says why above)" if skipped else ""
        print(f"{path.stem}: {ok} passed, {bad} failed{note}")
        passed += ok
        failed += bad
    # A step that broke without a counted failure (a build, a crash of pytest itself) must not look green.
    failed = max(failed, options.failed_steps)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
