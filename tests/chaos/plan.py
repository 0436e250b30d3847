"""What a seed decides: the tree, the tenant's ways, pxload's options, the faults.

Nothing here runs anything; the same seed gives the same plan on every machine.
"""
import hashlib
import random
import unicodedata

KIB = 1 << 10

ODD_NAMES = [
    b"with space.jpg", b"100%.txt", b"a#b?c.png", b"plus+amp&.csv", b"quote'\".txt", b"back\\slash",
    b"-rf", b"--json", b".hidden", b"semi;colon.csv", b"under_score.pdf", b"new\nline.txt",
    b"tab\there.txt", b"\x01control", b"UPPER.JPG", b"upper.jpg", b"n" * 255, b"dots...",
    b"[x]{y}*",
    "grün-é.txt".encode(), unicodedata.normalize("NFD", "grün-é.txt").encode(),
    "日本語.png".encode(), "emoji-\U0001f4f7.mov".encode(), "\u202egpj.exe".encode(),
    b"bad-\xff\xfe.bin", b"cut-\xe2\x82", b"no-extension", b"a.tar.gz", b"=SUM(A1).csv", b"%41.txt",
]
JUNK = [b".DS_Store", b"._x.jpg", b"Thumbs.db", b"half.part", b"x.tmp"]
FOLDERS = [b"", b"", b"", b"d", b"d/e", b"sub dir", "ü".encode(), b"d--e"]


