"""One author's exercises, judged in one harness; tasks and answers are plain data.

Run as `python -m grader.batch.task`, it obeys one task a line from standard input,
and writes one line for each exercise as soon as it is judged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader import catalog, runner
from grader.harness import tiers
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.launchers import best_launcher, shared
from grader.harness.preloaded import Preloaded
from grader.sandbox import mounts
from grader.vocabulary import Verdict
from grader.vocabulary.verdict import RUNS

TASK_LIMIT_B = 64 * 1024 * 1024
PARENT_PERIOD_S = 1.0
ATTEMPTS = 2  # of one submission, each in a harness of its own

Task = Mapping[str, Any]
Answer = dict[str, Any]


def judge_author(task: Task) -> list[Answer]:
    """Judge all exercises of one author; the same task may be judged again.

    A task is `{"author": …, "tier": …, "exercises": [{"stem", "sha256", "seed",
    "text", "once"}, …]}`, where `tier` is the worst that is accepted, and `once` leaves
    out the second run, with more processes; an answer has `stem`,
    `sha256`, the `verdict` and the `timelines` of its failures. On a machine whose
    sandbox is worse the one answer is `{"refused": why}`.
    """

    async def all_of_them() -> list[Answer]:
        return [answer async for answer in judged(task)]

    return asyncio.run(all_of_them())


async def judged(
    task: Task, preloaded: Preloaded | None = None
) -> AsyncIterator[Answer]:
    """Yield the answer to each exercise of a task, in its order."""
    async with contextlib.AsyncExitStack() as stack:
        harness: Harness | None = None
        for exercise in task["exercises"]:
            for attempt in range(1, ATTEMPTS + 1):
                answer = None
                try:
                    if harness is None:
                        made = Harness(best_launcher(preloaded))
                        harness = await stack.enter_async_context(made)
                    if harness.tier <= task["tier"]:
                        answer = await _judge(harness, exercise)
                    elif attempt == ATTEMPTS:
                        yield {"refused": refusal(harness.tier, harness.got_through)}
                        return
                except (GraderBroke, OSError) as problem:
                    answer = unjudged(exercise, str(problem))
                if answer is not None and not answer["unknown"]:
                    break
                # A submission may have broken what the next one would run in.
                await stack.aclose()
                harness = None
            if answer is not None:
                yield answer


async def _judge(harness: Harness, exercise: Mapping[str, Any]) -> Answer:
    from grader.visuals.timeline import of_failures  # late: it needs matplotlib

    stem, text, seed = exercise["stem"], exercise["text"], exercise["seed"]
    found = catalog.load(stem)
    outcomes: list[runner.Outcome] = []
    for processes in RUNS[:1] if exercise.get("once") else RUNS:
        outcomes.append(await runner.check(harness, stem, found, text, seed, processes))
        verdict = worst([outcome.verdict for outcome in outcomes])
        if not verdict.score or verdict.unknown:
            break  # nothing is left that another run could take away
    timelines: dict[str, str] = {}
    try:
        for outcome in outcomes:
            ours = [r for r in outcome.verdict.results if r in verdict.results]
            alone = replace(outcome.verdict, results=tuple(ours))
            timelines |= of_failures(alone, outcome.history)
    except Exception:  # our defect: a picture that is missing costs nobody a grade
        print(traceback.format_exc(), file=sys.stderr)
    return _answer(exercise, verdict, timelines)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the run that scores least, with the worst result of each check."""
    least = min(verdicts, key=lambda verdict: verdict.score)
    columns = zip(*(verdict.results for verdict in verdicts), strict=True)
    results = tuple(min(each, key=lambda result: result.worth) for each in columns)
    duration_s = round(sum(verdict.duration_s for verdict in verdicts), 3)
    return replace(least, results=results, duration_s=duration_s)


def unjudged(exercise: Mapping[str, Any], reason: str) -> Answer:
    """Return the answer for a submission that nobody could judge: an error."""
    stem = exercise["stem"]
    found = catalog.load(stem)
    results = found.unknown(reason)
    return _answer(
        exercise, Verdict(stem, found.title, exercise["seed"], 0, results), {}
    )


def _answer(
    exercise: Mapping[str, Any], verdict: Verdict, timelines: Mapping[str, str]
) -> Answer:
    return {
        "stem": exercise["stem"],
        "sha256": exercise["sha256"],
        "verdict": verdict.to_json(),
        "unknown": verdict.unknown,
        "timelines": dict(timelines),
    }


def tier_here() -> int:
    """Return how far this machine can shut submissions off; the canary has its say."""
    return best_launcher().tier


def refusal(tier: int, got_through: Iterable[str] = ()) -> str:
    """Return why nobody else's submissions are run on a machine of this tier."""
    through = ", ".join(got_through)
    why = f"the canary got through ({through})" if through else tiers.why_not_isolated()
    return (
        f"expected a machine that isolates submissions (tier 1), found tier {tier}, "
        f"{tiers.NAMES[tier]}{f': {why}' if why else ''}"
    )


def say(message: Mapping[str, Any]) -> None:
    """Write one line to whoever started this process."""
    print(json.dumps(message), flush=True)


async def _read(reader: asyncio.StreamReader, lines: asyncio.Queue[bytes]) -> None:
    """Return when the input has ended, also while a task is being judged."""
    while line := await reader.readline():
        lines.put_nowait(line)


async def _obey(lines: asyncio.Queue[bytes]) -> None:
    given = [socket.socket(fileno=int(fd)) for fd in sys.argv[1:]]  # what one obeys
    with shared(*given) as preloaded:
        while True:
            async for answer in judged(json.loads(await lines.get()), preloaded):
                say(answer)
            say({"done": True})


async def _orphaned() -> None:
    """Return when the parent is gone, even if a child of it holds the pipe open."""
    parent = os.getppid()
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    while os.getppid() == parent:
        await asyncio.wait({never}, timeout=PARENT_PERIOD_S)


async def main() -> None:
    """Obey until the input ends or the parent is gone; leave nothing behind."""
    mounts.own()
    reader = asyncio.StreamReader(limit=TASK_LIMIT_B)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    tasks = [
        asyncio.create_task(_read(reader, lines)),
        asyncio.create_task(_obey(lines)),
        asyncio.create_task(_orphaned()),
    ]
    done, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for task in done:
        task.result()


if __name__ == "__main__":
    asyncio.run(main())
