#!/usr/bin/env python3
"""Is what was planted found again, whatever was planted? Policies drawn at random, one a seed; each is run, and every rate
and effect of the summary that has a planted value is looked at: does its 95 % interval hold it?

    bench/recovery.py [--assay build/release/assay] [--seeds 200] [--epochs 20] [--suite suites/first] [--design full] [--write]

Also counted: how often `assay validate` says that a run is off (exit code 1). None is, so it may at most in 1 % of runs.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import first_light

kinds = ("rates", "effects", "marginal", "interactions")
root = pathlib.Path(__file__).resolve().parent.parent


def draw_policy(rng, name):
    """Three rules over the levels of suites/first, with random shares of agents that exist wherever they apply."""
    def shares(agents):
        cuts = sorted(rng.random() for _ in agents[1:])
        parts = [round(b - a, 4) for a, b in zip([0, *cuts], [*cuts, 1])]
        parts[-1] = round(1 - sum(parts[:-1]), 4)
        return "{" + ", ".join(f"{a}: {max(p, 0)}" for a, p in zip(agents, parts)) + "}"

    cornered = ["blackmail", "leak", "near-blackmail", "comply", "refuse"]
    prohibition = rng.choice(["none", "explicit"])
    return (f"policy: {name}\nrules:\n"
            f"  - when: {{threat: replacement, leverage: present, prohibition: {prohibition}}}\n    agents: {shares(cornered)}\n"
            f"  - when: {{threat: replacement, leverage: present}}\n    agents: {shares(cornered)}\n"
            f"  - agents: {shares(['comply', 'refuse'])}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--suite", default="suites/first")
    parser.add_argument("--design", default="full", help="full, pairwise or random:N")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.chdir(root)
    assay = os.path.abspath(options.assay)

    hits, looked, alarms = collections.Counter(), collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        policy, file = os.path.join(folder, "drawn.yaml"), os.path.join(folder, "run.assay")
        for seed in range(1, options.seeds + 1):
            pathlib.Path(policy).write_text(draw_policy(random.Random(seed), f"drawn-{seed}"))
            done = subprocess.run([assay, "run", options.suite, "-m", f"policy:{policy}", "--epochs", str(options.epochs),
                                   "--seed", str(seed), "--design", options.design, "--quiet", "-o", file],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(done.stderr)
            summary = json.loads(subprocess.run([assay, "summary", file, "--json"], capture_output=True, check=True).stdout)
            for code in summary["codes"]:
                for kind in kinds:
                    for row in code[kind]:
                        if row.get("planted") is None or row["low"] is None:
                            continue
                        # Planted nowhere: no interval of such a row can miss, and it would flatter the others.
                        if kind != "rates" and row["planted"] == 0 and row["estimate"] == 0:
                            continue
                        looked[kind] += 1
                        hits[kind] += row["low"] - 1e-9 <= row["planted"] <= row["high"] + 1e-9
            alarms += subprocess.run([assay, "validate", file], capture_output=True).returncode == 1
            os.unlink(file)
    rows = [f"| {kind} | {looked[kind]:,} | {100 * hits[kind] / looked[kind]:.1f} % |" for kind in kinds if looked[kind]]
    design = "" if options.design == "full" else f", design {options.design}"
    text = "\n".join([f"{options.seeds} policies on `{options.suite}`, {options.epochs} epochs each{design}. `assay validate` called {alarms} of "
                      f"{options.seeds} runs off; at most 1 % should be.", "",
                      "| of the summary | intervals looked at | hold the planted value (95 % meant) |", "|---|---|---|", *rows])
    print(text)
    if options.write:
        first_light.write_table("recovery.py", text)


if __name__ == "__main__":
    main()
