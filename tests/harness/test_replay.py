"""What is observed is numbered in order, and one seed gives the same again."""

from __future__ import annotations

import pytest

from grader.harness import limits
from grader.harness.process import SubmissionBroken
from grader.vocabulary import (
    Drawn,
    Observation,
    Run,
    process,
    together,
)
from tests.harness.drafts import COUNTS, RUSH, SAYS
from tests.harness.small import ASKS, Warm


def test_numbers(light: Warm) -> None:
    """every observation has a number of its own, in the order of writing and of time"""
    run = light.history(ASKS, *SAYS, together(*RUSH, held_at="draft"), *RUSH)
    numbers = [seen.number for seen in run.observations]
    assert numbers == list(range(1, len(numbers) + 1))
    times = [seen.at_ms for seen in run.observations]
    assert times == sorted(times)


def lines(run: Run) -> list[str]:
    """What the run's calls, replies and model said, without their numbers."""
    told = [s for s in run.observations if s.kind in {"call", "reply", "answer"}]
    return [str(seen).partition(" ")[2] for seen in told]


def test_replay(light: Warm) -> None:
    """one seed draws the same values and the same references; another seed, others"""
    one, same, other = (light.history(ASKS, seed=seed) for seed in (1, 1, 2))
    assert one.drawn == same.drawn
    assert lines(one) == lines(same)
    assert lines(one) != lines(other)
    assert set(one.drawn.values.values()).isdisjoint(other.drawn.values.values())


def test_shuffled_processes(light: Warm) -> None:
    """with four processes the numbers are the seed's, and replies keep their order"""
    chats = [process(n).calls("chat", "{thread}", f"call {n}") for n in (0, 1)]
    plain = light.history(COUNTS, *chats)
    assert [call.process for call in plain.of("call")] == [0, 1]
    found = set()
    for seed in range(6):
        run = light.history(COUNTS, *chats, seed=seed, processes=4)
        assert len(run.of("start")) == 4
        assert [reply.value for reply in run.replies] == ["call 0 1", "call 1 1"]
        found.add(tuple(call.process for call in run.of("call")))
    assert len(found) > 1


@pytest.mark.parametrize(
    ("limit", "most"), [("OBSERVATIONS_LIMIT", 5), ("HISTORY_LIMIT_B", 1500)]
)
def test_what_is_seen_is_limited(
    light: Warm, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    """past a limit nothing is judged, for what is not kept might have told"""
    monkeypatch.setattr(f"grader.harness.journal.{limit}", most)
    with pytest.raises(SubmissionBroken) as broken:
        light.history(ASKS)
    assert broken.value.seen.kind == "limit"
    assert broken.value.seen.data["limit"].startswith(f"{most} ")


def test_observation_is_frozen(light: Warm) -> None:
    """an observation and what was drawn cannot be changed afterwards"""
    run = light.history(COUNTS)
    with pytest.raises(AttributeError):
        run.observations[0].number = 7  # type: ignore[misc]
    assert isinstance(run.observations[0], Observation)
    assert isinstance(run.drawn, Drawn)
    assert len(run.observations) < limits.OBSERVATIONS_LIMIT
