"""Token, client secret and URL signatures stay out of every output, log, journal and report."""
import base64
import os
import pathlib
import re
import resource
import signal
import subprocess

from moments import SMALL_PARTS, Scene, in_state, kill, reach, REQUESTED
from pxm import SECRET, Pxload, make_tree, requests, sim

SIGNED = re.compile(rb"X-Amz-Signature=[0-9a-f]{8}|X-Amz-Credential=[A-Z0-9]{8}|"
                    rb"[?&]Signature=[0-9A-Za-z%]{8}|X-Amz-Security-Token=\w", re.I)


def tokens(folder):
    """What the token cache holds: every long word of its files."""
    found = set()
    for path in (folder / "home/cache").rglob("*"):
        if path.is_file():
            found |= set(re.findall(rb"[A-Za-z0-9._~+/=-]{16,}", path.read_bytes()))
    return {word for word in found if not word.startswith(b"http")}


def files_below(root, but):
    return [path for path in pathlib.Path(root).rglob("*")
            if path.is_file() and not any(part in path.parents for part in but)]


def search(texts, secrets):
    """texts: {where: bytes}. The beginning of a secret is as much a find as the whole."""
    for where, data in texts.items():
        for secret in secrets:
            at = data.find(secret[:8])
            assert at < 0, f"{where} has {data[max(0, at - 60):at + 60]!r} of {secret!r}"
        hit = SIGNED.search(data)
        assert not hit, f"{where} has {data[max(0, hit.start() - 60):hit.end() + 60]!r}"


def secrets_of(folder):
    known = tokens(folder)
    assert known, "no token was cached"
    basic = base64.b64encode(b"tester:" + SECRET.encode())
    return known | {SECRET.encode(), basic}


def watch(folder, server, faults, expect, args=(), revoke=False, more=None):
    """A run with everything said, and what it left behind. faults: rules, or what makes them of a
    token."""
    scene = Scene(folder, server, args=("--timeout", "2s", "--lookup-patience", "1s",
                                        "--retries", "2", *args), more=more)
    scene.load.run("auth")
    secrets = secrets_of(folder)
    if revoke:
        server.call("POST", "/_sim/revoke", {})
    if callable(faults):
        token, = tokens(folder)
        faults = faults(token.decode())
    if faults:
        server.faults(faults)
    texts = {}
    for number, extra in enumerate((("-vv",), ("-vv", "--log-file", folder / "run.log"),
                                    ("-vv", "--log-format", "json"))):
        done = scene.load.run(*scene.command(), *extra, expect=expect)
        texts |= {f"stdout {number}": done.stdout, f"stderr {number}": done.stderr}
        assert number or b" DEBUG " in done.stderr, "nothing was said"
    server.clear_faults()
    for args in (("status", scene.path), ("status", "--json", scene.path), ("env",),
                 ("env", "--json"), ("report", scene.path), ("jobs", "list"),
                 ("report", "--format", "ndjson", scene.path), ("auth", "-vv")):
        done = scene.load.run(*args)
        texts |= {f"{args} stdout": done.stdout, f"{args} stderr": done.stderr}
    secrets |= secrets_of(folder)
    left = files_below(folder, (scene.tree, folder / "home/cache"))
    assert any(path.name == "run.log" for path in left)
    texts |= {str(path): path.read_bytes() for path in left if path.name != "sim.log"}
    search(texts, secrets)


def test_clean_run_says_no_secret(folder):
    with sim(folder, *SMALL_PARTS) as server:
        watch(folder, server, [], 0)


def test_failing_calls_say_no_secret(folder):
    """Replies that repeat what was sent, redirects that carry signatures, refused URLs."""
    signed = "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=0123456789abcdef&X-Amz-Date=1"
    with sim(folder, *SMALL_PARTS, audit=False) as server:
        watch(folder, server, [
            {"endpoint": "request", "name": "f0.bin", "status": 400, "code": "Odd",
             "message": f"bad: client_secret={SECRET} {signed}"},
            {"endpoint": "request", "name": "f1.bin", "url": signed.replace("https", "gopher")},
            {"endpoint": "put", "name": "f2.bin", "status": 403, "body": "s3xml",
             "code": "SignatureDoesNotMatch", "message": f"you sent {signed}"},
            {"endpoint": "put", "name": "f3.bin", "redirect": signed},
            {"endpoint": "confirm", "name": "f4.bin", "status": 400,
             "body": f"<html>{SECRET} {signed}</html>"},
            {"endpoint": "put", "name": "f5.bin", "reset_before": True},
            {"endpoint": "part", "status": 400, "body": "s3xml", "code": "InvalidRequest",
             "message": signed}], (1, 5))


