"""SIGKILL at each durable state and at random moments; then the same command, or a resume."""
import os
import random
import signal
import subprocess

from moments import (DISCOVERED, PREPARED, REQUESTED, SMALL_PARTS, STORED, Scene, count, in_state,
                     kill)
from pxm import Pxload, pattern, requests, sim

QUICK = ("--timeout", "2s", "--lookup-patience", "2s")
INTENTS = "SELECT count(*) FROM session WHERE intent_ms > 0"


def again(scene):
    return scene.again()


def resume(scene):
    return scene.resume()


# ---- one test a durable state and a way to go on ------------------------------------------------


def killed_when_discovered(folder, go_on):
    with sim(folder, "--rate", "0") as server:
        scene = Scene(folder, server, args=("--api-rate", "0"), files=500)
        server.faults([{"endpoint": "auth", "stall": True}])
        scene.die(lambda: in_state(scene.path, DISCOVERED) > 100, "many discovered files")
        go_on(scene)


def test_kill_when_discovered_then_the_same_command(folder):
    killed_when_discovered(folder, again)


def test_kill_when_discovered_then_resume(folder):
    killed_when_discovered(folder, resume)


def killed_when_prepared(folder, go_on):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "request", "stall": True}])
        scene.die(lambda: in_state(scene.path, PREPARED) >= 3, "prepared files")
        go_on(scene)


def test_kill_when_prepared_then_the_same_command(folder):
    killed_when_prepared(folder, again)


def test_kill_when_prepared_then_resume(folder):
    killed_when_prepared(folder, resume)


def killed_when_requested(folder, go_on):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "put", "stall": True}, {"endpoint": "part", "stall": True}])
        scene.die(lambda: in_state(scene.path, REQUESTED) >= 3, "requested files")
        go_on(scene)


def test_kill_when_requested_then_the_same_command(folder):
    killed_when_requested(folder, again)


def test_kill_when_requested_then_resume(folder):
    killed_when_requested(folder, resume)


def killed_after_some_parts(folder, go_on):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=QUICK)
        server.faults([{"endpoint": "part", "nth": 4, "stall": True}])
        scene.die(lambda: count(scene.path, "SELECT count(*) FROM part WHERE etag IS NOT NULL") >= 2
                  and in_state(scene.path, REQUESTED) == 1, "stored parts")
        go_on(scene)
        sent = [row for row in requests(server, "part") if row["status"] == 200]
        assert len(sent) <= 3 + 5, sent


def test_kill_after_some_parts_then_the_same_command(folder):
    killed_after_some_parts(folder, again)


def test_kill_after_some_parts_then_resume(folder):
    killed_after_some_parts(folder, resume)


def killed_when_stored(folder, go_on):
    """The only API slot is taken by a request that stalls: what is stored cannot be confirmed."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--api-concurrency", "1"), files=2)
        server.faults([{"endpoint": "request", "nth": 2, "stall": True},
                       {"endpoint": "put", "delay": 300}, {"endpoint": "part", "delay": 100}])
        scene.die(lambda: in_state(scene.path, STORED) == 1, "a stored file")
        assert not requests(server, "confirm-upload")
        go_on(scene)


def test_kill_when_stored_then_the_same_command(folder):
    killed_when_stored(folder, again)


def test_kill_when_stored_then_resume(folder):
    killed_when_stored(folder, resume)


def killed_in_confirm(folder, go_on):
    """The intent is durable and the confirm under way, but the server never looked at it."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=QUICK)
        server.faults([{"endpoint": "confirm", "stall": True}])
        scene.die(lambda: count(scene.path, INTENTS) >= 3, "durable intents")
        assert not server.files()
        go_on(scene)


def test_kill_with_the_confirm_in_flight_then_the_same_command(folder):
    killed_in_confirm(folder, again)


def test_kill_with_the_confirm_in_flight_then_resume(folder):
    killed_in_confirm(folder, resume)


def killed_after_lost_reply(folder, go_on):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "confirm", "stall": True, "after": True}])
        scene.die(lambda: len(server.files()) == len(scene.wanted), "processed confirms")
        go_on(scene)
        answered = [row for row in requests(server, "confirm-upload") if row["status"]]
        assert not answered, f"confirmed again: {answered}"


def test_kill_with_the_confirms_reply_lost_then_the_same_command(folder):
    killed_after_lost_reply(folder, again)


def test_kill_with_the_confirms_reply_lost_then_resume(folder):
    killed_after_lost_reply(folder, resume)


