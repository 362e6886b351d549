"""What a class gets: enough to learn and to check, and none of the answers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import catalog
from grader.cells import to_starter
from tests.bundle.bundles import (
    GRADER,
    OTHER,
    RIGHT,
    ROOT,
    STEM,
    answered,
    bundle,
    made,
    run,
    texts,
)
from tests.harness.living import LIMIT_S, survivors, tree
from tests.test_command_line import heard

SOURCES = sorted(ROOT.glob("solutions/ex*/ex*.py"))
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
REFLECT = re.compile(r'^# %% \[markdown\] role="reflect".*?(?=^# %%)', re.M | re.S)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def passages(code: str) -> set[str]:
    """Return each three successive lines, or the few that there are.

    Two are not enough: every program here that makes a graph has some in common.
    """
    lines = [line.strip() for line in code.split("\n") if line.strip()]
    threes = zip(lines, lines[1:], lines[2:], strict=False)
    return {"\n".join(three) for three in threes} or {"\n".join(lines)}


def secrets(source: str, public: str) -> Iterator[str]:
    """Yield what only the teacher's text of an exercise says."""
    shown = "\n".join(line.strip() for line in public.split("\n") if line.strip())
    for region in SOLUTION.findall(source):
        yield from (each for each in passages(region) if each not in shown)
    for answer in REFLECT.findall(source):
        lines = [line.strip("# ") for line in answer.split("\n")[1:]]
        yield from (line for line in lines if len(line) > 30)


def readable(name: str, text: str) -> str:
    """Return a file with a notebook's cells as they are read, without indentation."""
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
    lines = [line.strip("# \t") for line in text.split("\n")]
    return "\n".join(line for line in lines if line)


def test_no_answers(course: Path) -> None:
    """no file holds a passage of a solution, a model answer, or a hidden test"""
    files = {name: readable(name, text) for name, text in texts(course).items()}
    sources = [path.read_text(encoding="utf-8") for path in SOURCES]
    public = "\n".join(map(to_starter, sources))
    for path, source in zip(SOURCES, sources, strict=True):
        kept = set(secrets(source, public))
        assert kept, path
        kept |= {
            f'grade("{check}", hidden=True)' for check in catalog.load(path.stem).checks
        }
        for name, text in files.items():
            assert not [secret for secret in kept if secret in text], name
    for name, text in files.items():
        assert not (name.endswith(".ipynb") and "HIDDEN TESTS" in text), name


def test_only_what_is_listed(course: Path) -> None:
    """beside notebooks and grader there are only README, licence and what installs"""
    names = list(texts(course))
    assert {name.partition("/")[0] for name in names} == {
        *(".gitignore", "LICENSE", "Makefile", "README.md", "environment.yml"),
        *("grader", "notebooks", "pyproject.toml", "requirements.lock"),
    }
    released = [name for name in names if name.startswith("notebooks/")]
    deployed = {name for name in released if "/deploy/" in name}
    assert {name.split("/")[1] for name in deployed} == {"ex10_on_call"}
    released = [name for name in released if name not in deployed]
    suffixes = {Path(name).suffix for name in released}
    assert suffixes == {".ipynb", ".py", ".svg"}
    stems = {name.split("/")[1] for name in released}
    assert stems == set(catalog.stems())
    for name in released:
        assert not name.endswith(".py") or name.endswith("/starter.py")
    assert not [name for name in names if name.startswith("grader/templates/")]


def test_folder_and_zip(tmp_path: Path, course: Path) -> None:
    """the folder holds the same files with the same permissions as the zip"""
    folder = tmp_path / "folder"
    made("class", "-o", folder)
    assert texts(course) == texts(folder)
    for name in texts(folder):
        assert (course / name).stat().st_mode == (folder / name).stat().st_mode


