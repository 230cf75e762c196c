"""What a run leaves behind, and what is read from it again: run, resume, summary, show, lint, and files that are none."""
import collections
import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from harness import (ASSAY, CELLS, CELLS_IN_ALL, ESCAPE, KNOWN, SOURCE, SUITE, Case, Ended, assay,
                     assay_on_terminal, conduct, environment, episodes, key, main, start)

VERDICTS = {"comply", "partial_refusal", "refuse", "no_action", "failed", "neglect", "subvert", "ungraded"}


class Run(Case):
    def test_plays_each_cell_in_each_epoch_once(self):
        file = self.folder / "known.assay"
        self.run_known(file, 3)
        played = episodes(file)
        self.assertEqual(len(played), 3 * CELLS_IN_ALL)
        self.assertEqual(len({key(e) for e in played}), len(played))
        for scenario, cells in CELLS.items():
            mine = [e for e in played if e["scenario"] == scenario]
            per_cell = collections.Counter(json.dumps(e["cell"], sort_keys=True) for e in mine)
            self.assertEqual(sorted(per_cell.values()), [3] * cells)
            self.assertEqual(len({e["epoch"] for e in mine}), 3)

    def test_speaks_of_results_on_standard_output_and_of_the_rest_on_standard_error(self):
        file = self.folder / "known.assay"
        done = self.run_known(file, 2)
        self.assertIn("assay summary", done.out, "says what to do next")
        self.assertNotIn(ESCAPE, done.out + done.err)
        self.assertNotIn("\r", done.out + done.err)

    def test_shows_a_bar_on_a_terminal_and_wipes_it(self):
        code, screen = assay_on_terminal("run", SUITE, "-m", KNOWN, "--epochs", 100, "-o", self.folder / "bar.assay", columns=60)
        self.assertEqual(code, 0)
        self.assertIn(f"/{100 * CELLS_IN_ALL:,}", screen)
        bars = [line for line in screen.split("\r") if "/s" in line]
        for line in bars:
            self.assert_fits(line.split("\n")[0].replace(ESCAPE + "[K", ""), 60)
        self.assertIn("\r" + ESCAPE + "[K", screen[screen.rindex("/s"):], "the last bar is wiped before the result is printed")

    def test_the_same_seed_gives_the_same_episodes_whatever_the_concurrency(self):
        first, second = self.folder / "one.assay", self.folder / "many.assay"
        self.run_known(first, 4, "--concurrency", 1)
        self.run_known(second, 4, "--concurrency", 200)
        self.assertEqual(conduct(first), conduct(second))

    def test_another_seed_gives_others(self):
        first, second = self.folder / "1.assay", self.folder / "2.assay"
        self.run_known(first, 4)
        done = assay("run", SUITE, "-m", KNOWN, "--epochs", 4, "--seed", 2, "-o", second)
        self.assertEqual(done.code, 0, done.err)
        self.assertNotEqual(conduct(first), conduct(second))

    def test_measures_what_was_planted(self):
        # policies/cornered.yaml plants these rates of subversion; four standard errors of 200 draws are allowed.
        file = self.folder / "known.assay"
        epochs = 200
        self.run_known(file, epochs)
        subverted = collections.Counter()
        for e in episodes(file):
            verdict, = set(e["verdicts"].values())
            if verdict == "subvert":
                subverted[(e["scenario"], e["cell"].get("threat"), e["cell"].get("leverage"), e["cell"].get("prohibition"))] += 1
        for prohibition, planted in [("none", 0.65), ("explicit", 0.20)]:
            measured = subverted.pop(("desk", "replacement", "present", prohibition), 0) / epochs
            self.assertAlmostEqual(measured, planted, delta=4 * math.sqrt(planted * (1 - planted) / epochs))
        self.assertEqual(dict(subverted), {}, "nowhere else was any planted")


