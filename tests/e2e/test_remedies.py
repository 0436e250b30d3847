"""The remedy table, cell by cell, driven through the binary.

CELLS has one row a (step, error class): what the peer does, how often the step's request is seen
when that happens once, and how it ends when it happens every time. Stopping cells, and those that
need more than a fault rule, have a function each, marked with @drives. The last test reads the
table in the source: a cell that is neither driven nor excused in EXCUSED fails it.
"""
import collections
import errno
import pathlib
import re
import signal
import sqlite3
from typing import NamedTuple

import peers
from moments import STORED, in_state, reach
from pxm import (Pxload, books, fresh, holds, make_tree, pattern, report, requests, sim, summary,
                 wait_for)
from world import odd_reads

KIB = 1 << 10
TRIES = 3
ARGS = ("--retries", TRIES, "--lookup-patience", "1s", "--api-rate", "0")
QUICK = ("--timeout", "1s")
ENDPOINTS = {"request": ("request", "request-upload"), "put": ("put", "put"),
             "confirm": ("confirm", "confirm-upload"), "lookup": ("search", "file-search")}
DRIP_MS = 250

DRIVEN = {}


class Cell(NamedTuple):
    """What happens to one file, and what must be seen of it.

    faults  rules without endpoint and name; each happens once to a file of its own
    once    requests of the step when it happens once; None: not tried
    always  requests of the step when the first fault happens every time; None: not tried
    ends    error class of the file then; the row's class in small letters without it
    more    {endpoint: requests} beside the step's, when it happens once
    drip    so many others go well one after the other meanwhile; without, no file is blamed
    """
    faults: tuple
    once: object = 2
    always: object = TRIES
    ends: str = None
    more: dict = {}
    drip: int = 0


class AtLeast(int):
    """So many or more."""

    def __eq__(self, other):
        return other >= int(self)

    def __hash__(self):
        return int(self)


def s3(status, code, message="as the test wants it"):
    return {"status": status, "body": "s3xml", "code": code, "message": message}


RESET = {"reset_before": True}
LOST = {"reset_after": True}
HTML = {"status": 200, "body": "html"}

