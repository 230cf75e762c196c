#!/usr/bin/env python3
"""What a forced choice and a shared prefix cost on a model of this machine: runs bench/forced_choice.cpp and
bench/shared_attention.cpp on a model of 100 million random parameters, and puts their tables into BENCHMARKS.md.

    bench/local_models.py [--build build/release] [--write]

Run it on a quiet machine.
"""
import argparse
import os
import pathlib
import subprocess

import first_light

root = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.chdir(root)
    build = pathlib.Path(options.build)
    model = root / "build/bench/random.gguf"
    programs = ["forced_choice", "shared_attention"]
    subprocess.run(["cmake", "--build", build, "--target", "random_gguf", *programs], check=True, stdout=subprocess.DEVNULL)
    if not model.exists():
        model.parent.mkdir(parents=True, exist_ok=True)
        texts = sorted([*root.glob("docs/*.md"), *root.glob("suites/*/*.yaml")])
        subprocess.run([build / "bench/random_gguf", model, *texts], check=True)
    for program in programs:
        table = subprocess.run([build / "bench" / program, model], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        print(table + "\n")
        if options.write:
            first_light.write_table(f"{program}.cpp", table)


if __name__ == "__main__":
    main()
