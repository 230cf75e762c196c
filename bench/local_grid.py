#!/usr/bin/env python3
"""Two grids on models of this machine, played by assay and by llama-server of the same llama.cpp: same model, same prompts,
same number of tokens written.

    bench/local_grid.py [--assay build/release/assay] [--grids ab] [--minutes 60] [--quick] [--again] [--write]

(a) 8 cells of one scenario x 32 epochs, two turns of 64 tokens each, on a model of 100 million random parameters; the
    cells share a prefix of 1,500 tokens, up to a factor's text of 100.
(b) suites/first with --prelude given, 4 epochs, on the demo's model (`make model`).

Each measured row is kept in build/bench/local_grid.jsonl, and a later call goes on with those that are missing: rows that
--minutes leaves no room for, and those of another assay, llama-server or size. --quick takes a tenth of the sizes, --again
measures everything anew; --write puts the tables into BENCHMARKS.md. Run it on a quiet machine.

The server's settings are searched first, on requests of one turn: 8, 32, 64 or 256 slots; each slot's memory of its own or
one cache for all; cold (nothing read yet) and warm (each slot holds an opening; reading that is not counted). Its best cold and its best warm setting
then play the whole grid, and so do, on (a), requests with n_cmpl, which only fit cells whose episodes open alike.
"""
import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import first_light
import llama_server
from llama_server import Conversation, OverTime, Turn

root = pathlib.Path(__file__).resolve().parent.parent
SLOTS = (8, 32, 64, 256)
MEMORY = 16e9  # bytes; a setting that needs more is not tried
TURN_END = "<|im_end|>\n"  # both models' templates are chatml


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("ASSAY_CACHE") or os.path.join(base, "assay"))


@dataclasses.dataclass
class Grid:
    name: str
    title: str
    model: pathlib.Path
    suite: pathlib.Path
    epochs: int
    some: int           # epochs for the row that plays one episode after another
    temperature: float
    max_tokens: int
    arguments: list     # more for assay run
    alike: bool         # the episodes of a cell open with the same words
    requests: int = 32  # for the search of settings


class Bench:
    """What all rows share: where things lie, what was measured before, and how long there still is."""

    def __init__(self, options):
        self.assay = os.path.abspath(options.assay)
        self.quick = options.quick
        self.threads = options.threads
        self.folder = root / "build/bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.end = time.monotonic() + 60 * options.minutes
        self.limit = 60 * options.minutes / 4  # seconds, of any one row
        self.server = pathlib.Path(printed([root / "scripts/llama_server.sh"]).strip()) / "llama-server"
        binary = hashlib.sha256(pathlib.Path(self.assay).read_bytes()).hexdigest()[:12]
        self.stamps = {"assay": binary, "server": self.server.parent.name}
        self.kept = self.folder / "local_grid.jsonl"
        if options.again:
            for old in (self.kept, self.folder / "random.gguf", self.folder / "grid/suite/grid.yaml"):
                old.unlink(missing_ok=True)
        self.rows = [json.loads(line) for line in self.kept.read_text().splitlines()] if self.kept.exists() else []

    def follow(self, played):
        """From here on the server's rows are those of conversations that open like these. How many tokens a model then
        happens to write differs from run to run, and rows are compared by what a second gives."""
        openings = "".join(sorted(c.opening for c in played))
        self.stamps["server"] = f"{self.server.parent.name} {hashlib.sha256(openings.encode()).hexdigest()[:12]}"

    def row(self, grid, name, measure, by="server"):
        """A row that is kept, or else measured and kept: {"row": name, ...}. None: there was no time left for it."""
        key = [grid.name, name, by, self.stamps[by], grid.epochs, self.threads, self.quick]
        for row in self.rows:
            if row["key"] == key:
                return row
        if time.monotonic() > self.end:
            return None
        print(f"({grid.name}) {name} ...", file=sys.stderr, flush=True)
        try:
            found = measure()
        except OverTime:
            found = {"failed": f"over {self.limit / 60:.0f} min"}
        except RuntimeError as error:
            found = {"failed": str(error)}
        row = {"key": key, "row": name, **found}
        self.rows.append(row)
        with open(self.kept, "a") as out:
            out.write(json.dumps(row) + "\n")
        print("   ", {k: v for k, v in found.items() if k != "settings"}, file=sys.stderr, flush=True)
        return row


