"""What limits a run: the simulated link, and the limit that the program names."""
import concurrent.futures
import time

from pxm import Pxload, books, fresh, make_tree, pattern, sim, summary


def test_simulated_link_is_never_faster_than_told(folder):
    tree = make_tree(folder / "tree", {f"f{i}.bin": pattern(400_000, i) for i in range(6)})
    with sim(folder, "--s3-bandwidth", "4M", "--s3-connection-bandwidth", "1M") as server:
        began = time.monotonic()
        assert books(Pxload(folder, server).upload(tree))[1] == 6
        both = time.monotonic() - began
        began = time.monotonic()
        tree = make_tree(folder / "one", {"one.bin": pattern(600_000, 9)})
        assert books(Pxload(folder, server).upload(tree))[1] == 1
        one = time.monotonic() - began
        assert all(record["size"] for record in server.files().values())
    assert both > 0.5 and one > 0.5, f"{both:.2f} s, {one:.2f} s"


def statuses(load, tree, *args, expect=0):
    """The status objects of an upload."""
    done = load.upload(tree, "--stats", "250ms", *args, expect=expect)
    assert summary(done)["balanced"]
    return [line for line in done.json if line["message_type"] == "status"]


def test_limit_of_the_moment_is_named(folder):
    many = make_tree(folder / "many", {f"f{i:02}.bin": pattern(50_000, i) for i in range(60)})
    one = make_tree(folder / "one", {"one.bin": pattern(600_000, 1)})
    few = make_tree(folder / "few", {f"f{i}.bin": pattern(900, i) for i in range(8)})

    def named(name, tree, sim_args, *args, faults=None, expect=0):
        inner = fresh(folder, name)
        with sim(inner, *sim_args) as server:
            if faults:
                server.faults(faults)
            seen = statuses(Pxload(inner, server), tree, *args, expect=expect)
        assert name in {line["limiter"] for line in seen}, (name, seen)
        return seen

    refused = [{"endpoint": "request", "nth": 1, "status": 429, "retry_after": "2"}]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        network = pool.submit(named, "network", many, ["--s3-bandwidth", "1500K"],
                              "--transfers", "4")
        others = [
            pool.submit(named, "tail", one, ["--s3-connection-bandwidth", "400K"]),
            pool.submit(named, "server", few, [], faults=refused),
            pool.submit(named, "api", few, [], "--api-rate", "9", "--max-duration", "2s",
                        expect=10)]
        for other in others:
            other.result()
        seen = network.result()
    known = [line for line in seen if line["eta"] is not None]
    assert known and all(line["eta"] == line["eta_ms"] // 1000 for line in known), seen
    assert any(line["eta_ms"] > 0 for line in known), seen


def test_transfers_climb_by_themselves_and_fall_back(folder):
    tree = make_tree(folder / "tree", {f"f{i:02}.bin": pattern(300_000, i) for i in range(75)})
    slow = ["--s3-connection-bandwidth", "300K"]

    def run(name, *args, faults=()):
        inner = fresh(folder, name)
        with sim(inner, *slow) as server:
            server.faults(list(faults))
            return [line["putLimit"] for line in statuses(Pxload(inner, server), tree, *args)]

    busy = {"endpoint": "put", "nth": 5, "status": 503, "body": "s3xml", "code": "SlowDown"}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        auto = pool.submit(run, "auto")
        fixed = pool.submit(run, "fixed", "--transfers", "20")
        refused = pool.submit(run, "refused", faults=[busy])
        assert max(auto.result()) > 16, auto.result()
        assert set(fixed.result()) == {20}, fixed.result()
        assert min(refused.result()) == 8, refused.result()
