"""The command `check`: one file in, one verdict out, an exit status for scripts."""

from __future__ import annotations

import argparse
import asyncio
import sys

from grader import catalog, runner, submissions
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.launchers import best_launcher
from grader.reports import page, to_json, to_text
from grader.runner import Outcome
from grader.sandbox import mounts
from grader.vocabulary import Verdict

PASSED, FAILED, BAD_INPUT, BROKE = 0, 1, 2, 3
PROCESSES_LIMIT = 16


def check(chosen: argparse.Namespace) -> int:
    """Judge the chosen file, print the report, and return the exit status."""
    try:
        submission = submissions.read(chosen.file)
        stem = chosen.exercise or submission.stem
        if not stem:
            raise submissions.BadInput(
                f"expected to know the exercise, found none in {chosen.file}",
                f"--exercise STEM, one of {', '.join(catalog.stems())}",
            )
        exercise = catalog.load(stem)
        if not 0 <= chosen.processes <= PROCESSES_LIMIT:
            raise submissions.BadInput(
                f"expected 0 to {PROCESSES_LIMIT} processes, found {chosen.processes}"
            )
        for path in (chosen.html, chosen.history):
            if path is not None and not path.parent.is_dir():
                raise submissions.BadInput(
                    f"expected a folder to write {path.name} to, found no {path.parent}"
                )
    except LookupError as problem:
        return refuse(str(problem.args[0]))
    except submissions.BadInput as problem:
        return refuse(str(problem), problem.help)

    async def run() -> Outcome:
        async with Harness(best_launcher()) as harness:
            return await runner.check(
                harness,
                stem,
                exercise,
                submission.text,
                chosen.seed,
                chosen.processes,
                chosen.history,
                chosen.database,
            )

    mounts.own()
    try:
        verdict = asyncio.run(run()).verdict
    except (GraderBroke, OSError) as problem:
        results = exercise.unknown(str(problem))
        verdict = Verdict(stem, exercise.title, chosen.seed or 0, 0, results)
    except KeyboardInterrupt:
        print("interrupted; nothing was judged", file=sys.stderr)
        return BROKE
    if chosen.html is not None:
        chosen.html.write_text(page(verdict), encoding="utf-8")
    color = sys.stdout.isatty()
    print(to_json(verdict) if chosen.json else to_text(verdict, color=color))
    if verdict.unknown:
        return BROKE
    return PASSED if verdict.passed else FAILED


def refuse(problem: str, help: str = "") -> int:
    """Say why there is nothing to judge; return the exit status."""
    print(f"{problem}\n  help: {help}" if help else problem, file=sys.stderr)
    return BAD_INPUT
