"""A run is the history of one scenario, and answers what checks ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.vocabulary.drawn import Drawn
from grader.vocabulary.observation import Observation


@dataclass(frozen=True, slots=True)
class Run:
    """The history of one scenario, with the values that were drawn for it."""

    scenario: str
    description: str
    drawn: Drawn
    observations: tuple[Observation, ...]
    broken: str = ""  # why the grader or the machine could not finish the run

    def of(self, kind: str, event: str | None = None) -> list[Observation]:
        """Return the observations of a kind, of one event where it is given."""
        return [
            seen
            for seen in self.observations
            if seen.kind == kind and (event is None or seen.data.get("event") == event)
        ]

    @property
    def replies(self) -> list[Observation]:
        """One reply for each call of the scenario, in the order of its steps."""
        return sorted(self.of("reply"), key=lambda seen: int(seen.data["id"]))

    @property
    def stored(self) -> list[Observation]:
        """What the trusted side read from the checkpoint database, after each step."""
        return self.of("stored")

    def call(self, reply: Observation) -> Observation:
        """Return the call that a reply, or a second look at it, belongs to."""
        for seen in self.of("call"):
            if seen.data["id"] == reply.data["id"]:
                return seen
        raise reply.failure  # it was never made: its process had ended

    def reply(self, seen: Observation) -> Observation:
        """Return the reply to a call, or the one that was looked at once more."""
        return next(s for s in self.of("reply") if s.data["id"] == seen.data["id"])

    def request(self, answer: Observation) -> Observation:
        """Return what the model was asked when it gave an answer."""
        asked, number = self.of("model"), answer.data["request"]
        return next(seen for seen in asked if seen.data["request"] == number)

    def answers(self, about: str = "", event: str | None = None) -> list[Observation]:
        """Return what the model answered to requests that hold a text, in order."""
        asked = [seen for seen in self.of("model", event) if about in seen.text]
        requests = {seen.data["request"] for seen in asked}
        return [s for s in self.of("answer", event) if s.data["request"] in requests]

    def during(self, reply: Observation, kind: str) -> list[Observation]:
        """Return the observations of a kind between a call and its reply."""
        call = self.call(reply)
        return [s for s in self.of(kind) if call.number < s.number < reply.number]

    def stored_before(self, reply: Observation) -> Observation:
        """Return what the checkpoint database held when a call was made.

        Of a scenario's first call it is what was seen first.
        """
        number = self.call(reply).number
        before = [seen for seen in self.stored if seen.number < number]
        return before[-1] if before else self.stored_after(reply)

    def stored_after(self, reply: Observation) -> Observation:
        """Return what the checkpoint database held once a call had returned."""
        for seen in self.stored:
            if seen.number > reply.number:
                return seen
        raise reply.failure  # the scenario ended with it
