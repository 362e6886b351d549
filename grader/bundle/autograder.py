"""Runs inside Gradescope: the folder of a submission in, `results.json` out."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import catalog
from grader.batch import gradescope
from grader.batch.collecting import collect, groups
from grader.batch.graded import Graded
from grader.batch.submitted import Submitted
from grader.bundle.judging import judge, missing, with_help
from grader.submissions import BadInput

WRITTEN, BROKE = 0, 1
NAMED_LIMIT = 5  # files that a message names
OUR_FAULT = (
    "The grader broke before it could judge, which is not your fault. "
    "Your submission is kept, and nothing was scored; a person has to look at it."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the results of one submission, whatever happens."""
    parser = argparse.ArgumentParser("python -m grader.bundle.autograder")
    parser.add_argument("stems", nargs="+", metavar="EXERCISE")
    parser.add_argument("--submission", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--results", type=Path, required=True, metavar="FILE")
    parser.add_argument("--accept-tier", type=int, default=1, choices=(1, 2, 3))
    chosen = parser.parse_args(arguments)
    chosen.results.parent.mkdir(parents=True, exist_ok=True)
    chosen.results.unlink(missing_ok=True)
    try:
        graded = judge(found_in(chosen.submission, chosen.stems), chosen.accept_tier)
        data, status = results(graded), WRITTEN
        # Gradescope shows what is printed to the course's staff alone.
        for stem, about in data["extra_data"].items():
            print(f"{stem}: isolation {about['tier']}, seed {about['seed']}")
    except Exception as problem:  # ours: no submission runs in this process
        print(traceback.format_exc(), file=sys.stderr)
        data, status = _broken(problem), BROKE
    chosen.results.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return status


def found_in(folder: Path, stems: Sequence[str]) -> list[Submitted]:
    """Return the file that counts for each exercise, or what is wrong with it.

    Where there are several, a notebook counts before a module, and what lies nearer
    to the top before a copy deep down.
    """
    otherwise = stems[0] if len(stems) == 1 else ""
    files: list[Submitted] = []
    try:
        files = list(collect(groups([folder], folder / "results"), otherwise))
        problem, help = "", ""
    except BadInput as bad:
        problem, help = str(bad), bad.help
    return [_that_counts(files, stem, problem, help) for stem in stems]


def _that_counts(
    files: Sequence[Submitted], stem: str, problem: str, help: str
) -> Submitted:
    ours = [one for one in files if one.stem == stem]
    if ours:
        return with_help(max(ours, key=_rank))
    names = [Path(one.source).name for one in files]
    found = ", ".join(names[:NAMED_LIMIT]) or "no notebook and no module"
    return missing(
        stem,
        problem or f"expected {stem}.ipynb or {stem}.py, found {found}",
        help or "hand in the notebook as it was released, with its name and its cells",
    )


def _rank(one: Submitted) -> tuple[bool, int, str]:
    path = Path(one.source)
    return path.suffix.lower() == ".ipynb", -len(path.parts), one.source


def results(graded: Sequence[Graded]) -> dict[str, Any]:
    """Return what Gradescope reads.

    Its format has no place for a submission without any score. So one that is not
    there, or cannot be read, has none of the points, and says at once why; it can be
    handed in again. A claim that the grader could not judge has no score at all.
    """
    data: dict[str, Any] = json.loads(gradescope.results(graded))
    data["extra_data"] = {
        each.one.stem: {"tier": each.verdict.tier, "seed": each.verdict.seed}
        for each in graded
        if each.verdict is not None
    }
    data["tests"] = [test for each in graded for test in _tests(each)]
    return data


def _tests(graded: Graded) -> list[dict[str, Any]]:
    tests: list[dict[str, Any]] = json.loads(gradescope.results([graded]))["tests"]
    if graded.verdict is None:
        points = catalog.load(graded.one.stem).points
        tests[0] |= {"score": 0.0, "max_score": points, "status": "failed"}
    return tests


def _broken(problem: Exception) -> dict[str, Any]:
    said = f"{OUR_FAULT}\n{type(problem).__name__}: {problem}"
    return {"output": said, "visibility": "visible", "stdout_visibility": "hidden"}


if __name__ == "__main__":
    sys.exit(main())
