"""The gate that keeps what was won: instruction counts by callgrind, which repeat where seconds
don't, against bench/baseline.json.

The whole program is counted as a ratio to the three-call floor over the same files in the same
minute, so that another libcurl or libc moves both sides. The small programs are counted as they
are, per operation.
"""
import json
import re
import shutil

import contenders
import measuring
import place
import servers
import trees

BASELINE = place.BENCH / "baseline.json"
MOST_LOST = 0.10
FILES = 500
WALKED = 5000

# name: (program, arguments, operations); the difference of two lengths leaves start-up out.
SMALL = {
    "wire, a file's protocol bytes": ("wire_bench", 500, 2500),
    "MIME type of a file": ("mime_bench", 2000, 20000),
    "journal, a file's life": ("journal_bench", 2000, 10000),
}


def _collected(argv, work, env, deadline_s=600):
    """Instructions of one command, all threads together."""
    run = measuring.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                         *argv], work, env, deadline_s)
    return int(re.search(r"Collected : (\d+)", run["out"]).group(1))


def _small(work, env):
    counts = {}
    for name, (program, few, many) in SMALL.items():
        taken = []
        for number in (few, many):
            more = [work / "."] if program == "journal_bench" else []
            taken.append(_collected([place.PROGRAMS / program, number, *more], work, env))
        counts[name] = (taken[1] - taken[0]) / (many - few)
    return counts


def _walk(work, env):
    taken = []
    for files in (WALKED // 5, WALKED):
        tree = trees.make_flat(work / f"walk-{files}", files, 16)
        taken.append(_collected([place.PROGRAMS / "walk_bench", tree.folder], work, env))
    return (taken[1] - taken[0]) / (WALKED - WALKED // 5)


def _whole(work, key, tree, server):
    """Instructions a file, start-up included: it is the same at every run."""
    contender = contenders.ALL[key]
    folder = work / key
    folder.mkdir(exist_ok=True)
    setting = contenders.Setting(server.api, None, tree, folder, False, 0)
    env = place.clean_environment(HOME=str(folder), TMPDIR=str(folder), **contender.env)
    return _collected(contender.command(setting), folder, env) / tree.files


def count(say):
    """{probe: number}, the lower the better."""
    work = place.scratch(place.GIB, on_disk=True)
    env = place.clean_environment(HOME=str(work))
    try:
        counts = _small(work, env)
        counts["walk, a file"] = _walk(work, env)
        tree = trees.make(work / "tree", [16384] * FILES)["all"]
        with servers.null_server() as server:
            for name, ours, floor in (
                    ("whole program / three-call floor", "pxload-off", "three-calls"),
                    ("whole program, ETag check on / the floor with MD5", "pxload",
                     "three-calls-md5")):
                # The least of three: more polls are an accident of timing, fewer are not.
                counts[name] = (min(_whole(work, ours, tree, server) for _ in range(3)) /
                                min(_whole(work, floor, tree, server) for _ in range(3)))
                say(f"{name}: {counts[name]:.3f}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return {name: round(value, 3) for name, value in counts.items()}


def check(refresh, say):
    if not refresh and not BASELINE.exists():
        raise SystemExit("bench: there is no baseline yet: scripts/bench --check --refresh")
    counts = count(say)
    if refresh:
        machine = place.machine()
        stored = {"made_with": {key: machine[key] for key in ("commit", "gcc", "curl")},
                  "counts": counts}
        BASELINE.write_text(json.dumps(stored, indent=1) + "\n")
        say(f"wrote {BASELINE}")
        return 0
    baseline = json.loads(BASELINE.read_text())["counts"]
    lost = 0
    for name, value in counts.items():
        before = baseline.get(name)
        change = value / before - 1 if before else 0
        worse = change > MOST_LOST
        lost += worse
        print(f"  {'WORSE' if worse else 'ok':6} {name:52} {value:12,.3f}  {change:+7.1%}")
    say("a loss of more than 10 %" if lost else "nothing lost")
    return 1 if lost else 0


