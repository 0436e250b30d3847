"""The targets, each beside what was measured. A row is (what, target, measured, met); met is
None where a part was not run."""
from measuring import median, ratios
from place import GIB

S5CMD_FILES_S = 2600  # 16 KiB files, of an earlier measurement on such a machine


def wall(run):
    return run["wall_s"]


def files_s(run):
    return run["files"] / run["wall_s"]


def bytes_s(run):
    return run["bytes"] / run["wall_s"]


def cpu_file(run):
    return run["cpu_s"] / run["files"]


def cpu_byte(run):
    return run["cpu_s"] / run["bytes"]


class Table:
    """Collects rows; a missing part or contender makes a row that says so."""

    def __init__(self, parts):
        self.parts = parts
        self.rows = []

    def runs(self, part, key):
        return self.parts.get(part, {}).get("runs", {}).get(key)

    def add(self, what, target, measured, met):
        self.rows.append((what, target, measured, met))

    def missing(self, what, target):
        self.add(what, target, "not measured", None)

    def at_least(self, what, value, least, shown="{:.2f}"):
        target = ">= " + shown.format(least)
        if value is None:
            self.missing(what, target)
        else:
            self.add(what, target, shown.format(value), value >= least)

    def at_most(self, what, value, most, shown="{:.2f}"):
        target = "<= " + shown.format(most)
        if value is None:
            self.missing(what, target)
        else:
            self.add(what, target, shown.format(value), value <= most)

    def ratio(self, part, ours, theirs, value):
        """The median of the rounds' ratios, or None."""
        a, b = self.runs(part, ours), self.runs(part, theirs)
        return median(ratios(a, b, value)) if a and b else None

    def of(self, part, key, value):
        runs = self.runs(part, key)
        return median([value(run) for run in runs]) if runs else None


def _budget(table, part):
    names = ("request budget: least used in a full 60-s window, of 950",
             "request budget: most in any 60 s", "requests a file",
             "429 replies", "1,900 API-bound files: time / the earliest possible")
    if not part:
        for name, target in zip(names, (">= 99 %", "<= 950", "2.00", "0", "<= 1.02")):
            table.missing(name, target)
        return
    full = part["full_windows"]
    if full:
        table.at_least(names[0], 100 * min(full) / 950, 99, "{:.1f} %")
    else:
        table.missing(names[0], ">= 99 %")
    table.at_most(names[1], part["most_in_60s"], 950, "{:.0f}")
    table.add(names[2], "2.00", f"{part['per_file']:.2f}", part["requests"] == 2 * part["files"])
    table.at_most(names[3], part["refused_429"], 0, "{:.0f}")
    ratio = part["wall_s"] / part["earliest_s"] if part["earliest_s"] else None
    table.at_most(names[4], ratio, 1.02, "{:.3f}")


def _w1(table):
    what = "W1, three calls, journal and ETag check on: "
    for key, label in (("rclone", "rclone's"), ("rclone-off", "rclone's, its checks off")):
        table.at_least(what + "files/s / " + label, table.ratio("W1", "pxload", key, files_s), 3)
    table.at_least(what + "files/s / s5cmd's 2.6 k (measured earlier, elsewhere)",
                   _over(table.of("W1", "pxload", files_s), S5CMD_FILES_S), 1.5)
    table.at_least(what + "files/s / three-call floor's",
                   table.ratio("W1", "pxload", "three-calls", files_s), 0.75)
    for key, label in (("rclone", "rclone's"), ("rclone-off", "rclone's, its checks off")):
        table.at_most("W1 client CPU a file / " + label,
                      table.ratio("W1", "pxload", key, cpu_file), 0.25)
    table.at_most("W1 client CPU a file / three-call floor's",
                  table.ratio("W1", "pxload", "three-calls", cpu_file), 1.4)


def _over(value, by):
    return None if value is None else value / by


def ideal_walls(part, cores):
    """max(PUT floor, MD5 time / free cores), a round each.

    What is free are the cores less what the floor's client and its server keep busy, so
    MD5 <= cores * T - both, and T >= (MD5 + both) / cores.
    """
    runs = part["runs"]
    return [max(put["wall_s"], (md5["cpu_s"] + put["cpu_s"] + put["server_cpu_s"]) / cores)
            for put, md5 in zip(runs["put-floor"], runs["md5"])]


def _large(table, part, cores):
    title = {"W2": "W2", "W3": "W3"}[part]
    off = f"{title}, ETag check off: "
    table.at_least(off + "MB/s / PUT floor's",
                   table.ratio(part, "pxload-off", "put-floor", bytes_s), 0.9)
    table.at_most(off + "CPU a GiB / PUT floor's",
                  table.ratio(part, "pxload-off", "put-floor", cpu_byte), 1.15)
    on = f"{title}, ETag check on: "
    value = None
    if all(table.runs(part, key) for key in ("pxload", "put-floor", "md5")):
        value = median([run["wall_s"] / ideal for run, ideal in
                        zip(table.runs(part, "pxload"), ideal_walls(table.parts[part], cores))])
    table.at_most(on + "wall / max(PUT floor, MD5 time / free cores)", value, 1.1)
    for key in ("rclone", "awscli"):
        table.at_least(on + f"MB/s / {key}'s", table.ratio(part, "pxload", key, bytes_s), 2)
    table.at_most(on + "CPU a GiB / rclone's",
                  table.ratio(part, "pxload", "rclone", cpu_byte), 0.3)


