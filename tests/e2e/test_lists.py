"""Lists of files, and the bytes of what is left out."""
from pxm import Pxload, books, make_tree, sim, summary


def test_listed_file_that_is_not_there_is_said(folder):
    tree = make_tree(folder / "tree", {"a.jpg": b"a", "d/b.jpg": b"bb", "c.jpg": b"ccc"})
    (folder / "list").write_text("a.jpg\nd/b.jpg\ngone/x.jpg\n")
    with sim(folder) as server:
        done = Pxload(folder, server).upload("--files-from", folder / "list", tree, expect=3)
        assert books(done) == (3, 2, 0, 0, 1)
        assert summary(done)["issues"] == 1
        assert "gone/x.jpg" in done.err
        assert set(server.files()) == {"a.jpg", "b.jpg"}


def test_bytes_of_what_is_left_out_are_counted(folder):
    tree = make_tree(folder / "tree", {"a.jpg": b"a", "b.psd": b"x" * 1000, "Thumbs.db": b"y" * 500})
    with sim(folder) as server:
        done = Pxload(folder, server).upload("--exclude", "*.psd", tree)
        assert books(done) == (3, 1, 0, 0, 2)
        assert summary(done)["bytes_excluded"] == 1500
