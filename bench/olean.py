#!/usr/bin/env python3
"""How fast .olean files are read: one of 500 MB and 2,000 of 200 KB, made by `assay olean make`, with a warm page cache. Beside it
a straightforward Python reader (olean_reader.py) and `cat`.

    bench/olean.py [--build build/release] [--quick] [--write]

Prints a Markdown table; --write puts it into BENCHMARKS.md. Run it on a quiet machine; it takes two minutes and 1 GB of disk.
--quick tries the script itself out, on small files.
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

root = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = 9


def run(command, out=subprocess.DEVNULL):
    """Wall seconds and peak memory in bytes of a command, which must succeed."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(map(str, command[:6]))} failed:\n{said.decode()[-2000:]}")
    return seconds, usage.ru_maxrss * 1024


class Measured:
    """The median of some rounds, and the spread."""

    def __init__(self, command, rounds=ROUNDS):
        results = sorted(run(command) for _ in range(rounds))
        self.seconds, self.least, self.most = results[rounds // 2][0], results[0][0], results[-1][0]
        self.memory = max(memory for _, memory in results)

    def text(self):
        return f"{self.seconds:.3f} s ({self.least:.3f} to {self.most:.3f})"


def made(assay, folder, large, small_files):
    big = folder / "Big.olean"
    run([assay, "olean", "make", "--constants", str(large), "--seed", "1", "-o", big])
    for i in range(small_files):
        run([assay, "olean", "make", "--constants", "225", "--seed", str(i), "-o", folder / "small" / f"M{i:04}.olean"])
    return big, sorted((folder / "small").iterdir())


def names_agree(build, big):
    """All three readers say the same, or their times mean nothing."""
    commands = [[build / "assay", "olean", "names", big], [build / "olean-names", big], [sys.executable, "bench/olean_reader.py", big]]
    lists = [subprocess.run(c, cwd=root, capture_output=True, check=True).stdout for c in commands]
    if len(set(lists)) != 1:
        sys.exit("the readers do not agree on the names")
    return lists[0].count(b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    build = root / options.build
    assay = build / "assay"
    with tempfile.TemporaryDirectory(prefix="assay-olean-") as name:
        folder = pathlib.Path(name)
        (folder / "small").mkdir()
        big, small = made(assay, folder, 5_500 if options.quick else 550_000, 20 if options.quick else 2_000)
        size = big.stat().st_size
        names = names_agree(build, big)
        checked = subprocess.run([assay, "olean", "check", big], capture_output=True, text=True, check=True).stdout
        objects = int(re.search(r"sound, ([\d,]+) objects", checked).group(1).replace(",", ""))

        cat = Measured(["cat", big])
        python = Measured([sys.executable, "bench/olean_reader.py", big], 3)
        rows = [("`cat`", cat, "", ""), ("Python reader", python, "", "")]
        for title, command, aim in ((f"`assay olean names`", [assay, "olean", "names", big], 5),
                                    (f"`olean-names`", [build / "olean-names", big], 5),
                                    (f"`assay olean names -k -e`", [assay, "olean", "names", "-k", "-e", big], None),
                                    (f"`assay olean check`", [assay, "olean", "check", big], 20)):
            one = Measured(command)
            per = f"{one.seconds / objects * 1e9:.1f} ns an object" if "check" in title else f"{one.seconds / names * 1e9:.0f} ns a name"
            rows.append((title, one, per, f"at most {aim} x `cat`" + (", 10 x the Python reader" if aim == 5 else "") if aim else ""))
        lines = [f"{os.cpu_count()} cores ({first_light.processor()}); medians of {ROUNDS} (least to most), page cache warm.", "",
                 f"One file of {size / 1e6:,.0f} MB with {names:,} names in {objects:,} objects:", "",
                 "| what | time | x `cat` | faster than Python | each | memory / file | aim |", "|---|---|---|---|---|---|---|"]
        for title, one, per, aim in rows:
            lines.append(f"| {title} | {one.text()} | {one.seconds / cat.seconds:.1f} | {python.seconds / one.seconds:.1f} x | {per} | "
                         f"{one.memory / size:.2f} | {aim} |")

        many = [("`cat`", ["cat", *small]), ("`assay olean names`", [assay, "olean", "names", "-q", *small]),
                ("`assay olean check -q`", [assay, "olean", "check", "-q", *small])]
        total = sum(f.stat().st_size for f in small)
        results = [(title, Measured(command, 5)) for title, command in many]
        lines += ["", f"{len(small):,} files of {total / len(small) / 1000:,.0f} KB:", "", "| what | time | x `cat` | a file |", "|---|---|---|---|"]
        for title, one in results:
            lines.append(f"| {title} | {one.text()} | {one.seconds / results[0][1].seconds:.1f} | {one.seconds / len(small) * 1e6:.0f} µs |")
    text = "\n".join(lines)
    print(text)
    if options.write:
        first_light.write_table("olean.py", text)


if __name__ == "__main__":
    main()
