"""The results of one author in the format that Gradescope's autograders write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from grader.batch.graded import Graded
from grader.reports import to_text
from grader.reports.words import A_PERSON_LOOKS, NOT_YOUR_FAULT, printable
from grader.vocabulary import Result, Status

OUTPUT_LIMIT = 4000  # characters of one test's output


def results(graded: Sequence[Graded]) -> str:
    """Return `results.json` of one author's submissions.

    A claim that was not judged has no score, because Gradescope would count a zero.
    """
    whole = [to_text(each.verdict) for each in graded if each.verdict is not None]
    data = {
        "output": "\n\n".join(whole),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [test for each in graded for test in _tests(each)],
    }
    return json.dumps(data, indent=2)


def _tests(graded: Graded) -> Iterator[dict[str, Any]]:
    stem = graded.one.stem
    if graded.verdict is None:
        said = f"the file could not be read: {graded.reason}"
        yield _test(stem or graded.one.source, said)
        return
    for number, result in enumerate(graded.verdict.results, start=1):
        name = f"{stem}: {result.claim}"
        test = _test(name, _output(graded, result)) | {"number": f"{stem}.{number}"}
        if result.status is not Status.error:
            passed = result.status is Status.passed
            test |= {"score": result.score, "max_score": result.points}
            test |= {"status": "passed" if passed else "failed"}
        yield test


def _output(graded: Graded, result: Result) -> str:
    if result.status is Status.error:
        return f"{NOT_YOUR_FAULT}; {A_PERSON_LOOKS}"
    problem = graded.verdict.problem if graded.verdict else ""
    lines = [problem, result.rationale, *result.evidence]
    if result.help:
        lines.append(f"help: {result.help}")
    return "\n".join(line for line in lines if line)


def _test(name: str, output: str) -> dict[str, Any]:
    return {
        "name": printable(name),
        "output": printable(output)[:OUTPUT_LIMIT],
        "output_format": "text",
        "visibility": "visible",
    }
