"""Reaching a moment of a run and ending the run there: what the crash and signal tests share."""
import contextlib
import signal
import sqlite3
import subprocess
import urllib.parse

from pxm import DEADLINE_S, Pxload, books, holds, make_tree, pattern, report, wait_for

DISCOVERED, PREPARED, REQUESTED, STORED, CONFIRMED = range(5)

KIB = 1 << 10
# Small parts, so that a file of a few hundred KiB is multipart.
SMALL_PARTS = ("--multipart-threshold", "128K", "--part-size", "64K")


def query(journal, text):
    """Rows of a journal that a run is writing; [] while it is not made yet."""
    uri = f"file:{urllib.parse.quote(str(journal))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(text).fetchall()
    except sqlite3.OperationalError:
        return []


def count(journal, text):
    rows = query(journal, text)
    return rows[0][0] if rows else 0


def in_state(journal, state):
    return count(journal, f"SELECT count(*) FROM work WHERE state = {state}")


def output(process):
    """Waits for the end of a run: (stdout, stderr) as text."""
    try:
        texts = process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return tuple((text or b"").decode(errors="replace") for text in texts)


def reach(process, condition, what):
    """Waits for the condition while the run goes on; a run that ends before it fails the test."""
    def look():
        if condition():
            return True
        assert process.poll() is None or condition(), (
            f"ended with {process.returncode} before {what}: {output(process)}")
        return False
    try:
        wait_for(look, what)
    except BaseException:
        process.kill()
        raise


def kill(process):
    process.send_signal(signal.SIGKILL)
    output(process)
    assert process.returncode == -signal.SIGKILL, f"ended by itself with {process.returncode}"


class Scene:
    """A tree with small files, an empty one and a multipart one, and an upload of it."""

    def __init__(self, folder, server, args=(), files=6, more=None, big=True):
        self.server = server
        self.load = Pxload(folder, server)
        self.args = args
        self.wanted = {f"f{i}.bin": pattern(100 + i, i) for i in range(files)}
        self.wanted |= {"empty.bin": b"", **(more or {})}
        if big:
            self.wanted["big.bin"] = pattern(5 * 64 * KIB - 7)
        self.tree = make_tree(folder / "tree", self.wanted)
        self.path = folder / "job.journal"

    def command(self):
        return ("upload", "--json", "--journal", self.path, *self.args, self.tree)

    def start(self):
        return self.load.start(*self.command())

    def die(self, condition, what):
        """Uploads until the condition holds, then SIGKILL; the faults end with the run."""
        process = self.start()
        reach(process, condition, what)
        kill(process)
        self.server.clear_faults()

    def again(self):
        """The same command once more; every file must be there exactly once."""
        return self.check(self.load.run(*self.command()))

    def resume(self):
        return self.check(self.load.run("resume", "--json", *self.args, self.path))

    def check(self, done):
        total = len(self.wanted)
        assert books(done) == (total, total, 0, 0, 0), done.out
        self.check_held()
        return done

    def check_held(self):
        held = holds(self.server, self.wanted)
        assert not self.server.state(files=False)["duplicates"]
        rows = report(self.load, self.tree, self.path)
        assert sorted(rows) == sorted(self.wanted)
        for name, row in rows.items():
            assert row["state"] == "confirmed" and row["file_id"] == held[name]["id"], row
