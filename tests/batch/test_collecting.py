"""Every way in which a class's files arrive, and every file that is none."""

from __future__ import annotations

import io
import json
import os
import random
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.batch import archive, naming
from grader.batch.collecting import collect, groups, that_count
from grader.batch.entries import in_folder
from grader.batch.submitted import Submitted
from grader.submissions import FILE_LIMIT_B, BadInput, from_bytes
from tests.batch.classroom import OTHER, STEM, by_author, hand_in, notebook

MIB = 1024 * 1024


def found(
    *paths: Path, otherwise: str = "", out: Path = Path("out")
) -> list[Submitted]:
    """Return what counts of the files at these paths."""
    return that_count(collect(groups(paths, out), otherwise))


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    """Write a zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def unpacked(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a folder of these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


BOOK = notebook("x = 1")
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


def test_what_was_written_is_not_read(tmp_path: Path) -> None:
    """the folder of the results is no submission, though it is among them"""
    hand_in(tmp_path, "ada", "x = 1")
    unpacked(tmp_path / "graded" / "submissions", {f"{STEM}.py": "x = 2"})
    assert [one.author for one in found(tmp_path, out=tmp_path / "graded")] == ["ada"]


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


def deep() -> bytes:
    """Return JSON that is nested more deeply than anybody reads."""
    return b'{"cells":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


BAD: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "found JSONDecodeError"),
    "nested": (deep(), "found RecursionError"),
    "encoding": (BOOK.encode("utf-16"), "expected text in UTF-8"),
    "no cell": (b'{"cells": []}', "found 0"),
    "two cells": (notebook("x = 1", STEM, "%%submission\ny").encode(), "found 2"),
    "unknown exercise": (notebook("x = 1", "ex99_no").encode(), "found 'ex99_no'"),
    "no exercise": (
        json.dumps(
            {"cells": [{"cell_type": "code", "source": "%%submission\nx"}]}
        ).encode(),
        "expected to know the exercise",
    ),
    "cells": (b'{"cells": {"a": 1}}', "found 0"),
    "long": (
        notebook(random.Random(1).randbytes(MIB).hex()).encode(),
        "expected a submission of at most",
    ),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_notebooks(tmp_path: Path, kind: str, form: str) -> None:
    """what holds no submission is a row with the reason, and the others are read"""
    content, says = BAD[kind]
    files = {"ada/work.ipynb": content, f"bob/{STEM}.ipynb": BOOK}
    path = unpacked(tmp_path / "c", dict(files))
    if form == "zip":
        path = zipped(tmp_path / "c.zip", dict(files))
    taken = by_author(found(path))
    assert says in taken["ada"].problem
    assert taken["bob"].text == "\nx = 1"


def test_bad_files(tmp_path: Path) -> None:
    """links, pipes and huge files are refused by name, unread, and nothing waits"""
    folder = unpacked(tmp_path / "c", {f"bob/{STEM}.ipynb": BOOK})
    secret = unpacked(tmp_path, {"secret.ipynb": notebook("secret = 1")})
    (folder / "link").mkdir()
    (folder / "link" / "a.ipynb").symlink_to(secret / "secret.ipynb")
    (folder / "away").symlink_to(secret)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "a.ipynb")
    (folder / "huge").mkdir()
    with (folder / "huge" / "a.ipynb").open("wb") as file:
        file.truncate(200 * MIB)
    tracemalloc.start()
    taken = by_author(found(folder))
    _, peak_b = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "found a symbolic link" in taken["link"].problem
    assert "found a symbolic link" in taken["away"].problem
    assert "found a folder, a pipe or a device" in taken["pipe"].problem
    assert f"at most {FILE_LIMIT_B} bytes" in taken["huge"].problem
    assert taken["bob"].text == "\nx = 1"
    assert peak_b < 20 * MIB


def linked(name: str) -> zipfile.ZipInfo:
    """Return a member that would be a symbolic link."""
    made = zipfile.ZipInfo(name)
    made.external_attr = 0o120777 << 16
    return made


def test_bad_zips(tmp_path: Path) -> None:
    """what a zip should not hold is refused by name, and nothing is written anywhere"""
    path = tmp_path / "c.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("../up/a.ipynb", BOOK)
        made.writestr("/etc/a.ipynb", BOOK)
        made.writestr("C:\\a.ipynb", BOOK)
        made.writestr("inner/a.zip", b"PK")
        made.writestr("bomb/a.ipynb", b" " * (15 * MIB))
        made.writestr("huge/a.ipynb", b"\0" * (FILE_LIMIT_B + 1))
        made.writestr(linked("link/a.ipynb"), "/etc/passwd")
        made.writestr(f"bob/{STEM}.ipynb", BOOK)
    before = sorted(tmp_path.rglob("*"))
    told = [(one.source.partition(": ")[2], one.problem) for one in found(path)]
    problems = {name.replace("\\", "/"): problem for name, problem in told}
    assert "leads out of it" in problems["../up/a.ipynb"]
    assert "found an absolute one" in problems["/etc/a.ipynb"]
    assert "found an absolute one" in problems["C:/a.ipynb"]
    assert "a zip inside a zip" in problems["inner/a.zip"]
    assert "shrinks to a 100th" in problems["bomb/a.ipynb"]
    assert "expected a file of at most" in problems["huge/a.ipynb"]
    assert "found a symbolic link" in problems["link/a.ipynb"]
    assert problems[f"bob/{STEM}.ipynb"] == ""
    assert before == sorted(tmp_path.rglob("*"))


def test_a_lying_zip(tmp_path: Path) -> None:
    """a zip that says a file is small is not believed"""
    path = zipped(tmp_path / "c.zip", {"ada/a.ipynb": b"ab" * (9 * MIB)})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    (one,) = found(path)
    assert one.problem


def test_an_encrypted_zip(tmp_path: Path) -> None:
    """a zip with a password is refused with a way out"""
    path = zipped(tmp_path / "c.zip", {"ada/a.ipynb": BOOK})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    path.write_bytes(data)
    (one,) = found(path)
    assert "found an encrypted file" in one.problem
    assert "unpack it" in one.help


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", b"\0" * 4096])
def test_no_zip(tmp_path: Path, content: bytes) -> None:
    """what is called a zip and is none is one row with the reason"""
    path = unpacked(tmp_path, {"class.zip": content}) / "class.zip"
    (one,) = found(path)
    assert "expected a zip, found" in one.problem


def test_all_of_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a zip of many files is read as far as the limit of all of them together"""
    monkeypatch.setattr(archive, "TOTAL_LIMIT_B", 3 * len(BOOK))
    names = [f"author{n}/{STEM}.ipynb" for n in range(5)]
    taken = found(zipped(tmp_path / "c.zip", dict.fromkeys(names, BOOK)))
    assert [bool(one.problem) for one in taken] == [False, False, False, True, True]
    monkeypatch.setattr(archive, "MEMBERS_LIMIT", 4)
    (one,) = found(tmp_path / "c.zip")
    assert "expected at most 4 files in a zip, found 5" in one.problem


