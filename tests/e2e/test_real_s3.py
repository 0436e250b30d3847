"""Against a real S3 server below pxm-sim: what only such a one can judge. boto3 reads what it holds.

tests/run.py starts the server for this module, once a run (--s3 swift or ceph).
"""
import re
import threading
import time
import urllib.parse

from moments import kill, reach
from pxm import (DEADLINE_S, Pxload, books, fresh, make_tree, md5, pattern, report, requests,
                 wait_for)
from real_s3 import PART, PARTS, real

BY_NAME = ("--wire", "v2.1")  # keys end in the file's name
COMPOSED = re.compile(r'"[0-9a-f]{32}-(\d+)"')
ODD_NAMES = ("Grüße ñ 文件 🎉.png", "a b+c%20d%.jpg", "q?u#o&t=e;'\"<>.pdf", "back\\slash.txt",
             "~(1)[2]{3}!$@,^`|*.txt", "e\u0301 nfd.txt")


def nfc_named(files):
    """PXM's names are NFC."""
    return {name.replace("e\u0301", "é"): data for name, data in files.items()}


def name_of(request):
    return urllib.parse.unquote(request.path.rpartition("/")[2])


def stored_parts(scene):
    """The part numbers that S3 took, oldest first; 0 is a file in one PUT."""
    return [put.part_no for put in scene.tap.puts(200)]


def completions(scene):
    return [request for request in scene.tap.seen
            if request.method == "POST" and "uploadId" in request.query]


def failures(done):
    """{file: its line} of what failed; standard error must name it, too."""
    lines = [line for line in done.json if line["message_type"] == "file" and not line["success"]]
    return {line["destination"]: line for line in lines}


def test_files_of_every_kind_are_stored_byte_for_byte(folder):
    with real(folder, *PARTS, *BY_NAME) as scene:
        files = {name: pattern(1000 + i, i) for i, name in enumerate(ODD_NAMES)}
        files |= {"empty.bin": b"", "one.txt": b"1", "part.bin": pattern(PART),
                  "part and a byte.bin": pattern(PART + 1), "two parts ü+.mp4": pattern(2 * PART)}
        tree = make_tree(folder / "tree", files)
        done = scene.load.upload(*BY_NAME, "--transfers", "2", tree)
        assert books(done) == (11, 11, 0, 0, 0)
        held = scene.holds(nfc_named(files))
        assert held["empty.bin"]["stored"]["etag"] == f'"{md5(b"")}"'
        assert held["part.bin"]["stored"]["etag"] == f'"{md5(files["part.bin"])}"'
        for name in ("part and a byte.bin", "two parts ü+.mp4"):
            assert COMPOSED.fullmatch(held[name]["stored"]["etag"])[1] == "2", held[name]
        assert held[ODD_NAMES[0]]["mime_type"] == "image/png"
        assert held["two parts ü+.mp4"]["mime_type"] == "video/mp4"
        assert sorted(stored_parts(scene)) == [0] * 9 + [1, 1, 2, 2]
        assert all(b"&quot;" in request.body for request in completions(scene))
        assert not scene.uploads()
        sent = len(scene.tap.seen)
        assert books(scene.load.upload(*BY_NAME, tree))[:2] == (11, 11)
        assert len(scene.tap.seen) == sent


def test_four_parts_at_once_and_etags_without_quotes(folder):
    four = threading.Barrier(4)

    def meet(request):
        if request.part_no in (1, 2, 3, 4):
            four.wait(DEADLINE_S)
    with real(folder, *PARTS, "--allow-part-concurrency", "4") as scene:
        scene.tap.rule = meet
        files = {"big.bin": pattern(4 * PART + 77)}
        done = scene.load.upload("--part-concurrency", "4", "--etag-quotes", "strip",
                                 make_tree(folder / "tree", files))
        assert books(done) == (1, 1, 0, 0, 0)
        held = scene.holds(files)
        assert COMPOSED.fullmatch(held["big.bin"]["stored"]["etag"])[1] == "5"
        assert sorted(stored_parts(scene)) == [1, 2, 3, 4, 5]
        completion, = completions(scene)
        assert completion.body.count(b"<ETag>") == 5 and b"quot" not in completion.body


