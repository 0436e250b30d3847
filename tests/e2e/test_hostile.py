"""Hostile replies: none may crash pxload, make it talk elsewhere, leak the token or eat memory.

Each fails exactly the file it concerns, with a text that says what was wrong; others go on.
"""
import contextlib
import json
import os
import pathlib
import re

import peers
from pxm import (Pxload, books, build_dir, counts, holds, make_tree, md5, pattern, report, requests,
                 sim, summary, wait_for)

MIB = 1 << 20
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")
ARGS = ("--retries", "2", "--timeout", "20s", "--lookup-patience", "1s", "--api-rate", "0")
MEMORY_MIB = 64
GOOD = {"good-a": b"good", "good-b": pattern(3000)}


def memory_kib(process):
    """The most memory that the process ever had, 0 when it is gone."""
    with contextlib.suppress(OSError):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        return int(found[1]) if found else 0
    return 0


def is_sanitized():
    program = (build_dir() / "pxload").read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


class Run:
    """An upload whose memory is watched: .code, .out, .err, .json, .memory_mib."""

    def __init__(self, load, *args):
        log = load.folder / "run.log"
        out = load.folder / "run.out"
        with open(out, "wb") as stdout, open(log, "wb") as stderr:
            self.process = load.start("upload", "--json", "-vv", *args, stdout=stdout,
                                      stderr=stderr)
            most = 0

            def ended():
                nonlocal most
                most = max(most, memory_kib(self.process))
                return os.waitid(os.P_PID, self.process.pid,
                                 os.WEXITED | os.WNOHANG | os.WNOWAIT)
            wait_for(ended, "the end of the run")
            self.code = self.process.wait()
        self.memory_mib = most / 1024
        self.stdout, self.stderr = out.read_bytes(), log.read_bytes()
        self.out = self.stdout.decode(errors="replace")
        self.err = self.stderr.decode(errors="replace")
        self.json = [json.loads(line) for line in self.out.split("\n") if line.startswith("{")]
        assert self.code >= 0, f"ended by signal {-self.code}: {self.err[-3000:]}"
        assert 0 < self.memory_mib
        # A sanitizer's shadow and quarantine are not the program's memory.
        assert self.memory_mib <= MEMORY_MIB or is_sanitized(), f"{self.memory_mib:.0f} MiB"


def cached_token(load):
    """The access token that is in the cache."""
    words = [word for path in pathlib.Path(load.env["XDG_CACHE_HOME"]).rglob("*")
             if path.is_file() for word in path.read_text().split()]
    return max(words, key=len).encode()


def check_secrets(load, run):
    """Neither the token nor a signature is in any output or in the journal."""
    texts = [run.stdout, run.stderr]
    texts += [path.read_bytes() for path in (load.folder / "home/state").rglob("*")
              if path.is_file()]
    token = cached_token(load)
    assert not [text for text in texts if token in text], "the token leaked"
    assert not [text for text in texts if b"X-Amz-Signature=" in text], "a signature leaked"
    assert not [text for text in texts if b"sim-secret" in text], "the secret leaked"


def hostile(folder, bad, sim_args=(), wanted="bad_reply", args=(), size=99, others=GOOD,
            endpoint="request", exit_code=1):
    """One run in which each fault hits a file of its own; {name: row of the report}.

    wanted: the class that each must fail with, or {name: class}; "confirmed" is one, too.
    """
    with sim(folder, *sim_args, "--rate", "0") as server:
        server.faults([{"endpoint": fault.pop("endpoint", endpoint), "name": name, **fault}
                       for name, fault in ((n, dict(f)) for n, f in bad.items())])
        files = {name: pattern(size, n) for n, name in enumerate(bad)}
        tree = make_tree(folder / "tree", {**files, **others})
        load = Pxload(folder, server)
        run = Run(load, *ARGS, *args, tree)
        rows = report(load, tree)
        got = {name: rows[name].get("error_class") or rows[name]["state"] for name in bad}
        want = wanted if isinstance(wanted, dict) else dict.fromkeys(bad, wanted)
        assert got == want, {name: (got[name], want[name], rows[name]) for name in bad
                             if got[name] != want[name]}
        failed = [name for name in bad if want[name] != "confirmed"]
        for name in failed:
            assert len(rows[name]["error"]) >= len("HTTP 400"), f"not clear: {rows[name]}"
        assert run.code == (exit_code if failed else 0), (run.code, run.err[-2000:])
        assert books(run) == (len(files) + len(others), len(files) - len(failed) + len(others), 0,
                              len(failed), 0)
        holds(server, {**{name: files[name] for name in bad if name not in failed}, **others})
        check_secrets(load, run)
        return rows, server.state()


