"""Peers beside pxm-sim: certificates of our own, a relay, a door nobody should knock at, an S3
that says what a test wants."""
import contextlib
import hashlib
import http.server
import json
import select
import socket
import socketserver
import ssl
import subprocess
import threading
import urllib.parse
import urllib.request

from pxm import Sim


def _openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_ca(folder, name="ca"):
    """(its certificate, its key)."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    _openssl("req", "-x509", *_EC, "-days", "2", "-subj", f"/CN={name} of the tests", "-addext",
             "basicConstraints=critical,CA:true", "-keyout", key, "-out", cert)
    return cert, key


def make_cert(folder, authority, name="server", san="IP:127.0.0.1", days=2):
    """(certificate, key) that the authority signed; days < 0: it has expired."""
    cert, key, asked = (folder / f"{name}.{ext}" for ext in ("pem", "key", "csr"))
    extra = folder / f"{name}.ext"
    extra.write_text(f"subjectAltName={san}\n")
    _openssl("req", "-new", *_EC, "-subj", f"/CN={name}", "-keyout", key, "-out", asked)
    _openssl("x509", "-req", "-in", asked, "-CA", authority[0], "-CAkey", authority[1],
             "-CAcreateserial", "-days", days, "-extfile", extra, "-out", cert)
    return cert, key


def rehash(folder):
    """Names a folder's certificates as OpenSSL looks for them."""
    _openssl("rehash", folder)


@contextlib.contextmanager
def tls_sim(folder, pair, *args, breaches=()):
    """pxm-sim over https; the test's own calls check no certificate. breaches: lawful ones."""
    server = Sim(folder, "--tls", *pair, *args)
    lax = ssl.create_default_context()
    lax.check_hostname = False
    lax.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=lax))

    def call(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server.api + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        with opener.open(request, timeout=30) as reply:
            text = reply.read()
        return json.loads(text) if text else None
    server.call = call
    try:
        yield server
        found = [row for row in server.state(files=False)["violations"]
                 if row["code"] not in breaches]
        assert not found, f"the audit has {found[:5]}"
    finally:
        server.stop()


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A peer that hangs up is none."""


@contextlib.contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05},
                              daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def listening(handler):
    """A port on loopback whose connections the handler has: .server_address."""
    with _serving(_Threads(("127.0.0.1", 0), handler)) as server:
        yield server


@contextlib.contextmanager
def door():
    """A port on loopback that answers nothing and keeps what came: .port, .heard."""
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.server.heard.append(b"")
            self.request.settimeout(1)
            with contextlib.suppress(OSError):
                self.server.heard[-1] += self.request.recv(65536)
    server = _Threads(("127.0.0.1", 0), Handler)
    server.heard = []
    server.port = server.server_address[1]
    with _serving(server):
        yield server


class _Pump(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(self.server.target) as there:
            self.server.pairs.append((self.request, there))
            back = threading.Thread(target=self.copy, args=(there, self.request), daemon=True)
            back.start()
            self.copy(self.request, there)
            back.join()

    @staticmethod
    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(url):
    """A port that leads to url's host; turn_to() leads all new connections elsewhere."""
    def address(text):
        parts = urllib.parse.urlsplit(text)
        return parts.hostname, parts.port

    server = _Threads(("127.0.0.1", 0), _Pump)
    server.target = address(url)
    server.pairs = []
    server.url = (f"{urllib.parse.urlsplit(url).scheme}://127.0.0.1:"
                  f"{server.server_address[1]}")

    def turn_to(other, cut=True):
        server.target = address(other)
        for pair in list(server.pairs) if cut else ():
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
    server.turn_to = turn_to
    with _serving(server):
        yield server


@contextlib.contextmanager
def lenient_s3(bytes_per_s=None):
    """An S3 that takes every PUT, at that pace: .url, .puts [(path, headers, md5)]."""
    pause = select.poll()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def take(self):
            left = int(self.headers["Content-Length"])
            piece = bytes_per_s // 20 if bytes_per_s else 1 << 20
            while left:
                data = self.rfile.read(min(left, piece))
                left -= len(data)
                yield data
                if bytes_per_s:
                    pause.poll(50)

        def do_PUT(self):
            digest = hashlib.md5()
            for data in self.take():
                digest.update(data)
            self.server.puts.append((self.path, dict(self.headers), digest.hexdigest()))
            self.send_response(200)
            self.send_header("ETag", f'"{digest.hexdigest()}"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            """Quiet."""
    server = _Threads(("127.0.0.1", 0), Handler, bind_and_activate=False)
    if bytes_per_s:
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    server.server_bind()
    server.server_activate()
    server.puts = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    with _serving(server):
        yield server
