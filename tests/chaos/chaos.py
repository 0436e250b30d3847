#!/usr/bin/env python3
"""Seeded chaos: random trees, faults, kills and changes; in the end the promise must hold.

The promise: every planned file is in PXM exactly once with the right bytes, or is named with the
reason why not. Each run of this program is one seed:

  1. plan.py draws a tree, a tenant, options and faults;
  2. pxload runs a few times and is killed, interrupted or paused at random moments, while files
     change and the journal's disk may be full;
  3. the faults end, and the job is resumed until it is done;
  4. judge.py compares local files, report, books and what pxm-sim holds.

A seed decides all but the timing of processes: a failure that hangs on a race may need a few
replays.
"""
import argparse
import concurrent.futures
import contextlib
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

import judge  # noqa: E402  (the path is set above)
from world import HOUR_S, Clock  # noqa: E402
from moments import count  # noqa: E402
from plan import Plan, any_size, content, is_junk  # noqa: E402
from pxm import Pxload, preload, report, sim, wait_for  # noqa: E402
from test_manifest import collection  # noqa: E402

DEADLINE_S = 75  # of one pxload, whatever happens: longer is a hang
FINAL_RUNS = 6
VERIFY = ["--timeout", "2s", "--contimeout", "1s"]
SMALL_DISK = "8m"  # a write-ahead log grows to 4 MiB before it is reused
# What a run that is not done may end with. By a signal: our own kill, or one that came before the
# program could say otherwise.
UNFINISHED = {0, 1, 3, 4, 5, 6, 130, 143, -signal.SIGKILL, -signal.SIGINT, -signal.SIGTERM}
MOUNTS = threading.Lock()


class Failure(Exception):
    """What breaks the promise."""


class Tree:
    """The local files and everything that each of them ever was."""

    def __init__(self, folder, plan):
        self.root = folder / "tree"
        self.aside = folder / "aside"
        self.root.mkdir()
        self.aside.mkdir()
        self.plan = plan
        self.history = {}  # {path: [bytes]}
        self.hidden = None  # a path that is away, with its times
        self.touched = set()  # paths that did not stay what they were at the first walk
        for path, size in plan.files.items():
            self.put(path, content(plan.dice, size))
        if plan.odd_items:
            os.symlink("f1.jpg", self.root / "link.jpg")
            os.mkfifo(self.root / "pipe.jpg")

    def full(self, path):
        return os.path.join(os.fsencode(self.root), path)

    def put(self, path, data):
        """Whole or not at all: what a reader sees is what the history knows."""
        full = self.full(path)
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            if os.path.isdir(full):
                return
        except (FileExistsError, NotADirectoryError):
            return
        temporary = os.path.join(os.fsencode(self.aside), b"new")
        with open(temporary, "wb") as out:
            out.write(data)
        self.history.setdefault(path, []).append(data)
        os.rename(temporary, full)

    def paths(self):
        found = set()
        for folder, _, names in os.walk(os.fsencode(self.root)):
            for name in names:
                full = os.path.join(folder, name)
                if os.path.isfile(full) and not os.path.islink(full):
                    found.add(os.path.relpath(full, os.fsencode(self.root)))
        return found

    def wanted(self):
        return {path for path in self.paths() if not is_junk(path)}

    def read(self, path):
        with open(self.full(path), "rb") as file:
            return file.read()

    def change(self, dice):
        """One random change of one file."""
        there = sorted(self.paths())
        how = dice.choice(["replace", "rewrite", "truncate", "append", "delete", "add", "rename",
                           "hide"])
        if how == "add" or not there:
            path = self.plan.new_path()
            self.touched.add(path)
            self.put(path, content(dice, any_size(dice)))
            return f"add {path}"
        path = dice.choice(there)
        if how == "rename" and b"/" in path:
            return self.rename_folder(path.split(b"/")[0], dice)
        if how == "hide":
            return self.hide(path)
        self.touched.add(path)
        old = self.read(path)
        if how == "replace":
            self.put(path, content(dice, any_size(dice)))
        elif how == "delete":
            os.unlink(self.full(path))
        else:
            self.write_in_place(path, old, how, dice)
        return f"{how} {path}"

    def rename_folder(self, old, dice):
        """With all that is in it, and perhaps back again."""
        new = dice.choice([b"renamed", b"d", b"sub dir"])
        if os.path.exists(self.full(new)):
            return f"not renamed {old}"
        moved = [path for path in [*self.history, *self.paths()] if path.startswith(old + b"/")]
        for path in moved:
            other = new + path[len(old):]
            self.touched |= {path, other}
            self.history.setdefault(other, []).extend(self.history.get(path, []))
        os.rename(self.full(old), self.full(new))
        return f"rename {old} to {new}"

    def hide(self, path):
        """Away with it, or back with what was away."""
        hidden = os.path.join(os.fsencode(self.aside), b"hidden")
        if self.hidden and not os.path.exists(self.full(self.hidden)):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.rename(hidden, self.full(self.hidden))
                self.hidden, path = None, self.hidden
                return f"back again {path}"
        if self.hidden:
            return "nothing is hidden"
        self.hidden = path
        self.touched.add(path)
        os.rename(self.full(path), hidden)
        return f"hide {path}"

    def write_in_place(self, path, old, how, dice):
        if how == "truncate":
            cut = dice.randrange(len(old)) if old else 0
            self.history[path].append(old[:cut])
            os.truncate(self.full(path), cut)
        else:
            more = content(dice, len(old) if how == "rewrite" else dice.randrange(1, 5000))
            self.history[path].append(more if how == "rewrite" else old + more)
            with open(self.full(path), "r+b" if how == "rewrite" else "ab") as file:
                file.write(more)
        # A reader in the middle of this write has seen the file's new time already, and half of
        # its bytes: one more new time, as a program that goes on writing would give it.
        time.sleep(0.01)
        os.utime(self.full(path))


