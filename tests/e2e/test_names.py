"""Names that are odd, equal, too long or no text at all."""
import os
import unicodedata

from pxm import Pxload, books, holds, make_tree, pattern, report, requests, sim, summary

ODD = ["with space.txt", " lead and trail ", "#%&+'\".txt", "100%.jpg", "%41.txt",
       "back\\slash.txt", "semi;colon?query=1.txt", "<tag>.html", "emoji 😀🏳️‍🌈.png", "日本語.tif",
       "-rf", "--help", "*.txt", "[a-z].txt", "{curly}.txt", "$HOME`id`.txt", "dot.", "..dots",
       "a_b__c.txt", "ÅÄÖ.jpg", "~tilde", "@at", "=cmd.csv", ",comma,.csv", "quo\"te.csv",
       "x" * 255, "é" * 127 + "x"]


def nfd(text):
    return unicodedata.normalize("NFD", text)


def nfc(text):
    return unicodedata.normalize("NFC", text)


def test_odd_names_arrive_as_they_are(folder):
    with sim(folder) as server:
        files = {name: pattern(30, n) for n, name in enumerate(ODD)}
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload(tree)
        assert books(done) == (len(ODD), len(ODD), 0, 0, 0)
        holds(server, {nfc(name): data for name, data in files.items()})
        rows = report(load, tree)
        assert sorted(rows) == sorted(files), "the report has other names"
        assert {row["destination"] for row in rows.values()} == {nfc(name) for name in files}


def test_odd_names_are_found_again_by_name(folder):
    """The look-up puts the name into a path."""
    with sim(folder, "--quirk", "confirm_reply=none") as server:
        files = {name: pattern(30, n) for n, name in enumerate(ODD) if name not in (".", "..")}
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        load.upload(tree)
        held = server.files()
        for path, row in report(load, tree).items():
            assert row.get("file_id") == held[nfc(path)]["id"], row


def test_odd_folders_do_not_matter(folder):
    with sim(folder) as server:
        files = {f"{name}/{n}.txt".encode("utf-8", "surrogateescape"): pattern(20, n)
                 for n, name in enumerate(ODD)}
        files[b"new\nline/n.txt"] = b"n"
        files[b"bad\xff\xfeutf8/u.txt"] = b"u"
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload(tree)
        assert books(done)[:2] == (len(files), len(files))
        holds(server, {os.fsdecode(os.path.basename(path)): data for path, data in files.items()})
        assert sorted(report(load, tree)) == sorted(os.fsdecode(path) for path in files)


def test_decomposed_names_are_sent_composed(folder):
    with sim(folder) as server:
        names = ["é.txt", "Ünïcödé.jpg", "한국어.png", "å" * 80]
        files = {nfd(name): pattern(25, n) for n, name in enumerate(names)}
        assert all(name != nfd(name) for name in names)
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        load.upload(tree)
        holds(server, {nfc(name): data for name, data in files.items()})


def test_names_that_are_no_text_fail_and_the_run_goes_on(folder):
    with sim(folder) as server:
        bad = [b"latin1-\xe9.txt", b"\xff", b"half\xc3", b"surrogate\xed\xa0\x80", b"over\xc0\xaf"]
        files = {name: b"bad" for name in bad}
        files.update({b"good.txt": b"good", b"also good.txt": b"fine"})
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload(tree, expect=1)
        assert books(done) == (7, 2, 0, 5, 0)
        assert summary(done)["failed_by_class"] == {"name_invalid": 5}
        holds(server, {"good.txt": b"good", "also good.txt": b"fine"})
        rows = report(load, tree)
        for name in bad:
            assert rows[os.fsdecode(name)]["error_class"] == "name_invalid"


def test_control_characters_arrive_and_never_reach_the_terminal(folder):
    with sim(folder, "--quirk", "confirm_reply=none") as server:
        names = ["new\nline.txt", "tab\there", "\x1b[31mred", "del\x7f", "\r", "c1\x85",
                 "bidi\u202egpj"]
        files = {name: b"%d" % n for n, name in enumerate(names)}
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        server.faults([{"endpoint": "request", "status": 400, "name": "\x1b[31mred"}])
        done = load.run("upload", "-vv", tree, expect=1)
        status = load.run("status", load.journal())
        for text in (done.out, done.err, status.out, status.err):
            assert not [c for c in "\x1b\r\x7f\x85\u202e\t" if c in text], text
        rows = report(load, tree)
        assert sorted(rows) == sorted(files)
        table = load.run("report", load.journal(), "--format", "csv").out
        assert table.count("\n") == len(files) + 1, table
        server.clear_faults()
        load.run("retry", load.journal())
        holds(server, files)


def test_failures_of_the_walk_are_said_like_all_others(folder):
    """A file object and an ERROR line each, as any failed file has."""
    with sim(folder) as server:
        tree = make_tree(folder / "tree", {b"bad\xff.txt": b"1", b"a/same": b"2",
                                           b"b/same": b"3"})
        load = Pxload(folder, server)
        done = load.upload(tree, expect=1)
        failed = {row["error_class"] for row in done.json
                  if row["message_type"] == "file" and row["state"] == "failed"}
        assert failed == {"name_invalid", "name_collision"}, done.out
        assert "name_invalid" in done.err and "name_collision" in done.err, done.err


