"""What `cmake --install` lays down: documents that parse, and hardened programs."""
import gzip
import re
import subprocess

import pxm


def installed(folder):
    prefix = folder / "prefix"
    subprocess.run(["cmake", "--install", str(pxm.build_dir()), "--prefix", str(prefix)],
                   check=True, capture_output=True)
    return prefix


def readelf(program, *args):
    return subprocess.run(["readelf", "-W", *args, str(program)], check=True, text=True,
                          capture_output=True).stdout


def test_install_has_documents_and_hardened_programs(folder):
    prefix = installed(folder)
    man = gzip.decompress((prefix / "share/man/man1/pxload.1.gz").read_bytes()).decode()
    for heading in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "FILES"):
        assert re.search(rf'^\.SH "?{heading}"?$', man, re.M), heading
    assert r"\-\-on\-conflict" in man
    bash = prefix / "share/bash-completion/completions/pxload"
    subprocess.run(["bash", "-n", str(bash)], check=True)
    assert "--on-conflict" in bash.read_text()
    assert "--on-conflict" in (prefix / "share/zsh/vendor-completions/_pxload").read_text()
    assert "on-conflict" in (prefix / "share/fish/vendor_completions.d/pxload.fish").read_text()
    for name in ("pxload@.service", "config.example"):
        assert (prefix / "share/doc/pxload/examples" / name).is_file()
    for name in ("pxload", "pxm-sim"):
        program = prefix / "bin" / name
        assert "DYN" in readelf(program, "-h"), "not position-independent"
        segments = readelf(program, "-l")
        assert "GNU_RELRO" in segments
        assert re.search(r"GNU_STACK\s.*\sRW\s", segments), "executable stack"
        assert re.search(r"FLAGS_1.*\bNOW\b", readelf(program, "-d"))
        assert "__stack_chk_fail" in readelf(program, "--dyn-syms")


def test_bash_completes_verbs_options_and_values(folder):
    script = installed(folder) / "share/bash-completion/completions/pxload"

    def completions(*words):
        shell = (f'source {script}; COMP_WORDS=({" ".join(words)}); '
                 f'COMP_CWORD={len(words) - 1}; $(complete -p pxload | '
                 "sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", shell], check=True, text=True,
                              capture_output=True).stdout.split()

    assert "upload" in completions("pxload", "up")
    assert "--on-conflict" in completions("pxload", "upload", "--on-c")
    assert set(completions("pxload", "upload", "--on-conflict", "''")) >= {"skip", "version"}
