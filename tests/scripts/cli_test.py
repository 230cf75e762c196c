"""How the program talks: help, mistakes in the command line, colours, widths."""
import json
import os
import subprocess
import time
import unittest

from harness import (ASSAY, COMMANDS, ESCAPE, KNOWN, SANITIZED, SUITE, Case, assay, assay_on_terminal, environment, main,
                     plain)


class Help(Case):
    def test_of_each_command_fits_a_screen_and_begins_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command):
                done = assay(command, "--help")
                self.assertEqual((done.code, done.err), (0, ""))
                self.assertLessEqual(len(done.out.splitlines()), 24, done.out)
                self.assert_fits(done.out, 80)
                self.assertIn(f"assay {command} ", done.out.splitlines()[0])

    def test_fits_sixty_columns_and_its_examples_can_still_be_copied(self):
        for command in [(), *((c,) for c in COMMANDS)]:
            with self.subTest(command):
                narrow, wide = (assay(*command, "--help", COLUMNS=columns).out for columns in ("60", "80"))
                self.assert_fits(narrow, 60)
                folded = " ".join(narrow.replace("\\\n", " ").split("\n\n")[0].split())
                self.assertEqual(folded, " ".join(wide.split("\n\n")[0].split()))

    def test_of_the_program_lists_every_command_and_the_exit_codes(self):
        done = assay("--help")
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertLessEqual(len(done.out.splitlines()), 24, done.out)
        self.assert_fits(done.out, 80)
        self.assertIn("assay run ", done.out.splitlines()[0])
        for command in COMMANDS:
            self.assertRegex(done.out, rf"(?m)^ *{command} ")
        self.assertIn("Exit codes", done.out)

    def test_without_arguments_goes_to_standard_error(self):
        done = assay()
        self.assertEqual((done.code, done.out), (2, ""))
        self.assertIn("assay run ", done.err)

    def test_version(self):
        done = assay("--version")
        self.assertEqual(done.code, 0)
        self.assertRegex(done.out, r"^assay \d+\.\d+\.\d+\n$")