def test_token_that_is_echoed_in_part_is_not_said(folder):
    """A server that repeats the request's head and cuts it off; then our own limits cut, too."""
    def faults(token):
        head = f"GET /x HTTP/1.1 Authorization: Bearer {token}"
        cut = head[:-len(token) // 2]
        json_at = {"request": 300, "confirm": 180, "search": 60}
        rules = [{"endpoint": endpoint, "name": f"f{n}.bin", "status": 400, "code": "Odd",
                  "message": "x" * at + f" you sent {token[:30]}"}
                 for n, (endpoint, at) in enumerate(json_at.items())]
        # Whichever of pxload's limits cuts a text off, one of these tokens lies across it.
        rules += [{"endpoint": "request", "name": f"edge{n}", "status": 400, "code": "Odd",
                   "message": "y" * at + f" {token}"}
                  for n, at in enumerate((*range(180, 520, 20), *range(1990, 2060, 10)))]
        return rules + [
            {"endpoint": "put", "name": "f3.bin", "status": 400, "body": "s3xml",
             "code": "InvalidRequest", "message": cut},
            {"endpoint": "part", "status": 400, "body": f"<html><title>{cut}</title></html>"},
            {"endpoint": "put", "name": "f4.bin", "redirect": f"http://127.0.0.1:9/{token[:20]}"},
            {"endpoint": "request", "name": "f5.bin", "status": 400,
             "body": "z" * 100 + base64.b64encode(token.encode()).decode()}]
    with sim(folder, *SMALL_PARTS, "--rate", "0", audit=False) as server:
        watch(folder, server, faults, 1, more={f"edge{n}": b"%d" % n for n in range(24)})


def test_refused_token_is_not_said(folder):
    with sim(folder, *SMALL_PARTS, audit=False) as server:
        watch(folder, server, [{"endpoint": "request", "status": 401, "times": 3}], (0, 1, 4),
              revoke=True)


def test_refused_secret_is_not_said(folder):
    with sim(folder) as server:
        load = Pxload(folder, server, PXM_CLIENT_SECRET="wrong-but-still-secret")
        tree = make_tree(folder / "tree", {"a.txt": b"a"})
        server.faults([{"endpoint": "auth", "status": 401,
                        "message": "no client with secret wrong-but-still-secret"}])
        done = load.run("upload", "-vv", "--json", tree, expect=4)
        basic = base64.b64encode(b"tester:wrong-but-still-secret")
        texts = {"stdout": done.stdout, "stderr": done.stderr}
        texts |= {str(path): path.read_bytes() for path in files_below(folder, ())}
        search(texts, {b"wrong-but-still-secret", basic})


def test_journal_of_a_killed_run_holds_no_secret(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "put", "stall": True}, {"endpoint": "part", "nth": 3,
                                                            "stall": True}])
        process = scene.start()
        reach(process, lambda: in_state(scene.path, REQUESTED) >= 3, "open sessions")
        kill(process)
        left = {str(path): path.read_bytes() for path in folder.glob("job.journal*")}
        assert len(left) >= 3, left.keys()
        search(left, secrets_of(folder))


def test_no_secret_stands_in_the_command_line_of_a_run(folder):
    with sim(folder, *SMALL_PARTS) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "put", "stall": True}])
        process = scene.start()
        reach(process, lambda: in_state(scene.path, REQUESTED) >= 1, "open sessions")
        line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        kill(process)
        search({"cmdline": line}, secrets_of(folder))


def dumps_core(process):
    """Whether a process that is aborted leaves its memory behind. It is waited for."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == -signal.SIGABRT, process.returncode
    return os.WCOREDUMP(status)


def test_abort_leaves_no_core_with_secrets(folder):
    def allow_core():
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        wanted = resource.RLIM_INFINITY if os.geteuid() == 0 else hard
        resource.setrlimit(resource.RLIMIT_CORE, (wanted, wanted))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with sim(folder, *SMALL_PARTS, audit=False) as server:
        scene = Scene(folder, server)
        server.faults([{"endpoint": "put", "stall": True}])
        process = scene.load.start(*scene.command(), cwd=folder, preexec_fn=allow_core, **quiet)
        reach(process, lambda: in_state(scene.path, REQUESTED) >= 1, "open sessions")
        # Owned by root: nobody else of this user may attach, or look into its memory.
        assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0
        assert not dumps_core(process), "pxload left a core file"
        # Where this machine writes cores at all, an ordinary program does.
        other = subprocess.Popen(["sleep", "60"], cwd=folder, preexec_fn=allow_core, **quiet)
        print("a control process dumps core here:", dumps_core(other))


def test_token_goes_to_the_api_alone(folder):
    """The audit of the simulator has a rule for a token at S3; here the redirect of an API call."""
    with sim(folder, *SMALL_PARTS) as server, sim(make_tree(folder / "b", {"x": b""})) as other:
        scene = Scene(folder, server, args=("--retries", "1"))
        server.faults([{"endpoint": "request", "redirect": f"{other.api}/v3/file/request-upload"}])
        scene.load.run(*scene.command(), expect=None)
        assert not requests(other), "a redirect was followed with the token"
        assert not other.state()["files"]


def test_token_cache_that_others_can_read_is_not_trusted_to_leak(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        os.umask(0o022)
        load.run("auth")
        for path in (folder / "home/cache").rglob("*"):
            if path.is_file():
                assert path.stat().st_mode & 0o077 == 0, path
