"""The interleaving explorer tells whose texts each call holds, live and as a table."""

from html.parser import HTMLParser

import pytest

from grader.visuals.explorer import Explorer, explorer
from grader.visuals.interleaving import steps
from grader.vocabulary import Run
from tests.visuals.example_runs import answers, call, reply, run, start

ADA, BEN = "My name is Ada.", "My name is Ben."


def asks(number: int, *texts: str) -> tuple[int, str, dict[str, object]]:
    messages = [{"role": "system", "text": "[reply] Answer the user."}]
    messages += [{"role": "user", "text": text} for text in texts]
    data = {"event": "reply", "request": number, "prompt": texts[-1]}
    return 0, "model", {**data, "messages": messages}


def says(number: int, text: str) -> tuple[int, str, dict[str, object]]:
    process, kind, data = answers(0, "reply", text)
    return process, kind, {**data, "request": number}


HELD = (0, "held", {"event": "reply"})
RELEASED = (None, "released", {"event": "reply", "inside": 2, "expected": 2})


def two_users(ben_is_shown: tuple[str, ...], ben_gets: dict[str, object]) -> Run:
    ada = {"user_id": "user-a", "messages": [ADA, "Hello Ada (1)"], "count": 2}
    return run(
        "two users are held at the model in one process",
        start(0),
        call(0, 1, "user-a", [ADA], function="handle"),
        call(0, 2, "user-b", [BEN], function="handle"),
        asks(1, ADA),
        HELD,
        asks(2, *ben_is_shown),
        HELD,
        RELEASED,
        says(1, "Hello Ada (1)"),
        says(2, "Hello Ben (2)"),
        reply(0, 2, ben_gets, "handle"),
        reply(0, 1, ada, "handle"),
    )


OWN = two_users((BEN,), {"user_id": "user-b", "messages": [BEN, "Hello Ben (2)"]})
MIXED = two_users(
    (ADA, BEN),
    {"user_id": "user-a", "messages": [ADA, BEN, "Hello Ben (2)"], "count": 3},
)


def foreign(told: Explorer) -> list[tuple[str, str, str]]:
    """Return every value of the last step that is marked: lane, text, whose."""
    lanes = told.steps[-1].lanes
    return [(n.name, i.text, i.whose) for n in lanes for i in n.items if i.whose]


def test_a_run_without_mixing_has_no_mark() -> None:
    """where each call holds its own, nothing is marked, and the caption says so"""
    told = explorer(OWN)
    assert [step for step in told.steps if step.mixed] == []
    assert "no call ever holds what is not its own" in told.caption


def test_a_foreign_text_is_marked_with_its_call() -> None:
    """what another call said is marked, in a request and in a reply"""
    told = explorer(MIXED)
    assert foreign(told) == [
        ("call 2", "user_id: user-a", "of call 1"),
        ("call 2", "messages: My name is Ada.", "of call 1"),
    ]
    first = next(step for step in told.steps if step.mixed)
    assert first.title == "call 2 asks the model, and shows it this"


def test_an_answer_belongs_to_the_call_that_asked() -> None:
    """an answer that goes to the other call is marked"""
    crossed = {"user_id": "user-b", "messages": [BEN, "Hello Ada (1)"]}
    told = explorer(two_users((BEN,), crossed))
    assert foreign(told) == [("call 2", "Hello Ada (1)", "of call 1")]


def test_a_reply_looked_at_again_shows_what_changed() -> None:
    """a reply that changed afterwards holds the other call's texts at the end"""
    again = {"id": 1, "function": "handle", "args": ["user-a", [ADA, "Hello Ada (1)"]]}
    value = {"user_id": "user-a", "messages": [ADA, BEN]}
    seen = [(s.process, s.kind, dict(s.data)) for s in OWN.observations]
    told = explorer(run("looked at", *seen, (0, "again", {**again, "value": value})))
    assert foreign(told) == [("call 1", "My name is Ben.", "of call 2")]
    assert "passed in, and changed" in repr(told)


def test_a_call_without_a_value_says_why() -> None:
    """an error takes the place of what a call holds"""
    data = {"id": 1, "function": "handle", "error": "ValueError", "message": "no"}
    failed = run("it fails", call(0, 1, "user-a", [ADA]), (0, "reply", data))
    assert steps(failed)[-1].title == "call 1: raised ValueError: no"


def test_steps_go_forward_and_back_within_the_run() -> None:
    """forward and back stop at the ends"""
    told = explorer(MIXED)
    told.go(-1)
    assert told.at == 1
    told.go(1000)
    assert len(told.steps) == told.at


def test_the_buttons_and_the_slider_show_one_step() -> None:
    """a click moves the slider, and the picture with it"""
    told = explorer(MIXED)
    _, buttons, shown = told.widget.children
    back, forward, slider = buttons.children
    assert (back.disabled, forward.disabled) == (True, False)
    forward.click()
    assert (told.at, slider.value) == (2, 2)
    assert "Step 2 of" in shown.value
    slider.value = len(told.steps)
    assert (back.disabled, forward.disabled) == (False, True)


@pytest.mark.parametrize("drawn", [OWN, MIXED, run("nothing happens")])
def test_every_step_is_in_the_table_and_in_the_text(drawn: Run) -> None:
    """without a widget nothing is lost"""
    told = explorer(drawn)
    bundle = told._repr_mimebundle_()
    for step in told.steps:
        assert step.title in bundle["text/plain"]
        assert f"#{step.number}</th>" in bundle["text/html"]


def test_a_text_of_the_submission_is_never_markup() -> None:
    """what a program returns is shown as it is written"""
    told = explorer(two_users((BEN,), {"user_id": "<b>x</b>", "messages": []}))
    told.go(1000)
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(tag)
    parser.feed(told.html)
    assert "b" not in found
