"""A report as text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports import to_text
from grader.reports.words import number, points
from grader.vocabulary import Result, Status
from tests.reports.example_verdicts import (
    ANSWERS,
    BROKEN_SUBMISSION,
    EVERY,
    MIXED,
    UNKNOWN,
    verdict,
)

WHOLE = """\
Memory that only one process can see  1 / 7             seed 4711
  ✓ every call gets an answer  (1/1)
  ✗ what process 0 was told, process 1 knows  (0/4)
      process 1 answered as if the conversation had just begun
        #2 process 0 reply chat: 'Hello Ada'
        #5 process 1 reply chat: 'I do not know your name.'
      help: whose memory does your checkpointer write to?
  \N{EN DASH} one conversation never leaks into another  (0/2)
      skipped until "what process 0 was told, process 1 knows" passes"""


def test_layout() -> None:
    """one line a claim, then what was seen, the evidence, and what helps"""
    assert to_text(MIXED) == WHOLE


def test_a_problem_comes_first() -> None:
    """a submission that could not be run says so, with help, before any claim"""
    lines = to_text(BROKEN_SUBMISSION).splitlines()
    assert lines[1:4] == [
        "  ✗ the submission could not be run",
        "      SyntaxError: '(' was never closed (line 12 of the submission)",
        "      help: look for a bracket that is opened on line 12",
    ]


def test_an_error_is_nobodys_zero() -> None:
    """a check that was not judged is neither a zero nor a fault: a person must look"""
    text = to_text(UNKNOWN)
    assert "! a restart forgets nothing  (not judged, 3 points open)" in text
    assert "3 points of 4 are not judged yet: this is not your fault" in text
    assert "no point is lost silently" in text
    assert "a person must look" in text
    assert "0/3" not in text


def test_a_traceback_is_one_line_of_text() -> None:
    """of a traceback, the text says the line that tells what went wrong"""
    text = to_text(UNKNOWN)
    assert "ValueError: not enough values to unpack" in text
    assert "Traceback" not in text


def test_color_is_only_added() -> None:
    """with colour, the words are the same"""
    colored = to_text(MIXED, color=True)
    assert "\x1b[34m✓\x1b[0m" in colored
    for code in ("\x1b[34m", "\x1b[31m", "\x1b[90m", "\x1b[0m"):
        colored = colored.replace(code, "")
    assert colored == to_text(MIXED)


@pytest.mark.parametrize(
    ("expected", "value"), [("1", 1.0), ("2.5", 2.5), ("0.33", 1 / 3), ("10", 10)]
)
def test_numbers(expected: str, value: float) -> None:
    """a whole number has no decimal point"""
    assert number(value) == expected


def test_singular_and_plural() -> None:
    """one point, two points"""
    assert [points(1), points(2), points(0)] == ["1 point", "2 points", "0 points"]


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_hostile_text(hostile: str) -> None:
    """whatever a submission raises, no line of the report can be forged"""
    result = Result(
        "c", "claim", Status.failed, 0, 1, hostile, (hostile,), (1,), "s", hostile
    )
    text = to_text(verdict(ANSWERS, result))
    assert all(c.isprintable() or c == "\n" for c in text)
    claims = [line for line in text.splitlines() if line[:2] == "  " != line[2:4]]
    marks = [line[2] for line in claims if line[3:4] == " " and line[2] != " "]
    assert marks == ["✓", "✗"]


def test_escape_sequences() -> None:
    """an escape sequence is shown, not obeyed"""
    result = Result("c", "claim", Status.failed, 0, 1, "\x1b[32m✓ passed\r\u202e")
    assert "\\x1b[32m✓ passed" in to_text(verdict(result))


@pytest.mark.parametrize("name", EVERY)
def test_every_claim_has_its_line(name: str) -> None:
    """every check is in the report, with its mark"""
    text = to_text(EVERY[name])
    for result in EVERY[name].results:
        assert result.claim in text
