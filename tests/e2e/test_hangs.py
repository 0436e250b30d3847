"""Every wait has an end: servers that accept and never answer, that stall, that are away."""
import contextlib
import json
import socket
import threading

import peers
from pxm import (Pxload, books, counts, holds, make_tree, md5, pattern, report, requests, sim,
                 summary, wait_for)
from world import odd_names

KIB = 1 << 10
MIB = 1 << 20
ARGS = ("--timeout", "1s", "--contimeout", "1s", "--retries", "2", "--lookup-patience", "1s",
        "--api-rate", "0")
DEADLINE_S = 60
FILES = {f"f{n}": pattern(40 + n, n) for n in range(4)}


def ends_as_temporary(load, tree, *args):
    """The run gives up by itself, blames no file for good and keeps its books."""
    done = load.upload(*ARGS, *args, tree, expect=5, deadline_s=DEADLINE_S)
    total = summary(done)
    assert total["balanced"], total
    assert total["confirmed"] + total["queued"] + total["failed"] == len(FILES), total
    assert "run again" in done.err or "run it again" in done.err or total["advice"], done.err
    return total


def never_answers(folder, endpoint, args=(), fault=None):
    with sim(folder) as server:
        server.faults([{"endpoint": endpoint, **(fault or {"stall": True})}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", FILES)
        total = ends_as_temporary(load, tree, *args)
        assert total["queued"] == len(FILES) and not total["failed"], total
        server.clear_faults()
        load.upload(*ARGS, *args, tree)
        holds(server, FILES)
        assert not server.state(files=False)["duplicates"]


def test_auth_that_never_answers(folder):
    never_answers(folder, "auth")


def test_regions_that_never_answer(folder):
    never_answers(folder, "list", ("--region", "EU"))


def test_request_that_never_answers(folder):
    never_answers(folder, "request")


def test_put_that_never_answers(folder):
    never_answers(folder, "put")


def test_everything_that_never_answers(folder):
    never_answers(folder, "any")


def test_confirm_that_never_answers_is_named_or_left(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "stall": True}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", FILES)
        ends_as_temporary(load, tree)
        server.clear_faults()
        load.run("retry", "--json", *ARGS, load.journal(), expect=0)
        holds(server, FILES)


def test_confirm_that_works_and_never_answers_is_found_out(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "confirm", "stall": True, "after": True}])
        load = Pxload(folder, server)
        done = load.upload(*ARGS, make_tree(folder / "tree", FILES), deadline_s=DEADLINE_S)
        assert books(done)[1] == len(FILES)
        held = holds(server, FILES)
        for name, row in report(load, folder / "tree").items():
            assert row["file_id"] == held[name]["id"], row


def test_one_put_that_stalls_holds_nobody_up(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "put", "name": "f0", "times": 1, "stall": True}])
        load = Pxload(folder, server)
        load.upload(*ARGS, "--transfers", "2", make_tree(folder / "tree", FILES),
                    deadline_s=DEADLINE_S)
        holds(server, FILES)
        assert counts(server)["put"] == len(FILES), "the stalled one is not answered"


def test_part_that_stalls_is_sent_again_on_a_new_connection(folder):
    with sim(folder, "--multipart-threshold", "128K", "--part-size", "64K") as server:
        server.faults([{"endpoint": "part", "nth": 2, "stall": True}])
        load = Pxload(folder, server)
        files = {"big": pattern(300 * KIB)}
        load.upload(*ARGS, make_tree(folder / "tree", files), deadline_s=DEADLINE_S)
        holds(server, files)
        assert counts(server)["part"] == 5, counts(server)


def test_slow_drain_is_no_stall(folder):
    # Bytes move all the time, so for longer than the timeout nothing is given up. The file is far
    # larger than what the sockets of both sides hold.
    data = pattern(12 * MIB)
    with peers.lenient_s3(bytes_per_s=2 * MIB) as s3, sim(folder) as server:
        server.faults([{"endpoint": "request", "status": 200, "body": json.dumps({
            "upload_type": "single", "file_path": "p", "upload_url": s3.url + "/slow"})},
            {"endpoint": "confirm", "status": 200, "body": '{"id":"x"}'}])
        load = Pxload(folder, server)
        done = load.upload(*ARGS, "--timeout", "3s", make_tree(folder / "tree", {"slow": data}),
                           deadline_s=DEADLINE_S)
        assert [put[2] for put in s3.puts] == [md5(data)]
        assert not summary(done)["retries"], summary(done)


def test_reply_that_trickles_is_cut_off(folder):
    # A reply of the API has its time in all, however many bytes still come.
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "times": 2, "slow_drain": 20}])
        load = Pxload(folder, server)
        load.upload(*ARGS, "--retries", "4", make_tree(folder / "tree", FILES),
                    deadline_s=DEADLINE_S)
        holds(server, FILES)


def test_token_that_trickles_ends_the_run(folder):
    never_answers(folder, "auth", fault={"slow_drain": 20})


# ---- listeners that are none ---------------------------------------------------------------------


