"""SIGINT, SIGTERM, SIGHUP, SIGUSR1; the limits that end a run; a journal in use; until loops."""
import json
import os
import re
import signal
import subprocess

from moments import PREPARED, REQUESTED, SMALL_PARTS, Scene, in_state, output, reach
from pxm import Pxload, books, sim, summary

# No transfer that stalls ends by itself while a test waits for something else.
PATIENT = ("--timeout", "10m")


def ended(process):
    """The completed run, as Pxload.run gives it."""
    out, err = output(process)
    done = subprocess.CompletedProcess(process.args, process.returncode)
    done.out, done.err = out, err
    done.json = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return done


def said(path, text):
    return text in path.read_text(errors="replace")


def start_logged(scene, folder, **kwargs):
    """A run whose stderr can be read while it goes on."""
    log = folder / "stderr.txt"
    with open(log, "wb") as err:
        return scene.load.start(*scene.command(), stderr=err, **kwargs), log


def abort(process, log, deadline_s=20):
    """SIGINT, and once more when the first one was seen; the ended run."""
    process.send_signal(signal.SIGINT)
    reach(process, lambda: said(log, "interrupted"), "the drain")
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=deadline_s)
    finally:
        process.kill()
    done = ended(process)
    assert done.returncode == 130, log.read_text()
    return done


def draining(folder, number, code):
    """A signal while files are on their way: an orderly end, and nothing is lost."""
    with sim(folder, "--s3-latency", "40", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "2"), files=40)
        process = scene.start()
        reach(process, lambda: len(server.files()) >= 3, "three confirmed files")
        process.send_signal(number)
        done = ended(process)
        assert done.returncode == code, done.err
        total = summary(done)
        assert total["end"] == "stopped" and total["exit_code"] == code, total
        assert total["balanced"] and total["queued"] > 0, total
        assert total["planned"] == total["confirmed"] + total["queued"] == 42, total
        assert len(server.files()) == total["confirmed"]
        assert done.json[-1] is total
        assert scene.load.run("status", "--json", scene.path).json[0]["queued"] == total["queued"]
        scene.resume()


def test_sigint_drains_and_the_job_can_be_resumed(folder):
    draining(folder, signal.SIGINT, 130)


def test_sigterm_drains_and_the_job_can_be_resumed(folder):
    draining(folder, signal.SIGTERM, 143)


def test_sighup_is_a_sigterm(folder):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored, and pxload heeds that
    draining(folder, signal.SIGHUP, 143)


def test_sigint_lets_the_transfer_under_way_finish(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "1"))
        server.faults([{"endpoint": "put", "name": "f0.bin", "delay": 700}])
        process = scene.start()
        reach(process, lambda: in_state(scene.path, REQUESTED), "a transfer")
        process.send_signal(signal.SIGINT)
        done = ended(process)
        assert done.returncode == 130, done.err
        sent = {row["destination"] for row in done.json if row["message_type"] == "file"}
        assert sent == set(server.files()), sent
        assert [row for row in server.call("GET", "/_sim/requests")["requests"]
                if row["endpoint"] == "put" and row["status"] != 200] == []
        scene.again()


def test_second_sigint_aborts_what_stalls(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=PATIENT)
        server.faults([{"endpoint": "put", "stall": True}, {"endpoint": "part", "stall": True}])
        process, log = start_logged(scene, folder)
        reach(process, lambda: in_state(scene.path, REQUESTED), "a stalled transfer")
        done = abort(process, log)
        assert summary(done)["queued"] == len(scene.wanted)
        server.clear_faults()
        scene.again()


def test_second_sigint_during_a_confirm_doubles_nothing(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=PATIENT)
        server.faults([{"endpoint": "confirm", "stall": True, "after": True}])
        process, log = start_logged(scene, folder)
        reach(process, lambda: len(server.files()) == len(scene.wanted), "processed confirms")
        abort(process, log)
        server.clear_faults()
        scene.again()


def test_sigterm_ends_what_stalls_by_its_deadline(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=PATIENT)
        server.faults([{"endpoint": "put", "stall": True}])
        process = scene.start()
        reach(process, lambda: in_state(scene.path, REQUESTED), "a stalled transfer")
        process.send_signal(signal.SIGTERM)
        done = ended(process)
        assert done.returncode == 143, done.err
        assert summary(done)["balanced"]
        server.clear_faults()
        scene.again()


def test_sigint_before_the_first_answer_leaves_a_resumable_job(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=PATIENT)
        server.faults([{"endpoint": "auth", "stall": True}])
        process, log = start_logged(scene, folder)
        reach(process, lambda: in_state(scene.path, PREPARED) == len(scene.wanted), "the walk")
        assert summary(abort(process, log))["queued"] == len(scene.wanted)
        server.clear_faults()
        scene.again()


def test_sigusr1_prints_a_status_line(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--timeout", "3s", "--stats", "1h"))
        server.faults([{"endpoint": "put", "nth": 1, "stall": True}])
        process, log = start_logged(scene, folder)
        reach(process, lambda: len(server.files()) >= 5, "files")
        assert log.read_text() == "", log.read_text()
        process.send_signal(signal.SIGUSR1)
        reach(process, lambda: log.read_text().endswith("\n"), "the line")
        lines = log.read_text().splitlines()
        assert len(lines) == 1 and re.search(r"\d+/\d+|\d+%| of ", lines[0]), lines
        done = ended(process)
        assert done.returncode == 0
        scene.check(done)


def test_nohup_is_respected(folder):
    with sim(folder, "--s3-latency", "40", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "2"), files=30)
        process = scene.load.start(*scene.command(), preexec_fn=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN))
        reach(process, lambda: len(server.files()) >= 3, "three confirmed files")
        process.send_signal(signal.SIGHUP)
        done = ended(process)
        assert done.returncode == 0, done.err
        scene.check(done)


