"""Turning the wall clock of pxload while it runs: see clockjump.c."""
import struct

from pxm import build_dir

HOUR_S = 3600


class Clock:
    """The wall clock of everything that a Pxload starts from now on."""

    def __init__(self, load):
        self.path = load.folder / "clock"
        self.path.write_bytes(bytes(8))
        library = build_dir() / "tests/clockjump.so"
        assert library.exists(), f"{library} is not built"
        load.env |= {"LD_PRELOAD": str(library), "PXLOAD_TEST_CLOCK": str(self.path),
                     # A sanitizer wants to be the first library; here it may be the second.
                     "ASAN_OPTIONS": load.env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        self.offset_s = 0

    def turn(self, seconds):
        """At once, also for what runs."""
        self.offset_s += seconds
        with open(self.path, "r+b", buffering=0) as file:
            file.write(struct.pack("=q", int(self.offset_s * 1000)))
