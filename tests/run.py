#!/usr/bin/env python3
"""Runs every unit test program and every end-to-end test, two at a time, and counts.

A unit test program is a cmocka binary in BUILD/tests; each of its tests counts. An end-to-end
test is a function test_* in tests/e2e/test_*.py; it gets a fresh folder and fails by raising.
"""
import argparse
import concurrent.futures
import importlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "e2e"))
sys.dont_write_bytecode = True

UNIT_DEADLINE_S = 300


def run_unit(program):
    """[(name, ok, text, seconds)] of one cmocka program."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pxload-unit-") as folder:
        os.chmod(folder, 0o755)  # some tests drop privileges
        try:
            done = subprocess.run([str(program)], capture_output=True, text=True, cwd=folder,
                                  errors="replace", timeout=UNIT_DEADLINE_S,
                                  env={**os.environ, "TMPDIR": folder})
        except subprocess.TimeoutExpired:
            return [(program.name, False, f"not done in {UNIT_DEADLINE_S} s", UNIT_DEADLINE_S)]
    seconds = time.monotonic() - began
    text = done.stdout + done.stderr
    passed = re.findall(r"^\[       OK \] (\S+)", text, re.M)
    failed = re.findall(r"^\[  (?:FAILED|ERROR) ?\s*\] (\w\S*)$", text, re.M)
    results = [(f"{program.name}:{name}", True, "", seconds / max(1, len(passed)))
               for name in passed]
    if done.returncode:
        names = sorted(set(failed)) or ["(exit %d)" % done.returncode]
        results += [(f"{program.name}:{name}", False, text, seconds) for name in names]
    elif not passed:
        results.append((program.name, False, "ran no test\n" + text, seconds))
    return results


def run_e2e(module_name, name, build):
    os.environ["PXLOAD_BUILD_DIR"] = str(build)
    module = importlib.import_module(module_name)
    began = time.monotonic()
    label = f"{module_name}:{name}"
    with tempfile.TemporaryDirectory(prefix="pxload-e2e-") as folder:
        try:
            getattr(module, name)(pathlib.Path(folder))
            return [(label, True, "", time.monotonic() - began)]
        except Exception:  # a test fails by raising anything
            return [(label, False, traceback.format_exc(), time.monotonic() - began)]


def find_e2e():
    found = []
    for path in sorted((HERE / "e2e").glob("test_*.py")):
        module = importlib.import_module(path.stem)
        found += [(path.stem, name) for name in dir(module)
                  if name.startswith("test_") and callable(getattr(module, name))]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="")
    parser.add_argument("--slowest", type=int, default=0)
    args = parser.parse_args()
    build = (HERE.parent / args.build).resolve()
    os.environ["PXLOAD_BUILD_DIR"] = str(build)
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        jobs = [pool.submit(run_e2e, module, name, build) for module, name in find_e2e()
                if args.only in f"{module}:{name}"]
        if not args.only:
            jobs += [pool.submit(run_unit, program)
                     for program in sorted((build / "tests").glob("test_*"))]
        results = []
        for job in concurrent.futures.as_completed(jobs):
            for label, ok, text, seconds in job.result():
                results.append((label, ok, seconds))
                if not ok:
                    print(f"FAILED {label} ({seconds:.1f} s)\n{text}", flush=True)
    for label, _, seconds in sorted(results, key=lambda r: -r[2])[:args.slowest]:
        print(f"{seconds:7.1f} s  {label}")
    failed = sum(not ok for _, ok, _ in results)
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
