"""What the end-to-end tests share: pxm-sim, pxload, trees, and waiting for conditions."""
import contextlib
import hashlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

SECRET = "sim-secret"
DEADLINE_S = float(os.environ.get("PXLOAD_TEST_DEADLINE", "120"))


def build_dir():
    return pathlib.Path(os.environ["PXLOAD_BUILD_DIR"])


def wait_for(condition, what, deadline_s=DEADLINE_S):
    """Polls until condition() is true and returns its value; fails after the deadline."""
    end = time.monotonic() + deadline_s
    pause = select.poll()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {deadline_s:.0f} s for {what}"
        pause.poll(10)


class Sim:
    """A pxm-sim of our own on loopback."""

    def __init__(self, folder, *args, env=None):
        self.log = open(folder / "sim.log", "ab")
        self.process = subprocess.Popen(
            [str(build_dir() / "pxm-sim"), "--listen", "127.0.0.1:0", *map(str, args)],
            stdout=subprocess.PIPE, stderr=self.log, env={**os.environ, **(env or {})})
        line = self.process.stdout.readline().decode()
        assert line.startswith("pxm-sim ready api="), f"pxm-sim said {line!r}"
        self.ready = line.strip()
        self.api, self.s3 = (part.partition("=")[2] for part in line.split()[2:4])

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def state(self, files=True):
        return self.call("GET", "/_sim/state" + ("" if files else "?files=0"))

    def faults(self, rules):
        return self.call("POST", "/_sim/faults", rules)

    def clear_faults(self):
        return self.call("DELETE", "/_sim/faults")

    def files(self):
        """{name: record}; fails where a name stands twice."""
        records = self.state()["files"]
        by_name = {record["name"]: record for record in records}
        assert len(by_name) == len(records), "PXM holds a name twice"
        return by_name

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.log.close()
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def sim(folder, *args, audit=True, env=None):
    """Runs pxm-sim; at the end its audit must be empty unless the test provokes breaches."""
    server = Sim(folder, *args, env=env)
    try:
        yield server
        if audit:
            state = server.state(files=False)
            assert not state["violations"], f"the audit has {state['violations'][:5]}"
    finally:
        server.stop()


class Pxload:
    """pxload with folders of its own; every run's output is kept."""

    def __init__(self, folder, server=None, **env):
        self.folder = folder
        self.server = server
        home = folder / "home"
        home.mkdir(exist_ok=True)
        keep = {k: v for k, v in os.environ.items()
                if not k.startswith(("PXLOAD_", "PXM_", "XDG_", "SSL_CERT_", "CURL_CA_"))
                and not k.lower().endswith("_proxy")}
        self.env = {**keep, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
                    "XDG_STATE_HOME": str(home / "state"), "XDG_CACHE_HOME": str(home / "cache"),
                    "PXM_CLIENT_ID": "tester", "PXM_CLIENT_SECRET": SECRET,
                    "TMPDIR": str(folder), **env}
        if server:
            self.env["PXLOAD_BASE_URL"] = server.api

    def command(self, *args):
        return [str(build_dir() / "pxload"), *[os.fspath(a) if isinstance(a, os.PathLike) else
                                               a if isinstance(a, bytes) else str(a)
                                               for a in args]]

    def start(self, *args, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        kwargs.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.command(*args), env=self.env, stdin=subprocess.DEVNULL,
                                **kwargs)

    def run(self, *args, expect=0, deadline_s=DEADLINE_S, env=None):
        """The completed process with .out, .err, .json; fails where the exit code is another."""
        done = subprocess.run(self.command(*args), env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=deadline_s)
        done.out = done.stdout.decode(errors="replace")
        done.err = done.stderr.decode(errors="replace")
        done.json = [json.loads(line) for line in done.out.split("\n") if line.startswith("{")]
        if expect is not None:
            codes = expect if isinstance(expect, (tuple, list, set)) else (expect,)
            assert done.returncode in codes, (
                f"pxload {args} ended with {done.returncode}, not {expect}\n"
                f"--- stdout\n{done.out[-4000:]}\n--- stderr\n{done.err[-4000:]}")
        return done

    def upload(self, *args, **kwargs):
        return self.run("upload", "--json", *args, **kwargs)

    def journal(self):
        """The one journal of the state folder."""
        found = sorted((self.folder / "home/state/pxload/jobs").glob("*.journal"))
        assert len(found) == 1, f"journals: {found}"
        return found[0]


