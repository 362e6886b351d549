"""The service answers one line for one line, and ends with whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader import catalog
from grader.bench import solution_of
from grader.harness.tiers import best as best_tier
from tests.harness.living import LIMIT_S, Signal, leftovers, survivors, tree
from tests.harness.postgres import short_folder

STEM = "ex04_memory_saver"
CORPUS = Path(__file__).parent / "submissions" / STEM
RIGHT = (CORPUS / "right" / "sqlite_saver.py").read_text(encoding="utf-8")
SYNTAX_ERROR = "def chat(:"


class Service:
    """A service of a test's own, spoken to in lines."""

    def __init__(self, folder: Path, tier: str = "3") -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grader.service"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(folder), "GRADER_TIER": tier},
            start_new_session=True,
        )
        self.ready = self.hear()

    def say(self, **request: Any) -> None:
        """Send one request."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the service has ended"
        return dict(json.loads(line))

    def check(self, number: int, text: str, stem: str = STEM) -> None:
        """Ask for a verdict."""
        asked = {"stem": stem, "text": text, "seed": 4711, "processes": 0}
        self.say(id=number, do="check", **asked)

    def observe(self, number: int, *scenarios: str, text: str = RIGHT) -> None:
        """Ask for a run of some scenarios."""
        asked = {"stem": STEM, "text": text, "seed": 4711, "provider": None}
        self.say(id=number, do="observe", scenarios=scenarios, **asked)

    def end(self) -> None:
        """End it however it is."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One warm service for all tests that leave it alive."""
    made = Service(tmp_path_factory.mktemp("shared"))
    yield made
    made.end()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service that a test may end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    made = Service(folder)
    yield made
    made.end()


def test_ready(shared: Service) -> None:
    """the first line says that it is ready, with the process it works through"""
    assert shared.ready["id"] == 0
    assert psutil.pid_exists(shared.ready["ready"])


def test_two_requests(shared: Service) -> None:
    """two requests sent at once are both answered, each by its own number"""
    shared.observe(1, "hand_over")
    shared.check(2, SYNTAX_ERROR)
    answers = {answer["id"]: answer for answer in (shared.hear(), shared.hear())}
    assert json.loads(answers[1]["history"][0])["seed"] == 4711
    verdict = answers[2]["verdict"]
    assert "SyntaxError" in verdict["problem"]
    assert answers[2]["history"] is None


def test_check(shared: Service) -> None:
    """a verdict comes with the history that it was judged by"""
    shared.check(3, RIGHT)
    answer = shared.hear()
    assert answer["verdict"]["score"] == answer["verdict"]["max_score"]
    assert len(answer["history"]) > 10


def test_check_on_postgresql(shared: Service) -> None:
    """a check is run on PostgreSQL where the request says so"""
    stem = "ex01_non_serializable_state"
    folder = CORPUS.parent / stem / "right"
    asked = {"stem": stem, "seed": 4711, "processes": 0, "database": "postgres"}
    for name, passed in (("either_database", True), ("closure", False)):
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        shared.say(id=31, do="check", text=text, **asked)
        results = shared.hear()["verdict"]["results"]
        assert all(r["status"] == "passed" for r in results) == passed


def test_unknown_scenario(shared: Service) -> None:
    """a scenario that is not there is refused with those that are"""
    shared.observe(4, "hand_over", "no_such")
    error = shared.hear()["error"]
    assert error.startswith("expected a scenario (hand_over, ")
    assert error.endswith("found 'no_such'")


def test_unknown_exercise(shared: Service) -> None:
    """an exercise that is not there is an answer, not the end of the service"""
    shared.check(5, RIGHT, stem="ex99_none")
    assert "expected an exercise" in shared.hear()["error"]


def test_broken_observe(shared: Service) -> None:
    """a submission that cannot be run has no history, and says why"""
    shared.observe(6, text=SYNTAX_ERROR)
    answer = shared.hear()
    assert "SyntaxError" in answer["problem"]
    assert answer["help"]


def test_defect(shared: Service) -> None:
    """a request that breaks the service's own code gets an answer all the same"""
    shared.say(id=7, do="check", stem=STEM, text=7, seed=1, processes=0)
    assert "Traceback" in shared.hear()["error"]
    shared.say(id=8, do="nothing")
    assert "'nothing'" in shared.hear()["error"]


def test_cancel(shared: Service, said: Signal) -> None:
    """a cancelled request ends with its processes, and the next one is answered"""
    shared.check(9, said.hangs())
    found = said.wait(2)
    shared.say(id=9, do="cancel")
    assert shared.hear() == {"id": 9, "cancelled": True}
    assert not survivors(found)
    shared.check(10, SYNTAX_ERROR)
    assert shared.hear()["id"] == 10


def test_late_cancel(shared: Service) -> None:
    """a cancel that comes too late is answered, so that nobody waits for it"""
    shared.say(id=999, do="cancel")
    assert shared.hear() == {"id": 999, "cancelled": True}


def test_playground(shared: Service) -> None:
    """the notebook's own calls get an address, a key and a database to use"""
    shared.say(id=11, do="playground", stem=STEM)
    environment = shared.hear()["environment"]
    assert environment["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert Path(environment["CHECKPOINT_DB"]).is_file()


def test_end_of_input(own: Service, said: Signal) -> None:
    """the end of its input ends the service and all that it started"""
    own.check(1, said.hangs())
    found = [*said.wait(2), *tree(own.process.pid)]
    assert own.process.stdin is not None
    own.process.stdin.close()
    assert own.process.wait(LIMIT_S) == 0
    assert not survivors(found)
    assert leftovers(own.folder) == []
    own.process.stdin = None


def test_killed(own: Service, said: Signal) -> None:
    """kill -9 of the service leaves neither a process nor a folder"""
    own.check(1, said.hangs())
    found = [*said.wait(2), *tree(own.process.pid)]
    own.process.kill()
    assert own.process.wait(LIMIT_S) == -signal.SIGKILL
    assert not survivors(found)
    assert leftovers(own.folder) == []


@pytest.mark.parametrize("tier", ["2", "3"])
def test_every_exercise_without_a_sandbox(tier: str) -> None:
    """where there is less around a submission, solutions get all points as well"""
    if int(tier) < best_tier():
        pytest.skip("needs Landlock 6")
    with short_folder() as folder:
        made = Service(folder, tier)
        try:
            for number, stem in enumerate(catalog.stems()):
                made.check(number, solution_of(stem), stem)
                verdict = made.hear()["verdict"]
                assert verdict["score"] == 10, verdict["results"]
        finally:
            made.end()
