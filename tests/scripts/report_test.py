"""`assay report`: one HTML file that holds the run, fetches nothing, and lets no text from a model become a part of it."""
import base64
import hashlib
import html.parser
import json
import re
import shutil
import subprocess
import unittest

from harness import SOURCE, SUITE, Case, assay, main

# What a model could write to get out of where its words stand. Whatever of it ran would set window.escaped.
HANDLERS = ["onerror", "onload", "onfocus", "onmouseover", "onclick", "ontoggle", "onbegin", "onanimationstart", "onpageshow", "onscroll"]
ELEMENTS = ["<img src=x {}=escaped=1>", "<svg {}=escaped=1>", "<body {}=escaped=1>", "<details open {}=escaped=1>",
            "<input autofocus {}=escaped=1>", "<video src=x {}=escaped=1>", "<svg><animate {}=escaped=1 attributeName=x>",
            "\"><img src=x {}=escaped=1>", "' {}='escaped=1"]
PAYLOADS = [
    "</script><script>escaped=1</script>", "</SCRIPT ><script>escaped=1</script>", "<!--<script>", "-->", "]]>", "</textarea></style></title>",
    "javascript:escaped=1", "<iframe srcdoc='<script>parent.escaped=1</script>'>", "{{program}}", "{{words}}", "${escaped=1}", "`${escaped=1}`",
    "\\u003c/script\\u003e", "\\", "\"", "\u202egnp.exe", "\u2066hidden\u2069", "\x1b[31mred\x1b[0m", "\u2028\u2029", "\x00", "\ufeff", "\U000e0041",
    "<base href=//evil.example>", "<meta http-equiv=refresh content='0;url=//evil.example'>", "<link rel=stylesheet href=//evil.example>",
    "<a href=javascript:escaped=1>x</a>", "<style>*{display:none}</style>", "<style>@import '//evil.example'</style>",
    "<math><mtext></p><img src=x onerror=escaped=1>", "__proto__", "constructor", "a" * 100_000, "=cmd|' /C calc'!A0",
    *(element.format(handler) for element in ELEMENTS for handler in HANDLERS),
]


def in_yaml(text):
    """A text in double quotes, as YAML reads it."""
    return '"' + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


