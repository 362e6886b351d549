"""`nbgrader zip_collect` on a folder of downloads, hostile ones among them."""

from __future__ import annotations

import zipfile

import pytest

from tests.nbgrader_cycle.nbgrader_course import Course, make_course

STEM = "ex00_start_here"
BOOK = f"{STEM}.ipynb"
SECRET = "the-teachers-secret-91c4"
LINK = 0o120777 << 16  # what a zip says of a symbolic link
ORDINARY = {"ada", "bob", "cem", "dan", "zoe"}
REFUSED = {
    f"lin_{BOOK}": "found a symbolic link",
    f"lou_{BOOK}": "found a symbolic link",
    f"../../up_{BOOK}": "found one that leads out of it",
    f"/top_{BOOK}": "found an absolute one",
    "broken.zip": "expected a zip, found",
    "inner.zip": "found a zip inside a zip",
    "class.tar.gz": "expected a zip",
}


def linked(name: str) -> zipfile.ZipInfo:
    """Return a member of a zip that would be a link."""
    made = zipfile.ZipInfo(name)
    made.external_attr = LINK
    return made


def download(course: Course) -> None:
    """Put what came back where README says, and what nobody wants beside it."""
    folder = course.root / "downloaded" / STEM / "archive"
    folder.mkdir(parents=True)
    text = course.release.read_text(encoding="utf-8")
    secret = course.root / "secret.txt"
    secret.write_text(SECRET)
    (folder / f"ada_{BOOK}").write_text(text)
    (folder / f"bob_{STEM} (1).ipynb").write_text(text)
    (folder / f".._{BOOK}").write_text(text)  # by its name, of the student `..`
    (folder / f"lin_{BOOK}").symlink_to(secret)
    (folder / "broken.zip").write_bytes(b"PK")
    (folder / "class.tar.gz").write_bytes(b"")
    with zipfile.ZipFile(folder / "class.zip", "w") as made:
        made.writestr(f"cem_{BOOK}", text)
        made.writestr(f"../../up_{BOOK}", text)
        made.writestr(f"{course.root.parent}/top_{BOOK}", text)
        made.writestr(linked(f"lou_{BOOK}"), str(secret))
        made.writestr(linked("out"), str(course.root))
        made.writestr(f"out/dan_{BOOK}", text)
        made.writestr("inner.zip", b"PK")
    with zipfile.ZipFile(folder / "late.zip", "w") as made:
        made.writestr(f"zoe_{BOOK}", text)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with its downloads."""
    made = make_course(tmp_path_factory.mktemp("zip_collect"), STEM)
    download(made)
    return made


@pytest.fixture(scope="module")
def log(course: Course) -> str:
    """Collect them all in one command, and return what it said."""
    return course.nbgrader("zip_collect", STEM)


def test_each_is_where_autograde_looks(course: Course, log: str) -> None:
    """the notebooks of a folder and its zips are collected, whatever came with them"""
    submitted = course.root / "submitted"
    assert {path.name for path in submitted.iterdir()} == ORDINARY
    for author in ORDINARY:
        (handed_in,) = (submitted / author / STEM).iterdir()
        assert handed_in.name == BOOK
        assert handed_in.read_bytes() == course.release.read_bytes()


def test_nothing_leads_out(course: Course, log: str) -> None:
    """nothing is written elsewhere, and no link is made or followed"""
    known = {"downloaded", "notebooks", "solutions", "submitted"}
    for path in course.root.parent.rglob(f"*{BOOK}"):
        assert path.is_relative_to(course.root), path
        assert path.relative_to(course.root).parts[0] in known, path
    for folder in ("submitted", f"downloaded/{STEM}/extracted"):
        for path in (course.root / folder).rglob("*"):
            assert not path.is_symlink()
            assert path.is_dir() or SECRET not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(log: str, name: str) -> None:
    """the log says what is not collected, and why"""
    (line,) = [each for each in log.splitlines() if f"{name} is not" in each]
    assert REFUSED[name] in line
