"""A class in several forms at once, with --exercise for what does not tell its own."""

from __future__ import annotations

import csv
from pathlib import Path

from grader.batch.submitted import digest
from tests.batch.arrivals import BOOK, unpacked, zipped
from tests.batch.classroom import OTHER, STEM, Nursery, lines, notebook


def test_a_zip_and_a_folder(nursery: Nursery, tmp_path: Path) -> None:
    """one command grades Canvas' zip and modules; --exercise is for what tells none"""
    books = {
        f"lovelaceada_12345_67890_{STEM}.ipynb": BOOK,
        "turingalan_LATE_12346_67891_my work.ipynb": notebook("x = 1", OTHER),
    }
    modules = {"bob.py": "x = 2", f"cem_{STEM}.py": "x = 3"}
    given = (
        zipped(tmp_path / "submissions.zip", dict(books)),
        unpacked(tmp_path / "mails", dict(modules)),
    )
    out = tmp_path / "out"
    ended = nursery.grade(*given, "-o", out, "--exercise", STEM)
    assert ended["status"] == 0, ended["said"]
    found = {line["author"]: line for line in lines(out)}
    assert {author: line["exercise"] for author, line in found.items()} == {
        "lovelaceada_12345": STEM,
        "turingalan_12346": OTHER,
        "bob": STEM,
        "cem": STEM,
    }
    assert found["bob"]["sha256"] == digest("x = 2")
    assert {line["status"] for line in found.values()} == {"judged"}
    with (out / "canvas" / f"{STEM}.csv").open(newline="") as table:
        ids = {row["Student"]: row["ID"] for row in csv.DictReader(table)}
    assert ids["lovelaceada"] == "12345"
    assert (ids["bob"], ids["cem"]) == ("", "")
    assert "4 submissions of 4 authors" in ended["said"]
