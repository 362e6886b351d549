"""The words that a scenario is told in; each makes a step, or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.vocabulary.outside import (
    PROFILE,
    DropsConnections,
    LedgerFails,
    Slow,
    SlowAfter,
    Stalls,
    StartsApart,
    StartsEmpty,
    UpstreamAnswers,
)
from grader.vocabulary.scenario import (
    Answers,
    Call,
    Fails,
    Holds,
    Kill,
    KillWhen,
    Releases,
    Restart,
    Says,
    Sets,
    ShowsAgain,
    Stop,
    Together,
)


@dataclass(frozen=True, slots=True)
class process:
    """One OS process that runs the submission, by its number."""

    number: int

    def calls(self, function: str, *args: Any) -> Call:
        """Call `function`; all texts in its arguments are templates."""
        return Call(self.number, function, args)

    def shows_again(self, call: int) -> ShowsAgain:
        """Look once more at the objects of an earlier call; see `ShowsAgain`."""
        return ShowsAgain(self.number, call)

    def gets(self, path: str, hangs_up: bool = False) -> Call:
        """Send it `GET path`, a template; perhaps hang up before it is answered."""
        return Call(self.number, "GET", (path,), http=True, hangs_up=hangs_up)

    def posts(self, path: str, body: Any) -> Call:
        """Send it `POST path` with a JSON body; all texts in both are templates."""
        return Call(self.number, "POST", (path, body), http=True)

    def is_killed(self) -> Kill:
        """End the process at once, as `kill -9` does."""
        return Kill(self.number)

    def is_killed_when(
        self,
        event: str,
        once_stored: str | None = None,
        nth: int = 1,
        at_rest: bool = False,
    ) -> KillWhen:
        """Kill it while the model, or the ledger, works on `event`; see `KillWhen`."""
        return KillWhen(self.number, event, once_stored, nth, at_rest)

    def starts_apart(self) -> StartsApart:
        """Let it share nothing with the other processes, not even a hash seed."""
        return StartsApart(self.number)

    def restarts(self) -> Restart:
        """End the process as a server is asked to stop, and start it again."""
        return Restart((self.number,))

    def stops(self) -> Stop:
        """End the process as a server is asked to stop; its log is complete then."""
        return Stop((self.number,))


def together(
    *calls: Call,
    held_at: str | None = None,
    answered: tuple[int, ...] = (),
    meanwhile: tuple[Call, ...] = (),
) -> Together:
    """Make all `calls` at once, held at the model's `held_at` until all are in.

    With `answered` each call is made when the one before it is in, and the model
    answers them in that order, by number from 0: each when the one before it has
    returned, or does not. Calls that are held at "profile" may have others made
    `meanwhile`; see `Together`.
    """
    leaving = [call for call in calls if call.hangs_up]
    if (meanwhile or leaving) and held_at != PROFILE:
        raise ValueError(
            f"expected held_at={PROFILE!r} where a client hangs up or others are asked "
            f"meanwhile, found {held_at!r}"
        )
    if answered and sorted(answered) != [*range(len(calls))]:
        raise ValueError(
            f"expected each of {len(calls)} calls once in `answered`, found {answered}"
        )
    return Together(calls, held_at, answered, meanwhile)


def restart_all() -> Restart:
    """Stop all that run, named by a step or not, before any is started again."""
    return Restart()


def stop_all() -> Stop:
    """Stop all that run, named by a step or not."""
    return Stop()


class model:
    """What the stand-in model says, holds and fails."""

    says = Says
    holds = Holds
    releases = Releases
    fails = Fails
    answers = Answers


class ledger:
    """What goes wrong with the next charges."""

    fails = LedgerFails
    holds = Holds
    releases = Releases

    @staticmethod
    def drops(times: int = 1, listed: bool = True) -> LedgerFails:
        """Charge, and close the connection without an answer."""
        return LedgerFails(0, charged=True, times=times, listed=listed)

    @staticmethod
    def is_silent(times: int = 1) -> LedgerFails:
        """Charge, and never answer."""
        return LedgerFails(-1, charged=True, times=times)


class upstream:
    """What the profile service answers about a user, from now on."""

    fails = UpstreamAnswers
    holds = Holds
    releases = Releases

    @staticmethod
    def drops(user: str) -> UpstreamAnswers:
        """Close the connection without an answer."""
        return UpstreamAnswers(user, 0)

    @staticmethod
    def recovers(user: str) -> UpstreamAnswers:
        """Answer with the profile again."""
        return UpstreamAnswers(user, 200)


class database:
    """What is the matter with the checkpoint database."""

    is_slow = Slow
    is_slow_after = SlowAfter
    drops_connections = DropsConnections
    starts_empty = StartsEmpty
    stalls = Stalls


class environment:
    """What all processes of a scenario are started with."""

    sets = Sets
