"""Every command in docs/ is run, in order, page by page; every error class has its line."""
import os
import pathlib
import re
import subprocess

import pxm
from pxm import Pxload, make_tree, pattern, sim

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def blocks(page):
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)


def run_page(folder, name):
    """What PXM has afterwards."""
    page = DOCS / name
    commands = blocks(page)
    assert commands, f"{name} has no command"
    make_tree(folder / "dam-export", {
        f"{shelf}/{n}.{kind}": pattern(2000 + 100 * n, n)
        for shelf, kind in (("photos/2019", "jpg"), ("photos/2020", "png"), ("print", "pdf"))
        for n in range(4 if kind == "jpg" else 2)} | {"print/manual.pdf": pattern(9000, 7)})
    with sim(folder) as server:
        env = {**Pxload(folder, server).env, "PATH": f"{pxm.build_dir()}:{os.environ['PATH']}"}
        for command in commands:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=env,
                                  text=True, capture_output=True, timeout=pxm.DEADLINE_S,
                                  stdin=subprocess.DEVNULL)
            assert done.returncode == 0, (
                f"{name}: exit {done.returncode}\n{command}\n{done.stdout}\n{done.stderr}")
        return server.files()


def test_commands_of_wire_profile(folder):
    run_page(folder, "wire-profile.md")


def test_commands_of_tuning(folder):
    run_page(folder, "tuning.md")


def test_commands_of_manifest(folder):
    run_page(folder, "manifest.md")


def test_commands_of_troubleshooting(folder):
    run_page(folder, "troubleshooting.md")


def test_commands_of_migration(folder):
    held = run_page(folder, "migration.md")
    # The pilot's files too: none was taken for a stranger's, skipped and left without its folder.
    assert len(held) == 10 and all(len(f["collections"]) == 1 for f in held.values()), held


def test_every_page_is_run(folder):
    pages = {page.name for page in DOCS.glob("*.md") if blocks(page)}
    run = {name.removeprefix("test_commands_of_").replace("_", "-") + ".md"
           for name in globals() if name.startswith("test_commands_of_")}
    assert pages == run


def test_every_error_class_has_its_line(folder):
    header = (DOCS.parent / "src/base/err.h").read_text()
    classes = set(re.findall(r'^    X\([A-Z0-9_]+, "([a-z0-9_]+)",', header, re.M))
    rows = re.findall(r"^\| (`.*?) \|", (DOCS / "troubleshooting.md").read_text(), re.M)
    told = set(re.findall(r"`([a-z0-9_]+)`", " ".join(rows)))
    assert classes and classes == told, classes ^ told