# ---- request-upload ------------------------------------------------------------------------------


def test_huge_and_deep_replies_cost_no_memory(folder):
    bad = {f"huge{n}": {"oversize": 50} for n in range(4)}
    bad |= {"deep": {"deep_json": True}, "deeper": {"deep_json": 1000000},
            "deep-raw": {"status": 200, "body": "[" * 10000},
            "limit": {"deep_json": 33}, "array": {"status": 200, "body": "[1,2]"}}
    rows, state = hostile(folder, bad)
    for name in ("deep", "limit"):
        assert "deep" in rows[name]["error"] or "nest" in rows[name]["error"], rows[name]
    assert "large" in rows["huge0"]["error"], rows["huge0"]


def test_many_huge_replies_at_once_cost_no_memory(folder):
    """As many as there are requests at once; then trees that are larger than their text."""
    for name in ("huge", "dense"):
        (folder / name).mkdir()
    hostile(folder / "huge", {f"huge{n:02}": {"oversize": 50} for n in range(20)})
    values = {"objects": "{},", "arrays": "[],", "numbers": "1,", "strings": '"",'}
    bad = {f"{name}{n}": {"status": 200, "body": "[" + text * (7000000 // len(text)) + "1]"}
           for name, text in values.items() for n in range(2)}
    rows, _ = hostile(folder / "dense", bad)
    assert {rows[name]["error"] for name in bad} == {
        "request-upload: the reply has too many values"}, rows


def test_replies_that_are_no_json(folder):
    bad = {"html": {"status": 200, "body": "html"}, "empty": {"status": 200, "body": "empty"},
           "text": {"status": 200, "body": "OK"}, "xml": {"status": 200, "body": "s3xml"},
           "null": {"status": 200, "body": "null"}, "string": {"status": 200, "body": '"x"'},
           "cut": {"status": 200, "body": '{"upload_data":{"upload_type":"sin'},
           "two": {"status": 200, "body": "{}{}"}, "nan": {"status": 200, "body": '{"a":NaN}'},
           "latin": {"status": 200, "body": '{"upload_type":"single","file_path":"\udce9"}'
                     .encode("utf-8", "replace").decode()},
           "nul": {"status": 200, "body": '{"file_path":"a\\u0000b","upload_type":"single"}'}}
    rows, _ = hostile(folder, bad)
    assert not [row for row in rows.values() if "\x00" in row.get("error", "")]


def test_reply_that_is_cut_is_asked_for_again_then_given_up(folder):
    hostile(folder, {"cut": {"truncate": 30}, "cut-once": {"truncate": 30, "times": 1}},
            wanted={"cut": "network", "cut-once": "confirmed"},
            others={f"good{n:02}": pattern(40, n) for n in range(60)}, args=("--transfers", "2",
                                                                             "--bwlimit", "4K"))


def test_part_plans_that_do_not_fit_the_file(folder):
    kinds = ("overlap", "gap", "exceed", "zero", "10001", "descending")
    rows, state = hostile(folder, {kind: {"bad_parts": kind} for kind in kinds}, PARTS,
                          size=11 * MIB)
    for kind in kinds:
        assert "part" in rows[kind]["error"], rows[kind]
    assert "part" not in state["counts"], state["counts"]


def parts_reply(url, parts, **more):
    return {"status": 200, "body": json.dumps({"upload_data": {
        "upload_type": "multipart", "file_path": "p", "file_name": "n", "upload_id": "u",
        "parts": [{"part_number": number, "upload_url": url, "start_byte": start, "end_byte": end}
                  for number, start, end in parts], **more}})}


def test_part_plans_with_numbers_at_the_edge(folder):
    with peers.door() as door:
        url = f"http://127.0.0.1:{door.port}/x"
        top, low = 2**63 - 1, -2**63
        plans = {
            "top": [(1, 0, top)], "low": [(1, low, 98)], "wrap": [(1, 0, top), (2, low, 98)],
            "past": [(1, 0, 2**64)], "float": [(1, 0, 98.5)], "negative": [(-1, 0, 98)],
            "backwards": [(1, 0, 49), (2, 50, 40)], "same": [(1, 0, 49), (1, 50, 98)],
            "none": [], "number-big": [(2**32 + 1, 0, 98)], "text": [(1, "zero", 98)],
            "null": [(1, None, 98)], "first-late": [(1, 1, 98)], "short": [(1, 0, 97)],
            "many": [(n + 1, n, n) for n in range(10001)],
        }
        hostile(folder, {name: parts_reply(url, plan) for name, plan in plans.items()})
        assert not door.heard, "bytes went out for a plan that does not fit"


def single_reply(url, **more):
    return {"status": 200, "body": json.dumps({"upload_data": {
        "upload_type": "single", "file_path": "p", "file_name": "n", "upload_url": url, **more}})}


def test_urls_of_other_schemes_and_forms_are_not_touched(folder):
    with peers.door() as door:
        here = f"127.0.0.1:{door.port}"
        urls = {
            "ftp": f"ftp://{here}/x", "file": "file:///etc/passwd", "gopher": f"gopher://{here}/x",
            "scp": f"scp://{here}/x", "dict": f"dict://{here}/x", "smtp": f"smtp://{here}/x",
            "no-scheme": f"{here}/x", "relative": "/x", "blank": "", "js": "javascript:alert(1)",
            "userinfo": f"http://user:pass@{here}/x", "at": f"http://s3.example@{here}/x",
            "backslash": f"http://s3.example\\@{here}/x", "fragment": f"http://{here}#@s3/x",
            "crlf": f"http://{here}/x\r\nX-Evil: 1", "space": f"http://{here}/a b",
            "tab": f"http://{here}/\tx", "port": "http://127.0.0.1:99999/x",
            "port-text": "http://127.0.0.1:http/x", "no-host": "http:///x",
            "other-host": "http://s3.example/x", "alike": "http://127.0.0.1.example.com/x",
            "alike2": "http://localhost.example.com/x", "octal": f"http://0177.0.0.1:{door.port}/x",
            "short-ip": f"http://127.1:{door.port}/x",
            "number-ip": f"http://2130706433:{door.port}/",
            "zero-ip": f"http://0.0.0.0:{door.port}/x", "v6-open": f"http://[::1:{door.port}/x",
            "v6-other": "http://[fe80::1]/x", "glob": f"http://{{127.0.0.1,{here}}}/x",
            "utf8": f"http://127。0。0。1:{door.port}/x", "percent": f"http://%31%32%37.0.0.1/x",
            "long": f"http://{here}/" + "x" * 9000, "meta": "http://169.254.169.254/latest/",
        }
        rows, _ = hostile(folder, {name: single_reply(url) for name, url in urls.items()})
        assert not door.heard, door.heard
        assert not [row for row in rows.values() if "pass@" in row.get("error", "")]


def test_url_of_another_port_of_loopback_gets_no_token(folder):
    with peers.lenient_s3() as s3, sim(folder) as server:
        server.faults([{"endpoint": "request", "name": "led", 
                        **single_reply(s3.url + "/led?a=b", file_name="led")},
                       {"endpoint": "confirm", "name": "led", "status": 200, "body": '{"id":"x"}'}])
        tree = make_tree(folder / "tree", {"led": b"led away", **GOOD})
        load = Pxload(folder, server)
        load.upload(*ARGS, tree, expect=(0, 1))
        holds(server, GOOD)
        (path, headers, digest), = s3.puts
        assert (path, digest) == ("/led?a=b", md5(b"led away"))
        lower = {key.lower(): value for key, value in headers.items()}
        assert "authorization" not in lower and "expect" not in lower, headers
        assert cached_token(load).decode() not in str(headers)


def test_types_and_instructions_that_nobody_knows(folder):
    url = "http://127.0.0.1:9/x"
    bad = {"type": {"upload_type": "carrier-pigeon"}, "none": {"no_instructions": True},
           "type-number": single_reply(url, upload_type=1), "no-path": single_reply(
               url, file_path=None), "path-number": single_reply(url, file_path=7),
           "path-long": single_reply(url, file_path="x" * 9000),
           "url-number": single_reply(7), "data-list": {"status": 200, "body":
                                                        '{"upload_data":[]}'},
           "parts-object": {"status": 200, "body": '{"upload_type":"multipart","upload_id":"u",'
                            '"file_path":"p","parts":{}}'},
           "conflict-text": single_reply(url, is_conflict="perhaps"),
           "no-upload-id": parts_reply(url, [(1, 0, 98)], upload_id=None),
           "id-long": parts_reply(url, [(1, 0, 98)], upload_id="u" * 300)}
    hostile(folder, bad)


def test_name_of_a_reply_that_is_too_long_concerns_its_file_alone(folder):
    with peers.lenient_s3() as s3:
        name = "%" * 4000  # three times as long in the path of a look-up
        reply = single_reply(s3.url + "/x", file_name=name)
        with sim(folder) as server:
            server.faults([{"endpoint": "request", "name": "bad", **reply},
                           {"endpoint": "confirm", "name": name, "reset_before": True}])
            tree = make_tree(folder / "tree", {"bad": b"1", **{f"good{n:02}": pattern(9, n)
                                                              for n in range(60)}})
            load = Pxload(folder, server)
            done = load.upload(*ARGS, "--transfers", "2", tree, expect=None)
            rows = report(load, tree)
            assert done.returncode == 1 and rows["bad"]["state"] == "failed", (
                done.returncode, rows["bad"], summary(done))
            assert books(done)[1:] == (60, 0, 1, 0)


def test_name_of_a_reply_that_leads_elsewhere_stays_a_name(folder):
    names = {"up": "../../v2.1/region", "query": "a?limit=1#x", "slash": "/etc/passwd",
             "crlf": "a\r\nX-Evil: 1", "percent": "%2e%2e%2f"}
    with peers.lenient_s3() as s3, sim(folder) as server:
        rules = [{"endpoint": "request", "name": key,
                  **single_reply(s3.url + "/" + key, file_name=name)}
                 for key, name in names.items()]
        # No id: it is looked up by that name.
        rules += [{"endpoint": "confirm", "name": name, "status": 200, "body": "{}"}
                  for name in names.values()]
        server.faults(rules)
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {key: b"1" for key in names})
        load.upload(*ARGS, tree, expect=(0, 1))
        asked = {row["name"] for row in requests(server, "file-search")}
        assert set(counts(server)) <= {"auth", "request-upload", "confirm-upload", "file-search"}
        assert asked <= set(names.values()), asked


def test_doubled_keys_and_numbers_as_text(folder):
    # What cannot be what was meant fails; what can, arrives whole. Nothing in between.
    for n, fault in enumerate(({"duplicate_keys": "first"}, {"duplicate_keys": "last"},
                               {"numbers_as_strings": True})):
        inner = folder / str(n)
        inner.mkdir()
        with sim(inner, *PARTS) as server:
            server.faults([{"endpoint": "request", "name": name, **fault}
                           for name in ("big", "small")])
            files = {"big": pattern(11 * MIB), "small": b"small", **GOOD}
            tree = make_tree(inner / "tree", files)
            load = Pxload(inner, server)
            run = Run(load, *ARGS, tree)
            rows = report(load, tree)
            there = {name: data for name, data in files.items()
                     if rows[name]["state"] == "confirmed"}
            assert set(GOOD) <= set(there)
            holds(server, there)
            for name in set(files) - set(there):
                assert rows[name]["error_class"] in ("bad_reply", "outcome_unknown"), rows[name]
            assert run.code == (0 if len(there) == len(files) else 1)


def test_urls_that_have_expired_already(folder):
    rows, state = hostile(folder, {"always": {"expire_url": True}, "once": {"expire_url": True,
                                                                            "times": 1}},
                          wanted={"always": "url_expired", "once": "confirmed"})
    assert "expired" in rows["always"]["error"], rows["always"]
    assert state["counts"]["request-upload"]["200"] == 2 + 3 + 2, state["counts"]


def test_redirects_lead_nowhere(folder):
    with peers.door() as door, sim(folder) as server:
        there = f"http://127.0.0.1:{door.port}/"
        server.faults([
            {"endpoint": "request", "name": "request", "redirect": there},
            {"endpoint": "put", "name": "put", "redirect": there},
            {"endpoint": "confirm", "name": "confirm", "redirect": there},
            {"endpoint": "request", "name": "301", "status": 301, "headers": {"Location": there}},
            {"endpoint": "request", "name": "302", "status": 302, "headers": {"Location": there}},
            {"endpoint": "put", "name": "308", "status": 308, "headers": {"Location": there}},
            {"endpoint": "request", "name": "refresh", "status": 200, "body": "html",
             "headers": {"Refresh": f"0; url={there}"}}])
        bad = ("request", "put", "confirm", "301", "302", "308", "refresh")
        tree = make_tree(folder / "tree", {**{name: pattern(20) for name in bad}, **GOOD})
        load = Pxload(folder, server)
        run = Run(load, *ARGS, tree)
        rows = report(load, tree)
        for name in bad:
            assert rows[name]["error_class"] == "bad_reply", rows[name]
            if name != "refresh":
                assert rows[name]["http_status"] in (301, 302, 307, 308), rows[name]
        assert run.code == 1 and books(run)[1] == len(GOOD)
        holds(server, GOOD)
        assert not door.heard, door.heard
        check_secrets(load, run)


def test_redirect_of_the_token_request_gives_no_secret_away(folder):
    with peers.door() as door, sim(folder) as server:
        server.faults([{"endpoint": "auth", "redirect": f"http://127.0.0.1:{door.port}/"}])
        load = Pxload(folder, server)
        done = load.upload(*ARGS, make_tree(folder / "tree", GOOD), expect=None)
        assert done.returncode in (4, 7), (done.returncode, done.err)
        assert not door.heard and not server.files()
        assert summary(done)["queued"] == len(GOOD)


# ---- auth and regions ----------------------------------------------------------------------------


TOKEN_REPLIES = {
    "huge": {"oversize": 50}, "deep": {"deep_json": True}, "html": {"status": 200, "body": "html"},
    "empty": {"status": 200, "body": "{}"}, "number": {"status": 200,
                                                       "body": '{"access_token":7}'},
    "blank": {"status": 200, "body": '{"access_token":""}'},
    "crlf": {"status": 200, "body": '{"access_token":"a\\r\\nX-Evil: 1","token_type":"bearer"}'},
    "long": {"status": 200, "body": json.dumps({"access_token": "t" * 200000})},
    "type": {"status": 200, "body": '{"access_token":"tok","token_type":"mac"}'},
}


def test_token_replies_that_are_none_stop_the_run(folder):
    with sim(folder, audit=False) as server:
        tree = make_tree(folder / "tree", GOOD)
        load = Pxload(folder, server)
        for name, fault in TOKEN_REPLIES.items():
            server.clear_faults()
            server.faults([{"endpoint": "auth", **fault}])
            run = Run(load, *ARGS, tree)
            assert run.code in (4, 7), (name, run.code, run.err[-1000:])
            assert "ERROR" in run.err and summary(run)["queued"] == len(GOOD), (name, run.err)
            assert set(counts(server)) == {"auth"}, (name, counts(server))
        server.clear_faults()
        load.upload(tree)
        holds(server, GOOD)


def test_expiry_of_a_token_that_is_no_time_does_no_harm(folder):
    lives = ('"soon"', "-1", "1e400", "null", "[]", '"99999999999999999999"', "0")
    for n, life in enumerate(lives):
        inner = folder / str(n)
        inner.mkdir()
        with sim(inner, audit=False) as server:
            load = Pxload(inner, server)
            load.run("auth")
            token = cached_token(load).decode()
            for path in pathlib.Path(load.env["XDG_CACHE_HOME"]).rglob("*"):
                if path.is_file():
                    path.unlink()
            server.faults([{"endpoint": "auth", "status": 200, "body":
                            f'{{"access_token":"{token}","expires_in":{life}}}'}])
            done = load.upload(*ARGS, make_tree(inner / "tree", GOOD), expect=(0, 4, 7))
            assert summary(done)["balanced"], life
            if done.returncode == 0:
                holds(server, GOOD)


def test_region_lists_that_are_none_stop_the_run_with_words(folder):
    with sim(folder) as server:
        tree = make_tree(folder / "tree", GOOD)
        load = Pxload(folder, server)
        for fault in ({"oversize": 50}, {"deep_json": True}, {"status": 200, "body": "html"},
                      {"status": 200, "body": '{"a":1}'}, {"status": 200, "body": "[[],1,null]"}):
            server.clear_faults()
            server.faults([{"endpoint": "list", **fault}])
            run = Run(load, *ARGS, "--region", "EU", tree)
            assert run.code not in (0, 1) and "region" in run.err, (fault, run.code, run.err)
            assert not server.files()


# ---- S3 ------------------------------------------------------------------------------------------


def test_etags_that_are_wrong_missing_or_strange(folder):
    long = '"' + "e" * 600 + '"'
    bad = {"wrong": {"wrong_etag": True}, "none": {"no_etag": True},
           "kms": {"kms_header": True},
           "long": {"no_etag": True, "headers": {"ETag": long}},
           "blank": {"no_etag": True, "headers": {"ETag": ""}}}
    hostile(folder, bad, endpoint="put", wanted={
        "wrong": "etag_mismatch", "none": "bad_reply", "kms": "confirmed", "long": "bad_reply",
        "blank": "bad_reply"})


def test_wrong_etag_of_a_part_is_that_file_alone(folder):
    hostile(folder, {"wrong": {"wrong_etag": True, "endpoint": "part"},
                     "kms": {"kms_header": True, "endpoint": "part"}}, PARTS, size=6 * MIB,
            wanted={"wrong": "etag_mismatch", "kms": "confirmed"})


def test_kms_is_refused_where_every_etag_must_fit(folder):
    hostile(folder, {"kms": {"kms_header": True}}, endpoint="put", args=("--verify-etag", "always"),
            wanted="etag_mismatch")


def test_error_pages_of_s3_that_are_huge_or_broken(folder):
    bad = {"huge": {"status": 400, "body": "s3xml", "oversize": 50},
           "open": {"status": 400, "body": "<Error><Code>Slow"},
           "entities": {"status": 400, "body": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">'
                        ']><Error><Code>&b;</Code></Error>'},
           "external": {"status": 400, "body": '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Error>'
                        "<Code>&x;</Code></Error>"},
           "deep": {"status": 400, "body": "<a>" * 20000},
           "terminal": {"status": 400, "body": "<Error><Code>A</Code><Message>\x1b]0;owned\x07\x1b"
                        "[2J</Message></Error>"}}
    rows, _ = hostile(folder, bad, endpoint="put",
                      wanted={**dict.fromkeys(bad, "s3_refused"), "huge": "bad_reply"})
    assert not [row for row in rows.values() if "\x1b" in json.dumps(row, ensure_ascii=False)]
    assert "root:" not in json.dumps(rows)


def test_early_403_and_close_names_the_file(folder):
    rows, _ = hostile(folder, {"small": {"early_403_close": True}}, endpoint="put",
                      wanted="s3_refused")
    assert rows["small"]["http_status"] == 403, rows["small"]


def test_early_403_and_close_of_a_large_file_names_it(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "name": "large", "early_403_close": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"large": pattern(12 * MIB), **GOOD})
        done = load.upload(*ARGS, "--retries", "4", tree, expect=None)
        row = report(load, tree).get("large")
        assert done.returncode == 1 and row["error_class"] == "s3_refused", (row, summary(done))
        holds(server, GOOD)