def summary(done):
    found = [line for line in done.json if line["message_type"] == "summary"]
    assert len(found) == 1, f"{len(found)} summaries in {done.out[-2000:]}"
    return found[0]


def books(done):
    """(planned, confirmed, skipped, failed, excluded) of a summary, which must balance."""
    total = summary(done)
    assert total["balanced"], total
    return tuple(total[key] for key in ("planned", "confirmed", "skipped", "failed", "excluded"))


def make_tree(root, files):
    """Files from {relative path: bytes}; paths may be str or bytes."""
    for path, data in files.items():
        full = os.path.join(os.fsencode(root), os.fsencode(path))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(data)
    return root


def pattern(size, seed=0):
    """Bytes that differ by size and seed, and nowhere repeat within a part."""
    block = hashlib.sha256(f"{seed}:{size}".encode()).digest()
    out = bytearray()
    counter = 0
    while len(out) < size:
        out += hashlib.sha512(block + counter.to_bytes(8, "big")).digest() * 16
        counter += 1
    return bytes(out[:size])


def md5(data):
    return hashlib.md5(data).hexdigest()


def requests(server, endpoint=None):
    """The exchanges the sim saw, oldest first: {n, time_ms, endpoint, status, name}."""
    rows = server.call("GET", "/_sim/requests?since=0")["requests"]
    return [row for row in rows if endpoint in (None, row["endpoint"])]


def counts(server):
    """{endpoint: exchanges of any status}."""
    return {name: sum(by_status.values())
            for name, by_status in server.state(files=False)["counts"].items()}


def api_requests(server):
    """All exchanges but those with S3."""
    return sum(n for name, n in counts(server).items() if name not in ("put", "part"))


def holds(server, wanted):
    """Asserts that PXM has exactly {name: bytes or (size, md5)}, each once."""
    files = server.files()
    assert sorted(files) == sorted(wanted), f"PXM has {sorted(files)}, not {sorted(wanted)}"
    for name, data in wanted.items():
        size, digest = data if isinstance(data, tuple) else (len(data), md5(data))
        found = files[name]["size"], files[name]["md5"]
        assert found == (size, digest), f"{name!r}: PXM has {found}, not {(size, digest)}"
    return files


def preload(server, files):
    """Puts {name: size} into PXM before a run; {name: id} of all files."""
    for name, size in files.items():
        server.call("POST", "/_sim/preload", {"name": name, "size": size})
    return {name: record["id"] for name, record in server.files().items()}


def report(load, root, journal=None):
    """{path below root: row} of the journal's NDJSON report; paths as os.fsdecode gives them."""
    done = load.run("report", journal or load.journal(), "--format", "ndjson")
    rows = {}
    for row in done.json:
        if row["message_type"] == "file":
            source = row.get("source_raw")
            source = row["source"] if source is None else os.fsdecode(
                urllib.parse.unquote_to_bytes(source))
            rows[os.path.relpath(source, root)] = row
    return rows


def excluded(load, journal=None):
    """{reason: files} of the journal's report."""
    done = load.run("report", journal or load.journal(), "--format", "ndjson")
    return {row["reason"]: row["files"] for row in done.json
            if row["message_type"] == "excluded"}


def small_tree(folder, count=3, name="tree"):
    """{name: bytes} and the folder that holds them."""
    files = {f"f{i:03}.bin": pattern(40 + i, i) for i in range(count)}
    return files, make_tree(folder / name, files)


def fresh(folder, name):
    """A new folder inside folder."""
    inner = folder / name
    inner.mkdir()
    return inner
