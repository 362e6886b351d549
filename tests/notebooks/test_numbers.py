"""The observations that a notebook's text names by number are those of its starter."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from grader import catalog
from grader.sources import read
from grader.visuals.interleaving import steps
from grader.visuals.timeline import draw
from tests.exercises.conftest import Judge, judge
from tests.package import ROOT

__all__ = ["judge"]  # the fixture

# Of each run the first and last observation that are meant, what the table says of
# them, and how many of it there are from the one to the other.
Named = tuple[str, int, int, str, int]
ASKS, REPLIES, NONE = "asks the model", "process 0 +reply", "no reply .*"
NAMED: dict[str, tuple[Named, ...]] = {
    "ex00_start_here": (
        ("in_turn", 4, 4, "process 0 .*ticket: 1$", 1),
        ("in_turn", 7, 7, "process 1 .*ticket: 1$", 1),
        ("in_turn", 10, 10, "ticket: 2$", 1),
        ("in_turn", 13, 13, "ticket: 2$", 1),
    ),
    "ex01_non_serializable_state": (
        ("hand_over", 4, 4, ASKS, 1),
        ("hand_over", 5, 5, "answers: 'Noted", 1),
        ("hand_over", 6, 6, "TypeError: Type is not msgpack serializable: Client", 1),
        ("hand_over", 9, 9, "process 1 .*401 - Incorrect API key", 1),
        ("hand_over", 11, 11, "prints: .Deserializing unregistered type.*ChatOpen", 1),
    ),
    "ex02_shared_globals": (
        ("in_turn", 2, 2, r"call handle\(.*My name is", 1),
        ("in_turn", 5, 5, f"{REPLIES}.*'count': 3", 1),
        ("in_turn", 7, 7, r"call handle\(.*what is my name", 1),
        ("in_turn", 10, 10, f"{REPLIES}.*ur name is", 1),
        ("in_turn", 17, 17, "shows handle again.*ur city is", 1),
        ("elsewhere", 6, 6, f"{REPLIES}.*'count': 3", 1),
        ("elsewhere", 11, 11, f"{REPLIES}.*'count': 6", 1),
        ("elsewhere", 16, 16, "process 1 +reply.*'count': 3", 1),
    ),
    "ex03_async_mismatch": (("in_a_row", 3, 4, "gets POST /ask", 2),),
    "ex04_memory_saver": (
        ("hand_over", 3, 3, r"process 0 .*call chat\(.*My name is", 1),
        ("hand_over", 8, 8, f"{REPLIES}.*Noted: your name is", 1),
        ("hand_over", 9, 9, "holds no checkpoint", 1),
        ("hand_over", 11, 11, r"process 1 .*asks the model \[draft\]: 'What is my", 1),
        ("hand_over", 15, 15, "process 1 .*I do not know your name", 1),
        ("cut_off", 5, 5, r"model \[draft\] answers", 1),
        ("cut_off", 7, 7, "process 0 .*is killed", 1),
        ("cut_off", 11, 11, f"process 1 .*{NONE}EmptyInputError", 1),
        ("cut_off", 18, 18, "process 1 .*I do not know your lucky word", 1),
    ),
    "ex05_non_dict_returns": (
        ("kinds", 7, 7, r"model \[answer\] answers", 1),
        ("kinds", 8, 8, "'answered'.*'notes': \\[\\]", 1),
        ("kinds", 13, 13, "'status': 'new', 'priority': 'high'", 1),
        ("kinds", 20, 20, f"{NONE}Expected dict, got refunded", 1),
        ("kinds", 29, 29, f"{NONE}At key 'notes': Can receive only one", 1),
        ("invalid", 6, 6, "'status': 'new'", 1),
        ("invalid", 13, 13, "'status': 'answered', 'priority': 'normal'", 1),
        ("invalid", 18, 18, f"{NONE}JSONDecodeError", 1),
    ),
    "ex06_unbounded_cycles": (
        ("endless", 3, 104, ASKS, 50),
        ("endless", 104, 104, f"process 0 .*{NONE}Recursion limit of 50", 1),
        ("endless", 106, 106, "process 1 .*call resume", 1),
        ("endless", 106, 211, ASKS, 52),
        ("endless", 211, 211, f"process 1 .*{NONE}GraphRecursionError", 1),
    ),
    "ex07_duplicate_side_effects": (
        ("cut_off", 4, 4, r"process 0 .*ledger \[charge\].*no key: charged", 1),
        ("cut_off", 5, 5, "process 0 .*is killed", 1),
        ("cut_off", 9, 9, r"process 1 .*ledger \[charge\].*no key: charged", 1),
        ("cut_off", 10, 10, "process 1 .*'paid', 'charge_id'", 1),
    ),
    "ex08_blocking_calls": (
        ("crowd", 2, 49, "gets GET /profile/", 48),
        ("crowd", 50, 50, r"asks the upstream \[profile\]", 1),
        ("crowd", 51, 51, "gets GET /health", 1),
        ("crowd", 52, 52, "is released, 1 of 48 inside: nothing moved any more", 1),
    ),
    "ex09_durable_checkpoints": (
        ("start", 5, 8, r"waits for \[checkpoint_migrations\]", 4),
        ("start", 9, 9, "is released, 4 of 4 inside", 1),
    ),
    "ex10_on_call": (),
}


@pytest.mark.parametrize("stem", catalog.stems())
def test_every_number_is_proved(stem: str) -> None:
    """a number that no row below names would be believed"""
    source = read(ROOT / "solutions" / stem / f"{stem}.py", stem)
    prose = [c["source"] for c in source["cells"] if c["cell_type"] == "markdown"]
    told = {int(number) for number in re.findall(r"#(\d+)\b", "\n".join(prose))}
    assert told == {end for _, *ends, _, _ in NAMED[stem] for end in ends}


@pytest.mark.parametrize("stem", [stem for stem, named in NAMED.items() if named])
def test_the_numbers_are_those_of_the_starter(judge: Judge, stem: str) -> None:
    """each observation that the text names says in the table what the text says"""
    starter = (ROOT / "notebooks" / stem / "starter.py").read_text(encoding="utf-8")
    scenarios = dict.fromkeys(scenario for scenario, *_ in NAMED[stem])
    runs = judge.observe(stem, starter, scenarios).runs
    tables = {name: draw(run).text.splitlines() for name, run in runs.items()}
    for scenario, first, last, told, times in NAMED[stem]:
        rows = [*between(tables[scenario], first, last)]
        found = [row for row in rows if re.search(told, row)]
        assert len(found) == times, "\n".join([f"{scenario}: {told}", *rows])


def test_the_explorer_shows_one_list(judge: Judge) -> None:
    """its last steps show that both replies hold one list, with the counts of before"""
    stem = "ex02_shared_globals"
    starter = (ROOT / "notebooks" / stem / "starter.py").read_text(encoding="utf-8")
    told = steps(judge.observe(stem, starter, ["at_once"]).runs["at_once"])
    counts = {
        step.lane: step.lanes[step.lane].items[-1].text
        for step in told
        if step.lane is not None and step.title.endswith("returns")
    }
    ended = [[item.text for item in lane.items] for lane in told[-1].lanes]
    first, second = [messages for _, *messages, _ in ended]
    assert first == second
    assert len(first) == 5
    assert counts == {n: count for n, (*_, count) in enumerate(ended)}


def between(table: Iterable[str], first: int, last: int) -> Iterable[str]:
    """Yield the rows of a table from one observation to another."""
    for row in table:
        number = re.match(r" *#(\d+) ", row)
        if number and first <= int(number[1]) <= last:
            yield row.rstrip()
