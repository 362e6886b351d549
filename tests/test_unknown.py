"""What the grader does not know costs no point: it is an error, and status 3."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from grader import checking, runner
from grader.fakes.persona import Script
from grader.harness import journal
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.vocabulary import Run, Status, Verdict
from tests.harness.living import ROOT, Signal
from tests.harness.small import ASKS, LIGHT, Warm, exercise, source

ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Warm]:
    """A harness that a test may break."""
    made = Warm(ForkLauncher(), LIGHT, tmp_path)
    yield made
    made.close()


def is_error(verdict: Verdict, says: str) -> None:
    """Assert that a verdict judges nothing, and says so."""
    assert verdict.unknown
    assert not verdict.passed
    assert [result.status for result in verdict.results] == [Status.error]
    assert says in verdict.results[0].rationale


def test_forkserver_dies(own: Warm, said: Signal) -> None:
    """when the forkserver dies during a run, nothing of that run is judged"""

    async def kill() -> runner.Outcome:
        text, made = source(said.hangs()), exercise()
        checked = asyncio.create_task(
            runner.check(own.harness, "ex99_small", made, text)
        )
        await asyncio.to_thread(said.wait, 2)
        os.kill(own.harness.launcher.root_pid(), signal.SIGKILL)
        return await checked

    is_error(own.run(kill()).verdict, "the forkserver")


class Full:
    """A file on a disk that has just become full."""

    def write(self, text: str) -> int:
        """Fail as a full disk does."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize("lines", [0, 1, 4, 7])
def test_disk_full(own: Warm, monkeypatch: pytest.MonkeyPatch, lines: int) -> None:
    """a history that cannot be written is an error, wherever the disk became full"""
    write, written = journal.Journal.write, []

    def limited(self: journal.Journal, line: Any) -> None:
        if len(written) == lines:
            self._file = Full()  # type: ignore[assignment]
        else:
            written.append(line)
        write(self, line)

    monkeypatch.setattr(journal.Journal, "write", limited)
    is_error(own.verdict(ASKS), "the history could not be written")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount namespace")
def test_disk_really_full(tmp_path: Path) -> None:
    """on a disk that is really full the command says so and ends with status 3"""
    (tmp_path / "small").mkdir()
    (tmp_path / "app.py").write_text(ASKS + "def resume(thread_id):\n    return ''\n")
    script = (
        'mount -t tmpfs -o size=8k none "$0/small" || exit 77\n'
        'exec "$1" -m grader check "$0/app.py" --exercise ex04_memory_saver '
        '--history "$0/small/history.jsonl"'
    )
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path), sys.executable],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("this machine allows no private mount")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "No space left on device" in ran.stdout
    assert "not judged" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_no_room_to_run(own: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a disk without room for a run is the machine's fault, said with both numbers"""
    monkeypatch.setattr("grader.harness.harness.DISK_NEEDED_B", 1 << 60)
    is_error(own.verdict(ANSWERS), "MiB free in ")


def test_check_raises(own: Warm) -> None:
    """a check that breaks is an error of that check, and of what needs it"""
    made = exercise()

    @made.check(points=2)
    def breaks(only: Run) -> None:
        """it is judged"""
        raise ZeroDivisionError("ours")

    @made.check(points=2, needs=breaks)
    def after(only: Run) -> None:
        """it is judged after that"""

    verdict = own.outcome(ANSWERS, made).verdict
    statuses = [result.status for result in verdict.results]
    assert statuses == [Status.passed, Status.error, Status.error]
    assert "ZeroDivisionError: ours" in verdict.results[1].rationale
    assert '"it is judged" could not be judged' in verdict.results[2].rationale
    assert verdict.score == 1


def test_model_breaks(own: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a defect in the stand-in model is an error, and the next run has none of it"""

    def breaks(self: Script, request: Any) -> None:
        raise ZeroDivisionError("ours")

    with monkeypatch.context() as patch:
        patch.setattr(Script, "answer", breaks)
        is_error(own.verdict(ASKS), "ZeroDivisionError: ours")
    assert own.verdict(ASKS).passed


def test_supervisor_breaks(own: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a defect in the supervisor is an error of the scenario that it broke"""

    async def breaks(self: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("grader.harness.supervisor.Supervisor.look", breaks)
    is_error(own.verdict(ANSWERS), "ZeroDivisionError: ours")


def chosen(file: Path, **options: Any) -> argparse.Namespace:
    """Return what the command line would have parsed."""
    usual = {"exercise": None, "seed": 1, "processes": 0, "json": True}
    paths = {"html": None, "history": None, "database": ""}
    return argparse.Namespace(file=file, **{**usual, **paths, **options})


def test_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """a verdict of errors is printed like any other, with exit status 3"""

    async def breaks(*_: Any) -> runner.Outcome:
        raise GraderBroke("ours")

    monkeypatch.setattr(runner, "check", breaks)
    monkeypatch.setattr(checking, "Harness", partial(Harness, preload=LIGHT))
    file = tmp_path / "app.py"
    file.write_text(ANSWERS)
    assert checking.check(chosen(file, exercise="ex04_memory_saver")) == checking.BROKE
    verdict = json.loads(capsys.readouterr().out)
    assert {result["status"] for result in verdict["results"]} == {"error"}
    assert {result["rationale"] for result in verdict["results"]} == {"ours"}
