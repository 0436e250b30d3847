"""pxload report: what a journal knows of a job, for scripts, spreadsheets, web servers, people."""
import contextlib
import csv
import hashlib
import io
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import sqlite3
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from moments import KIB, SMALL_PARTS, Scene, count, kill, output, query, reach
from test_manifest import api
from pxm import api_requests, md5, report, requests, sim, wait_for
from terminal import terminal, width
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


def test_reports_name_the_collections_of_a_linked_file(folder):
    with sim(folder) as server:
        wanted = api(server, "POST", "/v2.1/collection", {"name": "Wanted"})["id"]
        scene = Scene(folder, server, more={"shots/a.jpg": b"a", "b.jpg": b"b"}, files=1, big=False)
        manifest = folder / "m.csv"
        manifest.write_text("path,collections\nshots/a.jpg,Wanted\n")
        scene.load.run(*scene.command(), "--map-folders", "tree", "--manifest", manifest)
        rows = {row["OriginalName"]: row for row in
                csv_rows(scene.load.run("report", scene.path).out)}
        lines = report(scene.load, scene.tree, scene.path)
        made, *rest = rows["a.jpg"]["Collection"].split(";")
        assert rest == [wanted] and wanted != made, rows["a.jpg"]
        linked = server.files()
        assert sorted(linked["a.jpg"]["collections"]) == sorted([made, wanted])
        assert lines["shots/a.jpg"]["collection"] == made
        assert lines["shots/a.jpg"]["collections"] == [made, wanted]
        assert [rows["b.jpg"]["Collection"]] == lines["b.jpg"]["collections"] == \
            linked["b.jpg"]["collections"]


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


# ---- maps ---------------------------------------------------------------------------------------


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def location(port, path):
    """Where a web server sends a browser that asks for a path."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.headers.get("Location", error.code)


@contextlib.contextmanager
def nginx(folder, redirects):
    """A web server with the map as its header says; its port."""
    lines = [line.lstrip("# ") for line in redirects.read_text(errors="replace").splitlines()
             if line.startswith("#")]
    hints = "".join(line for line in lines if line.startswith("map_hash_"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    temp = "".join(f"{kind}_temp_path {folder}/nginx-{kind};" for kind in
                   ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(f"""daemon off; {user} pid {folder}/nginx.pid; error_log stderr;
        events {{}}
        http {{ access_log off; {temp} {hints}
            map $uri $new_url {{ include {redirects}; }}
            server {{ listen 127.0.0.1:{port};
                location / {{ if ($new_url) {{ return 301 $new_url; }} return 404; }} }} }}""")
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    assert program, "nginx is not there: run scripts/install-deps test"
    checked = subprocess.run([program, "-t", "-q", "-c", conf], capture_output=True, text=True)
    assert not checked.returncode and "warn" not in checked.stderr, checked.stderr
    process = subprocess.Popen([program, "-c", conf], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), "nginx")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_maps_send_browsers_from_old_paths_to_files(folder):
    odd = {'q"uo\\te $uri {x}; #.bin': b"1", "line\nend.bin": b"2", "ü 日本 100%.bin": b"3",
           "~re.*gex.bin": b"4", "default": b"5", "Case/(one) $1.bin": b"6",
           "case/(ONE) $1.bin": b"7", "long/" + "x" * 200 + ".bin": b"8", b"caf\xe9.bin": b"9"}
    names = [os.fsdecode(name) for name in odd]
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=20, more=odd, big=False)
        scene.load.run(*scene.command(), "--name-policy", "unique", expect=(0, 1))
        ids = {path: row.get("file_id") for path, row in
               report(scene.load, scene.tree, scene.path).items()}
        args = ("--cdn-url", "https://c.example/{file_id}?v=1", "--map-prefix", "/old media/")
        redirects = folder / "new.map"
        scene.load.run("report", "--format", "nginx-map", *args, "-o", redirects, scene.path)
        rows = scene.load.run("report", "--format", "csv-map", *args, scene.path).stdout
        table = list(csv.reader(io.StringIO(rows.decode(), newline=""), strict=True))
        assert table[0] == ["OldPath", "NewUrl"]
        old = {os.fsdecode(urllib.parse.unquote_to_bytes(path)): url for path, url in table[1:]}
        uploaded = {path: file_id for path, file_id in ids.items() if file_id}
        assert len(uploaded) >= len(names) + 20 - 1, ids
        assert old == {"/old media/" + path: f"https://c.example/{file_id}?v=1"
                       for path, file_id in uploaded.items()}
        with nginx(folder, redirects) as port:
            for path, file_id in uploaded.items():
                quoted = urllib.parse.quote(os.fsencode("/old media/" + path))
                assert location(port, quoted) == f"https://c.example/{file_id}?v=1", path
            assert location(port, "/old%20media/nothing.bin") == 404
        done = scene.load.run("report", "--format", "nginx-map", scene.path, expect=2)
        assert "--cdn-url" in done.err, done.err
        done = scene.load.run("report", "--format", "nginx-map", "--map-prefix", "x", scene.path,
                              expect=2)
        assert "--map-prefix" in done.err, done.err


# ---- metrics ------------------------------------------------------------------------------------


def metrics(path):
    """{(name, labels as text): value}; every line must be one of the format's."""
    found = {}
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            assert re.fullmatch(r"# (HELP \S+ \S.*|TYPE \S+ (gauge|counter))", line), line
            continue
        name, labels, value = re.fullmatch(r'(pxload_[a-z_]+)\{(.*)\} (\S+)', line).groups()
        labels = re.sub(r'journal="job\.journal",?', "", labels)
        assert (name, labels) not in found, line
        found[name, labels] = float(value)
    return found


