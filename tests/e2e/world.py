"""The world as a test wants it, preloaded into pxload: a wall clock that is set while it runs (see
clockjump.c), a disk and a resolver that fail on order (see oddworld.c)."""
import struct

from pxm import build_dir

HOUR_S = 3600


def preload_into(load, name, **settings):
    library = build_dir() / f"tests/{name}.so"
    assert library.exists(), f"{library} is not built"
    load.env |= {"LD_PRELOAD": str(library), **settings,
                 # A sanitizer wants to be the first library; here it may be the second.
                 "ASAN_OPTIONS": load.env.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


def odd_reads(load, name, skip, count, errno):
    """Reads of files of that name: `skip` go well, then `count` fail; errno 0: at the end."""
    preload_into(load, "oddworld", WORLD_READS=f"{name} {skip} {count} {errno}")


def odd_names(load, host, count, stall_ms):
    """The host is 127.0.0.1, which so many questions learn only after a while."""
    preload_into(load, "oddworld", WORLD_NAMES=f"{host} {count} {stall_ms}")


class Clock:
    """The clocks of everything that a Pxload starts from now on."""

    def __init__(self, load):
        self.path = load.folder / "clock"
        self.path.write_bytes(bytes(16))
        preload_into(load, "clockjump", WORLD_CLOCK=str(self.path))
        self.offset_s = 0
        self.asleep_s = 0

    def turn(self, seconds):
        """The wall clock is set; at once, also for what runs."""
        self.offset_s += seconds
        with open(self.path, "r+b", buffering=0) as file:
            file.write(struct.pack("=qq", int(self.offset_s * 1000), int(self.asleep_s * 1000)))

    def sleep(self, seconds):
        """The machine was asleep for so long."""
        self.asleep_s += seconds
        self.turn(seconds)