def test_check(course: Path) -> None:
    """there, a starter fails and a right answer in its notebook passes"""
    ran = run(course, sys.executable, "-c", "import grader; print(grader.__file__)")
    assert ran.stdout.strip() == str(course / "grader" / "__init__.py")
    starter = course / "notebooks" / OTHER / "starter.py"
    ran = run(course, *GRADER, "check", starter, "--exercise", OTHER)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "✗ what process 0 was told, process 1 knows" in ran.stdout
    notebook = course / "notebooks" / STEM / f"{STEM}.ipynb"
    notebook.write_text(answered(notebook, RIGHT.read_text(encoding="utf-8")))
    ran = run(course, *GRADER, "check", notebook)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_module(course: Path) -> None:
    """there, every module of the grader can be imported"""
    code = (
        "import importlib, pkgutil, grader\n"
        "for found in pkgutil.walk_packages(grader.__path__, 'grader.'):\n"
        "    print(importlib.import_module(found.name).__name__)"
    )
    ran = run(course, sys.executable, "-c", code)
    assert ran.returncode == 0, ran.stderr
    assert "grader.bundle.points" in ran.stdout.split()


@pytest.mark.parametrize(
    "arguments",
    [
        ("build",),
        ("new", "A title"),
        ("validity",),
        ("soak",),
        ("drift",),
        ("bundle", "class", "-o", "out"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_teachers_commands(course: Path, arguments: tuple[str, ...]) -> None:
    """there, a command that needs what is kept back says so, and changes nothing"""
    before = texts(course)
    ran = run(course, *GRADER, *arguments, PYTHONDONTWRITEBYTECODE="1")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert re.search(r"^expected \S+/, which learners do not get", ran.stderr)
    assert before == texts(course)


def test_texts(course: Path) -> None:
    """README and Makefile name nothing that is not there"""
    readme = (course / "README.md").read_text(encoding="utf-8")
    links = LINK.findall(readme)
    assert len(links) > len(catalog.stems())
    assert not [link for link in links if not (course / link).exists()]
    makefile = (course / "Makefile").read_text(encoding="utf-8")
    for word in ("teacher", "nbgrader", "solutions/", "make build", "make test"):
        assert word not in readme + makefile
    ran = run(course, "make", "help")
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = re.findall(r"^  make (\w+)", ran.stdout, re.MULTILINE)
    assert sorted(shown) == ["clean", "env", "help", "lab"]
    assert set(shown) == set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    # Each variable that a recipe uses is still defined.
    ran = run(course, "make", "-n", "--warn-undefined-variables", "lab", "clean")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_lab(course: Path, tmp_path: Path) -> None:
    """there, `make lab` opens the bundle's own first notebook"""
    environment = course / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "share", "etc", "pyvenv.cfg"):
        if (Path(sys.prefix) / name).exists():
            (environment / name).symlink_to(Path(sys.prefix) / name)
    sums = subprocess.run(
        "cksum < requirements.lock",
        shell=True,
        cwd=course,
        capture_output=True,
        text=True,
        check=True,
    )
    (environment / ".complete").write_text(f"{course} {sums.stdout}")
    with subprocess.Popen(
        ["make", "lab", "ARGS=--no-browser"],
        cwd=course,
        env={**os.environ, "HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        found = tree(running.pid)
        try:
            address, all_of_it = heard(running)
            assert f"lab/tree/{STEM}/{STEM}.ipynb" in address
            assert f"from local directory: {course / 'notebooks'}" in all_of_it
            found = tree(running.pid)
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
            running.communicate(timeout=LIMIT_S)
        finally:
            if running.poll() is None:
                for process in tree(running.pid):
                    process.kill()
    assert "Traceback" not in all_of_it
    assert not survivors(found)


def test_help() -> None:
    """the help of the command and of its kinds fits a terminal"""
    for kind in ("class", "gradescope", "classroom"):
        shown = bundle(kind, "--help", COLUMNS="80").stdout
        assert "--force" in shown
        assert max(map(len, shown.splitlines())) <= 80
    assert "exit status:" in bundle("--help", COLUMNS="80").stdout
