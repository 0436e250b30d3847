"""The protocol page's calls and replies, row by row: uploads, confirms, regions, transport."""
import contextlib
import subprocess

from pxm import (Pxload, Sim, api_requests, books, counts, fresh, holds, make_tree, md5, pattern,
                 report, requests, sim, small_tree, summary)

MIB = 1 << 20
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")


def uploads(folder, *sim_args, args=(), count=3, **files):
    """One clean upload against a sim with these quirks; its report."""
    with sim(folder, *sim_args) as server:
        load = Pxload(folder, server)
        wanted, tree = small_tree(folder, count)
        wanted.update(files)
        make_tree(tree, files)
        done = load.upload(*args, tree)
        assert books(done) == (len(wanted), len(wanted), 0, 0, 0)
        held = holds(server, wanted)
        rows = report(load, tree)
        for name in wanted:
            assert rows[name]["file_id"] == held[name]["id"], (name, rows[name])
        return counts(server)


# ---- request-upload, PUT, confirm-upload ------------------------------------------------------


def test_both_wires_upload_with_their_own_paths(folder):
    for wire in ("v3", "v2.1"):
        inner = fresh(folder, wire)
        got = uploads(inner, "--wire", wire, *PARTS, args=("--wire", wire),
                      big=pattern(11 * MIB))
        assert got["auth"] == 1 and got["request-upload"] == got["confirm-upload"] == 4, got
        assert got["part"] == 3, got


def test_wrong_wire_is_said_and_uploads_nothing(folder):
    with sim(folder, "--wire", "v2.1", audit=False) as server:
        load = Pxload(folder, server)
        _, tree = small_tree(folder, 6)
        done = load.upload("--wire", "v3", tree, expect=4)
        assert not server.files()
        assert "--wire" in done.out + done.err


def test_clean_run_costs_two_requests_a_file(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = small_tree(folder, 200)
        done = load.upload(tree)
        assert api_requests(server) == 401, counts(server)
        assert counts(server)["put"] == 200
        assert summary(done)["requests"] == 401
        holds(server, files)


def test_every_way_to_say_one_put_is_understood(folder):
    for n, quirks in enumerate((("single_name=single",), ("single_name=standard",), ("bare",),
                                ("bare", "single_name=standard"), ("no_request_id",))):
        inner = fresh(folder, str(n))
        uploads(inner, *[arg for quirk in quirks for arg in ("--quirk", quirk)])


def test_multipart_replies_bare_and_without_ranges(folder):
    for n, quirks in enumerate(((), ("bare",), ("no_ranges",), ("bare", "no_ranges"))):
        inner = fresh(folder, str(n))
        got = uploads(inner, *PARTS, *[arg for quirk in quirks for arg in ("--quirk", quirk)],
                      count=1, big=pattern(12 * MIB + 7))
        assert got["part"] == 3 and got["put"] == 1, got


def test_confirm_reply_of_every_shape_gives_the_id(folder):
    for n, quirk in enumerate(("id", "file_id", "file.id", "data.id")):
        got = uploads(fresh(folder, str(n)), "--quirk", "confirm_reply=" + quirk)
        assert "file-search" not in got, got
    uploads(fresh(folder, "201"), "--quirk", "confirm_status=201")


def test_confirm_reply_without_id_is_looked_up_by_name(folder):
    odd = "a b#%&?+;é.txt"
    for shape in ("usual", "array", "collections", "files", "items", "data", "hits"):
        for place in ("both", "top", "metadata"):
            if place != "both" and shape not in ("usual", "hits"):
                continue
            got = uploads(fresh(folder, shape + place), "--quirk", "confirm_reply=none",
                          "--quirk", "search_shape=" + shape, "--quirk", "name_place=" + place,
                          count=1, **{odd: b"odd"})
            assert got["file-search"] == 2, got


def test_etag_quotes_are_kept_or_stripped(folder):
    for quotes in ("keep", "strip"):
        uploads(fresh(folder, quotes), *PARTS, "--quirk", "etag_quotes=" + quotes,
                args=("--etag-quotes", quotes), count=1, big=pattern(6 * MIB))
    uploads(fresh(folder, "default"), *PARTS, "--quirk", "etag_quotes=keep", count=1,
            big=pattern(6 * MIB))


def test_wrong_etag_quotes_fail_with_the_servers_words(folder):
    with sim(folder, *PARTS, "--quirk", "etag_quotes=strip", audit=False) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"big": pattern(6 * MIB), "small": b"1"})
        load.upload(tree, expect=1)
        row = report(load, tree)["big"]
        assert row["error_class"] == "bad_request" and "InvalidPart" in row["error"], row
        assert list(server.files()) == ["small"]