class SmallDisk:
    """A tmpfs of its own for the journal; None where it cannot be mounted."""

    def __init__(self, folder):
        self.path = folder
        self.filler = folder / "filler"

    def fill(self):
        with contextlib.suppress(OSError), open(self.filler, "wb", buffering=0) as out:
            while True:
                out.write(bytes(65536))

    def empty(self):
        self.filler.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder, wanted):
    place = folder / "disk"
    place.mkdir()
    mounted = False
    if wanted:
        with MOUNTS:
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "none",
                                      place], stderr=subprocess.DEVNULL, check=False
                                     ).returncode == 0
    try:
        yield SmallDisk(place) if mounted else None
    finally:
        if mounted:
            with MOUNTS:
                # The journal is looked at after the run.
                kept = folder / "kept"
                shutil.copytree(place, kept, ignore=shutil.ignore_patterns("filler"))
                subprocess.run(["umount", "-l", place], check=True)


class Run:
    """One seed."""

    def __init__(self, seed, folder):
        self.plan = Plan(seed)
        self.dice = self.plan.dice
        self.folder = folder
        self.log = open(folder / "chaos.log", "w", encoding="utf-8", errors="backslashreplace")
        self.tree = Tree(folder, self.plan)
        self.journal = None
        self.load = None
        self.clock = None
        self.server = None
        self.disk = None
        self.disk_was_full = False
        self.kills = 0
        self.say(f"seed {seed}: {vars(self.plan)}")

    def say(self, text):
        self.log.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        self.log.flush()

    # ---- one process --------------------------------------------------------------------------

    def command(self):
        """The same command, or a resume or retry of its journal where a job has begun in it."""
        verb = self.dice.choices(["upload", "resume", "retry"], [6, 2, 1])[0]
        begun = count(self.journal, "SELECT count(*) FROM meta WHERE key = 'job.root.0'")
        command = self.spelled(verb if begun else "upload")
        if command[0] == "upload" and self.dice.random() < 0.2:
            # What a filter leaves out is neither gone nor somebody else's.
            command[-1:-1] = ["--exclude", self.dice.choice(["d/**", "*.jpg", "f1*"])]
        return command

    def spelled(self, verb):
        running = self.plan.options["running"]
        log = ["--json", "--log-file", self.folder / "pxload.log", "--log-level", "debug"]
        if verb == "upload":
            return ["upload", *log, *running, *self.plan.options["job"], "--journal", self.journal,
                    *self.manifest_options(), self.tree.root]
        return [verb, *log, *running, self.journal]

    def manifest_options(self):
        return ["--manifest", self.folder / "manifest.csv"] if self.plan.has_manifest else []

    def write_manifest(self):
        """As a whole: no run sees half of it."""
        if not self.plan.has_manifest:
            return
        fresh = self.folder / "manifest.new"
        columns = ["path", "published", "collections", "attribute:Description",
                   "attribute:Keywords", "attribute:Color"]
        with open(fresh, "w", newline="", encoding="utf-8") as out:
            table = csv.DictWriter(out, columns, restval="", quoting=csv.QUOTE_ALL)
            table.writeheader()
            table.writerows({"path": key, **row} for key, row in self.plan.rows.items())
        os.replace(fresh, self.folder / "manifest.csv")

    def change_manifest(self):
        """Another text, or one more collection; nothing is taken back, as a link never is."""
        if not self.plan.rows:
            return
        row = self.plan.rows[self.dice.choice(sorted(self.plan.rows))]
        if self.dice.random() < 0.5:
            row["attribute:Description"] = f"changed {self.dice.randrange(1000)}"
        else:
            row["collections"] = "Shelf; Drawer"
        self.say("the manifest has changed")
        self.write_manifest()

    def start(self, command):
        self.say(" ".join(map(str, command)))
        return self.load.start(*command)

    def finish(self, process):
        """(code, stdout) at its end; a process that does not end is a failure."""
        try:
            out, err = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Failure(f"hang: not done {DEADLINE_S} s after the last signal") from None
        self.say(f"ended with {process.returncode}\n{err.decode(errors='backslashreplace')}")
        (self.folder / "last.out").write_bytes(out)
        return process.returncode, out.decode(errors="replace")

    def disturb(self, process):
        """Changes, signals and a full disk while it runs; then its end."""
        dice = self.dice
        lasts_s = dice.choice([0.03, 0.08, 0.15, 0.3, 0.6, 1.2]) * dice.uniform(0.5, 1.5)
        ends = time.monotonic() + lasts_s
        signals = dice.choice([[signal.SIGKILL], [signal.SIGKILL], [signal.SIGINT],
                               [signal.SIGTERM], [signal.SIGINT, signal.SIGINT],
                               [signal.SIGSTOP, signal.SIGCONT], []])
        while time.monotonic() < ends and process.poll() is None:
            if self.plan.mutates and dice.random() < 0.25:
                self.say(self.tree.change(dice))
            if self.disk and dice.random() < 0.2:
                self.disk_was_full = True
                self.disk.fill() if dice.random() < 0.5 else self.disk.empty()
            if self.plan.outages and dice.random() < 0.1:
                self.outage(dice)
            if self.plan.clock_jumps and dice.random() < 0.3:
                self.jump(dice)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=dice.uniform(0.005, 0.12))
        for number in signals:
            self.send(process, number)
        if self.disk and dice.random() < 0.7:
            self.disk.empty()
        if not signals or signals[-1] == signal.SIGCONT:
            # As long as the faults allow, but no run waits for all of its backoffs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2.5)
            self.send(process, signal.SIGTERM)

    def jump(self, dice):
        """The wall clock is set: by a little, by hours, or right again."""
        seconds = dice.choice([-1, 1]) * dice.choice([2, 600, 5 * HOUR_S, 700 * HOUR_S])
        if dice.random() < 0.2:
            seconds = -self.clock.offset_s
        self.say(f"the clock is set by {seconds} s")
        self.clock.turn(seconds)

    def outage(self, dice):
        """One side of the server is away for a moment, or has forgotten all tokens."""
        what = dice.choice(["revoke", "listen?off=150&side=s3", "listen?off=150&side=api"])
        self.say(what)
        with contextlib.suppress(urllib.error.URLError):  # it may be away already
            self.server.call("POST", "/_sim/" + what, {})

    def send(self, process, number):
        if process.poll() is None:
            self.kills += 1
            self.say(signal.Signals(number).name)
            process.send_signal(number)
            time.sleep(self.dice.uniform(0, 0.1))

    def allowed(self):
        # 7: a journal whose disk is full may be said to be unusable.
        return UNFINISHED | ({7} if self.disk_was_full else set())

    # ---- the phases ---------------------------------------------------------------------------

    def storm(self):
        for _ in range(self.plan.first_runs):
            process = self.start(self.command())
            self.disturb(process)
            code, _ = self.finish(process)
            if code not in self.allowed():
                raise Failure(f"ended with {code}")
            if self.plan.clock_jumps and self.dice.random() < 0.4:
                self.jump(self.dice)
            if self.plan.mutates and self.dice.random() < 0.5:
                self.say(self.tree.change(self.dice))
            if self.dice.random() < 0.3:
                self.change_manifest()

    def is_calm(self):
        with contextlib.suppress(urllib.error.URLError):
            self.server.clear_faults()
            return True
        return False

    def calm(self):
        """Resumes without faults until the job is done. (code, stdout) of the last run."""
        wait_for(self.is_calm, "the end of an outage")
        if self.disk:
            self.disk.empty()
        if not os.path.exists(self.journal):
            self.finish(self.start(self.spelled("upload")))
        for _ in range(self.dice.randrange(2)):
            self.finish(self.start(self.command()))
        # What failed for good under the faults was no fault of the file.
        self.finish(self.start(self.spelled("upload")))
        self.finish(self.start(self.spelled("retry")))
        for _ in range(FINAL_RUNS):
            code, out = self.finish(self.start(self.spelled("upload")))
            if code in (0, 1, 3, 6):
                return code, out
            if code != 5:
                raise Failure(f"without faults it ended with {code}")
        raise Failure(f"not done after {FINAL_RUNS} runs without faults")

    def whole(self):
        with small_disk(self.folder, self.plan.small_disk) as self.disk, \
                sim(self.folder, *self.plan.sim, audit=False) as self.server:
            self.journal = (self.disk.path if self.disk else self.folder) / "job.journal"
            self.load = Pxload(self.folder, self.server)
            if self.plan.clock_jumps:
                self.clock = Clock(self.load)
            preload(self.server, self.plan.preload)
            if self.plan.has_manifest:
                for name in ("Shelf", "Drawer"):
                    collection(self.server, name)
                self.write_manifest()
            self.say(f"PXM has {self.plan.preload}")
            if self.plan.faults:
                self.server.faults(self.plan.faults)
            self.storm()
            code, out = self.calm()
            self.check(code, out)
            self.verified(set())
            if self.plan.is_damaged:
                self.repaired()

    def check(self, code, out):
        problems = judge.judge(self, code, out)
        for problem in problems:
            self.say(problem)
        if problems:
            raise Failure("; ".join(problems[:6]))

    # ---- verify -------------------------------------------------------------------------------

    def verified(self, wanted, *options):
        """pxload verify finds this, and nothing else."""
        command = ["verify", "--json", *VERIFY, *options, self.journal]
        code, out = self.finish(self.start(command))
        lines = map(json.loads, out.splitlines())
        found = {(line.get("file_id"), line["finding"]) for line in lines
                 if line["message_type"] == "file"}
        if found != wanted or code != (1 if wanted else 0):
            raise Failure(f"verify ended with {code} and {sorted(found)}, not {sorted(wanted)}")

    def damage(self):
        """What somebody does to a few files in PXM, as verify calls it."""
        dice = self.dice
        records = {record["id"]: record for record in self.server.state()["files"]}
        rows = {os.fsencode(path): row for path, row in
                report(self.load, self.tree.root, self.journal).items()
                if row["state"] in ("confirmed", "linked") and not row.get("gone")
                and row.get("file_id") in records}
        wanted = set()
        for path in dice.sample(sorted(rows), min(len(rows), dice.randrange(1, 5))):
            record = records[rows[path]["file_id"]]
            how = dice.choice(["delete", "shorten", "unlink"])
            has_links = self.plan.mapping != "none" or (
                self.plan.rows.get(os.fsdecode(path), {}).get("collections"))
            if (how == "shorten" and not record["size"]) or (how == "unlink" and not has_links):
                continue
            self.server.call("POST", f"/_sim/damage?id={record['id']}&how={how}")
            wanted.add((record["id"], {"delete": "missing", "shorten": "different_size",
                                       "unlink": "unlinked"}[how]))
        self.say(f"damage: {sorted(wanted)}")
        return wanted

    def repaired(self):
        """Repairs that are killed, repeated, and then done: the promise must hold again."""
        wanted = self.damage()
        self.tree.touched |= self.tree.paths()  # another wave of some, as a version perhaps
        for _ in range(self.dice.randrange(2)):
            command = ["verify", "--json", *VERIFY, "--repair", self.journal]
            process = self.start(command)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=self.dice.uniform(0, 0.1))
            self.send(process, signal.SIGKILL)
            self.finish(process)
        if self.dice.random() < 0.5:
            code, out = self.finish(self.start([
                "verify", "--json", *VERIFY, "--repair", self.journal]))
            if code != (1 if wanted else 0):
                raise Failure(f"verify --repair ended with {code}, {sorted(wanted)} wanted")
        else:
            self.verified(wanted, "--repair")
        if self.dice.random() < 0.5:
            process = self.start(self.spelled("resume"))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=self.dice.uniform(0, 0.2))
            self.send(process, signal.SIGKILL)
            self.finish(process)
        code, out = self.finish(self.start(self.spelled("upload")))
        self.check(code, out)
        if self.plan.policy != "fail":
            self.verified(set())