def test_a_public_url_of_pxm_holds_no_variable_of_nginx(folder):
    """A $ may stand in a URL as it is; to nginx it is a name, and one it does not know stops it."""
    with sim(folder) as server:
        scene = Scene(folder, server, files=2, big=False)
        scene.again()
        with contextlib.closing(sqlite3.connect(scene.path)) as journal:
            journal.execute("UPDATE result SET cdn_url = ?1 || asset_id",
                            ["https://c.example/price$list;$uri.bin?a=1&b='2'&c="])
            journal.commit()
        redirects = folder / "new.map"
        scene.load.run("report", "--format", "nginx-map", "-o", redirects, scene.path)
        with nginx(folder, redirects) as port:
            urls = {location(port, "/" + name)[:-1] for name in scene.wanted}
            assert urls == {"https://c.example/price%24list;%24uri.bin?a=1&b='2'&c="}, urls


def test_metrics_file_follows_the_run_and_tells_its_end(folder):
    path = folder / "pxload.prom"
    names = set()
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, ("--metrics-file", path, "--stats", "100ms"), files=12)
        server.faults([{"endpoint": "put", "name": "f3.bin", "stall": True},
                       {"endpoint": "request", "name": "f5.bin", "status": 400}])
        process = scene.start()
        reach(process, lambda: path.exists() and metrics(path).get(
            ("pxload_files", 'state="confirmed"')) == 12, "all but two files in the metrics")
        running = metrics(path)
        assert running["pxload_running", ""] == 1, running
        assert running["pxload_transfers", ""] == 1, running
        assert running["pxload_failed_files", 'class="bad_request"'] == 1, running
        assert running["pxload_api_request_budget", ""] == 950, running
        assert (running["pxload_api_requests_total", ""]
                == running["pxload_api_requests_in_window", ""] == api_requests(server)), running
        assert sum(running["pxload_limit", f'by="{by}"'] for by in
                   {key[1][4:-1] for key in running if key[0] == "pxload_limit"}) == 1, running
        kill(process)
        server.clear_faults()
        scene.load.run(*scene.command(), "--lookup-patience", "1s", expect=(0, 1))
        ended = metrics(path)
        assert ended["pxload_running", ""] == 0 and ended["pxload_walk_complete", ""] == 1, ended
        assert ended["pxload_files", 'state="queued"'] == 0, ended
        assert ended["pxload_files", 'state="confirmed"'] >= 13, ended
        names = {name for name, _ in running | ended}
        assert path.stat().st_mode & 0o777 == 0o644 and not list(folder.glob("*.tmp"))
        scene.load.run("resume", "--metrics-file", folder / "none" / "x", scene.path,
                       expect=(0, 1))
    documented = (pathlib.Path(__file__).parents[2] / "docs/metrics.md").read_text()
    for name in names:
        assert f"`{name}`" in documented, f"{name} is not in docs/metrics.md"


# ---- watch --------------------------------------------------------------------------------------


def test_metrics_file_is_written_through_no_link_that_waits_for_it(folder):
    with sim(folder) as server:
        scene = Scene(folder, server, files=2, big=False)
        path, precious = folder / "pxload.prom", folder / "precious"
        precious.write_text("mine")
        for trap in ("ln", "ln -s", "mkfifo"):
            what = f'{trap} {"" if trap == "mkfifo" else precious} "{path}.$$.tmp"; exec "$@"'
            process = subprocess.Popen(
                ["sh", "-c", what, "sh", *scene.load.command(
                    *scene.command(), "--metrics-file", path)],
                env=scene.load.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            out, err = output(process)
            assert process.returncode == 0 and "metrics" not in err, (trap, out, err)
            assert precious.read_text() == "mine" and not list(folder.glob("*.tmp")), trap
            assert metrics(path)["pxload_running", ""] == 0 and not path.is_symlink()
            path.unlink()


def test_watch_shows_a_run_until_it_ends(folder):
    with sim(folder, *SMALL_PARTS) as server, terminal(80) as (tty, screen):
        scene = Scene(folder, server, files=12)
        server.faults([{"endpoint": "put", "name": "f3.bin", "stall": True}])
        scene.load.env |= {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
        process = scene.start()
        reach(process, lambda: count(scene.path, "SELECT count(*) FROM work WHERE state = 4")
              == len(scene.wanted) - 1, "all but one file")
        on_terminal = scene.load.start("watch", scene.path, stderr=tty)
        in_log = scene.load.start("watch", "--stats", "100ms", scene.path)
        shown = f"{len(scene.wanted) - 1} / {len(scene.wanted)}"
        wait_for(lambda: "Files:" in screen.text and shown in screen.text, "the block")
        first = in_log.stderr.readline().decode()
        assert f"files {len(scene.wanted) - 1}/{len(scene.wanted)}" in first, first
        assert on_terminal.poll() is None and in_log.poll() is None
        kill(process)
        for watcher in (on_terminal, in_log):
            out, _ = output(watcher)
            assert watcher.returncode == 0 and "no run works on it now" in out, out
        assert all(width(line) < 80 for line in screen.lines), screen.lines
        server.clear_faults()
        done = scene.load.run("watch", "--json", scene.path)
        assert done.json[0]["queued"] == 1 and not done.err, (done.json, done.err)
        scene.load.run("watch", folder / "none.journal", expect=7)
