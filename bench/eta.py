#!/usr/bin/env python3
"""How right the computed ETA is: runs that end by bytes, by requests and by their longest file.

Each case is a scaled-down W4 (log-normal sizes around a median, two giants, all sparse) against
pxm-sim with a link of limited speed. The ETA of the status object nearest to 10, 50 and 90 % of
the run is compared with what was left then. Prints a table, or JSON with --json.
"""
import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))
from pxm import Pxload, sim, summary  # noqa: E402

MOMENTS = (10, 50, 90)
ALLOWED_PERCENT = 10
MIB = 1 << 20

# name: (files, their median size, giants, sim's flags, pxload's flags)
LINK = ["--s3-bandwidth", "100000000"]
CASES = {
    "bytes": (1500, MIB, [400 * MIB] * 2, LINK, ["--api-rate", "0"]),
    "requests": (700, MIB // 8, [200 * MIB] * 2, LINK, ["--api-rate", "900"]),
    "longest": (1500, MIB // 2, [400 * MIB], [*LINK, "--s3-connection-bandwidth", "5000000"],
                ["--api-rate", "0"]),
}


def make_mix(folder, files, median, giants, seed=1):
    """Sparse files of log-normal sizes, and the giants; their bytes in all."""
    dice = random.Random(seed)
    sizes = [int(dice.lognormvariate(0, 1) * median) for _ in range(files)] + list(giants)
    folder.mkdir()
    for i, size in enumerate(sizes):
        (folder / f"d{i % 20:02}").mkdir(exist_ok=True)
        with open(folder / f"d{i % 20:02}" / f"f{i:05}.bin", "wb") as out:
            out.truncate(max(size, 16))
            out.write(b"%016d" % i)
    return sum(sizes)


def measure(folder, name):
    files, median, giants, sim_flags, flags = CASES[name]
    total = make_mix(folder / "tree", files, median, giants)
    with sim(folder, "--store", "null", "--rate", "0", *sim_flags) as server:
        began = time.monotonic()
        done = Pxload(folder, server).upload("--stats", "200ms", *flags, folder / "tree",
                                             deadline_s=900)
        wall_s = time.monotonic() - began
    run_s = summary(done)["elapsed"]
    lines = [line for line in done.json if line["message_type"] == "status"]
    moments = []
    for percent in MOMENTS:
        at_s = run_s * percent / 100
        line = min(lines, key=lambda row: abs(row["elapsedTime"] - at_s))
        left_s = run_s - line["elapsedTime"]
        eta_s = None if line["eta_ms"] is None else line["eta_ms"] / 1000
        off = None if eta_s is None else round(100 * (eta_s - left_s) / left_s, 1)
        moments.append({"at_percent": percent, "left_s": round(left_s, 2), "eta_s": eta_s,
                        "off_percent": off, "limiter": line["limiter"]})
    return {"case": name, "files": files + len(giants), "bytes": total,
            "wall_s": round(wall_s, 2), "moments": moments,
            "within": all(m["off_percent"] is not None
                          and abs(m["off_percent"]) <= ALLOWED_PERCENT for m in moments),
            "trace": [[line["elapsedTime"], line["eta_ms"], line["limiter"], line["speed"],
                       line["putLimit"]] for line in lines]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(HERE.parent / "build"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("case", nargs="*", default=[], help=", ".join(CASES))
    args = parser.parse_args()
    os.environ["PXLOAD_BUILD_DIR"] = str(pathlib.Path(args.build).resolve())
    ok = True
    for name in args.case or CASES:
        with tempfile.TemporaryDirectory(prefix="pxload-eta-") as folder:
            found = measure(pathlib.Path(folder), name)
        ok = ok and found["within"]
        if args.json:
            print(json.dumps(found), flush=True)
            continue
        print(f"{name}: {found['files']} files, {found['bytes'] / 1e6:.0f} MB, "
              f"{found['wall_s']:.1f} s", flush=True)
        for m in found["moments"]:
            print(f"  at {m['at_percent']:2} %: left {m['left_s']:6.1f} s, ETA {m['eta_s']} s, "
                  f"off {m['off_percent']} %, limit {m['limiter']}", flush=True)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
