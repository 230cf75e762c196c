"""The JSON Schemas: what assay accepts fits them, what they refuse assay refuses, and what it prints fits them.

Needs the Debian packages python3-jsonschema and python3-yaml; without them it is skipped.
"""
import json
import os
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from harness import KNOWN, SOURCE, SUITE, Case, assay, main


class Texts(yaml.SafeLoader):
    """YAML as editors read it, but with dates left as texts."""


Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def schema(name):
    printed = assay("schema", name)
    assert printed.code == 0, printed.err
    return json.loads(printed.out)


def mistakes(name, value):
    checker = jsonschema.Draft7Validator(schema(name))
    return [f"{list(e.path)}: {e.message[:200]}" for e in checker.iter_errors(value)]


def load(path):
    return yaml.load(path.read_text(), Texts)


class Schemas(Case):
    def test_each_is_a_schema(self):
        for path in sorted((SOURCE / "schemas").glob("*.json")):
            with self.subTest(path.stem):
                jsonschema.Draft7Validator.check_schema(schema(path.stem))
                self.assertEqual(schema(path.stem), json.loads(path.read_text()))

    def test_every_shipped_file_fits(self):
        kinds = [("policy", "policies/*.yaml"), ("code", "suites/codes/*.yaml"), ("acts", "suites/acts.yaml"),
                 ("suite", "suites/*/suite.yaml"), ("scenario", "suites/*/[!s]*.yaml")]
        for name, pattern in kinds:
            paths = [p for p in SOURCE.glob(pattern) if name != "scenario" or p.parent.name not in ("codes",)]
            self.assertTrue(paths, pattern)
            for path in paths:
                with self.subTest(path.name):
                    self.assertEqual(mistakes(name, load(path)), [])

    def test_the_example_of_the_manual_fits(self):
        page = (SOURCE / "docs/scenarios.md").read_text()
        text = page.split("`suites/parcels/parcel.yaml`\n```yaml\n", 1)[1].split("```", 1)[0]
        self.assertEqual(mistakes("scenario", yaml.load(text, Texts)), [])

    def test_what_it_refuses_is_refused_by_the_program_too(self):
        good = yaml.load((SOURCE / "docs/scenarios.md").read_text().split("`suites/parcels/parcel.yaml`\n```yaml\n", 1)[1]
                         .split("```", 1)[0], Texts)
        wrong = {
            "an unknown key": lambda s: s.update(promt="x"),
            "no system": lambda s: s.pop("system"),
            "a rank too high": lambda s: s["principals"]["user"].update(rank=10),
            "an unknown role": lambda s: s["principals"].update(boss={"members": ["a@b.example"]}),
            "one level": lambda s: s["factors"].update(pressure={"none": ""}),
            "no turns": lambda s: s.update(turns=[]),
            "an act without a rule": lambda s: s["acts"].update(leak={"kind": "leak"}),
            "an agent that expects nothing": lambda s: s["agents"]["comply"].pop("expect"),
            "a strange state of the task": lambda s: s["agents"]["comply"].update(expect={"task": "finished"}),
            "a limit of nothing": lambda s: s.update(limits={"turns": 0}),
        }
        suite = self.folder / "parcels"
        suite.mkdir()
        (self.folder / "acts.yaml").write_text((SOURCE / "suites/acts.yaml").read_text())
        (suite / "suite.yaml").write_text("suite: parcels\ncodes: []\n")
        (self.folder / "codes").mkdir()
        (self.folder / "codes/never-subvert.yaml").write_text((SOURCE / "suites/codes/never-subvert.yaml").read_text())
        (suite / "suite.yaml").write_text("suite: parcels\ncodes: [never-subvert]\n")

        def lint(value):
            (suite / "parcel.yaml").write_text(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
            return assay("lint", suite)

        self.assertEqual(lint(good).code, 0, lint(good).err)
        for what, spoil in wrong.items():
            with self.subTest(what):
                bad = json.loads(json.dumps(good))
                spoil(bad)
                self.assertNotEqual(mistakes("scenario", bad), [])
                self.assertEqual(lint(bad).code, 2)

    def test_a_summary_fits(self):
        run = self.folder / "known.assay"
        self.run_known(run, 3)
        printed = assay("summary", run, "--json")
        self.assertEqual(mistakes("summary", json.loads(printed.out)), [])

    def test_a_summary_of_a_part_of_the_grid_fits_and_has_what_was_planted(self):
        run = self.folder / "part.assay"
        done = assay("run", SUITE, "-m", KNOWN, "--epochs", 5, "--design", "pairwise", "--quiet", "-o", run)
        self.assertEqual(done.code, 0, done.err)
        printed = json.loads(assay("summary", run, "--json").out)
        self.assertEqual(mistakes("summary", printed), [])
        fitted = [row for row in printed["codes"][0]["marginal"] if row["scope"] == "desk" and row["outcome"] == "verdict:subvert"]
        self.assertTrue(fitted)
        for row in fitted:
            self.assertTrue(row["method"].startswith("least squares"), row)
            self.assertIn("planted", row)

    def test_a_summary_of_forced_choices_fits(self):
        tiny = os.environ.get("TINY_MODEL", "build/release/tests/tiny_model")
        if not os.path.exists(tiny):
            self.skipTest("there is no tiny_model; TINY_MODEL names it")
        model, run = self.folder / "tiny.gguf", self.folder / "choices.assay"
        subprocess.run([tiny, model, "--context", "8192"], check=True)
        done = assay("run", SUITE, "-m", f"gguf:{model}?threads=1", "--only", "leverage=present", "--readout", "choice", "-o", run)
        self.assertEqual(done.code, 0, done.err)
        printed = json.loads(assay("summary", run, "--json").out)
        self.assertEqual(mistakes("summary", printed), [])
        for rows in (printed["alternatives"], printed["alternative_effects"], printed["codes"][0]["propensities"]):
            self.assertTrue(rows)

    def test_an_unknown_one_is_refused(self):
        self.assert_refused(assay("schema", "scenarios"), "did you mean 'scenario'")


if __name__ == "__main__":
    main()
