"""Waves and policies that change while it is in doubt what PXM has of a file."""
import os
import signal

from moments import STORED, in_state, kill, output, reach
from pxm import Pxload, books, holds, make_tree, preload, sim


def fired(server):
    return sum(entry["fired"] for entry in server.call("GET", "/_sim/faults"))


def die_in_confirm(load, server, tree):
    """PXM has what was sent, but the run is dead before it knows."""
    server.faults([{"endpoint": "confirm", "after": True, "status": 500, "stall": True}])
    process = load.start("upload", tree)
    reach(process, lambda: fired(server), "a confirm without an answer")
    kill(process)
    server.clear_faults()


def test_changed_back_while_its_change_was_in_doubt(folder):
    """The bytes of two waves ago are not what PXM has, though they are what it once had."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"f.bin": b"first"})
        load.upload(tree)
        (tree / "f.bin").write_bytes(b"other")
        die_in_confirm(load, server, tree)
        holds(server, {"f.bin": b"other"})
        (tree / "f.bin").write_bytes(b"first")
        os.utime(tree / "f.bin", (1, 1))
        assert books(load.upload(tree)) == (1, 1, 0, 0, 0)
        holds(server, {"f.bin": b"first"})


def test_killed_in_its_second_confirm_it_is_not_confirmed_a_third_time(folder):
    """The index lags; by the first confirm's time, it would have had all it needs."""
    with sim(folder, "--quirk", "search_lag=1.2") as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"f.bin": b"first"})
        server.faults([{"endpoint": "confirm", "times": 1, "reset_before": True},
                       {"endpoint": "confirm", "times": 1, "after": True, "status": 500,
                        "stall": True}])
        process = load.start("upload", "--lookup-patience", "1500ms", tree)
        reach(process, lambda: fired(server) == 2, "a second confirm without an answer")
        kill(process)
        done = load.upload("--lookup-patience", "1500ms", tree)
        assert books(done) == (1, 1, 0, 0, 0), done.out
        holds(server, {"f.bin": b"first"})


def test_changed_while_its_first_upload_was_in_doubt(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"f.bin": b"first"})
        die_in_confirm(load, server, tree)
        (tree / "f.bin").write_bytes(b"the second, longer")
        done = load.upload(tree)
        assert books(done) == (1, 1, 0, 0, 0), done.out
        holds(server, {"f.bin": b"the second, longer"})


def test_stored_under_another_policy_is_not_confirmed_under_this_one(folder):
    for policy, code in (("skip", 0), ("fail", 6)):
        inner = folder / policy
        inner.mkdir()
        with sim(inner) as server:
            load = Pxload(inner, server)
            tree = make_tree(inner / "tree", {"f.bin": b"ours"})
            preload(server, {"f.bin": 9})
            journal = inner / "job.journal"
            again = ("upload", "--json", "--journal", journal, tree, "--on-conflict")
            # The budget is for the token and request-upload: the confirm has to wait.
            process = load.start(*again, "overwrite", "--api-rate", "2")
            reach(process, lambda: in_state(journal, STORED), "a stored file")
            process.send_signal(signal.SIGINT)
            output(process)
            load.run(*again, policy, expect=code)
            record = server.files()["f.bin"]
            assert record["size"] == 9 and record["versions"] == 1, (policy, record)
