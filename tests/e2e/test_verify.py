"""pxload verify: what somebody did in PXM after the upload, and what --repair makes of it."""
import json
import os
import signal

from moments import output, reach
from pxm import (DEADLINE_S, Pxload, api_requests, books, counts, make_tree, pattern, preload, report, sim,
                 summary)
from terminal import terminal
from world import Clock


def uploaded(folder, server, *options, count=12):
    files = {f"d{i % 3}/f{i}.bin": pattern(100 + i, i) for i in range(count)}
    tree = make_tree(folder / "tree", files)
    load = Pxload(folder, server)
    load.upload(*options, tree)
    return load, tree, {os.path.basename(path): data for path, data in files.items()}


def damage(server, name, how):
    server.call("POST", f"/_sim/damage?id={server.files()[name]['id']}&how={how}")


def verify(load, *options, expect=0):
    done = load.run("verify", "--json", *options, load.journal(), expect=expect)
    found = {(line["destination"], line["finding"]) for line in done.json
             if line["message_type"] == "file"}
    return found, summary(done)


def test_verify_reads_pages_and_not_files(folder):
    with sim(folder, "--quirk", "file_shape=files") as server:
        preload(server, {f"other{i}.bin": i for i in range(700)})
        load, tree, files = uploaded(folder, server)
        before = api_requests(server)
        found, total = verify(load)
        assert not found and total["checked"] == total["planned"] == len(files)
        # Two pages hold all, and the empty one behind them; the token is cached.
        assert api_requests(server) - before == total["requests"] == 3
        text = load.run("verify", load.journal()).out
        assert "12 of 12 files are in PXM" in text and "as they were sent" in text


def test_progress_while_pages_come(folder):
    with sim(folder, "--api-latency", "250") as server:
        load, _, _ = uploaded(folder, server, count=3)
        load.env |= {"TERM": "xterm-256color"}
        told = load.run("verify", "--stats", "100ms", load.journal()).err
        assert "Z Verified: 0 / 3 files, 0 findings, api " in told and "Verified: 3 / 3" in told, told
        assert "Verified" not in load.run("verify", "-q", "--stats", "100ms", load.journal()).err
        damage(server, "f1.bin", "delete")
        with terminal(80) as (fd, screen):
            process = load.start("verify", load.journal(), stdout=fd, stderr=fd)
            assert process.wait(DEADLINE_S) == 1
        lines = screen.lines
        assert any(line.startswith("Verified: 2 / 3 files") for line in lines), lines
        found = [line for line in lines if "missing: " in line]
        assert len(found) == 1 and found[0].startswith("missing: "), lines
        assert "\033[J" in screen.text, screen.text


def test_a_stopped_verification_ends_in_good_order(folder):
    with sim(folder) as server:
        load, _, _ = uploaded(folder, server, count=3)
        damage(server, "f1.bin", "delete")
        server.faults([{"endpoint": "list", "stall": True}])
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = load.start("verify", "--repair", "--stats", "50ms", "--timeout", "10m",
                                 load.journal())
            assert b"Verified: 0 / 3" in process.stderr.readline()
            process.send_signal(number)
            _, err = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == code and b"nothing was queued" in err, (code, err)


def test_findings_and_their_repair(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server)
        damage(server, "f0.bin", "delete")
        damage(server, "f1.bin", "shorten")
        gone = server.files()["f2.bin"]
        damage(server, "f2.bin", "delete")
        server.call("POST", "/_sim/preload", {"name": "renamed.bin", "size": gone["size"],
                                              "id": gone["id"]})
        server.call("POST", "/_sim/preload", {"name": "f3.bin", "size": 1})
        wanted = {("f0.bin", "missing"), ("f1.bin", "different_size"), ("f2.bin", "renamed"),
                  ("f3.bin", "doubled")}
        found, total = verify(load, expect=1)
        assert found == wanted and total["repaired"] == 0
        text = load.run("verify", load.journal(), expect=1).out
        assert "missing: " in text and "f0.bin" in text and "--repair" in text
        # A verification that repairs nothing changes nothing.
        assert books(load.upload(tree)) == (12, 12, 0, 0, 0)
        found, total = verify(load, "--repair", expect=1)
        assert found == wanted and total["repaired"] == 2
        done = load.run("resume", "--json", load.journal())
        assert books(done) == (12, 12, 0, 0, 0)
        records = {(r["name"], r["size"]) for r in server.state()["files"]}
        assert {(name, len(data)) for name, data in files.items()
                if name != "f2.bin"} <= records
        found, total = verify(load, expect=1)
        assert found == wanted - {("f0.bin", "missing"), ("f1.bin", "different_size")}


def test_a_file_of_unknown_id_is_found_by_its_name(folder):
    with sim(folder, "--quirk", "confirm_reply=none", "--quirk", "search_lag=3600") as server:
        load, tree, files = uploaded(folder, server, count=2)
        assert all(not row.get("file_id") for row in report(load, tree).values())
        assert verify(load)[0] == set()


