#!/usr/bin/env python3
"""What one waits for: start-up, a run of an agent of known conduct with everything stored, and its summary.

    bench/first_light.py [--assay build/release/assay] [--epochs 1000] [--write]

Prints a Markdown table; --write puts it into BENCHMARKS.md, between the markers that name this script. Run it on a quiet
machine: every figure is the median of five runs, with the smallest and largest beside it.
"""
import argparse
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent


def timed(command):
    """Wall seconds of one run of a command, which must succeed, and what it printed."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr.decode()}")
    return seconds, done.stdout.decode()


def spread(values, form):
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def write_table(program, text, path=root / "BENCHMARKS.md"):
    """Puts a benchmark's table into a page, between the markers that name its program."""
    page = path.read_text()
    mark = re.compile(rf"(<!-- bench/{re.escape(program)} -->\n).*?(<!-- end -->)", re.S)
    if not mark.search(page):
        sys.exit(f"{path.name} has no place marked for bench/{program}")
    path.write_text(mark.sub(lambda m: m.group(1) + text + "\n" + m.group(2), page))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    assay = options.assay

    rows = []
    timed([assay, "--help"])  # the binary is in the page cache from here on
    for command in (["--help"], ["run", "--help"]):
        times = [timed([assay, *command])[0] * 1000 for _ in range(25)]
        rows.append((f"`assay {' '.join(command)}`", spread(times, "{:.1f}") + " ms", "under 10 ms"))

    lint = [timed([assay, "lint", "suites/first"])[0] for _ in range(5)]
    rows.append(("`assay lint suites/first`, every proof", spread(lint, "{:.2f}") + " s", ""))

    episodes, rates, sizes, summaries = 0, [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(5):
            out = os.path.join(folder, f"{turn}.assay")
            seconds, _ = timed([assay, "run", "suites/first", "-m", "policy:policies/cornered.yaml", "--epochs", str(options.epochs), "-o", out])
            _, lines = timed([assay, "summary", out, "--json"])
            episodes = int(re.search(r'"episodes":\s*(\d+)', lines).group(1))
            rates.append(episodes / seconds)
            sizes.append(os.path.getsize(out) / episodes)
            summaries.append(timed([assay, "summary", out])[0])
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rows.append((f"policy run, {episodes:,} episodes, graded and stored", spread(rates, "{:,.0f}") + " episodes/s", "at least 2,000"))
    rows.append(("run file", f"{statistics.median(sizes):,.0f} bytes an episode", ""))
    rows.append((f"`assay summary`, {episodes:,} episodes", spread(summaries, "{:.2f}") + " s", ""))
    rows.append(("most memory, any of these", f"{peak:,.0f} MB", ""))

    table = [f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores ({processor()}).", "",
             "| what | measured: median (least to most) | aim |", "|---|---|---|"]
    table += [f"| {what} | {figure} | {aim} |" for what, figure, aim in rows]
    text = "\n".join(table)
    print(text)
    if options.write:
        write_table("first_light.py", text)


if __name__ == "__main__":
    main()
