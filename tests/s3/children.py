"""Server processes of ours on loopback: started, awaited, and stopped by their ids."""
import ctypes
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import tempfile
import time

STOP_DEADLINE_S = 10
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


class NotReady(Exception):
    """A server ended or was not ready in time."""


def free_ports(count):
    """That many ports of loopback on which nothing listens now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def work_folder(*fallbacks):
    """A temp folder whose file system takes the user attributes that object stores keep."""
    refused = []
    for parent in (tempfile.gettempdir(), "/var/tmp", *fallbacks):
        folder = tempfile.TemporaryDirectory(prefix="pxload-s3-", dir=parent)
        try:
            os.setxattr(folder.name, "user.pxload", b"1")
            return folder
        except OSError as error:
            refused.append(f"{parent}: {error.strerror}")
            folder.cleanup()
    raise NotReady("no folder takes user attributes: " + "; ".join(refused))


def end_with_parent(number):
    """The calling process gets this signal when the one that started it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, number)


class Children:
    """The processes of one start; what they say is in FOLDER/NAME.log."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = {}

    def start(self, name, *command, env=None):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=self.folder, env=env and {**os.environ, **env},
                preexec_fn=lambda: end_with_parent(signal.SIGKILL))

    def run(self, *command, env=None, deadline_s=60):
        """A command that ends by itself; its output. It must succeed."""
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=deadline_s,
                              cwd=self.folder, env=env and {**os.environ, **env})
        if done.returncode:
            raise NotReady(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def tail(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    def check(self):
        """Raises where a server has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise NotReady(f"{name} ended with {process.returncode}\n{self.tail(name)}")

    def wait_for(self, condition, what, deadline_s=60):
        """Until condition() is true and all servers live; its failures count as not yet."""
        end = time.monotonic() + deadline_s
        while True:
            self.check()
            try:
                if condition():
                    return
                reason = "no"
            except Exception as error:  # any client's failure while the server is coming up
                reason = str(error)
            if time.monotonic() > end:
                logs = "\n".join(f"--- {name}\n{self.tail(name)}" for name in self.running)
                raise NotReady(f"waited {deadline_s} s for {what}: {reason}\n{logs}")
            time.sleep(0.1)

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_DEADLINE_S
        for process in self.running.values():
            try:
                process.wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()


def new_secret():
    return secrets.token_hex(20)
