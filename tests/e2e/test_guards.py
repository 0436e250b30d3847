"""What stops a run that would go on blindly."""
from pxm import Pxload, make_tree, preload, requests, sim, summary


def test_journal_that_others_can_write_decides_nothing(folder):
    tree = make_tree(folder / "tree", {"a.jpg": b"a"})
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(tree)
        journal = load.journal()
        journal.chmod(0o666)
        before = len(requests(server))
        done = load.run("resume", journal, expect=7)
        assert "others can write to it" in done.err
        assert len(requests(server)) == before


def test_canaries_that_cannot_be_read_back_stop_the_run(folder):
    names = [f"f{i}.jpg" for i in range(12)]
    tree = make_tree(folder / "tree", {name: b"new " + name.encode() for name in names})
    with sim(folder) as server:
        preload(server, {name: 3 for name in names})
        # The last file's PUT ends in the drain, when the verdict is known.
        server.faults([{"endpoint": "search", "every": 1, "status": 403},
                       {"endpoint": "put", "name": names[-1], "delay": 1000}])
        done = Pxload(folder, server).upload("--on-conflict", "overwrite", tree, expect=7)
        total = summary(done)
        assert total["confirmed"] == 3 and total["queued"] == 9, total
        assert "cannot be read back" in done.err
