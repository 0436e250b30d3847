"""Runs a real S3 server (swift or ceph) on loopback, in a temp folder, until SIGTERM or until the
process that started it has ended.

One line of JSON on stdout once it takes buckets: {"endpoint", "access_key", "secret_key"}. It runs
under Debian's Python, whose packages the servers and boto3 are.
"""
import importlib
import json
import os
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
os.environ["PATH"] += ":/usr/sbin:/sbin:/usr/bin"

from children import Children, NotReady, end_with_parent, work_folder  # noqa: E402
from client import connect  # noqa: E402

TRIES = 3  # a free port may be taken before the server has it
READY_DEADLINE_S = 90


def bring_up(kind, children):
    server = importlib.import_module(f"{kind}_server")
    keys = ("endpoint", "access_key", "secret_key")
    where = dict(zip(keys, server.start(children)))
    client = connect(where)
    children.wait_for(lambda: client.create_bucket(Bucket="ready"), f"{kind} to take a bucket",
                      READY_DEADLINE_S)
    return where


def serve(kind):
    """One try; NotReady when there shall be another."""
    build = pathlib.Path(__file__).resolve().parents[2] / "build"
    with work_folder(*[build] * build.is_dir()) as folder:
        children = Children(folder)
        try:
            print(json.dumps(bring_up(kind, children)), flush=True)
            while True:
                signal.pause()
        finally:
            children.stop()


def main():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    end_with_parent(signal.SIGTERM)
    for left in reversed(range(TRIES)):
        try:
            serve(sys.argv[1])
        except NotReady as error:
            if left == 0:
                sys.exit(f"real-s3: {error}")
            print(f"real-s3: once more: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
