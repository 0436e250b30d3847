"""null_server and pxm-sim as children of the harness, and certificates for them."""
import json
import os
import ssl
import subprocess
import urllib.request

import place

TICKS = os.sysconf("SC_CLK_TCK")


def make_certificates(folder):
    """(authority's certificate, server's certificate, its key), all for 127.0.0.1."""
    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    def path(name):
        return folder / f"{name}.pem"

    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *ec, "-days", "2", "-subj", "/CN=bench authority", "-addext",
            "basicConstraints=critical,CA:true", "-keyout", path("ca-key"), "-out", path("ca"))
    openssl("req", "-new", *ec, "-subj", "/CN=127.0.0.1", "-keyout", path("key"), "-out",
            path("request"))
    path("extra").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", path("request"), "-CA", path("ca"), "-CAkey", path("ca-key"),
            "-CAcreateserial", "-days", "2", "-extfile", path("extra"), "-out", path("cert"))
    return path("ca"), path("cert"), path("key")


class Server:
    """A child that says where it listens; use as a context."""

    def __init__(self, program, *args, ca=None):
        self.ca = ca
        self.process = subprocess.Popen(
            [str(program), "--listen", "127.0.0.1:0", *map(str, args)], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=place.clean_environment())
        line = self.process.stdout.readline().decode()
        if " ready api=" not in line:
            raise SystemExit(f"bench: {program} said {line!r}")
        self.api, self.s3 = (word.partition("=")[2] for word in line.split()[2:4])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def call(self, path, body=None, headers=()):
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        request = urllib.request.Request(self.api + path, data=body, headers=dict(headers))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=60) as reply:
            return json.loads(reply.read())

    def cpu_s(self):
        """What it used so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def null_server(*args, tls=None):
    """tls: what make_certificates returned."""
    more = ("--tls", tls[1], tls[2]) if tls else ()
    return Server(place.PROGRAMS / "null_server", "--keep-objects", *args, *more,
                  ca=str(tls[0]) if tls else None)


def pxm_sim(*args):
    return Server(place.BUILD / "pxm-sim", "--store", "null", *args)