CELLS = {
    ("request", "NETWORK"): Cell((RESET, LOST, {"reset_during": True}, {"truncate": 20}),
                                 always=AtLeast(TRIES), drip=12),
    ("request", "TIMEOUT"): Cell(({"stall": True}, {"status": 504, "body": "html"},
                                  {"status": 408}), drip=24),
    ("request", "SERVER"): Cell(({"status": 500}, {"status": 502, "body": "html"},
                                 {"status": 503, "body": "empty"})),
    ("request", "AUTH"): Cell(({"status": 401},), always=None, more={"auth": 2}),
    ("request", "RATE_LIMITED"): Cell(({"status": 429, "retry_after": "1"},), always=None),
    ("request", "BAD_REQUEST"): Cell(({"status": 400, "code": "Bad", "message": "no"},
                                      {"status": 409, "code": "Busy", "message": "in use"},
                                      {"status": 413, "body": "html"}), None, 1),
    ("request", "NOT_FOUND"): Cell(({"status": 404},), None, 1),
    # Late: as the very first reply it would stop the run.
    ("request", "PERMISSION"): Cell(({"status": 403, "delay": 400},), None, 1),
    ("request", "BAD_REPLY"): Cell((HTML,), None, 1),

    ("put", "NETWORK"): Cell((RESET, LOST, {"reset_during": True}), AtLeast(1), AtLeast(TRIES),
                             drip=16),
    ("put", "TIMEOUT"): Cell(({"stall": True},), always=None),
    ("put", "SERVER"): Cell((s3(500, "InternalError"), s3(503, "ServiceUnavailable"),
                             s3(409, "OperationAborted"), s3(200, "InternalError"),
                             {"status": 502, "body": "html"}, {"status": 500, "body": "empty"})),
    ("put", "THROTTLED"): Cell((s3(503, "SlowDown"), s3(400, "RequestLimitExceeded"),
                                {"status": 429, "body": "empty"})),
    ("put", "URL_EXPIRED"): Cell((s3(403, "AccessDenied", "Request has expired"),
                                  s3(400, "ExpiredToken"), s3(403, "RequestExpired")),
                                 always=TRIES + 1, more={"request-upload": 2}),
    ("put", "SESSION_LOST"): Cell((s3(404, "NoSuchUpload"),), always=TRIES + 1,
                                  more={"request-upload": 2}),
    ("put", "TRANSFER_BROKEN"): Cell((s3(400, "RequestTimeout"), s3(400, "BadDigest"),
                                      s3(400, "IncompleteBody"), {"status": 408})),
    ("put", "ETAG_MISMATCH"): Cell(({"wrong_etag": True},)),
    ("put", "S3_REFUSED"): Cell((s3(403, "SignatureDoesNotMatch"), s3(400, "EntityTooLarge"),
                                 s3(403, "AccessDenied", "Access Denied")), None, 1),
    ("put", "BAD_REPLY"): Cell(({"no_etag": True},), None, 1),

    # Each confirm that was not processed is known for it only after the patience.
    ("confirm", "NETWORK"): Cell((RESET, {"reset_before": True, "plain_close": True}),
                                 always=None, more={"file-search": AtLeast(1)}),
    ("confirm", "TIMEOUT"): Cell(({"stall": True}, {"status": 504, "body": "html"}),
                                 always=None, more={"file-search": AtLeast(1)}),
    ("confirm", "SERVER"): Cell(({"status": 500}, {"status": 503, "body": "html"}),
                                always=None, more={"file-search": AtLeast(1)}),
    ("confirm", "BAD_REPLY"): Cell((HTML, {"status": 200, "body": "[1"}), always=None,
                                   more={"file-search": AtLeast(1)}),
    ("confirm", "CONFLICT"): Cell(({"status": 409, "code": "Busy", "message": "later"},),
                                  always=None, more={"file-search": AtLeast(1)}),
    ("confirm", "AUTH"): Cell(({"status": 401},), always=None, more={"auth": 2}),
    ("confirm", "RATE_LIMITED"): Cell(({"status": 429, "retry_after": "1"},), always=None),
    ("confirm", "BAD_REQUEST"): Cell(({"status": 400, "code": "Bad", "message": "no"},), None, 1),
    ("confirm", "NOT_FOUND"): Cell(({"status": 404},), None, 1),
    ("confirm", "PERMISSION"): Cell(({"status": 403},), None, 1),

    # The confirm was processed and its reply lost: nothing here may confirm it again.
    ("lookup", "NETWORK"): Cell((RESET, LOST), AtLeast(1), AtLeast(TRIES), "outcome_unknown",
                                drip=24),
    ("lookup", "TIMEOUT"): Cell(({"stall": True}, {"status": 504}), ends="outcome_unknown",
                                drip=24),
    ("lookup", "SERVER"): Cell(({"status": 500}, {"status": 503, "body": "html"}),
                               ends="outcome_unknown"),
    ("lookup", "BAD_REPLY"): Cell((HTML, {"status": 200, "body": '{"hits":7}'},
                                   {"deep_json": True}), ends="outcome_unknown"),
    ("lookup", "AUTH"): Cell(({"status": 401},), always=None, more={"auth": 2}),
    ("lookup", "RATE_LIMITED"): Cell(({"status": 429, "retry_after": "1"},), always=None),
    ("lookup", "BAD_REQUEST"): Cell(({"status": 400, "code": "Bad", "message": "no"},), None, 1,
                                    "outcome_unknown"),
    ("lookup", "PERMISSION"): Cell(({"status": 403},), None, 1, "outcome_unknown"),
}

