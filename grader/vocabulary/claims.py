"""What checks claim of replies; each word fails where it is not so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from grader.vocabulary.observation import CheckFailed, Observation, short
from grader.vocabulary.run import Run

WORD_FOR_WORD = (
    "return the model's answer, word for word: is it another text, or does something "
    "hide an exception?"
)


def fail(
    rationale: str, because: Sequence[Observation] = (), help: str | None = None
) -> NoReturn:
    """End a check: what was seen, the observations that show it, a way out.

    Without `help` it is the check's own that is given.
    """
    raise CheckFailed(rationale, because, help)


def holds(
    reply: Observation,
    values: Mapping[str, Any],
    because: Sequence[Observation] = (),
    help: str | None = None,
) -> None:
    """Fail unless a reply is a dictionary that holds these values."""
    for key, value in values.items():
        found = reply.at(key)
        if found != value:
            fail(
                f"expected {key} {short(value, 50)}, found {short(found, 50)}",
                because=[*because, reply],
                help=help,
            )


def quotes(
    run: Run,
    reply: Observation,
    text: object,
    event: str | None = None,
    help: str | None = WORD_FOR_WORD,
) -> Observation:
    """Return the model's answer that is the text of a reply, word for word.

    Fails unless the model gave that answer between the call and the reply.
    """
    during = run.during(reply, "answer")
    given = [seen for seen in run.of("answer", event) if seen.data["status"] == 200]
    anywhere = [seen for seen in given if seen.text == text]
    found = [seen for seen in anywhere if seen in during]
    if not found:
        step = f"at [{event}]" if event else ""
        when = "did not say in this call" if anywhere else "never said"
        fail(
            f"process {reply.process} returned what the model {when} {step}".rstrip(),
            because=[*(anywhere or during[-2:]), reply],
            help=help,
        )
    return found[0]


def arrive(reply: Observation, key: str, answers: Sequence[Observation]) -> None:
    """Fail where what the model answered is missing from a reply's list of texts."""
    for answer, more in _arrived(reply, key, answers):
        if more < 0:
            found = f"what [{answer.data['event']}] found is not in `{key}`"
            fail(found, because=[answer, reply])


def arrive_once(reply: Observation, key: str, answers: Sequence[Observation]) -> None:
    """Fail where a text is in a reply's list more often than the model said it."""
    for answer, more in _arrived(reply, key, answers):
        if more > 0:
            found = f"what [{answer.data['event']}] found is in `{key}` more than once"
            fail(found, because=[answer, reply])


def arrive_alone(run: Run, reply: Observation, key: str) -> None:
    """Fail where a reply's list holds what the model answered in another call only."""
    listed = reply.texts(key)
    own = {answer.text for answer in run.during(reply, "answer")}
    for answer in run.of("answer"):
        if answer.text in listed and answer.text not in own:
            fail(
                f"`{key}` holds what [{answer.data['event']}] found in another call",
                because=[answer, reply],
                help="which list was added to, and how long does that list live?",
            )


def _arrived(
    reply: Observation, key: str, answers: Sequence[Observation]
) -> list[tuple[Observation, int]]:
    listed, said = reply.texts(key), [answer.text for answer in answers]
    return [(a, listed.count(a.text) - said.count(a.text)) for a in answers]


def apart_from_answer(reply: Observation) -> str:
    """Return a reply as text without its last message, which is never the same."""
    return str(reply.value).replace(reply.texts("messages")[-1], "…")


def unchanged(run: Run) -> None:
    """Fail where a call's arguments or its reply are not now what they were then."""
    for again in run.of("again"):
        call, reply = run.call(again), run.reply(again)
        if again.data.get("args") != call.data["args"]:
            fail(
                "the list that the caller passed was changed",
                because=[call, again],
                help="does your node build a new list, or does it append to one?",
            )
        if again.value != reply.value:
            fail(
                "a reply changed after it had been returned",
                because=[reply, again],
                help="who still holds, and changes, the list inside the reply?",
            )


def killed(run: Run, reply: Observation, help: str | None = None) -> Observation:
    """Return the kill that ended a call; fail where the call ended before it came."""
    kills = [seen for seen in run.of("fault") if seen.data["what"] == "killed"]
    if not kills:
        fail(
            f"{reply.data['function']} returned {short(reply.value)} before process "
            f"{reply.process} could be killed",
            because=[*run.during(reply, "answer"), reply],
            help=help,
        )
    return kills[0]


def answered(run: Run, besides: Sequence[Observation] = ()) -> None:
    """Fail unless every call of a run, `besides` these, returned a value."""
    for reply in run.replies:
        if not reply.ok and reply not in besides:
            raise reply.failure
