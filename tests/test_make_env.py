"""What `make env` promises, shown with stand-ins for Python and uv on an empty PATH."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("awk", "cat", "chmod", "cksum", "grep", "ln", "mkdir", "rm", "sh", "test")


@pytest.fixture
def workbench(tmp_path):
    """A folder with the Makefile and a small lock, and a PATH on which nothing is but
    the shell's everyday tools and the commands that a test puts there."""
    return Workbench(tmp_path)


class Workbench:
    def __init__(self, folder: Path):
        self.project = folder / "project"
        self.commands = folder / "commands"
        self.calls = folder / "calls"
        self.project.mkdir()
        self.commands.mkdir()
        shutil.copy(ROOT / "Makefile", self.project)
        self.lock = self.project / "requirements.lock"
        self.lock.write_text("one==1.0\n")
        for tool in TOOLS:
            if found := shutil.which(tool):
                (self.commands / tool).symlink_to(found)

    def command(self, name: str, script: str) -> None:
        path = self.commands / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.calls}"\n{script}\n')
        path.chmod(0o755)

    def python(self, version: str) -> None:
        """A Python of that version, as far as the Makefile can see."""
        supported = version in ("3.11.9", "3.12.9", "3.13.9")
        answer = f"echo {self.commands}/python3" if supported else "exit 1"
        self.command(
            "python3",
            'case "$*" in\n'
            f"  *assert*) {answer};;\n"
            f"  *version.split*) echo {version};;\n"
            "  *) exit 1;;\n"
            "esac",
        )

    def uv(self, works: bool = True) -> None:
        """A uv that makes an environment, and then can or cannot install into it."""
        self.command(
            "uv",
            'case "$1 $2" in\n'
            "  venv*) rm -rf .venv; mkdir -p .venv/bin\n"
            "         ln -s /bin/sh .venv/bin/python;;\n"
            f"  'pip install') exit {0 if works else 1};;\n"
            "esac",
        )

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        make = shutil.which("make")
        assert make, "GNU make is needed"
        environment = {"PATH": str(self.commands), "HOME": str(self.project)}
        return subprocess.run(
            [make, *arguments],
            cwd=self.project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def installs(self) -> int:
        return self.calls.read_text().count("uv pip install")


def test_make_env_does_nothing_the_second_time(workbench):
    """When .venv is complete, `make env` starts no Python, no uv, and says nothing."""
    workbench.python("3.12.9")
    workbench.uv()
    first = workbench.make("env")
    assert first.returncode == 0, first.stdout
    assert workbench.installs() == 2
    second = workbench.make("env")
    assert (second.returncode, second.stdout) == (0, "")
    assert workbench.calls.read_text() == ""


def test_make_env_follows_the_lock(workbench):
    """A lock that changed, by a pull perhaps, is installed by the next `make env`."""
    workbench.python("3.12.9")
    workbench.uv()
    workbench.make("env")
    workbench.lock.write_text("one==1.1\n")
    assert workbench.make("env").returncode == 0
    assert workbench.installs() == 2


def test_make_env_redoes_an_install_that_did_not_finish(workbench):
    """An install that broke off is not taken for a complete one."""
    workbench.python("3.12.9")
    workbench.uv(works=False)
    broken = workbench.make("env")
    assert broken.returncode != 0
    assert "did not finish" in broken.stdout
    workbench.uv(works=True)
    mended = workbench.make("env")
    assert mended.returncode == 0, mended.stdout
    assert workbench.installs() == 2


def test_make_env_follows_the_folder(workbench):
    """A folder that was moved gets a new environment: the scripts of the old one
    name the old place."""
    workbench.python("3.12.9")
    workbench.uv()
    workbench.make("env")
    workbench.project = workbench.project.rename(workbench.project.with_name("moved"))
    assert workbench.make("env").returncode == 0
    assert workbench.installs() == 2


@pytest.mark.parametrize("version", ["3.10.14", "3.14.0", "2.7.18"])
def test_make_env_explains_an_unsupported_python(workbench, version):
    """With only an unsupported Python, `make env` says what it expected, what it found
    and the way out, and leaves nothing behind."""
    workbench.python(version)
    workbench.uv()
    answer = workbench.make("env")
    assert answer.returncode != 0
    assert "Expected: Python 3.11, 3.12 or 3.13" in answer.stdout
    assert f"Found:    python3 is {version}\n" in answer.stdout
    assert "Way out:" in answer.stdout
    assert not (workbench.project / ".venv").exists()


def test_make_env_explains_a_missing_python(workbench):
    """With no Python at all, `make env` says the same."""
    answer = workbench.make("env")
    assert answer.returncode != 0
    assert "Found:    none of them" in answer.stdout
    assert "Way out:" in answer.stdout


def test_make_env_explains_a_python_without_venv(workbench):
    """With neither uv nor the module venv (Debian keeps it in a package of its own),
    `make env` names the package that is missing."""
    workbench.python("3.11.9")
    answer = workbench.make("env")
    assert answer.returncode != 0
    assert "cannot create virtual environments" in answer.stdout
    assert "python3-venv" in answer.stdout


def test_make_env_takes_the_python_it_is_given(workbench):
    """`make env PYTHON=...` uses that one, and explains when it cannot."""
    workbench.python("3.12.9")
    (workbench.commands / "python3").rename(workbench.commands / "mine")
    workbench.uv()
    assert workbench.make("env").returncode != 0
    wrong = workbench.make("env", "PYTHON=elsewhere")
    assert "as one of: elsewhere" in wrong.stdout
    assert workbench.make("env", "PYTHON=mine").returncode == 0


def test_make_alone_lists_every_command(workbench):
    """`make` prints what there is to type, and installs nothing."""
    answer = workbench.make()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"env", "lab", "test"} <= set(targets)
    listed = re.findall(r"^  make (\w+) +\w", answer.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets)
