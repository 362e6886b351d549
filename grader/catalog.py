"""Finds the exercises: a file in `exercises` is an exercise, its stem the name."""

from __future__ import annotations

import difflib
import importlib
from functools import cache
from pathlib import Path

from grader.vocabulary import Exercise

FOLDER = Path(__file__).with_name("exercises")


def stems() -> tuple[str, ...]:
    """Return the stems of all exercises, in the order of the course."""
    return tuple(sorted(path.stem for path in FOLDER.glob("ex[0-9][0-9]_*.py")))


@cache
def load(stem: str) -> Exercise:
    """Return one exercise.

    Raises:
        LookupError: there is none of that stem.
    """
    if stem not in stems():
        near = difflib.get_close_matches(stem, stems(), n=1, cutoff=0.3)
        meant = f'; did you mean "{near[0]}"?' if near else ""
        raise LookupError(
            f"expected an exercise ({', '.join(stems())}), found {stem!r}{meant}"
        )
    module = importlib.import_module(f"grader.exercises.{stem}")
    exercise: Exercise = module.exercise
    return exercise
