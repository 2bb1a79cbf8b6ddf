"""The tree against what its documents and tools say of it."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ("proxy", "reranker", "tests")


def tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def rooms_of_tree() -> set[str]:
    """Folders that hold files of ours: two levels of the two rooms and of tests, one level of the rest."""
    rooms = set()
    for name in tracked():
        parts = pathlib.PurePosixPath(name).parts[:-1]
        if not parts or parts[0].startswith("."):
            continue
        depth = 2 if parts[0] in SOURCES else 1
        room = "/".join(parts[:depth])
        if room != "tests":
            rooms.add(room)
    return rooms


def test_map_of_rooms_is_true():
    mapped = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/rooms.md").read_text(), re.MULTILINE))
    assert mapped == rooms_of_tree()


def test_sources_are_formatted():
    formatter = shutil.which("clang-format-19")
    assert formatter, "clang-format-19 is missing: run scripts/setup"
    files = [name for name in tracked() if name.endswith((".cpp", ".hpp"))]
    assert files
    done = subprocess.run([formatter, "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]


def test_no_registry_address_is_written():
    # Spelled in pieces so that this file does not hold what it looks for.
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "static.crates" + ".io", "index.crates" + ".io",
             "deb.debian" + ".org", "proxy.golang" + ".org"]
    found = []
    for name in tracked():
        if name.endswith("Cargo.lock"):
            continue  # as the client writes it
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {host}" for host in hosts if host in text]
    assert found == []


def test_reranker_does_not_include_the_proxy():
    found = []
    for path in (ROOT / "reranker").rglob("*.?pp"):
        if '#include "proxy/' in path.read_text():
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_torch_stays_in_its_room():
    found = []
    for folder in ("proxy", "reranker"):
        for path in (ROOT / folder).rglob("*.?pp"):
            if "reranker/model" in str(path.relative_to(ROOT)):
                continue
            if re.search(r"#include <(ATen|torch|c10)/", path.read_text()):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_main_is_small():
    assert len((ROOT / "proxy/main.cpp").read_text().splitlines()) < 80


@pytest.mark.parametrize("folder", ["proxy", "reranker"])
def test_no_file_is_ugly(folder):
    """About 400 lines is where a missing room shows; 700 is where every code base gets ugly."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.?pp")
        if (lines := len(path.read_text().splitlines())) > 500
    }
    assert long == {}


def test_scripts_pass_shellcheck():
    checker = shutil.which("shellcheck")
    assert checker, "shellcheck is missing: run scripts/setup --tests"
    scripts = [name for name in tracked() if (ROOT / name).read_bytes().startswith(b"#!/usr/bin/env bash")]
    assert scripts
    done = subprocess.run([checker, "-S", "warning", *scripts], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[:4000]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_units_are_understood_and_closed():
    units = [str(path) for path in sorted((ROOT / "deploy").glob("qrerank.s*"))]
    assert len(units) == 2
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith("qrerank") and "is not executable" not in line]
    assert said == []
    # 12 is systemd's figure times ten: the lower, the less the service may do.
    closed = ["systemd-analyze", "security", "--offline=true", "--threshold=12", str(ROOT / "deploy/qrerank.service")]
    done = subprocess.run(closed, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-400:]


def test_time_is_measured_by_a_clock_that_nobody_sets():
    """Limits, ages and durations must survive a clock that jumps: the wall clock is for the stamps of log lines and spans."""
    found = []
    for folder in ("proxy", "reranker"):
        for path in (ROOT / folder).rglob("*.?pp"):
            name = str(path.relative_to(ROOT))
            wall = re.search(r"system_clock|utc_clock|CLOCK_REALTIME|gettimeofday|\btime\((?:nullptr|NULL|0)\)|system_timer", path.read_text())
            if wall and not name.startswith(("proxy/observe/log", "proxy/trace/wall_clock")):
                found.append(f"{name}: {wall[0]}")
    assert found == []
