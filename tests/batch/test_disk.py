"""A disk that is full, or that has lost what was written, costs no grade."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from grader.batch.grading import _found, _keep, _refuse_mixture
from grader.batch.journal import Journal
from grader.batch.places import Places
from tests.batch.classroom import (
    ROOT,
    STEM,
    Nursery,
    hand_in,
    lines,
    verdict,
)
from tests.batch.small_disk import AUTHORS, NO_DISK, SIZES_KIB


def test_a_text_cut_off(nursery: Nursery, tmp_path: Path) -> None:
    """a text that a power failure left empty or in part is not what is judged"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for author in ("ada", "bob"):
        hand_in(tree, author, f"x = 'it dies with {author}'")
    assert nursery.grade(tree, "-o", out)["status"] == 3
    whole = {path: path.read_bytes() for path in (out / "submissions").iterdir()}
    empty, half = sorted(whole)
    empty.write_bytes(b"")
    half.write_bytes(whole[half][:3])
    (out / "verdicts.jsonl").write_bytes(b"")
    assert nursery.grade(tree, "-o", out)["status"] == 3
    assert [line["status"] for line in lines(out)] == ["error"] * 2
    assert {path: path.read_bytes() for path in whole} == whole


def test_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """what a verdict needs is on the disk before it has its name, then the name is"""
    synced: set[int] = set()
    early: list[Path] = []
    fsync, replace = os.fsync, os.replace

    def syncs(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    def names(old: str, new: Path) -> None:
        early.extend([new] if os.stat(old).st_ino not in synced else [])
        synced.discard(new.parent.stat().st_ino)
        replace(old, new)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(os, "replace", names)
    places = Places(tmp_path / "out")
    hand_in(tmp_path / "submitted", "ada", "x = 1")
    given = [tmp_path / "submitted"]
    chosen = argparse.Namespace(paths=given, exercise="", once=False)
    (one,) = _found(chosen, places)
    answer = {"stem": STEM, "sha256": one.sha256, "verdict": verdict().to_json()}
    with Journal(places.journal) as journal:
        assert places.out.stat().st_ino in synced
        _refuse_mixture(chosen, places, journal)
        _keep({**answer, "timelines": {"scenario": "<svg/>"}}, {}, journal, places)
    (picture,) = places.timelines(STEM, one.sha256).iterdir()
    assert early == []
    assert {p.parent.stat().st_ino for p in (places.text(one.sha256), picture)} < synced


def test_a_broken_journal(nursery: Nursery, tmp_path: Path) -> None:
    """what is said of a broken journal can be done: moved away, all is judged anew"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    assert nursery.grade(tree, "-o", out)["status"] == 0
    journal = out / "verdicts.jsonl"
    journal.write_bytes(b"\0" * 20 + b"\n" + journal.read_bytes())
    ended = nursery.grade(tree, "-o", out)
    assert ended["status"] == 2
    assert "move the file away, and run the same command again" in ended["said"]
    journal.rename(tmp_path / "moved away")
    ended = nursery.grade(tree, "-o", out)
    assert ended["status"] == 0, ended["said"]
    assert [line["author"] for line in lines(out)] == ["ada"]


def on_small_disks(folder: Path) -> list[dict[str, Any]]:
    """Return what became of a class on disks of several sizes, each made larger."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("the program unshare, of the system package util-linux, is missing")
    script = (sys.executable, "-m", "tests.batch.small_disk", str(folder))
    ran = subprocess.run(
        [unshare, "--map-root-user", "--mount", *script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if ran.returncode == NO_DISK or "unshare failed" in ran.stderr:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_disk_full(tmp_path: Path) -> None:
    """on a disk that gets full it is said and nothing is lost; with room it goes on"""
    rounds = on_small_disks(tmp_path)
    assert len(rounds) == len(SIZES_KIB)
    for each in rounds:
        assert each["status"] == 2, each["said"]
        assert "No space left on device" in each["said"]
        assert "the same command goes on where this one stopped" in each["said"]
        assert each["then"] == 0
        assert each["lines"][: len(each["kept"])] == each["kept"]
        assert Counter(each["lines"]) == dict.fromkeys(AUTHORS, 1)
        assert each["rows"] == sorted(AUTHORS)
        assert each["again"] == 0, "what was kept is not judged again"
    kept = [len(each["kept"]) for each in rounds]
    assert {0, len(AUTHORS)} < {*kept}, "before, while and after all were judged"