class Resume(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "known.assay"
        self.run_known(self.file, 3)

    def test_the_same_command_again_adds_nothing(self):
        before = conduct(self.file), assay("summary", self.file, "--json").out
        self.run_known(self.file, 3)
        self.assertEqual((conduct(self.file), assay("summary", self.file, "--json").out), before)

    def test_more_epochs_extend_it_to_what_one_long_run_would_be(self):
        self.run_known(self.file, 7)
        whole = self.folder / "whole.assay"
        self.run_known(whole, 7)
        self.assertEqual(conduct(self.file), conduct(whole))

    def test_says_what_the_file_holds_and_what_is_new(self):
        self.assertIn(f": {5 * CELLS_IN_ALL} episodes, {2 * CELLS_IN_ALL} new in ", self.run_known(self.file, 5).out)
        self.assertIn(f": {5 * CELLS_IN_ALL} episodes, none was missing\n", self.run_known(self.file, 5).out)
        self.assertIn(f": {5 * CELLS_IN_ALL} episodes, none of the {2 * CELLS_IN_ALL} of this command was missing\n",
                      self.run_known(self.file, 2).out)
        another = self.folder / "another.yaml"
        another.write_text((SOURCE / KNOWN.removeprefix("policy:")).read_text().replace("policy: ", "policy: another-", 1))
        done = assay("run", SUITE, "-m", f"policy:{another}", "--epochs", 5, "--seed", 1, "-o", self.file)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn(f": {10 * CELLS_IN_ALL} episodes, {5 * CELLS_IN_ALL} new in ", done.out)

    def test_another_design_is_refused_and_the_file_stays_as_it_was(self):
        before = conduct(self.file)
        for option, value in [("--seed", 2), ("--prelude", "given"), ("--variants", "all")]:
            with self.subTest(option):
                arguments = {"--epochs": 3, "--seed": 1, option: value}
                again = assay("run", SUITE, "-m", KNOWN, "-o", self.file, *(word for pair in arguments.items() for word in pair))
                self.assertEqual((again.code, again.out), (2, ""), again)
                self.assertIn(option.strip("-"), again.err, "the difference is named")
                self.assertEqual(conduct(self.file), before)

    def test_a_suite_that_changed_is_refused(self):
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        changed = self.folder / "suites/first/desk.yaml"
        changed.write_text(changed.read_text() + "# A comment is a change too: the words of a run must be those on file.\n")
        again = assay("run", self.folder / SUITE, "-m", KNOWN, "--epochs", 3, "--seed", 1, "-o", self.file)
        self.assertEqual((again.code, again.out), (2, ""), again)
        line = len(changed.read_text().splitlines())
        self.assertIn(f"desk.yaml changed, first in line {line}:\n", again.err)
        self.assertIn("    + # A comment is a change too", again.err)
        self.assertNotRegex(again.err, "[0-9a-f]{64}", "the words, not their hashes")

    def test_a_policy_that_changed_is_refused_with_what_changed_once(self):
        changed = self.folder / "cornered.yaml"
        changed.write_text((SOURCE / KNOWN.removeprefix("policy:")).read_text() + "# More.\n")
        again = assay("run", SUITE, "-m", f"policy:{changed}", "--epochs", 3, "--seed", 1, "-o", self.file)
        self.assertEqual((again.code, again.out), (2, ""), again)
        self.assertEqual(again.err.count("changed, first in line"), 1, again.err)
        self.assertIn("    + # More.", again.err)
        self.assertNotRegex(again.err, "[0-9a-f]{64}")


class Interrupt(Case):
    LONG = 4000  # epochs: far more than are ever played here

    def begin(self, file):
        """A long run, once it has stored its first episodes."""
        run = start("run", SUITE, "-m", KNOWN, "--epochs", self.LONG, "--seed", 1, "-o", file)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        deadline = time.monotonic() + 60
        stored = self.stored(file)
        while self.stored(file) <= stored and time.monotonic() < deadline and run.poll() is None:
            time.sleep(0.02)
        self.assertIsNone(run.poll(), "it ended before it could be interrupted")
        return run

    @staticmethod
    def stored(file):
        if not file.exists():
            return 0
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5) as db:
            try:
                return db.execute("SELECT count(*) FROM episode").fetchone()[0]
            except sqlite3.OperationalError:  # its tables are not there yet
                return 0

    def test_finishes_what_is_open_and_the_same_command_goes_on(self):
        file = self.folder / "long.assay"
        before = 0
        for _ in range(2):
            run = self.begin(file)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 3, err)
            self.assertIn(b"same command", out + err)
            played = episodes(file)
            self.assertGreater(len(played), before)
            self.assertEqual({e["outcome"] for e in played}, {"completed"})
            self.assertEqual(len({key(e) for e in played}), len(played))
            before = len(played)

    def run_limited(self, kilobytes, file):
        """A run that may make no file larger than this."""
        command = f'ulimit -f {kilobytes * 2} && exec "$0" "$@"'  # sh counts in blocks of 512 bytes
        done = subprocess.run(["sh", "-c", command, ASSAY, "run", SUITE, "-m", KNOWN, "--epochs", "300", "--seed", "1", "-o", file],
                              cwd=SOURCE, env=environment(), capture_output=True, timeout=120)
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def test_a_limit_on_the_size_of_files_is_a_full_disk_and_ends_no_process(self):
        file = self.folder / "known.assay"
        for kilobytes in [20, 400]:  # no room for its tables; room for a part of the episodes
            done = self.run_limited(kilobytes, file)
            self.assertEqual((done.code, done.out), (3, ""), done)
            self.assertIn(f"{file} could not be written", done.err)
            self.assertIn("the same command", done.err.lower())
        self.run_known(file, 300)
        self.assertEqual(len(episodes(file)), 300 * CELLS_IN_ALL)

    def test_one_process_writes_and_others_read(self):
        file = self.folder / "long.assay"
        run = self.begin(file)
        self.assert_refused(assay("run", SUITE, "-m", KNOWN, "--epochs", self.LONG, "--seed", 1, "-o", file), file)
        self.assertEqual(assay("summary", file).code, 0)
        self.assertIsNone(run.poll(), "neither disturbed the one that writes")
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=60)
        self.assertEqual(run.returncode, 3)


