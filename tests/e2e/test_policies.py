"""What happens to a file whose name PXM has already: skip, overwrite, version, fail."""
import itertools

from pxm import (Pxload, api_requests, books, counts, fresh, holds, make_tree, md5, pattern,
                 preload, report, sim, summary)

FIELDS = ("--quirk", "conflict_action_field=on_conflict", "--quirk",
          "conflict_id_field=existing_id")
TEMPLATE = '{"on_conflict":"%s","existing_id":"{conflict_file_id}"}'


def old_and_new(folder, count=4):
    """Files of which all but the last are in PXM; their folder."""
    files = {f"{i}.bin": pattern(100 + i, i) for i in range(count)}
    return files, make_tree(folder / "tree", files)


def with_conflicts(server, files):
    return preload(server, {name: 7 for name in list(files)[:-1]})


def configure(load, text):
    config = load.folder / "home/config/pxload/config"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[default]\n" + text)


def test_skip_sends_no_byte_and_no_confirm(folder):
    with sim(folder) as server:
        files, tree = old_and_new(folder)
        ids = with_conflicts(server, files)
        load = Pxload(folder, server)
        done = load.upload(tree)
        assert books(done) == (4, 1, 3, 0, 0)
        assert counts(server)["put"] == counts(server)["confirm-upload"] == 1
        rows = report(load, tree)
        for name, file_id in ids.items():
            assert (rows[name]["state"], rows[name]["file_id"]) == ("skipped", file_id)
            assert server.files()[name]["size"] == 7


def test_files_that_were_there_before_the_server_began_are_skipped(folder):
    listed = folder / "before.jsonl"
    listed.write_text('{"name":"0.bin","size":7}\n{"name":"1.bin","size":8}\n')
    with sim(folder, "--preload", listed) as server:
        _, tree = old_and_new(folder)
        done = Pxload(folder, server).upload(tree)
        assert books(done) == (4, 2, 2, 0, 0)


def test_skip_understands_every_form_of_conflict(folder):
    forms = itertools.product(("200", "409"), ("top", "inside"), (False, True), (False, True))
    for n, (status, place, bare, bodyless) in enumerate(forms):
        if bare and place == "inside":
            continue
        quirks = ["--quirk", "conflict_status=" + status, "--quirk", "conflict_place=" + place]
        quirks += ["--quirk", "bare"] if bare else []
        quirks += ["--quirk", "conflict_no_instructions"] if bodyless else []
        inner = fresh(folder, str(n))
        with sim(inner, *quirks) as server:
            files, tree = old_and_new(inner)
            ids = with_conflicts(server, files)
            load = Pxload(inner, server)
            done = load.upload(tree)
            assert books(done) == (4, 1, 3, 0, 0), quirks
            rows = report(load, tree)
            assert all(rows[name]["file_id"] == file_id for name, file_id in ids.items()), quirks


def test_overwrite_understands_every_form_of_conflict(folder):
    forms = itertools.product(("200", "409"), ("top", "inside"), (False, True))
    for n, (status, place, bare) in enumerate(forms):
        if bare and place == "inside":
            continue
        quirks = ["--quirk", "conflict_status=" + status, "--quirk", "conflict_place=" + place]
        inner = fresh(folder, str(n))
        with sim(inner, *quirks, *(["--quirk", "bare"] if bare else [])) as server:
            files, tree = old_and_new(inner)
            ids = with_conflicts(server, files)
            Pxload(inner, server).upload("--on-conflict", "overwrite", tree)
            held = holds(server, files)
            assert all(held[name]["id"] == file_id for name, file_id in ids.items()), quirks


def test_overwrite_reads_the_first_back_and_trusts_the_rest(folder):
    with sim(folder) as server:
        files, tree = old_and_new(folder, 8)
        ids = with_conflicts(server, files)
        load = Pxload(folder, server)
        done = load.upload("--on-conflict", "overwrite", tree)
        assert books(done) == (8, 8, 0, 0, 0)
        held = holds(server, files)
        assert all(held[name]["id"] == file_id for name, file_id in ids.items())
        assert all(record["versions"] == 1 for record in held.values())
        assert counts(server)["file-search"] == 1
        assert api_requests(server) == 2 * 8 + 1 + 1  # the token, the canary
        rows = report(load, tree)
        assert all(rows[name]["file_id"] == held[name]["id"] for name in files)


def test_version_keeps_the_old_bytes_as_a_version(folder):
    with sim(folder) as server:
        files, tree = old_and_new(folder)
        with_conflicts(server, files)
        Pxload(folder, server).upload("--on-conflict", "version", tree)
        held = holds(server, files)
        assert counts(server)["file-search"] == 1
        for name in list(files)[:-1]:
            assert held[name]["versions"] == 2 and held[name]["older"][0]["size"] == 7
        assert held[list(files)[-1]]["versions"] == 1


