"""Streams: stdout has results alone, the JSON keys are stable, the terminal gets a block."""
import json
import re

from moments import SMALL_PARTS, Scene
from pxm import Pxload, books, make_tree, pattern, sim
from terminal import COLOUR, run_on, terminal, width

ALWAYS = {"message_type", "time"}
STATUS = ALWAYS | {
    "bytes", "totalBytes", "transfers", "totalTransfers", "errors", "eta", "eta_ms", "speed",
    "elapsedTime", "confirmed", "skipped", "excluded", "queued", "issues", "apiCalls",
    "apiCallsInWindow", "apiBudget", "apiHeldMs", "apiWaitMs", "toLink", "categoriesToMake", "collectionsToMake", "retries", "puts", "putLimit", "limiter", "walking", "draining"}
FILE = ALWAYS | {
    "level", "operation", "success", "source", "destination", "size", "state", "file_id",
    "mime_type", "attempt", "duration_ms"}
SINGLE = {"etag", "md5", "digest"}  # left out where there is none for the whole file
FAILURE = {"error", "error_class", "advice"}
ERROR = ALWAYS | {"level", "error", "error_class", "advice", "attempt", "wait_ms"}
SUMMARY = ALWAYS | {
    "version", "planned", "confirmed", "skipped", "failed", "excluded", "queued", "bytes",
    "totalBytes", "bytes_skipped", "bytes_failed", "bytes_excluded", "bytes_queued", "balanced",
    "exit_code", "wave", "walk_complete", "issues", "gone", "end", "requests",
    "requests_per_file", "elapsed", "speed", "bytes_sent", "retries", "limit_ms", "steps",
    "linked", "unlinked", "failed_by_class", "journal"}
# `pxload status --json`
STANDING = ALWAYS | {
    "journal", "running", "bytes", "totalBytes", "transfers", "totalTransfers", "errors", "eta",
    "speed", "files_last_minute", "discovered", "prepared", "requested", "stored", "confirmed",
    "linked", "verified", "skipped", "failed", "excluded", "planned", "queued", "unlinked", "gone",
    "issues", "wave", "walk_complete", "failed_by_class"}


def of_type(done, kind):
    return [line for line in done.json if line["message_type"] == kind]


def same_keys(row, keys):
    assert set(row) == keys, f"missing {keys - set(row)}, new {set(row) - keys} in {row}"


# ---- JSON ---------------------------------------------------------------------------------------


