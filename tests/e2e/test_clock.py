"""A wall clock that is set while files are under way changes neither what is sent nor the books."""
from world import HOUR_S, Clock
from moments import SMALL_PARTS, STORED, Scene, count, in_state, kill, output, reach
from pxm import (Pxload, api_requests, books, counts, fresh, holds, make_tree, pattern, preload,
                 report, sim)

INTENTS = "SELECT count(*) FROM session WHERE intent_ms > 0"
JUMPS_S = (3 * HOUR_S, -3 * HOUR_S)


def fired(server):
    return sum(entry["fired"] for entry in server.call("GET", "/_sim/faults"))


def versions(server):
    return {record["name"]: record["versions"] for record in server.state()["files"]}


def test_clock_set_between_a_lost_confirm_and_its_lookup_doubles_nothing(folder):
    for policy in ("skip", "version", "overwrite"):
        for jump_s in JUMPS_S:
            inner = fresh(folder, f"{policy}{jump_s}")
            with sim(inner, *SMALL_PARTS) as server:
                scene = Scene(inner, server, args=("--on-conflict", policy))
                clock = Clock(scene.load)
                replaced = {} if policy == "skip" else {"f0.bin": 7, "f1.bin": 7}
                preload(server, replaced)
                server.faults([{"endpoint": "confirm", "after": True, "status": 500, "delay": 150}])
                process = scene.start()
                reach(process, lambda: fired(server), "a confirm")
                clock.turn(jump_s)
                out, err = output(process)
                assert process.returncode == 0, (policy, jump_s, out, err)
                scene.check_held()
                wanted = dict.fromkeys(scene.wanted, 1)
                if policy == "version":
                    wanted |= dict.fromkeys(replaced, 2)
                assert versions(server) == wanted, (policy, jump_s)


def test_clock_set_between_a_kill_and_the_next_run_doubles_nothing(folder):
    for jump_s in JUMPS_S:
        inner = fresh(folder, f"{jump_s}")
        # The index shows what the killed run confirmed only after a while.
        with sim(inner, *SMALL_PARTS, "--quirk", "search_lag=0.7") as server:
            scene = Scene(inner, server, args=("--lookup-patience", "3s", "--publish"))
            clock = Clock(scene.load)
            server.faults([{"endpoint": "confirm", "after": True, "status": 500, "stall": True}])
            scene.die(lambda: fired(server) >= 3, "confirms without an answer")
            clock.turn(jump_s)
            done = scene.again()
            assert max(versions(server).values()) == 1, (jump_s, done.out)


def test_clock_set_after_a_kill_makes_no_older_content_of_a_changed_file(folder):
    """Of the same size, and PXM's time of it seems to be after the intent of the new one."""
    for jump_s in JUMPS_S:
        inner = fresh(folder, f"{jump_s}")
        with sim(inner) as server:
            scene = Scene(inner, server, files=2, big=False, args=("--lookup-patience", "1s"))
            clock = Clock(scene.load)
            scene.again()
            scene.wanted["f0.bin"] = b"z" * len(scene.wanted["f0.bin"])
            make_tree(scene.tree, scene.wanted)
            server.faults([{"endpoint": "confirm", "stall": True}])
            scene.die(lambda: fired(server), "the confirm of the changed file")
            clock.turn(jump_s)
            scene.again()


def test_clock_set_again_and_again_changes_nothing(folder):
    with sim(folder, *SMALL_PARTS, "--api-latency", "5") as server:
        more = {f"more{n:03}": pattern(30 + n, n) for n in range(150)}
        scene = Scene(folder, server, more=more, args=("--timeout", "5s"))
        clock = Clock(scene.load)
        server.faults([{"endpoint": "confirm", "every": 9, "reset_after": True},
                       {"endpoint": "request", "every": 7, "status": 503},
                       {"endpoint": "put", "every": 8, "status": 500, "body": "s3xml",
                        "code": "InternalError"}])
        process = scene.start()
        for jump_s in (*JUMPS_S, -9 * HOUR_S, 30 * HOUR_S, -7):
            before = fired(server)
            reach(process, lambda: fired(server) > before + 2, "more faults")
            clock.turn(jump_s)
        out, err = output(process)
        assert process.returncode == 0, (out, err)
        assert "clock jumped" not in err, err
        assert not server.state(files=False)["duplicates"]
        holds(server, scene.wanted)
        done = scene.load.run(*scene.command())
        assert books(done)[:2] == (len(scene.wanted),) * 2, done.out
        assert max(versions(server).values()) == 1
        # A token of the cache, a journal and a report of another hour are what they were.
        clock.turn(-500 * HOUR_S)
        scene.load.run("status", scene.path)
        assert len(report(scene.load, scene.tree, scene.path)) == len(scene.wanted)


def test_machine_that_was_asleep_goes_on_over_new_connections(folder):
    """What was under way when it fell asleep is dead, though no word says so."""
    with sim(folder, *SMALL_PARTS) as server:
        more = {f"more{n:02}": pattern(30 + n, n) for n in range(60)}
        scene = Scene(folder, server, more=more, args=("--timeout", "4s", "--transfers", "3"))
        clock = Clock(scene.load)
        server.faults([{"endpoint": "put", "nth": 5, "stall": True},
                       {"endpoint": "request", "nth": 20, "stall": True},
                       {"endpoint": "put", "delay": 30}])
        process = scene.start()
        reach(process, lambda: sum(entry["fired"] for entry in server.call(
            "GET", "/_sim/faults")[:2]) == 2, "both stalls")
        clock.sleep(8 * HOUR_S)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        assert b"the clock jumped by 288" in err, err
        holds(server, scene.wanted)
        assert max(versions(server).values()) == 1


def test_clock_set_back_between_runs_links_nothing_unread(folder):
    """What an earlier run made may have been linked by others since, whatever hour it is."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        clock = Clock(load)
        tree = make_tree(folder / "tree", {"d/f.bin": b"f"})
        server.faults([{"endpoint": "write", "nth": 2, "stall": True}])
        process = load.start("upload", "--map-folders", "collections", tree)
        reach(process, lambda: fired(server), "a link without an answer")
        kill(process)
        server.clear_faults()
        clock.turn(-3 * HOUR_S)
        load.upload("--map-folders", "collections", tree)
        assert counts(server)["file-get"] == 1


def test_clock_set_back_between_runs_opens_no_new_window(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        clock = Clock(load)
        tree = make_tree(folder / "tree", {"a": b"a"})
        # Token, request and confirm: one is left of the window.
        load.upload("--api-rate", "4", tree)
        clock.turn(-HOUR_S)
        make_tree(tree, {"b": b"b"})
        load.upload("--api-rate", "4", "--max-duration", "1s", tree, expect=10)
        assert api_requests(server) == 4
