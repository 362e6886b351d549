"""Whatever bytes cross the border or stand in a file, the readers say what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.harness.border import clean, parse, trouble
from grader.vocabulary import Drawn, History, Observation, Run
from grader.vocabulary import history as histories
from grader.vocabulary.verdict import from_json
from tests.harness.small import Warm, exercise

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
LINES = (
    st.binary(max_size=300)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.integers(51, 5000).map(lambda depth: b"[" * depth + b"]" * depth)
)


@given(LINES)
def test_border(line: bytes) -> None:
    """a line is a JSON value of bounded depth, or a ValueError and nothing else"""
    try:
        value = parse(line)
    except ValueError:
        return
    json.dumps(value, allow_nan=False)


@given(st.dictionaries(st.sampled_from(["error", "message", "line"]), JSON))
def test_trouble(message: dict[str, Any]) -> None:
    """what a process says of its trouble is bounded text, and a line number"""
    found = trouble(message)
    assert len(found["error"]) <= 400
    assert found["line"] is None or found["line"] > 0
    json.dumps(found).encode("utf-8")


@given(st.text(), st.integers(0, 50))
def test_clean(text: str, length: int) -> None:
    """what is shown of a submission's words steers no terminal, and is not longer"""
    shown = clean(text, length)
    assert all(c.isprintable() or c in "\n\t" for c in shown)
    assert len(shown) <= 8 * length + 8
    shown.encode("utf-8")


DATA = st.dictionaries(st.text(max_size=8), JSON, max_size=4)
OBSERVED = st.builds(
    Observation,
    st.integers(1, 99),
    st.sampled_from(["start", "call", "odd"]),
    st.none() | st.integers(0, 3),
    st.floats(0, 1e6, allow_nan=False),
    DATA,
)


@given(st.lists(OBSERVED, max_size=5), st.text(max_size=20))
def test_a_history_comes_back(seen: list[Observation], word: str) -> None:
    """a history that was written is the history that is read"""
    drawn = Drawn({"word": word})
    run = Run("only", word, drawn, tuple(seen))
    text = "\n".join(History("ex99", 7, 2, {"only": run}).to_lines()) + "\n"
    read = "\n".join(histories.parse(text).to_lines()) + "\n"
    assert read == text


@given(st.text(max_size=200) | JSON.map(lambda value: json.dumps(value) + "\n"))
def test_no_history(text: str) -> None:
    """what is no history is a ValueError that says what was expected"""
    with pytest.raises(ValueError, match=r"^(expected|found) "):
        histories.parse(text)


@given(st.dictionaries(st.text(max_size=10), JSON, max_size=5))
def test_no_verdict(data: dict[str, Any]) -> None:
    """what is no verdict is refused"""
    with pytest.raises(ValueError, match="expected a verdict"):
        from_json(data)


@settings(max_examples=25, deadline=None)
@given(line=LINES)
def test_protocol(light: Warm, line: bytes) -> None:
    """whatever a process writes to its channel, its run ends and the next one runs"""
    text = f"""
    import os, socket, stat
    def chat(thread_id, text):
        for fd in range(3, 20):
            try:
                if stat.S_ISSOCK(os.fstat(fd).st_mode):
                    os.write(fd, {line!r} + b"\\n")
            except OSError:
                pass
        return "a"
    """
    verdict = light.outcome(text, exercise()).verdict
    assert not verdict.unknown, verdict.results
    answers = "def chat(thread_id, text):\n    return 'a'\n"
    assert light.verdict(answers).passed