class Usage(Case):
    def test_an_unknown_command_is_refused_with_the_one_that_was_meant(self):
        self.assert_refused(assay("sumary", "x.assay"), "sumary", "summary")

    def test_an_unknown_option_of_each_command(self):
        for command in COMMANDS:
            with self.subTest(command):
                self.assert_refused(assay(command, "--no-such-option"), "assay")

    def test_a_misspelt_option_is_answered_with_the_right_one(self):
        self.assert_refused(assay("run", SUITE, "-m", KNOWN, "--epoch", 3), "--epoch", "--epochs")

    def test_what_is_required_is_named(self):
        self.assert_refused(assay("run", SUITE), "model")
        self.assert_refused(assay("run", "-m", KNOWN), "SUITE")
        self.assert_refused(assay("summary"), "FILE")

    def test_numbers_that_make_no_sense(self):
        for option, value in [("--epochs", "0"), ("--epochs", "many"), ("--epochs", "-3"), ("--concurrency", "0"),
                              ("--prelude", "sometimes"), ("--seed", "-1"), ("--seed", "1.5"), ("--seed", 2**64)]:
            with self.subTest(f"{option} {value}"):
                target = self.folder / "x.assay"
                self.assert_refused(assay("run", SUITE, "-m", KNOWN, "-o", target, option, value), option)
                self.assertFalse(target.exists())

    def test_a_model_that_is_none(self):
        target = self.folder / "x.assay"
        for model in ["gpt", "policy:", "policy:no/such/file.yaml", "gguf:", "gguf:no/such/file.gguf", f"gguf:{self.folder}"]:
            with self.subTest(model):
                self.assert_refused(assay("run", SUITE, "-m", model, "-o", target))
                self.assertFalse(target.exists(), "a run that cannot begin leaves nothing behind")

    def test_the_largest_seed_is_one(self):
        done = assay("run", SUITE, "-m", KNOWN, "-o", self.folder / "x.assay", "--seed", 2**64 - 1)
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(json.loads(assay("summary", self.folder / "x.assay", "--json").out)["run"]["design"]["seed"], 2**64 - 1)

    def test_an_option_of_a_model_that_is_given_twice(self):
        self.assert_refused(assay("run", SUITE, "-m", "gguf:x.gguf?ctx=512&ctx=1024"), "'ctx'", "twice")

    def test_a_model_that_is_a_pipe_is_not_waited_for(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for backend in ["gguf", "policy"]:
            with self.subTest(backend):
                self.assert_refused(assay("run", SUITE, "-m", f"{backend}:{pipe}", timeout=20), "not a regular file")

    def test_a_folder_that_is_not_there_is_named(self):
        done = assay("run", SUITE, "-m", KNOWN, "-o", self.folder / "no" / "such.assay")
        self.assert_refused(done, f"there is no folder {self.folder / 'no'}.")
        self.assertNotIn(".lock", done.err)

    def test_a_code_that_the_suite_does_not_have(self):
        file = self.folder / "known.assay"
        self.run_known(file, 1)
        for command in ["show", "summary"]:
            with self.subTest(command):
                self.assertEqual(assay(command, file, "--code", "never-subvert").code, 0)
                self.assert_refused(assay(command, file, "--code", "never-subvrt"), "did you mean 'never-subvert'?")

    def test_a_suite_that_is_none(self):
        self.assert_refused(assay("run", self.folder / "nothing", "-m", KNOWN, "-o", self.folder / "x.assay"), "nothing")
        self.assert_refused(assay("lint", self.folder / "nothing"), "nothing")


class Terminal(Case):
    """Colours and bars only on a terminal that wants them; 60 columns are enough."""

    def setUp(self):
        super().setUp()
        self.file = self.folder / "known.assay"
        self.run_known(self.file, 2)
        self.views = [("summary", self.file), ("show", self.file), ("show", self.file, 1)]

    def test_colours_on_a_terminal(self):
        for view in self.views:
            with self.subTest(view):
                code, screen = assay_on_terminal(*view)
                self.assertEqual(code, 0)
                self.assertIn(ESCAPE + "[", screen)

    def test_none_where_no_color_is_set_or_the_terminal_is_dumb(self):
        for quiet in [{"NO_COLOR": "1"}, {"TERM": "dumb"}]:
            for view in self.views:
                with self.subTest(view, **quiet):
                    code, screen = assay_on_terminal(*view, **quiet)
                    self.assertEqual(code, 0)
                    self.assertNotIn(ESCAPE, screen)

    def test_none_in_a_pipe(self):
        for view in self.views:
            with self.subTest(view):
                done = assay(*view)
                self.assertEqual((done.code, done.err), (0, ""))
                self.assertNotIn(ESCAPE, done.out)

    def test_sixty_columns_suffice(self):
        for view in self.views:
            with self.subTest(view):
                code, screen = assay_on_terminal(*view, columns=60)
                self.assertEqual(code, 0)
                self.assert_fits(screen, 60)
                self.assert_fits(assay(*view, COLUMNS="60").out, 60)

    def test_a_terminal_of_ten_columns_ends_no_program(self):
        for view in self.views:
            with self.subTest(view):
                code, screen = assay_on_terminal(*view, columns=10)
                self.assertEqual(code, 0)
                self.assertTrue(screen)

    def test_what_a_terminal_shows_is_what_a_pipe_gets(self):
        code, screen = assay_on_terminal("summary", self.file, columns=100)
        self.assertEqual((code, plain(screen)), (0, assay("summary", self.file).out))

    def test_a_reader_that_goes_away_is_no_failure(self):
        ours, its = os.pipe()
        os.close(ours)
        done = subprocess.run([ASSAY, "show", str(self.file), "--all", "--json"], stdout=its, stderr=subprocess.PIPE,
                              env=environment(), timeout=60)
        os.close(its)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_output_that_cannot_be_written_is_one(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([ASSAY, "summary", str(self.file)], stdout=full, stderr=subprocess.PIPE, env=environment(),
                                  timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"could not be written", done.stderr)


class StartUp(Case):
    @unittest.skipIf(SANITIZED or os.environ.get("ASSAY_BUILD_TYPE") == "Debug", "only what users run must be quick")
    def test_help_appears_in_under_ten_milliseconds(self):
        def seconds():
            before = time.perf_counter()
            pid = os.posix_spawn(ASSAY, [ASSAY, "run", "--help"], environment(),
                                 file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
            os.waitpid(pid, 0)
            return time.perf_counter() - before
        best = min(seconds() for _ in range(30))  # the best of many: what the program needs, not what the machine was doing
        self.assertLess(best, 0.010)


if __name__ == "__main__":
    main()
