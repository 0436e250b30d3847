"""Journals that are damaged, foreign, newer or of another job; a full disk; their file modes."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

from moments import SMALL_PARTS, STORED, Scene, in_state, kill, output, reach
from pxm import Pxload, make_tree, report, requests, sim

WRITERS = ("upload", "resume", "retry")
READERS = ("status", "report")


def snapshot(path):
    """What the journal is: {name: (bytes, mode)} of the file and of a log with something in it."""
    files = (path, path.with_name(path.name + "-wal"))
    return {file.name: (file.read_bytes(), oct(file.stat().st_mode))
            for file in files if file == path or file.exists() and file.stat().st_size}


def changes(before, after):
    for name in before | after:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield name, old and (len(old[0]), old[1]), new and (len(new[0]), new[1])


def commands(scene, verbs=WRITERS + READERS):
    for verb in verbs:
        yield scene.command() if verb == "upload" else (verb, scene.path)


def refuses(folder, spoil, *words, verbs=WRITERS + READERS, code=7):
    """Every verb says what is wrong with the journal, and changes nothing in it."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=200)
        server.faults([{"endpoint": "put", "every": 10, "status": 400, "body": "s3xml",
                        "code": "InvalidRequest"}])
        scene.load.run(*scene.command(), "--api-rate", "0", expect=1)
        server.clear_faults()
        spoil(scene.path)
        before, seen = snapshot(scene.path), len(requests(server))
        for command in commands(scene, verbs):
            done = scene.load.run(*command, expect=code)
            assert scene.path.name in done.err and " ERROR " in done.err, done.err
            for word in words:
                assert word in done.err, (command[0], word, done.err)
            assert "confirmed" not in done.out, done.out
        changed = list(changes(before, snapshot(scene.path)))
        assert not changed, f"the journal was changed: {changed}"
        assert len(requests(server)) == seen, "the server was called"


# ---- refused ------------------------------------------------------------------------------------


def test_text_file_is_refused_and_kept(folder):
    refuses(folder, lambda path: path.write_text("my shopping list\n" * 1000))


def test_foreign_database_is_refused_and_kept(folder):
    def spoil(path):
        path.unlink()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE birds(name TEXT)")
            other.execute("INSERT INTO birds VALUES('wren')")
        other.close()
    refuses(folder, spoil, "another program")


def test_newer_journal_is_refused_and_kept(folder):
    def spoil(path):
        connection = sqlite3.connect(path)
        version, = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    refuses(folder, spoil, "newer")


def test_truncated_journal_is_refused_and_kept(folder):
    def spoil(path):
        os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    refuses(folder, spoil, verbs=WRITERS)


def test_journal_cut_inside_its_header_is_refused_and_kept(folder):
    refuses(folder, lambda path: os.truncate(path, 60))


def test_journal_that_is_a_folder_is_refused(folder):
    def spoil(path):
        path.mkdir()
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        spoil(scene.path)
        for command in commands(scene):
            done = scene.load.run(*command, expect=(2, 4, 7))
            assert scene.path.name in done.err, done.err


def test_flipped_bits_are_refused_or_harmless(folder):
    """A byte of every page flipped, one journal each: an error with code 7, or right results."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=60)
        scene.again()
        whole = scene.path.read_bytes()
        found = 0
        for page in range(len(whole) // 4096):
            spoilt = bytearray(whole)
            spoilt[page * 4096 + (1 if page == 0 else 3)] ^= 0x55
            spoilt[page * 4096 + 2000] ^= 0x10
            for companion in ("-wal", "-shm"):
                pathlib.Path(f"{scene.path}{companion}").unlink(missing_ok=True)
            scene.path.write_bytes(spoilt)
            done = scene.load.run("resume", "--json", scene.path, expect=(0, 7))
            found += done.returncode == 7
            assert done.returncode == 0 or " ERROR " in done.err, done.err
            if done.returncode == 7 and not done.out:
                assert scene.path.read_bytes() == spoilt, "a damaged journal was written to"
        assert found >= len(whole) // 4096 // 2, f"{found} of {len(whole) // 4096}"
        assert len(server.files()) == len(scene.wanted)
        scene.path.write_bytes(whole)
        scene.again()


def test_damage_that_shows_in_the_run_ends_it_with_7(folder):
    """quick_check is skipped for no journal of this size, so the damage must not pass silently."""
    def spoil(path):
        with open(path, "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
    refuses(folder, spoil, verbs=WRITERS)


def test_empty_file_becomes_a_journal_but_is_none_to_read(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.path.touch()
        for command in commands(scene, ("resume", "retry", *READERS)):
            done = scene.load.run(*command, expect=7)
            assert "empty" in done.err or "no pxload journal" in done.err, done.err
        scene.again()


def test_job_of_another_server_is_refused_and_goes_on_with_its_own(folder):
    with sim(folder, *SMALL_PARTS) as server, sim(make_tree(folder / "b", {"x": b""})) as other:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400}])
        scene.load.run(*scene.command(), expect=1)
        server.clear_faults()
        done = scene.load.run(*scene.command(), "--base-url", other.api, expect=(2, 7))
        assert server.api in done.err and other.api in done.err, done.err
        assert not requests(other)
        # The journal knows its server better than the environment does.
        scene.load.run("retry", scene.path, env={"PXLOAD_BASE_URL": other.api})
        assert not requests(other)
        scene.check_held()


def test_journal_of_another_tree_is_refused(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        before = snapshot(scene.path)
        other = make_tree(folder / "other", {"new.txt": b"new"})
        done = scene.load.run("upload", "--journal", scene.path, other, expect=(2, 7))
        assert str(scene.tree) in done.err, done.err
        assert snapshot(scene.path) == before
        assert "new.txt" not in server.files()


# ---- modes and companions -----------------------------------------------------------------------


def test_journal_and_its_companions_are_private(folder):
    with sim(folder, *SMALL_PARTS) as server:
        os.umask(0)
        try:
            scene = Scene(folder, server)
            server.faults([{"endpoint": "put", "stall": True}])
            process = scene.start()
            reach(process, lambda: len(list(folder.glob("job.journal*"))) >= 4, "all its files")
            modes = {path.name: oct(path.stat().st_mode & 0o777)
                     for path in folder.glob("job.journal*")}
            kill(process)
            assert set(modes.values()) == {"0o600"}, modes
            server.clear_faults()
            scene.again()
            load = Pxload(folder, server)
            load.upload(make_tree(folder / "two", {"z.txt": b"z"}))
            assert load.journal().stat().st_mode & 0o777 == 0o600
            assert load.journal().parent.stat().st_mode & 0o077 == 0
        finally:
            os.umask(0o022)


def test_clean_end_leaves_the_whole_journal_in_one_file(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        copy = folder / "copy" / "moved.journal"
        copy.parent.mkdir()
        shutil.copy(scene.path, copy)
        row, = scene.load.run("status", "--json", copy).json
        assert row["confirmed"] == len(scene.wanted), row


def test_read_only_journal_can_be_read(folder):
    """Also in a folder that nobody may write to, as on a backup."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        vault = folder / "vault"
        vault.mkdir()
        shutil.copy(scene.path, vault / "job.journal")
        (vault / "job.journal").chmod(0o400)
        before = snapshot(vault / "job.journal")
        for verb in READERS:
            scene.load.run(verb, vault / "job.journal")
        changed = list(changes(before, snapshot(vault / "job.journal")))
        assert not changed, changed


