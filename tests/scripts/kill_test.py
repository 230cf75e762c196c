"""kill -9 at random moments: what was stored is whole, and the same command brings the run to exactly its plan.

A run is killed, looked at, begun again and killed again, until it ends by itself; then it must equal a run that nobody
disturbed, and the next file is begun. ASSAY_KILLS says how many kills there are in all (50).
"""
import os
import random
import shutil
import sqlite3
import subprocess
import time

from harness import CELLS, CELLS_IN_ALL, KNOWN, SUITE, Case, conduct, main, start

KILLS = int(os.environ.get("ASSAY_KILLS", "50"))
EPOCHS = 60
PLANNED = EPOCHS * CELLS_IN_ALL


def begin(file, *more):
    return start("run", SUITE, "-m", KNOWN, "--epochs", EPOCHS, "--seed", 1, "-o", file, *more)


def stored(file):
    """(scenario, cell, epoch) -> the verdicts under each code, as the tables themselves have them."""
    with sqlite3.connect(file) as db:
        rows = db.execute(
            "SELECT cell.scenario, cell.cell, episode.epoch, verdict.code, verdict.verdict FROM episode "
            "JOIN cell ON cell.id = episode.cell LEFT JOIN verdict ON verdict.episode = episode.id").fetchall()
        episodes, = db.execute("SELECT count(*) FROM episode").fetchone()
        integrity, = db.execute("PRAGMA integrity_check").fetchone()
        orphans = db.execute("PRAGMA foreign_key_check").fetchall()
    if integrity != "ok" or orphans:
        raise AssertionError(f"{file} is damaged: {integrity} {orphans[:3]}")
    found = {(scenario, cell, epoch): (code, verdict) for scenario, cell, epoch, code, verdict in rows}
    if not len(found) == len(rows) == episodes:
        raise AssertionError(f"{file}: {episodes} episodes, {len(rows)} verdicts, {len(found)} places in the plan")
    return found


class Kill(Case):
    def setUp(self):
        super().setUp()
        self.moments = random.Random(1)  # the moments themselves vary with the machine; that is the point
        self.kills = self.partial = self.finished = 0

    def look_at_the_wreck(self, file):
        """In a copy, so that it is assay, and not this test, that repairs the file."""
        if not file.exists():
            return
        copy = self.folder / "copy.assay"
        for suffix in ["", "-wal"]:
            part = file.with_name(file.name + suffix)
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        copy.with_name(copy.name + "-shm").unlink(missing_ok=True)
        with sqlite3.connect(copy) as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'episode'").fetchone():
                return  # killed before its tables were made
        found = stored(copy)
        self.assertLessEqual(found.items(), self.undisturbed.items(), "what is there is part of the plan, and right")
        self.partial += 0 < len(found) < PLANNED

    def check_the_end(self, file):
        self.assertEqual(stored(file), self.undisturbed)
        self.assertEqual(conduct(file), self.words, "every word and action is as if nothing had happened")
        self.finished += 1

    def run_undisturbed(self):
        """Sets what each run must come to; returns how many seconds it takes."""
        calm = self.folder / "calm.assay"
        before = time.monotonic()
        run = begin(calm)
        _, err = run.communicate(timeout=120)
        whole_run = time.monotonic() - before
        self.assertEqual(run.returncode, 0, err)
        self.undisturbed, self.words = stored(calm), conduct(calm)
        self.assertEqual(self.undisturbed.keys(), {(s, c, e) for s, n in CELLS.items() for c in range(n) for e in range(EPOCHS)})
        return whole_run

    def test_an_extension_to_more_cells_resumes_too(self):
        whole_run = self.run_undisturbed()
        part = self.folder / "part.assay"
        run = begin(part, "--design", "pairwise")
        _, err = run.communicate(timeout=120)
        self.assertEqual(run.returncode, 0, err)
        registered = len(stored(part))
        self.assertLess(registered, PLANNED)
        for number in range(KILLS // 10 or 1):
            file = self.folder / f"extended-{number}.assay"
            shutil.copyfile(part, file)
            for _ in range(3):
                run = begin(file)
                try:
                    run.communicate(timeout=self.moments.uniform(0, whole_run))
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.communicate()
                    self.look_at_the_wreck(file)
            run = begin(file)
            _, err = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, err)
            self.check_the_end(file)
            with sqlite3.connect(file) as db:
                self.assertEqual(db.execute("SELECT first_episode FROM commitment ORDER BY id").fetchall(),
                                 [(1,), (registered + 1,)], "the extension was registered once, before its first episode")

    def test_resume_gives_exactly_the_planned_episodes(self):
        whole_run = self.run_undisturbed()
        number = 0
        while self.kills < KILLS:
            number += 1
            file = self.folder / f"killed-{number}.assay"
            ended = False
            while not ended:
                run = begin(file)
                try:
                    if self.kills < KILLS:
                        run.communicate(timeout=self.moments.uniform(0, whole_run))
                    else:
                        run.communicate(timeout=120)  # enough was killed: let it come to its end
                    self.assertEqual(run.returncode, 0)
                    ended = True
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.communicate()
                    self.kills += 1
                    self.look_at_the_wreck(file)
            self.check_the_end(file)
            for part in self.folder.glob(file.name + "*"):
                part.unlink()
        print(f"\n{self.kills} kills of a run of {whole_run:.2f} s, {self.partial} of them left a part of the episodes; "
              f"{self.finished} runs came to their end")
        self.assertGreater(self.partial, 0, "no kill came between two episodes: this test has tested nothing")


if __name__ == "__main__":
    main()
