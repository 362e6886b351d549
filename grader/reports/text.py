"""A verdict as plain text: one line a claim, the evidence under it."""

from __future__ import annotations

from collections.abc import Iterator

from grader.reports.words import (
    A_PERSON_LOOKS,
    MARKS,
    NOT_RUN,
    NOT_YOUR_FAULT,
    is_long,
    last_line,
    number,
    open_points,
    printable,
    score_of,
    trouble_mark,
)
from grader.vocabulary import Result, Status, Verdict

SEED_COLUMN = 56
# The nearest of the colours that every terminal has.
ANSI = {
    Status.passed: "34",
    Status.failed: "31",
    Status.skipped: "90",
    Status.error: "35",
}


def to_text(verdict: Verdict, *, color: bool = False) -> str:
    """Return a verdict as lines of text.

    Args:
        verdict: what to render.
        color: whether to colour the marks with ANSI escape sequences.
    """
    score = f"{number(verdict.score)} / {number(verdict.points)}"
    head = f"{_line(verdict.title)}  {score}"
    lines = [f"{head:<{SEED_COLUMN - 2}}  seed {verdict.seed}"]
    if unjudged := open_points(verdict):
        lines.append(f"  {unjudged}")
    if verdict.problem:
        lines.append(f"  {_mark(trouble_mark(verdict), color)} {NOT_RUN}")
        lines += _indented(verdict.problem)
        lines += _help(verdict.help)
    for result in verdict.results:
        mark = _mark(result.status, color)
        lines.append(f"  {mark} {_line(result.claim)}  ({score_of(result)})")
        lines += _unjudged(result) if result.status is Status.error else _why(result)
    return "\n".join(lines)


def _why(result: Result) -> Iterator[str]:
    yield from _indented(result.rationale)
    for line in result.evidence:
        yield f"        {_line(line)}"
    yield from _help(result.help)


def _unjudged(result: Result) -> Iterator[str]:
    yield f"      {NOT_YOUR_FAULT}"
    if result.rationale:
        yield f"        {_line(last_line(result.rationale))}"
        if is_long(result.rationale):
            yield "        (the whole traceback is in the report's JSON)"
    yield f"      help: {A_PERSON_LOOKS}"


def _indented(text: str) -> list[str]:
    return [f"      {line}".rstrip() for line in printable(text).splitlines()]


def _help(text: str) -> list[str]:
    return [f"      help: {_line(text)}"] if text else []


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


def _mark(status: Status, color: bool) -> str:
    mark = MARKS[status]
    return f"\x1b[{ANSI[status]}m{mark}\x1b[0m" if color else mark
