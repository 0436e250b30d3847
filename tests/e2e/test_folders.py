"""--map-folders: what the folders of a tree become in PXM, once, whatever happens on the way."""
import collections
import os

from moments import kill, query, reach
from pxm import (Pxload, api_requests, books, counts, make_tree, pattern, preload, report, sim,
                 summary)

TREE = {"top.jpg": b"1", "a/one.jpg": b"22", "a/b/two.jpg": b"333", "a/b/three.jpg": b"4444",
        "c/d/e/four.jpg": b"55555", "c/d/a/five.jpg": b"666666", "z/six.jpg": b"7777777"}
FAST = ("--timeout", "1s", "--lookup-patience", "1s", "--retries", "4")


def paths(state):
    """{id: "category/.../name"} of all folders; fails where one stands twice."""
    rows = {row["id"]: (kind, row) for kind in ("categories", "collections") for row in state[kind]}

    def path(row):
        parent = row["parent_id"]
        return (path(rows[parent][1]) + "/" if parent else "") + row["name"]
    named = {key: (kind, path(row)) for key, (kind, row) in rows.items()}
    twice = [place for place, n in collections.Counter(named.values()).items() if n > 1]
    assert not twice, f"made twice: {twice}"
    return named


def seen(server):
    """(categories, collections, {file: its collections}) by path."""
    state = server.state()
    named = paths(state)
    by_kind = {kind: sorted(path for k, path in named.values() if k == kind)
               for kind in ("categories", "collections")}
    links = {row["name"]: sorted(named[key][1] for key in row.get("collections", []))
             for row in state["files"]}
    assert len(links) == len(state["files"])
    return by_kind["categories"], by_kind["collections"], links


def tree_of(files, root="photos", top=""):
    """What `seen` must give for a tree under --map-folders tree."""
    folders = {os.path.dirname(path) for path in files}
    inner = {parent for folder in folders for parent in parents(folder)}

    def place(folder):
        return top + root + ("/" + folder if folder else "")

    def collection(folder):
        name = folder.rsplit("/", 1)[-1] if folder else root
        return place(folder) + ("/" + name if folder in inner else "")
    return (sorted(place(folder) for folder in inner), sorted(set(map(collection, folders))),
            {os.path.basename(path): [collection(os.path.dirname(path))] for path in files})


def parents(folder):
    while folder:
        folder = os.path.dirname(folder)
        yield folder


def start(folder, files=None, name="photos"):
    return make_tree(folder / name, files or TREE)


def test_tree_is_mirrored_in_few_requests_and_a_second_run_needs_none(tmp):
    tree = start(tmp)
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        offline = load.run("plan", "--json", "--map-folders", "tree", tree,
                           env={"PXLOAD_BASE_URL": "http://127.0.0.1:9"})
        plan = summary(offline)
        assert (plan["categories"], plan["collections"], plan["requests_links"]) == (4, 6, 7)
        done = load.upload("--map-folders", "tree", tree)
        assert books(done) == (7, 7, 0, 0, 0) and summary(done)["linked"] == 7
        assert api_requests(server) == plan["requests"] == summary(done)["requests"]
        assert seen(server) == tree_of(TREE)
        n = counts(server)
        assert (n["category-list"], n["collection-list"]) == (1, 1)
        assert (n["category-create"], n["collection-create"], n["file-update"]) == (4, 6, 7)
        assert "file-get" not in n
        rows = report(load, tree)
        assert {row["state"] for row in rows.values()} == {"linked"}
        before = api_requests(server)
        assert summary(load.upload("--map-folders", "tree", tree))["linked"] == 7
        assert api_requests(server) == before
        # A later wave: into a folder that is known, and into new ones below and beside it.
        more = {"a/b/new.jpg": b"n1", "a/b/deep/new2.jpg": b"n2", "new/x.jpg": b"n3"}
        make_tree(tree, more)
        done = load.upload("--map-folders", "tree", tree)
        assert books(done) == (10, 10, 0, 0, 0)
        categories, made, links = seen(server)
        assert links["new.jpg"] == ["photos/a/b"]  # the collection stays where it was made
        assert links["new2.jpg"] == ["photos/a/b/deep"] and links["x.jpg"] == ["photos/new"]
        assert "photos/a/b" in categories and "photos/a/b" in made
        # A new journal finds all of it by name: nothing is made again.
        other = load.upload("--map-folders", "tree", "--journal", tmp / "other.journal",
                            "--on-conflict", "overwrite", tree)
        assert books(other) == (10, 10, 0, 0, 0)
        n = counts(server)
        assert (n["category-create"], n["collection-create"]) == (5, 8 + 1)
        assert links["six.jpg"] == seen(server)[2]["six.jpg"]


