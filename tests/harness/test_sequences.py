"""Replies in sequence, and a kill at the n-th request."""

from grader.vocabulary import model, process
from grader.vocabulary.scenario import Says
from tests.harness import small

ASKS = small.ASKS
THRICE = f"""{ASKS}
def chat(thread_id, text):
    return [ask(text), ask(text), ask(text)]
"""


def says(*replies: str) -> Says:
    """The model gives these replies to every request."""
    return model.says("model", "", replies)


def chats(count: int) -> list[object]:
    """Return so many calls, made one after the other by two processes in turn."""
    return [process(n % 2).calls("chat", "t", "hello") for n in range(count)]


def test_replies_come_in_order_and_the_last_repeats(light: small.Warm) -> None:
    """one sequence for all processes; the last reply is given for ever"""
    run = light.history(ASKS, says("one", "two"), *chats(4))  # type: ignore[arg-type]
    assert [reply.value for reply in run.replies] == ["one", "two", "two", "two"]


def test_a_new_rule_starts_a_new_sequence(light: small.Warm) -> None:
    """a later rule for a marker begins with its first reply"""
    first, second = chats(2)
    steps = (says("one", "two"), first, says("three", "four"), second)
    run = light.history(ASKS, *steps)  # type: ignore[arg-type]
    assert [reply.value for reply in run.replies] == ["one", "three"]


def test_drawn_values_are_found_in_every_reply(light: small.Warm) -> None:
    """each reply of a sequence is a template"""
    steps = (says("one", "a {word}"), *chats(2))
    run = light.history(ASKS, *steps)  # type: ignore[arg-type]
    assert run.replies[1].value == f"a {run.drawn.word}"


def test_the_nth_request_is_the_one_that_kills(light: small.Warm) -> None:
    """two requests are answered, and the process dies in its third"""
    trap = process(0).is_killed_when("model", nth=3)
    run = light.history(THRICE, trap, process(0).calls("chat", "t", "hello"))
    assert len(run.of("model")) == 3
    assert len(run.of("answer")) == 2
    assert run.replies[0].data["error"] == "killed"


def test_a_process_counts_its_own_requests(light: small.Warm) -> None:
    """requests of another process do not pull the trigger"""
    trap = process(0).is_killed_when("model", nth=2)
    calls = [process(n).calls("chat", "t", "hello") for n in (1, 1, 0, 0)]
    run = light.history(ASKS, trap, *calls)
    assert [reply.ok for reply in run.replies] == [True, True, True, False]
