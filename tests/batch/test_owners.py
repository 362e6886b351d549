"""Who handed in a file is told by what names it, and never makes two learners one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.batch.arrivals import BOOK, found, unpacked, zipped
from tests.batch.classroom import STEM, by_author

SLUG = STEM.replace("_", "-")
WORK = "work.ipynb"

# Folders that are given, and the authors of what is in them.
GIVEN: dict[str, tuple[dict[str, list[str]], set[str]]] = {
    "numbers in two groups": (
        {
            "tutA": [f"a-1/{WORK}", f"a-2/{WORK}"],
            "tutB": [f"b-1/{WORK}", f"b-2/{WORK}"],
        },
        {"a-1", "a-2", "b-1", "b-2"},
    ),
    "logins in two groups": (
        {
            "tutA": [f"a-ada/{WORK}", f"a-bob/{WORK}"],
            "tutB": [f"b-ada/{WORK}", f"b-cem/{WORK}"],
        },
        {"a-ada", "a-bob", "b-ada", "b-cem"},
    ),
    "students with numbers": (
        {"class": [f"student-01/{WORK}", f"student-02/{WORK}"]},
        {"student-01", "student-02"},
    ),
    "teams with letters": (
        {"class": [f"team-a/{WORK}", f"team-b/{WORK}"]},
        {"team-a", "team-b"},
    ),
    "what is no login": (
        {"class": [f"mueller-anna k/{WORK}", f"mueller-bert/{WORK}"]},
        {"mueller-anna k", "mueller-bert"},
    ),
    "a clone beside a folder of the same name": (
        {"hw-submissions": [f"hw-ada/{WORK}", f"ada/{WORK}"]},
        {"hw-ada", "ada"},
    ),
    "an exercise's slug before numbers": (
        {"class": [f"{SLUG}-s-01/{WORK}", f"{SLUG}-s-02/{WORK}"]},
        {"s-01", "s-02"},
    ),
    "two assignments of GitHub Classroom": (
        {
            "one-submissions": [f"one-ada/{WORK}", f"one-7/{WORK}"],
            "two-submissions": [f"two-bob/{WORK}", f"two-8/{WORK}"],
        },
        {"ada", "7", "bob", "8"},
    ),
    "groups, some of one learner": (
        {
            "g1": [f"ada/{WORK}", f"bob/{WORK}"],
            "g2": [f"cem/{WORK}"],
            "g3": [f"dan/{WORK}", "dan/util/memory.py"],
        },
        {"ada", "bob", "cem", "dan"},
    ),
    "files with names in folders": (
        {"h1": [f"ada_{STEM}.ipynb"], "h2": [f"bob_{STEM}.ipynb", "memory.py"]},
        {"ada", "bob"},
    ),
    "folders that learners have made": (
        {"ada": [f"hw/{WORK}"], "bob": [f"homework/{WORK}"], "cem": [WORK]},
        {"ada", "bob", "cem"},
    ),
    "folders that learners have called the same": (
        {"ada": [f"hw/{WORK}"], "bob": [f"hw/{WORK}"], "cem": [f"mine/{WORK}"]},
        {"ada", "bob", "cem"},
    ),
    "a month in names": (
        {
            "class": [
                f"ada_2026_11_{STEM}.ipynb",
                f"bob_2026_11_{STEM}.ipynb",
                f"cem_2026_12_{STEM}.ipynb",
            ]
        },
        {"ada_2026_11", "bob_2026_11", "cem_2026_12"},
    ),
}


@pytest.mark.parametrize("case", GIVEN)
def test_who_is_told(tmp_path: Path, case: str) -> None:
    """of several given folders no two learners are made one"""
    given, authors = GIVEN[case]
    paths = [
        unpacked(tmp_path / folder, dict.fromkeys(files, BOOK))
        for folder, files in given.items()
    ]
    assert {one.author for one in found(*paths)} == authors


def test_zips_of_learners(tmp_path: Path) -> None:
    """a zip's own name tells its learner, whatever folder is in it"""
    for author, folder in {"ada": "homework", "bob": "final", "cem": "work"}.items():
        zipped(tmp_path / f"{author}.zip", {f"{folder}/{WORK}": BOOK})
    assert {one.author for one in found(tmp_path)} == {"ada", "bob", "cem"}


def test_months_are_no_ids(tmp_path: Path) -> None:
    """a number that several learners' files share is no id, also of files one by one"""
    names = [f"ada_2026_11_{STEM}.ipynb", f"bob_2026_11_{STEM}.ipynb"]
    folder = unpacked(tmp_path / "class", dict.fromkeys(names, BOOK))
    for taken in (found(folder), found(*(folder / name for name in names))):
        assert [(one.author, one.number, one.system) for one in taken] == [
            ("ada_2026_11", "", ""),
            ("bob_2026_11", "", ""),
        ]


def test_ids_stay_ids(tmp_path: Path) -> None:
    """a learner of Canvas keeps the id over many files, whatever others' are called"""
    files = {
        f"lovelaceada_2026_11_{STEM}.ipynb": BOOK,
        f"lovelaceada_LATE_2026_12_{STEM}-1.ipynb": BOOK,
        f"turingalan_2027_13_work/bobb_2026_14_{STEM}.ipynb": BOOK,
    }
    taken = by_author(found(unpacked(tmp_path / "class", dict(files))))
    assert set(taken) == {"lovelaceada_2026", "turingalan_2027"}
    assert taken["lovelaceada_2026"].number == "2026"


def test_modules_of_no_exercise(tmp_path: Path) -> None:
    """a module of no exercise that lies beside a submission is named in the note"""
    long = "x" * 200
    files = {f"ada/{STEM}.ipynb": BOOK, "ada/memory.py": "x = 1", "ada/starter.py": ""}
    files |= {f"bob/{STEM}.ipynb": BOOK, f"bob/{STEM} (1).ipynb": BOOK}
    files |= {f"bob/{long}{number}.py": "x = 1" for number in range(9)}
    files |= {f"cem/{STEM}.ipynb": BOOK}
    taken = by_author(found(unpacked(tmp_path / "class", dict(files))))
    assert taken["ada"].note == "of no exercise, so not counted: memory.py"
    both = f"handed in 2 times; not counted: {STEM}.ipynb; of no exercise, so not"
    assert taken["bob"].note.startswith(both)
    assert taken["bob"].note.endswith("… and 4 more")
    assert len(taken["bob"].note) < 500
    assert taken["cem"].note == ""