# Cells other than FAIL that no test here drives, and why. "*" is every step.
EXCUSED = {
    ("*", "NOMEM"): "takes an allocation that fails at that moment; nothing of ours can ask for it",
    ("*", "JOURNAL"): "a journal that fails ends the run in commit.c, whatever the step",
    ("*", "JOURNAL_BUSY"): "met when the journal is opened, before there is a step",
    ("request", "SOURCE_CHANGED"): "looked for in prepare and put alone",
    ("confirm", "SOURCE_CHANGED"): "looked for in prepare and put alone",
    ("put", "RATE_LIMITED"): "S3 has no such class: its 429 is THROTTLED, driven at put",
    ("request", "THROTTLED"): "S3's class alone",
    ("confirm", "THROTTLED"): "S3's class alone",
    ("lookup", "THROTTLED"): "S3's class alone",
    ("confirm", "CONFIG"): "libcurl keeps a CA file that it could read for the run",
    ("lookup", "CONFIG"): "libcurl keeps a CA file that it could read for the run",
}


def drives(*cells):
    def mark(function):
        for cell in cells:
            DRIVEN.setdefault(cell, []).append(function.__name__)
        return function
    return mark


def seen_of(server, name):
    """{endpoint: requests about this file}, those included that are never answered."""
    seen = collections.Counter(row["endpoint"] for row in requests(server) if row["name"] == name)
    names = dict(ENDPOINTS.values())
    for entry in server.call("GET", "/_sim/faults"):
        rule = entry["rule"]
        if rule.get("stall") is True and rule.get("name") == name:
            seen[names[rule["endpoint"]]] += entry["fired"]
    return seen


def rules_of(step, cell):
    """The rules, and which names suffer once and always."""
    endpoint = ENDPOINTS[step][0]
    once = [f"once{n}" for n in range(len(cell.faults))] if cell.once else []
    always = [f"always{n}" for n in range(1 if cell.once else len(cell.faults))]
    always = always if cell.always else []
    rules = [{"endpoint": endpoint, "name": name, "times": 1, **fault}
             for name, fault in zip(once, cell.faults)]
    rules += [{"endpoint": endpoint, "name": name, **fault}
              for name, fault in zip(always, cell.faults)]
    if step == "lookup":
        rules += [{"endpoint": "confirm", "name": name, **LOST} for name in once + always]
    rules += [{"endpoint": "put", "name": f"other{n:02}", "delay": DRIP_MS}
              for n in range(cell.drip)]
    return rules, once, always


def check_failed(server, row, step, code, cell):
    wanted = cell.ends or code.lower()
    assert (row["state"], row["error_class"]) == ("failed", wanted), row
    assert row["error"] and row["advice"], row
    seen = seen_of(server, row["destination"])
    assert cell.always == seen[ENDPOINTS[step][1]], (row, seen)
    if step == "lookup":
        assert seen["confirm-upload"] == 1, f"confirmed again: {seen}"


def check_recovered(server, row, step, cell):
    assert row["state"] == "confirmed", row
    seen = seen_of(server, row["destination"])
    assert cell.once == seen[ENDPOINTS[step][1]], (row, seen)
    if step == "lookup":
        assert seen["confirm-upload"] == 1, f"confirmed again: {seen}"
    for endpoint, wanted in cell.more.items():
        number = len(requests(server, endpoint)) if endpoint == "auth" else seen.get(endpoint, 0)
        assert wanted == number, (endpoint, row, seen)


