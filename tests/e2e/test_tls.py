"""TLS: an own CA is enough, anything else is refused with advice and nothing is sent."""
import peers
from pxm import Pxload, books, counts, holds, make_tree, pattern, requests, summary

MIB = 1 << 20
FILES = {"a": pattern(4000), "b": b"", "big": pattern(11 * MIB)}
PARTS = ("--multipart-threshold", "5M", "--part-size", "5M")


def refused(folder, pair, args=(), env=None, words=()):
    """An upload to a sim with this certificate ends with 4, with advice, and sends nothing."""
    with peers.tls_sim(folder, pair) as server:
        load = Pxload(folder, server)
        load.env.update(env or {})
        tree = make_tree(folder / "tree", {"a": b"1", "b": b"2"})
        done = load.upload(*args, "--retries", "2", tree, expect=4)
        total = summary(done)
        assert total["error_class"] == "tls" and not total["failed"], total
        assert total["queued"] == 2 and "--ca-cert" in done.err, (total, done.err)
        for word in words:
            assert word in done.err.lower(), done.err
        assert not requests(server) and not counts(server), counts(server)
        assert not server.files()
        assert total["retries"] == 0, f"a certificate does not get better: {total}"


def accepted(folder, pair, args=(), env=None):
    with peers.tls_sim(folder, pair, *PARTS) as server:
        load = Pxload(folder, server)
        load.env.update(env or {})
        done = load.upload(*args, make_tree(folder / "tree", FILES))
        assert books(done)[1] == len(FILES)
        holds(server, FILES)
        assert counts(server)["part"] == 3, counts(server)


def test_own_ca_by_flag_sends_the_right_bytes(folder):
    ca = peers.make_ca(folder)
    accepted(folder, peers.make_cert(folder, ca), ("--ca-cert", ca[0]))


def test_own_ca_by_the_usual_environment_names(folder):
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PXLOAD_CA_CERT"):
        inner = folder / name
        inner.mkdir()
        ca = peers.make_ca(inner)
        accepted(inner, peers.make_cert(inner, ca), env={name: str(ca[0])})


def test_own_ca_by_folder_of_hashed_certificates(folder):
    ca = peers.make_ca(folder)
    roots = folder / "roots"
    roots.mkdir()
    (roots / "mine.pem").write_bytes(ca[0].read_bytes())
    peers.rehash(roots)
    accepted(folder, peers.make_cert(folder, ca), env={"SSL_CERT_DIR": str(roots)})


def test_flag_wins_over_the_environment(folder):
    mine, other = peers.make_ca(folder), peers.make_ca(folder, "other")
    pair = peers.make_cert(folder, mine)
    accepted(folder, pair, ("--ca-cert", mine[0]), {"SSL_CERT_FILE": str(other[0])})


def test_flag_wins_over_an_environment_that_would_do(folder):
    mine, other = peers.make_ca(folder), peers.make_ca(folder, "other")
    pair = peers.make_cert(folder, mine)
    refused(folder, pair, ("--ca-cert", other[0]), {"SSL_CERT_FILE": str(mine[0])})


def test_unknown_authority_is_refused(folder):
    refused(folder, peers.make_cert(folder, peers.make_ca(folder)), words=("certificate",))


def test_self_signed_certificate_is_refused(folder):
    refused(folder, peers.make_ca(folder), words=("self", "certificate"))


def test_certificate_for_another_host_is_refused(folder):
    ca = peers.make_ca(folder)
    for san in ("DNS:pxm.example", "IP:127.0.0.2", "DNS:127.0.0.1.example"):
        inner = folder / san.replace(":", "-")
        inner.mkdir()
        refused(inner, peers.make_cert(inner, ca, san=san), ("--ca-cert", ca[0]),
                words=("127.0.0.1",))


def test_expired_certificate_is_refused(folder):
    ca = peers.make_ca(folder)
    refused(folder, peers.make_cert(folder, ca, days=-1), ("--ca-cert", ca[0]), words=("expired",))


def test_http_in_front_of_tls_is_no_way_around(folder):
    # An https base URL whose port speaks plain http: no fallback, nothing in the clear.
    with peers.door() as door:
        load = Pxload(folder)
        load.env["PXLOAD_BASE_URL"] = f"https://127.0.0.1:{door.port}"
        tree = make_tree(folder / "tree", {"a": b"1"})
        done = load.upload("--retries", "2", "--timeout", "1s", "--contimeout", "1s", tree,
                           expect=(4, 5))
        assert summary(done)["queued"] == 1
        assert door.heard and not [text for text in door.heard if b"Basic" in text or
                                   b"HTTP/" in text], door.heard


def test_s3_with_a_certificate_that_nobody_trusts_gets_no_byte(folder):
    ca, other = peers.make_ca(folder), peers.make_ca(folder, "other")
    (folder / "elsewhere").mkdir()
    with peers.tls_sim(folder, peers.make_cert(folder, ca)) as server, \
            peers.tls_sim(folder / "elsewhere",
                          peers.make_cert(folder, other, "else")) as elsewhere:
        host = elsewhere.s3.partition("://")[2]
        server.faults([{"endpoint": "request", "url_host": host}])
        load = Pxload(folder, server)
        tree = make_tree(folder / "tree", {"a": b"1"})
        done = load.upload("--ca-cert", ca[0], tree, expect=4)
        assert summary(done)["error_class"] == "tls"
        assert not requests(elsewhere) and "put" not in counts(server)


def test_faults_over_tls_are_ridden_out(folder):
    ca = peers.make_ca(folder)
    with peers.tls_sim(folder, peers.make_cert(folder, ca), *PARTS,
                       breaches={"expect_header"}) as server:
        server.faults([{"endpoint": "request", "nth": 1, "reset_before": True},
                       {"endpoint": "put", "nth": 1, "reset_during": True},
                       {"endpoint": "part", "nth": 2, "reset_during": True},
                       {"endpoint": "part", "nth": 3, "reset_after": True},
                       {"endpoint": "confirm", "nth": 1, "reset_after": True},
                       {"endpoint": "confirm", "nth": 2, "reset_before": True},
                       {"endpoint": "confirm", "nth": 3, "truncate": 5}])
        load = Pxload(folder, server)
        files = {**FILES, **{f"f{n}": pattern(99, n) for n in range(4)}}
        load.upload("--ca-cert", ca[0], "--lookup-patience", "1s",
                    make_tree(folder / "tree", files))
        holds(server, files)
