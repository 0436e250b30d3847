"""Replies that break the protocol or refuse: one file's trouble, and what is done about it."""
from pxm import (Pxload, books, counts, holds, make_tree, pattern, report, requests, sim, summary)

MIB = 1 << 20
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")

BENT = {
    "overlap": {"bad_parts": "overlap"}, "gap": {"bad_parts": "gap"},
    "exceed": {"bad_parts": "exceed"}, "zero": {"bad_parts": "zero"},
    "10001": {"bad_parts": "10001"}, "descending": {"bad_parts": "descending"},
    "ftp": {"url_scheme": "ftp"}, "other-host": {"url_host": "s3.example"},
    "userinfo": {"url_userinfo": "user:pass"}, "no-url": {"url": "nonsense"},
    "file-url": {"url": "file:///etc/passwd"}, "type": {"upload_type": "carrier-pigeon"},
    "deep": {"deep_json": True}, "huge": {"oversize": 9}, "empty": {"no_instructions": True},
    "html": {"status": 200, "body": "html"},
}


def test_replies_that_break_the_protocol_fail_their_file_alone(folder):
    with sim(folder, *PARTS) as server:
        server.faults([{"endpoint": "request", "name": name, **fault}
                       for name, fault in BENT.items()])
        files = {name: pattern(11 * MIB if "bad_parts" in fault else 99, n)
                 for n, (name, fault) in enumerate(BENT.items())}
        tree = make_tree(folder / "tree", {**files, "good": b"good"})
        load = Pxload(folder, server)
        done = load.upload("--retries", "2", tree, expect=1)
        rows = report(load, tree)
        classes = {name: rows[name].get("error_class") for name in BENT}
        assert set(classes.values()) == {"bad_reply"}, classes
        assert all(rows[name]["error"] for name in BENT), "what was wrong is not named"
        assert books(done) == (len(BENT) + 1, 1, 0, len(BENT), 0)
        holds(server, {"good": b"good"})
        assert counts(server)["put"] == 1 and "part" not in counts(server), counts(server)


def test_keys_that_come_twice_or_numbers_as_text_do_no_harm(folder):
    for kind in ({"duplicate_keys": "first"}, {"duplicate_keys": "last"},
                 {"numbers_as_strings": True}):
        inner = folder / "-".join(map(str, *kind.items()))
        inner.mkdir()
        with sim(inner, *PARTS) as server:
            server.faults([{"endpoint": "request", "every": 1, **kind}])
            files = {"big": pattern(11 * MIB), "small": b"1"}
            load = Pxload(inner, server)
            done = load.upload("--retries", "2", make_tree(inner / "tree", files), expect=(0, 1))
            if done.returncode == 0:
                holds(server, files)
            else:
                assert not [name for name in server.files() if name not in files]
            assert books(done)[0] == 2


def test_refusals_are_final_with_the_servers_words(folder):
    refusals = {
        "r400": ({"status": 400, "code": "BadName", "message": "not a good name"}, "bad_request"),
        # Late: as the very first answer it would stop the run.
        "r403": ({"status": 403, "code": "Forbidden", "message": "not your brand", "delay": 300},
                 "permission"),
        "r404": ({"status": 404, "code": "Missing", "message": "no such thing"}, "not_found"),
        "r413": ({"status": 413, "body": "html"}, "bad_request"),
    }
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(make_tree(folder / "before", {"before": b"0"}))
        server.faults([{"endpoint": "request", "name": name, **fault}
                       for name, (fault, _) in refusals.items()])
        tree = make_tree(folder / "tree", {**{name: b"x" for name in refusals}, "a": b"good"})
        job = folder / "job"
        done = load.upload("--journal", job, tree, expect=1)
        rows = report(load, tree, job)
        for name, (fault, wanted) in refusals.items():
            assert rows[name]["error_class"] == wanted, rows[name]
            assert rows[name]["http_status"] == fault["status"], rows[name]
            assert rows[name]["request_id"], rows[name]
            for word in ("code", "message"):
                assert fault.get(word, "") in rows[name]["error"], rows[name]
        asked = [row["name"] for row in requests(server, "request-upload")]
        assert len(asked) == len(set(asked)), "a refusal was asked again"
        assert summary(done)["failed"] == 4


