"""What the tests against a real S3 server share: the server itself, a tap on the way to it, and an
independent client.

pxm-sim presigns for the tap's address, so that pxload and pxm-sim reach the server through it. It
passes bytes on as they come; what went by stands in Tap.seen.
"""
import contextlib
import json
import os
import pathlib
import queue
import secrets
import socket
import socketserver
import subprocess
import tempfile
import threading
import urllib.parse

from peers import listening
from pxm import DEADLINE_S, Pxload, Sim, md5

# The servers and boto3 are Debian packages, whatever Python runs the tests.
DEBIAN_PYTHON = "/usr/bin/python3"
PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "s3"
ENVIRONMENT = "PXLOAD_REAL_S3"
READY_DEADLINE_S = 300

MIB = 1 << 20
PART = 5 * MIB  # S3 takes no smaller one, but for the last
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")


class Server:
    """serve.py, started at once; it ends when we do."""

    def __init__(self, kind):
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [DEBIAN_PYTHON, str(PROGRAMS / "serve.py"), kind], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.said)

    def where(self):
        """Waits until it is ready: its line; raises with what it said when it ended."""
        timer = threading.Timer(READY_DEADLINE_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode()
        timer.cancel()
        if not line:
            self.process.wait()
            self.said.seek(0)
            raise RuntimeError(self.said.read().decode(errors="replace"))
        return line

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=60)
        self.said.close()