@contextlib.contextmanager
def silent():
    """A port that takes connections and never says a word: (port, connections)."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept = []

    def accept():
        with contextlib.suppress(OSError):
            while True:
                kept.append(listener.accept()[0])
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], kept
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in kept:
            connection.close()
        thread.join()


@contextlib.contextmanager
def full():
    """A port whose queue is full: the kernel lets no further connection in."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            knock = stack.enter_context(socket.socket())
            knock.setblocking(False)
            knock.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def against(folder, url):
    load = Pxload(folder)
    load.env["PXLOAD_BASE_URL"] = url
    tree = make_tree(folder / "tree", FILES)
    total = ends_as_temporary(load, tree)
    assert total["queued"] == len(FILES), total
    return total


def test_host_that_takes_connections_and_is_silent(folder):
    with silent() as (port, kept):
        total = against(folder, f"http://127.0.0.1:{port}")
        assert total["error_class"] == "timeout" and kept, total


def test_host_that_is_silent_in_the_tls_handshake(folder):
    with silent() as (port, kept):
        total = against(folder, f"https://127.0.0.1:{port}")
        assert total["error_class"] in ("timeout", "network") and kept, total


def test_host_whose_queue_is_full(folder):
    with full() as port:
        total = against(folder, f"http://127.0.0.1:{port}")
        assert total["error_class"] in ("timeout", "network"), total


def test_host_where_nobody_listens(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    total = against(folder, f"http://127.0.0.1:{port}")
    assert total["error_class"] == "network", total


def test_name_that_does_not_resolve(folder):
    total = against(folder, "https://no-such-host.invalid")
    assert total["error_class"] == "network", total


def test_resolver_that_stalls_is_not_waited_for(folder):
    """The question of the first connection gets its answer in a minute; the next one's at once."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.env["PXLOAD_BASE_URL"] = server.api.replace("127.0.0.1", "pxm.test")
        odd_names(load, "pxm.test", 1, 60_000)
        tree = make_tree(folder / "tree", FILES)
        load.upload(*ARGS, "--allow-http", tree, deadline_s=20)
        holds(server, FILES)
        odd_names(load, "pxm.test", 1000, 60_000)
        again = make_tree(folder / "again", FILES)
        done = load.upload(*ARGS, "--allow-http", again, expect=5, deadline_s=20)
        assert summary(done)["queued"] == len(FILES), summary(done)


def test_s3_that_takes_connections_and_is_silent(folder):
    with silent() as (port, kept), sim(folder) as server:
        server.faults([{"endpoint": "request", "url_host": f"127.0.0.1:{port}"}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", FILES)
        ends_as_temporary(load, tree)
        assert kept
        server.clear_faults()
        load.run("retry", "--json", *ARGS, load.journal())
        holds(server, FILES)


def test_relay_that_goes_silent_in_the_middle(folder):
    with silent() as (port, _), sim(folder) as server, peers.relay(server.api) as relay:
        load = Pxload(folder, server)
        load.env["PXLOAD_BASE_URL"] = relay.url
        server.faults([{"endpoint": "put", "delay": 300}])
        tree = make_tree(folder / "tree", FILES)
        process = load.start("upload", "--json", *ARGS, "--transfers", "1", tree)
        wait_for(lambda: server.call("GET", "/_sim/faults")[0]["fired"] >= 2, "two PUTs")
        relay.turn_to(f"http://127.0.0.1:{port}")
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode in (1, 5), process.returncode
        relay.turn_to(server.api)
        server.clear_faults()
        load.run("retry", "--json", *ARGS, load.journal())
        holds(server, FILES)
        assert not server.state(files=False)["duplicates"]


# ---- away for a while ----------------------------------------------------------------------------


def away(folder, side, off_ms, expect, timeout="1s"):
    """Nobody listens for a while; the run rides it out, or gives up and a later one ends it."""
    with sim(folder) as server:
        load = Pxload(folder, server)
        files = {f"f{n:02}": pattern(40 + n, n) for n in range(20)}
        tree = make_tree(folder / "tree", files)
        suffix = f"&side={side}" if side else ""
        # Connections that are open already would live on: each is closed after its reply.
        server.faults([{"endpoint": "any", "close_after": 1}])
        server.call("POST", f"/_sim/listen?off={off_ms}{suffix}")
        args = (*ARGS[2:], "--timeout", timeout)
        done = load.upload(*args, tree, expect=expect, deadline_s=DEADLINE_S)
        if done.returncode:
            assert summary(done)["balanced"] and summary(done)["advice"], summary(done)

            def listening():
                with contextlib.suppress(OSError):
                    for url in (server.api, server.s3):
                        address = url.rpartition("/")[2].split(":")
                        socket.create_connection((address[0], int(address[1]))).close()
                    return True
                return False
            wait_for(listening, "both sides to listen again")
            load.run("retry", "--json", *ARGS, load.journal())
        holds(server, files)
        assert not server.state(files=False)["duplicates"]
        assert not [row for row in report(load, tree).values() if row["state"] != "confirmed"]
        return requests(server)


def test_short_absence_of_all_is_ridden_out(folder):
    away(folder, None, 800, 0, "20s")


def test_short_absence_of_the_api_is_ridden_out(folder):
    away(folder, "api", 800, 0, "20s")


def test_short_absence_of_s3_is_ridden_out(folder):
    away(folder, "s3", 800, 0, "20s")


def test_long_absence_of_all_ends_with_5_and_the_next_run_goes_on(folder):
    away(folder, None, 8000, 5)


def test_long_absence_of_s3_ends_with_5_and_the_next_run_goes_on(folder):
    away(folder, "s3", 8000, 5)
