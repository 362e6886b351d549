"""From a submission to its verdict: run the scenarios, judge their history."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.limits import SOURCE_LIMIT_B
from grader.harness.order import Order, Provider
from grader.harness.process import SubmissionBroken
from grader.vocabulary import Exercise, History, Observation, Verdict
from grader.vocabulary.describing import place

SEEDS = 1_000_000
CIRCULAR = (
    "two modules import each other, so one of them is used before it is complete: "
    "which needs the other only later, or would both find it in a third?"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and the history it was judged by, if there is one."""

    verdict: Verdict
    history: History | None


def new_seed() -> int:
    """Return a seed nobody can guess, short enough to type."""
    return secrets.randbelow(SEEDS)


async def check(
    harness: Harness,
    stem: str,
    exercise: Exercise,
    text: str,
    seed: int | None = None,
    processes: int = 0,
    keep: Path | None = None,
    database: str = "",
) -> Outcome:
    """Run all scenarios that a check reads on a submission, and judge them.

    `text` is the submission's source, `processes` at least how many processes every
    scenario starts (0: as many as it needs), `keep` where to write the history,
    `database` where checkpoints are kept ("": as the exercise says).
    """
    seed = new_seed() if seed is None else seed
    began = time.monotonic()
    tier = harness.tier_name
    verdict = Verdict(stem, exercise.title, seed, processes, (), tier=tier)
    history = None
    try:
        found = _bounded(text)
        order = Order(stem, exercise, found, seed, processes, database=database)
        judged = {n for c in exercise.checks.values() for n in c.scenarios}
        history = await harness.run(order, judged, keep)
        verdict = replace(verdict, results=exercise.judge(history))
    except SubmissionBroken as broken:
        problem, help = explain(broken.seen)
        help = exercise.advised(problem) or help
        results = exercise.refuse("the submission can be run")
        verdict = replace(verdict, results=results, problem=problem, help=help)
    except GraderBroke as broken:
        verdict = replace(verdict, results=exercise.unknown(str(broken)))
    duration_s = round(time.monotonic() - began, 3)
    return Outcome(replace(verdict, duration_s=duration_s), history)


async def observe(
    harness: Harness,
    stem: str,
    exercise: Exercise,
    text: str,
    scenarios: Iterable[str],
    seed: int | None = None,
    provider: Provider | None = None,
    database: str = "",
) -> History:
    """Run some scenarios of an exercise and return what happened, unjudged.

    Raises:
        SubmissionBroken: the submission cannot be run at all.
        GraderBroke: the machine or the grader cannot run anything.
    """
    seed = new_seed() if seed is None else seed
    found = _bounded(text)
    order = Order(stem, exercise, found, seed, provider=provider, database=database)
    return await harness.run(order, scenarios)


def explain(seen: Observation) -> tuple[str, str]:
    """Return what keeps a submission from being run, and a way out."""
    data = seen.data
    if seen.kind == "limit":
        return (
            f"the submission passed a limit: {data['what']} ({data['limit']}), "
            f"found {data['found']}",
            "what starts processes, or keeps data, without end?",
        )
    error, message = data["error"], data["message"]
    if error == "ValueError" and "null bytes" in message:
        error = "SyntaxError"  # which Python raises from 3.11.4 on
    where = f" in {place(data)}" if place(data) else ""
    known = {
        "modules": (f"{message}{where}", data.get("help", "")),
        "contract": (message, "the contract is in the table above the submission"),
        "startup": (
            f"the server could not start{where}: {message}",
            "a server runs the application's lifespan before its first request",
        ),
        "hang": (message, "what runs, or waits, without end before the first call?"),
        "exit": (message, "a module must not end the process that imports it"),
        "channel": (message, "close and write only files that the submission opened"),
        "SystemExit": (
            f"importing the submission called sys.exit({message}){where}",
            "a module must not end the process that imports it",
        ),
    }
    helps = {
        "NameError": "the submission is a module of its own: names from other cells "
        "of the notebook are not visible in it, nor another module's without an import",
        "ModuleNotFoundError": "only what the course installs can be imported",
        "SyntaxError": "Python cannot read the submission: look at that line and the "
        "one above it",
        "IndentationError": "look at the spaces at the start of that line",
        "MemoryError": "what does the module keep in memory?",
    }
    if "circular import" in message:
        helps[error] = CIRCULAR
    usual = "run that line in a cell of its own to see the whole error"
    plain = f"importing the submission raised {error}{where}: {message}"
    return known.get(error, (plain, helps.get(error, usual)))


def _bounded(text: str) -> str:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > SOURCE_LIMIT_B:
        found = {"what": "source", "limit": f"{SOURCE_LIMIT_B} bytes"}
        raise SubmissionBroken(
            Observation(1, "limit", None, 0.0, {**found, "found": f"{size} bytes"})
        )
    return text
