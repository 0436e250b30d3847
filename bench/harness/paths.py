"""Simulated paths to S3 (pxm-sim's pacing): does --transfers auto find its number, and does the ETA
come true? Each function is one part and returns its numbers."""
import concurrent.futures
import json

import measuring
import place
import reach
import servers
import trees
from place import MIB

GBIT = 125_000_000  # bytes/s

# name: (fixed numbers to compare with, pxm-sim's flags). Fewer than the fixed ones are slower by
# construction: one connection is held to 80 MB/s by its window, or to what the path gives it.
AUTO_PATHS = {
    "1 Gbit/s, 50 ms": ((1, 4, 16, 64), ("--s3-rtt", 50, "--s3-bandwidth", GBIT)),
    "1 Gbit/s, 50 ms, 3 MB/s a connection": (
        (16, 32, 64),
        ("--s3-rtt", 50, "--s3-bandwidth", GBIT, "--s3-connection-bandwidth", 3_000_000)),
}

LINK = ("--s3-bandwidth", reach.LINK_BYTES_PER_S)
# name: (files, their mean size, giants, pxm-sim's flags, pxload's flags)
ETA_CASES = {
    "longest file": (1500, MIB, [400 * MIB],
                     (*LINK, "--s3-connection-bandwidth", 5_000_000), ("--api-rate", 0)),
    "requests": (700, MIB // 4, [200 * MIB] * 2, LINK, ("--api-rate", 900)),
    "bytes": (4000, MIB, [1024 * MIB] * 2, LINK, ("--api-rate", 0)),
}
ETA_MOMENTS = (10, 50, 90)  # percent of the run


def _upload(tree, work, sim_flags, flags):
    """(summary, status lines) of one run; the server is this run's own."""
    with servers.pxm_sim("--rate", 0, "--digest", "off", *sim_flags) as sim:
        run = measuring.run(
            [place.BUILD / "pxload", "upload", "--json", "--base-url", sim.api, "--journal",
             work / "journal", *flags, tree.folder],
            work, reach.pxload_env(work, PXM_TOKEN=reach.token(sim)), deadline_s=900)
    for old in work.glob("journal*"):
        old.unlink()
    rows = [json.loads(line) for line in run["out"].splitlines() if line.startswith("{")]
    (summary,) = (row for row in rows if row["message_type"] == "summary")
    return summary, [row for row in rows if row["message_type"] == "status"]


# ---- --transfers auto ----------------------------------------------------------------------------

def auto(quick, say):
    """Fixed numbers of transfers, and auto that is told nothing."""
    del quick  # smaller is another thing
    files, size = 300, 8 * MIB
    result = {"files": files, "size": size, "paths": {}}
    with reach.Folders() as folders:
        work = folders.make()
        tree = trees.make_flat(work / "tree", files, size)
        for name, (fixed, sim_flags) in AUTO_PATHS.items():
            speeds = {}
            for number in ("auto", *fixed):
                summary, lines = _upload(tree, work, sim_flags,
                                         ("--api-rate", 0, "--stats", "500ms", "--transfers",
                                          number))
                speeds[str(number)] = round(summary["bytes"] / summary["elapsed"])
                if number == "auto":
                    came_to = lines[-1]["putLimit"] if lines else None
            best = max(fixed, key=lambda number: speeds[str(number)])
            result["paths"][name] = {"bytes_per_s": speeds, "best_fixed": best,
                                     "auto_came_to": came_to,
                                     "ratio": speeds["auto"] / speeds[str(best)]}
            say(f"auto: {name}: {result['paths'][name]}")
    return result


# ---- ETA -----------------------------------------------------------------------------------------

def _moments(summary, lines):
    """What the status line nearest to each moment promised, and what was left then."""
    moments = []
    for percent in ETA_MOMENTS:
        at_s = summary["elapsed"] * percent / 100
        line = min(lines, key=lambda row: abs(row["elapsedTime"] - at_s))
        left_s = summary["elapsed"] - line["elapsedTime"]
        eta_s = None if line["eta_ms"] is None else line["eta_ms"] / 1000
        moments.append({"at_percent": percent, "left_s": round(left_s, 3), "eta_s": eta_s,
                        "limiter": line["limiter"],
                        "off_percent": None if eta_s is None
                        else round(100 * (eta_s - left_s) / left_s, 1)})
    return moments


def _eta_case(name, work, say):
    files, mean, giants, sim_flags, flags = ETA_CASES[name]
    sizes = trees.dam_mix(files, 0, 0, mean) + giants
    tree = trees.make(work / "tree", sizes, sparse=True)["all"]
    summary, lines = _upload(tree, work, sim_flags, (*flags, "--stats", "200ms"))
    found = {"files": tree.files, "bytes": tree.bytes, "elapsed_s": summary["elapsed"],
             "moments": _moments(summary, lines),
             "trace": [[row["elapsedTime"], row["eta_ms"], row["limiter"]]
                       for row in lines[::max(1, len(lines) // 50)]]}
    say(f"eta: {name}: {found['elapsed_s']:.1f} s: " + ", ".join(
        f"at {m['at_percent']} % off by {m['off_percent']} %" for m in found["moments"]))
    return found


def eta(quick, say):
    """DAM mixes that end by bytes, by requests and by their longest file. The longest takes its link
    for a sixth of its time and the second hardly any CPU, so two at a time."""
    del quick
    with reach.Folders() as folders, concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = {name: pool.submit(_eta_case, name, folders.make(), say) for name in ETA_CASES}
        return {"cases": {name: future.result() for name, future in waiting.items()}}


PARTS = {"auto": auto, "eta": eta}