def test_fail_leaves_pxm_alone_and_ends_with_6(folder):
    with sim(folder) as server:
        files, tree = old_and_new(folder)
        ids = with_conflicts(server, files)
        load = Pxload(folder, server)
        done = load.upload("--on-conflict", "fail", tree, expect=6)
        assert books(done) == (4, 1, 0, 3, 0)
        assert summary(done)["failed_by_class"] == {"conflict": 3}
        rows = report(load, tree)
        for name, file_id in ids.items():
            assert rows[name]["error_class"] == "conflict" and file_id in rows[name]["error"]
            assert server.files()[name]["size"] == 7


def test_conflict_without_instructions_fails_that_file_with_advice(folder):
    for policy, status in (("overwrite", "200"), ("version", "409")):
        inner = fresh(folder, policy)
        with sim(inner, "--quirk", "conflict_no_instructions", "--quirk",
                 "conflict_status=" + status) as server:
            files, tree = old_and_new(inner)
            with_conflicts(server, files)
            load = Pxload(inner, server)
            done = load.upload("--on-conflict", policy, tree, expect=1)
            assert books(done) == (4, 1, 0, 3, 0)
            assert summary(done)["failed_by_class"] == {"conflict_unsendable": 3}
            assert "--on-conflict skip" in report(load, tree)["0.bin"]["advice"]
            assert counts(server)["confirm-upload"] == 1


def one_duplicate(folder, policy):
    """A tenant that ignores the conflict fields must be noticed at the first file."""
    with sim(folder, "--quirk", "ignore_conflict_fields") as server:
        files, tree = old_and_new(folder, 9)
        with_conflicts(server, files)
        load = Pxload(folder, server)
        done = load.upload("--on-conflict", policy, tree, expect=7)
        state = server.state()
        assert [row["count"] for row in state["duplicates"]] == [2], state["duplicates"]
        assert "conflict_" + policy in done.err, done.err
        total = summary(done)
        assert total["failed_by_class"] == {"canary": 1} and total["balanced"], total
        assert total["queued"] >= 7 and total["end"] == "canary", total
        old = [record for record in state["files"] if record["size"] == 7]
        assert len(old) == 8, "an old file was touched"


def test_overwrite_that_is_ignored_makes_one_duplicate_alone(folder):
    one_duplicate(folder, "overwrite")


def test_version_that_is_ignored_makes_one_duplicate_alone(folder):
    one_duplicate(folder, "version")


def test_wrong_template_stops_and_the_right_one_goes_on(folder):
    with sim(folder, *FIELDS, audit=False) as server:
        files, tree = old_and_new(folder, 6)
        with_conflicts(server, files)
        load = Pxload(folder, server)
        done = load.upload("--on-conflict", "overwrite", tree, expect=7)
        assert "conflict_overwrite" in done.err
        assert len(server.state()["duplicates"]) == 1
        configure(load, "conflict_overwrite = " + TEMPLATE % "overwrite" + "\n")
        done = load.upload("--on-conflict", "overwrite", tree, expect=1)
        total = summary(done)
        assert total["queued"] == 0 and total["failed_by_class"] == {"canary": 1}, total
        state = server.state()
        assert len(state["duplicates"]) == 1, state["duplicates"]
        twice = state["duplicates"][0]["name"]
        for record in state["files"]:
            if record["name"] != twice:
                assert record["md5"] == md5(files[record["name"]]), record


def test_templates_of_the_config_file_are_used(folder):
    for policy in ("overwrite", "version"):
        inner = fresh(folder, policy)
        with sim(inner, *FIELDS) as server:
            files, tree = old_and_new(inner)
            ids = with_conflicts(server, files)
            load = Pxload(inner, server)
            configure(load, f"conflict_{policy} = {TEMPLATE % policy}\non-conflict = {policy}\n")
            load.upload(tree)
            held = holds(server, files)
            for name, file_id in ids.items():
                assert held[name]["id"] == file_id
                assert held[name]["versions"] == (2 if policy == "version" else 1)


def test_canary_works_where_the_confirm_gives_no_id(folder):
    with sim(folder, "--quirk", "confirm_reply=none") as server:
        files, tree = old_and_new(folder)
        ids = with_conflicts(server, files)
        load = Pxload(folder, server)
        load.upload("--on-conflict", "overwrite", tree)
        held = holds(server, files)
        rows = report(load, tree)
        for name in files:
            assert rows[name]["file_id"] == held[name]["id"], (name, rows[name])
        assert all(held[name]["id"] == file_id for name, file_id in ids.items())


def test_canary_waits_for_an_index_that_lags(folder):
    with sim(folder, "--quirk", "search_lag=1") as server:
        files, tree = old_and_new(folder)
        with_conflicts(server, files)
        done = Pxload(folder, server).upload("--on-conflict", "overwrite", tree)
        assert books(done) == (4, 4, 0, 0, 0)
        holds(server, files)


def test_file_that_appears_during_the_run_is_skipped(folder):
    """Two jobs with one name: the second sees the first one's file."""
    with sim(folder) as server:
        first = make_tree(folder / "one", {"same.bin": b"first"})
        second = make_tree(folder / "two", {"same.bin": b"second!"})
        load = Pxload(folder, server)
        load.upload(first)
        done = load.upload(second)
        assert books(done) == (1, 0, 1, 0, 0)
        holds(server, {"same.bin": b"first"})
