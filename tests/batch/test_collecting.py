"""Every way in which a class's files arrive, and which of them count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.batch.entries import in_folder
from tests.batch.arrivals import BOOK, found, unpacked, zipped
from tests.batch.classroom import STEM, by_author, hand_in, notebook

LAYOUTS: dict[str, tuple[dict[str, str], dict[str, dict[str, Any]]]] = {
    "canvas": (
        {
            f"lovelaceada_12345_67890_{STEM}.ipynb": BOOK,
            f"turingalan_LATE_12346_67891_{STEM}-2.ipynb": BOOK,
            f"anon_Ab1cD_67892_{STEM}.ipynb": BOOK,
            "núñezjosé_777_67893_my work.ipynb": BOOK,
        },
        {
            "lovelaceada_12345": {"number": "12345", "system": "canvas"},
            "turingalan_12346": {"number": "12346", "late": True},
            "anon_Ab1cD": {"number": ""},
            "núñezjosé_777": {"number": "777", "name": "núñezjosé"},
        },
    ),
    "moodle": (
        {
            "Ada Lovelace_4711_assignsubmission_file_/work.ipynb": BOOK,
            f"Alan Turing_4712_assignsubmission_file_{STEM}.ipynb": BOOK,
            "Participant_4713_assignsubmission_file_/sub/work.ipynb": BOOK,
            "Ada Lovelace_4711_assignsubmission_onlinetext_/onlinetext.html": "<p>",
        },
        {
            "Ada Lovelace_4711": {"number": "4711", "name": "Ada Lovelace"},
            "Alan Turing_4712": {"number": "4712", "system": "moodle"},
            "Participant_4713": {"number": "4713"},
        },
    ),
    "memory-submissions": (
        {
            f"memory-ada-l/notebooks/{STEM}/{STEM}.ipynb": BOOK,
            f"memory-alan/notebooks/{STEM}/{STEM}.ipynb": BOOK,
            "memory-alan/setup.py": "x = 1",
            "memory-alan/.git/hooks/update.py": "x = 1",
        },
        {"ada-l": {"system": "github"}, "alan": {"system": "github"}},
    ),
    "repositories": (
        {"hw-1-ada/work.ipynb": BOOK, "hw-1-bob/work.ipynb": BOOK},
        {"ada": {"system": "github"}, "bob": {"system": "github"}},
    ),
    "submitted": (
        {
            f"ada-1/{STEM}/{STEM}.ipynb": BOOK,
            f"ada-2/{STEM}/{STEM}.ipynb": BOOK,
            f"ada-2/{STEM}/starter.py": "x = 1",
            f"ada-2/{STEM}/timestamp.txt": "2026-11-20",
            f"ada-2/{STEM}/.ipynb_checkpoints/{STEM}-checkpoint.ipynb": BOOK,
        },
        {"ada-1": {"system": "nbgrader"}, "ada-2": {"note": ""}},
    ),
    "plain": (
        {f"ada_{STEM}.ipynb": BOOK, f"bob_{STEM} (1).ipynb": BOOK, "cleo.ipynb": BOOK},
        {"ada": {}, "bob": {}, "cleo": {}},
    ),
}


@pytest.mark.parametrize("form", ["folder", "zip", "zip in a folder"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path: Path, layout: str, form: str) -> None:
    """each system's names tell the author, in a folder and in a zip"""
    files, expected = LAYOUTS[layout]
    path = unpacked(tmp_path / layout, dict(files))
    if form != "folder":
        inner = {
            f"{layout}/{n}" if layout == "submitted" else n: t for n, t in files.items()
        }
        path = zipped(tmp_path / f"{layout}.zip", dict(inner))
    if form == "zip in a folder":
        (tmp_path / "downloads").mkdir()
        path = path.rename(tmp_path / "downloads" / path.name).parent
    taken = by_author(found(path))
    assert set(expected) == set(taken)
    for author, fields in expected.items():
        one = taken[author]
        assert (one.stem, one.problem, one.text) == (STEM, "", "\nx = 1")
        assert fields == {name: getattr(one, name) for name in fields}


def test_one_file_and_one_folder(tmp_path: Path) -> None:
    """a file's author is in its name, or is the folder that it lies in"""
    tree = tmp_path / "submitted"
    path = hand_in(tree, "ada", "x = 1")
    module = unpacked(tmp_path, {"bob.py": "x = 1"}) / "bob.py"
    for given_path in (path, path.parent, tree / "ada", tree, tmp_path):
        assert [one.author for one in found(given_path, otherwise=STEM)][:1] == ["ada"]
    (one,) = found(module, otherwise=STEM)
    assert (one.author, one.stem) == ("bob", STEM)


def test_what_was_written_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """the folder of the results is no submission, though it is among them"""
    hand_in(tmp_path, "ada", "x = 1")
    unpacked(tmp_path / "graded" / "submissions", {f"{STEM}.py": "x = 2"})
    assert [one.author for one in found(tmp_path, out=tmp_path / "graded")] == ["ada"]
    monkeypatch.chdir(tmp_path)
    for out in ("graded", "../" + tmp_path.name + "/graded"):
        assert [one.author for one in found(Path(), out=Path(out))] == ["ada"]


