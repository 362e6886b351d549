"""Where a bundle is written: nothing is overwritten unasked, nothing half written."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader.bundle.writing import File, write
from tests.bundle.bundles import ROOT, STEM, bundle, made, texts


def refused(*arguments: str | Path) -> str:
    """Return why nothing was made: on standard error, with status 2."""
    ran = bundle(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    return ran.stderr


@pytest.mark.parametrize("kind", ["gradescope", "classroom"])
def test_unknown_exercise(tmp_path: Path, kind: str) -> None:
    """an exercise that is not there is refused, and the near one is suggested"""
    err = refused(kind, "ex04_memory_server", "-o", tmp_path / "out.zip")
    assert "found 'ex04_memory_server'; did you mean \"ex04_memory_saver\"?" in err
    assert os.listdir(tmp_path) == []


def test_wrong_form(tmp_path: Path) -> None:
    """Gradescope takes a zip, a repository is a folder; anything else is refused"""
    err = refused("gradescope", STEM, "-o", tmp_path / "out")
    assert "expected a name that ends in .zip, found" in err
    assert "help: " in err
    err = refused("classroom", "-o", tmp_path / "out.zip")
    assert "expected a folder, found" in err
    assert "usage: " in refused("gradescope", "-o", tmp_path / "out.zip")
    assert os.listdir(tmp_path) == []


def test_zip_is_there(tmp_path: Path) -> None:
    """a file in the way is kept; --force replaces it, by the same bytes each time"""
    out = tmp_path / "autograder.zip"
    out.write_text("mine")
    err = refused("gradescope", STEM, "-o", out)
    assert f"expected nothing at {out}, found one\n  help: --force" in err
    assert out.read_text() == "mine"
    made("gradescope", STEM, "-o", out, "--force")
    first = out.read_bytes()
    made("gradescope", STEM, "-o", out, "--force")
    assert first == out.read_bytes()
    assert os.listdir(tmp_path) == [out.name]
    # A program that serves files to a class is rarely root.
    assert out.stat().st_mode & 0o777 == 0o644


def test_folder_is_there(tmp_path: Path) -> None:
    """--force renews a repository's files; with others beside them, nothing is done"""
    out = tmp_path / "template"
    made("classroom", "-o", out)
    fresh = texts(out)
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (out / "README.md").write_text("older\n")
    assert "help: --force replaces it" in refused("classroom", "-o", out)
    made("classroom", "-o", out, "--force")
    assert fresh | {".git/HEAD": "ref: refs/heads/main\n"} == texts(out)
    (out / "README.md").write_text("older\n")
    (out / "solutions").mkdir()
    (out / "solutions" / "key.py").write_text("x = 1\n")
    err = refused("classroom", "-o", out, "--force")
    assert (
        f"expected only the files of a bundle in {out}, found solutions/key.py" in err
    )
    assert (out / "README.md").read_text() == "older\n"


def test_no_such_place(tmp_path: Path) -> None:
    """a place below what is no folder, or that takes no files, is refused"""
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "nowhere" / "a.zip", tmp_path / "file" / "a.zip"):
        assert "expected a folder to write a.zip to, found no" in refused(
            "class", "-o", place
        )
    err = refused("class", "-o", "/proc/a.zip")
    assert "expected to write /proc/a.zip, found " in err
    assert "help: nothing was changed" in err
    out = tmp_path / "link.zip"
    out.symlink_to(tmp_path / "file")
    assert "found something else" in refused("class", "-o", out, "--force")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["course.zip", "course"])
def test_disk_full(tmp_path: Path, name: str) -> None:
    """on a disk that gets full, the error says so, and what was there is untouched"""
    mount = shutil.which("unshare")
    if mount is None:
        pytest.skip("the program unshare, of the system package util-linux, is missing")
    disk = tmp_path / "disk"
    disk.mkdir()
    grader = shlex.join([sys.executable, "-m", "grader", "bundle", "class", "-o", name])
    script = (
        f"mount -t tmpfs -o size=256k tmpfs {shlex.quote(str(disk))} || exit 99\n"
        f"cd {shlex.quote(str(disk))} && echo mine > before\n"
        f"{grader}; status=$?; ls -A; cat before; exit $status"
    )
    ran = subprocess.run(
        [mount, "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if ran.returncode == 99 or "unshare failed" in ran.stderr:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")
    assert ran.returncode == 2, ran.stderr
    assert f"expected to write {name}, found No space left on device" in ran.stderr
    assert ran.stdout.split() == ["before", "mine"]


def test_the_clock_is_not_in_it(tmp_path: Path) -> None:
    """the bytes of a zip depend on the files alone, not on their order or the time"""
    files = {"b/run": File(b"#!/bin/sh\n", program=True), "a.txt": File(b"text\n")}
    write(files, tmp_path / "one.zip")
    write(dict(reversed(files.items())), tmp_path / "two.zip")
    one = (tmp_path / "one.zip").read_bytes()
    assert one == (tmp_path / "two.zip").read_bytes()
