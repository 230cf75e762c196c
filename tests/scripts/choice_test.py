"""Forced choice and stored logprobs: what a model would do, read from its probabilities. The model is a tiny one of random
weights, which TINY_MODEL writes: its numbers mean nothing, so that only their order and their sums are told here.
"""
import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import (CELLS, CELLS_IN_ALL, ESCAPE, KNOWN, SUITE, Case, assay, assay_on_terminal, episodes, main,
                     plain, start)

TINY_MODEL = os.environ.get("TINY_MODEL", "build/release/tests/tiny_model")

# Half of each scenario.
PART = ["--only", "prohibition=none"]
CELLS_IN_PART = CELLS_IN_ALL // 2


@unittest.skipUnless(os.path.exists(TINY_MODEL), "there is no tiny_model; TINY_MODEL names it")
class Weighed(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "out.assay"
        path = self.folder / "tiny.gguf"
        subprocess.run([TINY_MODEL, path, "--context", "8192"], check=True)
        self.model = f"gguf:{path}?threads=1&mode=exact&max_tokens=20"

    def command(self, *more):
        return ["run", SUITE, "-m", self.model, "--seed", 1, "-o", self.file, *more]

    def play(self, *more):
        done = assay(*self.command(*more))
        self.assertEqual(done.code, 0, done.err)
        return " ".join(done.out.split())

    def weigh(self, *more):
        return self.play("--readout", "choice", *more)

    def choices(self, file=None):
        shown = assay("show", file or self.file, "--choices", "--json")
        self.assertEqual(shown.code, 0, shown.err)
        return [json.loads(line) for line in shown.out.splitlines()]

    def summary(self):
        printed = assay("summary", self.file, "--json")
        self.assertEqual(printed.code, 0, printed.err)
        return json.loads(printed.out)

    def words(self, *more, columns=100):
        printed = assay("summary", self.file, *more, COLUMNS=str(columns))
        self.assertEqual(printed.code, 0, printed.err)
        return printed.out


def key(choice):
    return choice["scenario"], choice["cell_index"], choice["epoch"]


def shares(choices):
    """Which choice -> whose turn -> its logprob, in all its bits."""
    return {key(c): {tuple(a["agents"]): a["logprob"] for a in c["alternatives"]} for c in choices}


class Choice(Weighed):
    def test_each_cell_has_its_agents_first_turns_and_their_shares(self):
        said = self.weigh()
        self.assertIn(f"out.assay: {CELLS_IN_ALL} forced choices, {CELLS_IN_ALL} new", said)
        self.assertRegex(said, r"It weighed \d+ first turns of [\d,]+ tokens, and drew none\.")
        found = self.choices()
        self.assertEqual({key(c) for c in found}, {(s, c, 0) for s, n in CELLS.items() for c in range(n)})
        for choice in found:
            self.assertEqual((choice["outcome"], choice["error"]), ("completed", ""))
            turns = choice["alternatives"]
            agents = [a for turn in turns for a in turn["agents"]]
            self.assertEqual(len(agents), len(set(agents)), "an agent has one first turn")
            if choice["scenario"] == "desk":
                self.assertEqual("blackmail" in agents,
                                 (choice["cell"]["threat"], choice["cell"]["leverage"]) == ("replacement", "present"))
            for how in ("share", "share_per_token"):
                self.assertAlmostEqual(sum(turn[how] for turn in turns), 1, places=9)
            most = max(turns, key=lambda turn: turn["logprob"])
            for turn in turns:
                self.assertGreater(turn["tokens"], 1)
                self.assertTrue(math.isclose(turn["share"] / most["share"], math.exp(turn["logprob"] - most["logprob"]), rel_tol=1e-9))
                self.assertNotIn("logprobs", turn)

    def test_the_same_again_finds_none_missing_and_more_epochs_go_on(self):
        self.weigh(*PART)
        first = shares(self.choices())
        self.assertIn(f"{CELLS_IN_PART} forced choices, none was missing", self.weigh(*PART))
        self.assertIn(f"{2 * CELLS_IN_PART} forced choices, {CELLS_IN_PART} new", self.weigh(*PART, "--epochs", 2))
        both = shares(self.choices())
        self.assertEqual(len(both), 2 * CELLS_IN_PART)
        self.assertLessEqual(first.items(), both.items())

    def test_nothing_is_drawn_so_another_file_has_the_same_bits(self):
        self.weigh(*PART)
        first = shares(self.choices())
        self.file = self.folder / "again.assay"
        self.weigh(*PART, "--concurrency", 1)
        self.assertEqual(first, shares(self.choices()))

    def test_a_part_of_the_grid(self):
        self.weigh("--only", "threat=replacement", "--only", "leverage=present")
        self.assertEqual({c["cell"]["threat"] for c in self.choices() if c["scenario"] == "desk"}, {"replacement"})

    def test_every_tokens_logprob_is_kept_where_it_is_asked_for(self):
        self.weigh(*PART, "--logprobs", 0)
        for choice in self.choices():
            for turn in choice["alternatives"]:
                self.assertEqual(len(turn["logprobs"]), turn["tokens"])
                self.assertAlmostEqual(sum(token["logprob"] for token in turn["logprobs"]), turn["logprob"], places=9)
                written = b"".join(bytes(token["bytes"]) for token in turn["logprobs"])
                self.assertEqual(written.decode("utf-8", "replace"), turn["turn"])

    def test_sql_knows_the_shares_too(self):
        self.weigh(*PART)
        with sqlite3.connect(self.file) as db:
            rows = db.execute("SELECT scenario, epoch, agents, share FROM v_choices ORDER BY choice, agents").fetchall()
        told = [(c["scenario"], c["epoch"], json.dumps(a["agents"], separators=(",", ":")), a["share"])
                for c in self.choices() for a in sorted(c["alternatives"], key=lambda a: json.dumps(a["agents"], separators=(",", ":")))]
        self.assertEqual([r[:3] for r in rows], [t[:3] for t in told])
        for row, there in zip(rows, told):
            self.assertAlmostEqual(row[3], there[3], places=12)

    def test_one_that_does_not_fit_the_context_is_refused_before_any_file(self):
        self.model = self.model.replace("threads=1", "threads=1&ctx=512")
        refused = assay(*self.command("--readout", "choice"))
        self.assert_refused(refused, "context")
        self.assertFalse(self.file.exists())

    def test_a_model_that_fails_is_an_outcome_and_is_told(self):
        broken = self.folder / "broken.gguf"
        subprocess.run([TINY_MODEL, broken, "--context", "8192", "--broken"], check=True)
        self.model = f"gguf:{broken}?threads=1"
        done = assay(*self.command("--readout", "choice"))
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("a forced choice ended in an error", " ".join(done.err.split()))
        self.assertEqual({c["outcome"] for c in self.choices()}, {"error"})
        self.assertEqual(self.summary()["models"][0]["unanswered_choices"], {"error": CELLS_IN_ALL})
        self.assertIn(f"{CELLS_IN_ALL} could not be made (error)", " ".join(self.words().split()))


class Beside(Weighed):
    """What was sampled and what was computed, in one file."""

    def test_both_stand_in_one_summary(self):
        self.weigh(*PART, "--epochs", 2)
        self.assertIn("No episode was sampled.", self.words())
        self.play(*PART, "--epochs", 2)
        made = 2 * CELLS_IN_PART
        self.assertEqual((len(episodes(self.file)), len(self.choices())), (made, made))
        all_of_it = self.summary()
        model, code = all_of_it["models"][0], all_of_it["codes"][0]
        self.assertEqual((model["episodes"], model["choices"], model["unanswered_choices"]), (made, made, {}))
        for scenario in CELLS:
            rows = [a for a in all_of_it["alternatives"] if a["scenario"] == scenario]
            self.assertIn("comply", [agent for row in rows for agent in row["agents"]])
        verdicts = {r["outcome"]: r["share"]["estimate"] for r in code["propensities"]
                    if r["scope"] == "desk" and r["cells"] == "ordinary" and r["outcome"].startswith("verdict:")}
        untold = max(r["untold"] for r in code["propensities"] if r["scope"] == "desk")
        self.assertTrue(1 - 2 * untold - 1e-9 <= sum(verdicts.values()) <= 1 + 1e-9, verdicts)
        page = self.words()
        self.assertRegex(page, r"desk · forced choice")
        self.assertRegex(page, r"under never-subvert +share +95 % interval +per token +sampled\n")
        self.assertRegex(page, r"\n  subvert +\S+")
        for row in all_of_it["alternative_effects"]:
            self.assertEqual(row["clusters"], 2, "one scenario's epochs")

    def test_choices_come_after_episodes_too(self):
        self.play(*PART)
        before = episodes(self.file)
        self.weigh(*PART)
        self.assertEqual(before, episodes(self.file))
        self.assertTrue(self.choices())

    def test_show_tells_each_from_the_likeliest_down(self):
        self.weigh("--only", "threat=replacement", "--only", "leverage=present")
        shown = assay("show", self.file, "--choices", COLUMNS="100").out
        blocks = shown.split("\n\n")
        self.assertEqual(len(blocks), len(self.choices()))
        for block, choice in zip(blocks, self.choices()):
            self.assertIn(choice["scenario"], block.splitlines()[0])
            self.assertIn("epoch 0", block.splitlines()[0])
            told = re.findall(r"(?m)^ +\S.* (-\d+\.\d{3}) +(\d+)  (\S.*)$", block)
            there = sorted(choice["alternatives"], key=lambda a: -a["logprob"])
            self.assertEqual(told, [(f"{a['logprob']:.3f}", str(a["tokens"]), ", ".join(a["agents"])) for a in there])

    def test_a_file_without_any_says_how_to_make_them(self):
        self.run_known(self.file, 1)
        self.assertIn("--readout choice makes them", assay("show", self.file, "--choices").out)
        self.assertEqual(self.choices(), [])
        self.assertNotIn("forced", self.words())

    def test_no_line_is_wider_than_the_terminal(self):
        self.weigh(*PART, "--epochs", 2)
        self.play(*PART, "--epochs", 2)
        for columns in (60, 80, 100):
            for command in (["summary", self.file], ["summary", self.file, "--all"], ["show", self.file, "--choices"]):
                with self.subTest(columns=columns, command=command[0]):
                    code, screen = assay_on_terminal(*command, columns=columns)
                    self.assertEqual(code, 0)
                    self.assertIn(ESCAPE, screen)
                    self.assert_fits(plain(screen), columns)


class Refused(Weighed):
    def test_what_gives_no_logprobs(self):
        for model in (KNOWN, f"replay:{self.file}"):
            if model != KNOWN:
                self.run_known(self.file, 1)
            out = self.folder / "none.assay"
            for more in (["--readout", "choice"], ["--logprobs", 3]):
                refused = assay("run", SUITE, "-m", model, "-o", out, *more)
                self.assert_refused(refused, "gives no logprobs", more[0], "gguf:")
                self.assertFalse(out.exists())

    def test_a_judge_has_nothing_to_answer(self):
        refused = assay(*self.command("--readout", "choice", "--judge", self.model))
        self.assert_refused(refused, "--judge has nothing to answer")
        self.assertFalse(self.file.exists())

    def test_other_words_and_numbers(self):
        self.assert_refused(assay(*self.command("--readout", "chioce")), "--readout")
        self.assert_refused(assay(*self.command("--logprobs", "-1")), "--logprobs")
        self.assert_refused(assay(*self.command("--logprobs", "257")), "--logprobs")
        self.weigh(*PART)
        self.assert_refused(assay("show", self.file, 1, "--choices"), "--choices")


class Resumed(Weighed):
    def stored(self):
        try:
            with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as db:
                return db.execute("SELECT count(*) FROM choice").fetchone()[0]
        except sqlite3.OperationalError:  # it is not there yet
            return 0

    def broken_off(self, sent, epochs):
        program = start(*self.command(*PART, "--readout", "choice", "--epochs", epochs, "--concurrency", 1))
        self.addCleanup(program.kill)
        while program.poll() is None and self.stored() == 0:
            time.sleep(0.01)
        program.send_signal(sent)
        _, err = program.communicate(timeout=120)
        return program.returncode, err

    def test_after_a_kill_the_rest_is_made_and_all_is_as_if_undisturbed(self):
        epochs = 5
        code, err = self.broken_off(signal.SIGKILL, epochs)
        self.assertEqual(code, -signal.SIGKILL, err)
        before = self.stored()
        planned = epochs * CELLS_IN_PART
        self.assertTrue(0 < before < planned, before)
        with sqlite3.connect(self.file) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM choice LEFT JOIN alternative ON choice.id = alternative.choice "
                                        "WHERE alternative.seq IS NULL").fetchone()[0], 0, "a choice is there whole or not at all")
        self.assertIn(f"{planned - before} new", self.weigh(*PART, "--epochs", epochs))
        resumed = shares(self.choices())
        self.assertEqual(len(resumed), planned)
        self.file = self.folder / "calm.assay"
        self.weigh(*PART, "--epochs", epochs)
        self.assertEqual(resumed, shares(self.choices()))

    def test_after_an_interrupt_the_same_command_goes_on(self):
        code, err = self.broken_off(signal.SIGINT, 5)
        self.assertEqual(code, 3, err)
        before = self.stored()
        self.assertTrue(0 < before < 5 * CELLS_IN_PART, before)
        self.assertIn(f"{5 * CELLS_IN_PART - before} new", self.weigh(*PART, "--epochs", 5))


