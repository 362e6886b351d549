"""A scenario is pure data: the steps and faults that are told to N processes."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Reply = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One process calls one function of the submission."""

    process: int
    function: str
    args: tuple[Any, ...] = ()


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
    finished step by luck; the wait is limited.
    """

    process: int
    event: str
    once_stored: str | None = None
    nth: int = 1


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
    """Each process ends as a server does on SIGTERM, and is then started again."""

    processes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Calls made at once; the model holds `held_at` until all of them are in."""

    calls: tuple[Call, ...]
    held_at: str | None = None


@dataclass(frozen=True, slots=True)
class Says:
    """From now on the model answers a request that carries `marker` by `reply`.

    `reply` is a template: {answer} is what the stand-in model makes of the
    conversation, {prompt} the text of the last message without its marker, {ref}
    a fresh reference nobody can guess, and every drawn name stands for its value.
    A mapping is a structured reply, its text values templates; with `tool` it is
    the arguments of one call of that tool. A tuple is a sequence of such replies, the
    last of them repeated for ever.
    """

    event: str
    marker: str
    reply: Reply | tuple[Reply, ...] = "{answer} (ref {ref})"
    tool: str = ""

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
    """Requests that carry the event's marker wait until they are released."""

    event: str


@dataclass(frozen=True, slots=True)
class Releases:
    """Requests held at the event go on, and later ones are not held."""

    event: str


Step = Call | Kill | KillWhen | Restart | Together | Says | Fails | Holds | Releases


@dataclass(frozen=True, slots=True)
class process:
    """One OS process that runs the submission, by its number."""

    number: int

    def calls(self, function: str, *args: Any) -> Call:
        """Call `function`; text arguments are templates over drawn values."""
        return Call(self.number, function, args)

    def is_killed(self) -> Kill:
        """End the process at once, as `kill -9` does."""
        return Kill(self.number)

    def is_killed_when(
        self, event: str, once_stored: str | None = None, nth: int = 1
    ) -> KillWhen:
        """Kill it while the model works on `event`; see `KillWhen`."""
        return KillWhen(self.number, event, once_stored, nth)

    def restarts(self) -> Restart:
        """End the process as a server is asked to stop, and start it again."""
        return Restart((self.number,))


def together(*calls: Call, held_at: str | None = None) -> Together:
    """Make all `calls` at once, held at the model's `held_at` until all are in."""
    return Together(calls, held_at)


def restart_all(count: int) -> Restart:
    """Stop processes 0 to `count` - 1 before any of them is started again."""
    return Restart(tuple(range(count)))


class model:
    """What the stand-in model says, holds and fails."""

    says = Says
    holds = Holds
    releases = Releases
    fails = Fails


class environment:
    """What all processes of a scenario are started with."""

    sets = Sets


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
            if isinstance(step, Kill | KillWhen):
                named.append(step.process)
            elif isinstance(step, Restart):
                named.extend(step.processes)
        return max(named, default=0) + 1

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all drawn values, in alphabetical order."""
        texts = [arg for call in self.calls for arg in call.args]
        for step in self.steps:
            for reply in step.replies if isinstance(step, Says) else ():
                texts += [reply] if isinstance(reply, str) else list(reply.values())
        found = {
            name
            for text in texts
            if isinstance(text, str)
            for _, name, _, _ in string.Formatter().parse(text)
            if name
        }
        return tuple(sorted(found - {"answer", "prompt", "ref"}))


def _calls(steps: Sequence[Step]) -> Iterator[Call]:
    for step in steps:
        if isinstance(step, Call):
            yield step
        elif isinstance(step, Together):
            yield from step.calls
