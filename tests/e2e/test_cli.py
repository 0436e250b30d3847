"""Verbs, usage errors, exit codes before a run, and the verbs that look at a journal."""
import csv
import io
import os
import re
import signal
import subprocess
import urllib.parse

from moments import CONFIRMED, SMALL_PARTS, Scene, in_state, kill, output, reach
from pxm import SECRET, Pxload, books, make_tree, report, requests, sim, summary

VERBS = ("plan", "upload", "resume", "retry", "status", "watch", "jobs", "report", "bench", "doctor",
         "auth", "env", "version", "help")
# Nothing listens there: a test that comes too far meets no real tenant.
NOWHERE = "http://127.0.0.1:9"


def offline(folder, **env):
    return Pxload(folder, None, PXLOAD_BASE_URL=NOWHERE, **env)


def refused(folder, args, *words, code=2):
    """Ends with the code, says all the words on one stderr line, and starts nothing."""
    load = offline(folder)
    done = load.run(*args, expect=code)
    assert not done.out, done.out
    lines = done.err.splitlines()
    assert len(lines) == 1 and " ERROR " in lines[0], done.err
    for word in words:
        assert word in done.err, (word, done.err)
    assert not list((folder / "home").rglob("*.journal")), "a job was begun"
    return done


# ---- usage --------------------------------------------------------------------------------------


def test_misspelt_verb_is_guessed(folder):
    refused(folder, ("uplod", folder), "'uplod'", "did you mean 'upload'?")


def test_misspelt_option_is_guessed(folder):
    refused(folder, ("upload", "--transfer", "4", folder), "did you mean --transfers?")
    refused(folder, ("upload", "--retrys=4", folder), "did you mean --retries?")
    refused(folder, ("upload", "--on-conflcit", "skip", folder), "did you mean --on-conflict?")


def test_bad_values_name_the_option_and_what_it_takes(folder):
    for args, words in (
            (("--transfers", "x"), ("--transfers", "'x'")),
            (("--transfers", "0"), ("--transfers", "at least 1")),
            (("--on-conflict", "replace"), ("skip", "overwrite", "version", "fail")),
            (("--bwlimit", "10X"), ("--bwlimit", "'10X'")),
            (("--timeout", "soon"), ("--timeout", "'soon'", "1h30m")),
            (("--publish-start", "tomorrow"), ("--publish-start", "2026-")),
            (("--publish=maybe",), ("--publish", "'maybe'")),
            (("--api-rate", "-1"), ("--api-rate", "'-1'")),
            (("--max-depth", "99999999999999999999"), ("--max-depth",)),
            (("--min-size", "5", "--max-size", "3"), ("--min-size", "--max-size")),
            (("--include", "[a"), ("[a",)),
            (("--region", ""), ("--region",)),
            (("--timeout",), ("--timeout",)),
            (("-Z",), ("-Z",))):
        tree = () if args == ("--timeout",) else (folder,)
        refused(folder, ("upload", *args, *tree), *words)


def test_missing_and_surplus_arguments_are_usage_errors(folder):
    refused(folder, ("upload",), "PATH")
    refused(folder, ("status",), "JOURNAL")
    refused(folder, ("version", "x"), "'x'")
    refused(folder, ("jobs", "purge"), "list", "clean")
    refused(folder, ("report", "--format", "xml", "x"), "'xml'", "csv", "ndjson")
    refused(folder, ("retry", "--only", "colision", "x"), "'colision'", "name_collision")


def test_option_of_another_verb_is_a_usage_error(folder):
    refused(folder, ("resume", "--on-conflict", "skip", "x"), "--on-conflict", "resume", "upload")
    refused(folder, ("status", "--transfers", "4", "x"), "--transfers", "status")


def test_source_that_is_not_there_starts_nothing(folder):
    refused(folder, ("upload", folder / "nothing"), "nothing", "No such file")


def test_credential_as_an_option_is_refused_and_not_repeated(folder):
    done = refused(folder, ("upload", "--token=abcdef", folder), "--token", "PXM_TOKEN")
    assert "abcdef" not in done.err


def test_url_that_is_not_https_is_a_usage_error(folder):
    refused(folder, ("upload", "--base-url", "http://example.invalid", folder), "--base-url")
    refused(folder, ("upload", "--base-url", "ftp://example.invalid", folder), "--base-url")
    refused(folder, ("upload", "--base-url", "example.invalid", folder), "write https://HOST")


def test_missing_journal_is_said(folder):
    for verb in ("status", "report", "resume", "retry"):
        refused(folder, (verb, folder / "none.journal"), "none.journal", code=7)


