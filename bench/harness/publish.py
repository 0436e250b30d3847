"""Results as tables and plots: what bench/README.md shows is made here, from results.json."""
import subprocess
import tempfile

import place
import verdicts

BEGIN, END = "<!-- results: made by scripts/bench -->", "<!-- end of results -->"


def _verdict(met):
    return "" if met is None else "met" if met else "**missed**"


def reach_table(results):
    lines = ["| what | target | measured | |", "|---|---|---|---|"]
    for what, target, measured, met in verdicts.table_of(results):
        lines.append(f"| {what} | {target} | {measured} | {_verdict(met)} |")
    return lines


def contender_tables(results):
    lines = []
    for part, rows in verdicts.lines_of(results).items():
        data = results["parts"][part]
        lines += ["", f"### {part}: {data['title']}", ""]
        if any(row["files"] < 100 for row in rows):
            lines += ["| | MB/s | client CPU, s/GiB | peak RSS, MiB | pxload is faster by |",
                      "|---|---|---|---|---|"]
        else:
            lines += ["| | files/s | MB/s | client CPU, us a file | peak RSS, MiB | "
                      "pxload is faster by |", "|---|---|---|---|---|---|"]
        for row in rows:
            some = "" if row["files"] == data["files"] else f" ({row['files']:,} files)"
            cells = [row["label"] + some]
            if row["files"] < 100 or any(r["files"] < 100 for r in rows):
                cells += [f"{row['mb_s']:,.0f}", f"{row['cpu_gib']:.2f}"]
            else:
                cells += [f"{row['files_s']:,.0f}", f"{row['mb_s']:,.0f}", f"{row['cpu_us']:,.0f}"]
            cells.append(f"{row['rss_mib']:.0f}")
            cells.append("" if row["lead"] is None or row["key"] == "pxload"
                         else f"{row['lead']:.2f}x")
            lines.append("| " + " | ".join(cells) + " |")
        for key, why in data["failed"].items():
            lines.append(f"\n{key} failed: `{why.splitlines()[0][:160]}`")
    return lines


def markdown(results):
    machine = results["machine"]
    lines = [BEGIN, "", f"{machine['cpu']}, {machine['cores']} cores, "
             f"{machine['memory_gib']:.0f} GiB, Linux {machine['kernel']}; pxload "
             f"{machine['commit']}; {machine['curl']}, {machine['rclone']}, "
             f"{machine['awscli'].split(' Python')[0]}, {machine['s3cmd']}.", "",
             "### Targets", ""]
    lines += reach_table(results) + contender_tables(results)
    plots = sorted(place.PLOTS.glob("*.svg"))
    if plots:
        lines += ["", "### Plots", ""] + [f"![{plot.stem}](plots/{plot.name})" for plot in plots]
    return "\n".join(lines + ["", END])


def write_readme(results):
    text = place.README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    place.README.write_text(before + markdown(results) + after)


# ---- plots ---------------------------------------------------------------------------------------

HEAD = """set terminal svg size 900,420 font 'sans,12' background '#ffffff'
set output '{out}'
set title '{title}' noenhanced
set grid x lc rgb '#dddddd'
set border 3
set tics nomirror
"""

BARS = """set xrange [0:*]
set yrange [{high}:-0.6]
unset key
set bars 0.6
set ylabel ''
set xlabel '{unit}'
set style fill solid 0.8 noborder
set lmargin 34
plot '{data}' using (0):0:(0):2:($0-0.35):($0+0.35):5:ytic(1) with boxxyerror lc rgb variable, \\
     '' using 2:0:3:4 with xerrorbars pt 0 lc rgb '#222222'
"""


def _gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def _colour(key):
    if key.startswith("pxload"):
        return 0x1F77B4
    return 0x999999 if key.startswith(("put-", "three-")) else 0xD9822B


def plot_contenders(results):
    """A bar a contender: median, and a line from the slowest to the fastest round."""
    for part, rows in verdicts.lines_of(results).items():
        rows = [row for row in rows if row["key"] != "md5"]
        large = any(row["files"] < 100 for row in rows)
        with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
            for row in rows:
                scale = row["mb_s"] / row["files_s"] if large else 1
                low, high = row["rates"][0] * scale, row["rates"][-1] * scale
                data.write(f'"{row["label"]}" {row["files_s"] * scale} {low} {high} '
                           f'{_colour(row["key"])}\n')
            data.flush()
            title = f"{part}: {results['parts'][part]['title']}"
            _gnuplot(HEAD.format(out=place.PLOTS / f"{part}.svg", title=title) +
                     BARS.format(data=data.name, high=len(rows) - 0.4,
                                 unit="MB/s" if large else "files/s"))


def plot_memory(results):
    """RSS over time of the long runs."""
    series = {"rss-w4": results["parts"].get("rss-w4"),
              "million": results["parts"].get("million", {}).get("upload")}
    for name, part in series.items():
        if not part or len(part["rss_over_time"]) < 5:
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
            data.writelines(f"{at} {mib}\n" for at, mib in part["rss_over_time"])
            data.flush()
            title = f"Resident memory, {part['files']:,} files"
            _gnuplot(HEAD.format(out=place.PLOTS / f"memory-{name}.svg", title=title) +
                     f"set yrange [0:70]\nset xlabel 's'\nset ylabel 'MiB'\n"
                     f"plot '{data.name}' with lines lw 2 lc rgb '#1f77b4' notitle, "
                     f"64 with lines dt 2 lc rgb '#d62728' title 'limit'\n")


def publish(results):
    place.PLOTS.mkdir(exist_ok=True)
    plot_contenders(results)
    plot_memory(results)
    write_readme(results)


def plain(results):
    """For the terminal."""
    lines = []
    for part, rows in verdicts.lines_of(results).items():
        lines.append(f"\n{part}: {results['parts'][part]['title']}")
        for row in rows:
            lines.append(f"  {row['label']:36} {row['files_s']:9,.1f} files/s {row['mb_s']:8,.1f} "
                         f"MB/s {row['cpu_us']:12,.0f} us/file {row['cpu_gib']:8.2f} s/GiB "
                         f"{row['rss_mib']:5.0f} MiB")
    lines.append("")
    for what, target, measured, met in verdicts.table_of(results):
        word = "-" if met is None else "met" if met else "MISSED"
        lines.append(f"  {word:7} {what:76} {target:>12}   {measured}")
    return "\n".join(lines)


