"""What the side-by-side rounds do not show: the request budget, a million files, a shaped link,
memory, system calls, MIME typing. Each function is one part and returns its numbers."""
import collections
import json
import os
import re
import shutil
import subprocess

import contenders
import measuring
import place
import servers
import trees
from place import GIB, MIB

LIMIT = 950  # requests in any 60 s, pxload's default
WINDOW_S = 60


def pxload_env(folder, **extra):
    return place.clean_environment(HOME=str(folder), TMPDIR=str(folder), **contenders.PXM, **extra)


class Folders:
    """Scratch folders that go away with the part."""

    def __init__(self):
        self.made = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for folder in self.made:
            shutil.rmtree(folder, ignore_errors=True)

    def make(self, need_bytes=GIB, on_disk=True):
        self.made.append(place.scratch(need_bytes, on_disk))
        return self.made[-1]


# ---- the request budget --------------------------------------------------------------------------

def token(server):
    """So that the run itself needs no authorize call."""
    body = json.dumps({"grant_type": "client_credentials"}).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Basic YmVuY2g6c2ltLXNlY3JldA=="}
    return server.call("/v2/oauth/authorize", body, headers)["access_token"]


def _most_in_window(times_ms):
    """Most requests in any 60 s."""
    most = first = 0
    for last, at_ms in enumerate(times_ms):
        while at_ms - times_ms[first] >= WINDOW_S * 1000:
            first += 1
        most = max(most, last - first + 1)
    return most