def test_journal_that_cannot_be_made_is_the_disks_fault(folder):
    tree = make_tree(folder / "tree", {"a.txt": b"a"})
    refused(folder, ("upload", "--journal", folder / "none" / "j.journal", tree), "make it first", code=4)
    refused(folder, ("status", folder / "none" / "j.journal"), "there is no journal", code=7)
    refused(folder, ("upload", "--journal", tree / "a.txt" / "j", tree), "Not a directory", code=4)


# ---- before the first request -------------------------------------------------------------------


def test_missing_credentials_name_the_variables(folder):
    tree = make_tree(folder / "tree", {"a.txt": b"a"})
    load = offline(folder)
    for env, words in (
            ({"PXM_CLIENT_ID": "", "PXM_CLIENT_SECRET": ""},
             ("PXM_CLIENT_ID", "PXM_CLIENT_SECRET", "PXM_TOKEN")),
            ({"PXM_CLIENT_SECRET": ""}, ("PXM_CLIENT_SECRET", "client_secret_file")),
            ({"PXM_CLIENT_ID": ""}, ("PXM_CLIENT_ID",))):
        for args in (("upload", tree), ("auth",)):
            done = load.run(*args, env=env, expect=4)
            assert all(word in done.err for word in words), (env, done.err)
            assert SECRET not in done.err and not done.out


