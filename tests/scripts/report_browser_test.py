"""The report page in a real browser: it draws, leads from a number to its words, and nothing that a model said runs.

Needs Playwright for Python and a Chromium (CHROMIUM names it, or `chromium` on the path); without them it is skipped.
"""
import os
import shutil
import sys

try:
    from playwright.sync_api import sync_playwright
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
if not CHROMIUM:
    print("skipped: there is no Chromium")
    sys.exit(77)

from harness import assay, main
from report_test import PAYLOADS, Report


class Browser(Report):
    @classmethod
    def setUpClass(cls):
        cls.playwright = sync_playwright().start()
        cls.chromium = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

    @classmethod
    def tearDownClass(cls):
        cls.chromium.close()
        cls.playwright.stop()

    def open(self, run, width=1280, **more):
        """The report of a run in the browser; whatever goes wrong there fails the test."""
        target = self.folder / "page.html"
        done = assay("report", run, "-o", target)
        self.assertEqual(done.code, 0, done.err)
        page = self.chromium.new_page(viewport={"width": width, "height": 900}, **more)
        self.addCleanup(page.close)
        self.wrong = []
        page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.wrong.append(str(e)))
        page.on("request", lambda r: self.wrong.append(r.url) if not r.url.startswith(("file:", "blob:")) else None)
        page.on("dialog", lambda d: (self.wrong.append("a dialog"), d.dismiss()))
        page.goto(target.as_uri())
        page.wait_for_selector("#conduct svg")
        return page

    def test_every_plot_has_marks_and_fits_at_each_width(self):
        run = self.known(20)
        for width in (390, 1280, 1920):
            with self.subTest(width):
                page = self.open(run, width)
                marks = page.eval_on_selector_all(".plot svg", "all => all.map(s => s.querySelectorAll('rect.part, circle, rect.cell').length)")
                self.assertGreaterEqual(len(marks), 5)
                self.assertTrue(all(marks), marks)
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                self.assertEqual(self.wrong, [])

    def test_two_presses_lead_from_a_number_to_its_words(self):
        page = self.open(self.known(20))
        page.locator("#conduct rect.v-subvert").first.click()
        page.locator(".episode-row").first.click()
        shown = page.locator(".episode")
        self.assertIn("subvert", shown.locator(".verdicts").inner_text())
        self.assertGreater(shown.locator("mark").count(), 0, "the evidence is marked")
        self.assertRegex(page.url, r"#episode-\d+$")

    def test_all_of_it_can_be_done_by_keys(self):
        page = self.open(self.known(20))
        page.locator("#causes g.pressable").first.focus()
        page.keyboard.press("Enter")
        self.assertIn("Twins:", page.evaluate("document.activeElement.textContent"))
        page.locator(".episode-row").first.focus()
        before = page.locator(".episode h3").inner_text()
        page.keyboard.press("ArrowDown")
        self.assertNotEqual(page.locator(".episode h3").inner_text(), before)

    def test_twins_mark_what_differs_and_where_they_part(self):
        page = self.open(self.known(20))
        self.assertGreater(page.locator(".twins ins").count(), 0)
        self.assertEqual(page.locator(".parting").count(), 1)

    def test_plots_are_saved(self):
        page = self.open(self.known(5))
        for name, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b'"scenario"')):
            with page.expect_download() as download:
                page.locator("#conduct figure").first.get_by_role("button", name=name).click()
            with open(download.value.path(), "rb") as file:
                self.assertTrue(file.read().startswith(begins), name)
        self.assertEqual(self.wrong, [])

    def test_nothing_that_was_said_runs_or_is_fetched(self):
        page = self.open(self.run_of("hostile", "\n".join(PAYLOADS)))
        for row in range(3):
            page.locator(".episode-row").nth(row).click()
            folded = page.locator(".episode button:visible", has_text="Show all")
            while folded.count():
                folded.first.click()
        page.wait_for_timeout(300)
        self.assertIn("onerror=escaped=1", page.locator(".episode").inner_text())
        self.assertGreater(page.locator(".episode .hidden-mark", has_text="U+202E").count(), 0)
        self.assertEqual(page.evaluate("typeof window.escaped"), "undefined")
        self.assertEqual(page.locator("iframe, img, object, embed, base, link").count(), 0)
        self.assertEqual(self.wrong, [])


if __name__ == "__main__":
    main()
