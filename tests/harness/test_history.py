"""A history is written as it happens, and is read back as it was."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.harness.fork_launcher import ForkLauncher
from grader.harness.journal import Journal, Recorder
from grader.harness.launch import Job, Launched
from grader.harness.process import Process
from grader.vocabulary import History, Scenario, draw, process
from grader.vocabulary.history import load, parse
from tests.harness.small import ASKS, Warm, exercise

FUZZ = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
HEADER = '{"history": 1, "exercise": "ex99", "seed": 1, "processes": 0}'
OPENS = '{"scenario": "only", "description": "d", "drawn": {}}'
SEEN = (
    '{"scenario": "only", "number": 1, "kind": "start", "process": 0, '
    '"at_ms": 0.1, "data": {}}'
)


@pytest.fixture(scope="module")
def recorded(light: Warm) -> History:
    """A history of two processes that ask the model."""
    return light.histories(ASKS, exercise())


def test_round_trip(recorded: History, tmp_path: Path) -> None:
    """a saved history is read back equal, with every scenario and observation"""
    recorded.save(tmp_path / "history.jsonl")
    assert load(tmp_path / "history.jsonl") == recorded
    assert len(recorded.runs["only"].observations) > 8


def test_journal_is_the_history(light: Warm, tmp_path: Path) -> None:
    """what was written during the run is what the run returned"""
    keep = tmp_path / "history.jsonl"
    returned = light.run(light.harness.run(light.order(ASKS, exercise()), keep=keep))
    assert load(keep) == returned


def test_broken_run_round_trip(recorded: History, tmp_path: Path) -> None:
    """that the grader broke is saved as well"""
    run = dataclasses.replace(recorded.runs["only"], broken="the disk was full")
    broken = dataclasses.replace(recorded, runs={"only": run})
    broken.save(tmp_path / "history.jsonl")
    assert load(tmp_path / "history.jsonl") == broken


def test_torn_line(recorded: History) -> None:
    """wherever a crash cuts the file, what was whole before is read"""
    text = "\n".join(recorded.to_lines()) + "\n"
    seen = recorded.runs["only"].observations
    first = text.index("\n", text.index("\n") + 1) + 1  # after the scenario's line
    for cut in range(first, len(text) + 1, 37):
        whole = text[:cut].count("\n") - 2
        runs = parse(text[:cut]).runs
        assert runs["only"].observations == seen[:whole]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected a history: a header line, then one observation a line; found"),
        ("hello\n", "expected a history: a header line"),
        ("[]\n", "expected a history: a header line"),
        ('{"seed": 1}\n', "expected a history: a header line"),
        ('{"history": 99}\n', "expected a history of format 1, found 99"),
        ('{"history": 1}\n', "found a line that is no observation: KeyError"),
        (f"{HEADER}\n{SEEN}\n", "found a line that is no observation: KeyError"),
        (f"{HEADER}\n7\n", "found a line that is no observation"),
        (f"{HEADER}\n{OPENS}\ntorn\n{SEEN}\n", "expected a history"),
        (
            f'{HEADER}\n{OPENS}\n{{"scenario": "only", "number": 1}}\n',
            "found a line that is no observation",
        ),
        (f"{HEADER}\n{'[' * 100_000}\n", "expected a history"),
    ],
)
def test_bad_files(tmp_path: Path, text: str, says: str) -> None:
    """a file that is no history is refused with what was expected and found"""
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=r".+") as raised:
        load(path)
    assert says in str(raised.value)


def test_bad_bytes(tmp_path: Path) -> None:
    """a file that is not UTF-8 is refused like one that is no history"""
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"\xff\xfe\x00binary\n")
    with pytest.raises(ValueError, match="expected a history"):
        load(path)


def only_value_errors(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse(text)


@FUZZ
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """any text is a history or is refused with ValueError"""
    only_value_errors(text)


@FUZZ
@given(st.lists(JSON | st.sampled_from([json.loads(OPENS), json.loads(SEEN)])))
def test_any_lines(lines: list[Any]) -> None:
    """any lines of JSON below a header are a history or are refused with ValueError"""
    only_value_errors("\n".join([HEADER, *map(json.dumps, lines)]) + "\n")


@FUZZ
@given(JSON)
def test_any_header(header: Any) -> None:
    """any JSON as a header is refused with ValueError or read"""
    only_value_errors(f"{json.dumps(header)}\n{OPENS}\n")


class Deaf(ForkLauncher):
    """A launcher whose processes cannot be killed: there are none."""

    def kill(self, pid: int) -> None:
        """Do nothing."""


def heard(line: bytes, folder: Path) -> dict[str, Any] | None:
    """Return what the supervisor reads from a worker that sends these bytes."""

    async def listen() -> dict[str, Any] | None:
        scenario = Scenario("only", "d", (process(0).calls("chat", "a", "b"),))
        journal = Journal(folder / "history.jsonl", "ex99", 1, 0)
        recorder = Recorder(journal, scenario, draw(scenario, 1))
        job = Job(*[str(folder)] * 4, functions=(), environment={})
        reader = asyncio.StreamReader(limit=1024)
        reader.feed_data(line)
        reader.feed_eof()
        fed = Launched(0, reader, None)  # type: ignore[arg-type]
        try:
            return await Process(0, job, Deaf(), recorder)._read(fed)
        finally:
            journal.close()

    return asyncio.run(listen())


@FUZZ
@given(
    st.binary(max_size=100).map(lambda line: line + b"\n")
    | JSON.map(lambda value: json.dumps(value).encode() + b"\n")
)
def test_any_message(tmp_path: Path, line: bytes) -> None:
    """whatever a worker sends is an object or the end of its channel; nothing raises"""
    assert isinstance(heard(line, tmp_path), dict | None)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 1000 + b"\n",
        b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n",
        b'{"value": NaN}\n',
        b'{"value": ' + b"9" * 900 + b"}\n",
        b"x" * 5000 + b"\n",
        b"\xff\n",
        b"",
    ],
    ids=["brackets", "depth", "NaN", "digits", "length", "bytes", "nothing"],
)
def test_odd_messages(tmp_path: Path, line: bytes) -> None:
    """a message too deep, too long or no JSON ends the channel; a long number is one"""
    message = heard(line, tmp_path)
    assert message is None or message == {"value": int("9" * 900)}