def test_credentials_refused_with_400_end_with_4(folder):
    """RFC 6749, 5.2: invalid_client is a 400 where the server does not choose 401."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        server.faults([{"endpoint": "auth", "status": 400, "body": '{"error":"invalid_client"}'}])
        for args in (("upload", make_tree(folder / "tree", {"a.txt": b"a"})), ("auth",)):
            done = load.run(*args, expect=4)
            assert "invalid_client" in done.err, done.err


def test_plan_needs_no_credentials_and_no_server(folder):
    tree = make_tree(folder / "tree", {"a.txt": b"a", "b/c.txt": b"bb"})
    done = offline(folder).run("plan", "--json", tree,
                               env={"PXM_CLIENT_ID": "", "PXM_CLIENT_SECRET": ""})
    assert done.json[-1]["message_type"] == "summary", done.out


def test_dry_run_sends_nothing_and_leaves_no_job(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a.txt": b"a"})
        load.run("upload", "--dry-run", tree)
        assert not requests(server)
        done = load.run("jobs", "list")
        assert not done.out and "no journals in " in done.err, done.err


def test_bash_completes_verbs_options_and_their_values(folder):
    script = offline(folder).start("help", "--format", "bash").communicate()[0].decode()
    for typed, wanted in ((("up",), "upload"), (("jobs", "c"), "clean"), (("verify", "--rep"), "--repair"),
                          (("upload", "--map-folders", "t"), "tree"), (("watch", "--pub"), "")):
        words = " ".join(f"'{word}'" for word in ("pxload", *typed))
        done = subprocess.run(["bash", "-c", script + "compopt() { :; }\n"
                               f"COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _pxload; "
                               'echo "${COMPREPLY[*]}"'], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == wanted, (typed, done)


# ---- help, version, auth, env -------------------------------------------------------------------


def test_help_of_every_verb_fits_80_columns_and_goes_to_stdout(folder):
    load = offline(folder)
    whole = load.run("--help")
    assert load.run().out == whole.out == load.run("help").out
    for verb in VERBS:
        assert re.search(rf"^\s+{verb}\s", whole.out, re.M), verb
        done = load.run(verb, "--help")
        assert not done.err, verb
        if verb == "help":  # the program's
            continue
        assert done.out == load.run("help", verb).out, verb
        assert "pxload help shows the exit codes" in done.out, verb
        assert done.out.startswith(f"Usage: pxload {verb}"), done.out[:80]
        assert "Examples:" in done.out, verb
    for text in (whole.out, load.run("upload", "--help").out):
        assert max(map(len, text.splitlines())) <= 80
        assert "\033" not in text


def test_version_names_every_library(folder):
    load = offline(folder)
    for args in (("version",), ("--version",), ("-V",)):
        out = load.run(*args).out
        assert out.startswith("pxload "), out
        for library in ("libcurl/", "OpenSSL/", "SQLite/", "libmagic/", "utf8proc/"):
            assert library in out, (library, out)
    row, = load.run("version", "--json").json
    assert {"message_type", "version", "build", "libraries"} <= set(row), row


def test_auth_fetches_a_new_token_and_keeps_it_private(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        for _ in range(2):
            load.run("auth")
        assert [row["status"] for row in requests(server, "auth")] == [200, 200]
        cached = [path for path in (folder / "home/cache").rglob("*") if path.is_file()]
        assert cached and all(path.stat().st_mode & 0o077 == 0 for path in cached), cached
        load.upload(make_tree(folder / "tree", {"a.txt": b"a"}))
        assert len(requests(server, "auth")) == 2, "the token was fetched again"
        done = load.run("auth", env={"PXM_CLIENT_SECRET": "wrong-one"}, expect=4)
        assert "wrong-one" not in done.err + done.out


def test_env_hides_secrets_and_tells_origins(folder):
    load = offline(folder, PXM_TOKEN="very-hidden-token")
    for args in (("env",), ("env", "--json")):
        done = load.run(*args)
        assert SECRET not in done.out and "very-hidden-token" not in done.out
    rows = {row["name"]: row for row in done.json}
    assert rows["base-url"] == {"message_type": "setting", "name": "base-url", "value": NOWHERE,
                                "origin": "environment"}
    assert rows["transfers"]["origin"] == "built-in"
    assert rows["PXM_TOKEN"]["value"] == "(set, hidden)"
    rows = {row["name"]: row for row in load.run("env", "--json", env={"PXM_TOKEN": ""}).json}
    assert rows["PXM_TOKEN"]["value"] == "(not set)"


# ---- status, jobs, retry ------------------------------------------------------------------------


def stalled(folder, server, **kwargs):
    """A run of which one file hangs in its PUT and all others are done."""
    scene = Scene(folder, server, args=("--timeout", "10m"), **kwargs)
    server.faults([{"endpoint": "put", "name": "f0.bin", "stall": True}])
    process = scene.start()
    reach(process, lambda: in_state(scene.path, CONFIRMED) == len(scene.wanted) - 1, "all but one")
    return scene, process


def test_status_beside_a_run_does_not_disturb_it(folder):
    with sim(folder, "--s3-latency", "10", *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=60)
        process = scene.start()
        reach(process, scene.path.exists, "the journal")
        running = 0
        while process.poll() is None:
            done = scene.load.run("status", "--json", scene.path, expect=(0, 7))
            if done.returncode:
                assert not running, done.err  # only before the tables are made
                continue
            row, = done.json
            running += row["running"]
            states = ("discovered", "prepared", "requested", "stored", "confirmed", "skipped",
                      "failed", "linked", "verified", "excluded")
            assert row["planned"] == sum(row[state] for state in states), row
        assert running, "no status was taken beside the run"
        out, err = output(process)
        assert process.returncode == 0, err
        scene.check_held()
        row, = scene.load.run("status", "--json", scene.path).json
        assert not row["running"] and row["confirmed"] == len(scene.wanted), row


def test_status_says_running_and_what_waits(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene, process = stalled(folder, server)
        row, = scene.load.run("status", "--json", scene.path).json
        text = scene.load.run("status", scene.path).out
        kill(process)
        assert row["running"] and row["queued"] == 1, row
        assert "a run works on it now" in text and "pxload resume" not in text, text
        text = scene.load.run("status", scene.path).out
        assert "no run works on it now" in text and "pxload resume" in text, text


def test_jobs_list_and_clean_know_done_running_and_unfinished(folder):
    with sim(folder, *SMALL_PARTS) as server:
        load = Pxload(folder, server)
        load.upload(make_tree(folder / "one", {"a.txt": b"a"}))
        load.upload(make_tree(folder / "two", {"b.txt": b"b", "x/b.txt": b"c"}), expect=1)
        three = make_tree(folder / "three", {"c.txt": b"c"})
        server.faults([{"endpoint": "put", "stall": True}])
        process = load.start("upload", "--timeout", "10m", three)

        def states():
            rows = load.run("jobs", "list", "--json").json
            return {os.path.basename(row["journal"]).partition("-")[0]: row["state"]
                    for row in rows}
        reach(process, lambda: states() == {"one": "done", "two": "with failures",
                                            "three": "running"}, "three jobs")
        before = sorted((folder / "home/state/pxload/jobs").iterdir())
        assert "would remove" in load.run("jobs", "clean", "--dry-run").out
        assert sorted((folder / "home/state/pxload/jobs").iterdir()) == before
        assert load.run("jobs", "clean").out.count("removed") == 1
        assert states() == {"two": "with failures", "three": "running"}
        kill(process)
        assert states() == {"two": "with failures", "three": "unfinished"}
        assert not load.run("jobs", "clean").out
        left = [path.name for path in (folder / "home/state/pxload/jobs").iterdir()]
        assert not [name for name in left if name.startswith("one")], left
        server.clear_faults()
        load.upload(three)
        assert sorted(server.files()) == ["a.txt", "b.txt", "c.txt"]


def test_retry_only_queues_files_of_that_class_alone(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400},
                       {"endpoint": "request", "name": "f2.bin", "status": 404}])
        done = scene.load.run(*scene.command(), expect=1)
        assert summary(done)["failed_by_class"] == {"bad_request": 1, "not_found": 1}
        server.clear_faults()
        done = scene.load.run("retry", "--json", "--only", "bad_request", scene.path, expect=1)
        assert books(done) == (8, 7, 0, 1, 0)
        assert summary(done)["failed_by_class"] == {"not_found": 1}
        assert "f2.bin" not in server.files()
        # Neither resume nor retry of another class touches what failed for good.
        scene.load.run("retry", "--only", "permission", scene.path, expect=1)
        scene.load.run("resume", scene.path, expect=1)
        assert "f2.bin" not in server.files()
        scene.check(scene.load.run("retry", "--json", scene.path))


def test_retry_dry_run_queues_nothing(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400}])
        scene.load.run(*scene.command(), expect=1)
        server.clear_faults()
        before = len(requests(server))
        scene.load.run("retry", "--dry-run", scene.path, expect=None)
        assert len(requests(server)) == before, "a dry run called the server"
        row, = scene.load.run("status", "--json", scene.path).json
        assert row["failed"] == 1 and row["queued"] == 0, row


# ---- report -------------------------------------------------------------------------------------


def csv_rows(text):
    """RFC 4180, strictly: every row has the header's columns and every row is one record."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}, {len(row) for row in rows}
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def plain(row, column):
    """A name as it is, whatever the row's encoding."""
    return urllib.parse.unquote(row[column]) if row["Encoding"] == "percent" else row[column]


