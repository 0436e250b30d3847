#!/usr/bin/env python3
"""Line coverage out of gcov's counts: by folder and file of src, and the lines that never ran.

Called by scripts/coverage. A file that is linked into several programs is counted once: a line
ran where any of them ran it.
"""
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read_counts(note):
    """{file: {line: runs}} of one object file."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", str(note)], check=True,
                          capture_output=True, cwd=note.parent)
    counts = collections.defaultdict(dict)
    for text in done.stdout.splitlines():
        unit = json.loads(text)
        for file in unit["files"]:
            path = pathlib.Path(unit["current_working_directory"], file["file"]).resolve()
            name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
            if name.startswith("src/"):
                for line in file["lines"]:
                    number = line["line_number"]
                    counts[name][number] = counts[name].get(number, 0) + line["count"]
    return counts


def collect(build):
    """{file: {line: runs}} of all."""
    notes = [path for path in build.rglob("*.gcno") if "/src/" in str(path)]
    total = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for counts in pool.map(read_counts, notes):
            for name, lines in counts.items():
                total[name].update(lines)
    return total


def row(name, lines):
    ran = sum(runs > 0 for runs in lines)
    return f"{100 * ran / len(lines):6.1f} %  {ran:6} of {len(lines):6}  {name}"


def ranges(numbers):
    """"3-5 9" of [3, 4, 5, 9]."""
    spans = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def main():
    build, wanted = ROOT / sys.argv[1], sys.argv[2:]
    total = collect(build)
    if not total:
        sys.exit("coverage: no counts; has scripts/test --preset coverage run?")
    folders = collections.defaultdict(list)
    for name, lines in total.items():
        folders[name.split("/")[1]] += lines.values()
    for name, lines in sorted(total.items(), key=lambda item: (item[0].split("/")[1], item[0])):
        print(row(name, lines.values()))
    print()
    for folder, lines in sorted(folders.items()):
        print(row(f"src/{folder}", lines))
    ours = [runs for folder, lines in folders.items() if folder != "sim" for runs in lines]
    print(row("pxload: src without sim", ours))
    print(row("src", [runs for lines in folders.values() for runs in lines]))
    for name, lines in sorted(total.items()):
        if any(re.search(pattern, name) for pattern in wanted):
            print(f"\n{name}: never ran: "
                  f"{ranges(sorted(number for number, runs in lines.items() if not runs))}")


if __name__ == "__main__":
    main()
