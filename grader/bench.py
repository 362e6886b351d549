"""Measures how long grading takes: `python -m grader.bench`, or `make bench`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from grader import catalog
from grader.client import Client
from grader.fakes.answers import Answer
from grader.fakes.model_server import ModelServer
from grader.fakes.persona import Script
from grader.harness.launch import clean_environment
from grader.harness.preloaded import PRELOAD
from grader.sources import read
from grader.vocabulary import Drawn, History
from grader.vocabulary.history import parse

ROOT = Path(__file__).parents[1]
STEM = "ex04_memory_saver"
KEY = "sk-bench"
FLOOR, WARM = "floor: bare forked processes, same model calls", "warm check()"
IMPORTS = "imports: a fresh interpreter, the same libraries"
FIRST = "first check() after %load_ext, asked at once"
COLD = "cold: python -m grader check, start to end"
# What is aimed at on two cores that have nothing else to do.
AIMS = ((WARM, FLOOR, 3.0), (FIRST, IMPORTS, 1.5))


@dataclass
class Cost:
    """What one thing took each time, in seconds of the clock and of processors."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def add(self, wall_s: float, cpu_s: float) -> None:
        """Keep one measurement."""
        self.wall_s.append(wall_s)
        self.cpu_s.append(cpu_s)


def table(costs: Mapping[str, Cost]) -> str:
    """Return medians, the 95th percentile and how many times the other each took."""
    head = f"{'':50}{'median':>9}{'p95':>9}{'CPU':>9}"
    lines = [head, f"{'':50}{'s':>9}{'s':>9}{'s':>9}"]
    for name, cost in costs.items():
        p95 = statistics.quantiles(cost.wall_s, n=20, method="inclusive")[-1]
        middle = statistics.median(cost.wall_s), p95, statistics.median(cost.cpu_s)
        lines.append(f"{name:50}" + "".join(f"{value:9.2f}" for value in middle))
    for name, other, aim in AIMS:
        pairs = zip(costs[name].wall_s, costs[other].wall_s, strict=True)
        wall = statistics.median(mine / its for mine, its in pairs)
        pairs = zip(costs[name].cpu_s, costs[other].cpu_s, strict=True)
        cpu = statistics.median(mine / its for mine, its in pairs)
        title = f"{name.partition(',')[0]} / {other.partition(':')[0]}"
        lines.append(f"{title:50}{wall:8.2f}×{'':9}{cpu:8.2f}×   aim {aim:g}×")
    return "\n".join(lines)


def solution_of(stem: str) -> str:
    """Return the solution of an exercise, as its cell has it."""
    source = read(ROOT / "solutions" / stem / f"{stem}.py", stem)
    cells = {cell["id"]: cell["source"] for cell in source["cells"]}
    return str(cells["submission"].replace("%%submission", "", 1))


def check(client: Client, text: str, stem: str = STEM) -> History:
    """Check as a notebook does; return the history, in which all is well.

    Raises:
        RuntimeError: the solution did not pass.
    """
    answer = client.ask("check", stem=stem, text=text, seed=None, processes=0)
    verdict = answer.get("verdict", answer)
    if verdict.get("score") != verdict.get("max_score", -1):
        raise RuntimeError(f"expected the solution to pass, found {verdict}")
    return parse("\n".join(answer["history"]) + "\n")


def plan(history: History) -> list[int]:
    """Return how many model calls each process of a check made."""
    made: list[int] = []
    for run in history.runs.values():
        which: dict[int | None, int] = {}
        for seen in run.observations:
            if seen.kind == "start":
                which[seen.process] = len(made)
                made.append(0)
            elif seen.kind == "model":
                made[which[seen.process]] += 1
    return made


def tree_cpu_s(pid: int) -> float:
    """Return the processor time of a process, its descendants and those it reaped."""
    spent = 0.0
    process = psutil.Process(pid)
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            spent += sum(each.cpu_times()[:4])
    return spent