def test_reports_hold_every_row_during_and_after_a_run(folder):
    odd = {'comma, "quote".bin': b"1", "line\nend.bin": b"2", "=formula.bin": b"3",
           "ü – 日本.bin": b"4", " lead and trail .bin": b"5"}
    with sim(folder, *SMALL_PARTS) as server:
        scene, process = stalled(folder, server, more=odd)
        total = len(scene.wanted)
        for moment in ("during", "after"):
            if moment == "after":
                process.send_signal(signal.SIGKILL)
                output(process)
                server.clear_faults()
                scene.again()
            rows = csv_rows(scene.load.run("report", scene.path).out)
            states = [row["State"] for row in rows]
            want = {"during": total - 1, "after": total}[moment]
            assert len(rows) == total and states.count("confirmed") == want, (moment, states)
            ndjson = report(scene.load, scene.tree, scene.path)
            assert sorted(ndjson) == sorted(scene.wanted)
            ids = {row["id"] for row in server.files().values()}
            assert {row["FileId"] for row in rows if row["State"] == "confirmed"} <= ids
        by_name = {plain(row, "Destination"): row for row in rows}
        for name in odd:
            row = by_name[name]
            assert plain(row, "OriginalName") == name, row
            assert plain(row, "Source") == os.path.join(scene.tree, name), row
            assert row["Result"] == "OK" and row["Source Size"] == "1", row


def test_report_rows_equal_the_books(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, more={"twin/f0.bin": b"x", ".DS_Store": b"junk",
                                            "Thumbs.db": b"junk"})
        make_tree(scene.tree, {b"bad\xff.bin": b"?"})
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400}])
        done = scene.load.run(*scene.command(), expect=1)
        planned, confirmed, skipped, failed, excluded = books(done)
        assert (planned, confirmed, failed, excluded) == (12, 7, 3, 2)
        rows = csv_rows(scene.load.run("report", scene.path).out)
        states = [row["State"] for row in rows]
        assert states.count("confirmed") == confirmed and states.count("failed") == failed
        junk, = [row for row in rows if row["State"] == "excluded"]
        assert "2" in junk["Description"], junk
        for row in rows:
            if row["State"] == "failed":
                assert row["ErrorClass"] and row["Description"] and row["Advice"], row


def test_report_to_a_file_is_whole_or_not_there(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        out = folder / "out.csv"
        done = scene.load.run("report", "-o", out, scene.path)
        assert not done.out and len(csv_rows(out.read_text())) == len(scene.wanted)
        done = scene.load.run("report", "-o", folder / "none" / "out.csv", scene.path, expect=4)
        assert "out.csv" in done.err, done.err
        assert sorted(path.name for path in folder.iterdir() if "csv" in path.name) == ["out.csv"]


def test_report_to_a_full_disk_fails(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        with open("/dev/full", "wb") as full:
            process = scene.load.start("report", scene.path, stdout=full)
            _, err = output(process)
        assert process.returncode not in (0, None) and "ERROR" in err, (process.returncode, err)
