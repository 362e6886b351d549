"""The least that a check can cost: forked processes that only ask the model.

`python -m grader.floor` reads a JSON list from each line of its input: how many model
calls each process makes. It forks them all at once, from a process that has rehearsed
like the forkserver, waits for them, and writes down the seconds that took.
"""

from __future__ import annotations

import json
import os
import sys
import time

from grader.harness.preloaded import PRELOAD
from grader.harness.preloading import preload

PROMPT = "My name is Ada."


def ask(calls: int) -> None:
    """Make so many calls, as a submission's process does, and end."""
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini")
    for _ in range(calls):
        model.invoke(PROMPT)


def run(plan: list[int]) -> float:
    """Fork a process for each entry and return how many seconds all of them took.

    Raises:
        RuntimeError: one of them failed.
    """
    began = time.perf_counter()
    pids = []
    for calls in plan:
        pid = os.fork()
        if not pid:
            try:
                ask(calls)
            except BaseException:
                os._exit(1)
            os._exit(0)
        pids.append(pid)
    if any([os.waitpid(pid, 0)[1] for pid in pids]):
        raise RuntimeError(
            "expected each process to be answered, found one that failed"
        )
    return time.perf_counter() - began


def main() -> None:
    """Run as `python -m grader.floor`, with the model's address in the environment."""
    preload(list(PRELOAD))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
