"""The autograder, laid out and started as Gradescope's containers do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grader import catalog
from tests.batch.classroom import notebook
from tests.bundle.bundles import (
    CORPUS,
    OTHER,
    RIGHT,
    ROOT,
    STEM,
    WRONG,
    bundle,
    made,
    texts,
    unpacked,
)
from tests.bundle.container import Container, scores


@pytest.fixture
def container(autograder_zip: Path, tmp_path: Path) -> Container:
    """A new container of the autograder for one exercise."""
    return Container(autograder_zip, tmp_path / "autograder")


def test_zip(container: Container) -> None:
    """both programs are at the root and can be run; there are no answers inside"""
    for name in ("setup.sh", "run_autograder"):
        assert os.access(container.source / name, os.X_OK)
        assert (container.source / name).read_text().startswith("#!/usr/bin/env bash\n")
    tops = {name.partition("/")[0] for name in texts(container.source)}
    assert tops == {
        *("LICENSE", "Makefile", "environment.yml", "grader", "pyproject.toml"),
        *("requirements.lock", "run_autograder", "setup.sh"),
    }


def test_setup(container: Container) -> None:
    """setup.sh is bash, and what it names is there; it chooses no host"""
    path = container.source / "setup.sh"
    script = path.read_text(encoding="utf-8")
    for program in (path, container.source / "run_autograder"):
        subprocess.run(["bash", "-n", program], check=True)
    assert not re.search(r"\w+://|--index-url|--trusted-host", script)
    makefile = (container.source / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake (\w+) [A-Z]+=", script):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    supported = re.search(
        r'requires-python = ">=3\.(\d+),<3\.(\d+)"',
        texts(container.source)["pyproject.toml"],
    )
    assert supported
    versions = re.search(r"for version in ([\d. ]+);", script)
    assert versions
    minors = {int(version.partition(".")[2]) for version in versions[1].split()}
    assert set(range(int(supported[1]), int(supported[2]))) == minors
    # Its steps, each by a stand-in that says what it is asked to do.
    stand_ins = container.folder / "bin"
    stand_ins.mkdir()
    log = container.folder / "steps"
    for name in ("apt-get", "make", "chmod"):
        refuses = 'case "$*" in *python3.12*) exit 100;; esac\n'
        text = f'#!/bin/sh\n{refuses}echo {name} "$*" >> {log}\n'
        (stand_ins / name).write_text(text)
        (stand_ins / name).chmod(0o755)
    python = container.source / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho python "$*" >> {log}\n')
    python.chmod(0o755)
    subprocess.run(
        [path],
        check=True,
        env={
            "PATH": f"{stand_ins}:{os.environ['PATH']}",
            "AUTOGRADER": str(container.folder),
        },
    )
    steps = log.read_text().splitlines()
    assert steps[-4:] == [
        "apt-get install -y -qq --no-install-recommends python3.13 python3.13-venv",
        "make env PYTHON=python3.13",
        "chmod -R a+rX .",
        "python -m grader doctor",
    ]


def test_right(container: Container) -> None:
    """a right notebook, under whatever name, has all points, claim by claim"""
    text = notebook(RIGHT.read_text(encoding="utf-8"))
    (container.submission / "my final version (2).ipynb").write_text(text)
    (container.submission / "notes.txt").write_text("not for the grader")
    found = container.results()
    points = catalog.load(STEM).points
    assert scores(found) == (points, points)
    claims = [check.claim for check in catalog.load(STEM).checks.values()]
    assert [f"{STEM}: {claim}" for claim in claims] == [
        t["name"] for t in found["tests"]
    ]
    assert {test["visibility"] for test in found["tests"]} == {"visible"}
    assert found["stdout_visibility"] == "hidden"
    about = found["extra_data"][STEM]
    assert about["tier"] in {"isolated", "reduced", "not isolated"}


def test_without_namespaces(container: Container) -> None:
    """where no sandbox starts, as in most containers, the grade comes with its tier"""
    shutil.copy(RIGHT, container.submission / f"{STEM}.py")
    programs = container.folder / "bin"  # bubblewrap is none of them
    programs.mkdir()
    for name in ("bash", "rm"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    ran = container.run(PATH=str(programs))
    assert (ran.returncode, ran.stderr) == (0, "")
    data = container.read()
    points = catalog.load(STEM).points
    assert scores(data) == (points, points)
    tier = data["extra_data"][STEM]["tier"]
    assert tier in {"reduced", "not isolated"}
    assert f"{STEM}: isolation {tier}" in ran.stdout


def test_wrong(container: Container) -> None:
    """a wrong module loses the points of the claims it breaks, and sees why"""
    shutil.copy(WRONG, container.submission / f"{STEM}.py")
    found = container.results()
    score, points = scores(found)
    assert score < points == catalog.load(STEM).points
    broken = [test for test in found["tests"] if test["status"] == "failed"]
    assert broken
    assert all(test["output"] for test in broken)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (f"{STEM}.ipynb", "{", "expected a notebook (JSON with cells)"),
        (f"{STEM}.ipynb", '{"cells": []}', "expected one cell that begins with"),
        ("essay.txt", "hello", "found no notebook and no module"),
        ("submission.zip", "no zip", "expected a zip"),
    ],
    ids=["torn", "no submission", "something else", "no zip"],
)
def test_unreadable(container: Container, name: str, content: str, says: str) -> None:
    """what cannot be read has none of the points, and the reason is shown at once"""
    (container.submission / name).write_text(content)
    found = container.results()
    assert scores(found) == (0, catalog.load(STEM).points)
    (test,) = found["tests"]
    assert says in test["output"], test["output"]
    assert test["visibility"] == "visible"


def test_hostile_files(container: Container) -> None:
    """links are not followed, and a package `grader` that is handed in is not used"""
    (container.submission / f"{STEM}.ipynb").symlink_to("/etc/passwd")
    package = container.submission / "grader"
    package.mkdir()
    for at in (package / "__init__.py", container.submission / "sitecustomize.py"):
        at.write_text("raise SystemExit('used')\n")
    found = container.results()
    assert scores(found)[0] == 0
    assert "symbolic link" in found["tests"][0]["output"]
    assert "root:" not in json.dumps(found)


def test_several(tmp_path: Path) -> None:
    """of two exercises each has its points; the one not handed in says so"""
    out = tmp_path / "autograder.zip"
    made("gradescope", STEM, OTHER, "-o", out)
    container = Container(out, tmp_path / "autograder")
    # As a repository is delivered: with all that the class was given.
    deep = container.submission / "repository" / "notebooks" / STEM
    deep.mkdir(parents=True)
    (deep / f"{STEM}.ipynb").write_text(notebook(RIGHT.read_text(encoding="utf-8")))
    shutil.copy(WRONG, deep / f"{STEM}.py")
    shutil.copy(ROOT / "notebooks" / OTHER / "starter.py", deep)
    found = container.results()
    first, second = catalog.load(STEM).points, catalog.load(OTHER).points
    assert scores(found) == (first, first + second)
    assert f"expected {OTHER}.ipynb or {OTHER}.py" in found["tests"][-1]["output"]


def test_broken_machine(container: Container) -> None:
    """where the grader cannot judge, nobody has a zero: no score, and a plain word"""
    shutil.copy(RIGHT, container.submission / f"{STEM}.py")
    broken = container.source / "grader" / "harness" / "forkserver.py"
    broken.write_text("raise OSError('broken on purpose')\n")
    container.run()
    found = container.read()
    assert "score" not in found
    assert len(found["tests"]) == len(catalog.load(STEM).checks)
    assert not [test for test in found["tests"] if "score" in test]
    for test in found["tests"]:
        assert "not your submission; a person must look" in test["output"]


def test_broken_grader(container: Container) -> None:
    """where it does not even start, an older result does not stand for this one"""
    shutil.copy(RIGHT, container.submission / f"{STEM}.py")
    container.results()
    (container.source / "grader" / "batch" / "worker.py").write_text("raise OSError\n")
    assert container.run().returncode != 0
    assert not (container.folder / "results" / "results.json").exists()


def test_many_names_once(tmp_path: Path) -> None:
    """an exercise that is named twice is graded once"""
    out = tmp_path / "autograder.zip"
    assert bundle("gradescope", STEM, STEM, "-o", out).returncode == 0
    source = unpacked(out, tmp_path / "source")
    assert (source / "run_autograder").read_text().count(STEM) == 1
    assert CORPUS.is_dir()
