"""The words, marks and numbers that every form of a report shares."""

from __future__ import annotations

from grader.vocabulary import Result, Status, Verdict

MARKS = {
    Status.passed: "✓",
    Status.failed: "✗",
    Status.skipped: "\N{EN DASH}",
    Status.error: "!",
}
# "error" is the grader's word; for a learner it would read as an error of theirs.
WORDS = {
    Status.passed: "passed",
    Status.failed: "failed",
    Status.skipped: "skipped",
    Status.error: "not judged",
}
NOT_RUN = "the submission could not be run"
NOT_YOUR_FAULT = "the grader or the machine broke here, not your submission"
A_PERSON_LOOKS = "a person must look: hand in the report's JSON with your question"


def number(value: float) -> str:
    """Return a number as people write it: 1 rather than 1.0, 2.5 as it is."""
    return f"{round(value, 2):g}"


def points(value: float) -> str:
    """Return a number of points with its unit."""
    return f"{number(value)} {'point' if value == 1 else 'points'}"


def score_of(result: Result) -> str:
    """Return what a check scored; one that was not judged has no score yet."""
    if result.status is Status.error:
        return f"not judged, {points(result.points)} open"
    return f"{number(result.score)}/{number(result.points)}"


def open_points(verdict: Verdict) -> str:
    """Return how much of a verdict waits for a person, empty when nothing does."""
    unjudged = [r for r in verdict.results if r.status is Status.error]
    if not unjudged:
        return ""
    value = sum(result.points for result in unjudged)
    verb = "is" if value == 1 else "are"
    return (
        f"{points(value)} of {number(verdict.points)} {verb} not judged yet: "
        "this is not your fault, no point is lost silently, and a person must look"
    )


def trouble_mark(verdict: Verdict) -> Status:
    """Return whose trouble a verdict's problem is."""
    return Status.error if verdict.unknown else Status.failed


def last_line(text: str) -> str:
    """Return the line of a traceback that says what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def is_long(text: str) -> bool:
    """Return whether a text, such as a traceback, is better folded away."""
    return len(text.strip().splitlines()) > 1


def printable(text: str) -> str:
    """Return text that cannot steer a terminal or reorder a line.

    What a submission raises reaches the report; an escape sequence in it could
    otherwise paint a tick where there is none.
    """
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode()
        for c in text
    )
