#!/usr/bin/env python3
"""The demo behind scripts/demo: upload, kill halfway, resume, compare."""
import csv
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The simulator's own limits are off, or the demo would take as long as PXM does: 500 files a
# minute. A latency of a few milliseconds makes the first half last long enough to be killed in.
SIM = ["--rate", "0", "--api-latency", "4"]
UPLOAD = ["--api-rate", "0", "--name-policy", "unique"]


def say(text):
    print(f"\n=== {text}", flush=True)


def state(api, query=""):
    with urllib.request.urlopen(f"{api}/_sim/state{query}", timeout=60) as reply:
        return json.load(reply)


def wait_until_half(process, api, planned):
    pause = select.poll()
    while process.poll() is None:
        counts = state(api, "?files=0")
        if counts["file_count"] * 2 >= planned:
            return
        pause.poll(5)


def compare(report, held):
    """Problems between the report's confirmed rows, the local files and what PXM holds."""
    by_id = {record["id"]: record for record in held}
    problems = []
    confirmed = 0
    with open(report, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["Result"] != "OK":
                continue
            confirmed += 1
            with open(row["Source"], "rb") as source:
                digest = hashlib.md5(source.read()).hexdigest()
            record = by_id.pop(row["FileId"], None)
            if not record or record["md5"] != digest:
                problems.append(f"{row['Source']}: PXM has {record}")
    problems += [f"PXM holds {record['name']}, which the report does not know"
                 for record in by_id.values()]
    return confirmed, problems


def run(folder, scratch, sim_api):
    pxload = str(ROOT / "build/pxload")
    env = {**os.environ, "XDG_STATE_HOME": f"{scratch}/state", "XDG_CACHE_HOME": f"{scratch}/cache",
           "XDG_CONFIG_HOME": f"{scratch}/config", "PXLOAD_BASE_URL": sim_api,
           "PXM_CLIENT_ID": "demo", "PXM_CLIENT_SECRET": "sim-secret"}
    journal = f"{scratch}/demo.journal"
    upload = [pxload, "upload", *UPLOAD, "--journal", journal, folder]

    say(f"pxload plan {folder}")
    subprocess.run([pxload, "plan", *UPLOAD, folder], env=env, check=False)
    plan = subprocess.run([pxload, "plan", "--json", *UPLOAD, folder], env=env,
                          capture_output=True, text=True, check=False)
    planned = json.loads(plan.stdout.splitlines()[-1])["planned"]

    say("pxload upload, killed (SIGKILL) halfway")
    process = subprocess.Popen(upload, env=env)
    wait_until_half(process, sim_api, planned)
    process.send_signal(signal.SIGKILL)
    process.wait()
    print(f"killed; PXM holds {state(sim_api, '?files=0')['file_count']} files")

    say("the same command again")
    done = subprocess.run(upload, env=env, check=False)
    print(f"exit code {done.returncode}")

    say("what PXM holds against the local files, digest by digest")
    report = f"{scratch}/report.csv"
    subprocess.run([pxload, "report", "--format", "csv", "-o", report, journal], env=env,
                   check=True)
    held = state(sim_api)
    confirmed, problems = compare(report, held["files"])
    print(f"{confirmed} files confirmed, {len(held['files'])} files in PXM, "
          f"{len(held['duplicates'])} doubled, {len(held['violations'])} breaches of the protocol, "
          f"{len(problems)} differences")
    for problem in problems[:10] + held["violations"][:10]:
        print(f"  {problem}")
    return bool(problems or held["duplicates"] or held["violations"] or not confirmed or
                done.returncode not in (0, 1, 3))


def main():
    began = time.monotonic()
    folder = os.path.abspath(sys.argv[1])
    scratch = tempfile.mkdtemp(prefix="pxload-demo-")
    sim = subprocess.Popen([str(ROOT / "build/pxm-sim"), "--listen", "127.0.0.1:0", *SIM],
                           stdout=subprocess.PIPE, text=True)
    try:
        ready = sim.stdout.readline()
        print(ready.strip())
        failed = run(folder, scratch, ready.split()[2].partition("=")[2])
    finally:
        sim.terminate()
        sim.wait()
        shutil.rmtree(scratch, ignore_errors=True)
    say(f"{'FAILED' if failed else 'every file once, none lost, none doubled'} "
        f"({time.monotonic() - began:.0f} s)")
    return failed


if __name__ == "__main__":
    sys.exit(main())