def _million(table, part):
    rows = (("walk of {} files with size and mtime / find -printf", 1.0, "{:.2f}"),
            ("walk of {} files into the journal / find -printf", 3.0, "{:.2f}"),
            ("peak RSS of that walk, and of pxload plan", 64, "{:.0f} MiB"),
            ("resume, {} rows in the journal: first request sent", 1.0, "{:.2f} s"),
            ("peak RSS, upload of {} files", 64, "{:.0f} MiB"),
            ("journal bytes a file, {} files", 300, "{:.0f}"))
    if not part:
        for what, most, shown in rows:
            table.at_most(what.format("1,000,000"), None, most, shown)
        return
    walks = part["walks"]

    def of_find(key):
        return median(ratios(walks[key], walks["find"], wall))

    values = (of_find("walk"), of_find("journal"),
              max(run["rss_mib"] for run in walks["journal"] + walks["plan"]),
              part["resume"]["first_request_s"], part["upload"]["rss_mib"],
              part["upload"]["journal_bytes_per_file"])
    for (what, most, shown), value in zip(rows, values):
        table.at_most(what.format(f"{part['files']:,}"), value, most, shown)


CALLS = (("open", 1), ("stat", 1), ("read", 1), ("close", 1), ("send", 6), ("recv", 3),
         ("poll", 4))


def _single(table):
    part = table.parts.get("rss-w4")
    table.at_most("peak RSS, whole W4 run", part and part["rss_mib"], 64, "{:.0f} MiB")
    part = table.parts.get("mime")
    table.at_most("MIME typing of files with known extensions",
                  part and part["us_per_file"], 6, "{:.2f} us")
    part = table.parts.get("syscalls")
    for kind, most in CALLS:
        # Of 2,000 files, a handful of calls more or less is no call a file.
        table.at_most(f"system calls a 16 KiB file: {kind}",
                      part and round(part["per_file"].get(kind, 0), 2), most)
    runs = table.runs("W1", "pxload")
    table.at_most("journal bytes a file, W1",
                  runs and median([run["journal_bytes"] / run["files"] for run in runs]), 300,
                  "{:.0f}")
    part = table.parts.get("tail")
    table.at_most("W4 over 100 MB/s: wall / max(bytes / bandwidth, longest file)",
                  part and part["wall_s"] / part["bound_s"], 1.05, "{:.3f}")


def _paths(table):
    part = table.parts.get("auto")
    what = "--transfers auto / best fixed number, {}"
    if part:
        for name, found in part["paths"].items():
            table.at_least(what.format(f"{name}: MB/s ({found['best_fixed']})"), found["ratio"],
                           0.95)
    else:
        table.at_least(what.format("1 Gbit/s, 50 ms: MB/s"), None, 0.95)
    part = table.parts.get("eta")
    what = "ETA at 10, 50 and 90 %, run that ends by {}: off by"
    if not part:
        table.missing(what.format("bytes, requests, longest file"), "<= 10 %")
        return
    for name, case in part["cases"].items():
        off = [moment["off_percent"] for moment in case["moments"]]
        shown = ", ".join("unknown" if o is None else f"{o:+.1f}" for o in off) + " %"
        table.add(what.format(name), "<= 10 %", shown,
                  all(o is not None and abs(o) <= 10 for o in off))


def table_of(results):
    """All rows, in the order of the targets."""
    table = Table(results["parts"])
    cores = results["machine"]["cores"]
    _budget(table, table.parts.get("budget"))
    _w1(table)
    for part in ("W2", "W3"):
        _large(table, part, cores)
    table.at_least("W3 over TLS, ETag check off: MB/s / PUT floor's over TLS",
                   table.ratio("W3-tls", "pxload-off", "put-floor", bytes_s), 0.9)
    table.at_least("W3 over TLS, ETag check on: MB/s / PUT floor's over TLS",
                   table.ratio("W3-tls", "pxload", "put-floor", bytes_s), 0.9)
    _million(table, table.parts.get("million"))
    _single(table)
    _paths(table)
    return table.rows


def lines_of(results):
    """(label, files/s, MB/s, CPU us a file, CPU s a GiB, RSS MiB, wall / pxload's) a contender."""
    import contenders
    out = {}
    for part, data in results["parts"].items():
        if "runs" not in data:
            continue
        rows = []
        ours = data["runs"].get("pxload")
        for key, runs in data["runs"].items():
            relative = median(ratios(ours, runs, files_s)) if ours and key != "md5" else None
            rows.append({"key": key, "label": contenders.ALL[key].label,
                         "files": runs[0]["files"],
                         "files_s": median([files_s(run) for run in runs]),
                         "mb_s": median([bytes_s(run) / 1e6 for run in runs]),
                         "cpu_us": median([cpu_file(run) * 1e6 for run in runs]),
                         "cpu_gib": median([cpu_byte(run) * GIB for run in runs]),
                         "rss_mib": median([run["rss_mib"] for run in runs]),
                         "lead": relative,
                         "rates": sorted(files_s(run) for run in runs)})
        out[part] = rows
    return out
