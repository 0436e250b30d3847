"""The config file: who wins, what is refused, where the client secret may come from."""
import os

from pxm import SECRET, Pxload, books, make_tree, requests, sim

NOWHERE = "http://127.0.0.1:9"


def offline(folder, **env):
    return Pxload(folder, None, PXLOAD_BASE_URL=NOWHERE, **env)


def configure(folder, text, mode=0o600):
    path = folder / "home/config/pxload/config"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def setting(load, name, *args, env=None):
    """(value, origin) as `pxload env` shows them."""
    rows = {row["name"]: row for row in load.run("env", "--json", *args, env=env).json}
    return rows[name]["value"], rows[name]["origin"]


def refused(load, *words, args=("env",), code=2):
    done = load.run(*args, expect=code)
    for word in words:
        assert word in done.err, (word, done.err)
    assert len(done.err.splitlines()) == 1 and not done.out, done.err
    return done


# ---- precedence ---------------------------------------------------------------------------------


def test_flag_beats_environment_beats_profile_beats_built_in(folder):
    load = offline(folder)
    assert setting(load, "transfers") == ("auto", "built-in")
    configure(folder, "[default]\ntransfers = 3\n[fast]\ntransfers = 40\n")
    assert setting(load, "transfers") == ("3", "profile")
    assert setting(load, "transfers", "--profile", "fast") == ("40", "profile")
    env = {"PXLOAD_TRANSFERS": "5"}
    assert setting(load, "transfers", env=env) == ("5", "environment")
    assert setting(load, "transfers", "--transfers", "7", env=env) == ("7", "flag")
    assert setting(load, "profile", env={"PXLOAD_PROFILE": "fast"}) == ("fast", "environment")
    assert setting(load, "transfers", env={"PXLOAD_PROFILE": "fast"}) == ("40", "profile")


def test_every_setting_can_come_from_environment_and_profile(folder):
    load = offline(folder)
    rows = [row for row in load.run("env", "--json").json if row["origin"] == "built-in"]
    switches = [row["name"] for row in rows if row["value"] == "false"]
    assert len(rows) > 30 and {"publish", "copy-links", "allow-http"} <= set(switches), switches
    for name in set(switches) & {"publish", "copy-links", "allow-http", "json"}:
        env = {f"PXLOAD_{name.upper().replace('-', '_')}": "true"}
        if name != "json":
            assert setting(load, name, env=env) == ("true", "environment"), name
            configure(folder, f"[default]\n{name} = true\n")
            assert setting(load, name) == ("true", "profile"), name
            # A switch that the profile sets can be taken back.
            assert setting(load, name, f"--{name}=false") == ("false", "flag"), name


def test_empty_environment_variable_counts_as_unset(folder):
    configure(folder, "[default]\ntransfers = 3\n")
    assert setting(offline(folder), "transfers", env={"PXLOAD_TRANSFERS": ""}) == ("3", "profile")


def test_bad_values_name_where_they_come_from(folder):
    load = offline(folder, PXLOAD_TRANSFERS="many")
    refused(load, "PXLOAD_TRANSFERS", "'many'")
    del load.env["PXLOAD_TRANSFERS"]
    path = configure(folder, "# a comment\n[default]\n\ntransfers = many\n")
    refused(load, f"{path}:4", "transfers", "'many'")


def test_settings_of_the_profile_are_those_of_the_run(folder):
    with sim(folder) as server:
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a.txt": b"1", "b.psd": b"2"})
        configure(folder, f"[default]\nbase-url = {NOWHERE}\n"
                          f"[other]\nbase-url = {server.api}\nexclude = *.psd\npublish = true\n")
        del load.env["PXLOAD_BASE_URL"]
        done = load.upload("--profile", "other", tree)
        assert books(done) == (2, 1, 0, 0, 1)
        assert server.files()["a.txt"]["published"] is True


# ---- refused ------------------------------------------------------------------------------------


def test_unknown_key_is_guessed(folder):
    configure(folder, "[default]\ntransfer = 3\n")
    refused(offline(folder), ":2:", "'transfer'", "did you mean 'transfers'?")


