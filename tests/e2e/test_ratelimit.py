"""429: everybody holds, nobody is blamed; and the limiter lets no window exceed its rate."""
import math
import signal
import time

from moments import reach
from pxm import (Pxload, api_requests, books, counts, holds, make_tree, pattern, report, requests,
                 sim, summary)

CONCURRENCY = 4
ARGS = ("--api-concurrency", CONCURRENCY, "--api-rate", "0")


def api_rows(server):
    return [row for row in requests(server) if row["endpoint"] not in ("put", "part")]


def tree_of(folder, count=12):
    files = {f"f{n:02}": pattern(40 + n, n) for n in range(count)}
    return files, make_tree(folder / "tree", files)


def check_held(server, hold_ms):
    """After the 429 nothing comes for that long but what was under way already."""
    rows = api_rows(server)
    refused = next(n for n, row in enumerate(rows) if row["status"] == 429)
    later = [row for row in rows[refused + 1:]
             if row["time_ms"] < rows[refused]["time_ms"] + hold_ms]
    assert len(later) < CONCURRENCY, (rows[refused], later)


def refused_once(folder, fault, hold_ms=0, endpoint="request", args=()):
    with sim(folder, "--rate", "0") as server:
        server.faults([{"endpoint": endpoint, "nth": 1 if endpoint in ("auth", "list") else 3,
                        "status": 429, **fault}])
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        # One try alone: a 429 that counted as one would fail its file.
        done = load.upload(*ARGS, "--retries", "1", *args, tree)
        assert books(done)[1] == len(files)
        holds(server, files)
        check_held(server, hold_ms)
        assert sum(row["status"] == 429 for row in api_rows(server)) == 1
        assert not [row for row in report(load, tree).values() if row["attempt"]]
        return server.state(files=False)["counts"]


def test_seconds_hold_everybody(folder):
    refused_once(folder, {"retry_after": "1"}, 990)


def test_fraction_of_a_second_is_rounded_up(folder):
    refused_once(folder, {"retry_after": "0.2"}, 190)


def test_seconds_in_the_body_alone_hold_everybody(folder):
    refused_once(folder, {"body": '{"error":"Rate limit exceeded.","retry_after":1}'}, 990)


def test_date_holds_everybody(folder):
    with sim(folder, "--rate", "0") as server:
        server.faults([{"endpoint": "request", "nth": 3, "status": 429, "retry_after": "date:3"}])
        until_ms = (math.floor(time.time()) + 2) * 1000
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(*ARGS, "--retries", "1", tree)
        holds(server, files)
        rows = api_rows(server)
        refused = next(n for n, row in enumerate(rows) if row["status"] == 429)
        early = [row for row in rows[refused + 1:] if row["time_ms"] < until_ms]
        assert len(early) < CONCURRENCY, early


def test_date_that_is_past_holds_nobody(folder):
    refused_once(folder, {"retry_after": "date:-100"})


def test_zero_and_negative_seconds_hold_nobody(folder):
    for text in ("0", "-7"):
        inner = folder / text
        inner.mkdir()
        refused_once(inner, {"retry_after": text})


def test_refusal_without_a_time_and_with_nonsense_holds_for_a_while(folder):
    # Beside each other, as each takes its quarter of a minute.
    running = []
    for n, fault in enumerate(({}, {"retry_after": "soon"}, {"body": "html"})):
        inner = folder / str(n)
        inner.mkdir()
        scope = sim(inner, "--rate", "0")
        server = scope.__enter__()
        server.faults([{"endpoint": "request", "nth": 1, "status": 429, **fault}])
        load = Pxload(inner, server)
        files, tree = tree_of(inner, 2)
        running.append((scope, server, files,
                        load.start("upload", "--json", *ARGS, "--retries", "1", tree)))
    for scope, server, files, process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        holds(server, files)
        check_held(server, 5000)
        scope.__exit__(None, None, None)


def test_refused_confirm_is_no_lost_confirm(folder):
    seen = refused_once(folder, {"retry_after": "1"}, 990, "confirm")
    assert seen["confirm-upload"] == {"200": 12, "429": 1} and "file-search" not in seen, seen


def test_refused_token_and_regions_wait(folder):
    (folder / "auth").mkdir()
    (folder / "list").mkdir()
    refused_once(folder / "auth", {"retry_after": "1"}, 990, "auth")
    refused_once(folder / "list", {"retry_after": "1"}, 990, "list", ("--region", "EU"))


