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

from real_s3 import ENVIRONMENT as REAL_S3, Server  # noqa: E402

UNIT_DEADLINE_S = 300
REAL_S3_MODULE = "test_real_s3"


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


def run_e2e(module_name, name, build, more=()):
    os.environ.update({"PXLOAD_BUILD_DIR": str(build), **dict(more)})
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


def run_all(args, build):
    """(label, ok, text, seconds) of every test, as they end. The real S3 server comes up while
    the others run, and serves all tests that want it."""
    found = [(module, name) for module, name in find_e2e() if args.only in f"{module}:{name}"]
    real = [test for test in found if test[0] == REAL_S3_MODULE]
    server = Server(args.s3) if real else None
    with concurrent.futures.ProcessPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        jobs = [pool.submit(run_e2e, *test, build) for test in found if test not in real]
        if not args.only:
            jobs += [pool.submit(run_unit, program)
                     for program in sorted((build / "tests").glob("test_*"))]
        try:
            more = {REAL_S3: server.where()} if real else {}
            jobs += [pool.submit(run_e2e, *test, build, more) for test in real]
        except RuntimeError as error:
            print(f"{args.s3} did not start: {error}", flush=True)
            for module, name in real:
                yield f"{module}:{name}", False, f"{args.s3} did not start", 0
        for job in concurrent.futures.as_completed(jobs):
            yield from job.result()
    if server:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="")
    parser.add_argument("--slowest", type=int, default=0)
    parser.add_argument("--s3", choices=("swift", "ceph"), default="swift",
                        help=f"the server of {REAL_S3_MODULE}")
    args = parser.parse_args()
    build = (HERE.parent / args.build).resolve()
    os.environ["PXLOAD_BUILD_DIR"] = str(build)
    began = time.monotonic()
    results = []
    for label, ok, text, seconds in run_all(args, build):
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
