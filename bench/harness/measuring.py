"""Runs one command and says what it took; medians and ratios of many runs."""
import json
import os
import signal
import statistics
import subprocess
import threading
import time

import place


class Failed(Exception):
    """A command that did not do what it was to do; its text says why."""


def run(argv, folder, env, deadline_s=600, watch=None, codes=(0,), silent=False):
    """{wall_s, user_s, sys_s, cpu_s, rss_mib, begun_s, out}; whole process, children included.

    watch(pid, seconds) is called four times a second while it runs. silent: stdout is thrown away.
    """
    out = folder / "measured.json"
    log = folder / "output.txt"
    out.unlink(missing_ok=True)
    with open(log, "wb") as sink:
        process = subprocess.Popen([str(place.PROGRAMS / "measure"), str(out), *map(str, argv)],
                                   stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL if silent else sink, stderr=sink,
                                   env=env, cwd=folder, start_new_session=True)
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, watch, stop))
        if watch:
            watcher.start()
        try:
            process.wait(deadline_s)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Failed(f"{argv[0]}: not done in {deadline_s} s") from late
        finally:
            stop.set()
            if watch:
                watcher.join()
    text = log.read_text(errors="replace")
    taken = json.loads(out.read_text()) if out.exists() else {"code": process.returncode}
    if taken["code"] not in codes:
        raise Failed(f"{os.path.basename(str(argv[0]))}: exit {taken['code']}: {text[-600:]}")
    return {**taken, "cpu_s": taken["user_s"] + taken["sys_s"],
            "rss_mib": taken["rss_kib"] / 1024, "out": text}


def _child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        found = children.read().split()
    return int(found[0]) if found else None


def _watch(pid, watch, stop):
    began = time.monotonic()
    while not stop.wait(0.25):
        try:
            child = _child_of(pid)
            if child:
                watch(child, time.monotonic() - began)
        except (OSError, ValueError):
            return


def rss_mib(pid):
    """Of a running process, now."""
    with open(f"/proc/{pid}/status") as lines:
        for line in lines:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def median(values):
    return statistics.median(values)


def ratios(ours, theirs, value):
    """value(run) of ours over theirs, round by round: both ran under the same circumstances."""
    return [value(a) / value(b) for a, b in zip(ours, theirs)]


def spread(values):
    """(median, least, most)."""
    return statistics.median(values), min(values), max(values)