APART: dict[str, tuple[list[dict[str, str]], set[str]]] = {
    "numbers in names": (
        [{"student-1.ipynb": BOOK, "student-2.ipynb": BOOK, "2026-3.ipynb": BOOK}],
        {"student-1", "student-2", "2026-3"},
    ),
    "a folder for each": (
        [{"work.ipynb": BOOK, "util.py": "x = 1"}, {"work.ipynb": BOOK}],
        {"path0", "path1"},
    ),
    "a clone for each": ([{f"notebooks/{STEM}/a.ipynb": BOOK}] * 2, {"path0", "path1"}),
    "a folder around all": (
        [{"class/ada/work.ipynb": BOOK, "class/bob/work.ipynb": BOOK}],
        {"ada", "bob"},
    ),
    "a folder for the exercise": (
        [{f"{STEM}/ada.ipynb": BOOK, f"{STEM}/bob.ipynb": BOOK}],
        {"ada", "bob"},
    ),
    "a date in a name": (
        [{"ada/hw_2026_11_20.ipynb": BOOK, "bob/hw_2026_11_21.ipynb": BOOK}],
        {"ada", "bob"},
    ),
    "Moodle's folders": (
        [
            {
                "Ada L_11_assignsubmission_file/a.ipynb": BOOK,
                "Bob B_12_assignsubmission_file/a.ipynb": BOOK,
            }
        ],
        {"Ada L_11", "Bob B_12"},
    ),
    "marks in a name": ([{"nun\u0303ez_7_9_a.ipynb": BOOK}], {"nun\u0303ez_7"}),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("case", APART)
def test_nobody_is_taken_for_another(tmp_path: Path, case: str, form: str) -> None:
    """of what different learners hand in all counts, each under a name of its own"""
    given, authors = APART[case]
    paths = [
        unpacked(tmp_path / f"path{n}", dict(files))
        if form == "folder"
        else zipped(tmp_path / f"path{n}.zip", dict(files))
        for n, files in enumerate(given)
    ]
    taken = found(*paths, otherwise=STEM)
    assert {one.author for one in taken} == authors
    assert len(taken) == len(authors)


@pytest.mark.parametrize(
    "inner",
    [
        "submitted/bob/x (9).ipynb",
        "Bob B_4711_assignsubmission_file_x.ipynb",
        "bobb_1_999_x.ipynb",
    ],
)
def test_nobody_names_another(tmp_path: Path, inner: str) -> None:
    """what lies in a learner's folder is the learner's, whatever it is called"""
    tree = tmp_path / "submitted"
    for author in ("ada", "bob"):
        hand_in(tree, author, "x = 1")
    unpacked(tree / "ada" / STEM, {inner: notebook("x = 2")})
    for path in (tmp_path, tree):
        taken = by_author(found(path, otherwise=STEM))
        assert set(taken) == {"ada", "bob"}
        assert taken["bob"].text == "\nx = 1"


def test_what_is_attached_to_a_notebook(tmp_path: Path) -> None:
    """a module that Canvas took in after the notebook is not what counts"""
    files = {
        f"lovelaceada_1_10_{STEM}.ipynb": BOOK,
        "lovelaceada_1_11_starter.py": "the starter",
        f"lovelaceada_1_12_{STEM}.py": "an export",
        "turingalan_2_13_starter-1.py": "the starter",
    }
    (one,) = found(unpacked(tmp_path / "c", dict(files)), otherwise=STEM)
    assert one.text == "\nx = 1"


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (
            {f"ada_1_20_{STEM}-1.ipynb": "x = 2", f"ada_1_9_{STEM}.ipynb": "x = 1"},
            "x = 2",
        ),
        ({f"ada_1_9_{STEM}.ipynb": "x = 1", "ada_1_10_a.ipynb": "x = 2"}, "x = 2"),
        ({f"ada_{STEM} (2).ipynb": "x = 2", f"ada_{STEM} (1).ipynb": "x = 1"}, "x = 2"),
    ],
)
def test_the_last_counts(tmp_path: Path, files: dict[str, str], text: str) -> None:
    """of several files of one author and exercise the last counts, and it is said"""
    unpacked(tmp_path / "c", {name: notebook(text) for name, text in files.items()})
    (one,) = found(tmp_path / "c")
    assert one.text == f"\n{text}"
    assert one.note.startswith("handed in 2 times; not counted: ada_")


def test_a_notebook_counts_before_a_module(tmp_path: Path) -> None:
    """modules beside a notebook, as in a clone of the course, are not the submission"""
    files = {
        f"hw-ada/solutions/{STEM}/{STEM}.py": "the solution",
        f"hw-ada/notebooks/{STEM}/{STEM}.ipynb": BOOK,
        f"hw-ada/copies/of/notebooks/{STEM}/{STEM}.ipynb": notebook("x = 2"),
        f"hw-bob/{STEM}.py": "x = 3",
    }
    taken = by_author(found(unpacked(tmp_path / "c", dict(files))))
    assert taken["ada"].text == "\nx = 1"
    assert taken["bob"].text == "x = 3"


def test_two_of_one_name(tmp_path: Path) -> None:
    """two learners of one name stay two"""
    files = {
        "Ada Lovelace_1_assignsubmission_file_/a.ipynb": BOOK,
        "Ada Lovelace_2_assignsubmission_file_/a.ipynb": BOOK,
        f"lovelaceada_3_10_{STEM}.ipynb": BOOK,
        f"lovelaceada_4_11_{STEM}.ipynb": BOOK,
    }
    assert len(found(unpacked(tmp_path / "c", dict(files)))) == 4


def test_order_of_a_folder(tmp_path: Path) -> None:
    """files are listed in the order of their names, whatever the file system says"""
    names = [f"a{number}/{STEM}.ipynb" for number in (3, 1, 2)]
    unpacked(tmp_path / "c", dict.fromkeys(names, BOOK))
    listed = [entry.parts[0] for entry in in_folder(tmp_path / "c")]
    assert listed == ["a1", "a2", "a3"]