def test_name_that_grows_too_long_in_nfc_fails(folder):
    with sim(folder) as server:
        growing = "\u0958" * 85  # 255 bytes; composed it is decomposed by rule, 510 bytes
        tree = make_tree(folder / "tree", {growing: b"1", "good": b"2"})
        load = Pxload(folder, server)
        load.upload(tree, expect=1)
        assert report(load, tree)[growing]["error_class"] == "name_invalid"
        holds(server, {"good": b"2"})


def test_tree_that_is_deeper_than_any_path_limit(folder):
    with sim(folder) as server:
        tree = folder / "tree"
        tree.mkdir()
        at = os.open(tree, os.O_RDONLY)
        for level in range(30):
            name = f"{level:03}" + "d" * 200
            os.mkdir(name, dir_fd=at)
            down = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = down
            file = os.open(f"file{level}", os.O_WRONLY | os.O_CREAT, dir_fd=at)
            os.write(file, b"%d" % level)
            os.close(file)
        os.close(at)
        load = Pxload(folder, server)
        done = load.upload(tree)
        assert books(done) == (30, 30, 0, 0, 0)
        holds(server, {f"file{level}": b"%d" % level for level in range(30)})


# ---- equal names ------------------------------------------------------------------------------

EQUAL = {"a/main.jpg": b"first", "b/main.jpg": b"second", "b/c d/main.jpg": b"third",
         "lone_one.txt": b"lone", "z/no.ext/main.jpg": b"first"}


def test_keep_holds_later_files_back_with_the_owner(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", EQUAL)
        done = load.upload(tree, expect=1)
        assert books(done) == (5, 2, 0, 3, 0)
        holds(server, {"main.jpg": b"first", "lone_one.txt": b"lone"})
        rows = report(load, tree)
        for path in ("b/main.jpg", "b/c d/main.jpg", "z/no.ext/main.jpg"):
            assert rows[path]["error_class"] == "name_collision"
            assert str(tree / "a/main.jpg") in rows[path]["error"], rows[path]


def test_unique_sends_later_files_under_their_joined_path(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", EQUAL)
        load.upload("--name-policy", "unique", tree)
        holds(server, {"main.jpg": b"first", "b--main.jpg": b"second", "lone_one.txt": b"lone",
                       "b--c d--main.jpg": b"third", "z--no.ext--main.jpg": b"first"})


def test_path_sends_all_under_their_joined_path(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", EQUAL)
        load.upload("--name-policy", "path", tree)
        holds(server, {path.replace("/", "--"): data for path, data in EQUAL.items()})


def test_joined_names_insert_no_underscore(folder):
    with sim(folder) as server:
        deep = {f"{'d' * 90}/{n}{'e' * 90}/{'f' * 90}/same.bin": b"%d" % n for n in range(3)}
        load = Pxload(folder, server)
        load.upload("--name-policy", "path", make_tree(folder / "tree", deep))
        names = list(server.files())
        assert len(names) == 3 and not any("_" in name for name in names), names
        assert all(name.endswith("--same.bin") and len(name) <= 255 for name in names), names


def test_unique_that_collides_again_is_held_back(folder):
    with sim(folder) as server:
        files = {"a/x": b"1", "b/x": b"2", "b--x": b"3"}
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        done = load.upload("--name-policy", "unique", tree, expect=(0, 1))
        planned, confirmed, _, failed, _ = books(done)
        assert (planned, confirmed + failed) == (3, 3) and confirmed == len(server.files())
        rows = report(load, tree)
        for path, row in rows.items():
            if row["state"] == "failed":
                assert row["error_class"] == "name_collision", row
            else:
                assert server.files()[row["destination"]]["size"] == len(files[path])


def test_composed_and_decomposed_form_are_one_name(folder):
    with sim(folder) as server:
        files = {nfc("a/é.txt"): b"first", nfd("b/é.txt"): b"second"}
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", files)
        told = load.run("plan", tree).out
        assert "different bytes; the same name in another Unicode form)" in told, told
        done = load.upload(tree, expect=1)
        assert summary(done)["failed_by_class"] == {"name_collision": 1}
        holds(server, {nfc("é.txt"): b"first"})


def test_two_roots_share_one_space_of_names(folder):
    with sim(folder) as server:
        one = make_tree(folder / "one", {"same": b"1", "a": b"a"})
        two = make_tree(folder / "two", {"same": b"2", "b": b"b"})
        load = Pxload(folder, server)
        done = load.upload(one, two, expect=1)
        assert summary(done)["failed_by_class"] == {"name_collision": 1}
        holds(server, {"same": b"1", "a": b"a", "b": b"b"})


def test_names_differ_by_case(folder):
    with sim(folder) as server:
        files = {"a/Main.jpg": b"1", "b/main.jpg": b"2"}
        Pxload(folder, server).upload(make_tree(folder / "tree", files))
        holds(server, {"Main.jpg": b"1", "main.jpg": b"2"})


def test_plan_tells_true_duplicates_from_other_files(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.run("plan", "--json", make_tree(folder / "tree", EQUAL))
        total = summary(done)
        assert (total["collisions"], total["duplicates"]) == (3, 1), total
        text = load.run("plan", folder / "tree").out
        assert "true duplicates" in text and "a/main.jpg" in text, text
        assert not requests(server)


def test_owner_that_goes_leaves_its_name_to_the_next(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a/x": b"one", "b/x": b"two!"})
        load.upload(tree, expect=1)
        os.remove(tree / "a/x")
        done = load.upload("--on-conflict", "overwrite", tree)
        assert books(done)[3] == 0
        holds(server, {"x": b"two!"})