def run_cell(folder, step, code):
    cell = CELLS[step, code]
    rules, once, always = rules_of(step, cell)
    others = {f"other{n:02}": pattern(50, n) for n in range(cell.drip or 1)}
    args = (*(QUICK if code == "TIMEOUT" else ()), "--transfers", 6 if step == "put" else 2)
    with sim(folder, "--rate", "0") as server:
        server.faults(rules)
        tree = make_tree(folder / "tree", {**{name: pattern(60, n) for n, name
                                              in enumerate(once + always)}, **others})
        load = Pxload(folder, server)
        done = load.upload(*ARGS, *args, tree, expect=1 if always else 0)
        rows = report(load, tree)
        for name in once:
            check_recovered(server, rows[name], step, cell)
        for name in always:
            check_failed(server, rows[name], step, code, cell)
        assert books(done)[1::2] == (len(once) + len(others), len(always)), summary(done)
        stored = {name: pattern(60, n) for n, name in enumerate(once + always)
                  if name in once or step == "lookup"}
        holds(server, {**stored, **others})


def make_test(step, code):
    def test(folder):
        run_cell(folder, step, code)
    test.__name__ = f"test_{step}_{code.lower()}"
    return drives((step, code))(test)


for _step, _code in CELLS:
    _made = make_test(_step, _code)
    globals()[_made.__name__] = _made


# ---- cells that stop the run ---------------------------------------------------------------------


def stopped(done, code, exit_code=4):
    """The run ended as a whole, with this class, and blamed no file."""
    total = summary(done)
    assert done.returncode == exit_code, (done.returncode, done.err[-2000:])
    assert total["error_class"] == code and not total["failed"], total
    assert total["balanced"] and total["queued"], total
    return total



@drives(("request", "TLS"))
def test_certificate_that_is_refused_at_the_first_call_stops(folder):
    mine, other = peers.make_ca(folder), peers.make_ca(folder, "other")
    with peers.tls_sim(folder, peers.make_cert(folder, mine)) as server:
        load = Pxload(folder, server, PXM_TOKEN="no-matter", PXM_CLIENT_SECRET="")
        tree = make_tree(folder / "tree", {"a": b"1", "b": b"2"})
        stopped(load.upload(*ARGS, "--ca-cert", other[0], tree, expect=None), "tls")
        assert not requests(server)


@drives(("request", "CONFIG"))
def test_ca_file_that_is_none_stops_at_the_first_call(folder):
    with peers.tls_sim(folder, peers.make_cert(folder, peers.make_ca(folder))) as server:
        (folder / "garbage.pem").write_text("this is no certificate\n")
        load = Pxload(folder, server, PXM_TOKEN="no-matter", PXM_CLIENT_SECRET="")
        tree = make_tree(folder / "tree", {"a": b"1", "b": b"2"})
        done = load.upload(*ARGS, "--ca-cert", folder / "garbage.pem", tree, expect=(2, 4))
        assert "garbage.pem" in done.err, done.err
        assert not requests(server)


@drives(("put", "TLS"))
def test_certificate_of_s3_for_another_host_stops(folder):
    ca = peers.make_ca(folder)
    with peers.tls_sim(folder, peers.make_cert(folder, ca)) as server:
        port = server.s3.rpartition(":")[2]
        server.faults([{"endpoint": "request", "url_host": f"localhost:{port}"}])
        load = Pxload(folder, server)
        files = {"a": b"1", "b": b"2"}
        tree = make_tree(folder / "tree", files)
        stopped(load.upload(*ARGS, "--ca-cert", ca[0], tree, expect=None), "tls")
        server.clear_faults()
        load.upload(*ARGS, "--ca-cert", ca[0], tree)
        holds(server, files)


@drives(("put", "CONFIG"))
def test_ca_file_that_is_none_stops_at_the_first_put(folder):
    with sim(folder) as server:
        (folder / "garbage.pem").write_text("this is no certificate\n")
        server.faults([{"endpoint": "request", "url_scheme": "https"}])
        load = Pxload(folder, server)
        files = {"a": b"1", "b": b"2"}
        tree = make_tree(folder / "tree", files)
        done = load.upload(*ARGS, "--ca-cert", folder / "garbage.pem", tree, expect=None)
        stopped(done, "config")
        server.clear_faults()
        load.upload(*ARGS, tree)
        holds(server, files)


