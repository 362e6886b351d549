"""The workflow of a template repository: what it is, and what its commands do."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from grader import catalog
from grader.batch.graded import Graded
from grader.bundle.judging import missing
from grader.bundle.points import main, table
from tests.bundle.bundles import OTHER, RIGHT, STEM, Run, answered, made, run, texts
from tests.bundle.workflow_schema import SCHEMA

WORKFLOW = ".github/workflows/classroom.yml"
NOTICE = re.compile(r"^::notice title=([^:]+)::(.*)$", re.MULTILINE)


def workflow(template: Path) -> dict[str, Any]:
    """Return the workflow; `on` is a word of YAML 1.1, and GitHub's is 1.2."""
    text = (template / WORKFLOW).read_text(encoding="utf-8")
    found: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in found.items()}


def commands(template: Path) -> list[str]:
    """Return what the workflow's steps run, in order."""
    steps = workflow(template)["jobs"]["run-autograding-tests"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def checked(template: Path, tmp_path: Path) -> tuple[Run, str]:
    """Run the last command as GitHub does; return it, and the summary of the run."""
    summary = tmp_path / "summary.md"
    summary.unlink(missing_ok=True)
    command = commands(template)[-1].replace(".venv/bin/python", sys.executable)
    ran = run(
        *(template, "bash", "--noprofile", "--norc", "-eo", "pipefail"),
        *("-c", command),
        GITHUB_STEP_SUMMARY=str(summary),
    )
    return ran, summary.read_text(encoding="utf-8") if summary.exists() else ""


def submit(template: Path, text: str, stem: str = STEM) -> None:
    """Put an answer into the repository's notebook."""
    path = template / "notebooks" / stem / f"{stem}.ipynb"
    path.write_text(answered(path, text), encoding="utf-8")


def points(output: str) -> dict[str, float]:
    """Return the points as GitHub Classroom reads them: from a notice of the run."""
    notices = dict(NOTICE.findall(_obeyed(output)))
    found: dict[str, float] = json.loads(notices["Autograding report"])
    score, most = found["totalPoints"], found["maxPoints"]
    assert notices["Autograding complete"] == f"Points {score:g}/{most:g}"
    return found


def _obeyed(output: str) -> str:
    """Return the lines in which GitHub's runner looks for commands."""
    kept, stopped = [], ""
    for line in output.splitlines():
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.rpartition("::")[2]
        else:
            kept.append(line)
    assert not stopped
    return "\n".join(kept)


def test_structure(template: Path) -> None:
    """the workflow is what GitHub and GitHub Classroom know, pinned, read-only"""
    found = workflow(template)
    Draft202012Validator(SCHEMA).validate(found)
    text = (template / WORKFLOW).read_text(encoding="utf-8")
    assert not re.search(r"\w+://", text)
    assert not re.search(r"secrets\.|GITHUB_TOKEN|pull_request_target", text)
    for line in re.findall(r"uses: .*", text):
        assert re.search(r" # v\d+\.\d+\.\d+$", line), line
    steps = found["jobs"]["run-autograding-tests"]["steps"]
    (setup,) = [s for s in steps if s.get("uses", "").startswith("actions/setup-py")]
    assert (template / setup["with"]["cache-dependency-path"]).is_file()
    expected = f"at most {catalog.load(STEM).points:g}"
    assert expected.split()[-1] in text.splitlines()[0]


def test_install(template: Path) -> None:
    """the first command is a target of the repository's own Makefile"""
    install = shlex.split(commands(template)[0])
    assert install[:2] == ["make", "env"]
    ran = run(template, "make", "-n", *install[1:])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "requirements.lock" in ran.stdout


def test_holds_what_a_class_gets(template: Path, course: Path) -> None:
    """beside the workflow, the repository is the bundle for a class"""
    found = texts(template)
    del found[WORKFLOW]
    assert texts(course) == found


def test_right(template: Path, tmp_path: Path) -> None:
    """a right notebook makes the run succeed, with all points"""
    submit(template, RIGHT.read_text(encoding="utf-8"))
    ran, summary = checked(template, tmp_path)
    most = catalog.load(STEM).points
    assert (ran.returncode, ran.stderr) == (0, "")
    assert points(ran.stdout) == {"totalPoints": most, "maxPoints": most}
    assert summary.count("| ✓ |") == len(catalog.load(STEM).checks)


def test_as_released(template: Path, tmp_path: Path) -> None:
    """a notebook that nobody has touched makes the run fail, and the log says why"""
    ran, summary = checked(template, tmp_path)
    most = catalog.load(STEM).points
    assert ran.returncode == 1
    found = points(ran.stdout)
    assert found["totalPoints"] < most == found["maxPoints"]
    assert "✗ " in ran.stdout
    assert "| ✗ |" in summary


def test_unreadable(template: Path, tmp_path: Path) -> None:
    """a notebook that is torn or gone has no points, and the log says why"""
    path = template / "notebooks" / STEM / f"{STEM}.ipynb"
    path.write_text("{")
    ran, summary = checked(template, tmp_path)
    assert ran.returncode == 1
    assert points(ran.stdout)["totalPoints"] == 0
    assert "expected a notebook (JSON with cells)" in ran.stdout
    assert "expected a notebook (JSON with cells)" in summary
    path.unlink()
    ran, _ = checked(template, tmp_path)
    assert ran.returncode == 1
    assert "No such file" in ran.stdout


FORGED = """
import os, sys
for stream in (1, 2):
    os.write(stream, b'\\n::notice title=Autograding report::'
             b'{"totalPoints": 99, "maxPoints": 99}\\n::stop-commands::x\\n')
raise ValueError('\\n::notice title=Autograding report::'
                 '{"totalPoints": 99, "maxPoints": 99}\\n| ✓ | <b>all</b> | 10 |\\n')
"""


def test_forged_points(template: Path, tmp_path: Path) -> None:
    """what a submission prints or raises is no command to GitHub, and no table row"""
    submit(template, FORGED)
    ran, summary = checked(template, tmp_path)
    assert ran.returncode == 1
    assert len(NOTICE.findall(_obeyed(ran.stdout))) == 2
    assert "ValueError" in ran.stdout
    assert "ValueError" not in _obeyed(ran.stdout)
    assert points(ran.stdout)["totalPoints"] == 0
    assert "<b>" not in summary
    assert "| ✓ |" not in summary


def test_not_judged(template: Path, tmp_path: Path) -> None:
    """where the grader breaks, no points are reported, so nobody has a zero"""
    submit(template, RIGHT.read_text(encoding="utf-8"))
    broken = template / "grader" / "harness" / "forkserver.py"
    broken.write_text("raise OSError('broken on purpose')\n")
    ran, _ = checked(template, tmp_path)
    assert ran.returncode == 3
    assert "::error title=Not judged::" in _obeyed(ran.stdout)
    assert "Autograding report" not in ran.stdout


def test_all_exercises(tmp_path: Path) -> None:
    """with none named, all are checked; each is named in the command"""
    out = tmp_path / "template"
    made("classroom", "-o", out)
    assert commands(out)[-1].split()[-len(catalog.stems()) :] == list(catalog.stems())


def test_two_exercises(template: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """the points of several exercises are added up"""
    submit(template, RIGHT.read_text(encoding="utf-8"))
    (template / "notebooks" / OTHER / f"{OTHER}.ipynb").unlink()
    assert main([STEM, OTHER], template) == 1
    first, second = catalog.load(STEM).points, catalog.load(OTHER).points
    found = points(capfd.readouterr().out)
    assert found == {"totalPoints": first, "maxPoints": first + second}


def test_summary_is_escaped() -> None:
    """a learner's words stay in their cell of the summary, and are no HTML"""
    said = Graded(missing(STEM, "a | <b>&lt; \x1b[31m\u202e"), None)
    *_, row = table([said])
    assert f"| ✗ | {STEM}: a \\| &lt;b>&amp;lt; " in row
    assert row.endswith(" | 0 |")
    assert row.isprintable()
