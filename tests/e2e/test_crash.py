"""SIGKILL at each durable state and at random moments; then the same command, or a resume."""
import os
import random
import signal
import subprocess
from typing import NamedTuple

from moments import (DISCOVERED, PREPARED, REQUESTED, SMALL_PARTS, STORED, Scene, count, in_state,
                     kill)
from pxm import Pxload, pattern, requests, sim

QUICK = ("--timeout", "2s", "--lookup-patience", "2s")
INTENTS = "SELECT count(*) FROM session WHERE intent_ms > 0"


# ---- one moment a durable state, and two ways to go on -------------------------------------------


def parts_stored(scene):
    return (count(scene.path, "SELECT count(*) FROM part WHERE etag IS NOT NULL") >= 2
            and in_state(scene.path, REQUESTED) == 1)


def few_parts_were_repeated(server):
    sent = [row for row in requests(server, "part") if row["status"] == 200]
    assert len(sent) <= 3 + 5, sent


def nothing_was_confirmed_again(server):
    answered = [row for row in requests(server, "confirm-upload") if row["status"]]
    assert not answered, f"confirmed again: {answered}"


class Moment(NamedTuple):
    """What keeps a run at a moment, how the moment is seen, and what must be true in the end."""
    faults: list
    seen: object
    then: object = None
    scene: dict = {}
    sim: tuple = SMALL_PARTS


MOMENTS = {
    "discovered": Moment(
        [{"endpoint": "auth", "stall": True}],
        lambda scene: in_state(scene.path, DISCOVERED) > 100,
        scene={"args": ("--api-rate", "0"), "files": 500}, sim=("--rate", "0")),
    "prepared": Moment(
        [{"endpoint": "request", "stall": True}],
        lambda scene: in_state(scene.path, PREPARED) >= 3),
    "requested": Moment(
        [{"endpoint": "put", "stall": True}, {"endpoint": "part", "stall": True}],
        lambda scene: in_state(scene.path, REQUESTED) >= 3),
    "some_parts_are_stored": Moment(
        [{"endpoint": "part", "nth": 4, "stall": True}], parts_stored, few_parts_were_repeated,
        scene={"args": QUICK}),
    # The only API slot is taken by a request that stalls: what is stored cannot be confirmed.
    "stored": Moment(
        [{"endpoint": "request", "nth": 2, "stall": True}, {"endpoint": "put", "delay": 300},
         {"endpoint": "part", "delay": 100}],
        lambda scene: in_state(scene.path, STORED) == 1
        and not requests(scene.server, "confirm-upload"),
        scene={"args": ("--api-concurrency", "1"), "files": 2}),
    # The intent is durable and the confirm under way, but the server never looked at it.
    "the_confirm_is_in_flight": Moment(
        [{"endpoint": "confirm", "stall": True}],
        lambda scene: count(scene.path, INTENTS) >= 3 and not scene.server.files(),
        scene={"args": QUICK}),
    "the_confirms_reply_is_lost": Moment(
        [{"endpoint": "confirm", "stall": True, "after": True}],
        lambda scene: len(scene.server.files()) == len(scene.wanted),
        nothing_was_confirmed_again),
}


def killed_when(folder, moment, go_on):
    with sim(folder, *moment.sim) as server:
        scene = Scene(folder, server, **moment.scene)
        server.faults(moment.faults)
        scene.die(lambda: moment.seen(scene), "the moment")
        go_on(scene)
        if moment.then:
            moment.then(server)


def make_test(name, way, go_on):
    def test(folder):
        killed_when(folder, MOMENTS[name], go_on)
    test.__name__ = f"test_kill_when_{name}_then_{way}"
    return test


for _name in MOMENTS:
    for _way, _go_on in (("the_same_command", Scene.again), ("resume", Scene.resume)):
        _made = make_test(_name, _way, _go_on)
        globals()[_made.__name__] = _made


# ---- sessions that the server hands out again ----------------------------------------------------


def killed_among_parts(folder, quirk):
    """(requests of parts before the kill, those after it)."""
    with sim(folder, "--quirk", quirk, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=QUICK)
        server.faults([{"endpoint": "part", "nth": 4, "stall": True}])
        scene.die(lambda: parts_stored(scene) and len(requests(server, "part")) == 3,
                  "stored parts")
        server.clear_faults()
        before = len(requests(server, "part"))
        scene.again()
        return before, len(requests(server, "part")) - before


def test_parts_of_a_session_that_the_server_still_knows_are_not_sent_again(folder):
    before, after = killed_among_parts(folder, "same_session=same")
    # The fourth stalled; of the three before it the kill may have taken what was not saved yet.
    assert before == 3 and 2 <= after <= 3, (before, after)


def test_parts_of_a_session_that_is_cut_otherwise_now_are_sent_again(folder):
    """Five parts before the kill, ten behind the same upload id after it."""
    before, after = killed_among_parts(folder, "same_session=resliced")
    assert before == 3 and after == 10, (before, after)


# ---- more than one thing at once -----------------------------------------------------------------


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
