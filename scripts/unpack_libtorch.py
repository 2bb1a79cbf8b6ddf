#!/usr/bin/env python3
"""Takes libtorch out of PyPI wheels: headers and the shared libraries that a C++ program loads, nothing of Python.

    unpack_libtorch.py WHEELS OUT [--cuda]

WHEELS is a folder of .whl files, OUT becomes {torch/include, torch/lib, nvidia/cu13/lib}. Without --cuda only what
libtorch_cpu.so needs is kept (about 0.5 GB); with it, every shared library of torch and of the nvidia wheels, which a
program then finds by dlopen("libtorch_cuda.so").
"""

import argparse
import pathlib
import re
import shutil
import sys
import zipfile

CPU = [
    r"torch/include/.*",
    r"torch/lib/(libtorch_cpu\.so|libc10\.so|libgomp\.so\.1|libgomp-[^/]*\.so.*)",
    r"nvidia/cu13/lib/(libcudart\.so\.13|libcupti\.so\.13)",
    r"[^/]*\.dist-info/(licenses/.*|LICENSE.*|License.*|NOTICE.*)",
]
CUDA = CPU + [r"torch/lib/(?!libtorch_python|libshm)[^/]*\.so(\.\d+)*", r"nvidia/.*/lib/[^/]*\.so(\.\d+)*"]
NEEDED = ["torch/include/ATen/ATen.h", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so",
          "nvidia/cu13/lib/libcudart.so.13", "nvidia/cu13/lib/libcupti.so.13"]


def unpack(wheel, out, wanted):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir() or not wanted.fullmatch(member.filename):
                continue
            target = out / member.filename
            if not target.resolve().is_relative_to(out.resolve()):
                sys.exit(f"{wheel.name} holds a path outside its folder: {member.filename}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            target.chmod((member.external_attr >> 16) & 0o777 or 0o644)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--cuda", action="store_true")
    args = parser.parse_args()

    wanted = re.compile("|".join(CUDA if args.cuda else CPU))
    staging = args.out.with_name(args.out.name + ".partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    for wheel in sorted(args.wheels.glob("*.whl")):
        unpack(wheel, staging, wanted)
    missing = [name for name in NEEDED if not (staging / name).is_file()]
    if missing:
        sys.exit(f"the wheels in {args.wheels} do not hold {', '.join(missing)}")
    if args.out.is_symlink():
        args.out.unlink()  # somebody's own copy: only the link is ours
    shutil.rmtree(args.out, ignore_errors=True)
    staging.rename(args.out)


if __name__ == "__main__":
    main()
