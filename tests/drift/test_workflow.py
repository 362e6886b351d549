"""The workflow that looks for drift does so each week, and fails where there is any."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.package import ROOT

PATH = ROOT / ".github" / "workflows" / "drift.yml"
WEEKLY = re.compile(r"\d{1,2} \d{1,2} \* \* [0-6]")
# In the place of `make`: it notes what was asked for, says something and ends.
MAKE = '#!/bin/sh\necho "$@" >asked.txt\necho drifted\nexit {}\n'


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    """The workflow, as data."""
    # Late: where the facts of this folder are proved, there is no yaml.
    import yaml

    found: dict[Any, Any] = yaml.safe_load(PATH.read_text("utf-8"))
    return found


@pytest.fixture
def job(workflow: dict[Any, Any]) -> Any:
    """Its one job."""
    (found,) = workflow["jobs"].values()
    return found


def test_it_runs_each_week(workflow: dict[Any, Any]) -> None:
    """cron starts it on one day of each week, at one time"""
    (schedule,) = workflow[True]["schedule"]  # YAML takes the key `on` for a truth
    assert WEEKLY.fullmatch(schedule["cron"])


def test_what_fails_is_not_passed_over(job: Any) -> None:
    """neither the job nor a step of it may fail and be taken for a success, or be
    left out"""
    for part in (job, *job["steps"]):
        assert not {"continue-on-error", "if"} & set(part)


@pytest.mark.parametrize("status", [0, 1, 2])
def test_its_status_is_that_of_make(job: Any, tmp_path: Path, status: int) -> None:
    """the step runs `make drift`, ends as that ends, and the summary says what it
    said"""
    (step,) = (step for step in job["steps"] if step.get("name") == "make drift")
    make = tmp_path / "make"
    make.write_text(MAKE.format(status), encoding="utf-8")
    make.chmod(0o755)
    paths = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    summary = tmp_path / "summary.md"
    ran = subprocess.run(
        ["bash", "-e", "-c", step["run"]],  # as GitHub's runners run a step
        env={**os.environ, "PATH": paths, "GITHUB_STEP_SUMMARY": str(summary)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status, ran.stderr
    assert (tmp_path / "asked.txt").read_text("utf-8").split()[-1] == "drift"
    assert "drifted" in ran.stdout
    assert "drifted" in summary.read_text("utf-8")


def test_make_drift_proves_the_sentences() -> None:
    """what the target `drift` runs is the command of that name"""
    lines = (ROOT / "Makefile").read_text("utf-8").splitlines()
    (at,) = (n for n, line in enumerate(lines) if line.startswith("drift:"))
    assert "python -m grader drift" in lines[at + 1]
