"""A scenario is pure data: the steps and faults that are told to N processes."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.vocabulary.calls import Call as Call
from grader.vocabulary.calls import Together as Together
from grader.vocabulary.outside import Outside, StartsApart, Traffic, UpstreamAnswers

Reply = str | Mapping[str, Any]
MODEL_WORDS = {"answer", "prompt", "ref"}  # in a reply's template, beside the names


@dataclass(frozen=True, slots=True)
class Kill:
    """One process is ended with SIGKILL, between two calls."""

    process: int


@dataclass(frozen=True, slots=True)
class KillWhen:
    """Arms a trigger: the process is killed while `event` from it is held.

    `nth` counts the process's requests for the event from here on: 1 is the next.
    `once_stored` names an earlier event of the model: the kill waits until the
    reply to it is in the checkpoint database, so that no right answer loses its
    finished step by luck; the wait is limited. With `at_rest` it waits until the
    process has nothing left to do but wait, so that all that it stores is stored.

    A charge is made before its sender is killed: the effect has happened.
    """

    process: int
    event: str
    once_stored: str | None = None
    nth: int = 1
    at_rest: bool = False


@dataclass(frozen=True, slots=True)
class Sets:
    """All processes of the scenario have this environment variable from their start.

    Libraries read theirs when they are imported, so it is as if each process had
    been started with it: see `Job.reimported`.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Each process ends as a server does on SIGTERM, and is then started again.

    One that was killed has ended already, and is only started.
    """

    processes: tuple[int, ...] = ()  # none: all that run


@dataclass(frozen=True, slots=True)
class Stop:
    """Each process ends as a server does on SIGTERM."""

    processes: tuple[int, ...] = ()  # none: all that run


@dataclass(frozen=True, slots=True)
class Says:
    """From now on the model answers a request that carries `marker` by `reply`.

    `reply` is a template: {answer} is what the stand-in model makes of the
    conversation, {prompt} the text of the last message without its marker, {ref}
    a fresh reference nobody can guess, and every drawn name stands for its value.
    A mapping is a structured reply, its text values templates; with `tool` it is
    the arguments of one call of that tool. A tuple is a sequence of such replies, the
    last of them repeated for ever. With `about`, a template too, the rule is for
    requests that hold that text, and goes before one for all.
    """

    event: str
    marker: str
    reply: Reply | tuple[Reply, ...] = "{answer} (ref {ref})"
    tool: str = ""
    about: str = ""

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The replies in order; one that is no sequence is a sequence of one."""
        return self.reply if isinstance(self.reply, tuple) else (self.reply,)


@dataclass(frozen=True, slots=True)
class Fails:
    """The next `times` requests that carry the event's marker get an error.

    `status` is the HTTP status (401, 429, 500), or 0 for a dropped connection.
    """

    event: str
    status: int = 500
    times: int = 1


@dataclass(frozen=True, slots=True)
class Holds:
    """Requests that carry the event's marker wait until they are released.

    At the ledger they are in flight meanwhile: their keys cannot be used.
    """

    event: str


@dataclass(frozen=True, slots=True)
class Releases:
    """Requests held at the event go on, and later ones are not held."""

    event: str


@dataclass(frozen=True, slots=True)
class Answers:
    """Of two requests at once, the model answers `event` first, then `before`.

    The second waits until the program has done with the first answer all that it
    can do without the second; where the first is never asked, it is not waited for.
    """

    event: str
    before: str


@dataclass(frozen=True, slots=True)
class ShowsAgain:
    """What call `call` (the first is 1) was given and has returned, as it is now."""

    process: int
    call: int


Step = (
    Call
    | Kill
    | KillWhen
    | Restart
    | Stop
    | Together
    | Says
    | Fails
    | Outside
    | Holds
    | Releases
    | Sets
    | Answers
    | ShowsAgain
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Named steps; `description` completes the sentence "in which …"."""

    name: str
    description: str
    steps: tuple[Step, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls in order, those made together included."""
        return tuple(_calls(self.steps))

    @property
    def process_count(self) -> int:
        """How many processes the steps name."""
        named = [call.process for call in self.calls]
        for step in self.steps:
            if isinstance(step, Kill | KillWhen | ShowsAgain | StartsApart):
                named.append(step.process)
            elif isinstance(step, Restart | Stop):
                named.extend(step.processes)
            elif isinstance(step, Traffic):
                named.append(step.servers - 1)
        return max(named, default=0) + 1

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all drawn values, in alphabetical order."""
        given: list[Any] = [call.args for call in self.calls]
        for step in self.steps:
            given += [step.reply, step.about] if isinstance(step, Says) else []
            given += [step.user] if isinstance(step, UpstreamAnswers) else []
            given += step.conversations if isinstance(step, Traffic) else []
        found = {
            name
            for text in _texts(given)
            for _, name, _, _ in string.Formatter().parse(text)
            if name
        }
        return tuple(sorted(found - MODEL_WORDS))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a value of lists and mappings, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _calls(steps: Sequence[Step]) -> Iterator[Call]:
    for step in steps:
        if isinstance(step, Call):
            yield step
        elif isinstance(step, Together):
            yield from (*step.calls, *step.meanwhile)
