"""The side-by-side part: every contender in every round, alternating, beside one server."""
import dataclasses
import os
import shutil

import contenders
import measuring
import place
import servers
import trees
from place import GIB, MIB

BASE = ["pxload", "pxload-off", "put-floor", "put-floor-md5", "three-calls", "three-calls-md5",
        "md5", "curl"]
PEERS = ["rclone", "rclone-off", "vendor", "awscli", "s3cmd"]
# What three short rounds can afford; the slowest peers once, where they lose least time.
QUICK = {"pxload", "pxload-off", "put-floor", "three-calls", "md5", "curl", "rclone"}
QUICK_ONCE = {"awscli", "vendor", "s3cmd"}
WITH_TLS = ["pxload", "pxload-off", "put-floor", "three-calls", "curl", "rclone"]


@dataclasses.dataclass
class Workload:
    key: str
    title: str
    sizes: list
    contenders: list
    tls: bool = False
    large: bool = False
    sparse: bool = False
    share: int = trees.FIRST_SHARE
    timeout_s: int = 600


def all_workloads(quick):
    small = 2000 if quick else 10000
    middle = 200 if quick else 2000
    giant = 64 * MIB if quick else GIB
    mix = trees.dam_mix(200, 2, 64 * MIB) if quick else trees.dam_mix(2000, 2, GIB // 2)
    w1, w2, w3 = [16384] * small, [MIB] * middle, [giant] * 4
    rows = [
        Workload("W1", f"{small:,} x 16 KiB", w1, BASE + PEERS),
        Workload("W1-tls", f"{small:,} x 16 KiB over TLS", w1, WITH_TLS, tls=True),
        Workload("W2", f"{middle:,} x 1 MiB", w2, BASE + PEERS),
        Workload("W2-tls", f"{middle:,} x 1 MiB over TLS", w2, WITH_TLS[:-1], tls=True),
        Workload("W3", f"4 x {giant // MIB:,} MiB in 8 MiB parts", w3, BASE + PEERS, large=True,
                 share=2),
        Workload("W3-tls", f"4 x {giant // MIB:,} MiB in 8 MiB parts over TLS", w3, WITH_TLS,
                 tls=True, large=True, share=2),
        Workload("W4", f"DAM mix: {len(mix) - 2:,} files, log-normal, mean 1 MiB, and two of "
                       f"{max(mix) // MIB:,} MiB", mix,
                 ["pxload", "pxload-off", "put-floor", "three-calls", "md5", "curl", "rclone",
                  "vendor"], large=True, sparse=True),
    ]
    if quick:
        for row in rows:
            row.contenders = [key for key in row.contenders if key in QUICK or
                              (row.key == "W2" and key in QUICK_ONCE)]
    return {row.key: row for row in rows}


def _check(contender, tree, counts):
    """Fails unless the server got it all."""
    if contender.key == "md5":
        return
    if counts["bytes"] != tree.bytes:
        raise measuring.Failed(f"{contender.key}: {counts['bytes']} bytes came, not {tree.bytes}")
    if contender.calls and counts["confirms"] != tree.files:
        raise measuring.Failed(f"{contender.key}: {counts['confirms']} confirms, "
                               f"not {tree.files}")


def run_one(contender, setting, server, timeout_s=600):
    """One run, judged by what the server saw."""
    argv = contender.command(setting)
    env = place.clean_environment(HOME=str(setting.folder), TMPDIR=str(setting.folder),
                                  **contender.env)
    server.call("/_null/counts")
    before_s = server.cpu_s()
    taken = measuring.run(argv, setting.folder, env, timeout_s)
    server_cpu_s = server.cpu_s() - before_s
    counts = server.call("/_null/counts")
    _check(contender, setting.tree, counts)
    run = {key: round(taken[key], 4) for key in ("wall_s", "user_s", "sys_s", "cpu_s", "rss_mib")}
    run.update(files=setting.tree.files, bytes=setting.tree.bytes, requests=counts["requests"],
               server_cpu_s=round(server_cpu_s, 2))
    if contender.key.startswith("pxload"):
        run["journal_bytes"] = os.path.getsize(setting.folder / "journal")
    return run


def run_rounds(workload, rounds, say):
    """{"title", "tls", "runs": {contender: [run...]}, "failed": {contender: why}}."""
    total = sum(workload.sizes)
    data = place.scratch(0 if workload.sparse else total + 64 * MIB, on_disk=workload.sparse)
    work = place.scratch(GIB, on_disk=True)  # journals are on a disk, as they are in earnest
    runs = {key: [] for key in workload.contenders}
    failed = {}
    try:
        made = trees.make(data / "tree", workload.sizes, workload.sparse, workload.share)
        trees.warm(made["all"])
        tls = servers.make_certificates(work) if workload.tls else None
        with servers.null_server(tls=tls) as server:
            for number in range(rounds):
                keys = [key for key in workload.contenders if key not in failed]
                turn = number % len(keys)
                for key in keys[turn:] + keys[:turn]:
                    contender = contenders.ALL[key]
                    tree = contender.tree_of(made, workload.large)
                    folder = work / f"{key}-{number}"
                    folder.mkdir()
                    setting = contenders.Setting(server.api, server.ca, tree, folder,
                                                 workload.large, number)
                    try:
                        run = run_one(contender, setting, server, workload.timeout_s)
                        runs[key].append(run)
                        say(f"{workload.key} round {number + 1}: {contender.label}: "
                            f"{run['wall_s']:.2f} s, CPU {run['cpu_s']:.2f} s, "
                            f"{run['rss_mib']:.0f} MiB")
                    except measuring.Failed as why:
                        failed[key] = str(why)
                        say(f"{workload.key} round {number + 1}: FAILED {why}")
                    shutil.rmtree(folder)
    finally:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    return {"title": workload.title, "tls": workload.tls, "files": len(workload.sizes),
            "bytes": total, "rounds": rounds, "failed": failed,
            "runs": {key: rows for key, rows in runs.items() if rows and key not in failed}}