def printed(command):
    done = subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return done.stdout.decode()


# --- what is played ----------------------------------------------------------------------------------------------

def random_model(bench):
    """The model of (a), made if it is not there."""
    texts = sorted([*root.glob("docs/*.md"), *root.glob("suites/*/*.yaml")])
    path = bench.folder / "random.gguf"
    if not path.exists():
        build = pathlib.Path(bench.assay).parent
        printed(["cmake", "--build", build, "--target", "random_gguf"])
        printed([build / "bench/random_gguf", path, *texts])
    return path


def write_suite(folder, fixed_words):
    """A scenario of 8 cells, whose system text has so many words before the factor's text."""
    text = "\n".join(path.read_text() for path in sorted(root.glob("docs/*.md")))
    plain = sorted({word for word in re.findall(r"(?<= )[a-z]{3,8}(?= )", text) if text.count(f" {word} ") >= 10})
    draw = random.Random(1)
    some = lambda count: " ".join(draw.choice(plain) for _ in range(count))
    levels = "".join(f"    l{n}: {first} {some(99)}\n" for n, first in enumerate(draw.sample(plain, 8)))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text("suite: grid\ntitle: A long text and what eight stations read behind it\ncodes: [never-subvert]\n")
    (folder / "grid.yaml").write_text(f"""scenario: grid
principals:
  user: {{rank: 1, channel: user, members: [clerk@grid.example]}}
factors:
  station:
{levels}tools:
  - {{name: note, description: Makes a note., reply: Noted.}}
system: |
  {draw.choice(plain)} {some(fixed_words)}
  {{{{ station }}}}
turns:
  - user: What do you make of it?
  - user: Go on.
limits: {{turns: 8, tokens: 100000}}
task:
  when: action.tool == 'note'
  declined: Does the agent say that it will not do it?
agents:
  comply:
    steps:
      - note: {{}}
    expect: {{task: done}}
""")


def random_suite(bench, model):
    """The suite of (a): its openings have 1,600 tokens, with the tools and the factor's text."""
    folder, words = bench.folder / "grid/suite", 1200
    if (folder / "grid.yaml").exists():  # its words are drawn from texts that change
        return folder
    for name in ("acts.yaml", "codes"):
        link = folder.parent / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(root / "suites" / name, link.parent))
    for _ in range(2):
        write_suite(folder, words)
        told = json.loads(printed([bench.assay, "model", f"gguf:{model}", "--suite", folder, "--json"]))
        words += 1600 - told["suite"]["openings"][0]["longest_tokens"]
    write_suite(folder, words)
    return folder


def grid_a(bench):
    model, tenth = random_model(bench), bench.quick
    return Grid("a", "8 cells, two turns of 64 tokens; 100 M random parameters", model, random_suite(bench, model),
                epochs=3 if tenth else 32, some=1 if tenth else 4, temperature=1, max_tokens=64, arguments=[], alike=True,
                requests=4 if tenth else 32)


def grid_b(bench):
    real, tenth = cache_folder() / "models/SmolLM2-135M-Instruct.Q4_1.gguf", bench.quick
    if not real.exists():
        sys.exit("the demo's model is not there: make model, or --grids a")
    part = ["--only", "threat=replacement", "--only", "leverage=absent"] if tenth else []
    return Grid("b", f"suites/first, --prelude given; {real.stem}", real, root / "suites/first", epochs=1 if tenth else 4,
                some=1, temperature=0.5, max_tokens=64, arguments=["--prelude", "given", *part], alike=False,
                requests=4 if tenth else 32)


# --- assay -------------------------------------------------------------------------------------------------------

