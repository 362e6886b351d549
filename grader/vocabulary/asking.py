"""What a program asks of the model; each word fails where it asks otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from grader.vocabulary.claims import fail, holds
from grader.vocabulary.observation import Observation
from grader.vocabulary.run import Run

LOST = re.compile(
    r"loop (<.*> )?.*is closed|different (event )?loop|was never awaited"
    r"|Task was destroyed but it is pending|Task exception was never retrieved",
    re.IGNORECASE,
)


def side_by_side(run: Run, texts: Sequence[str], help: str | None = None) -> None:
    """Fail unless the model was asked about each text before it answered any."""
    answers = run.of("answer")
    if not answers:
        fail("the model was never asked", because=run.replies)
    before = [seen for seen in run.of("model") if seen.number < answers[0].number]
    if not all(any(text in seen.text for seen in before) for text in texts):
        fail(
            "a request reached the model after another one was answered",
            because=[*run.of("call"), *before, *run.of("released"), answers[0]],
            help=help,
        )


def counted(
    run: Run,
    until: Observation,
    times: int,
    about: str = "",
    event: str | None = None,
    help: str | None = None,
) -> list[Observation]:
    """Return what the model answered about a text until a reply, so many times.

    Fails where it was another number of times; a request that is cut off, and never
    answered, is not counted.
    """
    found = [s for s in run.answers(about, event) if s.number < until.number]
    if len(found) != times:
        raised = "" if until.ok else f"{until.trouble}: "
        step = f"[{event}]" if event else "the model"
        fail(
            f"{raised}{step} was asked {len(found)} times for one question, "
            f"not {times}",
            because=[*run.of("fault"), *found[-3:], until],
            help=help,
        )
    return found


def asked_for(
    run: Run, reply: Observation, events: Sequence[str], about: str = ""
) -> list[Observation]:
    """Return what the model answered about a text at these events, during a call.

    Without a text it is that of the call's first argument, a dictionary. Fails where
    an event was never asked for with the text.
    """
    about = about or run.call(reply).data["args"][0]["text"]
    during = run.during(reply, "answer")
    said = [seen for seen in run.answers(about) if seen in during]
    for event in events:
        if not any(seen.data["event"] == event for seen in said):
            fail(
                f"the model was never asked for [{event}] with the text {about!r}",
                because=[*said, reply],
                help="the contract's table says what the model is asked, and when",
            )
    return [seen for seen in said if seen.data["event"] in events]


def asked_once(run: Run, text: str) -> None:
    """Fail where a request shows the model one message that holds the text twice."""
    for asked in run.of("model"):
        said = [m["text"] for m in asked.data["messages"] if text in m["text"]]
        if len(said) > len(set(said)):
            fail(
                "a question stands twice in its thread",
                because=[asked],
                help="what does a run that failed leave in the thread, and what does "
                "a second try add to it?",
            )


def apart(run: Run, texts: Sequence[str], event: str | None = None) -> None:
    """Fail where one request shows the model two texts of different conversations."""
    for asked in run.of("model", event):
        if sum(text in asked.text for text in texts) > 1:
            fail(
                "the model was shown both conversations in one request",
                because=[asked],
                help="what else than its own thread reaches the prompt of a turn?",
            )


def strangers(run: Run, ours: Sequence[str], theirs: Sequence[str]) -> None:
    """Fail where a request shows the model what each of two conversations said."""
    for pair in product(ours, theirs):
        apart(run, pair)


def quiet(run: Run) -> None:
    """Fail where a log names a closed or foreign loop, a lost coroutine or task."""
    lines = [seen for seen in run.of("log") if LOST.search(seen.text)]
    if lines:
        fail(
            f"the log of process {lines[0].process} names what was left behind",
            because=lines,
            help="which coroutine is made and not awaited, or which task is left when "
            "its loop ends?",
        )


def chooses(answer: Observation, choices: Mapping[str, Collection[str]]) -> bool:
    """Whether the model answered one of the choices at each of these keys, in JSON.

    The arguments of a tool's call are no text, and keep to its schema.
    """
    try:
        found = json.loads(answer.text) if answer.text else None
        return found is None or all(found[key] in choices[key] for key in choices)
    except (ValueError, LookupError, TypeError):
        return False


def reported(
    run: Run,
    event: str,
    words: Sequence[str],
    choices: Mapping[str, Collection[str]],
) -> None:
    """Fail unless each reply quotes the model's invalid answer in its status.

    `words` has one of each answer at the event. An invalid answer has no notes.
    """
    for word, reply in zip(words, run.replies, strict=True):
        said = [s for s in run.during(reply, "answer") if s.data["event"] == event]
        if said and chooses(said[-1], choices):
            continue  # it was asked for by a schema, which the stand-in model keeps to
        status = str(reply.at("status"))
        what = f"the model's reply was invalid, and the status is {status!r}"
        if not status.startswith("invalid") or word not in status:
            fail(what, because=[*said, reply])
        holds(reply, {"notes": []}, said)
