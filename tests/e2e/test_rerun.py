"""The same command again, and again."""
import os

from pxm import (Pxload, api_requests, books, counts, holds, make_tree, md5, pattern, preload,
                 report, requests, sim, summary)


def tree_of(folder, count=6):
    files = {f"d{i % 2}/f{i}.bin": pattern(50 + i, i) for i in range(count)}
    return files, make_tree(folder / "tree", files)


def names(files):
    return {os.path.basename(path): data for path, data in files.items()}


def test_second_run_sends_nothing_and_asks_nothing(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(tree)
        before = len(requests(server))
        for _ in range(2):
            done = load.upload(tree)
            assert books(done) == (6, 6, 0, 0, 0)
            assert summary(done)["requests"] == 0
        assert len(requests(server)) == before
        holds(server, names(files))


def test_options_that_contradict_the_job_are_said(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(tree)
        before = len(requests(server))
        done = load.upload("--region", "EU", tree)
        assert "--region" in done.err and "EU" in done.err, done.err
        assert len(requests(server)) == before
        holds(server, names(files))


def test_second_run_needs_no_server_and_no_credentials(folder):
    load = None
    with sim(folder) as server:
        load = Pxload(folder, server)
        _, tree = tree_of(folder)
        load.upload(tree)
    done = load.upload(tree)
    assert books(done) == (6, 6, 0, 0, 0)


def test_touched_and_same_asks_nothing(folder):
    """A new time with the old bytes (a tree that was copied anew) is read again, not sent again."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload("--on-conflict", "fail", tree)
        ids = {path: row["file_id"] for path, row in report(load, tree).items()}
        before = len(requests(server))
        for path in files:
            os.utime(tree / path, (1, 1))
        done = load.upload("--on-conflict", "fail", tree)
        assert books(done) == (6, 6, 0, 0, 0)
        assert len(requests(server)) == before
        assert {path: row["file_id"] for path, row in report(load, tree).items()} == ids


def test_changed_twice_is_replaced_twice_and_a_strangers_file_stays(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        preload(server, {"f2.bin": 4})
        load.upload(tree)
        for new in (b"second", b"the third, of another length", b"fourth"):
            (tree / "d0/f0.bin").write_bytes(new)
            (tree / "d0/f2.bin").write_bytes(new)
            done = load.upload(tree)
            assert done.returncode == 0 and books(done) == (6, 5, 1, 0, 0), done.stdout
        held = server.files()
        assert held["f0.bin"]["versions"] == 4 and held["f0.bin"]["md5"] == md5(b"fourth")
        assert held["f2.bin"]["versions"] == 1 and held["f2.bin"]["size"] == 4


def test_changed_file_is_handled_by_the_policy(folder):
    new = b"changed, and longer than it was before, by far"
    for policy, code in (("skip", 0), ("overwrite", 0), ("version", 0), ("fail", 6)):
        inner = folder / policy
        inner.mkdir()
        with sim(inner) as server:
            load = Pxload(inner, server)
            files, tree = tree_of(inner)
            load.upload("--on-conflict", policy, tree)
            path = "d1/f1.bin"
            (tree / path).write_bytes(new)
            before = api_requests(server)
            done = load.upload("--on-conflict", policy, tree, expect=code)
            held = server.files()
            if policy != "fail":
                # The file that is there is this job's own: skip is about those of others.
                holds(server, names({**files, path: new}))
                assert held["f1.bin"]["versions"] == (1 if policy == "overwrite" else 2)
                assert api_requests(server) - before == 3  # request, confirm, canary
            else:
                holds(server, names(files))
                assert api_requests(server) - before == 1
            assert books(done)[0] == 6, policy
            rows = report(load, tree)
            wanted = "failed" if policy == "fail" else "confirmed"
            assert rows[path]["state"] == wanted, rows[path]


def test_new_files_are_picked_up_alone(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(tree)
        before = api_requests(server)
        more = {"new/n1": b"1", "d0/n2": b"2"}
        make_tree(tree, more)
        done = load.upload(tree)
        assert books(done) == (8, 8, 0, 0, 0)
        assert api_requests(server) - before == 4
        holds(server, names({**files, **more}))


def test_removed_files_leave_the_books_but_not_pxm(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        load.upload(tree)
        os.remove(tree / "d0/f0.bin")
        before = len(requests(server))
        done = load.upload(tree)
        assert books(done)[0] == 5 and summary(done)["gone"] == 1
        assert len(requests(server)) == before
        holds(server, names(files))


def test_temporary_failures_are_queued_again_and_permanent_ones_stay(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        server.faults([
            {"endpoint": "request", "name": "f0.bin", "status": 503},
            {"endpoint": "put", "name": "f1.bin", "status": 503, "body": "s3xml",
             "code": "InternalError"},
            {"endpoint": "request", "name": "f2.bin", "status": 400, "code": "Invalid",
             "message": "not this one"}])
        done = load.upload("--retries", "1", tree, expect=1)
        assert books(done) == (6, 3, 0, 3, 0)
        rows = report(load, tree)
        assert "not this one" in rows["d0/f2.bin"]["error"], rows["d0/f2.bin"]
        server.clear_faults()
        before = len(requests(server))
        done = load.upload(tree, expect=1)
        assert books(done) == (6, 5, 0, 1, 0)
        asked = {row["name"] for row in requests(server)[before:] if row["name"]}
        assert asked == {"f0.bin", "f1.bin"}, asked
        done = load.upload(tree, expect=1)
        assert summary(done)["requests"] == 0
        done = load.run("retry", "--json", "--only", "server", load.journal(), expect=1)
        assert summary(done)["requests"] == 0
        done = load.run("retry", "--json", "--only", "bad_request", load.journal())
        assert books(done) == (6, 6, 0, 0, 0)
        holds(server, names(files))


def test_a_permanent_failure_goes_again_when_its_file_changes(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        server.faults([{"endpoint": "request", "name": "f0.bin", "status": 400}])
        load.upload(tree, expect=1)
        server.clear_faults()
        files["d0/f0.bin"] = b"another file now"
        make_tree(tree, files)
        make_tree(tree, {"d0/f0.bin": files["d0/f0.bin"]})
        done = load.upload("--on-conflict", "overwrite", tree, expect=0)
        assert books(done)[1] == 6
        assert server.files()["f0.bin"]["size"] == 16


def test_run_that_was_stopped_goes_on_by_itself(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files = {f"f{i:02}": pattern(1000, i) for i in range(30)}
        tree = make_tree(folder / "tree", files)
        done = load.upload("--max-transfer", "5000", "--transfers", "1", tree, expect=8)
        total = summary(done)
        assert total["balanced"] and total["queued"] > 0 and total["end"] == "max_transfer"
        assert 0 < len(server.files()) < 30
        done = load.upload(tree)
        assert books(done) == (30, 30, 0, 0, 0)
        holds(server, files)
        assert counts(server)["put"] <= 31


def test_stopped_by_errors_ends_with_8(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "probability": 1, "status": 400}])
        load = Pxload(folder, server)
        files, tree = tree_of(folder, 40)
        done = load.upload("--max-errors", "3", "--api-concurrency", "1", tree, expect=8)
        total = summary(done)
        assert total["balanced"] and total["failed"] >= 3 and total["queued"] > 0, total
        server.clear_faults()
        load.run("retry", "--json", load.journal())
        holds(server, names(files))


def test_skipped_files_are_not_asked_about_again(folder):
    with sim(folder) as server:
        files, tree = tree_of(folder)
        preload(server, {"f0.bin": 1, "f1.bin": 2})
        load = Pxload(folder, server)
        done = load.upload(tree)
        assert books(done) == (6, 4, 2, 0, 0)
        before = len(requests(server))
        done = load.upload(tree)
        assert books(done) == (6, 4, 2, 0, 0)
        assert len(requests(server)) == before
        assert set(names(files)) == set(server.files())


def test_a_file_that_a_filter_leaves_out_keeps_its_name(folder):
    """Whatever the policy: the bytes of another file would take the place of its own in PXM."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"A/x.jpg": b"AAAA"})
        load.upload(tree)
        make_tree(tree, {"B/x.jpg": b"BBBBBBBB"})
        for filters in ((), ("--exclude", "A/**"), ("--exclude", "A/**"), ()):
            done = load.upload("--on-conflict", "overwrite", *filters, tree, expect=1)
            assert books(done)[3] == 1, done.out
            assert "/tree/A/x.jpg" in report(load, tree)["B/x.jpg"]["error"]
            holds(server, {"x.jpg": b"AAAA"})
        # Once it is gone, its name goes to the other.
        os.unlink(tree / "A/x.jpg")
        assert books(load.upload("--on-conflict", "overwrite", tree)) == (1, 1, 0, 0, 0)
        holds(server, {"x.jpg": b"BBBBBBBB"})


def test_a_plan_knows_what_was_sent_before_and_changes_nothing(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = tree_of(folder)
        args = ("--map-folders", "tree", tree)
        first = summary(load.run("plan", "--json", *args))
        load.upload(*args)
        assert api_requests(server) == first["requests"]
        make_tree(tree, {"d0/new.bin": b"new", "d9/other.bin": b"n"})
        (tree / "d0/f0.bin").write_bytes(b"another file now")
        before = load.journal().read_bytes()
        plan = summary(load.run("plan", "--json", *args))
        assert (plan["totalTransfers"], plan["confirmed"], plan["queued"]) == (3, 5, 3), plan
        assert (plan["collections"], plan["categories"], plan["requests_links"]) == (1, 0, 3)
        assert load.journal().read_bytes() == before and api_requests(server) == first["requests"]
        assert "Done before: 5 confirmed" in load.run("upload", "-n", *args).out
        assert books(load.upload(*args)) == (8, 8, 0, 0, 0)
        assert summary(load.run("plan", "--json", *args))["requests"] == 0


def test_dry_run_and_plan_ask_nothing_and_leave_no_job(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        _, tree = tree_of(folder)
        for args in (("plan",), ("upload", "-n"), ("plan", "--json")):
            load.run(*args, tree)
        assert not requests(server)
        done = load.upload(tree)
        assert books(done) == (6, 6, 0, 0, 0)
