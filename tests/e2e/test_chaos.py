"""A short chaos run (tests/chaos): fixed seeds; scripts/chaos --runs N --seed S has more."""
import os
import pathlib
import sys

from pxm import build_dir

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chaos"))

import chaos  # noqa: E402  (the path is set above)

SEEDS = range(4000, 4012)


def test_a_dozen_seeds_keep_the_promise(folder):
    failures = chaos.run_all(SEEDS, folder, jobs=os.cpu_count() or 2)
    assert not failures, f"{failures}\nbuild: {build_dir()}"
