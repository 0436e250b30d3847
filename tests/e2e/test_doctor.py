"""pxload doctor: each check one line, with the remedy; three requests at most, nothing left."""
import re

from pxm import Pxload, counts, sim

LINE = re.compile(r"(ok|warn|FAIL) {2,4}([a-z ]+): (.+)")


def doctor(load, *args, expect=0, env=None):
    """{check: (level, text)} of a run."""
    done = load.run("doctor", "--timeout", "2s", *args, expect=expect, env=env)
    lines = done.out.splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    assert lines and all(found), done.out
    checks = {match[2]: (match[1], match[3]) for match in found}
    assert len(checks) == len(found), done.out
    assert (done.returncode == 4) == any(level == "FAIL" for level, _ in checks.values())
    return checks


def failing(checks):
    return {name for name, (level, _) in checks.items() if level == "FAIL"}


def test_good_tenant_passes_with_three_requests_and_no_file(folder):
    with sim(folder, "--part-size", "8M") as server:
        checks = doctor(Pxload(folder, server))
        assert {level for level, _ in checks.values()} == {"ok"}, checks
        assert set(checks) == {"credentials", "config", "state folder", "cache folder", "proxy",
                               "dns", "connection", "clock", "token", "permission", "rate",
                               "upload", "url lifetime"}
        assert "8192 KiB" in checks["upload"][1] and "13 parts" in checks["upload"][1]
        assert "3600 s" in checks["url lifetime"][1]
        assert counts(server) == {"auth": 1, "region-list": 1, "request-upload": 1}, counts(server)
        assert not server.files()


def test_json_gives_one_object_a_check(folder):
    with sim(folder) as server:
        done = Pxload(folder, server).run("doctor", "--json")
        assert len(done.json) == len(done.out.splitlines()) == 13
        assert all(row["message_type"] == "check" and row["result"] == "ok" and row["finding"]
                   for row in done.json), done.out


def test_wrong_secret_fails_the_token_with_advice(folder):
    with sim(folder) as server:
        checks = doctor(Pxload(folder, server, PXM_CLIENT_SECRET="not-the-secret"), expect=4)
        assert failing(checks) == {"token"}, checks
        assert "PXM_CLIENT_SECRET" in checks["token"][1]
        assert checks["connection"][0] == "ok" and "permission" not in checks
        assert counts(server) == {"auth": 1}


def test_no_credentials_says_where_they_belong_and_asks_nobody(folder):
    with sim(folder) as server:
        checks = doctor(Pxload(folder, server), expect=4,
                        env={"PXM_CLIENT_ID": "", "PXM_CLIENT_SECRET": ""})
        assert failing(checks) == {"credentials"} and "PXM_CLIENT_ID" in checks["credentials"][1]
        assert not counts(server)


def test_token_alone_is_a_warning(folder):
    with sim(folder) as server:
        checks = doctor(Pxload(folder, server), expect=4, env={
            "PXM_CLIENT_ID": "", "PXM_CLIENT_SECRET": "", "PXM_TOKEN": "of-another-tenant"})
        assert checks["credentials"][0] == "warn" and failing(checks) == {"permission"}, checks


def test_server_that_is_down_fails_the_connection(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
    checks = doctor(load, expect=4)
    assert failing(checks) == {"connection"} and checks["dns"][0] == "ok", checks


def test_server_that_never_answers_is_given_up(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "auth", "stall": True}])
        checks = doctor(Pxload(folder, server), expect=4)
        assert failing(checks) == {"connection"}, checks


def test_host_without_an_address_fails_dns(folder):
    load = Pxload(folder, PXLOAD_BASE_URL="https://no-such-host.invalid")
    assert failing(doctor(load, expect=4)) == {"dns", "connection"}


def test_clock_that_is_off_is_named(folder):
    for offset, level, code in ((7200, "FAIL", 4), (-7200, "FAIL", 4), (180, "warn", 0)):
        inner = folder / f"at{offset}"
        inner.mkdir()
        with sim(inner) as server:
            server.faults([{"endpoint": "any", "clock_offset": offset}])
            checks = doctor(Pxload(inner, server), expect=code)
            assert checks["clock"][0] == level, checks
            assert ("behind" if offset > 0 else "ahead of") in checks["clock"][1], checks


def test_short_lived_urls_are_named(folder):
    for life, level, code in ((30, "FAIL", 4), (300, "warn", 0)):
        inner = folder / f"life{life}"
        inner.mkdir()
        with sim(inner, "--url-ttl", life) as server:
            checks = doctor(Pxload(inner, server), expect=code)
            assert checks["url lifetime"][0] == level and f"{life} s" in checks["url lifetime"][1]


def test_missing_permission_is_named(folder):
    with sim(folder) as server:
        server.faults([{"endpoint": "request", "status": 403, "code": "Forbidden",
                        "message": "no uploads for you"}])
        checks = doctor(Pxload(folder, server), expect=4)
        assert failing(checks) == {"upload"} and "no uploads for you" in checks["upload"][1]


def test_proxy_is_named_without_its_password(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        checks = doctor(load, env={"http_proxy": "http://me:secret-word@127.0.0.1:9/",
                                   "no_proxy": "127.0.0.1"})
        assert "127.0.0.1" in checks["proxy"][1] and "secret-word" not in checks["proxy"][1]
        assert doctor(load, env={"HTTP_PROXY": "http://127.0.0.1:9/"})["proxy"][0] == "warn"


def test_state_folder_that_cannot_be_made_fails(folder):
    with sim(folder) as server:
        (folder / "file").write_text("")
        checks = doctor(Pxload(folder, server, XDG_STATE_HOME=str(folder / "file")), expect=4)
        assert failing(checks) == {"state folder"}, checks


def test_config_that_others_can_write_is_a_warning(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        config = folder / "home/config/pxload/config"
        config.parent.mkdir(parents=True)
        config.write_text("[default]\nretries = 3\n")
        config.chmod(0o666)
        assert doctor(load)["config"][0] == "warn"


def test_what_a_tenant_allows_is_compared_with_the_settings(folder):
    """A lower rate, a probe that is in the way, a server that names no limit and no life."""
    with sim(folder, "--quirk", "conflict_no_instructions", "--quirk", "no_expires_in") as server:
        server.faults([{"endpoint": "any", "headers": {"X-RateLimit-Limit": "100"}}])
        server.call("POST", "/_sim/preload", {"name": "pxload-doctor.bin", "size": 1})
        checks = doctor(Pxload(folder, server))
        assert checks["rate"][0] == "warn" and "100 requests" in checks["rate"][1], checks
        assert checks["upload"][0] == "warn" and "pxload-doctor.bin" in checks["upload"][1], checks
        assert "good for" not in checks["token"][1], checks
        assert doctor(Pxload(folder, server), "--api-rate", "90")["rate"][0] == "ok"
        assert doctor(Pxload(folder, server), "--api-rate", "0")["rate"][0] == "warn"
