"""`pxload bench`: what it measures is true, what it needs is gone behind it."""
import os
import pathlib
import shutil
import signal

from pxm import Pxload, api_requests, build_dir, counts, sim, wait_for

MEMORY = pathlib.Path("/dev/shm")


def leftovers(load):
    """What a bench would leave: folders in memory and of journals, and its pxm-sim."""
    found = set(MEMORY.glob("bench-*"))
    found |= set((load.folder / "home/state/pxload/jobs").glob("bench-*"))
    mark = f"HOME={load.env['HOME']}".encode()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if ((process / "comm").read_text() == "pxm-sim\n"
                    and mark in (process / "environ").read_bytes().split(b"\0")):
                found.add(process)
        except OSError:
            pass
    return found


def test_bench_into_its_own_simulator(folder):
    load = Pxload(folder)
    before = leftovers(load)
    config = folder / "home/config/pxload/config"
    config.parent.mkdir(parents=True)
    # Settings of uploads are not a bench's, and a tenant's credentials are not the simulator's.
    config.write_text("[default]\ninclude = nothing-*\npublish = true\nclient_id = mine\n"
                      "client_secret = not-the-simulators\nconfirm_path = /nowhere\n"
                      "transfers = 4\n")
    config.chmod(0o600)
    env = {"http_proxy": "http://127.0.0.1:9", "PXLOAD_BASE_URL": "http://127.0.0.1:9"}
    run = load.run("bench", "--files", "30", "--size", "300K", "--json", env=env)
    (result,) = run.json
    assert result["message_type"] == "bench" and result["target"] == "pxm-sim", result
    assert result["confirmed"] == result["files"] == 30 and result["size"] == 300 << 10, result
    assert result["requests"] == 61 and result["transfers"] == 4, result
    assert result["files_per_s"] > 0 and result["advice"], result
    assert abs(result["bytes_per_s"] - result["files_per_s"] * (300 << 10)) < 1000, result
    assert result["limiter"] in result["limit_ms"], result
    assert result["cores"] == os.cpu_count() and result["cpu"] > 0 < result["sim_cpu"], result
    for step in ("request", "put", "confirm"):
        took = result["steps"][step]
        assert took["count"] == 30, took
        assert 0 < took["p50"] <= took["p95"] <= took["p99"] <= took["max"], took
    text = load.run("bench", "--files", "3", "--size", "20M", "--api-rate", "0", env=env).out
    for words in ("3 of 3 files of 20.0 MiB", "files/s", "MB/s", "p99", "confirm", "Limited by:",
                  "What to change:"):
        assert words in text, text
    assert not list((folder / "home").rglob("*.journal"))
    wait_for(lambda: not leftovers(load) - before, "the bench's folders and pxm-sim to be gone")


def test_bench_ends_cleanly_when_interrupted(folder):
    load = Pxload(folder)
    before = leftovers(load)
    process = load.start("bench", "--files", "50", "--size", "200K", "--bwlimit", "1M", "-P",
                         "--stats", "100ms", "--transfers", "2")
    wait_for(lambda: b"files 2/" in process.stderr.readline(), "some files to be sent")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b" of 50 files" in out and b"Limited by:" in out, out
    wait_for(lambda: not leftovers(load) - before, "the bench's folders and pxm-sim to be gone")


def test_what_a_killed_bench_left_behind_goes_with_the_next(folder):
    load = Pxload(folder)
    before = leftovers(load)
    process = load.start("bench", "--files", "50", "--size", "200K", "--bwlimit", "1M", "-P",
                         "--stats", "100ms", "--transfers", "2")
    wait_for(lambda: b"files 2/" in process.stderr.readline(), "some files to be sent")
    other = load.start("bench", "--files", "9", "--size", "200K", "--bwlimit", "1M", "-P",
                       "--stats", "100ms")
    wait_for(lambda: b"files 1/" in other.stderr.readline(), "one more bench")
    process.kill()
    process.communicate()
    left = leftovers(load) - before
    load.run("bench", "--files", "1", "--size", "1K")
    assert len({path for path in left - leftovers(load) if path.name.startswith("bench-")}) == 2
    # One that runs is left alone.
    other.communicate(timeout=60)
    assert other.returncode == 0
    wait_for(lambda: not leftovers(load) - before, "all to be gone, the first one's pxm-sim too")


def test_bench_into_a_tenant_needs_both_flags_and_warns(folder):
    with sim(folder, "--multipart-threshold", "1M", "--part-size", "1M") as server:
        load = Pxload(folder, server)
        for args, word in ((("--into-tenant",), "--base-url"),
                           (("--base-url", server.api), "--into-tenant")):
            assert word in load.run("bench", *args, expect=2).err
        assert not counts(server), "a tenant was called"
        done = load.run("bench", "--base-url", server.api, "--into-tenant", "--files", "6",
                        "--size", "2500K", "--json")
        assert "will stay in" in done.err and " WARN" in done.err, done.err
        assert done.json[0]["target"] == server.api and done.json[0]["confirmed"] == 6, done.json
        assert done.json[0]["steps"]["put"]["count"] == 18, done.json
        files = server.files()
        assert len(files) == 6 and all(name.startswith("bench-") for name in files), files
        assert len({record["md5"] for record in files.values()}) == 6, "files of the same bytes"
        assert done.json[0]["requests"] == api_requests(server) == 13, (done.json, counts(server))
        assert counts(server)["part"] == 18, counts(server)
        assert "sim_cpu" not in done.json[0], done.json


def test_bench_without_a_simulator_says_what_to_do(folder):
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(build_dir() / "pxload", alone)
    load = Pxload(folder, PATH=str(alone))
    load.command = lambda *args: [os.fspath(alone / "pxload"), *map(str, args)]
    done = load.run("bench", expect=2)
    assert "pxm-sim" in done.err and "--into-tenant" in done.err, done.err
    (alone / "pxm-sim").write_text("#!/bin/sh\nexit 3\n")
    (alone / "pxm-sim").chmod(0o755)
    assert "could not be started" in load.run("bench", expect=2).err
