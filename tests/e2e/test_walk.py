"""What the walk takes, leaves out, reports and follows."""
import os
import shutil
import signal
import socket
import time

from pxm import (Pxload, books, build_dir, excluded, holds, make_tree, report, requests, sim,
                 summary, wait_for)

NOBODY = 65534
DAY_S = 86400


def upload(folder, tree, *args, expect=0):
    """(names in PXM, summary, excluded by reason, pxload) of one run."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.upload(*args, tree, expect=expect)
        books(done)
        return sorted(server.files()), summary(done), excluded(load), load


def test_symlinks_are_left_out_and_counted(folder):
    tree = make_tree(folder / "tree", {"a": b"1", "d/b": b"2"})
    outside = make_tree(folder / "outside", {"secret": b"no"})
    for name, target in (("to-file", "a"), ("to-folder", "d"), ("out", outside),
                         ("broken", "nowhere"), ("loop", "."), ("self", "self")):
        os.symlink(target, tree / name)
    names, total, reasons, _ = upload(folder, tree)
    assert names == ["a", "b"]
    assert reasons == {"symlink": 6} and total["excluded"] == 6 and total["planned"] == 8


def test_copy_links_follows_files_and_folders_and_cuts_loops(folder):
    tree = make_tree(folder / "tree", {"a": b"1", "d/b": b"2"})
    outside = make_tree(folder / "outside", {"o": b"3", "deep/p": b"4"})
    os.symlink("a", tree / "link-to-a")
    os.symlink(outside, tree / "out")
    os.symlink("..", tree / "d/up")
    os.symlink(tree, outside / "deep/back")
    names, _, reasons, _ = upload(folder, tree, "-L")
    assert names == ["a", "b", "link-to-a", "o", "p"]
    assert reasons == {"symlink loop": 2}, reasons


def test_broken_symlink_is_an_issue_where_links_are_followed(folder):
    tree = make_tree(folder / "tree", {"a": b"1"})
    os.symlink("nowhere", tree / "broken")
    os.symlink("self", tree / "self")
    names, total, _, _ = upload(folder, tree, "-L", expect=3)
    assert names == ["a"] and total["issues"] == 2, total


def test_root_that_is_a_symlink_or_a_file_is_taken(folder):
    tree = make_tree(folder / "tree", {"a": b"1"})
    os.symlink(tree, folder / "link")
    file = make_tree(folder / "other", {"single.txt": b"2"}) / "single.txt"
    with sim(folder) as server:
        Pxload(folder, server).upload(folder / "link", file)
        holds(server, {"a": b"1", "single.txt": b"2"})


def test_fifo_and_socket_are_left_out_without_waiting(folder):
    tree = make_tree(folder / "tree", {"a": b"1"})
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tree)
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        names, total, reasons, _ = upload(folder, tree)
    assert names == ["a"] and reasons == {"special": 2} and total["planned"] == 3


def test_junk_is_left_out_and_counted(folder):
    junk = [".DS_Store", "d/._photo.jpg", "Thumbs.db", "THUMBS.DB", "d/desktop.ini", "~$doc.docx",
            "movie.part", "x.tmp"]
    tree = make_tree(folder / "tree", {"photo.jpg": b"1", "photo.xmp": b"2", "d/git.txt": b"3",
                                       "__MACOSX/deep/x": b"j", ".git/config": b"j",
                                       **{name: b"j" for name in junk}})
    names, total, reasons, _ = upload(folder, tree)
    assert names == ["git.txt", "photo.jpg", "photo.xmp"]
    assert reasons == {"junk": len(junk) + 2} and total["excluded"] == len(junk) + 2


def test_junk_is_taken_where_it_is_meant(folder):
    tree = make_tree(folder / "tree", {"x.tmp": b"1", "y.jpg": b"2", ".DS_Store": b"3"})
    names, _, _, _ = upload(folder, tree, "--include", "*.tmp")
    assert names == ["x.tmp"]


FILTERED = {"a.jpg": b"1", "b.png": b"2", "d/c.jpg": b"3", "d/raw/e.jpg": b"4",
            "cache/f.jpg": b"5", "d/cache/g.jpg": b"6", "h.JPG": b"7"}


def test_include_and_exclude_are_rclones(folder):
    cases = {
        "include": (("--include", "*.jpg"), ["a.jpg", "c.jpg", "e.jpg", "f.jpg", "g.jpg"]),
        "anchored": (("--include", "/*.{jpg,png}"), ["a.jpg", "b.png"]),
        "exclude": (("--exclude", "*.jpg"), ["b.png", "h.JPG"]),
        "folder": (("--exclude", "cache/"), ["a.jpg", "b.png", "c.jpg", "e.jpg", "h.JPG"]),
        "top folder": (("--exclude", "/cache/**"),
                       ["a.jpg", "b.png", "c.jpg", "e.jpg", "g.jpg", "h.JPG"]),
        "both": (("--include", "*.jpg", "--exclude", "/d/raw/"),
                 ["a.jpg", "c.jpg", "f.jpg", "g.jpg"]),
        "depth": (("--max-depth", "1"), ["a.jpg", "b.png", "h.JPG"]),
    }
    for name, (args, wanted) in cases.items():
        inner = folder / name
        inner.mkdir()
        names, total, _, _ = upload(inner, make_tree(inner / "tree", FILTERED), *args)
        assert names == wanted, (name, names)
        assert total["confirmed"] == len(wanted) and total["excluded"] > 0, total


def test_filter_from_and_files_from_are_read(folder):
    rules = folder / "rules"
    rules.write_text("# pictures\n- /d/**\n+ *.jpg\n- *\n")
    inner = folder / "one"
    inner.mkdir()
    names, _, _, _ = upload(inner, make_tree(inner / "tree", FILTERED), "--filter-from", rules)
    assert names == ["a.jpg", "f.jpg"]
    listed = folder / "list"
    listed.write_text("/d/c.jpg\n./b.png\n; none\nnot/there.jpg\n")
    inner = folder / "two"
    inner.mkdir()
    names, _, _, _ = upload(inner, make_tree(inner / "tree", FILTERED), "--files-from", listed,
                            expect=(0, 3))
    assert names == ["b.png", "c.jpg"]


def test_sizes_and_ages_limit_what_is_taken(folder):
    tree = make_tree(folder / "tree", {"small": b"1", "mid": b"m" * 2048, "big": b"b" * 9000,
                                       "old": b"o" * 2048})
    then = time.time() - 40 * DAY_S
    os.utime(tree / "old", (then, then))
    names, total, reasons, _ = upload(folder, tree, "--min-size", "1K", "--max-size", "4K",
                                      "--max-age", "30d")
    assert names == ["mid"] and reasons == {"size": 2, "age": 1}, (names, reasons)
    assert total["planned"] == 4 and total["excluded"] == 3, total


def test_min_age_leaves_out_what_is_new(folder):
    tree = make_tree(folder / "tree", {"new": b"1", "old": b"2"})
    then = time.time() - 40 * DAY_S
    os.utime(tree / "old", (then, then))
    assert upload(folder, tree, "--min-age", "30d")[0] == ["old"]


def test_wrong_pattern_is_a_usage_error(folder):
    tree = make_tree(folder / "tree", {"a": b"1"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        for args in (("--include", "{a"), ("--exclude", "[a"), ("--files-from", folder / "none"),
                     ("--min-size", "many"), ("--max-age", "soon")):
            done = load.upload(*args, tree, expect=2)
            assert done.err, args
        assert not requests(server)


def test_path_that_is_not_there_starts_nothing(folder):
    tree = make_tree(folder / "tree", {"a": b"1"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.upload(tree, folder / "misspelt", expect=(2, 3, 4))
        assert "misspelt" in done.err, done.err
        assert not server.files()


def test_path_within_another_is_taken_once(folder):
    tree = make_tree(folder / "tree", {"a": b"1", "d/b": b"2"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.upload(tree, tree / "d", expect=(0, 2))
        if done.returncode == 0:
            assert books(done)[1:4] == (2, 0, 0)
            holds(server, {"a": b"1", "b": b"2"})


def test_other_spellings_of_a_path_are_the_same_job(folder):
    tree = make_tree(folder / "tree", {"a": b"1", "d/b": b"2"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(tree)
        before = len(requests(server))
        for path, cwd in ((f"{tree}/", folder), (".", tree), ("tree", folder),
                          (f"{folder}//tree/./", folder)):
            process = load.start("upload", "--json", path, cwd=cwd)
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, (path, out, err)
            load.journal()
        assert len(requests(server)) == before
        holds(server, {"a": b"1", "b": b"2"})


# ---- what cannot be read, and what changes ----------------------------------------------------


def as_nobody(folder, load):
    """Lets load's runs be a user that permissions hold for."""
    if os.geteuid() != 0:
        return {}
    program = folder / "bin" / "pxload"
    program.parent.mkdir()
    shutil.copy(build_dir() / "pxload", program)
    folder.chmod(0o755)
    load.command = lambda *args: [str(program), *[os.fspath(arg) for arg in args]]
    for at, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(at, name), NOBODY, NOBODY, follow_symlinks=False)
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def test_unreadable_folder_is_an_issue_and_the_rest_arrives(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1", "locked/b": b"2", "z": b"3"})
        user = as_nobody(folder, load)
        (tree / "locked").chmod(0)
        process = load.start("upload", "--json", str(tree), **user)
        out, err = process.communicate(timeout=60)
        (tree / "locked").chmod(0o755)
        assert process.returncode == 3, (process.returncode, out, err)
        assert b"locked" in err
        holds(server, {"a": b"1", "z": b"3"})


def test_unreadable_file_fails_and_the_rest_arrives(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1", "locked": b"2", "z": b"3"})
        user = as_nobody(folder, load)
        (tree / "locked").chmod(0)
        process = load.start("upload", "--json", str(tree), **user)
        out, err = process.communicate(timeout=60)
        (tree / "locked").chmod(0o644)
        assert process.returncode == 3, (process.returncode, out, err)
        holds(server, {"a": b"1", "z": b"3"})
        row = report(load, tree)["locked"]
        assert row["error_class"] == "source_unreadable", row
        process = load.start("retry", str(load.journal()), **user)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (process.returncode, out, err)
        holds(server, {"a": b"1", "locked": b"2", "z": b"3"})


def stop_after_walk(server, load, tree):
    """A job whose files were all found and none was sent."""
    server.faults([{"endpoint": "auth", "status": 503}])
    process = load.start("upload", "--json", tree)

    def walked():
        if not list((load.folder / "home/state/pxload/jobs").glob("*.journal")):
            return False
        done = load.run("status", "--json", load.journal(), expect=None)
        return done.returncode == 0 and done.json and done.json[0]["walk_complete"]

    wait_for(walked, "the end of the walk")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (process.returncode, out, err)
    server.clear_faults()


def test_file_that_vanished_after_the_walk_is_reported(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1", "gone": b"2", "d/gone too": b"3", "z": b"4"})
        stop_after_walk(server, load, tree)
        os.remove(tree / "gone")
        shutil.rmtree(tree / "d")
        done = load.run("resume", "--json", load.journal(), expect=3)
        assert books(done) == (4, 2, 0, 2, 0)
        assert summary(done)["failed_by_class"] == {"source_vanished": 2}
        holds(server, {"a": b"1", "z": b"4"})
        done = load.upload(tree)
        assert books(done) == (2, 2, 0, 0, 0)


def test_file_that_changed_after_the_walk_arrives_as_it_is_now(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1", "changed": b"before"})
        stop_after_walk(server, load, tree)
        (tree / "changed").write_bytes(b"after, and longer")
        done = load.run("resume", "--json", load.journal(), expect=(0, 3))
        wanted = {"a": b"1", "changed": b"after, and longer"}
        if done.returncode == 3:
            assert sorted(server.files()) == ["a"]
            load.upload(tree)
        holds(server, wanted)
        assert books(load.upload(tree)) == (2, 2, 0, 0, 0)


def test_file_that_became_a_symlink_after_the_walk_is_not_followed(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        outside = make_tree(folder / "outside", {"secret": b"secret"})
        tree = make_tree(folder / "tree", {"a": b"1", "file": b"2", "d/x": b"3"})
        stop_after_walk(server, load, tree)
        os.remove(tree / "file")
        os.symlink(outside / "secret", tree / "file")
        shutil.rmtree(tree / "d")
        make_tree(outside, {"x": b"not this"})
        os.symlink(outside, tree / "d")
        done = load.run("resume", "--json", load.journal(), expect=3)
        assert books(done) == (3, 1, 0, 2, 0)
        holds(server, {"a": b"1"})


def test_empty_tree_is_done_at_once(folder):
    with sim(folder) as server:
        tree = folder / "tree"
        (tree / "empty/inside").mkdir(parents=True)
        done = Pxload(folder, server).upload(tree)
        assert books(done) == (0, 0, 0, 0, 0)
        assert not requests(server)