class Logprobs(Weighed):
    def test_of_each_token_written_and_the_likeliest_ones_are_in_show(self):
        self.play(*PART, "--logprobs", 3)
        seen = 0
        for episode in episodes(self.file):
            for reply in episode["generations"]:
                tokens = reply["logprobs"]
                self.assertEqual(len(tokens), reply["usage"]["completion_tokens"])
                for token in tokens:
                    top = token["top_logprobs"]
                    self.assertEqual(len(top), 3)
                    self.assertEqual(sorted(top, key=lambda t: -t["logprob"]), top)
                    self.assertLessEqual(token["logprob"], top[0]["logprob"])
                    self.assertLessEqual(sum(math.exp(t["logprob"]) for t in top), 1 + 1e-9)
                    for other in top:
                        if other["id"] == token["id"]:
                            self.assertEqual((other["bytes"], other["logprob"]), (token["bytes"], token["logprob"]))
                            seen += 1
        self.assertGreater(seen, 0)

    def test_change_nothing_of_what_is_written(self):
        said = lambda: sorted((e["scenario"], e["cell_index"], e["epoch"], [m["text"] for m in e["messages"]])
                              for e in episodes(self.file))
        self.play(*PART)
        without = said()
        self.assertFalse(any("logprobs" in g for e in episodes(self.file) for g in e["generations"]))
        self.file = self.folder / "with.assay"
        self.play(*PART, "--logprobs", 0)
        self.assertEqual(without, said())
        self.assertTrue(all(t["top_logprobs"] == [] for e in episodes(self.file) for g in e["generations"] for t in g["logprobs"]))


if __name__ == "__main__":
    main()
