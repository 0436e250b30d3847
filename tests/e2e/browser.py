"""Headless Chromium, driven through its DevTools protocol on a pair of pipes."""
import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

from pxm import DEADLINE_S, wait_for

# Without network services of its own, and with nothing kept.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", "about:blank")


def pipe():
    """A pipe whose ends are none of the low numbers that Chromium wants."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


class Browser:
    def __init__(self, folder):
        program = shutil.which("chromium")
        assert program, "chromium is not there: run scripts/install-deps browser"
        data = folder / "chromium"
        data.mkdir()
        read, self.write_fd = pipe()
        self.read_fd, write = pipe()
        env = {**os.environ, "HOME": str(data), "XDG_CONFIG_HOME": str(data / "config"),
               "XDG_CACHE_HOME": str(data / "cache")}
        self.log = open(folder / "chromium.log", "wb")
        # Chromium reads from 3 and writes to 4.
        command = ["bash", "-c", 'exec "$0" "$@" 3<&%d 4>&%d' % (read, write), program, *FLAGS[:-1],
                   f"--user-data-dir={data}", FLAGS[-1]]
        self.process = subprocess.Popen(command, env=env, pass_fds=(read, write),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(read)
        os.close(write)
        self.data = b""
        self.count = 0
        self.session = None
        self.events = []
        targets = wait_for(lambda: [t for t in self.call("Target.getTargets")["targetInfos"]
                                    if t["type"] == "page"], "a page in Chromium")
        self.session = self.call("Target.attachToTarget", targetId=targets[0]["targetId"],
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")

    def receive(self):
        end = time.monotonic() + DEADLINE_S
        while b"\0" not in self.data:
            ready, _, _ = select.select([self.read_fd], [], [], max(0, end - time.monotonic()))
            more = os.read(self.read_fd, 1 << 20) if ready else b""
            assert more, "Chromium is gone or does not answer: see chromium.log"
            self.data += more
        text, _, self.data = self.data.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.receive()
            if reply.get("id") == self.count:
                assert "error" not in reply, (method, reply["error"])
                return reply["result"]
            self.events.append(reply)

    def open(self, path):
        """Loads a file; what it asked for and complained of is in requests() and complaints()."""
        self.events.clear()
        self.call("Page.navigate", url=f"file://{path}")
        wait_for(lambda: self.value("document.readyState") == "complete", f"{path} in Chromium")

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, (expression, result["exceptionDetails"])
        return result["result"].get("value")

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """Of the console, of scripts, and of the security policy."""
        return [event["params"] for event in self.events if event.get("method") in
                ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]

    def media(self, media="", scheme="light"):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def window(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot",
                                          captureBeyondViewport=True)["data"])

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def close(self):
        self.session = None
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_fd)
        os.close(self.write_fd)
        self.log.close()


@contextlib.contextmanager
def browser(folder):
    program = Browser(folder)
    try:
        yield program
    finally:
        program.close()