def test_missing_permission_at_the_first_call_stops_the_run(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "every": 1, "status": 403, "code": "Forbidden",
                        "message": "no uploads for you"}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {f"{n}": b"x" for n in range(60)})
        done = load.upload(tree, expect=4)
        total = summary(done)
        assert total["error_class"] == "permission" and total["queued"] > 40, total
        assert "no uploads for you" in done.err
        server.clear_faults()
        load.upload(tree, expect=(0, 1))
        assert len(server.files()) >= 50


def test_second_401_is_final(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "every": 1, "status": 401}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {f"{n}": b"x" for n in range(10)})
        done = load.upload(tree, expect=4)
        assert summary(done)["error_class"] == "auth"
        assert counts(server)["auth"] == 2, counts(server)
        assert counts(server)["request-upload"] <= 20, counts(server)


def test_passing_trouble_of_the_api_is_tried_again(folder):
    with sim(folder) as server:
        rules = [{"endpoint": "request", "nth": n + 1, "status": status}
                 for n, status in enumerate((500, 502, 503, 504))]
        rules += [{"endpoint": "request", "nth": 6, "reset_before": True},
                  {"endpoint": "request", "nth": 8, "reset_after": True},
                  {"endpoint": "request", "nth": 9, "truncate": 20},
                  {"endpoint": "request", "nth": 10, "plain_close": True, "reset_before": True},
                  {"endpoint": "auth", "nth": 1, "status": 503}]
        server.faults(rules)
        load = Pxload(folder, server)
        files = {f"f{n}": pattern(20, n) for n in range(12)}
        tree = make_tree(folder / "tree", files)
        done = load.upload(tree)
        holds(server, files)
        assert summary(done)["retries"] >= 8, summary(done)


def s3(code, status=400):
    return {"status": status, "body": "s3xml", "code": code, "message": code}


def test_passing_trouble_of_s3_is_tried_again(folder):
    trouble = [s3("RequestTimeout"), s3("BadDigest"), s3("IncompleteBody"), s3("SlowDown", 503),
               s3("InternalError", 500), s3("OperationAborted", 409),
               s3("ServiceUnavailable", 503), s3("InternalError", 200), {"reset_during": True},
               {"reset_after": True}, {"reset_before": True}, {"stall": 300}]
    with sim(folder) as server:
        files = {f"f{n:02}": pattern(20, n) for n in range(len(trouble) + 3)}
        server.faults([{"endpoint": "put", "name": f"f{n:02}", "times": 1, **fault}
                       for n, fault in enumerate(trouble)])
        load = Pxload(folder, server)
        done = load.upload(make_tree(folder / "tree", files))
        holds(server, files)
        # Broken connections may be mended by libcurl alone; refusals are answered and sent again.
        puts = [row["name"] for row in requests(server, "put")]
        for n, fault in enumerate(trouble):
            if "code" in fault:
                assert puts.count(f"f{n:02}") == 2, (fault, puts)
        assert books(done)[1] == len(files)


