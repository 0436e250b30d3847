"""Files of every size: none, one byte, around a part's end, larger than memory should hold."""
import concurrent.futures
import hashlib
import os
import threading

from pxm import (Pxload, books, counts, holds, make_tree, md5, pattern, report, sim, summary,
                 wait_for)

MIB = 1 << 20
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")
EDGES = {"empty": 0, "one": 1, "part-1": 5 * MIB - 1, "part": 5 * MIB, "part+1": 5 * MIB + 1,
         "two-1": 10 * MIB - 1, "two": 10 * MIB, "two+1": 10 * MIB + 1}


def edge_files():
    return {name: pattern(size, n) for n, (name, size) in enumerate(EDGES.items())}


def test_sizes_around_a_part_arrive_whole(folder):
    with sim(folder, *PARTS) as server:
        files = edge_files()
        done = Pxload(folder, server).upload(make_tree(folder / "tree", files))
        assert books(done) == (8, 8, 0, 0, 0)
        holds(server, files)
        assert (counts(server)["put"], counts(server)["part"]) == (4, 2 + 2 + 2 + 3)
        assert summary(done)["bytes"] == sum(EDGES.values())


def test_sizes_around_a_part_arrive_whole_with_parts_in_parallel(folder):
    with sim(folder, *PARTS, "--allow-part-concurrency", "4") as server:
        files = edge_files()
        files["many"] = pattern(47 * MIB + 11)
        tree = make_tree(folder / "tree", files)
        Pxload(folder, server).upload("--part-concurrency", "4", tree)
        holds(server, files)
        assert counts(server)["part"] == 9 + 10


def test_parts_go_one_after_the_other_unless_asked(folder):
    """pxm-sim's audit has a part that begins before its predecessor was answered."""
    with sim(folder, *PARTS, "--s3-latency", "20") as server:
        files = {"a": pattern(26 * MIB), "b": pattern(21 * MIB)}
        Pxload(folder, server).upload(make_tree(folder / "tree", files))
        holds(server, files)


def test_unchecked_etags_still_arrive_whole(folder):
    with sim(folder, *PARTS) as server:
        files = {"big": pattern(11 * MIB), "small": b"s"}
        Pxload(folder, server).upload("--verify-etag", "off", make_tree(folder / "tree", files))
        holds(server, files)


def test_kms_etags_are_not_compared_but_confirmed_as_given(folder):
    with sim(folder, *PARTS) as server:
        server.faults([{"endpoint": "put", "kms_header": True},
                       {"endpoint": "part", "kms_header": True}])
        files = {"big": pattern(11 * MIB), "small": b"s"}
        Pxload(folder, server).upload(make_tree(folder / "tree", files))
        holds(server, files)


def test_wrong_etag_sends_the_part_again(folder):
    with sim(folder, *PARTS, audit=False) as server:
        server.faults([{"endpoint": "part", "nth": 2, "wrong_etag": True},
                       {"endpoint": "put", "nth": 1, "wrong_etag": True}])
        files = {"big": pattern(11 * MIB), "small": b"s"}
        Pxload(folder, server).upload(make_tree(folder / "tree", files))
        holds(server, files)
        assert (counts(server)["part"], counts(server)["put"]) == (4, 2)


# ---- 3 GiB ------------------------------------------------------------------------------------

SPARSE_BYTES = 3 << 30
MARKS = {0: b"begin", (1 << 30) - 3: b"across", (2 << 30) + 12345: b"middle",
         SPARSE_BYTES - 3: b"end"}


def sparse_md5():
    zeros = bytes(4 * MIB)
    digest = hashlib.md5()
    at = 0
    for offset, mark in [*MARKS.items(), (SPARSE_BYTES, b"")]:
        while at < offset:
            n = min(len(zeros), offset - at)
            digest.update(memoryview(zeros)[:n])
            at += n
        digest.update(mark)
        at += len(mark)
    return digest.hexdigest()


