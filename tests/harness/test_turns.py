"""One of two answers waits for the effect of the other; replies can be seen again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grader.vocabulary import Run, model, process
from grader.vocabulary.scenario import Step
from tests.harness.small import ASKS, Warm, exercise

SAYS = (model.says("left", "[left]", "l"), model.says("right", "[right]", "r"))
CALL = process(0).calls("chat", "{thread}", "hello")

# Two branches at once; each works on with its answer, for as long as it takes.
BRANCHES = (
    ASKS
    + """
import threading

def chat(thread_id, text):
    done = []
    def branch(name):
        answer = ask(f"[{name}] {text}")
        sum(range(300_000))
        done.append(answer)
    threads = [threading.Thread(target=branch, args=[n]) for n in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "".join(done)
"""
)
IN_TURN = (
    ASKS
    + """
def chat(thread_id, text):
    return ask("[right] " + text) + ask("[left] " + text)
"""
)
KEEPS = """
kept = []
def chat(thread_id, text):
    kept.append(text)
    return " ".join(kept)

def listed(texts):
    texts.append("more")
    kept.append(texts[0])
    return kept
"""


def values(run: Run) -> list[str]:
    return [reply.value for reply in run.replies]


def events(run: Run, kind: str) -> list[str]:
    return [seen.data["event"] for seen in run.of(kind)]


@pytest.mark.parametrize(
    ("first", "second", "expected"), [("left", "right", "lr"), ("right", "left", "rl")]
)
def test_the_second_branch_finishes_second(
    light: Warm, first: str, second: str, expected: str
) -> None:
    """whichever answer comes first, its branch has ended before the other's begins"""
    order: Sequence[Step] = (*SAYS, model.answers(first, before=second), CALL, CALL)
    run = light.history(BRANCHES, *order)
    assert values(run) == [expected, expected]
    assert events(run, "answer") == [first, second, first, second]


def test_a_program_that_asks_in_turn_is_not_made_to_wait_for_itself(
    light: Warm,
) -> None:
    """where the first is asked only after the second, both are answered"""
    run = light.history(IN_TURN, *SAYS, model.answers("left", before="right"), CALL)
    assert values(run) == ["rl"]


def test_the_order_can_be_changed_between_calls(light: Warm) -> None:
    """a later order takes the place of an earlier one"""
    steps = (
        *SAYS,
        model.answers("left", before="right"),
        CALL,
        model.answers("right", before="left"),
        CALL,
    )
    assert values(light.history(BRANCHES, *steps)) == ["lr", "rl"]


def test_a_reply_is_seen_as_it_is_now(light: Warm) -> None:
    """what a call was given and has returned is looked at again, later"""
    contract = ("listed(texts) -> list",)
    steps = (
        process(0).calls("listed", ["{word_1}"]),
        process(0).calls("listed", ["{word_2}"]),
        process(0).shows_again(1),
    )
    order = light.order(KEEPS, exercise(*steps, contract=contract))
    run = light.run(light.harness.run(order)).runs["only"]
    one, two = run.drawn.word_1, run.drawn.word_2
    (again,) = run.of("again")
    assert run.replies[0].value == [one]
    assert again.value == [one, two]
    assert again.data["args"] == [[one, "more"]]


def test_a_call_that_returned_nothing_cannot_be_seen_again(light: Warm) -> None:
    """what was never returned is said to be missing"""
    raises = "def chat(thread_id, text):\n    raise ValueError(text)\n"
    run = light.history(raises, CALL, process(0).shows_again(1))
    (again,) = run.of("again")
    assert not again.ok
    assert "was not called" in again.trouble


def test_a_rule_about_one_text_goes_before_a_rule_for_all(light: Warm) -> None:
    """what the model says may depend on what the request holds"""
    steps = (
        model.says("sort", "[sort]", "common"),
        model.says("sort", "[sort]", "rare", about="{word}"),
        process(0).calls("chat", "{thread}", "[sort] this"),
        process(0).calls("chat", "{thread}", "[sort] this {word}"),
    )
    run = light.history(ASKS, *steps)
    assert values(run) == ["common", "rare"]
    assert events(run, "answer") == ["sort", "sort"]