def test_short_outage_of_s3_is_ridden_out(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files = {f"f{n}": pattern(20, n) for n in range(12)}
        tree = make_tree(folder / "tree", files)
        server.call("POST", "/_sim/listen?off=800&side=s3")
        load.upload(tree)
        holds(server, files)
        assert counts(server)["request-upload"] == 12, counts(server)


def test_outage_of_s3_alone_blames_no_file(folder):
    """That the API answers says nothing about S3."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        files = {f"f{n:02}": pattern(20, n) for n in range(40)}
        tree = make_tree(folder / "tree", files)
        server.call("POST", "/_sim/listen?off=2500&side=s3")
        done = load.upload("--retries", "2", tree)
        assert books(done) == (40, 40, 0, 0, 0)
        holds(server, files)


def test_outage_of_all_ends_with_5_and_goes_on_later(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files = {f"f{n}": pattern(20, n) for n in range(12)}
        tree = make_tree(folder / "tree", files)
        server.faults([{"endpoint": "any", "every": 1, "status": 503}])
        done = load.upload("--timeout", "1s", "--retries", "2", tree, expect=5)
        total = summary(done)
        assert total["balanced"] and total["failed"] == 0 and total["queued"] == 12, total
        server.clear_faults()
        load.upload(tree)
        holds(server, files)


def test_429_of_every_call_is_obeyed(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "auth", "nth": 1, "status": 429, "retry_after": "1"},
                       {"endpoint": "request", "nth": 2, "status": 429,
                        "retry_after": "date:2"},
                       {"endpoint": "confirm", "nth": 3, "status": 429, "retry_after": "1"}])
        load = Pxload(folder, server)
        files = {f"f{n}": pattern(20, n) for n in range(12)}
        tree = make_tree(folder / "tree", files)
        load.upload(tree)
        holds(server, files)
        assert all(row["attempt"] == 0 for row in report(load, tree).values())


def test_expired_url_gets_a_new_session(folder):
    with sim(folder, *PARTS) as server:
        server.faults([{"endpoint": "request", "name": "small", "times": 1, "expire_url": True},
                       {"endpoint": "request", "name": "big", "times": 1, "expire_url": True}])
        load = Pxload(folder, server)
        files = {"small": b"small", "big": pattern(11 * MIB), "other": b"other"}
        load.upload(make_tree(folder / "tree", files))
        holds(server, files)
        assert counts(server)["request-upload"] == 5, counts(server)


def test_lost_multipart_upload_gets_a_new_session(folder):
    with sim(folder, *PARTS) as server:
        server.faults([{"endpoint": "part", "nth": 2, "status": 404, "body": "s3xml",
                        "code": "NoSuchUpload", "message": "gone"}])
        load = Pxload(folder, server)
        files = {"big": pattern(11 * MIB)}
        load.upload(make_tree(folder / "tree", files))
        holds(server, files)
        assert counts(server)["request-upload"] == 2, counts(server)


def test_refusal_of_s3_fails_its_file_with_the_code(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "name": "bad", "status": 403, "body": "s3xml",
                        "code": "SignatureDoesNotMatch", "message": "the signature differs"}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"bad": b"1", "good": b"2"})
        load.upload(tree, expect=1)
        row = report(load, tree)["bad"]
        assert row["error_class"] == "s3_refused" and "SignatureDoesNotMatch" in row["error"], row
        holds(server, {"good": b"2"})
        assert counts(server)["put"] == 2, counts(server)


def test_redirects_are_not_followed(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "name": "moved", "redirect": "http://127.0.0.1:9/"},
                       {"endpoint": "request", "name": "led", "redirect": "http://127.0.0.1:9/"}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"moved": b"1", "led": b"2", "good": b"3"})
        load.upload("--retries", "2", tree, expect=1)
        holds(server, {"good": b"3"})


def test_lost_confirm_replies_make_no_duplicate(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "nth": 1, "reset_after": True},
                       {"endpoint": "confirm", "nth": 2, "reset_before": True},
                       {"endpoint": "confirm", "nth": 3, "status": 502, "after": True},
                       {"endpoint": "confirm", "nth": 4, "truncate": 10}])
        load = Pxload(folder, server)
        files = {f"f{n}": pattern(30, n) for n in range(8)}
        tree = make_tree(folder / "tree", files)
        load.upload("--lookup-patience", "2s", tree)
        held = holds(server, files)
        assert counts(server)["file-search"] >= 3, counts(server)
        for name, row in report(load, tree).items():
            assert row["file_id"] == held[name]["id"], row


def test_lost_replies_of_overwrites_are_resolved(folder):
    with sim(folder) as server:
        files = {f"f{n}": pattern(30 + n, n) for n in range(5)}
        for name in files:
            server.call("POST", "/_sim/preload", {"name": name, "size": 7})
        server.faults([{"endpoint": "confirm", "nth": 1, "reset_after": True},
                       {"endpoint": "confirm", "nth": 3, "reset_after": True}])
        load = Pxload(folder, server)
        load.upload("--on-conflict", "version", "--lookup-patience", "2s",
                    make_tree(folder / "tree", files))
        held = holds(server, files)
        assert all(record["versions"] == 2 for record in held.values()), held