def test_json_keys_are_stable(folder):
    with sim(folder, "--s3-latency", "30", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--stats", "100ms", "--transfers", "2"), files=20)
        server.faults([{"endpoint": "request", "name": "f3.bin", "status": 400, "code": "Odd",
                        "message": "cannot take it"},
                       {"endpoint": "put", "nth": 2, "status": 503, "body": "s3xml",
                        "code": "SlowDown"}])
        done = scene.load.run(*scene.command(), expect=1)
        assert {line["message_type"] for line in done.json} == {"status", "file", "error",
                                                                "summary"}
        for row in of_type(done, "status"):
            same_keys(row, STATUS)
        for row in of_type(done, "file"):
            if row["success"]:
                same_keys(row, FILE if row["destination"] == "big.bin" else FILE | SINGLE)
        failed, = [row for row in of_type(done, "file") if not row["success"]]
        assert FAILURE <= set(failed) and failed["level"] == "error", failed
        assert failed["http_status"] == 400 and "cannot take it" in failed["error"], failed
        assert failed["error_class"] == "bad_request" and failed["request_id"], failed
        for row in of_type(done, "error"):
            assert ERROR <= set(row), row
        total, = of_type(done, "summary")
        same_keys(total, SUMMARY)
        assert done.json[-1] is total
        assert set(total["steps"]) == {"request", "put", "confirm"}, total["steps"]
        for step in total["steps"].values():
            assert 0 < step["p50"] <= step["p95"] <= step["p99"] <= step["max"], step
        # 30 ms before each reply of S3's, none before the API's
        assert total["steps"]["put"]["p50"] >= 29 and total["steps"]["put"]["count"] >= 20, total
        assert 0 < sum(total["limit_ms"].values()) <= total["elapsed"] * 1000 + 1, total
        same_keys(scene.load.run("status", "--json", scene.path).json[0], STANDING)


def test_status_objects_know_the_files_under_way(folder):
    with sim(folder, "--s3-latency", "100", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--stats", "100ms", "--transfers", "2"), files=10)
        done = scene.again()
        rows = of_type(done, "status")
        assert rows
        for row in rows:
            if row["apiCalls"] > 4:  # more than a token and what a run asks for once
                assert row["totalTransfers"] > 0, row
            assert row["eta"] is None or row["totalTransfers"], row


def test_json_has_one_line_an_object_and_one_object_a_file(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=30)
        done = scene.again()
        assert done.stdout.endswith(b"\n")
        lines = done.stdout.decode().splitlines()
        assert len(lines) == len(done.json), "a line that is no object"
        files = of_type(done, "file")
        assert sorted(row["destination"] for row in files) == sorted(scene.wanted)
        assert sum(row["size"] for row in files) == sum(map(len, scene.wanted.values()))
        times = [row["time"] for row in done.json]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", t) for t in times)


def test_json_is_valid_utf8_whatever_the_names(folder):
    odd = {b"bad\xff\xfe.bin": b"1", b"cut-\xe2\x82": b"2", "tab\t.bin": b"3",
           "quote\"back\\slash.bin": b"4", "\x1b[31mred.bin": b"5", "日本 – ü.bin": b"6",
           "line\nend.bin": b"7", "\x7fdel\u200e\u202e.bin": b"8"}
    with sim(folder, *SMALL_PARTS) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", odd)
        done = load.run("upload", "--json", "-vv", tree, expect=1)
        text = done.stdout.decode("utf-8")  # strict
        for line in text.split("\n")[:-1]:
            json.loads(line)
        assert "\033" not in text and "\x7f" not in text, "control bytes reach a terminal"
        done.stderr.decode("utf-8")
        assert b"\033" not in done.stderr
        assert books(done) == (8, 6, 0, 2, 0)
        sources = [row["source"] for row in of_type(done, "file")]
        assert len(set(sources)) == len(sources) == 8, sources
        plain = load.run("status", load.journal())
        plain.stdout.decode("utf-8")
        assert "\033" not in plain.out


def test_failures_of_the_walk_are_named_in_the_stream(folder):
    """Every planned file is in PXM or named with the reason why not: also the script's way."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a.txt": b"1", "b/a.txt": b"2", b"bad\xff.txt": b"3"})
        done = load.upload(tree, expect=1)
        failed = {row["error_class"]: row for row in of_type(done, "file") if not row["success"]}
        assert sorted(failed) == ["name_collision", "name_invalid"], done.out
        assert failed["name_collision"]["source"].endswith("b/a.txt")


# ---- not a terminal -----------------------------------------------------------------------------


def test_without_a_terminal_there_are_plain_lines_alone(folder):
    with sim(folder, "--s3-latency", "30", *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=20)
        make_tree(scene.tree, {b"bad\xff.bin": b"?"})
        args = ("upload", "--stats", "100ms", "--transfers", "2", "--journal", scene.path,
                scene.tree)
        done = scene.load.run(*args, expect=1, env={"TERM": "xterm-256color", "LANG": "C.UTF-8"})
        assert "\r" not in done.err + done.out and "\033" not in done.err + done.out
        stats = [line for line in done.err.splitlines() if re.search(r"files \d+/\d+", line)]
        assert len(stats) >= 2, done.err
        assert "planned" in done.out and "The books balance" in done.out, done.out
        for line in done.err.splitlines():
            assert re.match(r"\d{4}-\d\d-\d\dT", line), f"not a log line: {line!r}"


def test_progress_flag_without_a_terminal_falls_back_to_lines(folder):
    with sim(folder, "--s3-latency", "30", *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=20)
        done = scene.load.run("upload", "-P", "--stats", "100ms", "--transfers", "2", scene.tree)
        assert "\033" not in done.err and "\r" not in done.err
        assert re.search(r"files \d+/\d+", done.err), done.err


def test_quiet_is_quiet_but_for_errors(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        done = scene.load.run("upload", "-q", "--stats", "10ms", "--journal", scene.path,
                              scene.tree)
        assert done.out == "" and done.err == "", (done.out, done.err)
        make_tree(scene.tree, {b"bad\xff.bin": b"?"})
        done = scene.load.run("upload", "-q", "--journal", scene.path, scene.tree, expect=1)
        assert "failed" in done.out, done.out
        assert not [line for line in done.err.splitlines() if " ERROR " not in line], done.err


def test_log_file_takes_the_log_and_stderr_stays_empty(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        log = folder / "run.log"
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400}])
        done = scene.load.run(*scene.command(), "--log-file", log, "--log-level", "debug",
                              "--log-format", "json", expect=1)
        assert done.err == "", done.err
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        assert any(row["level"].lower() == "error" and "f1.bin" in json.dumps(row)
                   for row in rows), rows[:3]
        assert log.stat().st_mode & 0o077 == 0, "others can read the log"


def test_error_lines_mean_a_code_other_than_0(folder):
    """And a run that repairs itself says no ERROR."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "any", "every": 5, "status": 503, "times": 4}])
        done = scene.load.run(*scene.command(), "-v", "--lookup-patience", "1s")
        assert " ERROR " not in done.err, done.err
        scene.check(done)


# ---- a terminal ---------------------------------------------------------------------------------


def block_run(folder, columns, env=None, args=(), names=()):
    """A run on a terminal; (screen, stdout). No line may be wider than the terminal."""
    with sim(folder, "--s3-latency", "120", *SMALL_PARTS) as server:
        more = {name: pattern(300_000, i) for i, name in enumerate(names)}
        scene = Scene(folder, server, files=12, more=more)
        make_tree(scene.tree, {b"bad\xff.bin": b"?"})
        scene.load.env |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
        with terminal(columns) as (fd, screen):
            code, out = run_on(fd, scene.load, "upload", "--transfers", "2", *args, scene.tree)
        assert code == 1, screen.text
        return screen, out


LONG = ("a very long name " * 12 + ".bin", "日本語のとても長い名前" * 6 + ".bin", "u\u0308" * 80)


def check_block(screen, columns):
    assert "\033[" in screen.text and "\033[J" in screen.text, "no block was drawn"
    assert any("%" in line for line in screen.lines), screen.lines
    for line in screen.lines:
        is_log = re.match(r"(error|warning|notice): ", line)  # the terminal wraps it
        assert is_log or width(line) <= columns, (width(line), line)


def test_block_fits_a_terminal_of_80_columns(folder):
    screen, out = block_run(folder, 80, names=LONG)
    check_block(screen, 80)
    assert "\033" not in out and "The books balance" in out


def test_block_fits_a_terminal_of_200_columns(folder):
    screen, _ = block_run(folder, 200, names=LONG)
    check_block(screen, 200)


def test_block_fits_a_terminal_of_20_columns(folder):
    screen, _ = block_run(folder, 20, names=LONG)
    check_block(screen, 20)


def test_block_is_gone_at_the_end(folder):
    screen, _ = block_run(folder, 80)
    last = screen.text.rpartition("\033[J")[2]
    assert "%" not in last, last


def test_no_color_is_honoured(folder):
    screen, _ = block_run(folder, 80)
    assert COLOUR.search(screen.text), "no colour without NO_COLOR"
    (folder / "second").mkdir()
    screen, _ = block_run(folder / "second", 80, env={"NO_COLOR": "1"})
    check_block(screen, 80)
    assert not COLOUR.search(screen.text), "colour in spite of NO_COLOR"


def test_dumb_terminal_gets_plain_lines(folder):
    screen, _ = block_run(folder, 80, env={"TERM": "dumb"}, args=("--stats", "100ms"))
    assert "\033" not in screen.text
    assert any("%" in line for line in screen.lines)


def test_quiet_on_a_terminal_draws_nothing(folder):
    screen, _ = block_run(folder, 80, args=("-q",))
    assert "%" not in screen.text and "\033[J" not in screen.text, screen.text


def test_json_on_a_terminals_stdout_is_not_drawn_over(folder):
    with sim(folder, "--s3-latency", "60", *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.load.env |= {"TERM": "xterm-256color"}
        with terminal(80) as (fd, screen):
            code, _ = run_on(fd, scene.load, *scene.command(), stdout=fd)
        assert code == 0 and "\033" not in screen.text, screen.text
        rows = [json.loads(line) for line in screen.lines if line.startswith("{")]
        assert rows[-1]["message_type"] == "summary"


def test_json_into_a_pipe_beside_a_block_stays_pure(folder):
    with sim(folder, "--s3-latency", "60", *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=12)
        scene.load.env |= {"TERM": "xterm-256color"}
        with terminal(80) as (fd, screen):
            code, out = run_on(fd, scene.load, *scene.command())
        assert code == 0 and "\033[J" in screen.text
        rows = [json.loads(line) for line in out.splitlines()]
        assert rows[-1]["message_type"] == "summary"
        assert "message_type" not in screen.text
