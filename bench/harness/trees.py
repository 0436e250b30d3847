"""The trees that are uploaded. Every byte is zero: null_server knows the MD5 of zeros."""
import dataclasses
import math
import os
import pathlib
import random

from place import MIB

FILES_A_FOLDER = 250
FIRST_SHARE = 5  # one file in so many is in folder "a", which slow peers get alone


@dataclasses.dataclass
class Tree:
    folder: pathlib.Path
    files: int
    bytes: int


def _extension(number):
    return ("jpg", "png", "tif", "psd", "mp4")[number % 5] if number % 10 else "pdf"


def _write(path, size, sparse):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if sparse:
            os.ftruncate(handle, size)
        elif size:
            os.posix_fallocate(handle, 0, size)
    finally:
        os.close(handle)


def make(folder, sizes, sparse=False, first_share=FIRST_SHARE):
    """{"all": Tree, "a": Tree}: sizes in folders a and b below folder."""
    trees = {"all": Tree(folder, 0, 0), "a": Tree(folder / "a", 0, 0)}
    last = None
    for number, size in enumerate(sizes):
        side = "a" if number % first_share == 0 else "b"
        inner = folder / side / f"{number // (FILES_A_FOLDER * first_share):04}"
        if inner != last:
            inner.mkdir(parents=True, exist_ok=True)
            last = inner
        _write(inner / f"asset-{number:07}.{_extension(number)}", size, sparse)
        for tree in (trees["all"], trees["a"]) if side == "a" else (trees["all"],):
            tree.files += 1
            tree.bytes += size
    return trees


def dam_mix(files, giants, giant_bytes, mean=MIB, seed=1):
    """Sizes of a DAM: log-normal with a median of mean / e^(1/2)."""
    rng = random.Random(seed)
    sizes = [max(1, int(rng.lognormvariate(math.log(mean) - 0.5, 1.0))) for _ in range(files)]
    for n in range(giants):
        sizes.insert((n + 1) * len(sizes) // (giants + 1), giant_bytes)
    return sizes


def make_flat(folder, files, size, files_a_folder=1000):
    """A tree of many small sparse files; its Tree."""
    for number in range(files):
        if number % files_a_folder == 0:
            inner = folder / f"{number // files_a_folder:05}"
            inner.mkdir(parents=True)
        _write(inner / f"asset-{number:07}.jpg", size, True)
    return Tree(folder, files, files * size)


def warm(tree):
    """Reads everything once, so that no round meets a cold cache."""
    for where, _, names in os.walk(tree.folder):
        for name in names:
            with open(os.path.join(where, name), "rb", buffering=0) as source:
                while source.read(4 * MIB):
                    pass
