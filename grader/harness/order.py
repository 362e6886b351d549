"""What to run: one submission of one exercise, with one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from grader.vocabulary import Exercise, Scenario
from grader.vocabulary.outside import StartsApart, StartsEmpty
from grader.vocabulary.scenario import (
    Call,
    Kill,
    KillWhen,
    Restart,
    ShowsAgain,
    Step,
    Stop,
    Together,
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A real model behind the stand-in's address, for observing only."""

    url: str
    key: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One submission, one seed, and in how many processes at least."""

    stem: str
    exercise: Exercise
    text: str  # the submission, line for line as the learner numbers it
    seed: int
    processes: int = 0  # at least so many, numbers shuffled; 0: as the scenario says
    provider: Provider | None = None
    database: str = ""  # where checkpoints are kept; "": as the exercise says

    @property
    def kind(self) -> str:
        """Where checkpoints are kept: "sqlite" or "postgres"."""
        return self.database or self.exercise.database


def empty_start(scenario: Scenario) -> StartsEmpty | None:
    """Return how the processes of a scenario start on an empty database, if so."""
    found = [step for step in scenario.steps if isinstance(step, StartsEmpty)]
    return found[0] if found else None


def shuffled(scenario: Scenario, seed: int, processes: int) -> Scenario:
    """Return the scenario with its processes renumbered among `processes`.

    So that a submission cannot know its part by its number, or by being second.
    """
    count = max(processes, scenario.process_count)
    numbers = list(range(count))
    if processes:
        random.Random(f"{seed}/{scenario.name}/processes").shuffle(numbers)

    def moved(step: Step) -> Step:
        if isinstance(step, Call | Kill | KillWhen | ShowsAgain | StartsApart):
            return replace(step, process=numbers[step.process])
        if isinstance(step, Together):
            calls, more = (
                tuple(replace(c, process=numbers[c.process]) for c in each)
                for each in (step.calls, step.meanwhile)
            )
            return replace(step, calls=calls, meanwhile=more)
        if isinstance(step, Restart | Stop):
            return replace(step, processes=tuple(numbers[n] for n in step.processes))
        return step

    return replace(scenario, steps=tuple(moved(step) for step in scenario.steps))