def test_reported_etag_and_md5_are_those_of_the_bytes(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = small_tree(folder, 2)
        load.upload(tree)
        for name, row in report(load, tree).items():
            digest = md5(files[name])
            assert (row["md5"], row["etag"]) == (digest, f'"{digest}"'), row


# ---- metadata ---------------------------------------------------------------------------------


def test_files_stay_unpublished_unless_asked_for(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        for record in server.files().values():
            assert record["published"] is False and record["published_start_date"] is None


def test_publish_start_is_written_as_the_wire_wants_it(folder):
    wanted = {"v3": "2031-05-06", "v2.1": "2031-05-06T00:00:00Z"}
    for wire, date in wanted.items():
        inner = fresh(folder, wire)
        with sim(inner, "--wire", wire) as server:
            load = Pxload(inner, server)
            load.upload("--wire", wire, "--publish", "--publish-start", "2031-05-06",
                        small_tree(inner)[1])
            for record in server.files().values():
                assert record["published"] is True, record
                assert record["published_start_date"] == date, record


def test_publish_alone_is_accepted_by_both_wires(folder):
    for wire in ("v3", "v2.1"):
        inner = fresh(folder, wire)
        with sim(inner, "--wire", wire) as server:
            load = Pxload(inner, server)
            load.upload("--wire", wire, "--publish", small_tree(inner)[1])
            assert all(record["published"] for record in server.files().values())


def test_region_is_found_by_name_and_by_id_with_one_look(folder):
    for n, shape in enumerate(("usual", "array", "items", "data", "hits")):
        inner = fresh(folder, shape)
        with sim(inner, "--quirk", "region_shape=" + shape) as server:
            load = Pxload(inner, server)
            load.upload("--region", "EU", small_tree(inner, 4)[1])
            ids = {tuple(record["region_ids"]) for record in server.files().values()}
            assert len(ids) == 1, ids
            assert counts(server)["region-list"] == 1, counts(server)
            if n:
                continue
            (eu,) = ids.pop()
            other = make_tree(inner / "other", {"one": b"1", "two": b"2"})
            load.upload("--region", eu, "--region", "US", other)
            assert counts(server)["region-list"] == 2, counts(server)
            for name in ("one", "two"):
                got = server.files()[name]["region_ids"]
                assert len(got) == 2 and eu in got, got


def test_unknown_region_names_the_known_ones_before_any_file(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.upload("--region", "Atlantis", small_tree(folder)[1], expect=4)
        assert "Atlantis" in done.err and "US" in done.err and "EU" in done.err, done.err
        assert sorted(counts(server)) == ["auth", "region-list"], counts(server)


# ---- transport --------------------------------------------------------------------------------


def test_http_is_refused_for_another_host(folder):
    load = Pxload(folder, None, PXLOAD_BASE_URL="http://pxm.example")
    done = load.upload(small_tree(folder)[1], expect=2)
    assert "https" in done.err, done.err
    assert not (folder / "home/state/pxload/jobs").exists() or \
        not list((folder / "home/state/pxload/jobs").iterdir())


@contextlib.contextmanager
def tls_sim(folder):
    """(a sim that serves https, its certificate)."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    server = Sim(folder, "--tls", cert, key)
    try:
        assert server.api.startswith("https://") and server.s3.startswith("https://")
        yield server, cert
    finally:
        server.stop()


def test_https_needs_a_known_certificate(folder):
    with tls_sim(folder) as (server, cert):
        load = Pxload(folder, server)
        files, tree = small_tree(folder)
        done = load.upload(tree, expect=4)
        assert "ca-cert" in done.err and summary(done)["error_class"] == "tls", done.err
        done = load.upload("--ca-cert", cert, tree)
        assert books(done)[1] == len(files)
        done = load.upload(small_tree(folder, 5, "other")[1], env={"SSL_CERT_FILE": str(cert)})
        assert books(done)[1:3] == (2, 3)


def test_ca_file_that_is_missing_is_said(folder):
    with tls_sim(folder) as (server, _):
        load = Pxload(folder, server)
        done = load.upload("--ca-cert", folder / "none.pem", small_tree(folder)[1],
                           expect=(2, 4))
        assert "none.pem" in done.err, done.err


def test_request_rate_is_kept_across_runs(folder):
    with sim(folder, "--rate", "40") as server:
        load = Pxload(folder, server)
        _, tree = small_tree(folder, 15)
        load.upload("--api-rate", "40", tree)
        assert api_requests(server) == 31
        make_tree(tree, {f"more{i}": pattern(9, i) for i in range(10)})
        done = load.upload("--api-rate", "40", "--max-duration", "2s", tree, expect=10)
        state = server.state(files=False)
        assert state["peak_requests_60s"] <= 40, state["counts"]
        assert api_requests(server) > 31, "what was left of the minute was not used"
        assert not any("429" in by for by in state["counts"].values()), state["counts"]
        total = summary(done)
        assert total["queued"] > 0 and total["balanced"], total


def test_too_many_requests_hold_everybody_and_are_no_try(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "nth": 3, "status": 429, "retry_after": "1"}])
        load = Pxload(folder, server)
        files, tree = small_tree(folder, 8)
        load.upload("--api-concurrency", "1", tree)
        holds(server, files)
        rows = [row for row in requests(server) if row["endpoint"] not in ("put", "part")]
        held = [n for n, row in enumerate(rows) if row["status"] == 429]
        assert len(held) == 1, rows
        gap = rows[held[0] + 1]["time_ms"] - rows[held[0]]["time_ms"]
        assert gap >= 990, f"the next request came {gap} ms after the 429"
        assert all(row["attempt"] == 0 for row in report(load, tree).values())


def test_publish_start_that_is_no_date_is_a_usage_error(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        for date in ("tomorrow", "2031-13-01", "2031-02-30", ""):
            load.upload("--publish", "--publish-start", date, small_tree(folder)[1], expect=2)
        assert not counts(server)
