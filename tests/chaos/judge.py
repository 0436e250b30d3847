"""Does the promise hold? Local files, report, books and pxm-sim's state must tell one story."""
import collections
import json
import os
import unicodedata

from plan import is_junk, name_of
from pxm import md5, report

# Breaches of the protocol that a fault explains.
#   expect_header    a PUT that broke twice without a reply asks with Expect what the server thinks
#   concurrency, part_overlap, part_order, name_in_flight
#                    an exchange that pxload gave up or died in still goes on at the server's side
TOLERATED = {
    "expect_header": ("reset", "stall", "early_403", "close_after", "delay", "killed"),
    "concurrency": ("stall", "delay", "killed", "reset"),
    "part_overlap": ("stall", "delay", "killed", "reset"),
    "part_order": ("stall", "delay", "killed", "reset", "status"),
    "name_in_flight": ("stall", "delay", "killed", "reset"),
}


def causes(run):
    keys = {key for rule in run.plan.faults for key in rule}
    return keys | ({"killed"} if run.kills else set())


def explained(code, keys):
    return any(key.startswith(cause) for cause in TOLERATED.get(code, ()) for key in keys)


def check_audit(run, state):
    keys = causes(run)
    return [f"audit: {breach}" for breach in state["violations"]
            if not explained(breach["code"], keys)]


def check_books(run, code, out, rows):
    totals = [json.loads(line) for line in out.split("\n")
              if line.startswith("{") and '"message_type":"summary"' in line]
    if len(totals) != 1:
        return [f"{len(totals)} summaries"]
    total = totals[0]
    problems = []
    if not total["balanced"] or total["queued"]:
        problems.append(f"books: {total}")
    states = collections.Counter(row["state"] for row in rows.values())
    states["confirmed"] += states["linked"]
    said = {key: total[key] for key in ("confirmed", "skipped", "failed")}
    if total["unlinked"] or total["linked"] != states["linked"]:
        problems.append(f"books: {total['linked']} linked, {total['unlinked']} not; {dict(states)}")
    if said != {key: states[key] for key in said}:
        problems.append(f"books: the summary says {said}, the report {dict(states)}")
    if sum(total["failed_by_class"].values()) != total["failed"]:
        problems.append(f"books: {total['failed_by_class']} are not {total['failed']} failed")
    if total["exit_code"] != code or (code == 0) != (not total["failed"] and not total["issues"]):
        problems.append(f"exit code {code} with {total}")
    return problems