def test_refusals_in_a_row_are_no_tries(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "name": "f00", "times": 9, "status": 429,
                        "retry_after": "0"}])
        load = Pxload(folder, server)
        files, tree = tree_of(folder, 4)
        load.upload(*ARGS, "--retries", "1", tree)
        holds(server, files)
        assert not [row for row in report(load, tree).values() if row["attempt"]]


def test_refusal_of_s3_holds_s3_alone(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "nth": 1, "status": 429, "retry_after": "2",
                        "body": "empty"}])
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(*ARGS, "--transfers", "4", tree)
        holds(server, files)
        refused = next(row for row in requests(server, "put") if row["status"] == 429)
        soon = [row for row in api_rows(server)
                if 0 <= row["time_ms"] - refused["time_ms"] < 2000]
        assert len(soon) > CONCURRENCY, "the API was held for a refusal of S3"


def test_hold_of_hours_ends_with_the_run(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "nth": 3, "status": 429,
                        "retry_after": "9999999999999999999"}])
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        done = load.upload(*ARGS, "--max-duration", "2s", tree, expect=10, deadline_s=60)
        total = summary(done)
        assert total["queued"] and total["balanced"] and not total["failed"], total
        server.clear_faults()
        load.upload(*ARGS, tree)
        holds(server, files)


def test_signal_ends_a_hold_at_once(folder):
    for wanted in (signal.SIGTERM, signal.SIGINT):
        inner = folder / wanted.name
        inner.mkdir()
        with sim(inner) as server:
            server.faults([{"endpoint": "request", "status": 429, "retry_after": "600"}])
            load = Pxload(inner, server)
            files, tree = tree_of(inner)
            process = load.start("upload", "--json", *ARGS, tree)
            reach(process, lambda: any(r["status"] == 429 for r in requests(server)), "the 429")
            process.send_signal(wanted)
            process.communicate(timeout=60)
            assert process.returncode == 128 + wanted, process.returncode
            server.clear_faults()
            load.upload(*ARGS, tree)
            holds(server, files)


# ---- the limiter ---------------------------------------------------------------------------------


def test_window_is_used_up_and_never_exceeded(folder):
    with sim(folder, "--rate", "30") as server:
        load = Pxload(folder, server)
        _, tree = tree_of(folder, 40)
        done = load.upload("--api-rate", "30", "--api-concurrency", "10", "--max-duration", "3s",
                           tree, expect=10)
        state = server.state(files=False)
        assert state["peak_requests_60s"] == api_requests(server) == 30, state["counts"]
        assert summary(done)["queued"], summary(done)


def test_trouble_and_look_ups_are_within_the_rate(folder):
    with sim(folder, "--rate", "40") as server:
        server.faults([{"endpoint": "request", "every": 3, "status": 503},
                       {"endpoint": "confirm", "every": 2, "reset_after": True},
                       {"endpoint": "search", "every": 2, "status": 500}])
        load = Pxload(folder, server)
        _, tree = tree_of(folder, 40)
        load.upload("--api-rate", "40", "--max-duration", "6s", tree, expect=10)
        state = server.state(files=False)
        assert state["peak_requests_60s"] <= 40, state["counts"]
        assert not any("429" in by for by in state["counts"].values()), state["counts"]


def test_kills_do_not_open_the_window_anew(folder):
    with sim(folder, "--rate", "100") as server:
        load = Pxload(folder, server)
        _, tree = tree_of(folder, 80)
        args = ("upload", "--json", "--api-rate", "100", "--max-duration", "2s", tree)
        for seen in (20, 50):
            process = load.start(*args)
            reach(process, lambda: api_requests(server) >= seen or process.poll() is not None,
                  f"{seen} requests")
            process.kill()
            process.communicate()
        load.run(*args, expect=10)
        state = server.state(files=False)
        assert state["peak_requests_60s"] <= 100, state["counts"]
        assert not any("429" in by for by in state["counts"].values()), state["counts"]


def test_server_that_allows_less_is_obeyed(folder):
    # More than the server's limit is a breach that this test provokes, but no storm may follow.
    with sim(folder, "--rate", "20", audit=False) as server:
        load = Pxload(folder, server)
        _, tree = tree_of(folder, 40)
        done = load.upload("--api-concurrency", CONCURRENCY, "--max-duration", "3s", tree,
                           expect=10)
        refused = sum(by.get("429", 0) for by in counts_by_status(server).values())
        assert 1 <= refused <= CONCURRENCY, counts_by_status(server)
        assert not summary(done)["failed"] and "lower --api-rate" in done.err + done.out, done.err
        assert counts(server)["request-upload"]


def counts_by_status(server):
    return server.state(files=False)["counts"]
