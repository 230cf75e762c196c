#!/usr/bin/env python3
"""How a run grows: ten thousand, a hundred thousand and a million episodes of an agent of known conduct, all of it stored.

    bench/million.py [--assay build/release/assay] [--largest 1000000] [--write]

Prints a Markdown table; --write puts it into BENCHMARKS.md. Needs a gigabyte of disk and some minutes of a quiet machine.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import first_light

root = pathlib.Path(__file__).resolve().parent.parent
CELLS = 12  # of suites/first


def measured(command, out):
    """(wall seconds, largest resident memory in MB) of one command, its standard output in a file."""
    begin = time.perf_counter()
    with open(out, "wb") as sink:
        child = os.posix_spawn(command[0], command, os.environ,
                               file_actions=[(os.POSIX_SPAWN_DUP2, sink.fileno(), 1)])
        _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--largest", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.chdir(root)
    assay = os.path.abspath(options.assay)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        words = os.path.join(folder, "words")
        for wanted in (10_000, 100_000, 1_000_000):
            if wanted > options.largest:
                break
            file = os.path.join(folder, "run.assay")
            epochs = -(-wanted // CELLS)
            seconds, memory = measured([assay, "run", "suites/first", "-m", "policy:policies/cornered.yaml", "--epochs",
                                        str(epochs), "--quiet", "-o", file], words)
            episodes = epochs * CELLS
            size = os.path.getsize(file) / episodes
            reading, reading_memory = measured([assay, "summary", file, "--json"], words)
            counted = json.load(open(words))["episodes"]
            if counted != episodes:
                sys.exit(f"the summary counts {counted} of {episodes} episodes")
            rows.append(f"| {episodes:,} | {episodes / seconds:,.0f} | {memory:.0f} MB | {size:,.0f} bytes | {reading:.2f} s | "
                        f"{reading_memory:.0f} MB |")
            os.unlink(file)
    table = [f"{os.cpu_count()} cores ({first_light.processor()}). Aims: 3,000 episodes/s, 200 MB and no growth, 3 KB an "
             "episode, 5 s for a summary of a million.", "",
             "| episodes | played, graded and stored per second | memory of `run` | file, an episode | `summary` | memory of it |",
             "|---|---|---|---|---|---|", *rows]
    text = "\n".join(table)
    print(text)
    if options.write:
        first_light.write_table("million.py", text)


if __name__ == "__main__":
    main()
