"""Who uploads, and with which settings: each peer's best ones, see bench/README.md.

A contender turns a Setting into a command. Its environment has no proxies and no credentials
but the ones below.
"""
import dataclasses
import pathlib
import typing

import place
from trees import Tree

PART_MIB = 8
CONNECTIONS = 16


@dataclasses.dataclass
class Setting:
    url: str
    ca: typing.Optional[str]  # authority's certificate; None: no TLS
    tree: Tree
    folder: pathlib.Path  # for configurations, journals, output
    large: bool  # files go in parts
    run: int  # every run uploads to a place of its own

    @property
    def host(self):
        return self.url.partition("//")[2]

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name


@dataclasses.dataclass
class Contender:
    key: str
    label: str
    command: typing.Callable[[Setting], list]
    slow: str = ""  # "small": gets folder "a" alone where files are small; "always"
    calls: bool = False  # makes PXM's calls: every file must have been confirmed
    env: dict = dataclasses.field(default_factory=dict)

    def tree_of(self, trees, large):
        """All of it, or the part that a slow one gets."""
        return trees["a" if self.slow == "always" or (self.slow and not large) else "all"]


def _pxload(*more):
    def command(s):
        for suffix in ("", "-wal", "-shm", "-lock", ".lock"):
            (s.folder / f"journal{suffix}").unlink(missing_ok=True)
        tls = ["--ca-cert", s.ca] if s.ca else []
        return [place.BUILD / "pxload", "upload", "--base-url", s.url, "--api-rate", "0",
                "--journal", s.folder / "journal", *tls, *more, s.tree.folder]
    return command


def _floor(program, *more):
    def command(s):
        tls = ["--ca", s.ca] if s.ca else []
        return [place.PROGRAMS / program, "--conns", CONNECTIONS, *tls, *more, s.url,
                s.tree.folder]
    return command


def _curl(s):
    rows = []
    for path in sorted(s.tree.folder.rglob("*.*")):
        rows.append(f'upload-file = "{path}"\nurl = "{s.url}/bench/{s.run}/{path.name}"\n')
    tls = ["--cacert", s.ca] if s.ca else []
    return ["curl", "--disable", "--parallel", "--parallel-max", CONNECTIONS, "--fail",
            "--no-progress-meter", "--http1.1", "-H", "Expect:", *tls, "--config",
            s.write("curl.config", "".join(rows))]


def _rclone(*more):
    def command(s):
        config = s.write("rclone.conf", f"""[b]
type = s3
provider = Other
endpoint = {s.url}
access_key_id = bench
secret_access_key = bench
region = us-east-1
""")
        tls = ["--ca-cert", s.ca] if s.ca else []
        files_at_once = 4 if s.large else CONNECTIONS
        return ["rclone", "--config", config, "--transfers", files_at_once, "--checkers",
                CONNECTIONS, "--s3-upload-concurrency", 4, "--s3-chunk-size", f"{PART_MIB}M",
                "--s3-upload-cutoff", "16M", "--s3-no-check-bucket", "--no-traverse",
                "--retries", 1, *tls, *more, "copy", s.tree.folder, f"b:bench/{s.run}"]
    return command


def _awscli(s):
    config = s.write("aws.config", f"""[default]
region = us-east-1
s3 =
  addressing_style = path
  payload_signing_enabled = false
  max_concurrent_requests = {CONNECTIONS}
  max_queue_size = 10000
  multipart_chunksize = {PART_MIB}MB
  multipart_threshold = 16MB
""")
    tls = ["--ca-bundle", s.ca] if s.ca else []
    return ["env", f"AWS_CONFIG_FILE={config}", place.AWS, "--endpoint-url", s.url, *tls, "s3",
            "cp", "--recursive", "--only-show-errors", s.tree.folder, f"s3://bench/{s.run}"]


def _s3cmd(s):
    config = s.write("s3cmd.config", f"""[default]
access_key = bench
secret_key = bench
host_base = {s.host}
host_bucket = {s.host}
bucket_location = us-east-1
use_https = {bool(s.ca)}
ca_certs_file = {s.ca or ''}
""")
    return ["s3cmd", "--config", config, "put", "--recursive", "--quiet", "--no-progress",
            "--no-preserve", "--no-mime-magic", "--no-guess-mime-type",
            f"--multipart-chunk-size-mb={PART_MIB}", s.tree.folder, f"s3://bench/{s.run}/"]


def _vendor(s):
    tls = ["--ca", s.ca] if s.ca else []
    return [place.PYTHON, place.BENCH / "peers/vendor_recipe.py", "--rate", 0, *tls, s.url,
            s.tree.folder]


PXM = {"PXM_CLIENT_ID": "bench", "PXM_CLIENT_SECRET": "sim-secret"}
AWS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}

ALL = {c.key: c for c in (
    Contender("pxload", "pxload", _pxload(), calls=True, env=PXM),
    Contender("pxload-off", "pxload, ETag check off", _pxload("--verify-etag", "off"), calls=True,
              env=PXM),
    Contender("put-floor", "floor: PUTs alone", _floor("put_floor")),
    Contender("put-floor-md5", "floor: PUTs, MD5 in the callback", _floor("put_floor", "--md5")),
    Contender("three-calls", "floor: three calls", _floor("three_calls_floor"), calls=True,
              env={"PXM_TOKEN": "bench"}),
    Contender("three-calls-md5", "floor: three calls, MD5 in the callback",
              _floor("three_calls_floor", "--md5"), calls=True, env={"PXM_TOKEN": "bench"}),
    Contender("md5", "floor: MD5 alone, one thread", _floor("md5_floor")),
    Contender("curl", "curl -Z", _curl),
    Contender("rclone", "rclone, its checks on", _rclone()),
    Contender("rclone-off", "rclone, its checks off",
              _rclone("--s3-no-head", "--s3-no-head-object", "--no-check-dest",
                      "--ignore-checksum", "--s3-disable-checksum")),
    Contender("awscli", "awscli", _awscli, slow="small", env=AWS),
    Contender("s3cmd", "s3cmd", _s3cmd, slow="always"),
    Contender("vendor", "the vendor's recipe (asyncio)", _vendor, slow="small", env=PXM),
)}