async def compare(runs: int, text: str, costs: Mapping[str, Cost]) -> list[int]:
    """Measure warm checks and the floor in turns; return the plan of the floor."""
    client = Client()
    try:
        await asyncio.to_thread(check, client, text)
        calls = plan(await asyncio.to_thread(check, client, text))
        assert client.pid is not None
        async with _floor() as floor:
            await _bare(floor, calls)
            for _ in range(runs):
                before = tree_cpu_s(floor.pid) + time.process_time()
                wall_s = await _bare(floor, calls)
                after = tree_cpu_s(floor.pid) + time.process_time()
                costs[FLOOR].add(wall_s, after - before)
                before, began = tree_cpu_s(client.pid), time.perf_counter()
                await asyncio.to_thread(check, client, text)
                wall_s = time.perf_counter() - began
                costs[WARM].add(wall_s, tree_cpu_s(client.pid) - before)
    finally:
        client.close()
    return calls


@contextlib.asynccontextmanager
async def _floor() -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the floor's process, and a model server like the service's."""
    script = Script(Drawn(), random.Random(0))

    async def asked(body: Mapping[str, Any]) -> Answer:
        return script.answer(body)

    with tempfile.TemporaryDirectory() as home:
        async with ModelServer() as server:
            url = server.admit(KEY, asked)
            model = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY}
            floor = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "grader.floor"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=clean_environment(home) | model,
            )
            assert floor.stdin is not None
            assert floor.stdout is not None
            await floor.stdout.readline()
            try:
                yield floor
            finally:
                floor.stdin.close()
                await floor.wait()


async def _bare(floor: asyncio.subprocess.Process, calls: Sequence[int]) -> float:
    assert floor.stdin is not None
    assert floor.stdout is not None
    floor.stdin.write(json.dumps(calls).encode() + b"\n")
    return float(await floor.stdout.readline())


def first(text: str, cost: Cost) -> None:
    """Measure a check that is asked for when the notebook has only been opened."""
    client = Client()
    began = time.perf_counter()
    try:
        client.warm_up()
        check(client, text)
        assert client.pid is not None
        cost.add(time.perf_counter() - began, tree_cpu_s(client.pid))
    finally:
        client.close()


def every(runs: int) -> str:
    """Return what a warm check of each exercise's solution takes."""
    client, lines = Client(), [f"{'warm check(), exercise':50}{'median':>9}{'p95':>9}"]
    try:
        for stem in catalog.stems():
            text, cost = solution_of(stem), Cost()
            check(client, text, stem)
            for _ in range(runs):
                began = time.perf_counter()
                check(client, text, stem)
                cost.add(time.perf_counter() - began, 0.0)
            p95 = statistics.quantiles(cost.wall_s, n=20, method="inclusive")[-1]
            lines.append(f"{stem:50}{statistics.median(cost.wall_s):9.2f}{p95:9.2f}")
    finally:
        client.close()
    return "\n".join(lines)


def command(arguments: Sequence[str], cost: Cost) -> None:
    """Measure a command of this interpreter, start to end."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall_s, after = time.perf_counter() - began, os.times()
    children = zip(after[2:4], before[2:4], strict=True)
    cost.add(wall_s, sum(now - then for now, then in children))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m grader.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="of each (default 10)")
    runs = max(2, parser.parse_args().runs)
    text = solution_of(STEM)
    costs = {name: Cost() for name in (FLOOR, WARM, IMPORTS, FIRST, COLD)}
    calls = asyncio.run(compare(runs, text, costs))
    modules = [name for name in PRELOAD if ":" not in name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "submission.py"
        file.write_text(text, encoding="utf-8")
        checking = ["-m", "grader", "check", str(file), "--exercise", STEM]
        for _ in range(runs):
            command(["-c", f"import {', '.join(modules)}"], costs[IMPORTS])
            first(text, costs[FIRST])
            command(checking, costs[COLD])
    print(f"{STEM}: {len(calls)} processes, {sum(calls)} model calls; {runs} runs each")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(table(costs))
    print(every(2 * runs))


if __name__ == "__main__":
    main()
