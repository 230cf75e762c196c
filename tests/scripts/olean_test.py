"""`assay olean` and olean-names: lists, checks and made files, on real files and on what is none."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import unittest

from harness import ASSAY, ESCAPE, SANITIZED, SOURCE, Case, assay, assay_on_terminal, environment, main

DATA = SOURCE / "tests/data/olean"
REAL = sorted(p for p in DATA.iterdir() if re.search(r"\.olean(\.server|\.private)?$", p.name))
BASICS = DATA / "v1-4.13.0-rc3__Stlc.basics.olean"
PARTS = DATA / "v2-4.25.0-rc2__Plausible.Attr.olean"
OLEAN_NAMES = pathlib.Path(ASSAY).parent / "olean-names"


def expected(path, kinds=False):
    return pathlib.Path(f"{path}{'.kinds.tsv' if kinds else '.txt'}").read_text()


def olean_names(*arguments, stdin=None):
    return subprocess.run([OLEAN_NAMES, *map(str, arguments)], stdin=stdin or subprocess.DEVNULL, capture_output=True, timeout=60)


def fed(*arguments, data):
    """assay with these bytes as its standard input."""
    return subprocess.run([ASSAY, *map(str, arguments)], cwd=SOURCE, env=environment(), input=data, capture_output=True, timeout=60)


class Names(Case):
    def test_of_real_files_are_those_expected(self):
        for path in REAL:
            with self.subTest(path.name):
                done = assay("olean", "names", path)
                self.assertEqual((done.code, done.out), (0, expected(path)), done.err)
                done = assay("olean", "names", "-k", "-e", path)
                self.assertEqual((done.code, done.out), (0, expected(path, kinds=True)), done.err)

    def test_a_private_part_beside_a_file_is_told_of(self):
        done = assay("olean", "names", PARTS)
        self.assertIn("warning: its private part lies beside it", done.err)
        self.assertEqual(assay("olean", "names", "-q", PARTS).err, "")

    def test_of_a_whole_module_have_their_true_kinds(self):
        for part in ("", ".server", ".private"):
            done = assay("olean", "names", "--module", "-k", "-e", f"{PARTS}{part}")
            self.assertEqual((done.code, done.out, done.err), (0, expected(f"{PARTS}.private", kinds=True), ""))

    def test_a_private_part_whose_others_are_gone_says_what_it_lacks(self):
        alone = self.folder / "X.olean.private"
        shutil.copy(f"{PARTS}.private", alone)
        done = assay("olean", "names", alone)
        self.assertEqual(done.code, 2)
        self.assertIn("earlier part", done.err)

    def test_from_standard_input(self):
        with open(BASICS, "rb") as file:
            done = subprocess.run([ASSAY, "olean", "names", "-"], stdin=file, capture_output=True, env=environment())
        self.assertEqual((done.returncode, done.stdout.decode()), (0, expected(BASICS)))
        piped = fed("olean", "names", "-", data=BASICS.read_bytes())
        self.assertEqual((piped.returncode, piped.stdout.decode()), (0, expected(BASICS)))

    def test_as_json_keep_components_apart(self):
        lines = [json.loads(line) for line in assay("olean", "names", "--json", "-e", BASICS).out.splitlines()]
        self.assertEqual([f"{one['kind']}\t{one['name']}\n" for one in lines], expected(BASICS, kinds=True).splitlines(True))
        plain = [".".join(map(str, one["components"])) + "\n" for one in lines]
        self.assertEqual(plain, expected(BASICS).splitlines(True))
        self.assertIn(0, [c for one in lines for c in one["components"]], "numbers are numbers")

    def test_sorted_matched_and_ended_by_nul(self):
        names = expected(BASICS).splitlines()
        self.assertEqual(assay("olean", "names", "--sort", BASICS).out.splitlines(), sorted(names, key=str.encode))
        self.assertEqual(assay("olean", "names", "--match", "Typ.*", BASICS).out.splitlines(),
                         [n for n in names if n.startswith("Typ.")])
        self.assertEqual(assay("olean", "names", "-0", BASICS).out.split("\0"), [*names, ""])
        public = assay("olean", "names", "--no-internal", BASICS).out.splitlines()
        self.assertEqual(public, [n for n in names if not re.search(r"(^|\.)_", n)])
        self.assertTrue(public)

    def test_of_several_files_are_grouped_or_stand_behind_the_file(self):
        main_file, attr = DATA / "v1-4.7.0__Main.olean", DATA / "v2-4.18.0__ZkLean.olean"
        self.assertEqual(assay("olean", "names", main_file, attr).out, f"{main_file}:\n{expected(main_file)}\n{attr}:\n")
        done = assay("olean", "names", "-H", main_file, BASICS)
        self.assertEqual(done.out, "".join(f"{f}\t{n}\n" for f in (main_file, BASICS) for n in expected(f).splitlines()))
        lines = assay("olean", "names", "--json", main_file, BASICS).out.splitlines()
        self.assertEqual(json.loads(lines[0])["file"], str(main_file))

    def test_of_folders_need_r_and_come_in_order(self):
        self.assert_refused(assay("olean", "names", DATA), "is a folder", "-r")
        done = assay("olean", "names", "-r", "-H", DATA)
        self.assertEqual(done.code, 0, done.err)
        files = list(dict.fromkeys(line.split("\t")[0] for line in done.out.splitlines()))
        self.assertEqual(files, [str(p) for p in REAL if p.suffix == ".olean" and expected(p)])
        self.assertIn("1 of 7 files have a private part beside them", done.err)

    def test_an_unreadable_file_among_others_does_not_stop_them(self):
        done = assay("olean", "names", self.folder / "nothing.olean", BASICS)
        self.assertEqual(done.code, 2)
        self.assertIn("No such file", done.err)
        self.assertIn(expected(BASICS), done.out)


class Standalone(Case):
    """olean-names, the one small program."""

    def test_lists_standard_input_and_a_file(self):
        for path in REAL:
            with self.subTest(path.name):
                done = olean_names(path)
                self.assertEqual((done.returncode, done.stdout.decode(), done.stderr), (0, expected(path), b""))
        with open(BASICS, "rb") as file:
            done = olean_names(stdin=file)
        self.assertEqual((done.returncode, done.stdout.decode(), done.stderr), (0, expected(BASICS), b""))

    def test_says_what_is_no_olean(self):
        done = olean_names(ASSAY)
        self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertIn(b"is an ELF program", done.stderr)

    @unittest.skipIf(SANITIZED, "built by itself, as anybody would")
    @unittest.skipUnless(shutil.which("g++"), "no g++ here")
    def test_is_built_by_the_line_in_its_readme(self):
        line = re.search(r"^g\+\+ .*$", (SOURCE / "src/skill/olean/README.md").read_text(), re.M).group(0)
        line = line.replace("-O2", "-O0").replace("-o olean-names", f"-o {self.folder}/olean-names")
        subprocess.run(["bash", "-c", line], cwd=SOURCE, check=True, timeout=250)
        done = subprocess.run([self.folder / "olean-names", BASICS], capture_output=True, timeout=60)
        self.assertEqual(done.stdout.decode(), expected(BASICS))


class Check(Case):
    def test_real_files_are_sound(self):
        done = assay("olean", "check", "-r", DATA)
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual(len(done.out.splitlines()), len(REAL))
        for line in done.out.splitlines():
            self.assertRegex(line, r": sound, [\d,]+ objects?, [\d,]+ constants?, [\d,]+ bytes$")

    def test_a_damaged_file_fails_with_the_place(self):
        bytes_ = bytearray(BASICS.read_bytes())
        bytes_[5000:5008] = bytes(range(8))
        bad = self.folder / "bad.olean"
        bad.write_bytes(bytes_)
        done = assay("olean", "check", bad)
        self.assertEqual((done.code, done.out), (1, ""))
        self.assertRegex(done.err, r"bad\.olean: offset 0x1[0-9a-f]+: .*(expected|claims)")
        told = json.loads(assay("olean", "check", "--json", bad).out)
        self.assertFalse(told["sound"])
        self.assertGreaterEqual(told["failure_count"], 1)

    def test_a_cut_file_is_called_truncated(self):
        whole = BASICS.read_bytes()
        for size in (40, 70, 5000, len(whole) // 2, len(whole) - 8):
            cut = self.folder / "cut.olean"
            cut.write_bytes(whole[:size])
            for command in ("names", "check"):
                done = assay("olean", command, cut)
                self.assertIn(done.code, (1, 2))
                self.assertIn("truncated", done.err)
                self.assertEqual(done.out, "")

    def test_a_file_that_shrinks_while_it_is_read_kills_nothing(self):
        big = self.folder / "big.olean"
        self.assertEqual(assay("olean", "make", "--constants", 20_000, "-o", big).code, 0)
        whole = big.read_bytes()
        for delay in (0.001, 0.003, 0.005, 0.01, 0.02):
            big.write_bytes(whole)
            shrink = threading.Timer(delay, os.truncate, (big, 8192))
            shrink.start()
            done = assay("olean", "check", big)
            shrink.join()
            self.assertIn(done.code, (0, 1, 2), done.err)


class Info(Case):
    def test_of_a_real_file(self):
        lies = self.folder / "lib" / "Stlc"
        lies.mkdir(parents=True)
        shutil.copy(BASICS, lies / "basics.olean")
        done = assay("olean", "info", lies / "basics.olean")
        self.assertEqual((done.code, done.err), (0, ""))
        for words in ("v1, git 01d414ac36dc28f3e424dabd36d818873fea655c", "579,616 bytes", "that of the module Stlc.basics",
                      "theorem", "string"):
            self.assertIn(words, done.out)
        told = json.loads(assay("olean", "info", "--json", lies / "basics.olean").out)
        self.assertEqual(told["module_name"], "Stlc.basics")
        self.assertEqual(told["constants"], len(expected(BASICS).splitlines()))
        self.assertEqual(sum(told["kinds"].values()), told["constants"])
        self.assertEqual(sum(one["bytes"] for one in told["objects"]), told["bytes"] - 64)

    def test_a_claimed_name_is_compared_with_the_base(self):
        self.assertIn("that of the module Main", assay("olean", "info", "--name", "Main", DATA / "v1-4.7.0__Main.olean").out)
        self.assertIn("not that of a module Other", assay("olean", "info", "--name", "Other", DATA / "v1-4.7.0__Main.olean").out)

    def test_of_a_module_in_parts(self):
        for part in ("", ".server", ".private"):
            told = json.loads(assay("olean", "info", "--json", "--name", "Plausible.Attr", f"{PARTS}{part}").out)
            self.assertEqual(told["parts"], [".olean", ".olean.server", ".olean.private"])
            self.assertEqual((told["module_name"], told["is_module"]), ("Plausible.Attr", True))
        self.assertEqual(told["kinds"]["def"], 7)

    def test_fits_sixty_columns(self):
        copy = self.folder / "A.olean"
        shutil.copy(PARTS, copy)
        done = assay("olean", "info", copy, COLUMNS="60")
        self.assertIn("imports", done.out)
        self.assert_fits(done.out, 60)


class Make(Case):
    def test_is_the_same_again_and_sound_in_every_shape(self):
        for shape in (["--header", "v0", "--fields", 3], ["--header", "v1", "--bignums", "native"], ["--header", "v2"],
                      ["--header", "v3"], ["--fields", 4], ["--parts", 3]):
            with self.subTest(shape):
                files = [self.folder / f"{i}" / "Fresh.olean" for i in range(2)]
                for file in files:
                    file.parent.mkdir(exist_ok=True)
                    done = assay("olean", "make", "--seed", 5, "--constants", 300, *shape, "-o", file)
                    self.assertEqual((done.code, done.err), (0, ""))
                self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
                done = assay("olean", "check", "-r", files[0].parent)
                self.assertEqual((done.code, done.err), (0, ""), done.out)
                names = assay("olean", "names", "--module", "-k", files[0]).out
                self.assertEqual(len(names.splitlines()), 300)
                self.assertIn("that of the module Fresh", assay("olean", "info", files[0]).out)
                shutil.rmtree(files[0].parent), shutil.rmtree(files[1].parent)

    def test_to_standard_output_is_what_the_reader_takes(self):
        made = fed("olean", "make", "--seed", 3, "--constants", 5, "-o", "-", data=b"")
        self.assertEqual(made.returncode, 0)
        self.assertEqual(len(fed("olean", "names", "-0", "-", data=made.stdout).stdout.split(b"\0")), 6)
        code, screen = assay_on_terminal("olean", "make", "-o", "-")
        self.assertEqual(code, 2)
        self.assertIn("no text for a terminal", screen)

    def test_what_makes_no_sense_is_refused(self):
        target = self.folder / "x.olean"
        self.assert_refused(assay("olean", "make", "--parts", 3, "--header", "v1", "-o", target), "v2 or v3")
        self.assert_refused(assay("olean", "make", "--parts", 3, "-o", self.folder / "x"), ".olean")
        self.assert_refused(assay("olean", "make", "--parts", 2, "-o", target), "parts")
        self.assert_refused(assay("olean", "make", "--header", "v9", "-o", target), "header")
        self.assert_refused(assay("olean", "make", "-o", self.folder / "no" / "x.olean"), "cannot be written")
        self.assertFalse(target.exists())


class Foreign(Case):
    """What is no .olean is called what it is, in one sentence."""

    def test_of_every_kind(self):
        cases = {
            "lfs.olean": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"),
            "lean3.olean": (b"oleanfile\0\x03\0\0\0\0\0\0\0\0\0\0", "Lean 3"),
            "Main.ilean": (b'{"version":4,"module":"Main","references":{}}', ".ilean"),
            "Main.ltar": (b"LGZ2\x01\x02\x03\x04", ".ltar"),
            "Main.olean.hash": (b"1234567890123456789", ".olean.hash"),
            "Main.lean": (b"def main : IO Unit := pure ()\n", "is a text"),
            "empty.olean": (b"", "is empty"),
        }
        for name, (content, words) in cases.items():
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                for command in ("names", "info", "check"):
                    self.assert_refused(assay("olean", command, self.folder / name), name, words)
        self.assert_refused(assay("olean", "names", ASSAY), "is an ELF program or library")
        self.assert_refused(assay("olean", "names", "/dev/zero"), "is a device")
        pipe = self.folder / "pipe.olean"
        os.mkfifo(pipe)
        self.assert_refused(assay("olean", "names", pipe, timeout=20), "is a pipe")

    def test_endless_standard_input_is_not_read_to_its_end(self):
        with open("/dev/zero", "rb") as zeros:
            done = subprocess.run([ASSAY, "olean", "names", "-"], stdin=zeros, capture_output=True, env=environment(), timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"begins with the bytes 00 00", done.stderr)


class Hostile(Case):
    def named(self, name):
        """A file whose first constant is called so, by exchange of a text of the same length."""
        made = fed("olean", "make", "--constants", 1, "--seed", 1, "-o", "-", data=b"").stdout
        text = json.loads(fed("olean", "names", "--json", "-", data=made).stdout)["components"][-1].encode()
        self.assertIn(text + b"\0", made)
        name = (name * len(text))[:len(text)]
        return made.replace(text + b"\0", name + b"\0"), name

    def test_names_send_nothing_to_a_terminal(self):
        data, _ = self.named(b"\x1b\n")
        file = self.folder / "x.olean"
        file.write_bytes(data)
        for more in ([], ["-e"], ["-0"], ["--json"], ["-k"]):
            with self.subTest(more):
                _, screen = assay_on_terminal("olean", "names", *more, file)
                self.assertNotIn(ESCAPE, screen)
        done = assay("olean", "names", file)
        self.assertIn("\\x1b\\n", done.out)
        self.assertEqual(len(done.out.splitlines()), 1)
        self.assertIn(b"\x1b\n", fed("olean", "names", "-0", "-", data=data).stdout, "but -0 is exact")

    def test_limits_can_be_set_and_are_named(self):
        for limit, words in (("name=5", "the limit 'name'"), ("components=1", "the limit 'components'"), ("output=100", "the limit 'output'")):
            done = assay("olean", "names", "--limit", limit, BASICS)
            self.assertEqual(done.code, 2)
            self.assertIn(words, done.err)
        for bad in ("name", "name=", "name=x", "name=0", "speed=3"):
            self.assert_refused(assay("olean", "names", "--limit", bad, BASICS), "--limit")


class Usage(Case):
    def test_help_of_each_part_fits_a_screen_and_begins_with_an_example(self):
        for part in ("names", "info", "check", "make"):
            done = assay("olean", part, "--help")
            self.assertEqual((done.code, done.err), (0, ""))
            self.assertLessEqual(len(done.out.splitlines()), 24, done.out)
            self.assert_fits(done.out, 80)
            self.assertIn(f"assay olean {part} ", done.out.splitlines()[0])
            self.assertIn(part, assay("olean", "--help").out)

    def test_mistakes_are_answered(self):
        self.assert_refused(assay("olean"), "names", "make")
        self.assert_refused(assay("olean", "nmaes", BASICS), "did you mean 'names'?")
        self.assert_refused(assay("olean", "names"), "FILE")
        self.assert_refused(assay("olean", "names", "--modul", BASICS), "did you mean --module?")


if __name__ == "__main__":
    main()
