"""`assay model`: what a model is, and what assay will do with it. A GGUF is looked at where `make model` has fetched one."""
import json
import re
import unittest

from harness import CELLS_IN_ALL, ESCAPE, KNOWN, SOURCE, SUITE, Case, assay, main, plain
from model_test import MODEL, NAME

real = unittest.skipUnless(MODEL.exists(), f"there is no {NAME} in the cache folder; `make model` fetches it")


def card(model, *more):
    shown = assay("model", model, "--json", *more)
    if shown.code != 0:
        raise AssertionError(shown)
    return json.loads(shown.out)


class Known(Case):
    def test_a_policy_is_shown_in_the_same_shape_as_all_others(self):
        script = self.folder / "script.yaml"
        script.write_text("scripted: clerk\nsteps:\n  - email_list: {}\n")
        run = self.folder / "known.assay"
        self.run_known(run, 1)
        cards = [card(KNOWN), card(f"scripted:{script}"), card(f"replay:{run}")]
        self.assertEqual([c["id"] for c in cards], ["policy:cornered", "scripted:clerk", "replay:policy:cornered"])
        self.assertEqual(len({tuple(c) for c in cards}), 1, "the same members in the same order")
        self.assertRegex(cards[0]["what"], r"known conduct.* blackmail, comply, .* by \d+ rules")
        self.assertIn("in 1 step", cards[1]["what"])
        self.assertIn(f"in {CELLS_IN_ALL} episodes", cards[2]["what"])
        self.assertFalse(cards[0]["logprobs"])
        self.assertIsNone(cards[0]["context"]["used"])
        self.assertEqual(cards[0]["file"]["name"], "cornered.yaml")

    def test_a_recording_is_asked_whether_it_has_a_suites_episodes(self):
        run = self.folder / "known.assay"
        done = assay("run", SUITE, "-m", KNOWN, "--only", "threat=none", "-o", run)
        self.assertEqual(done.code, 0, done.err)
        shown = assay("model", f"replay:{run}", "--suite", SUITE)
        self.assertEqual(shown.code, 1, "not all of them: the check that was asked for did not hold")
        self.assertIn("has not recorded", " ".join(shown.out.split()))

    def test_of_words_without_a_template_there_is_none_to_print(self):
        self.assert_refused(assay("model", KNOWN, "--template"), "no chat template")

    def test_every_option_has_its_sentence(self):
        page = assay("model", "--options")
        self.assertEqual((page.code, page.err), (0, ""))
        names = [n.strip() for n in assay("model", "--help").out.split("understands\n")[1].replace("\n", " ").split(",")]
        self.assertIn("mode", names)
        for name in names:
            self.assertRegex(page.out, rf"(?m)^{name}=\S+\n[^\n]+")
        described = re.findall(r"(?m)^\| `(\w+)` \|", (SOURCE / "docs/models.md").read_text().split("## Options")[1].split("## ")[0])
        self.assertEqual(described, names, "the page has each of them")
        for columns in ("60", "80"):
            self.assert_fits(assay("model", "--options", COLUMNS=columns).out, int(columns))

    def test_what_is_no_model_is_one_sentence(self):
        text = self.folder / "text.gguf"
        text.write_text("no model")
        for model, why in [("gguf:/dev/null", "not a regular file"), (f"gguf:{text}", "is not a GGUF file"),
                           (f"gguf:{self.folder}", "it is a folder"), ("gguf:x.gguf?ctxx=512", "did you mean 'ctx'?"),
                           ("gpt", "names no model"), (f"replay:{text}", "text.gguf")]:
            with self.subTest(model):
                self.assert_refused(assay("model", model), why)
        self.assert_refused(assay("model"), "MODEL is required")
        self.assert_refused(assay("model", KNOWN, "--suite", self.folder), "no suite.yaml")


@real
class Gguf(Case):
    def test_the_numbers_are_those_of_the_file(self):
        shown = card(f"gguf:{MODEL}?threads=1&grammar=on", "--suite", SUITE)
        self.assertEqual((shown["architecture"], shown["quantisation"], shown["vocabulary"]), ("llama", "Q4_1", 49152))
        self.assertEqual(shown["parameters"], 134515008)
        self.assertEqual(shown["file"]["bytes"], MODEL.stat().st_size)
        self.assertEqual(shown["tokens"]["eos"], {"id": 2, "text": "<|im_end|>"})
        self.assertEqual((shown["threads"], shown["mode"], shown["logprobs"]), (1, "fast", True))
        self.assertEqual(shown["grammar"], {"possible": True, "on": True})
        self.assertEqual(shown["tool_format"], "generic")
        # 30 layers, 3 heads of 64 numbers for keys and as many for values, of two bytes each.
        self.assertEqual(shown["held"]["bytes"], shown["held"]["tokens"] * 30 * 3 * 64 * 2 * 2)
        free, given = shown["suite"]["openings"]
        self.assertEqual((free["openings"], free["refused"]), (CELLS_IN_ALL, 0))
        self.assertGreater(given["longest_tokens"], free["longest_tokens"])

    def test_a_context_without_room_for_a_suite_fails_the_check(self):
        shown = assay("model", f"gguf:{MODEL}?ctx=1024", "--suite", SUITE)
        self.assertEqual(shown.code, 1)
        self.assertRegex(shown.out, r"first prompt +fits: \d+ tokens at most")
        self.assertRegex(" ".join(shown.out.split()), r"prelude given \d+ of 12 cannot be answered: .* a context of 1024 tokens")

    def test_the_page_fits_the_terminal_and_the_template_is_whole(self):
        for columns in ("60", "80"):
            page = assay("model", f"gguf:{MODEL}", COLUMNS=columns)
            self.assert_fits(page.out, int(columns))
            self.assertIn("--template prints it whole", " ".join(page.out.split()))
        template = assay("model", f"gguf:{MODEL}", "--template")
        self.assertEqual(template.out.strip(), card(f"gguf:{MODEL}")["chat_template"].strip())

    def test_a_template_moves_no_cursor(self):
        evil = self.folder / "evil.gguf"
        data = MODEL.read_bytes()
        self.assertEqual(data.count(b"You are a helpful AI"), 1)
        evil.write_bytes(data.replace(b"You are a helpful AI", b"\x1b[2J\x1b]0;boo\x07        "))
        for more in [(), ("--template",)]:
            shown = assay("model", f"gguf:{evil}", *more)
            self.assertEqual(shown.code, 0, shown.err)
            self.assertNotIn(ESCAPE, plain(shown.out))
            self.assertIn("boo", shown.out)


if __name__ == "__main__":
    main()
