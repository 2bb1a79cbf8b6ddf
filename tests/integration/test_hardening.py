"""What the built program has against memory errors, as its ELF file and its compile commands tell."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.qrerank_process import REPOSITORY, program


def readelf(*options: str) -> str:
    return subprocess.run(["readelf", "-W", *options, str(program())], check=True, capture_output=True, text=True).stdout


def code_at(address: int, length: int) -> bytes:
    """Bytes of the program by their address in memory."""
    for offset, start, size in re.findall(r"^ +LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+) ", readelf("--program-headers"), re.MULTILINE):
        if int(start, 16) <= address < int(start, 16) + int(size, 16):
            with program().open("rb") as file:
                file.seek(int(offset, 16) + address - int(start, 16))
                return file.read(length)
    raise AssertionError(f"no segment holds {address:#x}")


def test_it_can_be_loaded_anywhere():
    assert re.search(r"Type: +DYN", readelf("--file-header"))
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf("--dynamic"))


def test_no_code_is_writable_and_the_stack_is_no_code():
    segments = re.findall(r"^ +(\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3}) ", readelf("--program-headers"), re.MULTILINE)
    stack = [flags for kind, flags in segments if kind == "GNU_STACK"]
    assert stack == ["RW "]
    assert [kind for kind, flags in segments if "W" in flags and "E" in flags] == []
    assert "TEXTREL" not in readelf("--dynamic")


def test_all_symbols_are_bound_at_the_start_and_then_read_only():
    assert "GNU_RELRO" in readelf("--program-headers")
    assert re.search(r"\(FLAGS\).*BIND_NOW", readelf("--dynamic")) and re.search(r"\(FLAGS_1\).*\bNOW\b", readelf("--dynamic"))


def test_libraries_come_from_absolute_places():
    for found in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", readelf("--dynamic")):
        assert all(place.startswith(("/", "$ORIGIN")) for place in found.split(":")), found


def test_stack_and_buffers_are_checked():
    imported = set(re.findall(r" UND (\w+)", readelf("--dyn-syms")))
    assert "__stack_chk_fail" in imported
    # What _FORTIFY_SOURCE puts in the place of memcpy and its like.
    assert any(name.startswith("__") and name.endswith("_chk") for name in imported)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instruction is this family's")
def test_indirect_jumps_land_on_marked_places():
    symbols = re.findall(r"^ +\d+: (\w+) +\d+ FUNC +GLOBAL +\w+ +\w+ +main$", readelf("--symbols"), re.MULTILINE)
    assert len(symbols) == 1, "the program was stripped"
    assert code_at(int(symbols[0], 16), 4) == b"\xf3\x0f\x1e\xfa", "main begins with no endbr64"


def test_our_files_are_compiled_with_all_of_it():
    build = Path(os.environ.get("QRERANK_BUILD") or REPOSITORY / "build/release")
    commands = json.loads((build / "compile_commands.json").read_text())
    ours = [entry for entry in commands if "/proxy/" in entry["file"] or "/reranker/" in entry["file"]]
    wanted = ["-fPIE", "-fstack-protector-strong", "-fstack-clash-protection"]
    wanted += ["-fcf-protection=full"] if platform.machine() == "x86_64" else []
    wanted += [] if "-fsanitize=" in ours[0]["command"] else ["-D_FORTIFY_SOURCE=3", "-O3"]
    for entry in ours:
        words = entry["command"].replace("-fPIC", "-fPIE").split()
        assert [word for word in wanted if word not in words] == [], entry["file"]