def test_a_folder_of_its_parents_name_shares_the_parents_collection(tmp):
    files = {"html/a.txt": b"1", "html/html/b.txt": b"22", "html/sub/c.txt": b"333",
             "photos/d.txt": b"4444", "e.txt": b"5"}
    with sim(tmp) as server:
        load, tree = Pxload(tmp, server), start(tmp, files)
        done = load.upload("--map-folders", "tree", tree)
        assert books(done) == (5, 5, 0, 0, 0)
        assert seen(server) == tree_of(files)
        # The upper folder's own file cannot be sent: its collection is made for the other's.
        (tree / "html/a.txt").write_bytes(b"changed")
        (tree / "html/html/f.txt").write_bytes(b"new")
        server.faults([{"endpoint": "request", "name": "a.txt", "status": 400}])
        assert books(load.upload("--map-folders", "tree", tree, expect=1)) == (6, 5, 0, 1, 0)
        assert seen(server) == tree_of({**files, "html/html/f.txt": b"new"})


def test_collections_lie_in_one_category_under_names_of_their_own(tmp):
    tree = start(tmp)
    with sim(tmp) as server:
        token = {"Authorization": "Bearer " + ready_token(server)}
        top = api(server, token, "POST", "/v2.1/category", {"name": "Migration"})["id"]
        old = api(server, token, "POST", "/v2.1/collection", {"name": "z", "parent_id": top})["id"]
        api(server, token, "POST", "/v2.1/collection", {"name": "z"})
        load = Pxload(tmp, server)
        args = ("--map-folders", "collections", "--parent-category", top, tree)
        assert books(load.upload(*args)) == (7, 7, 0, 0, 0)
        categories, made, links = seen(server)
        assert categories == ["Migration"]
        inner = ["photos", "a", "b", "e", "z", "photos--c--d--a"]
        assert made == sorted(["Migration/" + name for name in inner] + ["z"])
        assert links["five.jpg"] == ["Migration/photos--c--d--a"]
        assert links["one.jpg"] == ["Migration/a"]
        assert server.files()["six.jpg"]["collections"] == [old]
        before = api_requests(server)
        load.upload(*args)
        assert api_requests(server) == before
        # Another mapping of the same job: the files are linked there too, nothing is sent again.
        assert books(load.upload("--map-folders", "tree", tree)) == (7, 7, 0, 0, 0)
        links = seen(server)[2]
        assert links["six.jpg"] == ["Migration/z", "photos/z"]
        assert counts(server)["put"] == 7
        wrong = load.run("upload", "--map-folders", "tree", "--parent-category", "no-such",
                         "--journal", tmp / "wrong.journal", tree, expect=4)
        assert "--parent-category no-such: PXM has no such category" in wrong.err


