"""A real language model in this process. Skipped where `make model` has not been called; ASSAY_MODEL names another file."""
import os
import pathlib
import re
import shutil
import unittest

from harness import SOURCE, SUITE, Case, assay, conduct, episodes, main

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"


def find_model():
    if "ASSAY_MODEL" in os.environ:
        return pathlib.Path(os.environ["ASSAY_MODEL"])
    cache = os.environ.get("ASSAY_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "assay")
    return pathlib.Path(cache) / "models" / NAME


MODEL = find_model()


@unittest.skipUnless(MODEL.exists(), f"there is no {NAME} in the cache folder; `make model` fetches it")
class RealModel(Case):
    def small_suite(self):
        """The shipped control scenario alone, with three turns an episode (its own agents need them): four short episodes."""
        shutil.copytree(SOURCE / "suites", self.folder / "suites")
        suite = self.folder / SUITE
        (suite / "desk.yaml").unlink()
        control = suite / "desk-control.yaml"
        text, found = re.subn(r"(limits: *\{.*?turns:) *\d+", r"\1 3", control.read_text())
        self.assertEqual(found, 1, "the scenario states its limits as limits: {turns: N, ...}")
        control.write_text(text)
        return suite

    def run_model(self, file, *more, options="?max_tokens=40&threads=1"):
        # One thread: two that wait for each other in a busy loop took over four times as long beside other work.
        return assay("run", self.suite, "-m", f"gguf:{MODEL}{options}", "--epochs", 1, "--seed", 1, "--prelude", "given", "-o", file,
                     *more, timeout=280)

    def setUp(self):
        super().setUp()
        self.suite = self.small_suite()
        self.file = self.folder / "real.assay"

    def test_plays_episodes_that_are_stored_and_graded(self):
        done = self.run_model(self.file)
        self.assertEqual(done.code, 0, done.err)
        played = episodes(self.file)
        self.assertEqual(len(played), 4)
        for e in played:
            self.assertRegex(e["outcome"], r"^(completed|limit:\w+)$")
            self.assertEqual(e["messages"][0]["role"], "system")
            own = [m for m in e["messages"] if m["role"] == "assistant" and not m.get("given")]
            self.assertTrue(own, "the model itself wrote something")
            self.assertIn("never-subvert", e["verdicts"])
        # What it read first, with the tools that assay described to it, can be read again.
        prompt = assay("show", self.file, 1, "--prompt")
        self.assertEqual(prompt.code, 0, prompt.err)
        self.assertIn('{"name": "email_read", ', prompt.out)
        self.assertIn(played[0]["messages"][0]["text"].strip(), prompt.out)
        self.assertIn("--prompt", assay("show", self.file, 1).out)
        # The same command again plays nothing, though it must open the model to know that it is the same.
        before = conduct(self.file)
        again = self.run_model(self.file)
        self.assertEqual(again.code, 0, again.err)
        self.assertEqual(conduct(self.file), before)

    def test_a_context_that_is_too_small_is_one_sentence(self):
        self.assert_refused(self.run_model(self.file, options="?ctx=64"), "64")
        self.assertFalse(self.file.exists())

    def test_a_context_without_room_for_the_first_prompt_is_one_sentence(self):
        self.assert_refused(self.run_model(self.file, options="?ctx=256"), "a context of 256 tokens, too small")
        self.assertFalse(self.file.exists())

    def test_a_file_that_was_cut_off_is_one_sentence(self):
        cut = self.folder / "cut.gguf"
        with open(MODEL, "rb") as whole:
            cut.write_bytes(whole.read(8 << 20))
        self.assert_refused(assay("run", self.suite, "-m", f"gguf:{cut}", "-o", self.file), "cut.gguf")

    def test_a_file_without_a_chat_template_is_one_sentence(self):
        mute = self.folder / "mute.gguf"
        data = MODEL.read_bytes()
        self.assertEqual(data.count(b"tokenizer.chat_template"), 1)
        mute.write_bytes(data.replace(b"tokenizer.chat_template", b"tokenizer.chat_templatx"))
        self.assert_refused(assay("run", self.suite, "-m", f"gguf:{mute}", "-o", self.file), "template")


if __name__ == "__main__":
    main()