def test_early_403_and_close_over_tls_is_learnt_in_the_end(folder):
    ca = peers.make_ca(folder)
    # The third try asks first: Expect is lawful there.
    with peers.tls_sim(folder, peers.make_cert(folder, ca), breaches={"expect_header"}) as server:
        server.faults([{"endpoint": "put", "name": "large", "early_403_close": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"large": pattern(12 * MIB), **GOOD})
        done = load.upload(*ARGS, "--retries", "4", "--ca-cert", ca[0], tree, expect=None)
        row = report(load, tree).get("large")
        assert done.returncode == 1 and row["error_class"] == "s3_refused", (row, summary(done))
        holds(server, GOOD)


def test_words_of_the_server_are_tame(folder):
    evil = "\x1b[31mred\x1b]0;title\x07 \r\nERROR forged \u202e bidi \x9b2J " + "long " * 2000
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "name": "evil", "status": 400, "code": "\x1b[2J",
                        "message": evil, "headers": {"x-request-id": "a" * 5000}}])
        tree = make_tree(folder / "tree", {"evil": b"1", **GOOD})
        load = Pxload(folder, server)
        run = Run(load, *ARGS, tree)
        row = report(load, tree)["evil"]
        assert row["error_class"] == "bad_request" and len(row["error"]) < 512, row
        for text in (run.out, run.err, row["error"]):
            assert not set(text) & {"\x1b", "\x07", "\x9b", "\r"}, text[-2000:]
        assert not [line for line in run.err.split("\n") if line.startswith("ERROR forged")]
        for form in ("csv", "html", "ndjson"):
            text = load.run("report", load.journal(), "--format", form, expect=None).stdout
            assert b"\x1b" not in text, form


