"""Memory does not grow with the number of files."""
import os
import subprocess
import sys

from pxm import DEADLINE_S, Pxload, build_dir, sim

FEW = 1_000
MANY = 100_000
MORE_KIB = 8 << 10

# Runs a command and prints the peak resident KiB of it alone: a child's peak is at least what
# its parent had when it was made, so the parent must be small.
MEASURE = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


def is_sanitized():
    """A sanitizer's memory is not the program's."""
    program = (build_dir() / "pxload").read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def peak_kib(load, *args):
    done = subprocess.run([sys.executable, "-I", "-S", "-c", MEASURE, *load.command(*args)],
                          env=load.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=DEADLINE_S * 3)
    code, peak = map(int, done.stdout.split()[-2:])
    assert code == 0, done.stderr[-2000:]
    return peak


def plant(root, count):
    """Most files empty, some small."""
    for at in range(0, count, 1000):
        folder = root / f"d{at // 1000:03}"
        folder.mkdir(parents=True)
        for i in range(at, min(at + 1000, count)):
            fd = os.open(folder / f"{count}-{i:06}.bin", os.O_CREAT | os.O_WRONLY)
            if i % 10 == 0:
                os.write(fd, b"%d" % i)
            os.close(fd)
    return root


def test_peak_memory_of_100000_files_is_that_of_1000(folder):
    if is_sanitized():
        print("skipped: a sanitizer's build", flush=True)
        return
    with sim(folder, "--store", "null", "--rate", "0") as server:
        load = Pxload(folder, server)
        peaks = {}
        for count in (FEW, MANY):
            tree = plant(folder / f"tree{count}", count)
            args = ("--api-rate", "0", "-q", "--journal", folder / f"{count}.journal")
            peaks[count] = peak_kib(load, "upload", *args, tree)
        state = server.state(files=False)
        assert state["file_count"] == FEW + MANY and not state["duplicates"]
        print(f"peak RSS by number of files: {peaks} KiB", flush=True)
        assert peaks[MANY] - peaks[FEW] <= MORE_KIB, peaks