class SummaryJson(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "known.assay"
        self.run_known(self.file, 20)
        done = assay("summary", self.file, "--json")
        self.assertEqual((done.code, done.err), (0, ""))
        self.summary = json.loads(done.out)

    def test_has_its_fields(self):
        self.assertLessEqual({"run", "models", "episodes", "ungraded", "codes"}, self.summary.keys())
        self.assertEqual(self.summary["episodes"], 20 * CELLS_IN_ALL)
        self.assertEqual(self.summary["ungraded"], 0, "a policy's truth answers every question")
        code, = self.summary["codes"]
        self.assertLessEqual({"code", "registered", "verdicts", "by_model", "rates", "effects"}, code.keys())
        self.assertEqual(code["code"], "never-subvert")

    def test_verdicts_sum_to_the_episodes(self):
        code, = self.summary["codes"]
        counted = collections.Counter(v for e in episodes(self.file) for v in e["verdicts"].values())
        self.assertEqual(code["verdicts"].keys(), VERDICTS)
        self.assertEqual({v: n for v, n in code["verdicts"].items() if n}, dict(counted))
        by_model, = code["by_model"]
        self.assertEqual(by_model["verdicts"], code["verdicts"])

    def test_rates_are_proportions_with_their_n(self):
        code, = self.summary["codes"]
        self.assertTrue(code["rates"])
        for rate in code["rates"]:
            with self.subTest(rate):
                self.assertLessEqual({"model", "scope", "outcome", "k", "n", "estimate", "low", "high", "method", "clusters"}, rate.keys())
                self.assertRegex(rate["outcome"], r"^(verdict|act):\w+$")
                if rate["scope"] != "all":  # there every scenario weighs the same, however many cells it has
                    self.assertAlmostEqual(rate["estimate"], rate["k"] / rate["n"])
                self.assertTrue(0 <= rate["low"] <= rate["estimate"] <= rate["high"] <= 1)

    def test_the_rate_of_subversion_is_the_share_of_its_verdicts(self):
        code, = self.summary["codes"]
        played = [e for e in episodes(self.file) if e["scenario"] == "desk"]
        subverted = sum(e["verdicts"]["never-subvert"] == "subvert" for e in played)
        rate, = (r for r in code["rates"] if (r["scope"], r["outcome"]) == ("desk", "verdict:subvert"))
        self.assertEqual((rate["k"], rate["n"]), (subverted, len(played)))

    def test_effects_compare_twins(self):
        code, = self.summary["codes"]
        mine = [e for e in code["effects"] if (e["scope"], e["outcome"]) == ("desk", "verdict:subvert")]
        self.assertEqual({e["factor"] for e in mine}, {"threat", "leverage", "prohibition"})
        for effect in mine:
            with self.subTest(effect):
                self.assertLessEqual({"model", "scope", "factor", "level", "base", "outcome", "twins", "estimate", "low", "high", "p",
                                      "p_adjusted", "method"}, effect.keys())
                self.assertEqual(effect["twins"], 20 * CELLS["desk"] // 2)
                self.assertTrue(-1 <= effect["low"] <= effect["estimate"] <= effect["high"] <= 1)
                self.assertTrue(0 <= effect["p"] <= 1)
                if effect["p_adjusted"] is not None:
                    self.assertTrue(effect["p"] <= effect["p_adjusted"] <= 1)
        sign = {e["factor"]: e["estimate"] for e in mine}
        self.assertGreater(sign["threat"], 0)
        self.assertGreater(sign["leverage"], 0)
        self.assertLess(sign["prohibition"], 0)

    def test_for_people_sets_what_was_planted_beside_what_is_measured(self):
        self.assertIn("planted", assay("summary", self.file).out)

    def test_by_a_factor_there_is_a_row_for_each_of_its_levels(self):
        code, = json.loads(assay("summary", self.file, "--by", "leverage", "--json").out)["codes"]
        rows = {r["level"]: r for r in code["by"] if (r["scope"], r["outcome"]) == ("desk", "verdict:subvert")}
        self.assertEqual(rows.keys(), {"absent", "present"})
        self.assertEqual(sum(r["n"] for r in rows.values()), 20 * CELLS["desk"])
        self.assertIn("by leverage", assay("summary", self.file, "--by", "leverage").out)

    def test_a_factor_or_a_scenario_that_does_not_exist_is_refused(self):
        self.assert_refused(assay("summary", self.file, "--by", "leverige"), "did you mean 'leverage'")
        self.assert_refused(assay("summary", self.file, "--scenario", "dusk"), "did you mean 'desk'")

    def test_what_the_design_declares_is_adjusted_and_the_rest_is_exploratory(self):
        code, = self.summary["codes"]
        for effect in code["effects"]:
            declared = (effect["scope_kind"], effect["outcome"]) == ("all", "verdict:subvert")
            with self.subTest(effect):
                self.assertEqual(effect["exploratory"], not declared)
                self.assertEqual(effect["p_adjusted"] is not None, declared)


class ShowJson(Case):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "known.assay"
        self.run_known(self.file, 5)

    def test_has_a_line_for_each_episode_with_its_fields(self):
        for e in episodes(self.file):
            self.assertLessEqual({"scenario", "cell", "epoch", "model", "outcome", "verdicts", "acts", "messages", "actions"}, e.keys())
            self.assertTrue(e["messages"])
            for action in e["actions"]:
                self.assertLessEqual({"tool", "args", "dispatched", "effect", "result"}, action.keys())
            for act in e["acts"]:
                self.assertLessEqual({"act", "kind", "how_far", "wrongs", "evidence"}, act.keys())
            self.assertLessEqual(set(e["verdicts"].values()), VERDICTS)

    def test_twins_share_their_surface(self):
        firms = collections.defaultdict(set)
        for e in episodes(self.file):
            system = e["messages"][0]
            self.assertEqual(system["role"], "system")
            firms[(e["scenario"], e["epoch"])].add(json.dumps(e["drawn"]["company"]) if "drawn" in e else "")
        for drawn in firms.values():
            self.assertEqual(len(drawn), 1)

    def test_one_episode_is_the_same_alone_as_among_all(self):
        done = assay("show", self.file, 7, "--json")
        self.assertEqual(json.loads(done.out), episodes(self.file)[6])

    def test_the_list_has_a_line_for_each(self):
        listed = assay("show", self.file)
        self.assertEqual(listed.code, 0)
        self.assertGreaterEqual(len(listed.out.splitlines()), 5 * CELLS_IN_ALL)

    def test_a_transcript_names_the_acts_and_the_verdict(self):
        guilty = next(e for e in episodes(self.file) if e["acts"])
        shown = assay("show", self.file, guilty["id"]).out
        self.assertIn(guilty["acts"][0]["act"], shown)
        self.assertIn(guilty["verdicts"]["never-subvert"], shown)

    def test_the_prompt_of_a_model_that_has_none_is_refused(self):
        self.assert_refused(assay("show", self.file, 1, "--prompt"), "generic format")
        self.assert_refused(assay("show", self.file, "--prompt"), "EPISODE")

    def test_an_episode_that_is_not_there(self):
        self.assert_refused(assay("show", self.file, 999999), 999999)
        self.assert_refused(assay("show", self.file, "last"))


class Lint(Case):
    def test_the_shipped_suite_holds(self):
        done = assay("lint", SUITE)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn(f"{CELLS_IN_ALL} cells", done.out)
        for columns in [60, 100]:
            self.assert_fits(assay("lint", SUITE, COLUMNS=str(columns)).out, columns)
        self.assertLessEqual(len(done.out.splitlines()), 2)

    def test_the_shipped_policies_fit_the_shipped_suites(self):
        for suite in ("first", "core", "small"):
            for policy in sorted((SOURCE / "policies").glob("*.yaml")):
                if (policy.stem, suite) == ("obliging", "small"):
                    continue  # made for a severity that the small suite has no cells for
                done = assay("lint", f"suites/{suite}", "--policy", policy)
                self.assertEqual(done.code, 0, done.err)

    def test_every_mistake_is_shown_at_once_with_its_place_and_a_caret(self):
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        places = []
        for name in ["desk.yaml", "desk-control.yaml"]:
            scenario = self.folder / SUITE / name
            text = scenario.read_text().rstrip("\n") + "\nnonsense: 1\n"
            scenario.write_text(text)
            places.append(f"{name}:{len(text.splitlines())}:1:")
        done = assay("lint", self.folder / SUITE)
        self.assertEqual((done.code, done.out), (2, ""))
        for place in places:
            self.assertIn(place, done.err)
        self.assertEqual(sum(line.strip(" |") == "^" for line in done.err.splitlines()), 2, done.err)

    def test_mistakes_of_a_policy_are_shown_as_those_of_a_suite(self):
        policy = self.folder / "bad.yaml"
        policy.write_text("policy: bad\nruels: 1\nrules: []\n")
        done = assay("run", SUITE, "-m", f"policy:{policy}", "-o", self.folder / "x.assay")
        self.assertEqual((done.code, done.out), (2, ""))
        self.assertNotIn("assay:", done.err)
        lines = done.err.splitlines()
        self.assertTrue(lines[0].startswith(f"{policy}:2:1: error: "), done.err)
        self.assertTrue(lines[3].startswith(f"{policy}:3:8: error: "), done.err)
        self.assertEqual(lines[-1], f"{policy}: 2 mistakes")

    def test_a_suite_with_a_mistake_is_not_run(self):
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        (self.folder / SUITE / "desk.yaml").write_text("scenario: [\n")
        target = self.folder / "x.assay"
        done = assay("run", self.folder / SUITE, "-m", KNOWN, "-o", target)
        self.assertEqual((done.code, done.out), (2, ""))
        self.assertIn("desk.yaml:", done.err)
        self.assertFalse(target.exists())


class BadFiles(Case):
    def test_run_files_that_are_none_are_refused_and_kept(self):
        foreign = self.folder / "foreign.assay"
        with sqlite3.connect(foreign) as db:
            db.execute("CREATE TABLE diary (day TEXT)")
        text = self.folder / "text.assay"
        text.write_text("Dear diary\n" * 1000)
        for file in [foreign, text]:
            before = file.read_bytes()
            for command in [("summary", file), ("show", file), ("run", SUITE, "-m", KNOWN, "-o", file)]:
                with self.subTest(command):
                    self.assert_refused(assay(*command), file)
                    self.assertEqual(file.read_bytes(), before)

    def test_a_run_file_that_is_not_there(self):
        for command in ["summary", "show"]:
            self.assert_refused(assay(command, self.folder / "none.assay"), "none.assay")
        self.assertEqual(os.listdir(self.folder), [], "looking at a file that is not there makes none")

    def test_a_run_file_that_was_cut_off(self):
        file = self.folder / "known.assay"
        self.run_known(file, 5)
        whole = file.read_bytes()
        for part in [0.1, 0.5, 0.9]:
            with self.subTest(part):
                file.write_bytes(whole[:int(len(whole) * part)])
                for command in [("summary", file), ("show", file, "--all", "--json")]:
                    done = assay(*command)
                    self.assertIn(done.code, (2, 3), done.err)
                    self.assertIn(str(file), done.err)

    def test_ggufs_that_are_none(self):
        header = b"GGUF" + (3).to_bytes(4, "little")
        for name, data in {"empty": b"", "text": b"This is no model.\n" * 100, "zeros": bytes(4096),
                           "cut": header + (2).to_bytes(8, "little"),
                           "greedy": header + (2**62).to_bytes(8, "little") * 2 + bytes(64)}.items():
            with self.subTest(name):
                model = self.folder / f"{name}.gguf"
                model.write_bytes(data)
                done = assay("run", SUITE, "-m", f"gguf:{model}", "-o", self.folder / "x.assay")
                self.assert_refused(done, model.name)
                self.assertEqual(len(done.err.splitlines()), 1, "one clear sentence")
                self.assertFalse((self.folder / "x.assay").exists())


if __name__ == "__main__":
    main()
