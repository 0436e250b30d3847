"""pxload report: what a journal knows of a job, for scripts, spreadsheets, web servers, people."""
import hashlib
import urllib.parse

from moments import KIB, SMALL_PARTS, Scene, query
from pxm import api_requests, md5, report, requests, sim
from test_cli import csv_rows, plain

HISTORY = ("run_ms", "confirmed", "skipped", "failed", "sent_bytes", "requests")


def history(journal):
    """{measure: its sum over the job's history}."""
    row, = query(journal, "SELECT " + ", ".join(f"total({name})" for name in HISTORY)
                 + " FROM history")
    return dict(zip(HISTORY, map(int, row)))


def parts_digest(data, size):
    """As S3 names an object that was sent in parts of a size."""
    digests = [hashlib.md5(data[at:at + size]).digest() for at in range(0, len(data), size)]
    return f"md5-parts:{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}"


def test_reports_tell_what_pxm_and_s3_said_of_a_file(folder):
    odd = {"=cmd|' C calc'!A0": b"1", "a;-1+2.bin": b"2", "ü $ 日本.bin": b"3"}
    with sim(folder, *SMALL_PARTS, "--quirk", "confirm_details=on") as server:
        scene = Scene(folder, server, more=odd)
        scene.load.run(*scene.command())
        held = server.files()
        rows = {plain(row, "OriginalName"): row
                for row in csv_rows(scene.load.run("report", scene.path).out)}
        lines = report(scene.load, scene.tree, scene.path)
        for name, data in scene.wanted.items():
            row, line = rows[name], lines[name]
            quoted = urllib.parse.quote(name, safe="-._~")
            url = f"https://cdn.sim.example/{held[name]['id']}/{quoted}"
            digest = f"md5:{md5(data)}" if name != "big.bin" else parts_digest(data, 64 * KIB)
            assert (row["FileId"], row["Version"]) == (held[name]["id"], "1"), row
            assert row["CdnUrl"] == line["cdn_url"] == url, (row, line)
            assert row["Digest"] == line["digest"] == digest, (row, line)
            assert int(row["Duration"]) == line["duration_ms"] >= 0, (row, line)
            for cell in row.values():
                assert not cell.lstrip(' "').startswith(tuple("=+-@")), row
                assert ";-" not in cell, row
        sums = history(scene.path)
        assert sums["confirmed"] == len(scene.wanted) and not sums["failed"], sums
        assert sums["sent_bytes"] == sum(map(len, scene.wanted.values())), sums
        assert sums["requests"] == api_requests(server), sums
        assert sums["run_ms"] > 0, sums


def test_url_pattern_comes_from_flag_profile_or_job(folder):
    with sim(folder) as server:
        scene = Scene(folder, server, more={"sub/a b.bin": b"1"}, files=1, big=False)
        scene.load.run(*scene.command(), "--cdn-url", "https://job.example/{file_id}/{file_name}")
        file_id = server.files()["a b.bin"]["id"]

        def url(*args, **env):
            done = scene.load.run("report", "--format", "ndjson", *args, scene.path, env=env)
            row, = [row for row in done.json if row["source"].endswith("a b.bin")]
            return row.get("cdn_url")

        assert url() == f"https://job.example/{file_id}/a%20b.bin"
        assert url("--cdn-url", "https://x.example/{path}") == "https://x.example/sub/a%20b.bin"
        # No reply told a version: then there is no URL, and none is guessed.
        assert url("--cdn-url", "https://x.example/{path}?v={version}") is None
        config = folder / "home/config/pxload/config"
        config.parent.mkdir(parents=True)
        config.write_text("[default]\ncdn_url = https://p.example/{file_id}\n")
        assert url() == f"https://p.example/{file_id}"
        for bad in ("http//x/{path}", "https://x/", "https://x/{name}", "https://x/{path} y",
                    "https://x/{path}$1"):
            done = scene.load.run("report", "--cdn-url", bad, scene.path, expect=2)
            assert "--cdn-url" in done.err and not done.out, done.err


def test_history_goes_on_where_a_killed_run_ended(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, ("--transfers", "1", "--lookup-patience", "1s"), files=12)
        server.faults([{"endpoint": "put", "delay": 300}])
        scene.die(lambda: history_rows(scene.path) > 0, "a moment of the history")
        before = history(scene.path)
        scene.again()
        after = history(scene.path)
        assert 0 < before["requests"] < after["requests"], (before, after)
        # The last moment before the kill is lost: at most what a moment holds.
        assert after["requests"] <= api_requests(server), (after, requests(server))
        assert after["confirmed"] <= len(scene.wanted), after
        assert before["run_ms"] < after["run_ms"], (before, after)


def history_rows(journal):
    rows = query(journal, "SELECT count(*) FROM history")
    return rows[0][0] if rows else 0