def test_closed_stdout_does_not_stop_the_job(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        reader, writer = os.pipe()
        os.close(reader)
        process = scene.load.start(*scene.command(), stdout=writer)
        os.close(writer)
        _, err = output(process)
        assert process.returncode not in (0, -signal.SIGPIPE), process.returncode
        assert "stdout" in err, err
        scene.check_held()


# ---- limits -------------------------------------------------------------------------------------


def limited(folder, args, code, end):
    """The limit ends the run with its code; without it the rest follows."""
    with sim(folder, "--s3-latency", "60", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "1"), files=20, big=False)
        done = scene.load.run(*scene.command(), *args, expect=code)
        total = summary(done)
        assert total["end"] == end and total["balanced"], total
        assert 0 < total["queued"] < total["planned"] == 21, total
        assert done.err.strip(), "the reason is not said"
        assert len(server.files()) == total["confirmed"] > 0
        scene.again()


def test_max_duration_ends_with_10_and_goes_on_later(folder):
    limited(folder, ("--max-duration", "700ms"), 10, "max_duration")


def test_max_transfer_ends_with_8_and_goes_on_later(folder):
    limited(folder, ("--max-transfer", "500"), 8, "max_transfer")


def test_max_transfer_finishes_the_file_that_is_under_way(folder):
    """Else a loop with a limit below the largest file sends its first parts for ever."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "1"))
        done = scene.load.run(*scene.command(), "--max-transfer", "100K", expect=8)
        assert "big.bin" in server.files(), summary(done)


def test_max_errors_ends_with_8_and_retry_sends_the_failed(folder):
    with sim(folder, "--api-latency", "20", *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--transfers", "1"), files=200)
        server.faults([{"endpoint": "request", "status": 400, "code": "Odd", "message": "no"}])
        done = scene.load.run(*scene.command(), "--max-errors", "3", expect=8)
        total = summary(done)
        assert total["end"] == "max_errors" and total["balanced"], total
        assert total["failed"] >= 3 and total["queued"] > 0, total
        server.clear_faults()
        done = scene.load.run("retry", "--json", scene.path)
        scene.check(done)


def test_fewer_errors_than_max_errors_end_with_1(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "request", "name": "f1.bin", "status": 400}])
        done = scene.load.run(*scene.command(), "--max-errors", "3", expect=1)
        assert books(done) == (8, 7, 0, 1, 0)


# ---- two runs, a dead server, loops -------------------------------------------------------------


def test_second_run_on_a_busy_journal_ends_with_11(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=PATIENT)
        server.faults([{"endpoint": "put", "name": "f0.bin", "stall": True}])
        process, log = start_logged(scene, folder)
        reach(process, lambda: len(server.files()) == len(scene.wanted) - 1, "all but one")
        for command in (scene.command(), ("resume", scene.path), ("retry", scene.path)):
            done = scene.load.run(*command, expect=11)
            assert str(process.pid) in done.err, done.err
            assert not done.out, done.out
        assert process.poll() is None
        abort(process, log)
        server.clear_faults()
        scene.again()


def test_dead_server_ends_with_5_and_the_job_can_go_on(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, args=("--timeout", "2s", "--contimeout", "2s"))
        server.call("POST", "/_sim/listen?off=3600000&side=s3")
        scene.load.run(*scene.command(), "--retries", "2", expect=5)
    with sim(folder) as other:
        closed = other.api
    load = Pxload(folder, None, PXLOAD_BASE_URL=closed)
    done = load.run("upload", "--json", "--timeout", "2s", "--contimeout", "2s", "--retries", "2",
                    scene.tree, expect=5)
    total = summary(done)
    assert total["balanced"] and total["queued"] == total["planned"] == 8, total
    assert "ERROR" in done.err and closed.rpartition(":")[2] in done.err, done.err


def test_until_loop_ends_with_every_file_once(folder):
    """A server that fails most calls: the loop of the help text brings every file, none twice."""
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server, files=10,
                      args=("--retries", "1", "--timeout", "2s", "--lookup-patience", "1s"))
        server.faults([{"endpoint": "request", "every": 3, "status": 503, "times": 12},
                       {"endpoint": "put", "every": 3, "reset_during": True, "times": 6},
                       {"endpoint": "confirm", "every": 2, "status": 500, "after": True,
                        "times": 6}])
        for rounds in range(1, 20):
            done = scene.load.run(*scene.command(), expect=(0, 1, 5))
            if done.returncode == 0:
                break
            assert "ERROR" in done.err, "a failure without a word"
        assert done.returncode == 0 and rounds > 1, (rounds, done.err)
        scene.check(done)


def test_runs_after_the_end_change_nothing(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        scene.again()
        before = server.state()
        for command in (scene.command(), ("resume", scene.path), ("retry", scene.path)):
            scene.load.run(*command)
        after = server.state()
        assert before["files"] == after["files"]
        assert before["counts"] == after["counts"], "a complete job called the API"
