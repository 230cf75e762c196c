"""The vocabulary of whole-program cases: run the binary with pipes or on a pretended terminal, and read what it made.

The environment names what is tested: ASSAY (the binary) and ASSAY_SOURCE_DIR (the tree, whose suites and policies are used).
By hand:  ASSAY=build/dev/assay ASSAY_SOURCE_DIR=. python3 tests/scripts/cli_test.py Help
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
import unittest
from typing import NamedTuple

ASSAY = os.path.abspath(os.environ.get("ASSAY", "build/release/assay"))
SOURCE = pathlib.Path(os.environ.get("ASSAY_SOURCE_DIR", ".")).resolve()
SANITIZED = bool(os.environ.get("ASSAY_SANITIZE"))
SUITE = "suites/first"
KNOWN = "policy:policies/cornered.yaml"
COMMANDS = ["chat", "grade", "lint", "model", "olean", "organism", "plan", "report", "run", "schema", "show", "summary", "validate"]
CELLS = {"desk": 8, "desk-control": 4}
CELLS_IN_ALL = sum(CELLS.values())

SKIPPED = 77
ESCAPE = "\x1b"


class Ended(NamedTuple):
    """A program that ended: its exit code (negative: a signal) and what it wrote."""
    code: int
    out: str
    err: str


def environment(**extra):
    """Ours alone, so that the user's NO_COLOR or COLUMNS changes no test."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME") or k.endswith("SAN_OPTIONS")}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **extra}


def assay(*arguments, timeout=120, **env):
    """Runs the binary with pipes, from the top of the tree."""
    done = subprocess.run([ASSAY, *map(str, arguments)], cwd=SOURCE, env=environment(**env), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout)
    return Ended(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def start(*arguments, **env):
    """The same, left running."""
    return subprocess.Popen([ASSAY, *map(str, arguments)], cwd=SOURCE, env=environment(**env), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def assay_on_terminal(*arguments, columns=80, typed="", **env):
    """Runs the binary on a terminal of so many columns, at which somebody has typed all of `typed` before; returns (exit code,
    everything that the terminal was sent)."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(ours, typed.encode())
    program = subprocess.Popen([ASSAY, *map(str, arguments)], cwd=SOURCE, env=environment(**env), stdin=its, stdout=its,
                               stderr=its)
    os.close(its)
    screen = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody holds the other end any more
            break
        if not more:
            break
        screen += more
    os.close(ours)
    return program.wait(timeout=60), screen.decode("utf-8").replace("\r\n", "\n")


def plain(text):
    """Without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def width(line):
    """Columns that a terminal shows."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def episodes(run_file):
    """Every episode of a run file, as `show --all --json` prints them."""
    shown = assay("show", run_file, "--all", "--json")
    if shown.code != 0:
        raise AssertionError(f"show failed ({shown.code}): {shown.err}")
    return [json.loads(line) for line in shown.out.splitlines()]


def key(episode):
    """What makes an episode the one it is."""
    return (episode["scenario"], json.dumps(episode["cell"], sort_keys=True), episode["epoch"], episode["model"])


def conduct(run_file):
    """key -> all that was said, done and found in that episode; two runs of one plan must agree in it."""
    return {key(e): {k: v for k, v in e.items() if k not in ("id", "seconds")} for e in episodes(run_file)}


class Case(unittest.TestCase):
    """A case with a folder of its own, and whole failure messages."""
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="assay-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_known(self, run_file, epochs, *more):
        """A run of the agent of known conduct, which must succeed."""
        done = assay("run", SUITE, "-m", KNOWN, "--epochs", epochs, "--seed", 1, "-o", run_file, *more)
        self.assertEqual(done.code, 0, done.err)
        return done

    def assert_refused(self, ended, *words):
        """Exit code 2, nothing on standard output, and on standard error a few plain words that name the matter."""
        self.assertEqual(ended.code, 2, ended)
        self.assertEqual(ended.out, "")
        self.assertNotIn(ESCAPE, ended.err)
        self.assertTrue(1 <= len(ended.err.splitlines()) <= 3, ended.err)
        for word in words:
            self.assertIn(str(word), ended.err)

    def assert_fits(self, text, columns):
        for line in plain(text).splitlines():
            self.assertLessEqual(width(line), columns, line)


def main():
    """unittest.main, but with an exit code of its own where every case was skipped."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(SKIPPED if len(result.skipped) == result.testsRun else 0)
