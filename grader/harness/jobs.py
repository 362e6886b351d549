"""What one process of a scenario is told before it imports the submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from grader.fakes.addresses import addresses
from grader.harness.launch import Job, clean_environment
from grader.harness.order import Order
from grader.harness.stores import Store
from grader.harness.web import address_in
from grader.vocabulary import Scenario, outside
from grader.vocabulary.modules import divide
from grader.vocabulary.scenario import Sets

REIMPORTED = ("langgraph",)  # reads the environment when it is imported


def job(
    order: Order,
    scenario: Scenario,
    number: int,
    folder: Path,
    code: Path,
    store: Store,
    model: Mapping[str, str],
) -> Job:
    """Return the job of process `number`, which works in `folder`.

    `model` is where it asks, `url`, and the `key` by which it is known there.
    """
    cwd = folder / f"process-{number}"
    environment = clean_environment(str(cwd)) | addresses(model["url"], model["key"])
    environment |= store.environment
    sets = {step.name: step.value for step in scenario.steps if isinstance(step, Sets)}
    functions = [asdict(function) for function in order.exercise.functions]
    return Job(
        folder=str(code),
        path=str(code / divide(order.text)[0].file),
        cwd=str(cwd),
        log=str(folder / f"process-{number}.log"),
        functions=functions,
        environment=environment | sets,
        reimported=REIMPORTED if sets else (),
        application=order.exercise.application,
        address=address_in(str(cwd)),
        shared=[str(store.path.parent)],
        apart=outside.StartsApart(number) in scenario.steps,
    )
