#!/usr/bin/env python3
"""The rehearsal behind scripts/rehearsal: a whole migration of a real tree into pxm-sim.

Plan, manifest, upload with two kills, a delta wave, verify, reports; the requests that PXM counted
against those that the plan had promised.
"""
import collections
import csv
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import demo

# Attributes that pxm-sim's tenant has, and a value of each one's type.
ATTRIBUTES = {"attribute:Description": lambda n: f"number {n} of the old DAM",
              "attribute:Color": lambda n: ("Red", "Green", "Blue")[n % 3]}
SHARE_DESCRIBED = 10  # every n-th file gets a filled-in row
KILL_AT = (0.3, 0.7)
CHANGED, ADDED = 200, 100


class Rehearsal:
    def __init__(self, tree, scratch, api):
        self.tree, self.scratch, self.api = tree, scratch, api
        self.journal = f"{scratch}/rehearsal.journal"
        self.manifest = f"{scratch}/manifest.csv"
        self.env = {**os.environ, "XDG_STATE_HOME": f"{scratch}/state",
                    "XDG_CACHE_HOME": f"{scratch}/cache", "XDG_CONFIG_HOME": f"{scratch}/config",
                    "PXLOAD_BASE_URL": api, "PXM_CLIENT_ID": "rehearsal",
                    "PXM_CLIENT_SECRET": "sim-secret"}
        self.job = ["--api-rate", "0", "--map-folders", "tree", "--name-policy", "unique",
                    "--manifest", self.manifest]
        self.problems = []

    def run(self, *args, codes=(0,)):
        done = subprocess.run([str(demo.ROOT / "build/pxload"), *args], env=self.env, text=True,
                              stdout=subprocess.PIPE, errors="replace", check=False)
        if done.returncode not in codes:
            self.problems.append(f"pxload {args[0]} ended with {done.returncode}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return done, lines[-1] if lines else {}

    def state(self):
        return demo.state(self.api, "?files=0")

    def requests(self):
        return sum(sum(by_status.values()) for name, by_status in self.state()["counts"].items()
                   if name not in ("put", "part"))

    def describe(self):
        """Fills in the template's rows, as somebody would with a spreadsheet."""
        self.run("manifest", "--template", "-o", self.manifest, self.tree)
        with open(self.manifest, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames) + [c for c in ATTRIBUTES
                                                 if c not in reader.fieldnames]
            rows = list(reader)
        described = 0
        with open(self.manifest, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for n, row in enumerate(rows):
                if n % SHARE_DESCRIBED == 0:
                    row.update({column: value(n) for column, value in ATTRIBUTES.items()})
                    described += 1
                writer.writerow(row)
        print(f"{len(rows)} rows, {described} of them filled in")

    def upload_until(self, share, planned, args):
        process = subprocess.Popen([str(demo.ROOT / "build/pxload"), "upload", *args], env=self.env)
        while process.poll() is None:
            if self.state()["file_count"] >= share * planned:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.02)
        process.wait()
        print(f"killed at {self.state()['file_count']} of {planned} files")

    def wave(self, what):
        before = self.requests()
        done, total = self.run("upload", "--json", "--quiet", *self.job, "--journal", self.journal,
                               self.tree, codes=(0, 1, 3))
        print(f"{what}: planned {total['planned']}, confirmed {total['confirmed']}, failed "
              f"{total['failed']}, exit code {done.returncode}")
        return self.requests() - before

    def change(self):
        files = [path for path in pathlib.Path(self.tree).rglob("*") if path.is_file()]
        for path in random.Random(1).sample(sorted(files), CHANGED):
            with open(path, "ab") as file:
                file.write(b"\nchanged after the first wave\n")
        new = pathlib.Path(self.tree) / "new-after-the-first-wave"
        new.mkdir()
        for n in range(ADDED):
            (new / f"added {n}.txt").write_text(f"number {n}\n")

    def compare(self):
        report = f"{self.scratch}/report.csv"
        self.run("report", "--format", "csv", "-o", report, self.journal)
        self.run("report", "--format", "html", "-o", f"{self.scratch}/report.html", self.journal)
        held = demo.state(self.api)
        confirmed, problems = demo.compare(report, held["files"])
        names = collections.Counter(record["name"] for record in held["files"])
        print(f"{confirmed} files confirmed, {len(held['files'])} in PXM, "
              f"{sum(n > 1 for n in names.values())} doubled, {len(held['violations'])} breaches, "
              f"{len(problems)} differences by digest")
        self.problems += problems + held["duplicates"] + held["violations"]


def copy_tree(source, target, most):
    """Regular files alone, so that the delta wave can change them."""
    count = 0
    for folder, folders, files in os.walk(source):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            goal = os.path.join(target, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(goal), exist_ok=True)
            shutil.copyfile(path, goal)
            count += 1
            if count == most:
                return count
    return count


def rehearse(job, planned_files):
    demo.say("pxload manifest")
    job.describe()
    demo.say("pxload plan")
    plan = job.run("plan", "--json", *job.job, job.tree, codes=(0, 3))[1]
    print(f"{plan['totalTransfers']} files to send, {plan['requests']} requests: "
          f"{plan['categories']} categories, {plan['collections']} collections")
    demo.say("pxload upload, killed twice, then to the end")
    before = job.requests()
    upload = [*job.job, "--quiet", "--journal", job.journal, job.tree]
    for share in KILL_AT:
        job.upload_until(share, planned_files, upload)
    job.wave("first wave")
    used = job.requests() - before
    print(f"requests: {used} used, {plan['requests']} planned, "
          f"{100 * (used / plan['requests'] - 1):+.2f} %")
    if abs(used / plan["requests"] - 1) > 0.01:
        job.problems.append("the plan was off by more than 1 %")
    demo.say(f"{CHANGED} files change, {ADDED} are added: the delta wave")
    job.change()
    used = job.wave("delta wave")
    print(f"requests: {used} for {CHANGED + ADDED} files")
    demo.say("pxload verify")
    total = job.run("verify", "--api-rate", "0", "--json", job.journal)[1]
    print({key: total[key] for key in ("checked", "missing", "different_size", "doubled",
                                       "unlinked", "requests") if key in total})
    demo.say("what PXM holds against the local files, digest by digest")
    job.compare()


def main():
    began = time.monotonic()
    scratch = tempfile.mkdtemp(prefix="pxload-rehearsal-")
    tree = f"{scratch}/dam"
    count = copy_tree(os.path.abspath(sys.argv[1]), tree, int(sys.argv[2]))
    print(f"{count} files of {sys.argv[1]} in {tree}")
    sim = subprocess.Popen([str(demo.ROOT / "build/pxm-sim"), "--listen", "127.0.0.1:0", "--rate",
                            "0"], stdout=subprocess.PIPE, text=True)
    try:
        ready = sim.stdout.readline()
        job = Rehearsal(tree, scratch, ready.split()[2].partition("=")[2])
        rehearse(job, count)
        if len(sys.argv) > 3:
            shutil.copy(f"{scratch}/report.html", sys.argv[3])
    finally:
        sim.terminate()
        sim.wait()
        shutil.rmtree(scratch, ignore_errors=True)
    for problem in job.problems[:20]:
        print(f"  {problem}")
    demo.say(f"{'FAILED' if job.problems else 'clean'} ({time.monotonic() - began:.0f} s)")
    return bool(job.problems)


if __name__ == "__main__":
    sys.exit(main())