def ready_token(server):
    import base64
    import json
    import urllib.request
    basic = base64.b64encode(b"tester:sim-secret").decode()
    call = urllib.request.Request(server.api + "/v2/oauth/authorize", method="POST",
                                  data=b'{"grant_type":"client_credentials"}',
                                  headers={"Authorization": "Basic " + basic,
                                           "Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=30) as reply:
        return json.loads(reply.read())["access_token"]


def api(server, token, method, path, body=None):
    import json
    import urllib.request
    call = urllib.request.Request(server.api + path, method=method,
                                  data=None if body is None else json.dumps(body).encode(),
                                  headers={"Content-Type": "application/json", **token})
    with urllib.request.urlopen(call, timeout=30) as reply:
        return json.loads(reply.read())


def test_lost_replies_and_refusals_make_nothing_twice(tmp):
    """Every kind of fault on lists, creations and links; each must end exactly once."""
    tree = start(tmp)
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        server.faults([
            {"endpoint": "list", "status": 503, "nth": 1},
            {"endpoint": "list", "truncate": 9, "nth": 2},
            {"endpoint": "list", "revoke_token": True, "nth": 4},
            {"endpoint": "write", "name": "photos", "reset_after": True, "times": 1},
            {"endpoint": "write", "name": "a", "status": 500, "after": True, "times": 1},
            {"endpoint": "write", "name": "b", "status": 500, "times": 1},
            {"endpoint": "write", "name": "c", "status": 429, "retry_after": "0", "times": 1},
            {"endpoint": "write", "name": "d", "reset_before": True, "times": 1},
            {"endpoint": "write", "name": "e", "truncate": 4, "times": 1},
            {"endpoint": "write", "name": "z", "stall": 3000, "after": True, "times": 1},
            {"endpoint": "write", "reset_after": True, "every": 4, "times": 3},
        ])
        done = load.upload("--map-folders", "tree", *FAST, tree)
        assert books(done) == (7, 7, 0, 0, 0), done.err
        assert seen(server) == tree_of(TREE)
        server.clear_faults()
        before = api_requests(server)
        load.upload("--map-folders", "tree", tree)
        assert api_requests(server) == before


def test_kills_between_request_and_reply_make_nothing_twice(tmp):
    tree = start(tmp)
    journal = tmp / "job.journal"
    args = ("upload", "--json", "--journal", journal, "--map-folders", "tree", *FAST, tree)
    # Every write is applied and never answered, so a run comes one folder further down:
    # photos, c, d, e, and links on the way.
    moments = [{"endpoint": "list"}, *[{"endpoint": "write"}] * 4]
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        for rule in moments:
            server.faults([{**rule, "stall": 60000, "after": True}])
            process = load.start(*args)
            reach(process, lambda: server.call("GET", "/_sim/faults")[0]["fired"] > 0,
                  f"the stall of {rule}")
            kill(process)
            server.clear_faults()
        done = load.run(*args)
        assert books(done) == (7, 7, 0, 0, 0)
        assert seen(server) == tree_of(TREE)
        assert not query(journal, "SELECT * FROM folder_intent")
        assert not query(journal, "SELECT * FROM held_link")


def test_a_file_that_was_there_keeps_its_collections_and_attributes(tmp):
    tree = start(tmp, {"sub/old.jpg": pattern(50), "sub/new.jpg": pattern(60)})
    with sim(tmp) as server:
        ids = preload(server, {"old.jpg": 10})
        token = {"Authorization": "Bearer " + ready_token(server)}
        kept = api(server, token, "POST", "/v2.1/collection", {"name": "Kept"})["id"]
        attribute = api(server, token, "GET", "/v2.1/attribute")[0]
        body = {"collections": [{"id": kept}],
                "attributes": [{"id": attribute["id"], "type": "update", "value": "as it was"}]}
        api(server, token, "PUT", "/v2.1/file/" + ids["old.jpg"], body)
        before = server.files()["old.jpg"]
        load = Pxload(tmp, server)
        # Skipped by policy: PXM's file is left as it is, its links too.
        skipped = load.upload("--map-folders", "tree", "--journal", tmp / "skip.journal", tree)
        assert books(skipped) == (2, 1, 1, 0, 0)
        assert server.files()["old.jpg"] == before
        done = load.upload("--map-folders", "tree", "--on-conflict", "overwrite", tree)
        assert books(done) == (2, 2, 0, 0, 0)
        links = seen(server)[2]
        assert links == {"old.jpg": ["Kept", "photos/sub"], "new.jpg": ["photos/sub"]}
        after = server.files()["old.jpg"]
        assert after["id"] == ids["old.jpg"]
        got = api(server, token, "GET", "/v2.1/file/" + ids["old.jpg"])
        assert [a["value"] for a in got["attributes"] if a["id"] == attribute["id"]] == \
            ["as it was"]


def test_a_folder_that_cannot_be_made_fails_the_links_of_its_files_alone(tmp):
    tree = start(tmp)
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        server.faults([{"endpoint": "write", "name": "d", "status": 400, "message": "no d here"}])
        done = load.upload("--map-folders", "tree", *FAST, tree, expect=1)
        assert books(done) == (7, 5, 0, 2, 0)
        held = server.files()
        assert len(held) == 7  # nothing is lost: only the links are missing
        rows = report(load, tree)
        for path in ("c/d/e/four.jpg", "c/d/a/five.jpg"):
            row = rows[path]
            assert row["state"] == "failed" and row["error_class"] == "bad_request", row
            assert row["file_id"] == held[os.path.basename(path)]["id"]
            for text in ("uploaded as file", "photos/c/d", "no d here", "pxload retry"):
                assert text in row["error"], row
        server.clear_faults()
        sent = counts(server)
        done = load.run("retry", "--json", load.journal())
        assert books(done) == (7, 7, 0, 0, 0)
        assert seen(server) == tree_of(TREE)
        now = counts(server)
        assert all(now[name] == sent[name] for name in ("put", "request-upload", "confirm-upload"))


def test_folder_names_are_brought_into_one_form_or_refused_before_a_byte_is_sent(tmp):
    nfd, nfc = "Stra\u00dfe e\u0301", "Stra\u00dfe \u00e9"
    files = {f"{nfd}/a.jpg": b"1", f"{nfc}/b.jpg": b"2", "trim /c.jpg": b"3", "trim/d.jpg": b"4",
             "Case/e.jpg": b"5", "case/f.jpg": b"6", b"bad\xff/g.jpg": b"7", "tab\tin/h.jpg": b"8",
             "   /i.jpg": b"9", ("n" * 255) + "/j.jpg": b"10", "\u202equote\"'\\ {}/k.jpg": b"11"}
    tree = start(tmp, files)
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        done = load.upload("--map-folders", "tree", tree, expect=1)
        assert books(done) == (11, 8, 0, 3, 0)
        categories, made, links = seen(server)
        assert categories == ["photos"]
        assert links["a.jpg"] == links["b.jpg"] == ["photos/" + nfc]
        assert links["c.jpg"] == links["d.jpg"] == ["photos/trim"]
        assert links["e.jpg"] == ["photos/Case"] and links["f.jpg"] == ["photos/case"]
        assert "photos/" + "n" * 255 in made and "photos/\u202equote\"'\\ {}" in made
        assert sorted(links) == sorted("abcdefjk"[i] + ".jpg" for i in range(8))
        errors = [row["error"] for row in report(load, tree).values() if row["state"] == "failed"]
        for text in ("it is no UTF-8", "it holds control characters", "it is empty"):
            assert sum(text in error and "rename it" in error for error in errors) == 1, errors
        plan = load.run("plan", "--json", "--map-folders", "tree", tree, expect=3)
        assert summary(plan)["unusable_names"] == 3


def test_folders_are_found_in_lists_of_every_shape_and_twins_are_told(tmp):
    tree = start(tmp)
    quirks = [("category_shape=data", "collection_shape=array"), ("page_repeat",)]
    for i, quirk in enumerate(quirks):
        inner = tmp / f"q{i}"
        inner.mkdir()
        args = [part for name in quirk for part in ("--quirk", name)]
        with sim(inner, "--rate", "0", *args, audit=False) as server:
            token = {"Authorization": "Bearer " + ready_token(server)}
            twins = [api(server, token, "POST", "/v2.1/category", {"name": "photos"})["id"]
                     for _ in range(2)]
            for n in range(1100):
                api(server, token, "POST", "/v2.1/category", {"name": f"other {n}"})
            first = min(twins)
            z = api(server, token, "POST", "/v2.1/collection",
                    {"name": "z", "parent_id": first})["id"]
            load = Pxload(inner, server)
            done = load.upload("--map-folders", "tree", tree)
            assert books(done) == (7, 7, 0, 0, 0)
            assert "more than one category 'photos'" in done.err, done.err
            assert server.files()["six.jpg"]["collections"] == [z]
            n = counts(server)
            assert n["category-create"] == 2 + 1100 + 3 and n["collection-create"] == 1 + 5
            assert n["category-list"] == 2


def test_a_search_that_is_refused_fails_the_link_of_a_file_without_id_alone(tmp):
    tree = start(tmp, {"a.jpg": b"a", "b.jpg": b"bb"})
    with sim(tmp, "--quirk", "confirm_reply=none") as server:
        load = Pxload(tmp, server)
        server.faults([{"endpoint": "search", "status": 400, "message": "no searching"}])
        done = load.upload("--map-folders", "tree", *FAST, tree, expect=1)
        assert books(done) == (2, 0, 0, 2, 0)
        rows = report(load, tree)
        for path in ("a.jpg", "b.jpg"):
            assert rows[path]["error_class"] == "bad_request", rows[path]
            assert "no id" in rows[path]["error"] and "no searching" in rows[path]["error"]
        assert len(server.files()) == 2
        server.clear_faults()
        assert books(load.run("retry", "--json", load.journal())) == (2, 2, 0, 0, 0)
        assert counts(server)["put"] == 2 and seen(server) == tree_of({"a.jpg": b"", "b.jpg": b""})


def test_a_file_of_an_earlier_run_whose_folder_can_be_none_is_named(tmp):
    tree = start(tmp, {"a.jpg": b"a", "tab\tin/b.jpg": b"bb"})
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        assert books(load.upload(tree)) == (2, 2, 0, 0, 0)
        done = load.upload("--map-folders", "tree", tree, expect=1)
        assert books(done) == (2, 1, 0, 1, 0)
        row = report(load, tree)["tab\tin/b.jpg"]
        assert row["error_class"] == "name_invalid" and "control characters" in row["error"], row
        assert row["file_id"] == server.files()["b.jpg"]["id"]
        assert books(load.upload("--map-folders", "tree", tree, expect=1)) == (2, 1, 0, 1, 0)
        assert books(load.run("retry", "--json", load.journal(), expect=1)) == (2, 1, 0, 1, 0)
        # Where nobody wants the folder any more, nothing is wrong with the file.
        assert books(load.upload(tree)) == (2, 2, 0, 0, 0)
        assert counts(server)["put"] == 2


def test_a_folder_that_moves_up_while_its_list_is_read_is_not_made_again(tmp):
    tree = start(tmp, {"a.jpg": b"a"})
    # The second page begins a row late, and the folder would be its first.
    with sim(tmp, "--rate", "0", "--quirk", "page_max=25", "--quirk", "page_shifts=1") as server:
        token = {"Authorization": "Bearer " + ready_token(server)}
        for n in range(70):
            name = "photos" if n == 25 else f"other {n}"
            api(server, token, "POST", "/v2.1/collection", {"name": name})
        load = Pxload(tmp, server)
        assert books(load.upload("--map-folders", "collections", tree)) == (1, 1, 0, 0, 0)
        n = counts(server)
        # 0-24, torn; then 0-24, 24-48, 48-69.
        assert (n["collection-create"], n["collection-list"]) == (70, 5)
        assert seen(server)[2] == {"a.jpg": ["photos"]}


def test_a_file_without_id_is_looked_for_again_before_its_link_fails(tmp):
    tree = start(tmp, {"a.jpg": pattern(50)})
    with sim(tmp, "--quirk", "confirm_reply=none") as server:
        load = Pxload(tmp, server)
        server.faults([{"endpoint": "search", "status": 404, "body": "json"}])
        args = ("--map-folders", "tree", *FAST, tree)
        done = load.upload(*args, expect=1)
        row = report(load, tree)["a.jpg"]
        assert row["state"] == "failed" and "its search shows none" in row["error"], row
        server.clear_faults()
        puts = counts(server)["put"]
        assert books(load.run("retry", "--json", load.journal())) == (1, 1, 0, 0, 0)
        assert counts(server)["put"] == puts
        assert seen(server) == tree_of({"a.jpg": b""})
        row = report(load, tree)["a.jpg"]
        assert row["file_id"] and row["md5"], row


def test_a_link_of_a_file_that_is_gone_forgets_no_folder(tmp):
    """Its retry asks for the folder anew; no file waits for that, and verify needs to know it."""
    tree = start(tmp, {"a/1.jpg": b"1", "a/2.jpg": b"22"})
    with sim(tmp) as server:
        load = Pxload(tmp, server)
        # A category, a collection, two links.
        server.faults([{"endpoint": "write", "nth": 4, "status": 400}])
        done = load.upload("--map-folders", "tree", *FAST, tree, expect=1)
        assert books(done) == (2, 1, 0, 1, 0)
        states = {path: row["state"] for path, row in report(load, tree).items()}
        goes, stays = sorted(states, key=states.get)
        assert (states[goes], states[stays]) == ("failed", "linked")
        (tree / goes).unlink()
        load.upload("--map-folders", "tree", tree)
        load.run("retry", "--json", load.journal())
        load.run("verify", load.journal())
        file_id = server.files()[os.path.basename(stays)]["id"]
        server.call("POST", f"/_sim/damage?id={file_id}&how=unlink")
        assert stays in load.run("verify", load.journal(), expect=1).out
