"""The grades as tables: one for people, and what Canvas and Moodle import."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from grader import catalog
from grader.batch.graded import JUDGED, Graded, short
from grader.batch.places import UNFINISHED, Places
from grader.reports.words import number

COLUMNS = (
    *("author", "exercise", "status", "score", "max_score", "reason", "note"),
    *("identical_to", "late", "seed", "tier", "source", "sha256", "feedback"),
)
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# Moodle's importer of worksheets finds its columns by these English names.
MOODLE = (
    *("Identifier", "Full name", "Email address", "Grade", "Maximum Grade"),
    *("Last modified (grade)", "Feedback comments"),
)
PARTICIPANT = "Participant "  # Moodle takes the number after this word
# With one of these in front, a spreadsheet takes a text for a formula; some take the
# full-width and small ones too.
FORMULA = "-=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
# What separates cells where a country's spreadsheet does not go by commas and quotes:
# a semicolon in Germany, others elsewhere. A tab never gets here.
BETWEEN = ",;|\n\uff0c\uff1b\u060c\u061b\u3001"
BEGINS = re.compile(rf"((?:^|[{BETWEEN}])[ \"]*)(?=[{FORMULA}])")


class Tables:
    """Writes all tables row by row; the files are whole once it is closed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._stack, self._written = ExitStack(), list[tuple[Path, Path]]()
        self._writers: dict[str, Any] = {}

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        self._stack.close()
        for new, path in self._written:
            if raised is None:
                new.replace(path)
            else:  # half a table would look like a whole one
                new.unlink()

    def add(self, graded: Graded) -> None:
        """Write one submission into each table that it belongs to."""
        one, verdict = graded.one, graded.verdict
        judged = graded.status == JUDGED
        feedback = self._places.feedback(one).relative_to(self._places.out)
        row = [one.author, one.stem, graded.status]
        row += [number(verdict.score) if verdict and judged else ""]
        row += [number(verdict.points) if verdict else "", graded.reason]
        row += [short(one.note), graded.shared_with, "late" if one.late else ""]
        row += [str(verdict.seed) if verdict else "", verdict.tier if verdict else ""]
        row += [short(one.source), one.sha256, feedback.as_posix()]
        self._write("grades.csv", [COLUMNS], row)
        # A blank cell would clear what a person has entered, so these two hold
        # judged submissions only.
        if verdict is None or not judged:
            return
        title = catalog.load(one.stem).title
        score, points = number(verdict.score), number(verdict.points)
        possible = ["    Points Possible", "", "", "", "", points]
        number_in = {one.system: one.number}
        name = one.name or one.author
        self._write(
            f"canvas/{one.stem}.csv",
            [(*CANVAS, f"{one.stem}: {title}"), possible],
            [name, number_in.get("canvas", ""), "", "", "", score],
        )
        id = number_in.get("moodle", "")
        comment = f"{score} of {points} points (seed {verdict.seed})"
        self._write(
            f"moodle/{one.stem}.csv",
            [MOODLE],
            [f"{PARTICIPANT}{id}" if id else "", name, "", score, points, "", comment],
        )

    def _write(self, name: str, heads: Sequence[Sequence[str]], row: list[str]) -> None:
        if name not in self._writers:
            path = self._places.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{UNFINISHED}{path.name}")
            file = new.open("w", encoding="utf-8", errors="replace", newline="")
            self._written.append((new, path))
            self._stack.enter_context(file)
            self._writers[name] = csv.writer(file)
            self._writers[name].writerows(heads)
        self._writers[name].writerow([plain(cell) for cell in row])


def plain(cell: str) -> str:
    """Return a cell that a spreadsheet shows and does not run, however it splits it."""
    cell = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in cell
    )
    return BEGINS.sub(r"\1'", cell)


def authors(graded: Iterable[Graded]) -> Iterable[list[Graded]]:
    """Yield the submissions of one author after the other; they come in that order."""
    held: list[Graded] = []
    for each in graded:
        if held and held[0].one.author != each.one.author:
            yield held
            held = []
        held.append(each)
    if held:
        yield held