class Judge:
    def __init__(self, run, state, rows):
        self.run = run
        self.tree = run.tree
        self.state = state
        self.rows = rows  # {path: row}, those that the last walk saw
        self.by_id = {record["id"]: record for record in state["files"]}
        self.problems = []
        # Names that a changed file bore, at any time: other files may stand there before ours.
        self.unsteady = {name_of(path) for path in run.tree.touched}
        self.folders = {row["id"]: row for row in state["categories"] + state["collections"]}
        self.places = {key: self.place(row) for key, row in self.folders.items()}

    def place(self, row):
        above = self.folders.get(row["parent_id"])
        return (self.place(above) + "/" if above else "") + row["name"]

    def problem(self, path, text):
        self.problems.append(f"{path!r}: {text}")

    def was(self, path):
        return {md5(data) for data in self.tree.history.get(path, ())}

    def is_steady(self, path):
        """Nobody touched the file or one that could bear its name, and PXM did not have it."""
        sent = self.rows[path].get("destination")
        return (path not in self.tree.touched and name_of(path) not in self.unsteady
                and not (self.run.plan.name_policy != "keep" and self.tree.touched)
                and sent not in self.run.plan.preload)

    def confirmed(self, path, row):
        record = self.by_id.get(row.get("file_id"))
        if record is None:
            same = [r for r in self.state["files"] if r["name"] == row["destination"]]
            if row.get("file_id") or len(same) != 1:
                self.problem(path, f"confirmed as {row.get('file_id')}, PXM has {same}")
                return
            record = same[0]
        if record["name"] != row["destination"]:
            self.problem(path, f"confirmed as {row['destination']!r}, it is {record['name']!r}")
        now = md5(self.tree.read(path))
        if record["md5"] != now:
            what = "an older content" if record["md5"] in self.was(path) else "bytes of nobody"
            self.problem(path, f"confirmed, but PXM has {what}: {record['size']} bytes")
        if row.get("md5") and row["md5"] != now:
            self.problem(path, f"the report has MD5 {row['md5']}, the file {now}")
        self.claim(path, record)
        self.versions(path, row, record)
        self.links(path, record)
        self.attributes(path, record)

    def row(self, path):
        """What the manifest says of a file; {}."""
        return self.run.plan.rows.get(os.fsdecode(path), {})

    def wants_link(self, path):
        return self.run.plan.mapping != "none" or any(
            value for key, value in self.row(path).items() if key != "published")

    def attributes(self, path, record):
        """Those of its row, and no other unless its name was another file's."""
        row = self.row(path)
        wanted = {key.partition(":")[2]: value for key, value in row.items()
                  if value and key.startswith("attribute:")}
        if "Keywords" in wanted:
            wanted["Keywords"] = wanted["Keywords"].split("; ")
        has = {entry["label"]: entry["value"] for entry in record.get("attributes", [])}
        if any(has.get(label) != value for label, value in wanted.items()) or (
                set(has) != set(wanted) and self.is_steady(path)):
            self.problem(path, f"has the attributes {has}, not {wanted}")
        published = {"yes": True, "no": False}.get(row.get("published"),
                                                   "--publish" in self.run.plan.options["job"])
        if record["published"] != published and self.is_steady(path):
            self.problem(path, f"is {'' if published else 'un'}published against its row")

    def links(self, path, record):
        """In the collection of its folder, and in no other unless its name was another file's."""
        wanted = [name for name in self.row(path).get("collections", "").split("; ") if name]
        linked = [self.places[key] for key in record.get("collections", [])]
        if set(wanted) - set(linked):
            self.problem(path, f"is linked to {linked}, not to {wanted}")
        linked = [place for place in linked if place not in ("Shelf", "Drawer")]
        if self.run.plan.mapping == "none":
            if linked and self.is_steady(path):
                self.problem(path, f"is linked to {linked}")
            return
        names = [self.run.tree.root.name] + [
            unicodedata.normalize("NFC", os.fsdecode(part)) for part in path.split(b"/")[:-1]]
        if self.run.plan.mapping == "tree":
            # One that has folders has a category of its own, from when it was first seen so.
            right = ["/".join(names), "/".join([*names, names[-1]])]
        else:
            right = [names[-1], "--".join(names)]
        mine = [place for place in linked if place in right]
        if len(mine) != 1 or (len(linked) != 1 and self.is_steady(path)):
            self.problem(path, f"is linked to {linked}, not to one of {right}")

    def versions(self, path, row, record):
        if path in self.tree.touched or name_of(path) in self.unsteady:
            return
        most = 2 if self.run.plan.policy == "version" and row["destination"] in \
            self.run.plan.preload else 1
        if record["versions"] > most:
            self.problem(path, f"has {record['versions']} versions, not {most}: sent twice")

    def claim(self, path, record):
        other = record.setdefault("claimed_by", path)
        if other != path:
            self.problem(path, f"and {other!r} are the same file in PXM: {record['id']}")

    def skipped(self, path, row):
        record = self.by_id.get(row.get("file_id"))
        if record is None:
            same = [r for r in self.state["files"] if r["name"] == row["destination"]]
            if not same:
                self.problem(path, f"skipped, but PXM has no such file: {row}")
        elif self.is_steady(path):
            self.problem(path, f"skipped, though only this job can have made {record}")
        if self.run.plan.policy != "skip":
            self.problem(path, f"skipped under --on-conflict {self.run.plan.policy}")

    def failed(self, path, row):
        kind = row.get("error_class")
        if not row.get("error") or not kind:
            self.problem(path, f"failed without a reason: {row}")
        if kind == "manifest" and os.fsdecode(path) in self.run.plan.bad_rows:
            return
        if kind == "name_invalid" and name_of(path) is None:
            return
        if kind == "name_collision" and self.has_namesake(path):
            return
        if kind == "conflict" and self.run.plan.policy == "fail" and not self.is_steady(path):
            return
        if kind == "outcome_unknown" and self.run.plan.policy == "version":
            return
        self.problem(path, f"failed without a fault: {kind}: {row.get('error')}")

    def has_namesake(self, path):
        """Another file whose name is, or under `unique` and `path` may become, the same one."""
        sent = self.rows[path].get("destination")
        return any(other != path and (name_of(other) == name_of(path)
                                      or row.get("destination") == sent)
                   for other, row in self.rows.items())

    def check_rows(self):
        wanted = self.tree.wanted()
        for path in sorted(wanted - set(self.rows)):
            self.problem(path, "is in no row of the report")
        for path in sorted(set(self.rows) - wanted):
            self.problem(path, f"is in the report and not in the tree: {self.rows[path]}")
        for path, row in sorted(self.rows.items()):
            if path not in wanted:
                continue
            done = "linked" if self.wants_link(path) else "confirmed"
            judge_one = {done: self.confirmed, "skipped": self.skipped,
                         "failed": self.failed}.get(row["state"])
            if judge_one:
                judge_one(path, row)
            else:
                self.problem(path, f"is left as {row['state']}")

    def check_pxm(self, gone):
        """Whatever PXM has came from a file of the tree, or was there before."""
        for kind in ("categories", "collections"):
            places = [self.places[row["id"]] for row in self.state[kind]]
            if len(set(places)) != len(places):
                self.problems.append(f"PXM has {kind} twice: {sorted(places)}")
        if self.state["duplicates"]:
            self.problems.append(f"PXM has doubles: {self.state['duplicates']}")
        sent = {row.get("destination"): path for path, row in [*gone.items(), *self.rows.items()]}
        known = {md5(data) for history in self.tree.history.values() for data in history}
        for record in self.state["files"]:
            name = record["name"]
            if "claimed_by" in record or name in self.run.plan.preload:
                continue
            if name not in sent:
                self.problems.append(f"PXM has {name!r}, which no row of the report knows")
            elif record["md5"] not in known:
                self.problem(sent[name], f"PXM has bytes of nobody: {record}")


def judge(run, code, out):
    """A list of what is wrong."""
    state = run.server.state()
    everything = {os.fsencode(path): row
                  for path, row in report(run.load, run.tree.root, run.journal).items()}
    rows = {path: row for path, row in everything.items() if not row.get("gone")}
    gone = {path: row for path, row in everything.items() if row.get("gone")}
    verdict = Judge(run, state, rows)
    verdict.check_rows()
    verdict.check_pxm(gone)
    leftover = [path for path in gone if path in run.tree.wanted()]
    verdict.problems += [f"{path!r}: reported as gone, it is there" for path in leftover]
    verdict.problems += [f"{path!r}: junk is in the report" for path in everything if is_junk(path)]
    return verdict.problems + check_books(run, code, out, rows) + check_audit(run, state)