# ---- confirm and look-ups ------------------------------------------------------------------------


def test_confirm_replies_that_are_none_are_looked_up_not_repeated(folder):
    faults = {"huge": {"oversize": 50}, "deep": {"deep_json": True}, "cut": {"truncate": 9},
              "html": {"after": True, "status": 200, "body": "html"},
              "empty": {"after": True, "status": 200, "body": "empty"},
              "number": {"after": True, "status": 200, "body": "7"},
              "no-id": {"after": True, "status": 200, "body": "{}"},
              "id-long": {"after": True, "status": 200, "body": json.dumps({"id": "i" * 5000})},
              "id-object": {"after": True, "status": 200, "body": '{"id":{"id":1}}'},
              "doubled": {"duplicate_keys": "first"}}
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "name": name, **fault}
                       for name, fault in faults.items()])
        files = {**{name: pattern(77, n) for n, name in enumerate(faults)}, **GOOD}
        tree = make_tree(folder / "tree", files)
        load = Pxload(folder, server)
        run = Run(load, *ARGS, tree)
        assert run.code == 0, run.err[-3000:]
        held = holds(server, files)
        confirmed = [row["name"] for row in requests(server, "confirm-upload")]
        assert sorted(confirmed) == sorted(files), confirmed
        for name, row in report(load, tree).items():
            assert row["file_id"] == held[name]["id"], row