def content(dice, size):
    """Bytes that no other content of the run has (but for the empty one)."""
    block = hashlib.sha512(dice.randbytes(16)).digest()
    return b"".join(hashlib.sha512(block + n.to_bytes(4, "big")).digest()
                    for n in range(size // 64 + 1))[:size]


def any_size(dice):
    return dice.choices([0, dice.randrange(1, 200), dice.randrange(200, 70 * KIB),
                         dice.randrange(60 * KIB, 70 * KIB), dice.randrange(70 * KIB, 400 * KIB)],
                        [1, 8, 5, 2, 2])[0]


class Plan:
    """All that a seed decides before the first run; `dice` goes on for what happens meanwhile."""

    def __init__(self, seed):
        self.seed = seed
        self.dice = random.Random(seed)
        dice = self.dice
        self.files = {self.new_path(): any_size(dice) for _ in range(dice.randrange(3, 40))}
        self.policy = dice.choice(["skip", "skip", "skip", "overwrite", "version", "fail"])
        self.name_policy = dice.choice(["keep", "unique", "path"])
        self.wire = dice.choice(["v3", "v3", "v2.1"])
        self.part_concurrency = dice.choice([1, 1, 1, 3])
        self.preload = self.choose_preload()
        self.sim = self.choose_sim()
        self.options = self.choose_options()
        self.faults = [rule for _ in range(dice.randrange(0, 8)) for rule in self.fault()]
        if dice.random() < 0.4:
            self.faults = self.lost_confirms() + self.faults
        self.small_disk = dice.random() < 0.12
        self.mutates = dice.random() < 0.6
        self.odd_items = dice.random() < 0.2
        self.outages = dice.random() < 0.2
        self.clock_jumps = dice.random() < 0.25
        self.first_runs = dice.randrange(1, 6)
        self.mapping = dice.choice(["none", "tree", "tree", "collections"])
        if self.mapping != "none":
            self.options["job"] += ["--map-folders", self.mapping]
            self.faults += [rule for _ in range(dice.randrange(0, 4)) for rule in
                            self.folder_fault()]
            for quirk in ["page_repeat", "category_shape=items", "collection_shape=array"]:
                if dice.random() < 0.2:
                    self.sim += ["--quirk", quirk]
        self.has_manifest = dice.random() < 0.5
        self.bad_rows = set()
        self.rows = self.manifest_rows() if self.has_manifest else {}
        if self.has_manifest and self.mapping == "none":
            self.faults += [rule for _ in range(dice.randrange(0, 4)) for rule in
                            self.folder_fault()]
        self.is_damaged = dice.random() < 0.4

    def new_path(self):
        dice = self.dice
        folder = dice.choice(FOLDERS)
        if dice.random() < 0.3:
            name = dice.choice(ODD_NAMES)
        elif dice.random() < 0.05:
            name = dice.choice(JUNK)
        else:
            name = b"f%d.%s" % (dice.randrange(60), dice.choice([b"jpg", b"bin", b"txt", b"pdf"]))
        return folder + b"/" + name if folder else name

    def choose_preload(self):
        """{name: size} of files that PXM has before; under --name-policy path they rarely hit."""
        dice = self.dice
        names = {}
        if dice.random() < 0.4:
            for path in dice.sample(sorted(self.files), min(len(self.files), 3)):
                base = path.split(b"/")[-1]
                try:
                    name = unicodedata.normalize("NFC", base.decode())
                except UnicodeDecodeError:
                    continue
                if base not in JUNK:
                    # Never of the new size: within ten minutes PXM could not tell the two apart.
                    names[name] = dice.choice([7, 1234, 99]) + 500 * KIB
        return names

    def choose_sim(self):
        dice = self.dice
        args = ["--multipart-threshold", "64K", "--part-size", dice.choice(["16K", "48K", "64K"]),
                "--api-latency", dice.choice([0, 4, 15, 40]),
                "--s3-latency", dice.choice([0, 4, 15, 40]), "--wire", self.wire,
                "--url-ttl", dice.choice([3600, 3600, 3600, 3, 2]), "--seed", self.seed % 1000 + 1]
        if self.part_concurrency > 1:
            args += ["--allow-part-concurrency", self.part_concurrency]
        quirks = ["bare", "no_ranges", "conflict_status=409", "conflict_place=inside",
                  "confirm_reply=none", "confirm_reply=data.id", "search_shape=items",
                  "name_place=metadata", "confirm_twice=409", "search_lag=0.4",
                  "confirm_status=201", "single_name=standard"]
        for quirk in dice.sample(quirks, dice.choice([0, 0, 1, 1, 2, 3])):
            if {quirk, *args} >= {"bare", "conflict_place=inside"}:
                continue
            args += ["--quirk", quirk]
        return args

    def choose_options(self):
        """Of upload and resume alike (running), and of upload alone (job)."""
        dice = self.dice
        running = ["--timeout", dice.choice(["1s", "1500ms", "2s"]), "--contimeout", "1s",
                   "--lookup-patience", "1s", "--retries", dice.choice([2, 3, 5]),
                   "--transfers", dice.choice([1, 2, 4, 16]),
                   "--part-concurrency", self.part_concurrency,
                   "--api-concurrency", dice.choice([1, 3, 10, 10])]
        if dice.random() < 0.15:
            running += ["--bwlimit", dice.choice(["400K", "1M", "3M"])]
        running += ["--order-by", dice.choice(["mixed", "size", "path"])]
        job = ["--on-conflict", self.policy, "--name-policy", self.name_policy, "--wire", self.wire]
        if dice.random() < 0.2:
            job.append("--publish")
        return {"running": [str(arg) for arg in running], "job": job}

    def manifest_rows(self):
        """{path: what its row says}, of paths that have one spelling alone."""
        dice = self.dice
        rows = {}
        for number, path in enumerate(sorted(self.files)):
            try:
                key = unicodedata.normalize("NFC", path.decode())
            except UnicodeDecodeError:
                continue
            is_plain = key.encode() == path and unicodedata.normalize("NFD", key) == key
            if not is_plain or dice.random() < 0.4:
                continue
            rows[key] = {"published": dice.choice(["", "yes", "no"]),
                         "collections": dice.choice(["", "", "Shelf", "Shelf; Drawer"]),
                         "attribute:Description": dice.choice(["", f"number {number}"]),
                         "attribute:Keywords": dice.choice(["", "", "one; two"])}
            if dice.random() < 0.05:
                rows[key]["attribute:Color"] = "Mauve"
                self.bad_rows.add(key)
        return rows

    def lost_confirms(self):
        """Where exactly once is decided: confirms whose reply is lost, and look-ups that fail."""
        dice = self.dice
        lost = dice.choice([{"reset_after": True}, {"reset_after": True, "plain_close": True},
                            {"stall": 5000, "after": True}, {"stall": 5000},
                            {"status": 503, "after": True}, {"truncate": 5},
                            {"reset_before": True}])
        blind = dice.choice([{"status": 500}, {"status": 400}, {"status": 403}, {"stall": 3000},
                             {"reset_during": True}, {"truncate": 9}, {"search_lag": 700}])
        return [{"endpoint": "confirm", "probability": dice.choice([0.2, 0.5, 1]),
                 "times": dice.randrange(1, 12), **lost},
                {"endpoint": "search", "probability": dice.choice([0, 0.3, 1]),
                 "times": dice.randrange(1, 8), **blind}]

    def folder_fault(self):
        """Of lists, of what is made and of links; an answer is never a lie."""
        dice = self.dice
        either = dice.choice(["list", "write", "write"])
        when = dice.choice([{"nth": dice.randrange(1, 9)}, {"every": dice.randrange(2, 5)},
                            {"probability": dice.choice([0.1, 0.3, 0.7])}])
        rule = dice.choice([
            {"status": dice.choice([500, 502, 503])}, {"status": 500, "after": True},
            {"status": 429, "retry_after": "0"}, {"status": dice.choice([400, 403])},
            {"reset_before": True}, {"reset_during": True}, {"reset_after": True},
            {"reset_after": True, "plain_close": True}, {"stall": 3000, "after": True},
            {"stall": 3000}, {"delay": 300}, {"truncate": dice.choice([0, 1, 20])},
            {"revoke_token": True}, {"numbers_as_strings": True}, {"close_after": 1}])
        return [{"endpoint": either, "times": dice.randrange(1, 6), **when, **rule}]

    def fault(self):
        """One or two rules; each fires a bounded number of times."""
        dice = self.dice
        api = dice.choice(["request", "confirm", "search", "request", "confirm"])
        s3 = dice.choice(["put", "part", "put"])
        either = dice.choice([api, s3])
        when = dice.choice([{"nth": dice.randrange(1, 8)}, {"every": dice.randrange(2, 5)},
                            {"probability": dice.choice([0.1, 0.3, 0.7])}, {}])
        limit = {"times": dice.randrange(1, 5)}
        rule = dice.choice([
            lambda: {"endpoint": either, "status": dice.choice([500, 502, 503, 504]),
                     "body": dice.choice(["json", "html", "empty"])},
            lambda: {"endpoint": api, "status": dice.choice([500, 503]), "after": True},
            # No 404 of a search: that is an answer, "no such file", and here it would be a lie.
            lambda: {"endpoint": api, "status": dice.choice([400, 403])},
            lambda: {"endpoint": "request", "status": 404},
            lambda: {"endpoint": s3, "status": 503, "body": "s3xml", "code": "SlowDown"},
            lambda: {"endpoint": s3, "status": 400, "body": "s3xml",
                     "code": dice.choice(["RequestTimeout", "BadDigest", "IncompleteBody"])},
            lambda: {"endpoint": s3, "status": 404, "body": "s3xml", "code": "NoSuchUpload"},
            lambda: {"endpoint": api, "status": 429,
                     "retry_after": dice.choice(["0", "1", "date:1"])},
            lambda: {"endpoint": either, dice.choice(["reset_before", "reset_during",
                                                      "reset_after"]): True,
                     "plain_close": dice.random() < 0.5},
            lambda: {"endpoint": either, dice.choice(["reset_before", "reset_during",
                                                      "reset_after"]): True},
            lambda: {"endpoint": "confirm", "reset_after": True,
                     "plain_close": dice.random() < 0.5},
            lambda: {"endpoint": dice.choice([either, "confirm"]),
                     "refuse": dice.choice([30, 200, 700]),
                     dice.choice(["reset_before", "reset_during", "reset_after"]): True},
            lambda: {"endpoint": either, "stall": dice.choice([300, 3000]),
                     "after": dice.random() < 0.5},
            lambda: {"endpoint": "confirm", "stall": 5000, "after": True},
            lambda: {"endpoint": dice.choice([either, "any"]),
                     "delay": dice.choice([30, 200, 600])},
            lambda: {"endpoint": api, "truncate": dice.choice([0, 1, 20, 80])},
            lambda: {"endpoint": s3, "wrong_etag": True},
            lambda: {"endpoint": s3, "no_etag": True},
            lambda: {"endpoint": s3, "kms_header": True},
            lambda: {"endpoint": s3, "early_403_close": True},
            lambda: {"endpoint": "request", "expire_url": True},
            lambda: {"endpoint": "request", "bad_parts": dice.choice(["gap", "overlap", "zero"])},
            lambda: {"endpoint": "request", "no_instructions": True},
            lambda: {"endpoint": "request", "url_host": "example.invalid"},
            lambda: {"endpoint": api, "revoke_token": True},
            lambda: {"endpoint": "search", "search_lag": dice.choice([300, 600])},
            lambda: {"endpoint": "auth", "status": dice.choice([500, 503, 401])},
            lambda: {"endpoint": "request", "duplicate_keys": dice.choice(["first", "last"])},
            lambda: {"endpoint": api, "numbers_as_strings": True},
            lambda: {"endpoint": api, "deep_json": True},
            lambda: {"endpoint": "any", "close_after": 1, "close_silently": dice.random() < 0.5},
            lambda: {"endpoint": either, "redirect": "http://127.0.0.1:9/"},
            lambda: {"endpoint": "confirm", "clock_offset": dice.choice([-7200, 7200])},
        ])()
        return [{**rule, **when, **limit}]


def name_of(path):
    """The NFC name of a path's last component, None where it is no UTF-8."""
    try:
        return unicodedata.normalize("NFC", path.split(b"/")[-1].decode())
    except UnicodeDecodeError:
        return None


def is_junk(path):
    return path.split(b"/")[-1] in JUNK