class Client:
    """boto3 in a process of its own, which talks to the server past the tap."""

    def __init__(self):
        self.process = subprocess.Popen([DEBIAN_PYTHON, str(PROGRAMS / "client.py")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, bucket):
        self.process.stdin.write(json.dumps([command, bucket]).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the S3 client ended with {self.process.wait()}"
        return json.loads(line)

    def stop(self):
        self.process.communicate(timeout=60)


class Request:
    """A request that went by: .method, .path, .query, .headers (names in small letters), .status,
    .body where it is no PUT.

    A rule of the tap may set .damage to change one byte of the body, .cut to close the connection
    when half of the body is gone, .etag to have that ETag in the reply.
    """

    def __init__(self, head):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = first.split(" ")
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = {}
        for line in filter(None, lines):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.part_no = int(self.query.get("partNumber", 0))
        self.length = int(self.headers.get("content-length", 0))
        self.status = None
        self.body = b""
        self.damage = self.cut = False
        self.etag = None

    def __repr__(self):
        return f"{self.method} {self.path} part {self.part_no}: {self.status}"


def read_head(stream):
    """Up to and with the empty line; b"" at the end of the stream."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(65536)
        if not line:
            return b""
        head += line
    return bytes(head)


def pieces(stream, length):
    """The next length bytes, as they come."""
    while length > 0:
        data = stream.read1(min(length, 65536))
        if not data:
            return
        length -= len(data)
        yield data


def chunks(stream):
    """A chunked body, framing and all."""
    while True:
        line = stream.readline(1024)
        yield line
        size = int(line.split(b";")[0] or b"0", 16)
        yield from pieces(stream, size + 2)
        if size == 0:
            return


class _Wire(socketserver.StreamRequestHandler):
    rbufsize = 65536

    def handle(self):
        with socket.create_connection(self.server.target) as there:
            self.there = there
            self.pending = queue.SimpleQueue()
            back = threading.Thread(target=self.guarded, args=(self.pass_replies,), daemon=True)
            back.start()
            self.guarded(self.pass_requests)
            back.join()

    def guarded(self, work):
        """Whatever ends one direction ends both."""
        with contextlib.suppress(OSError, ValueError):
            work()
        for end in (self.connection, self.there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pass_requests(self):
        while head := read_head(self.rfile):
            request = Request(head)
            self.server.seen.append(request)
            self.server.rule(request)
            self.pending.put(request)
            self.there.sendall(head)
            passed = 0
            for data in pieces(self.rfile, request.length):
                if request.damage and passed == 0:
                    data = bytes([data[0] ^ 1]) + data[1:]
                passed += len(data)
                if request.method != "PUT":
                    request.body += data
                self.there.sendall(data)
                if request.cut and passed > request.length // 2:
                    return

    def pass_replies(self):
        stream = self.there.makefile("rb", 65536)
        while head := read_head(stream):
            request = self.pending.get(timeout=DEADLINE_S)
            first, *lines = head.split(b"\r\n")
            request.status = int(first.split()[1])
            fields = {name.lower(): value.strip() for name, _, value in
                      (line.partition(b":") for line in lines if line)}
            if request.etag:
                lines = [line for line in lines if not line.lower().startswith(b"etag:")]
                head = b"\r\n".join([first, b"ETag: " + request.etag.encode(), *lines])
            self.connection.sendall(head)
            if request.method == "HEAD" or request.status in (204, 304):
                continue
            if fields.get(b"transfer-encoding") == b"chunked":
                body = chunks(stream)
            else:
                body = pieces(stream, int(fields.get(b"content-length", 1 << 62)))
            for data in body:
                self.connection.sendall(data)


class Tap:
    """Leads to the server; .rule(request) runs before a request is passed on, and may wait."""

    def __init__(self, listener):
        self.listener = listener
        listener.seen = self.seen = []
        self.rule = None
        self.url = f"http://127.0.0.1:{listener.server_address[1]}"
        listener.rule = lambda request: self.rule and self.rule(request)

    def puts(self, *statuses):
        """The PUTs, oldest first; of these statuses where some are given."""
        return [request for request in list(self.seen) if request.method == "PUT" and
                (not statuses or request.status in statuses)]


class Scene:
    """A bucket of its own, pxm-sim presigning for it, and pxload."""

    def __init__(self, folder, tap, client, keys, args):
        self.tap = tap
        self.client = client
        self.bucket = f"tests-{secrets.token_hex(8)}"
        client.ask("create", self.bucket)
        self.server = Sim(folder, "--s3-endpoint", tap.url, "--s3-bucket", self.bucket, *args,
                          env=keys)
        self.load = Pxload(folder, self.server)

    def objects(self):
        """{key: what boto3 reads} of the bucket."""
        return self.client.ask("objects", self.bucket)

    def uploads(self):
        """Multipart uploads that are still open."""
        return self.client.ask("uploads", self.bucket)

    def holds(self, wanted, besides=()):
        """Asserts that PXM has exactly {name: bytes}, and the bucket an equal object for each and
        nothing else but the keys in besides. {name: {**PXM's record, "stored": the object}}."""
        files = self.server.files()
        assert sorted(files) == sorted(wanted), f"PXM has {sorted(files)}, not {sorted(wanted)}"
        stored = self.objects()
        keys = [file["object"] for file in files.values()]
        assert sorted(stored) == sorted({*keys, *besides}), (sorted(stored), keys, besides)
        assert len(set(keys)) == len(keys), f"two files are one object: {keys}"
        for name, data in wanted.items():
            file = files[name]
            file["stored"] = found = stored[file["object"]]
            assert (file["size"], found["size"], found["listed"]) == (len(data),) * 3, (name, found)
            assert found["md5"] == md5(data), f"{name!r}: S3 has other bytes"
            assert found["type"] == file["mime_type"], (name, found, file["mime_type"])
        return files

    def check_tap(self):
        """No one sends S3 anything that a presigned URL does not want."""
        for request in self.tap.seen:
            assert "X-Amz-Signature" in request.query, request
            for header, value in request.headers.items():
                assert header not in ("authorization", "expect", "cookie"), (request, header)
                assert not header.startswith("x-amz-") and "Bearer" not in value, (request, header)


@contextlib.contextmanager
def real(folder, *args, audit=True, keys=()):
    """pxm-sim above the real S3 server; at the end its audit must be empty, see pxm.sim().

    keys: environment of pxm-sim that differs from what the server gave us.
    """
    where = json.loads(os.environ[ENVIRONMENT])
    target = urllib.parse.urlsplit(where["endpoint"])
    client = Client()
    with contextlib.ExitStack() as stack:
        stack.callback(client.stop)
        listener = stack.enter_context(listening(_Wire))
        listener.target = (target.hostname, target.port)
        given = {"AWS_ACCESS_KEY_ID": where["access_key"],
                 "AWS_SECRET_ACCESS_KEY": where["secret_key"], **dict(keys)}
        scene = Scene(folder, Tap(listener), client, given, args)
        stack.callback(scene.server.stop)
        yield scene
        scene.check_tap()
        state = scene.server.state(files=False)
        assert not (audit and state["violations"]), f"the audit has {state['violations'][:5]}"
        assert not state["duplicates"]