def test_kill_with_replies_lost_and_a_lagging_search_doubles_nothing(folder):
    with sim(folder, "--quirk", "search_lag=1", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--lookup-patience", "20s"))
        server.faults([{"endpoint": "confirm", "every": 2, "stall": True, "after": True}])
        scene.die(lambda: len(server.files()) == len(scene.wanted), "processed confirms")
        scene.again()


def test_kill_during_overwrite_keeps_one_file_with_the_new_bytes(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--on-conflict", "overwrite"))
        for name in scene.wanted:
            server.call("POST", "/_sim/preload", {"name": name, "size": 3})
        ids = {name: row["id"] for name, row in server.files().items()}
        server.faults([{"endpoint": "confirm", "nth": 4, "stall": True, "after": True}])
        scene.die(lambda: sum(row["size"] == len(scene.wanted[name])
                              for name, row in server.files().items()) >= 4, "four overwritten")
        scene.again()
        assert ids == {name: row["id"] for name, row in server.files().items()}


# ---- many kills ---------------------------------------------------------------------------------


def test_kills_at_random_moments_end_with_every_file_once(folder):
    seed = int(os.environ.get("PXLOAD_TEST_SEED", "0")) or random.SystemRandom().getrandbits(31)
    print(f"PXLOAD_TEST_SEED={seed}", flush=True)
    dice = random.Random(seed)
    with sim(folder, "--rate", "0", "--api-latency", "15", "--s3-latency", "10",
             *SMALL_PARTS) as server:
        more = {f"more{i}.bin": pattern(dice.randrange(1, 3000), i) for i in range(300)}
        more |= {f"parts{i}.bin": pattern(dice.randrange(200_000, 400_000), i) for i in range(3)}
        scene = Scene(folder, server, more=more,
                      args=("--api-rate", "0", "--lookup-patience", "500ms"))
        for _ in range(10):
            process = scene.start()
            try:
                process.communicate(timeout=dice.uniform(0.01, 0.25))
            except subprocess.TimeoutExpired:
                kill(process)
            else:  # it came to its end: the next runs look at a complete job
                assert process.returncode == 0, f"seed {seed}: {process.returncode}"
        scene.again() if dice.random() < 0.5 else scene.resume()


def test_kill_in_the_walk_then_resume_walks_to_the_end(folder):
    total = 30_000
    with sim(folder, "--rate", "0") as server:
        load = Pxload(folder, server)
        tree = folder / "tree"
        for at in range(100):
            (tree / f"d{at:02}").mkdir(parents=True)
            for i in range(total // 100):
                (tree / f"d{at:02}" / f"e{at:02}{i:03}.bin").touch()
        # No API call is answered: until the kill there is nothing but the walk.
        server.faults([{"endpoint": "auth", "stall": True}])
        path = next(filter(None, (killed_in_walk(load, tree, folder / f"walk{n}.journal", total)
                                  for n in range(10))), None)
        assert path, "ten walks ended before they could be killed"
        server.clear_faults()
        load.run("resume", "--json", "--api-rate", "0", path)
        state = server.state(files=False)
        assert state["file_count"] == total and not state["duplicates"]
        done = load.run("status", "--json", path)
        assert done.json[0]["confirmed"] == done.json[0]["planned"] == total, done.out


def killed_in_walk(load, tree, path, total):
    """Lets a run go on in glimpses; kills it with a part of the rows in the journal."""
    with subprocess.Popen(load.command("upload", "--api-rate", "0", "--journal", path, tree),
                          env=load.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        seen = 0
        while not seen:
            try:
                process.wait(timeout=0.001)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGSTOP)
                seen = count(path, "SELECT count(*) FROM asset")
                process.send_signal(signal.SIGKILL if seen else signal.SIGCONT)
    done = load.run("status", "--json", path)
    return path if seen < total and not done.json[0]["walk_complete"] else None


# ---- exactly once under libcurl's own silent re-send --------------------------------------------


def confirm_suffers(folder, fault, args=QUICK):
    """An upload whose confirms suffer the fault; every file once. The confirms that were seen."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=args)
        server.faults([{"endpoint": "confirm", **fault}])
        scene.again()
        return requests(server, "confirm-upload")


def test_confirm_processed_and_reset_on_a_reused_connection_makes_one_file(folder):
    seen = confirm_suffers(folder, {"nth": 1, "reset_after": True}, args=(*QUICK, "--transfers",
                                                                          "1"))
    assert len(seen) == 8, seen


def test_confirm_processed_and_closed_on_a_reused_connection_makes_one_file(folder):
    seen = confirm_suffers(folder, {"nth": 1, "reset_after": True, "plain_close": True},
                           args=(*QUICK, "--transfers", "1", "--api-concurrency", "1"))
    assert len(seen) == 8, seen


def test_every_confirm_processed_and_closed_makes_one_file_each(folder):
    seen = confirm_suffers(folder, {"reset_after": True, "plain_close": True})
    assert len(seen) == 8, seen


def test_confirm_reset_before_processing_is_sent_again(folder):
    confirm_suffers(folder, {"every": 2, "times": 3, "reset_before": True})


def test_confirm_processed_and_answered_503_makes_one_file(folder):
    seen = confirm_suffers(folder, {"times": 3, "status": 503, "after": True})
    assert len(seen) == 8, seen


def test_confirm_refused_with_503_is_sent_again(folder):
    seen = confirm_suffers(folder, {"times": 3, "status": 503, "body": "html"})
    assert len(seen) == 8 + 3, seen


def test_confirm_processed_and_never_answered_makes_one_file(folder):
    confirm_suffers(folder, {"times": 2, "stall": True, "after": True})


def test_confirm_stalled_before_processing_is_sent_again(folder):
    confirm_suffers(folder, {"times": 2, "stall": True})


def test_put_reset_on_a_reused_connection_is_sent_whole(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "put", "nth": 3, "reset_after": True, "plain_close": True},
                       {"endpoint": "part", "nth": 2, "reset_during": True},
                       {"endpoint": "part", "nth": 4, "reset_after": True}])
        scene.again()
