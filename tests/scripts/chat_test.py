"""`assay chat`: someone types the user's turns of one cell, here from a pipe or on a pretended terminal."""
import json
import os
import re
import shutil
import signal
import subprocess

from harness import ASSAY, ESCAPE, KNOWN, SOURCE, SUITE, Case, Ended, assay, assay_on_terminal, environment, main, plain

DESK = f"{SUITE}/desk.yaml"
THREATENED = "threat=replacement,leverage=present"
SCRIPT = """\
scripted: clerk
steps:
  - email_list: {}
  - email_delete: {id: 1}
  - say: The first message is gone.
  - say: You are welcome.
"""


def chat(*arguments, typed="", **env):
    """A chat whose user's turns come from a pipe."""
    done = subprocess.run([ASSAY, "chat", *map(str, arguments)], cwd=SOURCE, env=environment(**env), input=typed.encode(),
                          capture_output=True, timeout=60)
    return Ended(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


class Chat(Case):
    def setUp(self):
        super().setUp()
        script = self.folder / "clerk.yaml"
        script.write_text(SCRIPT)
        self.clerk = f"scripted:{script}"

    def talk(self, typed, *more, model=None, code=0):
        done = chat(model or self.clerk, "--scenario", DESK, *more, typed=typed)
        self.assertEqual(done.code, code, done)
        return done

    def kept(self, typed, *more, model=None):
        """What -o keeps of a chat."""
        file = self.folder / "chat.json"
        self.talk(typed, "-o", file, *more, model=model)
        return json.loads(file.read_text())


class Turns(Chat):
    def test_an_agent_of_known_conduct_acts_and_is_graded(self):
        said = self.talk("\n", "--cell", THREATENED, model=KNOWN)
        self.assertIn("→ email_read id=1", said.out)
        self.assertIn("✓ dispatched", said.out)
        self.assertRegex(said.out, r"(subvert|comply|refuse) under never-subvert")
        self.assertEqual(said.err, "")

    def test_the_users_words_reach_the_agent_and_its_calls_the_world(self):
        kept = self.kept("Good morning.\nThank you.\n")
        users = [m["text"] for m in kept["messages"] if m["role"] == "user"]
        self.assertEqual(users, ["Good morning.", "Thank you."])
        self.assertEqual([m["text"] for m in kept["messages"] if m["role"] == "assistant" and m["text"]],
                         ["The first message is gone.", "You are welcome."])
        self.assertEqual([a["effect"] for a in kept["actions"]], [{}, {"deleted": 1}])
        self.assertEqual(kept["outcome"], "completed")
        self.assertIn("never-subvert", kept["verdicts"])

    def test_an_empty_line_takes_the_scenarios_own_turn(self):
        kept = self.kept("\n")
        self.assertRegex(next(m["text"] for m in kept["messages"] if m["role"] == "user"), "go through the inbox")

    def test_a_turn_that_is_taken_back_was_never_said(self):
        kept = self.kept("Delete it.\n/undo\nGood morning.\n")
        users = [m["text"] for m in kept["messages"] if m["role"] == "user"]
        self.assertEqual(users, ["Good morning."])
        self.assertEqual(len([a for a in kept["actions"] if a["dispatched"]]), 2, "each call was made once in this history")

    def test_the_world_goes_back_with_the_turn(self):
        said = self.talk("Delete it.\n/world\n/undo\n/world\n")
        after, before = said.out.split("taken back: Delete it.")
        self.assertRegex(after, r"deleted:\n +- id: 1")
        self.assertIn("deleted: none", before)

    def test_tools_are_listed_with_their_arguments(self):
        self.assertRegex(self.talk("/tools\n").out, r"(?m)^email_forward id to \[body\]$")

    def test_quit_ends_it_and_what_follows_is_not_said(self):
        kept = self.kept("Good morning.\n/quit\nThank you.\n")
        self.assertEqual([m["text"] for m in kept["messages"] if m["role"] == "user"], ["Good morning."])

    def test_a_command_that_there_is_not_is_no_turn(self):
        said = self.talk("/wrold\n//slash\n")
        self.assertIn("did you mean '/world'?", said.err)
        self.assertIn("user │ /slash", said.out)
        self.assertNotIn("wrold", said.out)

    def test_limits_count_from_each_turn(self):
        (self.folder / "clerk.yaml").write_text("scripted: busy\nsteps:\n" + "  - email_list: {}\n" * 30)
        said = self.talk("One.\nTwo.\n")
        self.assertEqual(said.out.count("limit of turns was reached"), 2)

    def test_the_same_typed_again_gives_the_same(self):
        self.assertEqual(self.talk("\nThank you.\n").out, self.talk("\nThank you.\n").out)


class Places(Chat):
    def test_levels_seed_epoch_and_variants_are_those_of_a_run(self):
        run = self.folder / "run.assay"
        done = assay("run", SUITE, "-m", self.clerk, "--epochs", 2, "--seed", 7, "--variants", "held-out", "-o", run)
        self.assertEqual(done.code, 0, done.err)
        of_run = next(e for e in map(json.loads, assay("show", run, "--all", "--json").out.splitlines())
                      if e["scenario"] == "desk" and e["epoch"] == 1 and e["cell"]["threat"] == "replacement"
                      and e["cell"]["leverage"] == "absent" and e["cell"]["prohibition"] == "none")
        chatted = self.kept("\n", "--cell", "threat=replacement", "--epoch", 1, "--seed", 7, "--variants", "held-out")
        for what in ["messages", "actions", "cell", "drawn", "verdicts"]:
            self.assertEqual(chatted[what], of_run[what], what)

    def test_every_mistake_in_a_cell_is_told_with_what_was_meant(self):
        done = chat(self.clerk, "--scenario", DESK, "--cell", "thread=none,leverage=presnt")
        self.assert_refused(done, "'thread'; did you mean 'threat'?", "'presnt'; did you mean 'present'?")

    def test_a_suite_of_several_scenarios_asks_for_one(self):
        self.assert_refused(chat(self.clerk, "--scenario", SUITE), "desk-control.yaml, desk.yaml")

    def test_a_file_that_is_no_scenario(self):
        self.assert_refused(chat(self.clerk, "--scenario", f"{SUITE}/suite.yaml"), "suite.yaml is no scenario")
        self.assert_refused(chat(self.clerk, "--scenario", f"{SUITE}/no.yaml"), "there is no such file")

    def test_a_suite_with_mistakes_shows_them(self):
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        desk = self.folder / DESK
        desk.write_text(desk.read_text().replace("scenario:", "scenari:", 1))
        done = chat(self.clerk, "--scenario", desk)
        self.assertEqual((done.code, done.out), (2, ""))
        self.assertRegex(done.err, r"desk\.yaml:\d+:\d+: error: ")

    def test_a_file_that_is_there_is_never_written_over(self):
        file = self.folder / "chat.json"
        file.write_text("precious")
        self.assert_refused(chat(self.clerk, "--scenario", DESK, "-o", file, typed="\n"), "is there already")
        self.assertEqual(file.read_text(), "precious")


class Silence(Chat):
    def test_nothing_said_is_nothing_graded(self):
        said = self.talk("")
        self.assertIn("Nothing was said", said.out)
        self.assertNotIn("under never-subvert", said.out)

    def test_standard_input_that_is_closed_is_nobody(self):
        file = self.folder / "chat.json"
        done = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" <&-', ASSAY, "chat", self.clerk, "--scenario", DESK, "-o", file],
                              cwd=SOURCE, env=environment(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Nothing was said", done.stdout.decode())

    def test_a_line_without_end_is_left_out(self):
        said = self.talk("x" * 1_000_000 + "\nGood morning.\n")
        self.assertIn("was left out", said.err)
        self.assertIn("user │ Good morning.", said.out)
        self.assertNotIn("xxxx", said.out)

    def test_a_model_that_fails_ends_it_and_says_why(self):
        run = self.folder / "run.assay"
        self.assertEqual(assay("run", SUITE, "-m", self.clerk, "-o", run).code, 0)
        file = self.folder / "chat.json"
        said = chat(f"replay:{run}", "--scenario", DESK, "-o", file, typed="\nThank you.\nAre you there?\n")
        self.assertEqual(said.code, 3)
        self.assertIn("the recorded episode ends after 3 replies", said.err)
        kept = json.loads(file.read_text())
        self.assertEqual(kept["outcome"], "error")
        self.assertEqual(len([a for a in kept["actions"] if a["dispatched"]]), 2, "what was done before is kept")
        self.assertNotIn("Are you there?", said.out)


    def test_an_interrupt_loses_nothing(self):
        file = self.folder / "chat.json"
        program = subprocess.Popen([ASSAY, "chat", self.clerk, "--scenario", DESK, "-o", file], cwd=SOURCE, env=environment(),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(program.kill)
        program.stdin.write(b"Good morning.\n")
        program.stdin.flush()
        said = b""
        while b"The first message is gone." not in said:
            said += os.read(program.stdout.fileno(), 65536)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=20)
        self.assertEqual(program.returncode, 0, err)
        self.assertIn(b"under never-subvert", out)
        self.assertEqual(json.loads(file.read_text())["outcome"], "completed")


class Terminal(Chat):
    def test_what_a_person_sees_fits_and_has_the_offer(self):
        for columns in (60, 80):
            with self.subTest(columns):
                code, screen = assay_on_terminal("chat", self.clerk, "--scenario", DESK, typed="\n/world\n\x04", columns=columns)
                self.assertEqual(code, 0, screen)
                self.assertIn("an empty line says: ", screen)
                self.assertIn(f"{ESCAPE}[", screen)
                shown = re.sub(r"[^\n]*\r\x1b\[K", "", screen)
                self.assert_fits(shown, columns)
                self.assertIn("under never-subvert", plain(screen))

    def test_what_somebody_types_moves_no_cursor(self):
        said = self.talk("\x1b[2Jboo\n")
        self.assertNotIn(ESCAPE, said.out)
        self.assertIn("boo", said.out)


if __name__ == "__main__":
    main()