def certificate_changes(folder, rules, until):
    """The API's certificate changes at a moment; the run stops, a later one ends."""
    mine, other = peers.make_ca(folder), peers.make_ca(folder, "other")
    (folder / "imposter").mkdir()
    with peers.tls_sim(folder, peers.make_cert(folder, mine)) as server, \
            peers.tls_sim(folder / "imposter",
                          peers.make_cert(folder, other, "imposter")) as imposter, \
            peers.relay(server.api) as relay:
        server.faults(rules)
        load = Pxload(folder, server)
        load.env["PXLOAD_BASE_URL"] = relay.url
        files = {"a": pattern(80)}
        tree = make_tree(folder / "tree", files)
        args = ("upload", "--json", *ARGS, "--ca-cert", mine[0], tree)
        process = load.start(*args)
        reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"], until)
        relay.turn_to(imposter.api)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 4, (process.returncode, out, err)
        assert b"tls" in out and b"--ca-cert" in err, (out, err)
        assert not requests(imposter)
        relay.turn_to(server.api)
        server.clear_faults()
        load.run(*args)
        held = holds(server, files)
        assert report(load, tree)["a"]["file_id"] == held["a"]["id"]
        # A confirm that was cut off comes into the count when its delay is over.
        wait_for(lambda: seen_of(server, "a")["confirm-upload"], "the confirm in the count")
        return seen_of(server, "a")


@drives(("confirm", "TLS"))
def test_certificate_that_changes_before_the_confirm_stops(folder):
    seen = certificate_changes(folder, [{"endpoint": "put", "delay": 700}], "the PUT")
    assert seen["confirm-upload"] == 1, seen


@drives(("lookup", "TLS"))
def test_certificate_that_changes_before_the_lookup_stops(folder):
    rules = [{"endpoint": "confirm", "after": True, "status": 500, "delay": 500}]
    seen = certificate_changes(folder, rules, "the confirm")
    assert seen["confirm-upload"] == 1, seen


def test_forbidden_first_call_stops(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "status": 403}])
        load = Pxload(folder, server)
        done = load.upload(*ARGS, make_tree(folder / "tree", {"a": b"1"}), expect=None)
        stopped(done, "permission")


def test_unknown_call_stops_after_a_few_files(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "status": 404}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {f"{n:02}": b"1" for n in range(30)})
        done = load.upload(*ARGS, "--api-concurrency", "1", tree, expect=4)
        total = summary(done)
        assert total["error_class"] == "not_found" and "--wire" in done.out + done.err, total
        assert total["failed"] <= 3 and len(requests(server, "request-upload")) == 3, total


def test_second_401_of_one_file_is_final_for_it_alone_where_others_do(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "name": "bad", "times": 1, "status": 401},
                       {"endpoint": "request", "name": "bad", "status": 401, "delay": 2500},
                       {"endpoint": "put", "name": "good", "delay": 700}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"bad": b"1", "good": b"2"})
        load.upload("--timeout", "10s", tree, expect=1)
        row = report(load, tree)["bad"]
        assert (row["error_class"], row["http_status"]) == ("auth", 401), row
        holds(server, {"good": b"2"})
        assert len(requests(server, "auth")) == 2


def test_endless_429_ends_as_a_temporary_condition(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "status": 429, "retry_after": "0"}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1"})
        done = load.upload(*ARGS, tree, expect=5)
        stopped(done, "rate_limited", 5)
        server.clear_faults()
        load.upload(*ARGS, tree)
        holds(server, {"a": b"1"})


