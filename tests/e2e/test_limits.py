"""What limits a run: the simulated link, and the limit that the program names."""
import time

from pxm import Pxload, books, make_tree, pattern, sim


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