def expiry(request):
    """When the request's URL expires, as time.time() has it."""
    begun = time.strptime(request.query["X-Amz-Date"] + " UTC", "%Y%m%dT%H%M%SZ %Z")
    return (time.mktime(begun) - time.timezone) + int(request.query["X-Amz-Expires"])


def test_expired_urls_lead_to_a_new_session(folder):
    with real(folder, *PARTS) as scene:
        files = {"big.bin": pattern(PART + 9), **{f"f{i}.bin": pattern(90 + i) for i in range(4)}}
        names = "big.bin", "f1.bin", "f3.bin"
        scene.server.faults([{"endpoint": "request", "name": name, "expire_url": True, "times": 1}
                             for name in names])
        assert books(scene.load.upload(make_tree(folder / "tree", files)))[:2] == (5, 5)
        scene.holds(files)
        assert len(scene.tap.puts(403)) == 3 and len(scene.tap.puts()) == 9
        assert len(requests(scene.server, "request-upload")) == 8
        assert all(expiry(put) < time.time() for put in scene.tap.puts(403))


def test_url_that_expires_between_two_parts(folder):
    late = []

    def dawdle(request):
        if request.part_no == 2 and not late:
            late.append(request)
            wait_for(lambda: time.time() > expiry(request) + 1, "the URL to expire")
    with real(folder, *PARTS, "--url-ttl", "3") as scene:
        scene.tap.rule = dawdle
        files = {"big.bin": pattern(PART + 9)}
        assert books(scene.load.upload(make_tree(folder / "tree", files)))[:2] == (1, 1)
        scene.holds(files)
        assert late[0].status == 403
        assert len(requests(scene.server, "request-upload")) > 1


def test_refused_signatures_name_the_file_and_the_rest_goes_on(folder):
    with real(folder, *PARTS) as scene:
        files = {"bad.bin": pattern(70), "bad-big.bin": pattern(PART + 70),
                 **{f"f{i}.bin": pattern(80 + i) for i in range(3)}}
        scene.server.faults([{"endpoint": "request", "name": name, "bad_signature": True}
                             for name in ("bad.bin", "bad-big.bin")])
        tree = make_tree(folder / "tree", files)
        done = scene.load.upload(tree, expect=1)
        assert books(done) == (5, 3, 0, 2, 0)
        failed = failures(done)
        assert sorted(failed) == ["bad-big.bin", "bad.bin"]
        for name, line in failed.items():
            assert line["error_class"] == "s3_refused" and line["advice"], line
            assert "SignatureDoesNotMatch" in line["error"] and line["source"].endswith(name), line
            assert "X-Amz-" not in done.out + done.err, "a signature leaked"
        assert len(scene.tap.puts(403)) == 2 and len(scene.tap.puts(200)) == 3
        scene.server.clear_faults()
        assert books(scene.load.run("retry", "--json", scene.load.journal()))[:2] == (5, 5)
        scene.holds(files)


def test_urls_of_an_unknown_key_stop_the_run_with_the_code_of_s3(folder):
    with real(folder, keys={"AWS_ACCESS_KEY_ID": "no:body"}) as scene:
        files = {f"f{i}.bin": pattern(80 + i) for i in range(3)}
        done = scene.load.upload(make_tree(folder / "tree", files), expect=None)
        assert done.returncode not in (0, 3) and books(done)[1] == 0, done.out
        assert "403" in done.out + done.err and "f0.bin" in done.out, done.out
        assert not scene.objects() and not scene.server.files()


def test_kill_in_the_middle_of_a_part(folder):
    free = threading.Event()

    def hold(request):
        if request.part_no == 3 and not free.is_set():
            assert free.wait(DEADLINE_S)
    with real(folder, *PARTS) as scene:
        scene.tap.rule = hold
        files = {"big.bin": pattern(3 * PART + 5), "f1.bin": pattern(50), "empty.bin": b""}
        tree = make_tree(folder / "tree", files)
        process = scene.load.start("upload", "--json", tree)
        reach(process, lambda: any(put.part_no == 3 for put in scene.tap.puts()), "part 3")
        kill(process)
        free.set()
        done = scene.load.run("resume", "--json", scene.load.journal())
        assert books(done) == (3, 3, 0, 0, 0)
        held = scene.holds(files)
        assert COMPOSED.fullmatch(held["big.bin"]["stored"]["etag"])[1] == "4"
        rows = report(scene.load, tree)
        assert {name: row["file_id"] for name, row in rows.items()} == {
            name: record["id"] for name, record in held.items()}


