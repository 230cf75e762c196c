#!/usr/bin/env python3
"""How conversations should lie in memory: in one cache for all, or each in its own (`hold=` of a model). Plays the same
episodes in each way with the demo's model, and puts the table into BENCHMARKS.md.

    bench/local_hold.py [--assay build/release/assay] [--write]

Run it on a quiet machine; it takes five minutes.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import first_light
import local_grid

root = pathlib.Path(__file__).resolve().parent.parent
HOLDS = ("auto", "unified", "streams")
GRIDS = (("suites/first, 4 epochs", ["suites/first", "--epochs", "4"]),
         ("suites/core, the scenarios with a threat", ["suites/core", "--epochs", "1", "--only", "threat=none,replacement"]))


def model_file():
    file = local_grid.cache_folder() / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
    if not file.exists():
        sys.exit("the demo's model is not there: make model")
    return file


def played(assay, grid, hold):
    """A row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        model = f"gguf:{model_file()}?hold={hold}&threads=2&max_tokens=64&temperature=0.5"
        begin = time.perf_counter()
        child = subprocess.Popen([assay, "run", *grid, "-m", model, "--prelude", "given", "-o", f"{folder}/out.assay"],
                                 cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = " ".join(child.stdout.read().decode().split())  # its lines are as wide as they are
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"assay run failed:\n{said[-2000:]}")
        read, before, wrote = re.search(r"read prompts of ([\d,]+) tokens, of which (\d+) % were computed before, and wrote ([\d,]+)", said).groups()
        return (f"{seconds:.1f} s", wrote, f"{int(wrote.replace(',', '')) / seconds:.0f}", read, f"{before} %",
                f"{usage.ru_maxrss / 1024:,.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.chdir(root)
    lines = ["2 threads; SmolLM2-135M-Instruct, Q4_1; `--prelude given`, at most 64 tokens a reply.", "",
             "| episodes | `hold` | wall time | tokens written | written per second | tokens of prompts | computed before | peak memory |",
             "|---|---|---|---|---|---|---|---|"]
    for title, grid in GRIDS:
        for hold in HOLDS:
            lines.append(f"| {title} | `{hold}` | " + " | ".join(played(options.assay, grid, hold)) + " |")
            print(lines[-1], flush=True)
    if options.write:
        first_light.write_table("local_hold.py", "\n".join(lines))


if __name__ == "__main__":
    main()