def test_sparse_file_of_3_gib_arrives_whole(folder):
    tree = make_tree(folder / "tree", {"small": b"beside it"})
    with open(tree / "sparse.bin", "wb") as out:
        for offset, mark in MARKS.items():
            out.seek(offset)
            out.write(mark)
    assert os.stat(tree / "sparse.bin").st_size == SPARSE_BYTES
    with sim(folder, "--store", "null", "--part-size", "64M") as server, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        wanted = pool.submit(sparse_md5)
        load = Pxload(folder, server)
        done = load.upload(tree)
        assert books(done) == (2, 2, 0, 0, 0)
        holds(server, {"small": b"beside it", "sparse.bin": (SPARSE_BYTES, wanted.result())})
        assert counts(server)["part"] == 48


# ---- files that do not rest -------------------------------------------------------------------


def put_begins(server):
    return lambda: server.state(files=False)["bytes_received"] > 0


def test_file_that_grows_while_sent_ends_as_one_of_its_states(folder):
    for size in (64 * 1024, 11 * MIB):
        inner = folder / str(size)
        inner.mkdir()
        with sim(inner, *PARTS, "--s3-latency", "700") as server:
            old = pattern(size)
            tree = make_tree(inner / "tree", {"file": old})
            load = Pxload(inner, server)
            process = load.start("upload", "--json", tree)
            wait_for(put_begins(server), "bytes at S3")
            with open(tree / "file", "ab") as out:
                out.write(b"grown")
            out, err = process.communicate(timeout=60)
            assert process.returncode in (0, 3), (process.returncode, out, err)
            record = server.files().get("file")
            states = {md5(old): size, md5(old + b"grown"): size + 5}
            if process.returncode == 0:
                assert states.get(record["md5"]) == record["size"], record
            else:
                assert record is None, record
            assert counts(server).get("confirm-upload", 0) <= 1
            load.upload("--on-conflict", "overwrite", tree)
            holds(server, {"file": old + b"grown"})


def test_file_that_is_rewritten_in_place_is_never_mixed(folder):
    with sim(folder, *PARTS, "--s3-latency", "400") as server:
        old, new = pattern(16 * MIB, 1), pattern(16 * MIB, 2)
        tree = make_tree(folder / "tree", {"file": old})
        load = Pxload(folder, server)
        process = load.start("upload", "--json", tree)
        wait_for(put_begins(server), "bytes at S3")
        with open(tree / "file", "r+b") as out:
            out.write(new)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 3), (process.returncode, out, err)
        if process.returncode == 0:
            assert server.files()["file"]["md5"] in (md5(old), md5(new))
        else:
            assert not server.files()


def test_file_that_never_rests_is_reported_and_not_confirmed(folder):
    with sim(folder, *PARTS, "--s3-latency", "50") as server:
        tree = make_tree(folder / "tree", {"log": pattern(6 * MIB), "rests": b"still"})
        done = threading.Event()

        def write():
            pause = threading.Event()
            while not done.is_set():
                with open(tree / "log", "ab") as out:
                    out.write(b"line\n")
                pause.wait(0.01)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            load = Pxload(folder, server)
            run = load.upload("--retries", "2", tree, expect=3)
        finally:
            done.set()
            writer.join()
        assert summary(run)["failed_by_class"] == {"source_changed": 1}
        assert report(load, tree)["log"]["error_class"] == "source_changed"
        holds(server, {"rests": b"still"})


def test_file_that_shrinks_while_sent_is_not_confirmed_short(folder):
    with sim(folder, *PARTS, "--s3-latency", "700") as server:
        old = pattern(16 * MIB)
        tree = make_tree(folder / "tree", {"file": old})
        load = Pxload(folder, server)
        process = load.start("upload", "--json", tree)
        wait_for(put_begins(server), "bytes at S3")
        os.truncate(tree / "file", 6 * MIB)
        out, err = process.communicate(timeout=60)
        assert process.returncode in (0, 3), (process.returncode, out, err)
        if process.returncode == 0:
            record = server.files()["file"]
            assert record["md5"] in (md5(old), md5(old[:6 * MIB])), record
        else:
            assert not server.files()
