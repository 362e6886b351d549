"""Each word that several exercises judge by passes and fails where it says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.vocabulary import CheckFailed, Exercise, History, Run, fail, model, process
from grader.vocabulary.asking import (
    apart,
    asked_for,
    asked_once,
    chooses,
    counted,
    quiet,
    side_by_side,
)
from grader.vocabulary.claims import (
    answered,
    arrive,
    arrive_alone,
    arrive_once,
    holds,
    killed,
    quotes,
)
from grader.vocabulary.memory import HEAP, SAVER, SHOWN, THREAD, kept, knows
from tests.vocabulary import made
from tests.vocabulary.made import asked, call, logged, raised, reply, run, stored

said = made.answered
ANSWERED = said(1, "a", event="draft")
WORDS: dict[str, tuple[Callable[[Run], object], Run, Run, str]] = {
    "holds": (
        lambda r: holds(r.replies[0], {"a": 1, "b": 2}),
        run(call(1), reply(1, {"a": 1, "b": 2, "c": 3})),
        run(call(1), reply(1, {"a": 1})),
        "expected b 2, found None",
    ),
    "quotes": (
        lambda r: quotes(r, r.replies[0], r.replies[0].value),
        run(call(1), asked(1), said(1, "hello"), reply(1, "hello")),
        run(call(1), asked(1), said(1, "hello"), reply(1, "Hello!")),
        "process 0 returned what the model never said",
    ),
    "quotes this call": (
        lambda r: quotes(r, r.replies[-1], "hello"),
        run(asked(1), said(1, "a"), call(1), said(1, "hello"), reply(1, "hello")),
        run(asked(1), said(1, "hello"), call(1), said(1, "a"), reply(1, "hello")),
        "process 0 returned what the model did not say in this call",
    ),
    "quotes this step": (
        lambda r: quotes(r, r.replies[0], "hello", "polish"),
        run(call(1), said(1, "hello", event="polish"), reply(1, "hello")),
        run(call(1), said(1, "hello", event="draft"), reply(1, "hello")),
        "process 0 returned what the model never said at [polish]",
    ),
    "quotes no error": (
        lambda r: quotes(r, r.replies[0], ""),
        run(call(1), said(1, ""), reply(1, "")),
        run(call(1), said(1, "", status=500), reply(1, "")),
        "process 0 returned what the model never said",
    ),
    "arrive": (
        lambda r: arrive(r.replies[0], "notes", r.of("answer")),
        run(call(1), said(1, "x"), reply(1, {"notes": ["x", "x"]})),
        run(call(1), said(1, "x"), said(2, "x"), reply(1, {"notes": ["x"]})),
        "what [model] found is not in `notes`",
    ),
    "arrive_once": (
        lambda r: arrive_once(r.replies[0], "notes", r.of("answer")),
        run(call(1), said(1, "x"), said(2, "x"), reply(1, {"notes": ["x"]})),
        run(call(1), said(1, "x"), reply(1, {"notes": ["x", "x"]})),
        "what [model] found is in `notes` more than once",
    ),
    "arrive_alone": (
        lambda r: arrive_alone(r, r.replies[-1], "notes"),
        run(call(1), said(1, "x"), reply(1, {"notes": ["x"]})),
        run(
            *(call(1), said(1, "x"), reply(1, {"notes": ["x"]})),
            *(call(2), said(2, "y"), reply(2, {"notes": ["x", "y"]})),
        ),
        "`notes` holds what [model] found in another call",
    ),
    "killed": (
        lambda r: killed(r, r.replies[0]),
        run(call(1), made.killed(), raised(1, "killed")),
        run(call(1), reply(1, "done")),
        "chat returned 'done' before process 0 could be killed",
    ),
    "answered": (
        answered,
        run(call(1), reply(1, None)),
        run(call(1), reply(1, "a"), call(2), raised(2, "ValueError")),
        "chat raised ValueError in process 0",
    ),
    "kept": (
        lambda r: kept(r, r.replies[0], "Ada"),
        run(call(1), reply(1, "hello"), stored(["I am Ada"])),
        run(call(1), reply(1, "hello"), stored(["I am"], files=("m.json",))),
        "no checkpoint in `CHECKPOINT_DB` holds 'Ada'; it wrote m.json",
    ),
    "side_by_side": (
        lambda r: side_by_side(r, ("one", "two")),
        run(asked(1, "one"), asked(2, "two"), said(1, "a"), said(2, "b")),
        run(asked(1, "one"), said(1, "a"), asked(2, "two"), said(2, "b")),
        "a request reached the model after another one was answered",
    ),
    "side_by_side asked": (
        lambda r: side_by_side(r, ("one",)),
        run(asked(1, "one"), said(1, "a")),
        run(call(1), reply(1, "a")),
        "the model was never asked",
    ),
    "counted": (
        lambda r: counted(r, r.replies[0], 1, about="one"),
        run(call(1), asked(1, "one"), asked(2, "one"), said(2, "a"), reply(1, "a")),
        run(call(1), reply(1, "a"), asked(1, "one"), said(1, "a")),
        "the model was asked 0 times for one question, not 1",
    ),
    "counted to an error": (
        lambda r: counted(r, r.replies[0], 1, event="try"),
        run(asked(1, event="try"), said(1, "a", event="try"), raised(1, "KeyError")),
        run(call(1), raised(1, "KeyError")),
        "chat raised KeyError in process 0: [try] was asked 0 times for one question, "
        "not 1",
    ),
    "asked_for": (
        lambda r: asked_for(r, r.replies[0], ["draft"], about="one"),
        run(call(1), asked(1, "one", event="draft"), ANSWERED, reply(1, "a")),
        run(call(1), asked(1, "two", event="draft"), ANSWERED, reply(1, "a")),
        "the model was never asked for [draft] with the text 'one'",
    ),
    "asked_for in this call": (
        lambda r: asked_for(r, r.replies[0], ["draft"], about="one"),
        run(call(1), asked(1, "one", event="draft"), ANSWERED, reply(1, "a")),
        run(asked(1, "one", event="draft"), ANSWERED, call(1), reply(1, "a")),
        "the model was never asked for [draft] with the text 'one'",
    ),
    "asked_once": (
        lambda r: asked_once(r, "one"),
        run(asked(1, "one", "a", "a"), asked(2, "one", "one more")),
        run(asked(1, "one", "a", "one")),
        "a question stands twice in its thread",
    ),
    "apart": (
        lambda r: apart(r, ("Ada", "Bob")),
        run(asked(1, "Ada", "Ada"), asked(2, "Bob")),
        run(asked(1, "Ada", "and", "Bob")),
        "the model was shown both conversations in one request",
    ),
    "quiet": (
        quiet,
        run(logged("Started server process")),
        run(logged("coroutine 'ask' was never awaited")),
        "the log of process 1 names what was left behind",
    ),
}


@pytest.mark.parametrize(
    ("word", "right", "wrong", "rationale"), WORDS.values(), ids=WORDS
)
def test_a_word_fails_where_it_is_not_so(
    word: Callable[[Run], object], right: Run, wrong: Run, rationale: str
) -> None:
    """a word passes one run, and fails another with what was seen, as evidence too"""
    word(right)
    with pytest.raises(CheckFailed) as failed:
        word(wrong)
    assert failed.value.rationale == rationale
    assert failed.value.because


@pytest.mark.parametrize(
    ("before", "help"),
    [
        (stored(), HEAP),
        (stored(files=("m.json",)), SAVER.format("CHECKPOINT_DB")),
        (stored(["hello"]), THREAD),
        (stored(["I am Ada"]), SHOWN),
    ],
    ids=["nothing", "a file", "a thread", "the text"],
)
def test_what_is_stored_decides_what_to_suggest(before: made.Event, help: str) -> None:
    """where a thread has forgotten, what the database held says where to look"""
    begun = (call(1), reply(1, "hello"), before, call(2, process=1))
    knows(run(*begun, reply(2, "you are Ada", 1)), run(*begun).replies[0], "hello")
    lost = run(*begun, reply(2, "who are you", 1))
    with pytest.raises(CheckFailed) as failed:
        knows(lost, lost.replies[1], "Ada")
    assert failed.value.rationale.startswith(
        "process 1 answered as if the conversation"
    )
    assert failed.value.help == help
    assert [seen.kind for seen in failed.value.because] == ["stored", "reply"]


def test_what_is_valid() -> None:
    """an answer is valid with a choice at each key, or as the arguments of a tool"""
    choices = {"kind": ("question", "refund"), "size": ("big",)}
    texts = ['{"kind": "refund", "size": "big"}', "", '{"kind": "refund"}', "[]", "{"]
    texts += ['{"kind": ["refund"], "size": "big"}', '"kind"', "7"]
    found = [
        chooses(s, choices) for s in run(*(said(1, t) for t in texts)).of("answer")
    ]
    assert found == [True, True, *[False] * 6]


@pytest.mark.parametrize(
    ("own", "suggested"),
    [(None, "of the check"), ("", ""), ("of its own", "of its own")],
)
def test_a_check_suggests_where_a_failure_does_not(
    own: str | None, suggested: str
) -> None:
    """a failure's own help wins, also when it is none"""
    exercise = Exercise("A title", ("chat() -> str",), ())
    exercise.scenario("only", "nothing happens")

    @exercise.check(points=1, help="of the check")
    def fails(only: Run) -> None:
        """nothing is wrong"""
        fail("something is", help=own)

    history = History("ex99", 1, 0, {"only": run()})
    assert exercise.judge(history)[0].help == suggested


def test_each_scenario_opens_alike() -> None:
    """the steps that an exercise opens with come first in each of its scenarios"""
    says, calls = model.says("reply", "[reply]"), process(0).calls("chat")
    exercise = Exercise("A title", ("chat() -> str",), (), opening=(says,))
    assert exercise.scenario("one", "a call", calls).steps == (says, calls)
    assert exercise.scenario("two", "nothing").steps == (says,)
