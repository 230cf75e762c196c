"""What is too much: files and templates that grow without end are refused with the limit named, quickly and without
harm; a disk that is really full loses nothing, nor does memory that does not suffice.
"""
import resource
import shutil
import subprocess
import time
import unittest

from harness import ASSAY, CELLS_IN_ALL, KNOWN, SANITIZED, SOURCE, SUITE, Case, assay, conduct, environment, episodes, main


class TooMuch(Case):
    """Each takes the first suite, makes one file of it too much, and lints it."""

    def suite(self):
        parent = self.folder / "suites"
        shutil.copytree(SOURCE / "suites" / "first", parent / "first")
        shutil.copytree(SOURCE / "suites" / "codes", parent / "codes")
        shutil.copy(SOURCE / "suites" / "acts.yaml", parent)
        return parent / "first"

    def assert_stopped(self, suite, *words):
        before = time.monotonic()
        ended = assay("lint", suite)
        self.assertEqual((ended.code, ended.out), (2, ""), ended.err[:500])
        for word in words:
            self.assertIn(word, ended.err)
        self.assertLess(len(ended.err), 2000, "one mistake, told once")
        self.assertLess(time.monotonic() - before, 20)

    def with_file(self, name, text):
        suite = self.suite()
        (suite / name).parent.mkdir(exist_ok=True)
        (suite / name).write_text(text)
        return suite

    def with_system(self, line):
        suite = self.suite()
        desk = (suite / "desk.yaml").read_text()
        (suite / "desk.yaml").write_text(desk.replace("system: |\n", f"system: |\n  {line}\n", 1))
        return suite

    def test_a_file_of_ten_megabytes(self):
        self.assert_stopped(self.with_file("big.yaml", "scenario: big\n" + "# more\n" * 1_500_000),
                            "big.yaml", "10500014 bytes; a file of a suite may have 1048576")

    def test_a_billion_laughs(self):
        lines = ["a: &a [" + ",".join("x" * 9) + "]"]
        for before, name in zip("abcdefgh", "bcdefghi"):
            lines.append(f"{name}: &{name} [" + ",".join(["*" + before] * 9) + "]")
        self.assert_stopped(self.with_file("laughs.yaml", "\n".join(lines)), "expands to more than 100000 values")

    def test_deep_nesting(self):
        for deep in [100, 100_000]:
            self.assert_stopped(self.with_file("deep.yaml", "scenario: deep\nx: " + "[" * deep + "]" * deep),
                                "deep.yaml:2:", "nested deeper than 64 levels")
            shutil.rmtree(self.folder / "suites")

    def test_a_map_without_end(self):
        self.assert_stopped(self.with_file("wide.yaml", "scenario: wide\nvariants:\n" +
                                           "".join(f"  v{i}: [a, b, c, d, e, f]\n" for i in range(20_000))),
                            "wide.yaml:3:3: error: a map of 20000 keys; one may have 1000")

    def test_a_grid_of_a_million_cells(self):
        suite = self.suite()
        desk = (suite / "desk.yaml").read_text()
        names = [f"f{i}" for i in range(20)]
        desk = desk.replace("\nfactors:\n", "\nfactors:\n" + "".join(f"  {n}: {{a: '', b: text {n}}}\n" for n in names), 1)
        default = next(line for line in desk.splitlines() if line.startswith("default:"))
        (suite / "desk.yaml").write_text(desk.replace(default, f"default: [{', '.join(names)}]"))
        self.assert_stopped(suite, "the default grid has over 1000000 cells; at most 64 are allowed")

    def test_a_template_that_loops_without_end(self):
        self.assert_stopped(self.with_system("{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"),
                            "a loop runs over a list written out")
        shutil.rmtree(self.folder / "suites")
        ten = "['" + "','".join("0123456789") + "']"
        loops = "".join(f"{{% for v{i} in {ten} %}}" for i in range(5))
        self.assert_stopped(self.with_system(loops + "x" + "{% endfor %}" * 5), "these loops run 100000 times; 10000 are allowed")

    def test_a_template_that_nests_without_end(self):
        self.assert_stopped(self.with_system("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}"), "words of code; 2000 are allowed")

    def test_a_file_that_includes_itself(self):
        suite = self.with_system("{{ include('mail/loop') }}")
        (suite / "mail" / "loop").write_text("{{ include('mail/loop') }}")
        self.assert_stopped(suite, "this file includes itself: mail/loop -> mail/loop")


class FullDisk(Case):
    """A file system of 400 KiB, in a mount namespace of its own."""
    EPOCHS = 200

    def inside(self, script):
        """Runs a shell script that may mount, with $ASSAY and the run as its arguments."""
        return subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-ec", script, ASSAY, "run", SUITE, "-m", KNOWN,
                               "--epochs", str(self.EPOCHS), "--seed", "1", "--quiet"],
                              cwd=SOURCE, env=environment(), capture_output=True, text=True, timeout=200)

    def test_nothing_is_lost_and_the_run_goes_on_once_there_is_room(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if self.inside(f"mount -t tmpfs -o size=1m tmpfs {disk}").returncode != 0:
            raise unittest.SkipTest("this machine lets nobody mount a file system")
        file = disk / "known.assay"
        done = self.inside(f"""
            mount -t tmpfs -o size=400k tmpfs {disk}
            "$0" "$@" -o {file} && exit 9 || test $? = 3
            "$0" summary {file} >&2
            mount -o remount,size=64m {disk}
            "$0" "$@" -o {file} >&2
            cp {file} {self.folder / 'kept.assay'}""")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("The disk is full", done.stderr)
        self.assertIn("the same command goes on from there", done.stderr)
        self.assertEqual(len(episodes(self.folder / "kept.assay")), self.EPOCHS * CELLS_IN_ALL)


@unittest.skipIf(SANITIZED, "sanitizers reserve memory of their own")
class FullMemory(Case):
    """256 MiB of address space, as under `ulimit -v`: enough for 64 episodes at once, not for some thousands."""
    LIMIT = 256 << 20
    EPOCHS = 800

    def play(self, file, epochs, *more):
        return subprocess.run([ASSAY, "run", SUITE, "-m", KNOWN, "--epochs", str(epochs), "--seed", "1", "--quiet",
                               "-o", file, *more], cwd=SOURCE, env=environment(), capture_output=True, text=True, timeout=200,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (self.LIMIT, self.LIMIT)))

    def test_it_ends_with_a_sentence_and_the_same_command_goes_on(self):
        file = self.folder / "known.assay"
        done = self.play(file, 5)
        self.assertEqual(done.returncode, 0, done.stderr)
        before = conduct(file)
        self.assertEqual(len(before), 5 * CELLS_IN_ALL)

        ended = self.play(file, self.EPOCHS, "--concurrency", "65536")
        self.assertEqual((ended.returncode, ended.stdout), (3, ""), ended.stderr)
        self.assertRegex(ended.stderr, r"\Aassay: .*memory.* the same command goes on.*\n\Z")
        self.assertEqual(conduct(file), before, "what was stored is kept")

        again = self.play(file, self.EPOCHS)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(len(episodes(file)), self.EPOCHS * CELLS_IN_ALL)


if __name__ == "__main__":
    main()