def test_broken_files_name_the_line(folder):
    load = offline(folder)
    for text, words in (("transfers = 3\n", (":1:", "[default]")),
                        ("[default]\nnonsense\n", (":2:",)),
                        ("[default]\ntransfers = 3\ntransfers = 4\n", (":3:", "twice")),
                        ("[default]\n" + "x" * 10_000 + " = 1\n", (":2:", "too long"))):
        configure(folder, text)
        refused(load, *words)


def test_unknown_profile_is_guessed(folder):
    load = offline(folder)
    configure(folder, "[default]\n[staging]\n[production]\n")
    refused(load, "'stagign'", "did you mean 'staging'?", args=("env", "--profile", "stagign"))


def test_secret_that_others_can_read_is_refused(folder):
    load = offline(folder)
    tree = make_tree(folder / "tree", {"a.txt": b"a"})
    for mode in (0o644, 0o640, 0o604):
        path = configure(folder, "[default]\nclient_secret = tell-no-one\n", mode)
        for args in (("upload", tree), ("auth",), ("env",)):
            done = refused(load, f"chmod 600 {path}", args=args)
            assert "tell-no-one" not in done.err
    configure(folder, "[other]\nclient_secret = tell-no-one\n", 0o644)
    refused(load, "chmod 600")
    configure(folder, "[default]\nclient_id = not-secret\ntransfers = 3\n", 0o644)
    assert setting(load, "transfers") == ("3", "profile")


def test_config_that_is_no_file_is_refused(folder):
    path = folder / "home/config/pxload/config"
    path.mkdir(parents=True)
    refused(offline(folder), str(path))
    path.rmdir()
    os.mkfifo(path)
    refused(offline(folder), str(path))


# ---- the client secret --------------------------------------------------------------------------


def from_profile(folder, server, text, expect=0, args=()):
    """`pxload auth` with credentials from the profile alone."""
    configure(folder, "[default]\nclient_id = profile-id\n" + text)
    load = Pxload(folder, server)
    del load.env["PXM_CLIENT_ID"], load.env["PXM_CLIENT_SECRET"]
    done = load.run("auth", *args, expect=expect)
    assert SECRET not in done.out + done.err
    return done


def test_client_secret_from_profile_file_or_command(folder):
    with sim(folder) as server:
        secret = folder / "secret.txt"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        beside = folder / "home/config/pxload/beside.txt"
        beside.parent.mkdir(parents=True)
        beside.write_text(SECRET)
        beside.chmod(0o600)
        for text in (f"client_secret = {SECRET}\n", f"client_secret_file = {secret}\n",
                     "client_secret_file = beside.txt\n",
                     f"client_secret_command = cat '{secret}' | tr -d x\n"):
            from_profile(folder, server, text)
        assert [row["status"] for row in requests(server, "auth")] == [200] * 4


def test_environment_beats_the_profiles_secret(folder):
    with sim(folder) as server:
        configure(folder, "[default]\nclient_id = x\nclient_secret = wrong\n")
        Pxload(folder, server).run("auth")
        assert [row["status"] for row in requests(server, "auth")] == [200]


def test_secret_file_or_command_that_fails_ends_with_4(folder):
    with sim(folder) as server:
        secret = folder / "secret.txt"
        secret.write_text(SECRET)
        secret.chmod(0o644)
        for text, words in (
                (f"client_secret_file = {secret}\n", ("secret.txt", "chmod 600")),
                (f"client_secret_file = {folder}/none\n", ("none", "No such file")),
                (f"client_secret_file = {folder}\n", ("no regular file",)),
                (f"client_secret_command = echo {SECRET}; exit 3\n", ("exit code 3",)),
                ("client_secret_command = true\n", ("empty",)),
                ("client_secret_command = printf 'a\\nb'\n", ("line ends",)),
                ("client_secret_command = kill -9 $$\n", ("signal 9",)),
                ("client_secret_command = yes\n", ("no secret",)),
                (f"client_secret = {SECRET}\nclient_secret_file = {secret}\n", ("more than one",)),
                ("", ("client_secret",))):
            done = from_profile(folder, server, text, expect=4)
            for word in words:
                assert word in done.err, (text, word, done.err)
        assert not requests(server), "a request without credentials"
