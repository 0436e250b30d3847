"""A confirm whose reply is lost: looked up, never blindly repeated; every file is there once."""
import peers
from moments import reach
from pxm import (Pxload, books, holds, make_tree, pattern, report, requests, sim, summary)

PATIENCE = ("--lookup-patience", "2s")
ARGS = ("--timeout", "2s", "--retries", "3", "--api-rate", "0")
# The server has done it; its word is lost.
LOSSES = {
    "reset": {"reset_after": True}, "close": {"reset_after": True, "plain_close": True},
    "during": {"reset_during": True}, "cut": {"truncate": 6}, "no-byte": {"truncate": 0},
    "500": {"after": True, "status": 500}, "502-html": {"after": True, "status": 502,
                                                        "body": "html"},
    "504": {"after": True, "status": 504, "body": "empty"},
    "silence": {"after": True, "stall": True}, "html": {"after": True, "status": 200,
                                                        "body": "html"},
    "redirect": {"after": True, "status": 302}, "408": {"after": True, "status": 408},
    "409": {"after": True, "status": 409}, "huge": {"oversize": 9}, "deep": {"deep_json": True},
}
# A refusal is a word: what says no was not done. These two lie, as no server does.
LIES = ("redirect", "408")


def named(endpoint, faults):
    return [{"endpoint": endpoint, "name": name, **fault} for name, fault in faults.items()]


def confirms(server):
    """{name: confirms that were seen or are still unanswered}."""
    seen = {}
    for row in requests(server, "confirm-upload"):
        seen[row["name"]] = seen.get(row["name"], 0) + 1
    for entry in server.call("GET", "/_sim/faults"):
        rule = entry["rule"]
        if rule["endpoint"] == "confirm" and rule.get("stall") is True:
            seen[rule["name"]] = seen.get(rule["name"], 0) + entry["fired"]
    return seen


def old_files(server, sizes):
    for name, size in sizes.items():
        server.call("POST", "/_sim/preload", {"name": name, "size": size, "age": 3600})
    return {name: record["id"] for name, record in server.files().items()}


def replies_lost(folder, policy=None, lag=0, same_size=False):
    """Every loss once, each on a file of its own; every file once, confirmed once."""
    losses = {name: fault for name, fault in LOSSES.items() if name not in LIES}
    quirks = ("--quirk", f"search_lag={lag}") if lag else ()
    with sim(folder, "--rate", "0", *quirks) as server:
        files = {name: pattern(300 + n, n) for n, name in enumerate(losses)}
        files["fine"] = pattern(9)
        args = ("--on-conflict", policy) if policy else ()
        ids = {}
        if policy:
            ids = old_files(server, {name: len(data) if same_size else 7
                                     for name, data in files.items()})
        # To overwrite again gives the same file; all else is confirmed once, however often lost.
        again = policy == "overwrite"
        server.faults(named("confirm", {name: {**fault, **({"times": 1} if again else {})}
                                        for name, fault in losses.items()}))
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload(*ARGS, "--lookup-patience", f"{lag + 3}s", *args, tree)
        assert books(done)[1] == len(files)
        held = holds(server, files)
        for name, row in report(load, tree).items():
            assert row["file_id"] == held[name]["id"], row
            assert not ids or held[name]["id"] == ids[name], (name, held[name])
            assert held[name]["versions"] == (2 if policy == "version" else 1), held[name]
        assert set(confirms(server).values()) <= ({1, 2} if again else {1}), confirms(server)
        assert not server.state(files=False)["duplicates"]


