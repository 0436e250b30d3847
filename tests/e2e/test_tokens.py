"""Tokens: fetched once, cached, refreshed once for all, and never told."""
import base64
import json
import pathlib
import urllib.request

from pxm import (Pxload, books, counts, fresh, holds, report, sim, small_tree, summary, wait_for)


def cached_tokens(load):
    return [p for p in pathlib.Path(load.env["XDG_CACHE_HOME"]).rglob("*") if p.is_file()]


def test_token_is_cached_for_later_runs(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        files, tree = small_tree(folder)
        load.upload(tree)
        cached = cached_tokens(load)
        assert len(cached) == 1 and cached[0].stat().st_mode & 0o777 == 0o600, cached
        more, other = small_tree(folder, 5, "other")
        load.upload("--on-conflict", "skip", other)
        assert counts(server)["auth"] == 1
        holds(server, {**files, **more})


def test_token_reply_without_expiry_is_cached(folder):
    with sim(folder, "--quirk", "no_expires_in") as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        load.upload(small_tree(folder, 4, "other")[1])
        assert counts(server)["auth"] == 1


def test_revoked_token_is_refreshed_once_for_all(folder):
    with sim(folder, "--api-latency", "60") as server:
        load = Pxload(folder, server)
        files, tree = small_tree(folder, 60)
        process = load.start("upload", "--json", tree)
        wait_for(lambda: counts(server).get("confirm-upload", 0) >= 3, "first confirms")
        server.call("POST", "/_sim/revoke")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out[-2000:], err[-2000:])
        state = server.state(files=False)["counts"]
        assert state["auth"] == {"200": 2}, state
        refused = sum(by.get("401", 0) for by in state.values())
        assert refused >= 1, state
        holds(server, files)
        assert not [row for row in report(load, tree).values() if row["state"] != "confirmed"]


def test_cached_token_that_was_revoked_is_replaced(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        server.call("POST", "/_sim/revoke")
        load.upload("--region", "EU", small_tree(folder, 5, "other")[1])
        load.upload(small_tree(folder, 6, "third")[1])
        assert counts(server)["auth"] == 2
        assert len(server.files()) == 6


def fetch_token(server):
    basic = base64.b64encode(b"other:sim-secret").decode()
    call = urllib.request.Request(
        server.api + "/v2/oauth/authorize", method="POST",
        data=b'{"grant_type":"client_credentials"}',
        headers={"Authorization": "Basic " + basic, "Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=30) as reply:
        return json.load(reply)["access_token"]


def test_ready_token_alone_suffices(folder):
    with sim(folder) as server:
        load = Pxload(folder, server, PXM_CLIENT_ID="", PXM_CLIENT_SECRET="",
                      PXM_TOKEN=fetch_token(server))
        files, tree = small_tree(folder)
        load.upload(tree)
        holds(server, files)
        assert counts(server)["auth"] == 1
        server.call("POST", "/_sim/revoke")
        done = load.upload(small_tree(folder, 6, "other")[1], expect=4)
        assert "PXM_TOKEN" in done.err
        assert len(server.files()) == 3


def test_ready_token_that_is_stale_is_replaced_where_a_secret_is_known(folder):
    with sim(folder) as server:
        load = Pxload(folder, server, PXM_TOKEN="stale-token")
        files, tree = small_tree(folder)
        load.upload(tree)
        holds(server, files)
        assert counts(server)["auth"] == 1


def test_wrong_secret_ends_with_4_and_uploads_nothing(folder):
    with sim(folder) as server:
        load = Pxload(folder, server, PXM_CLIENT_SECRET="not-the-secret")
        _, tree = small_tree(folder)
        done = load.upload(tree, expect=4)
        assert not server.files()
        assert list(counts(server)) == ["auth"]
        assert "PXM_CLIENT_SECRET" in done.err and "not-the-secret" not in done.err + done.out
        total = summary(done)
        assert total["error_class"] == "auth" and total["queued"] == total["planned"]


def test_missing_credentials_end_with_4(folder):
    with sim(folder) as server:
        load = Pxload(folder, server, PXM_CLIENT_ID="", PXM_CLIENT_SECRET="")
        done = load.upload(small_tree(folder)[1], expect=(2, 4))
        assert "PXM_CLIENT_ID" in done.err
        assert not counts(server)


def test_secret_and_token_stay_out_of_logs_and_journal(folder):
    with sim(folder) as server:
        token = fetch_token(server)
        for env in ({}, {"PXM_TOKEN": token}):
            inner = fresh(folder, "token" if env else "secret")
            load = Pxload(inner, server, **env)
            log = inner / "log"
            done = load.upload("-vv", "--log-file", log, "--on-conflict", "overwrite",
                               small_tree(inner)[1])
            texts = [done.stdout, done.stderr, log.read_bytes()]
            jobs = inner / "home/state/pxload/jobs"
            texts += [path.read_bytes() for path in jobs.iterdir()]
            texts.append(load.run("report", load.journal()).stdout)
            basic = base64.b64encode(b"tester:sim-secret")
            for secret in (b"sim-secret", basic, token.encode(), token[10:].encode()):
                assert not [text for text in texts if secret in text], secret


def test_cached_token_is_one_clients_alone(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        load.upload(small_tree(folder, 4, "other")[1], env={"PXM_CLIENT_ID": "another"})
        assert counts(server)["auth"] == 2 and len(cached_tokens(load)) == 2


def test_damaged_cache_is_no_obstacle(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        (cached,) = cached_tokens(load)
        for n, content in enumerate((b"", b"\0\xff{garbage", b"x" * 100000)):
            cached.write_bytes(content)
            load.upload(small_tree(folder, 4 + n, f"other{n}")[1])
            assert counts(server)["auth"] == 2 + n


def test_cache_that_cannot_be_written_is_said_and_the_run_goes_on(folder):
    (folder / "file").write_text("no folder")
    with sim(folder) as server:
        load = Pxload(folder, server, XDG_CACHE_HOME=str(folder / "file/cache"))
        files, tree = small_tree(folder)
        done = load.upload(tree)
        assert books(done)[1] == len(files)
        assert "cache" in done.err, done.err


def test_auth_fetches_a_token_for_later_runs(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        done = load.run("auth")
        (cached,) = cached_tokens(load)
        assert cached.stat().st_mode & 0o777 == 0o600
        load.upload(small_tree(folder)[1])
        assert counts(server)["auth"] == 1
        assert "sim-secret" not in done.out + done.err
        load.run("auth", env={"PXM_CLIENT_SECRET": "wrong"}, expect=4)


def test_journal_is_for_its_owner_alone(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        load.upload(small_tree(folder)[1])
        for path in load.journal().parent.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