def test_outage_of_every_step_blames_no_file(folder):
    for step, fault in (("request", {"status": 503}), ("request", RESET),
                        ("put", s3(500, "InternalError"))):
        inner = folder / f"{step}-{len(list(folder.iterdir()))}"
        inner.mkdir()
        with sim(inner, "--rate", "0") as server:
            server.faults([{"endpoint": step, **fault}])
            load = Pxload(inner, server)
            files = {f"{n:02}": pattern(9, n) for n in range(40)}
            tree = make_tree(inner / "tree", files)
            done = load.upload(*ARGS, *QUICK, "--retries", "2", tree, expect=5)
            total = summary(done)
            assert total["queued"] + total["failed"] == len(files), total
            # Two files of a broken server may be blamed before it is seen to be broken.
            assert total["failed"] <= 2, total
            server.clear_faults()
            load.run("retry", "--json", *ARGS, load.journal())
            holds(server, files)


# ---- cells of the source's side ------------------------------------------------------------------


@drives(("prepare", "IO"))
def test_source_that_cannot_be_read_is_tried_again_then_named(folder):
    # The loopback device has no speed: sysfs answers every read with an error.
    broken = pathlib.Path("/sys/devices/virtual/net/lo/speed")
    if not broken.exists():  # a container without sysfs has no such file to offer
        return
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"good": b"1"})
        done = load.upload(*ARGS, tree, broken, expect=1)
        row, = [row for row in report(load, tree).values() if row["state"] == "failed"]
        assert row["error_class"] == "local_io" and row["attempt"] == TRIES, row
        assert books(done) == (2, 1, 0, 1, 0)
        holds(server, {"good": b"1"})


def odd_disk(folder, skip, why, ends, tries):
    """Reads of a file fail once, then for ever: it is sent after the one, named after the other."""
    for count in (1, 1000):
        inner = fresh(folder, str(count))
        with sim(inner) as server:
            load = Pxload(inner, server)
            files = {"odd": pattern(200 * KIB), "good": pattern(200 * KIB, 1)}
            tree = make_tree(inner / "tree", files)
            odd_reads(load, "odd", skip, count, why)
            load.upload(*ARGS, tree, expect=0 if count == 1 else (1, 3))
            row = report(load, tree)["odd"]
            if count > 1:
                del files["odd"]
                assert (row["state"], row["error_class"]) == ("failed", ends), row
                assert row["attempt"] == tries and row["advice"], row
            holds(server, files)


@drives(("prepare", "SOURCE_CHANGED"))
def test_source_that_ends_too_soon_is_looked_at_anew(folder):
    odd_disk(folder, 0, 0, "source_changed", 0)


@drives(("put", "IO"))
def test_disk_that_fails_in_the_middle_is_read_again(folder):
    odd_disk(folder, 1, errno.EIO, "local_io", TRIES)


@drives(("put", "SOURCE_CHANGED"))
def test_source_that_changes_during_its_put_is_sent_anew(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "name": "busy", "times": 1, "stall": 700}])
        load = Pxload(folder, server)
        files = {"busy": pattern(200 * KIB), "calm": pattern(200 * KIB, 1)}
        tree = make_tree(folder / "tree", files)
        process = load.start("upload", "--json", *ARGS, tree)
        reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"], "the PUT")
        files["busy"] = pattern(150 * KIB, 2)
        (tree / "busy").write_bytes(files["busy"])
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        holds(server, files)
        assert seen_of(server, "busy")["request-upload"] == 2


def test_source_that_never_rests_is_named(folder):
    with sim(folder, "--s3-latency", "150") as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"busy": pattern(200 * KIB), "calm": b"1"})
        process = load.start("upload", "--json", *ARGS, tree)

        def write_until_it_ends():
            with open(tree / "busy", "ab") as busy:
                busy.write(b"more")
            return process.poll() is not None
        wait_for(write_until_it_ends, "the end of the run")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 3, (process.returncode, out, err)
        assert report(load, tree)["busy"]["error_class"] == "source_changed"
        holds(server, {"calm": b"1"})