def budget(quick, say):
    """1,900 small files under the API's limit; minutes pass, hardly any CPU."""
    files = 500 if quick else 1900
    with Folders() as folders, servers.pxm_sim("--rate", 1000, "--digest", "off") as sim:
        work = folders.make()
        tree = trees.make_flat(work / "tree", files, 1024)
        run = measuring.run([place.BUILD / "pxload", "upload", "--base-url", sim.api, "--journal",
                             work / "journal", tree.folder], work,
                            pxload_env(work, PXM_TOKEN=token(sim)), deadline_s=900)
        rows = [row for row in sim.call("/_sim/requests?since=0")["requests"]
                if row["endpoint"] not in ("auth", "put", "part")]
    times_ms = sorted(row["time_ms"] for row in rows)
    begun_ms = times_ms[0]
    windows = collections.Counter((at - begun_ms) // (WINDOW_S * 1000) for at in times_ms)
    full = [windows[n] for n in range((times_ms[-1] - begun_ms) // (WINDOW_S * 1000))]
    # The n-th request of who may send LIMIT in any 60 s goes out after n // LIMIT windows.
    earliest_s = (2 * files - 1) // LIMIT * WINDOW_S
    result = {"files": files, "requests": len(times_ms), "per_file": len(times_ms) / files,
              "full_windows": full, "most_in_60s": _most_in_window(times_ms),
              "refused_429": sum(row["status"] == 429 for row in rows),
              "wall_s": run["wall_s"], "earliest_s": earliest_s}
    say(f"budget: {result}")
    return result


# ---- a million files -----------------------------------------------------------------------------

def _beside_find(tree, work, rounds):
    """Walks of the same tree, alternating with find."""
    env = pxload_env(work)
    taken = collections.defaultdict(list)
    commands = {
        "find": ["find", tree.folder, "-printf", "%s %T@ %p\n"],
        "walk": [place.PROGRAMS / "walk_bench", tree.folder],
        "journal": [place.PROGRAMS / "walk_bench", "--journal", work / "walked", tree.folder],
        "plan": [place.BUILD / "pxload", "plan", "--json", tree.folder],
    }
    for number in range(rounds):
        for key, command in commands.items():
            for old in work.glob("walked*"):
                old.unlink()
            run = measuring.run(command, work, env, silent=True)
            taken[key].append({name: run[name] for name in ("wall_s", "cpu_s", "rss_mib")})
    return dict(taken)


def _upload_most(server, tree, work, pending, say):
    """Uploads all but the last files; memory over time, and what the journal weighs."""
    samples = []

    def watch(pid, at_s):
        samples.append((round(at_s, 2), round(measuring.rss_mib(pid), 1)))

    most = (tree.files - pending) * (tree.bytes // tree.files)
    server.call("/_null/counts")
    run = measuring.run([place.BUILD / "pxload", "upload", "--base-url", server.api, "--api-rate",
                         0, "--max-transfer", most, "--journal", work / "journal", tree.folder],
                        work, pxload_env(work), deadline_s=1200, watch=watch, codes=(8,))
    counts = server.call("/_null/counts")
    weight = os.path.getsize(work / "journal")
    say(f"million: {counts['confirms']} of {tree.files} in {run['wall_s']:.1f} s")
    step = max(1, len(samples) // 100)
    return {"files": tree.files, "confirmed": counts["confirms"], "wall_s": run["wall_s"],
            "cpu_s": run["cpu_s"], "rss_mib": run["rss_mib"], "rss_over_time": samples[::step],
            "journal_bytes_per_file": weight / tree.files}


def _resume(server, tree, work):
    """The rest; when does the first request leave?"""
    server.call("/_null/counts")
    run = measuring.run([place.BUILD / "pxload", "resume", "--api-rate", 0, work / "journal"],
                        work, pxload_env(work), deadline_s=600)
    counts = server.call("/_null/counts")
    return {"rows": tree.files, "confirmed": counts["confirms"], "wall_s": run["wall_s"],
            "first_request_s": counts["first_s"] - run["begun_s"], "rss_mib": run["rss_mib"]}


def million(quick, say):
    """Walks, uploads and resumes a tree of a million small files."""
    files, pending = (20_000, 1_000) if quick else (1_000_000, 10_000)
    with Folders() as folders, servers.null_server() as server:
        data = folders.make(files * 1500, on_disk=False)
        work = folders.make(4 * GIB if not quick else GIB)
        say(f"million: making {files:,} files")
        tree = trees.make_flat(data / "tree", files, 64)
        result = {"files": files, "walks": _beside_find(tree, work, 3 if quick else 5)}
        say(f"million: walks {result['walks']}")
        result["upload"] = _upload_most(server, tree, work, pending, say)
        result["resume"] = _resume(server, tree, work)
        say(f"million: resume {result['resume']}")
    return result


# ---- memory and a shaped link --------------------------------------------------------------------

def rss_w4(quick, say):
    """The DAM mix in full: its memory over time."""
    sizes = trees.dam_mix(200, 2, 64 * MIB) if quick else trees.dam_mix(20_000, 2, 5 * GIB)
    samples = []

    def watch(pid, at_s):
        samples.append((round(at_s, 2), round(measuring.rss_mib(pid), 1)))

    with Folders() as folders, servers.null_server() as server:
        work = folders.make(2 * GIB)
        tree = trees.make(work / "tree", sizes, sparse=True)["all"]
        run = measuring.run([place.BUILD / "pxload", "upload", "--base-url", server.api,
                             "--api-rate", 0, "--journal", work / "journal", tree.folder],
                            work, pxload_env(work), deadline_s=900, watch=watch)
    step = max(1, len(samples) // 100)
    result = {"files": tree.files, "bytes": tree.bytes, "rss_mib": run["rss_mib"],
              "wall_s": run["wall_s"], "cpu_s": run["cpu_s"], "rss_over_time": samples[::step]}
    say(f"rss-w4: {result['rss_mib']:.1f} MiB, {result['wall_s']:.1f} s")
    return result


LINK_BYTES_PER_S = 100_000_000


def tail(quick, say):
    """The DAM mix over 100 MB/s: is the link full until the end?"""
    sizes = trees.dam_mix(200, 2, 64 * MIB) if quick else trees.dam_mix(2000, 2, GIB // 2)
    with Folders() as folders:
        work = folders.make(GIB)
        tree = trees.make(work / "tree", sizes, sparse=True)["all"]
        trees.warm(tree)
        taken = {}
        for key, command, extra in (
                ("pxload", [place.BUILD / "pxload", "upload", "--api-rate", 0, "--journal",
                            work / "journal", "--base-url"], {}),
                ("three_calls", [place.PROGRAMS / "three_calls_floor"], {})):
            with servers.pxm_sim("--rate", 0, "--digest", "off", "--s3-bandwidth",
                                 LINK_BYTES_PER_S) as sim:
                run = measuring.run([*command, sim.api, tree.folder], work,
                                    pxload_env(work, PXM_TOKEN=token(sim), **extra),
                                    deadline_s=900)
            taken[key] = run["wall_s"]
    bound_s = max(tree.bytes / LINK_BYTES_PER_S, max(sizes) / LINK_BYTES_PER_S)
    result = {"files": tree.files, "bytes": tree.bytes, "wall_s": taken["pxload"],
              "three_calls_s": taken["three_calls"], "bound_s": bound_s}
    say(f"tail: {result}")
    return result


# ---- system calls and MIME -----------------------------------------------------------------------

# One line of `strace -f -y`: "123 pread64(7</tree/a.jpg>, ..." or "123 openat(AT_FDCWD</x>, ...".
CALL = re.compile(r"^\d+\s+(\w+)\((?:(\d+)<([^>]*)>)?")

WALKED = re.compile(r'>, "[^"]+", AT_')


def _kind(call, path, line, root):
    """The row of the table that a system call belongs to."""
    if call.startswith("openat") or call == "open":
        return "open" if ".jpg" in line or ".pdf" in line or root in line else "other"
    if call in ("poll", "ppoll", "epoll_wait", "epoll_pwait", "select"):
        return "poll"
    if path is None:
        return "stat" if call.endswith("stat") and root in line else "other"
    if path.startswith(root):
        if call == "statx" and WALKED.search(line):
            return "walk"  # not the transfer's
        return {"fstat": "stat", "newfstatat": "stat", "statx": "stat", "pread64": "read",
                "read": "read", "close": "close"}.get(call, "other on the file")
    if path.startswith(("TCP:", "socket:")):
        if call in ("sendto", "sendmsg", "write", "writev"):
            return "send"
        return "recv" if call in ("recvfrom", "recvmsg", "read", "readv") else "other on sockets"
    if "journal" in path:
        return "journal"
    return "wake" if "eventfd" in path else "other"


def _count_calls(tree, work, server):
    trace = work / "trace"
    journal = work / "journal"
    for old in work.glob("journal*"):
        old.unlink()
    measuring.run(["strace", "-f", "-yy", "-s", 256, "-o", trace, place.BUILD / "pxload", "upload",
                   "--base-url", server.api, "--api-rate", 0, "--journal", journal, tree.folder],
                  work, pxload_env(work))
    kinds = collections.Counter()
    with open(trace, errors="replace") as lines:
        for line in lines:
            found = CALL.match(line)
            if found:
                call, _, path = found.groups()
                kinds[_kind(call, path, line, str(tree.folder))] += 1
    return kinds


def syscalls(quick, say):
    """System calls a 16 KiB file: the difference between two runs of unlike length."""
    few, many = (100, 300) if quick else (500, 2500)
    with Folders() as folders, servers.null_server() as server:
        work = folders.make()
        counts = []
        for files in (few, many):
            tree = trees.make(work / f"tree-{files}", [16384] * files)["all"]
            counts.append(_count_calls(tree, work, server))
    per_file = {kind: (counts[1][kind] - counts[0][kind]) / (many - few)
                for kind in sorted(counts[0] | counts[1])}
    say(f"syscalls: {per_file}")
    return {"files": [few, many], "per_file": per_file}


def mime(quick, say):
    """Microseconds a file."""
    files = 200_000 if quick else 1_000_000
    rounds = [json.loads(subprocess.run([place.PROGRAMS / "mime_bench", str(files)], check=True,
                                        capture_output=True).stdout) for _ in range(5)]
    result = {"us_per_file": measuring.median([row["us_per_file"] for row in rounds])}
    say(f"mime: {result}")
    return result


PARTS = {"mime": mime, "syscalls": syscalls, "tail": tail, "rss-w4": rss_w4, "million": million,
         "budget": budget}
