"""--manifest: what single files are to be in PXM, row by row, and what becomes of bad rows."""
import csv
import io
import json
import os
import unicodedata

from moments import kill, output, query, reach
from pxm import (Pxload, api_requests, books, counts, holds, make_tree, pattern, preload, report,
                 sim, small_tree, summary)
from test_memory import MORE_KIB, is_sanitized, peak_kib
from world import Clock


def nfd(text):
    return unicodedata.normalize("NFD", text)


def api(server, method, path, body=None):
    """A call as the API's users make it."""
    import base64
    import urllib.request
    if not hasattr(server, "token"):
        secret = base64.b64encode(b"tester:sim-secret").decode()
        call = urllib.request.Request(server.api + "/v2/oauth/authorize", method="POST",
                                      data=b'{"grant_type":"client_credentials"}',
                                      headers={"Authorization": "Basic " + secret,
                                               "Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=30) as reply:
            server.token = json.load(reply)["access_token"]
    call = urllib.request.Request(server.api + path, method=method,
                                  data=json.dumps(body).encode() if body else None,
                                  headers={"Authorization": "Bearer " + server.token,
                                           "Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=30) as reply:
        return json.load(reply)


def collection(server, name):
    return api(server, "POST", "/v2.1/collection", {"name": name})["id"]


def regions(server):
    return {row["name"]: row["id"] for row in api(server, "GET", "/v2.1/region")}


def attributes(record):
    return {row["label"]: row["value"] for row in record["attributes"]}


def write(folder, text, name="m.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def failures(load, tree, journal=None):
    """{path: error} of the files that failed by the manifest."""
    return {path: row["error"] for path, row in report(load, tree, journal).items()
            if row["state"] == "failed" and row["error_class"] == "manifest"}


FILES = {"a/x.jpg": b"x", "a/same.bin": b"s1", "b/same.bin": b"s2", "b/deep/y.png": b"yy",
         nfd("ü/é.txt"): b"eee", "unique.pdf": b"pdf!", "alone.txt": b"none"}


def test_rows_shape_their_files_and_one_put_carries_all(folder):
    tree = make_tree(folder / "tree", FILES)
    with sim(folder) as server:
        summer, winter = collection(server, "Summer"), collection(server, "Winter")
        where = regions(server)
        one, other = sorted(where)[:2]
        manifest = write(folder, (
            "\ufeffPath;name;File Name;collections;regions;published;publish_start;publish_end;"
            "attribute:Description;attribute:Weight;attribute:In Stock;attribute:Launch Date;"
            "attribute:Keywords;attribute:Color\r\n"
            f"a/x.jpg;;X one.jpg;\"Summer; {winter}\";{one};yes;2031-02-03;2032-01-01;"
            "\"two\r\nlines; \"\"q\"\"\";1.50;no;2024-02-29;\"k1;k 2; k3\";Light\r\n".replace(
                "Light", "Red")
            + f"./ü/é.txt;;;;\"{where[other]};{one}\";true;;;;;;;;\r\n"
            ";unique.pdf;;Winter;;;;;;;;;;Blue\r\n"
            "b/same.bin;same.bin;same 2.bin;;;false;;;;;;;;\r\n"
            "gone/z.jpg;;;;;;;;;;;;;\r\n"))
        load = Pxload(folder, server)
        made = api_requests(server)
        args = ("--manifest", manifest, "--region", other, tree)
        plan = summary(load.run("plan", "--json", *args))
        assert api_requests(server) == made, "a plan asks for nothing"
        assert (plan["requests_links"], plan["requests_lists"]) == (2, 3), plan
        done = load.upload(*args)
        assert books(done) == (7, 7, 0, 0, 0)
        total = summary(done)
        for told in (plan, total):
            assert (told["manifest_rows"], told["manifest_files"], told["rows_without_file"],
                    told["files_without_row"]) == (5, 4, 1, 3), told
        assert api_requests(server) - made == plan["requests"] == total["requests"]
        n = counts(server)
        assert (n["attribute-list"], n["collection-list"], n["file-update"]) == (1, 1, 2)
        assert "file-get" not in n, "a file that is new has nothing to be read"
        held = holds(server, {"X one.jpg": b"x", "same.bin": b"s1", "same 2.bin": b"s2",
                              "y.png": b"yy", "é.txt": b"eee", "unique.pdf": b"pdf!",
                              "alone.txt": b"none"})
        first = held["X one.jpg"]
        assert attributes(first) == {
            "Description": "two\r\nlines; \"q\"", "Weight": 1.5, "In Stock": False,
            "Launch Date": "2024-02-29", "Keywords": ["k1", "k 2", "k3"], "Color": "Red"}
        assert sorted(first["collections"]) == sorted([summer, winter])
        assert (first["published"], first["published_start_date"][:10],
                first["published_end_date"][:10]) == (True, "2031-02-03", "2032-01-01")
        assert first["region_ids"] == [where[one]]
        assert held["é.txt"]["published"] and not held["same 2.bin"]["published"]
        assert sorted(held["é.txt"]["region_ids"]) == sorted([where[one], where[other]])
        assert held["unique.pdf"]["collections"] == [winter]
        assert attributes(held["unique.pdf"]) == {"Color": "Blue"}
        # Without a row, or without a word of it, the run's flags hold.
        for name in ("alone.txt", "unique.pdf", "same.bin"):
            assert held[name]["region_ids"] == [where[other]] and not held[name]["published"]
        rows = report(load, tree)
        assert {path: row.get("manifest_line") for path, row in rows.items()} == {
            "a/x.jpg": 2, nfd("ü/é.txt"): 4, "unique.pdf": 5, "b/same.bin": 6, "a/same.bin": None,
            "b/deep/y.png": None, "alone.txt": None}
        listed = load.run("report", load.journal(), "--format", "ndjson").json
        assert [(row["line"], row["path"]) for row in listed
                if row["message_type"] == "manifest_row"] == [(7, "gone/z.jpg")]
        table = list(csv.DictReader(io.StringIO(load.run("report", load.journal()).out)))
        assert [(row["Source"], row["ManifestLine"]) for row in table
                if row["State"] == "manifest_row"] == [("gone/z.jpg", "7")]


def test_lists_of_a_server_that_gives_fewer_rows_than_asked_for_are_read_whole(folder):
    with sim(folder, "--quirk", "page_max=25") as server:
        ids = [collection(server, f"C{n}") for n in range(60)]
        tree = make_tree(folder / "tree", {"a.bin": b"a"})
        manifest = write(folder, "path,collections\na.bin,C59\n")
        load = Pxload(folder, server)
        assert books(load.upload("--manifest", manifest, tree)) == (1, 1, 0, 0, 0)
        assert server.files()["a.bin"]["collections"] == [ids[59]]


def test_what_others_write_while_a_link_is_held_back_is_not_lost(folder):
    with sim(folder) as server:
        summer, winter = collection(server, "Summer"), collection(server, "Winter")
        labels = {row["label"]: row["id"] for row in api(server, "GET", "/v2.1/attribute")}
        old = preload(server, {"old.bin": 7})["old.bin"]
        tree = make_tree(folder / "tree", {"old.bin": b"replaced"})
        load = Pxload(folder, server)
        clock = Clock(load)
        manifest = write(folder, "path,collections,attribute:Color\nold.bin,Summer,Red\n")
        server.faults([{"endpoint": "write", "times": 1, "status": 429, "retry_after": 30}])
        process = load.start("upload", "--json", "--on-conflict", "version", "--manifest",
                             manifest, tree)
        reach(process, lambda: counts(server).get("file-update", 0) >= 1, "a link that is refused")
        theirs = {"collections": [{"id": winter}],
                  "attributes": [{"id": labels["Weight"], "type": "update", "value": 3}]}
        api(server, "PUT", f"/v2.1/file/{old}", theirs)
        clock.sleep(40)
        out, err = output(process)
        assert process.returncode == 0, (out, err)
        held = server.files()
        assert sorted(held["old.bin"]["collections"]) == sorted([summer, winter])
        assert attributes(held["old.bin"]) == {"Color": "Red", "Weight": 3}


BAD = {f"f{n:02}.bin": b"%d" % n for n in range(16)}
BAD.update({"a/twin.bin": b"t1", "b/twin.bin": b"twin 2"})
ROWS = [  # file, its cells, what its failure says; None: it is fine
    ("f00.bin", {"attributes": {"Color": "red"}}, "did you mean 'Red'?"),
    ("f01.bin", {"attributes": {"Color": "Mauve"}}, "it has: Red, Green, Blue"),
    ("f02.bin", {"attributes": {"Weight": "1,5"}}, "is no number"),
    ("f03.bin", {"attributes": {"Launch Date": "2026-02-30"}}, "write YYYY-MM-DD"),
    ("f04.bin", {"attributes": {"In Stock": "maybe"}}, "neither true nor false"),
    ("f05.bin", {"attributes": {"Description": ["a", "b"]}}, "one value, not 2"),
    ("f06.bin", {"attributes": {"Colour": "Red"}}, "did you mean 'Color'?"),
    ("f07.bin", {"collections": "Sumer"}, "did you mean 'Summer'?"),
    ("f08.bin", {"collections": "Twice"}, "2 collections of the name 'Twice'"),
    ("f09.bin", {"regions": ["nowhere at all"]}, "PXM has no region"),
    ("f10.bin", {"published": "perhaps"}, "neither true nor false"),
    ("f11.bin", {"publish_start": "2026-01-01"}, "write true into column published"),
    ("f12.bin", {"published": True, "publish_start": "2026-02-01", "publish_end": "2026-01-01"},
     "is before publish_start"),
    ("f13.bin", {"file_name": "a/b"}, "has a '/'"),
    ("f14.bin", {}, "lines 15 and 16 are for the same file"),
    ("f14.bin", {}, "lines 15 and 16 are for the same file"),
    ("f15.bin", {"attributes": {"Keywords": ["a;b"], "Weight": 2}, "collections": ["Summer"]},
     None),
]


def test_a_bad_row_is_its_files_failure_and_a_corrected_one_goes(folder):
    tree = make_tree(folder / "tree", BAD)
    with sim(folder) as server:
        summer = collection(server, "Summer")
        collection(server, "Other")
        parents = [api(server, "POST", "/v2.1/category", {"name": name})["id"] for name in "pq"]
        for parent in parents:
            api(server, "POST", "/v2.1/collection", {"name": "Twice", "parent_id": parent})
        lines = [{"path": path, **cells} for path, cells, _ in ROWS]
        lines += [{"name": "twin.bin", "published": True}, {"regions": "x"}]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        manifest = write(folder, text, "m.ndjson")
        load = Pxload(folder, server)
        args = ("--manifest", manifest, tree)
        # What needs no network is judged by the plan.
        offline = load.run("plan", "--json", *args, expect=3,
                           env={"PXLOAD_BASE_URL": "http://127.0.0.1:9"})
        assert summary(offline)["failed_by_class"] == {"manifest": 7}, summary(offline)
        done = load.upload(*args, expect=1)
        assert books(done) == (18, 1, 0, 17, 0)
        assert summary(done)["failed_by_class"] == {"manifest": 17}
        holds(server, {"f15.bin": b"15"})
        assert server.files()["f15.bin"]["collections"] == [summer]
        assert attributes(server.files()["f15.bin"]) == {"Keywords": ["a;b"], "Weight": 2}
        failed = failures(load, tree)
        for number, (path, _, words) in enumerate(ROWS, 1):
            if words:
                assert words in failed[path], (path, failed[path])
                assert f"line {number}" in failed[path] or path == "f14.bin", failed[path]
        for path in ("a/twin.bin", "b/twin.bin"):
            assert "2 files bear the name 'twin.bin'" in failed[path], failed[path]
        unused = [row for row in load.run("report", load.journal(), "--format", "ndjson").json
                  if row["message_type"] == "manifest_row"]
        assert [row["line"] for row in unused] == [16, 19], unused
        assert "neither path nor name" in unused[1]["error"]
        assert {row["error_class"] for row in done.json
                if row["message_type"] == "file" and row["state"] == "failed"} == {"manifest"}
        # A retry reads the manifest again, and only then do they go.
        load.run("retry", load.journal(), "-q", expect=1)
        assert len(server.files()) == 1
        good = [{"path": path, "attributes": {"Color": "Red"}} for path in BAD
                if "twin" not in path and path != "f15.bin"]
        good += [{"path": "f15.bin", "collections": "Summer", "attributes":
                  {"Keywords": ["a;b"], "Weight": 2}}, {"path": "a/twin.bin"},
                 {"path": "b/twin.bin", "file_name": "twin 2.bin"}]
        write(folder, "".join(json.dumps(line) + "\n" for line in good), "m.ndjson")
        before = counts(server)["file-update"]
        load.run("retry", "--only", "manifest", load.journal())
        wanted = {os.path.basename(path): data for path, data in BAD.items()}
        wanted.update({"twin.bin": b"t1", "twin 2.bin": b"twin 2"})
        held = holds(server, wanted)
        assert counts(server)["file-update"] - before == 15, "f15.bin was as it should be"
        assert all(attributes(held[name]) == {"Color": "Red"} for name in held
                   if "twin" not in name and name != "f15.bin")


def test_a_manifest_that_is_broken_begins_nothing(folder):
    _, tree = small_tree(folder)
    broken = {b"": "it is empty", b"a,b\n1,2\n": "unknown column 'a'",
              b"collections\nx\n": "path or name",
              b"path,colections\nx,y\n": "did you mean 'collections'?",
              b"path\n\"f000.bin\n": "do not end", b"path\nM\xfcller\n": "Latin-1",
              "path\nf000.bin\n".encode("utf-16"): "UTF-16", b"[{}]": "one object a line"}
    with sim(folder) as server:
        load = Pxload(folder, server)
        for data, words in broken.items():
            for verb in ("plan", "upload"):
                done = load.run(verb, "--manifest", write(folder, data), tree, expect=2)
                assert words in done.err and "m.csv" in done.err, (words, done.err)
        assert "No such file" in load.run("upload", "--manifest", folder / "no.csv", tree,
                                          expect=2).err
        assert not api_requests(server), "something was asked for"
        assert not list((folder / "home/state/pxload/jobs").glob("*.journal"))
        # A column that the tenant does not have is known only there; still no file is begun.
        unknown = write(folder, "path,attribute:Colour\nf000.bin,Red\n")
        done = load.upload("--manifest", unknown, tree, expect=2)
        assert "attribute:Colour" in done.err and "'Color'" in done.err, done.err
        assert "request-upload" not in counts(server) and not server.files()
        write(folder, "path,attribute:Color\nf000.bin,Red\n")
        assert books(load.upload("--manifest", unknown, tree))[:2] == (3, 3)
        assert attributes(server.files()["f000.bin"]) == {"Color": "Red"}


def test_a_changed_manifest_changes_what_it_says_and_nothing_else(folder):
    files, tree = small_tree(folder, 6)
    with sim(folder) as server:
        kept, summer = collection(server, "Kept"), collection(server, "Summer")
        ids = preload(server, {"f000.bin": 7})
        photographer = next(row["id"] for row in api(server, "GET", "/v2.1/attribute?limit=100")
                            if row["label"] == "Photographer")
        api(server, "PUT", "/v2.1/file/" + ids["f000.bin"], {
            "collections": [{"id": kept}],
            "attributes": [{"id": photographer, "type": "update", "value": "Ann"}]})
        manifest = write(folder, "path,collections,attribute:Color\nf000.bin,Summer,Red\n"
                                 "f001.bin,,Green\nf002.bin,Summer,\n")
        load = Pxload(folder, server)
        args = ("--on-conflict", "overwrite", "--manifest", manifest, tree)
        load.upload(*args)
        held = holds(server, files)
        # What was there before is merged, never replaced.
        assert held["f000.bin"]["id"] == ids["f000.bin"]
        assert sorted(held["f000.bin"]["collections"]) == sorted([kept, summer])
        assert attributes(held["f000.bin"]) == {"Photographer": "Ann", "Color": "Red"}
        # Nothing has changed: nothing is asked for, the lists neither.
        before = counts(server)
        load.upload(*args)
        assert counts(server) == before
        # One row changed, one is new, one is gone: two files are linked, none is sent. What was
        # linked before is read first; a file that was made a moment ago has nothing yet.
        write(folder, "path,collections,attribute:Color\nf000.bin,Summer,Blue\n"
                      "f001.bin,,Green\nf003.bin,Kept,\n")
        done = load.upload(*args)
        after = counts(server)
        assert {name: after[name] - before.get(name, 0) for name in after
                if after[name] != before.get(name, 0)} == {
                    "attribute-list": 1, "collection-list": 1, "file-get": 1, "file-update": 2}
        assert books(done) == (6, 6, 0, 0, 0) and summary(done)["files_without_row"] == 3
        held = holds(server, files)
        assert attributes(held["f000.bin"]) == {"Photographer": "Ann", "Color": "Blue"}
        assert held["f003.bin"]["collections"] == [kept]
        assert held["f002.bin"]["collections"] == [summer], "what was given is not taken away"
        # A row that turns bad fails its file, which stays in PXM; made good, it is as before.
        write(folder, "path,attribute:Color\nf001.bin,Pink\n")
        done = load.upload(*args, expect=1)
        assert summary(done)["failed_by_class"] == {"manifest": 1}
        assert attributes(holds(server, files)["f001.bin"]) == {"Color": "Green"}
        write(folder, "path,attribute:Color,collections\nf001.bin,Green,\nf002.bin,,Kept\n")
        assert books(load.upload(*args)) == (6, 6, 0, 0, 0)
        assert sorted(server.files()["f002.bin"]["collections"]) == sorted([kept, summer])
        puts = counts(server)["put"]
        # Without the manifest the job goes on as any other.
        load.upload("--on-conflict", "overwrite", tree)
        assert counts(server)["put"] == puts == len(files)
        assert not query(load.journal(), "SELECT * FROM manifest")


def test_kills_leave_every_file_as_its_row_says_once(folder):
    files, tree = small_tree(folder, 12)
    with sim(folder) as server:
        summer = collection(server, "Summer")
        rows = "".join(f"{name},n-{name},Summer,Green,yes\n" for name in files)
        manifest = write(folder, "path,file_name,collections,attribute:Color,published\n" + rows)
        load = Pxload(folder, server)
        journal = folder / "job.journal"
        args = ("upload", "--json", "--journal", journal, "--manifest", manifest,
                "--timeout", "5s", "--lookup-patience", "1s", "--api-concurrency", "1", tree)
        # At a page of its lists, a confirm, a link; one call at a time, so that all else waits.
        for rule in ({"endpoint": "list", "nth": 2}, {"endpoint": "confirm", "nth": 4},
                     {"endpoint": "write", "nth": 2}):
            server.faults([{**rule, "stall": 60000, "after": True, "times": 1}])
            process = load.start(*args)
            reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"] > 0, rule)
            kill(process)
            server.clear_faults()
        # The journal has all that the manifest said: it is not needed any more.
        if query(journal, "SELECT 1 FROM control WHERE key = 'walk_complete' AND value = 1"):
            manifest.unlink()
        load.run("resume", "-q", "--lookup-patience", "1s", journal)
        held = holds(server, {"n-" + name: data for name, data in files.items()})
        assert all(record["published"] and record["collections"] == [summer] and
                   attributes(record) == {"Color": "Green"} for record in held.values())
        assert not server.state(files=False)["duplicates"]


def test_target_names_meet_the_policies_and_change_until_the_file_is_sent(folder):
    tree = make_tree(folder / "tree", {"a/1.bin": b"1", "b/2.bin": b"22", "c/3.bin": b"333"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        manifest = write(folder, "path,file_name\na/1.bin,one\nb/2.bin,one\nc/3.bin,3.bin\n")
        args = ("--manifest", manifest, tree)
        done = load.upload(*args, expect=1)
        assert summary(done)["failed_by_class"] == {"name_collision": 1}
        holds(server, {"one": b"1", "3.bin": b"333"})
        write(folder, "path,file_name\na/1.bin,other\nb/2.bin,two\n")
        load.upload(*args)
        holds(server, {"one": b"1", "two": b"22", "3.bin": b"333"})
    with sim(folder) as server:
        write(folder, "path,file_name\na/1.bin,one\nb/2.bin,one\n")
        for policy, names in (("unique", {"one": b"1", "b--one": b"22", "3.bin": b"333"}),):
            load = Pxload(folder, server)
            load.upload("--name-policy", policy, "--journal", folder / policy, *args)
            holds(server, names)
        load.upload("--name-policy", "path", "--journal", folder / "path", *args, expect=1)
        assert "c--3.bin" in server.files() and "a--one" not in server.files()


def test_folders_and_manifest_share_one_put(folder):
    tree = make_tree(folder / "tree", {"sub/a.bin": b"1", "sub/b.bin": b"22"})
    with sim(folder) as server:
        summer = collection(server, "Summer")
        manifest = write(folder, "path,collections,attribute:Color\nsub/a.bin,Summer,Red\n")
        Pxload(folder, server).upload("--map-folders", "tree", "--manifest", manifest, tree)
        state = server.state()
        names = {row["id"]: row["name"] for row in state["collections"]}
        held = {row["name"]: row for row in state["files"]}
        assert sorted(names[key] for key in held["a.bin"]["collections"]) == ["Summer", "sub"]
        assert [names[key] for key in held["b.bin"]["collections"]] == ["sub"]
        assert attributes(held["a.bin"]) == {"Color": "Red"} and summer in names
        assert counts(server)["file-update"] == 2


ODD = {"plain.jpg": b"1", "with, comma.jpg": b"2", "quo\"te.jpg": b"3", " lead and trail ": b"4",
       "=formula.csv": b"5", "-dash/+plus.txt": b"6", "new\nline.txt": b"7", nfd("é/ü.txt"): b"8",
       "semi;colon\ttab.txt": b"9", "@at": b"10", b"bad\xff/good.txt": b"11",
       "\u65e5\u672c.tif": b"12"}


def test_the_template_filled_in_is_a_manifest(folder):
    tree = make_tree(folder / "tree", ODD)
    out = tree / "template.csv"
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.run("manifest", "--template", tree, "-o", out)
        kept = out.read_bytes()
        assert "not overwritten" in load.run("manifest", tree, "-o", out, expect=2).err
        assert out.read_bytes() == kept and kept.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(kept.decode("utf-8-sig"), newline="")))
        assert len(rows) == len(ODD), "each file once, itself not"
        assert list(rows[0])[:8] == ["path", "name", "file_name", "collections", "regions",
                                     "published", "publish_start", "publish_end"]
        assert "attribute:Launch Date" in rows[0] and len(rows[0]) == 8 + 7
        assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")
                    if cell], "a spreadsheet would take it for a formula"
        for row in rows:
            row["attribute:Color"] = "Green"
        with open(folder / "filled.csv", "w", newline="") as filled:
            writer = csv.DictWriter(filled, rows[0].keys(), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
        os.remove(out)
        done = load.upload("--manifest", folder / "filled.csv", tree)
        assert summary(done)["manifest_files"] == len(ODD) and not summary(done)["rows_without_file"]
        assert all(attributes(record) == {"Color": "Green"} for record in server.files().values())
        # Without the tenant it is written all the same, and to stdout.
        done = load.run("manifest", tree, env={"PXLOAD_BASE_URL": "http://127.0.0.1:9"})
        assert done.out.count("attribute:") == 0 and "plain.jpg" in done.out, done.err


def test_ten_thousand_rows_need_no_more_memory_than_a_hundred(folder):
    if is_sanitized():
        print("skipped: a sanitizer's build", flush=True)
        return
    tree = make_tree(folder / "tree", {"f.bin": b"x"})
    load = Pxload(folder)
    peaks = {}
    for count in (100, 10_000):
        rows = "".join(f"d{i % 97}/f{i:06}.bin,n{i}.bin,\"{'word;' * 20}\",{'x' * 300}\n"
                       for i in range(count))
        manifest = write(folder, "path,file_name,attribute:K,attribute:D\n" + rows, f"{count}.csv")
        peaks[count] = peak_kib(load, "plan", "--json", "--manifest", manifest, tree)
    print(f"peak RSS by number of rows: {peaks} KiB", flush=True)
    assert peaks[10_000] - peaks[100] <= MORE_KIB, peaks