# ---- a full disk --------------------------------------------------------------------------------


def mounted(path, size):
    """True where this machine lets a test mount a small file system."""
    path.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
                          capture_output=True)
    if done.returncode:
        print(f"skipped: no mount here: {done.stderr.decode(errors='replace').strip()}",
              flush=True)
    return done.returncode == 0


def unmount(path):
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_journal_on_a_read_only_disk_can_be_read_where_it_is_whole(folder):
    """No lock and no shared memory can be made there. What stands in a log cannot be read so, and
    the numbers without it would be wrong."""
    disk = folder / "disk"
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--lookup-patience", "1s"))
        server.faults([{"endpoint": "confirm", "stall": True}])
        scene.die(lambda: in_state(scene.path, STORED) >= 3, "stored files")
        if not mounted(disk, "16m"):
            return
        try:
            for suffix in ("", "-wal"):
                shutil.copy(f"{scene.path}{suffix}", f"{disk / 'killed.journal'}{suffix}")
            scene.again()
            whole = disk / "100% whole? #1.journal"
            shutil.copy(scene.path, whole)
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            row, = scene.load.run("status", "--json", whole).json
            assert row["confirmed"] == len(scene.wanted), row
            assert len(report(scene.load, scene.tree, whole)) == len(scene.wanted)
            done = scene.load.run("status", disk / "killed.journal", expect=(4, 7))
            assert "killed.journal" in done.err and "-wal file" in done.err, done.err
            done = scene.load.run("resume", whole, expect=(4, 7))
            assert "ead-only" in done.err and "BUG" not in done.err, done.err
        finally:
            unmount(disk)


def test_full_disk_is_said_and_the_job_goes_on_when_there_is_space(folder):
    small = folder / "small"
    if not mounted(small, "1m"):
        return
    try:
        with sim(folder, "--rate", "0", *SMALL_PARTS) as server:
            scene = Scene(folder, server, args=("--api-rate", "0", "--lookup-patience", "1s"),
                          files=40)
            for i in range(9000):
                name = f"{i:04}-{'n' * 40}.bin"
                scene.wanted[name] = b""
                (scene.tree / name).touch()
            scene.path = small / "job.journal"
            done = scene.load.run(*scene.command(), expect=(4, 7))
            assert " ERROR " in done.err and "no space" in done.err, done.err
            subprocess.run(["mount", "-o", "remount,size=512m", str(small)], check=True)
            scene.again()
    finally:
        unmount(small)


def filled_in_the_run(folder, judge):
    """The disk of the journal fills up when some files are confirmed; judge(stdout, stderr)."""
    small = folder / "small"
    if not mounted(small, "128m"):
        return
    try:
        with sim(folder, "--rate", "0", *SMALL_PARTS) as server:
            scene = Scene(folder, server, args=("--api-rate", "0", "--transfers", "2",
                                                "--lookup-patience", "1s"), files=400)
            scene.path = small / "job.journal"
            server.faults([{"endpoint": "put", "delay": 20}])
            process = scene.start()
            reach(process, lambda: len(server.files()) >= 10, "confirmed files")
            with open(small / "filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(4096)) == 4096:
                        pass
                except OSError:
                    pass
                out, err = output(process)
            assert process.returncode in (4, 7), (process.returncode, err)
            judge(out, err)
            (small / "filler").unlink()
            server.clear_faults()
            scene.again()
    finally:
        unmount(small)


def test_disk_that_fills_up_in_the_run_doubles_nothing(folder):
    def judge(_, err):
        assert " ERROR " in err and "no space" in err, err
    filled_in_the_run(folder, judge)


def test_run_that_a_full_disk_ended_has_its_summary(folder):
    def judge(out, _):
        last = json.loads(out.splitlines()[-1])
        assert last["message_type"] == "summary" and last["end"] == "journal", last
        assert last["exit_code"] == 4 and last["confirmed"] >= 1, last
    filled_in_the_run(folder, judge)