def test_server_that_dies_and_comes_back_holds_every_file_once(folder):
    """Connections are refused for a while: after confirms that were processed, in a PUT, at both
    sides before anything was heard. That the next connection was refused says nothing about what
    went out over the one before it."""
    with sim(folder, "--rate", "0") as server:
        files = {f"{n:02}": pattern(200 + n, n) for n in range(40)}
        server.faults([{"endpoint": "confirm", "every": 3, "times": 9, "reset_after": True,
                        "refuse": 60},
                       {"endpoint": "confirm", "nth": 20, "refuse": 200},
                       {"endpoint": "request", "nth": 30, "refuse": 200},
                       {"endpoint": "put", "nth": 7, "reset_during": True, "refuse": 300},
                       {"endpoint": "put", "nth": 25, "refuse": 200}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload(*ARGS, *PATIENCE, "--retries", "30", "-vv", tree)
        assert books(done) == (len(files), len(files), 0, 0, 0)
        holds(server, files)
        assert [entry["fired"] for entry in server.call("GET", "/_sim/faults")] == [9, 1, 1, 1, 1]
        assert "Couldn't connect" in done.err, done.err


def test_lost_replies_of_new_files(folder):
    replies_lost(folder)


def test_lost_replies_of_new_files_with_an_index_that_lags(folder):
    replies_lost(folder, lag=1)


def test_lost_replies_of_overwrites(folder):
    replies_lost(folder, "overwrite")


def test_lost_replies_of_overwrites_with_an_index_that_lags(folder):
    replies_lost(folder, "overwrite", lag=1)


def test_lost_replies_of_overwrites_of_the_same_size(folder):
    replies_lost(folder, "overwrite", lag=1, same_size=True)


def test_overwrite_whose_replies_are_always_lost_is_no_lie(folder):
    with sim(folder) as server:
        files = {"a": pattern(60), "b": b"other"}
        ids = old_files(server, dict.fromkeys(files, 7))
        server.faults([{"endpoint": "confirm", "name": "a", "reset_after": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        load.upload(*ARGS, "--lookup-patience", "1s", "--on-conflict", "overwrite", tree,
                    expect=(0, 1))
        held = holds(server, files)
        assert {name: record["id"] for name, record in held.items()} == ids, held
        row = report(load, tree)["a"]
        assert row["state"] == "confirmed" or row["error_class"] == "outcome_unknown", row


def test_lost_replies_of_versions(folder):
    replies_lost(folder, "version")


def test_lost_replies_of_versions_with_an_index_that_lags(folder):
    replies_lost(folder, "version", lag=1)


def test_lost_replies_of_versions_of_the_same_size(folder):
    replies_lost(folder, "version", lag=1, same_size=True)


def test_refusals_that_are_lies_never_double_a_file(folder):
    # 302 and 408 after the work was done: where the file is there already, its session is gone.
    with sim(folder, "--quirk", "confirm_twice=409", audit=False) as server:
        server.faults(named("confirm", {name: {**LOSSES[name], "times": 1} for name in LIES}))
        files = {name: pattern(50, n) for n, name in enumerate(LIES)}
        load = Pxload(folder, server)
        load.upload(*ARGS, *PATIENCE, make_tree(folder / "tree", files), expect=(0, 1))
        holds(server, files)


def test_request_that_was_lost_on_its_way_is_confirmed_again(folder):
    lost = {"reset": {"reset_before": True, "times": 1},
            "500": {"status": 500, "times": 1}, "html": {"status": 200, "body": "html", "times": 1},
            "silence": {"stall": True, "times": 1}}
    for policy in (None, "overwrite", "version"):
        inner = folder / str(policy)
        inner.mkdir()
        with sim(inner) as server:
            files = {name: pattern(300 + n, n) for n, name in enumerate(lost)}
            if policy:  # the size alone tells nothing
                old_files(server, {name: len(data) for name, data in files.items()})
            server.faults(named("confirm", lost))
            load = Pxload(inner, server)
            load.upload(*ARGS, "--lookup-patience", "1s",
                        *(("--on-conflict", policy) if policy else ()),
                        make_tree(inner / "tree", files))
            held = holds(server, files)
            assert set(confirms(server).values()) <= {2, 3}, confirms(server)
            versions = {record["versions"] for record in held.values()}
            assert versions == {2 if policy == "version" else 1}, held


def test_last_try_that_was_lost_is_looked_up_too(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "name": "a", "times": 2, "reset_before": True},
                       {"endpoint": "confirm", "name": "a", "reset_after": True}])
        load = Pxload(folder, server)
        files = {"a": pattern(60), "b": b"other"}
        tree = make_tree(folder / "tree", files)
        load.upload("--retries", "2", "--lookup-patience", "1s", tree, expect=None)
        row = report(load, tree)["a"]
        there = "a" in server.files()
        # In PXM and said to be failed would be a lie; not known would be the truth at least.
        assert not there or row["state"] == "confirmed" or (
            row["error_class"] == "outcome_unknown"), row
        assert row["state"] == "confirmed", row
        holds(server, files)


def test_confirm_that_is_always_lost_on_its_way_ends(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "name": "a", "reset_before": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": pattern(60), "b": b"other"})
        load.upload("--retries", "2", "--lookup-patience", "1s", tree, expect=1)
        row = report(load, tree)["a"]
        assert row["error_class"] in ("network", "outcome_unknown"), row
        holds(server, {"b": b"other"})
        assert confirms(server)["a"] <= 4, confirms(server)
        server.clear_faults()
        load.run("retry", "--json", *PATIENCE, load.journal())
        holds(server, {"a": pattern(60), "b": b"other"})


# ---- the truth cannot be learnt ------------------------------------------------------------------


def unknowable(folder, search, policy=None):
    """Lost replies and a search that fails: outcome_unknown, and not confirmed again."""
    with sim(folder) as server:
        files = {"a": pattern(60), "b": pattern(61), "fine": b"fine"}
        if policy:
            old_files(server, dict.fromkeys(files, 7))
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        args = ("--on-conflict", policy) if policy else ()
        server.faults(named("confirm", {"a": {"reset_after": True},
                                        "b": {"after": True, "status": 503}})
                      + named("search", {"a": search, "b": search}))
        load.upload(*ARGS, "--retries", "2", "--lookup-patience", "1s", *args,
                    "--api-concurrency", "2", tree, expect=1)
        rows = report(load, tree)
        for name in ("a", "b"):
            assert rows[name]["error_class"] == "outcome_unknown", rows[name]
            assert "verify" in rows[name]["advice"], rows[name]
        assert rows["fine"]["state"] == "confirmed"
        assert confirms(server) == dict.fromkeys(files, 1), confirms(server)
        # The same command again does not confirm it again either.
        server.clear_faults()
        load.upload(*ARGS, *args, tree, expect=1)
        assert confirms(server) == dict.fromkeys(files, 1), confirms(server)
        held = holds(server, files)
        assert policy != "version" or {r["versions"] for r in held.values()} == {2}, held


def test_search_that_fails_leaves_the_outcome_unknown(folder):
    unknowable(folder, {"status": 500})


def test_search_that_is_forbidden_leaves_the_outcome_unknown(folder):
    unknowable(folder, {"status": 403})


def test_search_that_talks_html_leaves_the_outcome_unknown(folder):
    unknowable(folder, {"status": 404, "body": "html"})


def test_search_that_fails_after_an_overwrite_leaves_the_outcome_unknown(folder):
    unknowable(folder, {"status": 500}, "overwrite")


def test_search_that_fails_after_a_version_leaves_the_outcome_unknown(folder):
    unknowable(folder, {"status": 200, "body": '{"odd":1}'}, "version")


def test_search_that_never_answers_blames_nobody_and_confirms_nothing_again(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "reset_after": True},
                       {"endpoint": "search", "stall": True}])
        load = Pxload(folder, server)
        files = {name: pattern(40, n) for n, name in enumerate("abc")}
        tree = make_tree(folder / "tree", files)
        done = load.upload(*ARGS, "--retries", "2", tree, expect=5)
        assert summary(done)["balanced"]
        server.clear_faults()
        load.upload(*ARGS, *PATIENCE, tree, expect=(0, 1))
        assert set(confirms(server).values()) == {1}, confirms(server)
        holds(server, files)


def test_index_that_lags_for_longer_than_the_patience_meets_a_server_that_counts(folder):
    # The second confirm of one upload is refused there, and that is taken for what it is.
    with sim(folder, "--quirk", "search_lag=4", "--quirk", "confirm_twice=409",
             audit=False) as server:
        server.faults([{"endpoint": "confirm", "name": "a", "times": 1, "reset_after": True}])
        load = Pxload(folder, server)
        files = {"a": pattern(60), "b": b"other"}
        tree = make_tree(folder / "tree", files)
        load.upload("--retries", "5", "--lookup-patience", "1s", tree, expect=(0, 1))
        row = report(load, tree)["a"]
        assert row["state"] == "confirmed" or row.get("error_class") == "outcome_unknown", row
        holds(server, files)
        breaches = {row["code"] for row in server.state(files=False)["violations"]}
        assert breaches <= {"confirm_twice"}, breaches


def test_nothing_is_confirmed_again_before_the_patience_is_over(folder):
    with sim(folder, "--quirk", "search_lag=60", "--quirk", "confirm_twice=409",
             audit=False) as server:
        server.faults([{"endpoint": "confirm", "times": 1, "reset_after": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": pattern(60)})
        load.upload("--retries", "2", *PATIENCE, tree, expect=None)
        times = [row["time_ms"] for row in requests(server, "confirm-upload")]
        assert len(times) == 1 or times[1] - times[0] >= 1990, times
        assert len(server.files()) == 1


# ---- conflicts -----------------------------------------------------------------------------------


def test_canary_of_the_same_size_is_not_proven_by_an_index_that_lags(folder):
    # This tenant makes duplicates of overwrites; its index shows them late.
    for policy in ("overwrite", "version"):
        inner = folder / policy
        inner.mkdir()
        with sim(inner, "--quirk", "ignore_conflict_fields", "--quirk", "search_lag=1",
                 audit=False) as server:
            files = {f"f{n}": pattern(50, n) for n in range(6)}
            old_files(server, dict.fromkeys(files, 50))
            load = Pxload(inner, server)
            done = load.upload(*ARGS, "--on-conflict", policy, "--lookup-patience", "3s",
                               make_tree(inner / "tree", files), expect=None)
            made = len(server.state(files=False)["duplicates"])
            assert done.returncode == 7 and made <= 1, (done.returncode, made, summary(done))


def test_lost_canary_is_resolved_and_proves_itself(folder):
    for policy in ("overwrite", "version"):
        inner = folder / policy
        inner.mkdir()
        with sim(inner) as server:
            files = {f"f{n}": pattern(50 + n, n) for n in range(6)}
            old_files(server, dict.fromkeys(files, 7))
            server.faults([{"endpoint": "confirm", "nth": 1, "reset_after": True}])
            load = Pxload(inner, server)
            load.upload(*ARGS, *PATIENCE, "--on-conflict", policy,
                        make_tree(inner / "tree", files))
            held = holds(server, files)
            assert {r["versions"] for r in held.values()} == {2 if policy == "version" else 1}
            seen = sorted(confirms(server).values())
            assert seen[:-1] == [1] * 5 and seen[-1] <= (1 if policy == "version" else 2), seen


def test_somebody_elses_file_of_that_name_is_not_taken_for_ours(folder):
    # It comes while our confirm is lost on its way: of another size, so it is not ours.
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "name": "a", "times": 1, "delay": 600,
                        "status": 503}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": pattern(60)})
        process = load.start("upload", "--json", *ARGS, *PATIENCE, tree)
        reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"], "the confirm")
        server.call("POST", "/_sim/preload", {"name": "a", "size": 7})
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        record = server.files()["a"]
        assert record["size"] == 7, record
        assert report(load, tree)["a"]["state"] == "skipped"


# ---- requests that libcurl might repeat by itself ------------------------------------------------


def test_connection_that_dies_idle_repeats_no_post(folder):
    # Each API connection serves a few requests and is closed without notice.
    for silently in (False, True):
        inner = folder / str(silently)
        inner.mkdir()
        with sim(inner) as server:
            server.faults([{"endpoint": step, "close_after": 2, "close_silently": silently}
                           for step in ("request", "confirm")])
            load = Pxload(inner, server)
            files = {f"f{n:02}": pattern(50, n) for n in range(20)}
            load.upload(*ARGS, *PATIENCE, "--retries", "6", make_tree(inner / "tree", files))
            holds(server, files)
            assert set(confirms(server).values()) == {1}, confirms(server)


def test_connection_that_dies_under_a_relay_repeats_no_confirm(folder):
    # Every connection is cut while confirms wait for their replies, which were done.
    with sim(folder) as server, peers.relay(server.api) as relay:
        server.faults([{"endpoint": "confirm", "times": 8, "delay": 500}])
        load = Pxload(folder, server)
        load.env["PXLOAD_BASE_URL"] = relay.url
        files = {f"f{n}": pattern(50, n) for n in range(8)}
        tree = make_tree(folder / "tree", files)
        process = load.start("upload", "--json", *ARGS, *PATIENCE, "--retries", "6", tree)
        reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"] >= 4,
              "confirms under way")
        relay.turn_to(server.api)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        held = holds(server, files)
        for name, row in report(load, tree).items():
            assert row["file_id"] == held[name]["id"], row
        # Those that were cut off come into the count late; the audit knows of each at once.
        assert not server.state(files=False)["duplicates"]