def test_search_replies_that_are_hostile_end_as_outcome_unknown(folder):
    faults = {"huge": {"oversize": 50}, "deep": {"deep_json": True},
              "html": {"status": 200, "body": "html"}, "odd": {"status": 200, "body": '{"x":1}'}}
    rules = [{"endpoint": "search", "name": name, **fault} for name, fault in faults.items()]
    rules += [{"endpoint": "confirm", "name": name, "reset_after": True} for name in faults]
    with sim(folder) as server:
        server.faults(rules)
        files = {**{name: pattern(77, n) for n, name in enumerate(faults)}, **GOOD}
        tree = make_tree(folder / "tree", files)
        load = Pxload(folder, server)
        run = Run(load, *ARGS, tree)
        rows = report(load, tree)
        assert {rows[name]["error_class"] for name in faults} == {"outcome_unknown"}, rows
        assert run.code == 1
        confirmed = [row["name"] for row in requests(server, "confirm-upload")]
        assert sorted(confirmed) == sorted(files), confirmed
        holds(server, files)


def test_search_replies_with_strangers_are_not_taken_for_the_file(folder):
    def record(**more):
        return {"id": "stranger", "file_name": "mine", "file_size": 77,
                "created_date": "2999-01-01T00:00:00Z", **more}
    strangers = {"other-name": [record(file_name="not-mine")],
                 "other-size": [record(file_size=78)], "no-size": [record(file_size=None)],
                 "old": [record(created_date="2001-01-01T00:00:00Z")],
                 "text-size": [record(file_size="many")]}
    for n, (kind, hits) in enumerate(strangers.items()):
        inner = folder / str(n)
        inner.mkdir()
        with sim(inner) as server:
            server.faults([{"endpoint": "confirm", "times": 1, "reset_before": True},
                           {"endpoint": "search", "times": 1, "status": 200,
                            "body": json.dumps(hits)}])
            load = Pxload(inner, server)
            tree = make_tree(inner / "tree", {"mine": pattern(77)})
            load.upload(*ARGS, tree)
            held = holds(server, {"mine": pattern(77)})
            row = report(load, tree)["mine"]
            assert row["file_id"] == held["mine"]["id"], (kind, row)


def test_headers_without_end_cost_no_memory(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "name": "wide", "headers": {
            f"X-Wide-{n}": "w" * 25000 for n in range(8)}}])
        tree = make_tree(folder / "tree", {"wide": b"1", **GOOD})
        load = Pxload(folder, server)
        run = Run(load, *ARGS, tree)
        assert run.code in (0, 1)
        assert set(GOOD) <= set(server.files())