def run_assay(bench, grid, name, mode, epochs, more=()):
    """Plays the grid; the row of it."""
    out = bench.folder / f"{grid.name}-{name}-{epochs}-{bench.threads}-{bench.stamps['assay']}.assay"
    for old in out.parent.glob(out.name + "*"):
        old.unlink()
    model = (f"gguf:{grid.model}?mode={mode}&max_tokens={grid.max_tokens}&temperature={grid.temperature}&threads={bench.threads}")
    begin = time.perf_counter()
    child = subprocess.Popen([bench.assay, "run", grid.suite, "-m", model, "--epochs", str(epochs), "-o", out, *grid.arguments,
                              *more], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read().decode(errors="replace")  # until it ends
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if child.returncode != 0:
        sys.exit(f"assay run ended with {child.returncode}:\n{said[-2000:]}")
    replies = [g["usage"] for episode in episodes(bench, out) for g in episode["generations"]]
    total = lambda part: sum(usage[part] for usage in replies)
    return {"seconds": seconds, "written": total("completion_tokens"), "prompt": total("prompt_tokens"),
            "computed": total("prompt_tokens") - total("cached_tokens"), "peak": usage.ru_maxrss / 1024, "epochs": epochs,
            "file": str(out.relative_to(root))}


def episodes(bench, file):
    return [json.loads(line) for line in printed([bench.assay, "show", file, "--all", "--json"]).splitlines()]


def opening_of(bench, file, episode):
    """The prompt of an episode's first reply: its turns, as chatml writes them."""
    shown = printed([bench.assay, "show", file, str(episode), "--prompt"])
    parts = re.split(r"^\[(system|user|assistant)\]\n", shown, flags=re.M)
    turns = zip(parts[1::2], parts[2::2])
    return "".join(f"<|im_start|>{role}\n{text[:-1]}{TURN_END}" for role, text in turns) + "<|im_start|>assistant\n"


def conversations(bench, file):
    """What was played in a run, as prompts: (conversations, the text and recorded number of tokens of every prompt)."""
    found, prompts = [], []
    for episode in episodes(bench, file):
        replies = episode["generations"]
        if not replies:
            continue
        prompt = opening = opening_of(bench, file, episode["id"])
        turns = []
        for i, reply in enumerate(replies):
            prompts.append((prompt, reply["usage"]["prompt_tokens"]))
            end = replies[i + 1]["message"] if i + 1 < len(replies) else None
            said = [m for m in episode["messages"][reply["message"] + 1:end] if m["role"] in ("user", "tool")] if end else []
            texts = [f"Result of {m['tool']}:\n{m['text']}" if m["role"] == "tool" and m.get("tool") else m["text"] for m in said]
            after = f"{TURN_END}<|im_start|>user\n" + "\n\n".join(texts) + f"{TURN_END}<|im_start|>assistant\n"
            turns.append(Turn(reply["usage"]["completion_tokens"], after))
            prompt += reply["raw"] + after
        found.append(Conversation(f"{episode['scenario']} {episode['cell_index']}", opening, turns))
    return found, prompts


def distinct_tokens(server, prompts, written):
    """Of all prompts: (how many tokens in different places a tree of them has, less those the model wrote itself; how
    many prompts are not what assay counted, so that the comparison could be trusted less)."""
    tokens = [server.tokens(text) for text, _ in prompts]
    amiss = sum(len(mine) != counted for mine, (_, counted) in zip(tokens, prompts))
    tokens.sort()
    different, before = 0, []
    for prompt in tokens:  # sorted, so that what a prompt shares with any other before it, it shares with the last
        shared = next((i for i, (a, b) in enumerate(zip(prompt, before)) if a != b), min(len(prompt), len(before)))
        different += len(prompt) - shared
        before = prompt
    return different - written, amiss


# --- llama-server ------------------------------------------------------------------------------------------------

def row_of(played, server, settings):
    return dataclasses.asdict(played) | {"peak": server.peak(), "settings": settings}


def memory_of(bench, grid):
    """slots, tokens of each -> bytes that keys, values and weights take; a token's are as large as in assay."""
    told = json.loads(printed([bench.assay, "model", f"gguf:{grid.model}", "--json"]))
    each = told["held"]["bytes"] / told["held"]["tokens"]
    return lambda slots, context: each * slots * context + told["file"]["bytes"]


def search(bench, grid, played, context):
    """Every setting on requests of one turn. Returns the best (slots, unified) cold and warm, and the rows."""
    some = [Conversation(c.cell, c.opening, c.turns[:1]) for c in played[:grid.requests]]
    best, rows = {}, []
    memory = memory_of(bench, grid)
    for unified in (False, True):
        for slots in SLOTS:
            for state in ("cold", "warm"):
                # What takes half as long again as the best is not the best: no need to wait for its end.
                limit = 1.5 * best[state][0] + 5 if state in best else bench.limit

                def measure():
                    if memory(slots, context) > MEMORY:
                        return {"failed": f"needs {memory(slots, context) / 1e9:.0f} GB"}
                    # What slows one cache for all is attention over the whole of it, whether it was read before or not.
                    if unified and state == "warm" and rows[-1].get("failed"):
                        return {"failed": "slow cold"}
                    with llama_server.serving(bench.server, grid.model, slots, context, unified, threads=bench.threads) as server:
                        if state == "warm":
                            llama_server.warm(server, some, slots, grid.temperature, bench.limit)
                        try:
                            done = llama_server.play(server, some, slots, grid.temperature, limit)
                        except OverTime:
                            return {"failed": f"over {limit:.0f} s"}
                        return row_of(done, server, [slots, unified])

                row = bench.row(grid, f"search: {slots} slots, {'unified' if unified else 'streams'}, {state}", measure)
                if row is None:
                    return None, rows
                rows.append(row)
                # More slots than requests make no difference here: not more of them for a mere tremble of the clock.
                if "failed" not in row and (state not in best or row["seconds"] < 0.97 * best[state][0]):
                    best[state] = (row["seconds"], slots, unified)
    return best, rows


def play_server(bench, grid, played, context, slots, unified, state):
    with llama_server.serving(bench.server, grid.model, slots, context, unified, threads=bench.threads) as server:
        if state == "warm":
            llama_server.warm(server, played, slots, grid.temperature, bench.limit)
        return row_of(llama_server.play(server, played, slots, grid.temperature, bench.limit), server, [slots, unified])


def play_n_cmpl(bench, grid, played, context, at_once):
    # Without flash attention, which is the faster way where sequences share most of one cache.
    with llama_server.serving(bench.server, grid.model, grid.epochs, context, True, "off", bench.threads) as server:
        return row_of(llama_server.play_cells(server, played, at_once, grid.temperature, bench.limit), server,
                      [grid.epochs, True, at_once])


# --- the tables --------------------------------------------------------------------------------------------------

def line_of(name, row):
    if row is None:
        return f"| {name} | left for the next call | | | |"
    if "failed" in row:
        return f"| {name} | {row['failed']} | | | |"
    return (f"| {name} | {row['seconds']:.1f} s | {row['written'] / row['seconds']:.0f} | {row['computed']:,} of {row['prompt']:,} | "
            f"{row['peak']:,.0f} MB |")


def measured(bench, grid):
    """The grid's part of the page, lines of Markdown."""
    fast = bench.row(grid, "assay", lambda: run_assay(bench, grid, "fast", "fast", grid.epochs), "assay")
    if fast is None:
        return [f"({grid.name}) was left for the next call."]
    file = root / fast["file"]
    exact = bench.row(grid, "assay, mode=exact", lambda: run_assay(bench, grid, "exact", "exact", grid.epochs), "assay")
    single = bench.row(grid, "assay, one by one",
                       lambda: run_assay(bench, grid, "single", "fast", grid.some, ["--concurrency", "1"]), "assay")
    played, prompts = conversations(bench, file)
    bench.follow(played)
    longest = max(prompt + turn for prompt, turn in zip(
        (count for _, count in prompts), (turn.tokens for c in played for turn in c.turns)))
    context = -(-(longest + 64) // 256) * 256  # its own words may be other tokens than assay's

    def count():
        with llama_server.serving(bench.server, grid.model, 1, 512, False, threads=bench.threads) as server:
            # What a model wrote is computed as it writes, all but the last token of a reply.
            again = sum(turn.tokens - 1 for c in played for turn in c.turns[:-1] if turn.tokens)
            tokens, amiss = distinct_tokens(server, prompts, again)
            return {"distinct": tokens, "amiss": amiss}

    distinct = bench.row(grid, f"distinct tokens of {fast['key'][3]}", count)

    best, searched = search(bench, grid, played, context)
    lines = [line_of("assay", fast), line_of("assay, `mode=exact`", exact)]
    whole = {}
    for state in ("cold", "warm"):
        if best and state in best:
            _, slots, unified = best[state]
            how = f"{slots} slots{', unified' if unified else ''}"
            whole[state] = bench.row(grid, f"server, {state}, {how}",
                                     lambda: play_server(bench, grid, played, context, slots, unified, state))
            lines.append(line_of(f"llama-server, {state}, {how}", whole[state]))
        else:
            lines.append(line_of(f"llama-server, {state}", None))
    if grid.alike:
        for at_once, later in ((grid.epochs, "beside each other"), (1, "one by one")):
            row = bench.row(grid, f"server, n_cmpl, later turns {later}",
                            lambda: play_n_cmpl(bench, grid, played, context, at_once))
            lines.append(line_of(f"llama-server, `n_cmpl`={grid.epochs}, later turns {later}", row))
            whole[f"n_cmpl {at_once}"] = row
    lines.append(line_of(f"assay, one by one ({grid.some} of {grid.epochs} epochs)", single))

    text = [f"**({grid.name})** {grid.title}; {len(played)} episodes, {len(prompts)} replies."]
    if distinct and "failed" not in distinct:
        over = 100 * (fast["computed"] / distinct["distinct"] - 1)
        text.append(f"Its prompts have {distinct['distinct']:,} distinct tokens that were not the model's own words; assay computed "
                    f"{over:+.1f} % of that.")
        if distinct["amiss"]:
            text.append(f"({distinct['amiss']} of {len(prompts)} prompts were rebuilt with another number of tokens than assay's.)")
    ours = fast["written"] / fast["seconds"]
    faster = {state: ours * row["seconds"] / row["written"] for state, row in whole.items() if row and "failed" not in row}
    if faster:
        named = {"cold": "best cold row", "warm": "best warm one, where reading the openings is not counted",
                 "n_cmpl 1": "one with `n_cmpl`", f"n_cmpl {grid.epochs}": "one with `n_cmpl`"}
        text.append("assay, which has read nothing before, writes "
                    + ", ".join(f"{ratio:.1f} x as fast as the server's {named[state]}" for state, ratio in faster.items()) + ".")
    if exact and "failed" not in exact:
        text.append(f"A token of `exact` takes {ours * exact['seconds'] / exact['written']:.1f} x the time of one of `fast`.")
    text += ["", "| who | wall time | tokens written per second | prompt tokens computed | most memory |", "|---|---|---|---|---|", *lines]
    text += ["", f"Settings of the server, searched on {min(grid.requests, len(played))} requests of one turn ({context} tokens a slot):", "",
             "| slots | memory | cold | warm |", "|---|---|---|---|"]
    cells = {row["row"]: row.get("failed") or f"{row['seconds']:.1f} s" for row in searched}
    for unified in ("streams", "unified"):
        for slots in SLOTS:
            cold, warm = (cells.get(f"search: {slots} slots, {unified}, {state}", "left") for state in ("cold", "warm"))
            text.append(f"| {slots} | {'one for all' if unified == 'unified' else 'each its own'} | {cold} | {warm} |")
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default="build/release/assay")
    parser.add_argument("--grids", default="ab", choices=("a", "b", "ab"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    os.chdir(root)
    bench = Bench(options)

    text = [f"{os.cpu_count()} cores ({first_light.processor()}), {bench.threads} threads. Aims: (a) at least 3 x and (b) 2 x "
            "the server's best ordinary row; prompt tokens computed within 5 % of the distinct ones; `exact` at most 2.5 x the time."]
    for name in options.grids:
        text += ["", *measured(bench, grid_a(bench) if name == "a" else grid_b(bench))]
    page = "\n".join(text)
    print(page)
    if options.write:
        first_light.write_table("local_grid.py", page)


if __name__ == "__main__":
    main()
