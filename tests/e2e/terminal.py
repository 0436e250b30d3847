"""A run whose stderr is a terminal of a given size, and what that terminal shows."""
import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import unicodedata

from pxm import DEADLINE_S

CONTROL = re.compile(r"\033\][^\007]*\007|\033\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\033\[[0-9;]*m")


@contextlib.contextmanager
def terminal(columns, rows=24):
    """(fd for the run, Screen)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    screen = Screen(master)
    try:
        yield slave, screen
    finally:
        screen.close(slave)
        os.close(master)


class Screen:
    """Reads all that is written to the terminal."""

    def __init__(self, master):
        self.master = master
        self.data = b""
        self.ended, self.end = os.pipe()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            ready, _, _ = select.select([self.master, self.ended], [], [])
            if self.master in ready:
                try:
                    self.data += os.read(self.master, 65536)
                except OSError:
                    return
            elif self.ended in ready:
                return

    def close(self, slave):
        os.close(slave)
        os.write(self.end, b"x")
        self.thread.join(DEADLINE_S)
        os.close(self.end)
        os.close(self.ended)

    @property
    def text(self):
        return self.data.decode(errors="replace")

    @property
    def lines(self):
        """Every line ever shown, without control sequences, widest reading of it."""
        return re.split(r"[\r\n]+", CONTROL.sub("", self.text))


def width(text):
    """Columns that a terminal gives it."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def run_on(screen_fd, load, *args, stdout=subprocess.PIPE):
    """The ended run with .out; its stderr is the terminal."""
    process = load.start(*args, stdout=stdout, stderr=screen_fd)
    try:
        out, _ = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return process.returncode, (out or b"").decode(errors="replace")
