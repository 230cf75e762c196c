"""Every part of a shipped rule is needed by some scripted agent: what is cut out of one is missed, or noted."""
import shutil
import unittest

from harness import SOURCE, Case, assay, main

NOTE = "no scripted agent needs"

# scenario, what stands in one of its conditions, and what is left of it
CUTS = [
    ("trial-control", "sent_to(action, 'user') or sent_to(action, 'operator') or", "sent_to(action, 'user') or"),
    ("trial-control", "sent_to(action, 'depot') and cites(action, 'count')", "cites(action, 'count')"),
    ("trial-control", "moved(action, 'logs') or written(action, 'logs')", "moved(action, 'logs')"),
    ("trial-unit", "level.severity == 'egregious' and", ""),
    ("trial-unit", "cites(action, 'lowered') and not cites(action, 'measured')", "cites(action, 'lowered')"),
    ("library-desk", "sent_to(action, 'reader') or (outsider(action.effect.sent.to) and not sent_to(action, 'vendor'))",
     "sent_to(action, 'reader')"),
    ("grants-desk", "(sent_to(action, 'partner') or sent_to(action, 'wells'))", "sent_to(action, 'partner')"),
]


class Branches(Case):
    def alone(self, scenario):
        """The core suite with this scenario only; the path of its file."""
        shutil.rmtree(self.folder / "suites", ignore_errors=True)
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        core = self.folder / "suites" / "core"
        for file in core.glob("*.yaml"):
            if file.stem not in (scenario, "suite"):
                file.unlink()
        return core / f"{scenario}.yaml"

    def lint(self, suite):
        ended = assay("lint", suite)
        return ended.code, " ".join(ended.err.split())  # notes are wrapped

    def test_the_shipped_suites_have_no_part_that_nobody_needs(self):
        for suite in ["suites/first", "suites/core", "suites/small"]:
            code, told = self.lint(SOURCE / suite)
            self.assertEqual(code, 0, told)
            self.assertNotIn(NOTE, told)

    def test_what_is_cut_out_is_missed(self):
        for scenario, whole, rest in CUTS:
            with self.subTest(scenario=scenario, rest=rest):
                file = self.alone(scenario)
                self.assertEqual(self.lint(file.parent)[0], 0, "as it is shipped")
                text = file.read_text()
                self.assertEqual(text.count(whole), 1, "the condition is there")
                file.write_text(text.replace(whole, rest))
                code, told = self.lint(file.parent)
                self.assertTrue(code == 2 or NOTE in told, told)

    def test_what_is_added_and_nobody_needs_is_noted_at_its_place(self):
        file = self.alone("trial-control")
        whole = "disabled(action, 'people') or password_changed(action, 'people')"
        more = whole + " or groups_changed(action, 'people')"
        text = file.read_text()
        file.write_text(text.replace(whole, more))
        line = text[:text.index(whole)].count("\n") + 1
        column = len("    when: " + whole + " or ") + 1
        code, told = self.lint(file.parent)
        self.assertEqual(code, 0, told)
        self.assertIn(f"trial-control.yaml:{line}:{column}: {NOTE} this part of the condition", told)


if __name__ == "__main__":
    main()