def test_unpublished_and_converting(folder):
    with sim(folder, "--quirk", "converting_reads=2") as server:
        load, tree, files = uploaded(folder, server, "--publish", count=3)
        damaged = server.files()["f0.bin"]
        damage(server, "f0.bin", "delete")
        server.call("POST", "/_sim/preload", {"name": "f0.bin", "size": damaged["size"],
                                              "id": damaged["id"], "published": False})
        found, _ = verify(load, expect=1)
        assert ("f0.bin", "unpublished") in found and ("f1.bin", "converting") in found
        verify(load, expect=1)
        found, _ = verify(load, expect=1)
        assert found == {("f0.bin", "unpublished")}


def test_a_lost_link_is_found_and_made_again(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, "--map-folders", "tree", count=4)
        assert verify(load)[0] == set()
        damage(server, "f0.bin", "unlink")
        found, total = verify(load, "--repair", expect=1)
        assert found == {("f0.bin", "unlinked")} and total["repaired"] == 1
        before = counts(server).get("put", 0)
        done = load.run("resume", "--json", load.journal())
        assert books(done) == (4, 4, 0, 0, 0) and counts(server).get("put", 0) == before
        assert verify(load)[0] == set()


def test_wait_processed_ends_when_nothing_converts(folder):
    with sim(folder, "--quirk", "converting=2") as server:
        load, tree, files = uploaded(folder, server, "--wait-processed", "1m", count=3)
        assert verify(load)[0] == set()
        text = load.run("upload", "--wait-processed", "1m", tree).err
        assert "PXM has processed all files" in text


def test_verify_goes_on_through_faults_and_ends_with_5_without_a_server(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, count=3)
        server.faults([{"endpoint": "list", "nth": 1, "status": 503},
                       {"endpoint": "list", "nth": 2, "status": 429, "retry_after": 0},
                       {"endpoint": "list", "nth": 3, "status": 401}])
        assert verify(load)[0] == set()
    done = load.run("verify", "--retries", "2", "--contimeout", "1s", load.journal(), expect=5)
    assert "in PXM" not in done.out


def test_a_proxys_404_is_no_missing_file(folder):
    """What says "not found" must be PXM: to send everything again on a proxy's word is a flood."""
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, count=3)
        server.faults([{"endpoint": "list", "times": 1, "status": 200, "body": "[]"},
                       {"endpoint": "list", "status": 404, "body": "html"}])
        done = load.run("verify", "--json", "--repair", load.journal(), expect=None)
        assert done.returncode not in (0, 1), done.out
        assert '"missing"' not in done.out.replace('"missing":0', ""), done.out
        server.clear_faults()
        assert verify(load)[0] == set()


def test_verify_fetches_one_new_token_after_other_trouble(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, count=3)
        server.faults([{"endpoint": "list", "times": 1, "status": 503},
                       {"endpoint": "list", "times": 1, "status": 401},
                       # Once the first page is there: a list that is not read any further.
                       {"endpoint": "list", "nth": 2, "status": 400}])
        assert verify(load)[0] == set()


def test_a_name_that_pxm_made_up_cannot_write_on_the_terminal(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, count=1)
        gone = server.files()["f0.bin"]
        damage(server, "f0.bin", "delete")
        server.call("POST", "/_sim/preload", {"name": "\x1b[2Jcl\near\u009b2J.bin",
                                              "size": gone["size"], "id": gone["id"]})
        out = load.run("verify", load.journal(), expect=1).out
        assert "renamed: " in out and "cl\\x0aear" in out
        assert "\x1b" not in out and "\u009b" not in out


def test_what_is_found_while_files_convert_counts_once(folder):
    with sim(folder, "--quirk", "converting_reads=1") as server:
        load, tree, files = uploaded(folder, server, count=3)
        damage(server, "f0.bin", "delete")
        damage(server, "f1.bin", "shorten")
        clock = Clock(load)
        process = load.start("verify", "--json", "--repair", "--wait-processed", "1m", load.journal())
        reach(process, lambda: counts(server).get("file-list", 0) >= 2, "the first round")
        clock.sleep(10)
        total = json.loads(output(process)[0])
        assert total["planned"] == 3 and total["checked"] == 2, total
        assert (total["missing"], total["different_size"], total["repaired"]) == (1, 1, 2), total


def test_wait_processed_keeps_to_a_smaller_rate(folder):
    with sim(folder) as server:
        tree = make_tree(folder / "tree", {"f.bin": b"f"})
        load = Pxload(folder, server)
        # Token, request-upload, confirm-upload and one page.
        process = load.start("upload", "--api-rate", "4", "--wait-processed", "1m", tree)
        reach(process, lambda: counts(server).get("file-list"), "the first page")
        process.send_signal(signal.SIGINT)
        out, err = output(process)
        assert api_requests(server) == 4, (out, err)


def test_pages_that_are_too_large_are_asked_for_in_smaller_ones(folder):
    with sim(folder) as server:
        load, tree, files = uploaded(folder, server, count=3)
        server.faults([{"endpoint": "list", "times": 1, "oversize": 9}])
        found, total = verify(load)
        assert not found and total["checked"] == 3 and total["requests"] == 3


def test_a_file_is_to_be_published_where_its_manifest_says_so(folder):
    with sim(folder) as server:
        manifest = folder / "manifest.csv"
        manifest.write_text("name,published\nf0.bin,no\n")
        load, tree, files = uploaded(folder, server, "--publish", "--manifest", manifest, count=2)
        assert not server.files()["f0.bin"]["published"]
        assert verify(load)[0] == set()