def test_nothing_there(tmp_path: Path) -> None:
    """a path at which there is nothing is refused"""
    with pytest.raises(BadInput, match="found nothing at"):
        found(tmp_path / "nowhere")


def read_or_refused(content: bytes) -> bool:
    """Return whether a notebook is read, or refused in words."""
    try:
        return isinstance(from_bytes(content, Path("a.ipynb")).text, str)
    except BadInput as problem:
        return "expected" in str(problem)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "metadata"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON | st.just({"cells": [{"cell_type": "code", "source": "%%submission"}]}))
def test_fuzz_notebooks(data: Any) -> None:
    """whatever JSON a notebook is, it is a submission or has a clear reason"""
    assert read_or_refused(json.dumps(data).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_fuzz_bytes(content: bytes) -> None:
    """whatever bytes a notebook is, it is a submission or has a clear reason"""
    assert read_or_refused(content)


NAMES = st.lists(
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20)
    | st.sampled_from([STEM, OTHER, "submitted", "_1_2_", "a_LATE_1_2_b.py", "(1).py"]),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(NAMES, st.lists(st.text(max_size=8), max_size=3), st.text(max_size=10))
def test_fuzz_names(parts: list[str], above: list[str], prefix: str) -> None:
    """every path has an author, and at most one exercise of the course"""
    owner = naming.owner(naming.Place(tuple(above), prefix), tuple(parts))
    assert owner.author
    assert owner.stem in {"", *naming.catalog.stems()}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_fuzz_zips(
    tmp_path_factory: pytest.TempPathFactory, seed: int, many: int
) -> None:
    """a zip with damaged bytes is read or refused, member by member, and never more"""
    rng = random.Random(seed)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"ada/{STEM}.ipynb", BOOK)
        made.writestr(f"bob/{STEM}.ipynb", BOOK)
    data = bytearray(buffer.getvalue())
    for _ in range(many):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path = tmp_path_factory.mktemp("zip") / "c.zip"
    path.write_bytes(data[: rng.randrange(len(data) // 2, len(data) + 1)])
    for one in found(path):
        assert one.problem or one.text


def test_order_of_a_folder(tmp_path: Path) -> None:
    """files are listed in the order of their names, whatever the file system says"""
    names = [f"a{number}/{STEM}.ipynb" for number in (3, 1, 2)]
    unpacked(tmp_path / "c", dict.fromkeys(names, BOOK))
    listed = [entry.parts[0] for entry in in_folder(tmp_path / "c")]
    assert listed == ["a1", "a2", "a3"]