def run_seed(seed, scratch, keep):
    """None, or what went wrong."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"seed-{seed}-", dir=scratch))
    wrong = None
    try:
        Run(seed, folder).whole()
    except Failure as failure:
        wrong = str(failure)
    except Exception:  # an error of the harness is a failure of the seed, too
        wrong = traceback.format_exc()
    if not (wrong and keep):
        shutil.rmtree(folder)
    elif wrong:
        wrong += f"\n  kept: {folder}"
    return wrong


def copy_programs(scratch, build):
    """A build that goes on meanwhile does no harm."""
    programs = pathlib.Path(scratch) / "programs"
    programs.mkdir()
    (programs / "tests").mkdir()
    for name in ("pxload", "pxm-sim", "tests/clockjump.so"):
        shutil.copy2(pathlib.Path(build) / name, programs / name)
    os.environ["PXLOAD_BUILD_DIR"] = str(programs)


def run_all(seeds, scratch, keep=False, jobs=4):
    """{seed: what went wrong}; each failure is printed with the command that replays it."""
    failures = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        running = {pool.submit(run_seed, seed, scratch, keep): seed for seed in seeds}
        for job in concurrent.futures.as_completed(running):
            seed, wrong = running[job], job.result()
            if wrong:
                failures[seed] = wrong
                print(f"FAILED seed {seed}: {wrong}\n"
                      f"  replay: scripts/chaos --runs 1 --seed {seed} --keep", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next has +1")
    parser.add_argument("--keep", action="store_true", help="keep the folders of failing runs")
    parser.add_argument("--jobs", type=int, default=4, help="runs at once")
    parser.add_argument("--build", default=str(HERE.parent.parent / "build"))
    args = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="pxload-chaos-")
    began = time.monotonic()
    try:
        copy_programs(scratch, args.build)
        seeds = range(args.seed, args.seed + args.runs)
        failures = run_all(seeds, scratch, args.keep, args.jobs)
    finally:
        if not args.keep or not os.listdir(scratch)[1:]:
            shutil.rmtree(scratch, ignore_errors=True)
    print(f"{args.runs - len(failures)} of {args.runs} seeds passed "
          f"({args.seed}..{args.seed + args.runs - 1}), took {time.monotonic() - began:.0f} s")
    if failures:
        print("failed seeds:", *sorted(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
