"""What a learner has done is kept, and a file that is broken is never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader import course
from grader.store import SIZE_LIMIT_B, Store

ROOT = Path(__file__).parents[1]
STEM = "ex04_memory_saver"
BROKEN = {
    "no JSON": (b'{"score": 10', "no JSON"),
    "no text": (b"\xff\xfe", "no JSON"),
    "a list": (b"[1]", "list in place of an object"),
    "a score in words": (b'{"score": "ten"}', "'ten' for `score`"),
    "a score without end": (b'{"score": 1e999}', "inf for `score`"),
    "deep": (b"[" * 100_000, "maximum recursion depth"),
    "large": (b" " * (SIZE_LIMIT_B + 1), f"more than {SIZE_LIMIT_B} bytes"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of one notebook."""
    here = tmp_path / STEM
    here.mkdir()
    return here


def test_two_notebooks_keep_each_others_facts(folder: Path) -> None:
    """what is open twice loses nothing that either of them has written"""
    one, other = Store(STEM, folder), Store(STEM, folder)
    assert one.remember({"hints": 2}) == ""
    assert other.remember({"score": 10}) == ""
    assert one.remember({"observed": True}) == ""
    kept = json.loads(one.path.read_text(encoding="utf-8"))
    assert kept == {"hints": 2, "score": 10, "observed": True}
    assert one.get("score") == 10
    assert one.remember({"score": 11}) == other.remember({"score": 12}) == ""
    assert one.remember({"hints": 3}) == ""
    assert Store(STEM, folder).get("score") == 12


@pytest.mark.parametrize(("content", "found"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_and_kept(
    folder: Path, content: bytes, found: str
) -> None:
    """it says what was expected and found; going on keeps its bytes under a new name"""
    store = Store(STEM, folder)
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    store = Store(STEM, folder)
    assert store.get("score") is None
    expected = f"expected your progress in .progress/{STEM}.json, found "
    assert store.problem.startswith(expected)
    assert found in store.problem
    assert store.path.read_bytes() == content
    for number in (1, 2):
        store.path.write_bytes(content)
        said = store.remember({"hints": number})
        aside = f"{STEM}.json.broken-{number}"
        assert said.endswith(f"; it is kept as {aside}")
        assert store.path.with_name(aside).read_bytes() == content
        assert store.problem == ""
        assert Store(STEM, folder).get("hints") == number


def test_where_nothing_can_be_written(folder: Path) -> None:
    """it says so and goes on in memory; what can be written later is, with the rest"""
    store = Store(STEM, folder)
    store.path.parent.write_text("a file in the folder's place")
    said = store.remember({"hints": 1})
    assert said.startswith("your progress could not be saved: ")
    assert store.get("hints") == 1
    store.path.parent.unlink()
    assert store.remember({"score": 4}) == ""
    kept = json.loads(store.path.read_text(encoding="utf-8"))
    assert kept == {"hints": 1, "score": 4}


def test_a_full_disk_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """when the new file cannot take its place, the old one is as it was"""
    store = Store(STEM, folder)
    store.remember({"score": 7})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert "No space left on device" in store.remember({"score": 10})
    assert json.loads(store.path.read_text(encoding="utf-8")) == {"score": 7}
    assert [store.path] == list(store.path.parent.iterdir())


def test_the_map_names_a_broken_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """only notebooks that are there are on the map; the broken one is not known"""
    for stem in (STEM, "ex00_start_here"):
        (folder.parent / stem).mkdir(exist_ok=True)
        (folder.parent / stem / f"{stem}.ipynb").touch()
    Store(STEM, folder).remember({"score": 10})
    Store(STEM, folder).path.write_text("{")
    Store("ex00_start_here", folder.parent).remember({"score": 10})
    monkeypatch.chdir(folder.parent / "ex00_start_here")
    shown = course.progress()
    assert [row.name for row in shown.rows] == ["ex00", "ex04"]
    assert [row.proved for row in shown.rows] == [True, False]
    assert "! ex04" in repr(shown)
    assert f"expected your progress in .progress/{STEM}.json" in shown.html
    assert "more exercises have no notebook here." in shown.html


def test_a_learner_is_told(folder: Path) -> None:
    """a hint is given all the same, and what became of the broken file stands above"""
    (folder.parent / ".progress").mkdir()
    (folder.parent / ".progress" / f"{STEM}.json").write_text("{")
    code = (
        "from grader import session, catalog, hint\n"
        "from grader.store import Store\n"
        "from pathlib import Path\n"
        f"stem = {STEM!r}\n"
        "session._current[:] = [\n"
        "    session.Session(stem, catalog.load(stem), Store(stem, Path.cwd()))]\n"
        "print(hint())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    assert f"it is kept as {STEM}.json.broken-1" in ran.stdout
    assert "MemorySaver" in ran.stdout
    assert ran.stderr == ""