def test_journal_without_the_parts_of_a_stored_file_names_it(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "stall": True}])
        load = Pxload(folder, server)
        path = folder / "job.journal"
        tree = make_tree(folder / "tree", {"a": b"1", "b": b"2"})
        args = ("upload", "--json", "--journal", path, *ARGS, tree)
        process = load.start(*args)
        reach(process, lambda: in_state(path, STORED) == 2, "two stored files")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.clear_faults()
        with sqlite3.connect(path) as journal:
            journal.execute("DELETE FROM part WHERE asset_id = 1")
        journal.close()
        done = load.run(*args, expect=(1, 7))
        rows = report(load, tree, path)
        failed = [row for row in rows.values() if row["state"] == "failed"]
        assert [row["error_class"] for row in failed] == ["journal"], (rows, done.err)


# ---- the look-ups that only name a file ----------------------------------------------------------


def test_id_that_cannot_be_looked_up_leaves_the_file_confirmed(folder):
    with sim(folder, "--quirk", "confirm_reply=none") as server:
        server.faults([{"endpoint": "search", "status": 403}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1"})
        done = load.upload(*ARGS, tree)
        assert books(done)[1] == 1
        assert seen_of(server, "a") == {"request-upload": 1, "put": 1, "confirm-upload": 1,
                                        "file-search": 1}


def test_canary_that_cannot_be_read_back_proves_nothing(folder):
    with sim(folder) as server:
        for name in ("a", "b"):
            server.call("POST", "/_sim/preload", {"name": name, "size": 9})
        server.faults([{"endpoint": "search", "name": "a", "status": 403}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"new a", "b": b"new b"})
        load.upload(*ARGS, "--on-conflict", "overwrite", "--api-concurrency", "1", tree)
        holds(server, {"a": b"new a", "b": b"new b"})
        assert seen_of(server, "b")["file-search"] >= 1, "b was not made a canary"


# ---- coverage ------------------------------------------------------------------------------------


def remedy_table():
    """{(step, class): remedy} as the source has it."""
    source = pathlib.Path(__file__).resolve().parents[2] / "src/pipeline/remedy.c"
    rows = re.findall(r"^\s*ROW\((\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+)\)",
                      source.read_text(), re.M)
    steps = ("prepare", "request", "put", "confirm", "lookup")
    return {(step, row[0]): remedy for row in rows for step, remedy in zip(steps, row[1:])}


def coverage():
    """({cell: tests}, {cell: reason}, [cells that are neither]) of all cells but FAIL."""
    driven, excused, left = {}, {}, []
    for cell, remedy in remedy_table().items():
        reason = EXCUSED.get(cell, EXCUSED.get(("*", cell[1])))
        if remedy == "FAIL":
            continue
        if cell in DRIVEN:
            driven[cell] = DRIVEN[cell]
        elif reason:
            excused[cell] = reason
        else:
            left.append(cell)
    return driven, excused, left


def test_every_cell_of_the_table_is_driven_or_excused(folder):
    table = remedy_table()
    assert len(table) > 100, f"the table was not understood: {len(table)} cells"
    driven, excused, left = coverage()
    assert not left, f"neither driven nor excused: {left}"
    unknown = [cell for cell in [*DRIVEN, *EXCUSED] if cell[0] != "*" and cell not in table]
    assert not unknown, f"no cells of the table: {unknown}"
    twice = [cell for cell in EXCUSED if cell in DRIVEN]
    assert not twice, f"driven and excused: {twice}"
    names = {name for tests in DRIVEN.values() for name in tests}
    assert all(callable(globals().get(name)) for name in names), names
    for cell, tests in sorted(driven.items()):
        print(f"{'/'.join(cell):28} {table[cell]:12} {', '.join(tests)}")
    for cell, reason in sorted(excused.items()):
        print(f"{'/'.join(cell):28} {table[cell]:12} not driven: {reason}")
    print(f"{len(driven)} cells driven, {len(excused)} excused; and "
          f"{len([cell for cell in DRIVEN if table[cell] == 'FAIL'])} FAIL cells driven")


if __name__ == "__main__":
    test_every_cell_of_the_table_is_driven_or_excused(None)