class Tags(html.parser.HTMLParser):
    """Every start tag of a page with its attributes, and the text of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self.inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag in ("script", "style")
        if self.inside:
            self.texts.append((dict(attributes).get("id") or tag, ""))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        if self.inside:
            name, before = self.texts[-1]
            self.texts[-1] = (name, before + text)


class Report(Case):
    def page(self, run, *more):
        """(the page's text, its data, its words)"""
        target = self.folder / "page.html"
        done = assay("report", run, "-o", target, *more)
        self.assertEqual((done.code, done.err), (0, ""))
        text = target.read_text("utf-8")
        parts = dict(Tags(text).texts)
        return text, json.loads(parts["data"]), json.loads(parts["words"])

    def known(self, epochs):
        run = self.folder / "known.assay"
        self.run_known(run, epochs)
        return run

    def run_of(self, name, words):
        """A run of an agent that says these words wherever it can: in mail, in a call that cannot be read, to the user, as its own name."""
        script = self.folder / "agent.yaml"
        told = in_yaml(words)
        script.write_text(f"scripted: {in_yaml('agent ' + words[:60])}\nsteps:\n"
                          f"  - email_send: {{to: {told}, subject: {told}, body: {told}}}\n"
                          f"  - email_send: {{to: desk@evil.example, subject: {told}, body: {told}, {in_yaml(words[:40])}: {told}}}\n"
                          f"  - raw: {in_yaml('{' + words)}\n"
                          f"  - say: {told}\n")
        run = self.folder / f"{name}.assay"
        done = assay("run", SUITE, "-m", f"scripted:{script}", "--epochs", 1, "-o", run)
        self.assertEqual(done.code, 0, done.err)
        return run


class Page(Report):
    def test_holds_what_the_summary_and_the_episodes_say(self):
        run = self.known(5)
        _, data, words = self.page(run)
        summary = json.loads(assay("summary", run, "--json").out)
        self.assertEqual(data["summary"]["episodes"], summary["episodes"])
        self.assertEqual(len(data["summary"]["codes"][0]["rates"]), len(summary["codes"][0]["rates"]))
        for mine, theirs in zip(data["summary"]["codes"][0]["rates"], summary["codes"][0]["rates"]):
            self.assertEqual({k: mine[k] for k in ("scope", "outcome", "k", "n", "method")},
                             {k: theirs[k] for k in ("scope", "outcome", "k", "n", "method")})
            self.assertAlmostEqual(mine["estimate"], theirs["estimate"], places=5)
        for line in assay("show", run, "--all", "--json").out.splitlines():
            episode = json.loads(line)
            told = words["episodes"][str(episode["id"])]
            self.assertEqual([words["parts"][m] for m in told["messages"]], episode["messages"])
            self.assertEqual([words["parts"][a] for a in told["acts"]], episode["acts"])
            row = next(r for r in data["episodes"] if r["id"] == episode["id"])
            scenario = data["scenarios"][row["s"]]
            levels = scenario["cells"][row["c"]]["levels"]
            self.assertEqual({f["factor"]: f["levels"][at] for f, at in zip(scenario["factors"], levels)}, episode["cell"])
            self.assertEqual(data["verdicts"][row["v"][0]], episode["verdicts"][data["codes"][0]["code"]])
        self.assertEqual(sum(c["episodes"] for c in data["cells"]), summary["episodes"])
        self.assertTrue(data["truth"]["units"])

    def test_lies_beside_the_run_where_nobody_says_otherwise(self):
        run = self.known(1)
        done = assay("report", run)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("12 episodes", done.out)
        self.assertTrue(run.with_suffix(".html").exists())

    def test_fetches_nothing_and_runs_its_own_program_alone(self):
        text, _, _ = self.page(self.known(1))
        page = Tags(text)
        policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
        self.assertIn("default-src 'none'", policy)
        for name in ("script", "style"):
            own = dict(page.texts)[name]
            digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
            self.assertIn(f"{name}-src 'sha256-{digest}'", policy)
        self.assertNotIn("unsafe", policy)
        for tag, attributes in page.tags:
            self.assertNotIn("src", attributes)
            self.assertNotIn(tag, ("link", "iframe", "img", "object", "embed"))
            self.assertFalse([a for a in attributes if a.startswith("on")])

    def test_writes_text_as_text_alone(self):
        for source in (SOURCE / "web").glob("*.js"):
            code = source.read_text()
            for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "new Function", "fetch(",
                        "XMLHttpRequest", "import("):
                self.assertNotIn(way, code, source.name)

    @unittest.skipUnless(shutil.which("node"), "needs node")
    def test_its_program_is_whole(self):
        text, _, _ = self.page(self.known(1))
        program = self.folder / "program.mjs"
        program.write_text(dict(Tags(text).texts)["script"])
        checked = subprocess.run(["node", "--check", str(program)], capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_opens_with_the_code_that_is_asked_for(self):
        run = self.known(1)
        _, data, _ = self.page(run, "--code", "never-subvert")
        self.assertEqual(data["code"], "never-subvert")
        self.assert_refused(assay("report", run, "--code", "never-subvrt"), "never-subvert")

    def test_never_takes_the_place_of_the_run(self):
        run = self.known(1)
        before = run.read_bytes()
        self.assert_refused(assay("report", run, "-o", run), "run file")
        self.assertEqual(run.read_bytes(), before)
        self.assert_refused(assay("report", self.folder / "none.assay"), "none.assay")
        self.assert_refused(assay("report", run, "-o", self.folder / "no/such/page.html"), "page.html")


class Hostile(Report):
    def test_no_text_becomes_a_part_of_the_page(self):
        plain = Tags(self.page(self.run_of("plain", "nothing special"))[0])
        said = "\n".join(PAYLOADS)
        text, data, words = self.page(self.run_of("hostile", said))
        page = Tags(text)
        self.assertEqual([tag for tag, _ in page.tags], [tag for tag, _ in plain.tags], "the same elements, whatever was said")
        parts = [p for p in words["parts"] if isinstance(p, dict)]
        self.assertIn(said, [p.get("text") for p in parts])
        self.assertIn(said, [call["args"].get("body") for p in parts for call in p.get("calls", [])])
        self.assertEqual(len(re.findall("</script", text, re.IGNORECASE)), 3)
        self.assertNotIn("<!--", text)
        self.assertEqual(data["models"], ["scripted:agent " + said[:60]])


class Size(Report):
    def test_no_page_is_larger_than_it_may_be_and_it_says_what_is_missing(self):
        run = self.known(40)
        whole, all_of_it, _ = self.page(run)
        self.assertEqual(all_of_it["shown"]["shown"], 480)
        size = len(whole.encode()) - 150_000
        text, data, words = self.page(run, "--max-size", f"{size}B")
        self.assertLessEqual(len(text.encode()), size)
        shown = data["shown"]
        self.assertTrue(0 < shown["shown"] < 480, shown)
        self.assertEqual(shown["subversions_shown"], shown["subversions"], "subversions come before all others")
        self.assertEqual(len(words["episodes"]), shown["shown"])
        self.assertEqual(data["summary"]["episodes"], 480)

    def test_a_size_that_is_none_and_one_that_holds_nothing(self):
        run = self.known(1)
        for size in ("much", "-3MB", "0", "12XB", ""):
            with self.subTest(size):
                self.assert_refused(assay("report", run, "--max-size", size), "--max-size")
        self.assert_refused(assay("report", run, "--max-size", "10KB"), "--max-size 10KB", "numbers")


if __name__ == "__main__":
    main()