def test_kill_while_s3_completes_the_upload(folder):
    free = threading.Event()

    def hold(request):
        if request.method == "POST" and "uploadId" in request.query:
            assert free.wait(DEADLINE_S)
    with real(folder, *PARTS) as scene:
        scene.tap.rule = hold
        files = {"big.bin": pattern(PART + 5)}
        process = scene.load.start("upload", "--json", make_tree(folder / "tree", files))
        reach(process, lambda: completions(scene), "the completion")
        kill(process)
        free.set()
        wait_for(scene.server.files, "the confirm to be processed")
        done = scene.load.run("resume", "--json", scene.load.journal())
        assert books(done) == (1, 1, 0, 0, 0)
        scene.holds(files)
        assert stored_parts(scene) == [1, 2] and len(completions(scene)) == 1


def test_overwrite_and_version_store_the_new_bytes(folder):
    with real(folder, *PARTS) as scene:
        tree = folder / "tree"
        names = {"a.bin": 300, "b.bin": 0, "big.bin": PART + 300}
        ids, superseded = None, []
        for n, policy in enumerate(("fail", "overwrite", "version")):
            files = {name: pattern(size + n, n) for name, size in names.items()}
            make_tree(tree, files)
            done = scene.load.upload("--on-conflict", policy, "--journal", folder / policy, tree)
            assert books(done) == (3, 3, 0, 0, 0)
            before, held = ids and held, scene.holds(files, superseded)
            assert ids in (None, {name: record["id"] for name, record in held.items()})
            ids = {name: record["id"] for name, record in held.items()}
            assert {record["versions"] for record in held.values()} == {1 + (policy == "version")}
            superseded += [record["object"] for record in held.values()]
        for name, record in held.items():
            older, = record["older"]
            assert older["object"] == before[name]["object"], record


def test_bytes_damaged_on_the_way_are_sent_again(folder):
    hurt = {}

    def harm(request):
        name = name_of(request)
        if request.method != "PUT" or request.part_no == 2 or hurt.setdefault(name, 0):
            return
        request.damage = name.startswith("flip")
        request.cut = name.startswith("cut")
        request.etag = f'"{md5(b"other")}"' if name.startswith("etag") else None
        hurt[name] = 1
    with real(folder, *PARTS, *BY_NAME) as scene:
        scene.tap.rule = harm
        files = {f"{how}{size}.bin": pattern(size, how) for how in ("flip", "cut", "etag")
                 for size in (200, PART + 200)}
        done = scene.load.upload(*BY_NAME, make_tree(folder / "tree", files))
        assert books(done) == (6, 6, 0, 0, 0)
        scene.holds(files)
        assert len(hurt) == 6 and len(scene.tap.puts()) == 6 + 3 + 6
        assert not scene.uploads()


def test_s3_judges_the_etags_and_the_sizes_of_the_parts(folder):
    def mislead(request):
        if request.part_no == 1:
            request.etag = f'"{md5(b"other")}"'
    cases = {"InvalidPart": (PARTS, mislead, PART + 6),
             "EntityTooSmall": (("--multipart-threshold", "1M", "--part-size", "1M"), None,
                                (2 << 20) + 6)}
    for code, (args, rule, size) in cases.items():
        inner = fresh(folder, code.lower())
        with real(inner, *args, audit=False) as scene:
            scene.tap.rule = rule
            tree = make_tree(inner / "tree", {"big.bin": pattern(size), "f.bin": pattern(9)})
            done = scene.load.upload("--verify-etag", "off", tree, expect=1)
            assert books(done) == (2, 1, 0, 1, 0)
            failed = failures(done)["big.bin"]
            assert code in failed["error"] and failed["source"].endswith("big.bin"), failed
            scene.holds({"f.bin": pattern(9)})
