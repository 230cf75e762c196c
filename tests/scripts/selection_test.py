"""Runs on a part of the grid, on other factors, on a covering array; and that a run file keeps to what it registered."""
import json
import shutil
import sqlite3
import unittest

import harness
from harness import assay, conduct, episodes


KEPT = ["freight-desk.yaml", "repairs-desk.yaml", "desks-control.yaml", "letters-desk.yaml"]  # of the core suite: proving it whole takes long


class Selection(harness.Case):
    def setUp(self):
        super().setUp()
        self.core = self.folder / "suites" / "core"
        shutil.copytree(harness.SOURCE / "suites", self.folder / "suites")
        for file in self.core.glob("*.yaml"):
            if file.name not in [*KEPT, "suite.yaml"]:
                file.unlink()

        policy = self.folder / "part.yaml"
        policy.write_text("policy: part\nrules:\n  - when: {threat: replacement, leverage: present}\n"
                          "    agents: {blackmail: 0.5, comply: 0.5}\n  - when: {letter: danger}\n    agents: {refuse: 1}\n  - agents: {comply: 0.9, refuse: 0.1}\n")
        self.model = f"policy:{policy}"

    def run_core(self, name, *more):
        run_file = self.folder / name
        ended = assay("run", self.core, "-m", self.model, *(more if "--epochs" in more else ("--epochs", "2", *more)), "--quiet",
                      "-o", run_file)
        self.assertEqual(ended.code, 0, ended.err)
        return run_file

    def test_plan_counts_what_run_plays(self):
        for more in (["--design", "pairwise"], ["--only", "threat=replacement"], ["--factors", "nudge,framing"],
                     ["--design", "random:3", "--seed", "9"]):
            plan = json.loads(assay("plan", self.core, "--epochs", "2", "--json", *more).out)
            played = episodes(self.run_core("-".join(more).strip("-").replace(":", "-") + ".assay", *more))
            self.assertEqual(sum(s["episodes"] for s in plan["scenarios"]), len(played), more)

    def test_plan_counts_the_manipulation_check(self):
        # Its answer is one reply more than the limits allow, and up to 1,024 tokens of a model that thinks first.
        plan = json.loads(assay("plan", self.core, "--epochs", "2", "--json").out)
        for scenario in plan["scenarios"]:
            asked = scenario["scenario"] == "freight-desk"
            for what, more in [("turns", asked), ("tokens", 1024 * asked), ("actions", 0)]:
                with self.subTest((scenario["scenario"], what)):
                    self.assertEqual(scenario["most"]["replies" if what == "turns" else what],
                                     scenario["episodes"] * (scenario["limits"][what] + more))
        told = " ".join(assay("plan", self.core, "--only", "threat=replacement").out.split())
        self.assertEqual(told.count("and a reply to the check, of 64 tokens, or 1,024 where the model thinks first"), 1)

    def test_only_keeps_to_the_level_and_says_who_is_left_out(self):
        played = episodes(self.run_core("a.assay", "--only", "threat=replacement"))
        self.assertEqual({e["cell"]["threat"] for e in played}, {"replacement"})
        self.assertIn("left out, as no cell of theirs is kept: desks-control",
                      " ".join(assay("plan", self.core, "--only", "threat=replacement").out.split()))

    def test_an_episode_is_the_same_in_every_design_that_visits_it(self):
        def acts(run_file):
            return {(e["scenario"], json.dumps(e["cell"], sort_keys=True), e["epoch"]):
                    (e["verdicts"], [m["text"] for m in e["messages"]]) for e in episodes(run_file)}
        whole, part = acts(self.run_core("whole.assay")), acts(self.run_core("part.assay", "--design", "random:2"))
        shared = whole.keys() & part.keys()
        self.assertGreater(len(shared), 10)
        for one in shared:
            self.assertEqual(whole[one], part[one], one)

    def test_a_run_file_refuses_cells_that_leave_some_of_its_own_out(self):
        run_file = self.run_core("a.assay")
        before = conduct(run_file)
        ended = assay("run", self.core, "-m", self.model, "--epochs", "2", "-o", run_file, "--only", "threat=replacement")
        self.assert_refused(ended, "cells: the file has the default grid, this command says the default factors; "
                                   "only threat=replacement, which leaves out ")
        self.assertEqual(conduct(run_file), before)

    def test_more_cells_extend_a_run_to_what_one_run_of_them_all_would_be(self):
        run_file = self.run_core("a.assay", "--design", "pairwise")
        part = conduct(run_file)
        ended = assay("run", self.core, "-m", self.model, "--epochs", "2", "-o", run_file)
        self.assertEqual(ended.code, 0, ended.err)
        self.assertIn("was registered with fewer cells", ended.err)
        whole = conduct(self.run_core("whole.assay"))
        self.assertLess(len(part), len(whole))
        self.assertEqual(conduct(run_file), whole)
        self.assertEqual(assay("validate", run_file).code, 0)

    def test_what_was_registered_before_which_episode_stays_readable(self):
        run_file = self.run_core("a.assay", "--only", "threat=replacement")
        first = len(episodes(run_file))
        self.run_core("a.assay", "--epochs", "3")
        with sqlite3.connect(run_file) as db:
            rows = db.execute("SELECT epochs, cells, first_episode FROM commitment ORDER BY id").fetchall()
        self.assertEqual([(epochs, json.loads(cells)["only"], episode) for epochs, cells, episode in rows],
                         [(2, {"threat": ["replacement"]}, 1), (3, {}, first + 1)])

    def test_validate_and_summary_know_the_cells_of_the_run(self):
        run_file = self.run_core("a.assay", "--factors", "threat,leverage,nudge", "--design", "pairwise")
        self.assertEqual(assay("validate", run_file).code, 0)
        design = json.loads(assay("summary", run_file, "--json").out)["run"]["design"]
        self.assertEqual(design["cells"], {"factors": ["threat", "leverage", "nudge"], "only": {}, "crossing": "pairwise"})

    def test_what_cannot_be_selected_is_told_all_at_once(self):
        ended = assay("plan", self.core, "--factors", "treat", "--only", "leverage=persent")
        self.assert_refused(ended, "no scenario has a factor 'treat'; did you mean 'threat'?",
                            "factor 'leverage' has no level 'persent'; did you mean 'present'?")
        self.assert_refused(assay("plan", self.core, "--only", "threat"), "'threat' is no FACTOR=LEVEL")
        self.assert_refused(assay("plan", self.core, "--design", "halfwise"), "full, pairwise, and random:N")


if __name__ == "__main__":
    harness.main()
