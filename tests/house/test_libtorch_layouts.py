"""Where a user's own libtorch is found: the layouts that scripts/setup takes for one are those that CMake finds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = f"""\
cmake_minimum_required(VERSION 3.25)
project(layout LANGUAGES NONE)
list(APPEND CMAKE_MODULE_PATH "{REPOSITORY}/scripts/cmake")
set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
find_package(QrerankTorch 2.6 REQUIRED)
"""
VERSION = "#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n"


@pytest.mark.parametrize("torch", ["", "torch"], ids=["official zip", "folder that holds a wheel's torch"])
def test_libtorch_in_the_prefix_path(torch, tmp_path):
    prefix = tmp_path / "prefix"
    root = prefix / torch
    for name, text in {"include/ATen/ATen.h": "", "lib/libtorch_cpu.so": "", "lib/libc10.so": "",
                       "include/torch/headeronly/version.h": VERSION}.items():  # fmt: skip
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    project = tmp_path / "project"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(PROJECT)
    environment = {**os.environ, "CMAKE_PREFIX_PATH": str(prefix)}
    command = ["cmake", "-S", str(project), "-B", str(tmp_path / "build"), f"-DQRERANK_CACHE={tmp_path}/none"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"{root}/lib/libtorch_cpu.so" in done.stdout
