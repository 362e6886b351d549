"""Measures what a course waits for: `python -m grader.bench_course`, or `make bench`.

Two tables: one submission of each exercise, and a class. "Stock" is nbgrader with its
own configuration and the same notebooks, whose graded cells judge in the kernel.
Processor time is that of the whole machine, because kernels and sandboxes outlive the
command that waits for them: measure on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader import catalog
from grader.bench import solution_of
from grader.client import Client
from grader.corpus import specimens
from grader.sources import generated

ROOT = Path(__file__).parents[1]
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\n'
SAMPLE = 3  # learners: what they take more than the first is what one more costs
LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock, and of processors."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:8.2f} /{self.cpu_s:7.2f}"


def spent_s() -> float:
    """Return the seconds that the machine's processors have worked."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system)


def cost(command: Sequence[str], cwd: Path, **environment: str) -> Cost:
    """Run a command; return what it took.

    Raises:
        RuntimeError: it did not succeed.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    whole = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment}
    with tempfile.TemporaryFile() as output:  # what outlives it would hold a pipe
        before, began = spent_s(), time.perf_counter()
        ran = subprocess.run(
            command, cwd=cwd, env=whole, stdout=output, stderr=subprocess.STDOUT
        )
        taken = Cost(time.perf_counter() - began, spent_s() - before)
        if ran.returncode not in (0, 3):
            output.seek(0)
            said = output.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)}\n{said}")
    return taken


def solved(stem: str, text: str) -> bytes:
    """Return the source notebook of an exercise with another submission in it."""
    folder = ROOT / "solutions" / stem
    notebook = json.loads(generated(folder)[f"{stem}.ipynb"])
    for cell in notebook["cells"]:
        if cell["id"] == "submission":
            cell["source"] = f"%%submission\n{text.lstrip()}"
    return json.dumps(notebook).encode()


def course(folder: Path, stems: Sequence[str], stock: bool) -> Path:
    """Make a course in a folder, with its assignments in the gradebook."""
    root = folder / ("stock" if stock else "own")
    root.mkdir()
    if stock:
        (root / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    else:
        shutil.copy(ROOT / "nbgrader_config.py", root)
    for stem in stems:
        source = root / ("source" if stock else "solutions") / stem
        source.mkdir(parents=True)
        if stock:
            text = generated(ROOT / "solutions" / stem)[f"{stem}.ipynb"]
            (source / f"{stem}.ipynb").write_bytes(text)
        else:
            shutil.copy(ROOT / "solutions" / stem / f"{stem}.py", source)
            shutil.copytree(ROOT / "notebooks" / stem, root / "notebooks" / stem)
        cost(["nbgrader", "generate_assignment", stem, "--force"], root)
    return root


def hand_in(root: Path, student: str, stem: str, text: str) -> None:
    """Put a learner's notebook where nbgrader looks for it."""
    folder = root / "submitted" / student / stem
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.ipynb").write_bytes(solved(stem, text))


def one_of_each(stems: Sequence[str], stock: Path, own: Path) -> dict[str, Cost]:
    """Print the table of single submissions; return what stock took for each."""
    print(f"{'one submission, s wall / CPU':32}{'stock':>16}{'autograde':>18}", end="")
    print(f"{'verdict':>18}{'stock is, CPU':>22}")
    graded: dict[str, list[Cost]] = {}
    for stem in stems:
        for root in (stock, own):
            hand_in(root, "first", stem, solution_of(stem))
        graded[stem] = [cost(["nbgrader", "autograde", stem], r) for r in (stock, own)]
    client = Client()
    try:
        for stem in stems:
            verdict(client, stem)
            runs = [verdict(client, stem) for _ in range(3)]
            mine = Cost(
                statistics.median(run.wall_s for run in runs),
                statistics.median(run.cpu_s for run in runs),
            )
            first, other = graded[stem]
            print(f"{stem:32}{first}  {other}  {mine}", end="")
            ratios = [first.cpu_s / each.cpu_s for each in (other, mine)]
            print(f"{ratios[0]:10.1f}x {ratios[1]:9.1f}x", flush=True)
    finally:
        client.close()
    return {stem: costs[0] for stem, costs in graded.items()}


def verdict(client: Client, stem: str) -> Cost:
    """Judge the solution once, in a service that is warm."""
    before, began = spent_s(), time.perf_counter()
    answer = client.ask(
        "check", stem=stem, text=solution_of(stem), seed=None, processes=0, database=""
    )
    wall_s = time.perf_counter() - began
    taken = Cost(wall_s, spent_s() - before)
    if not answer["verdict"]["score"]:
        raise RuntimeError(f"expected the solution of {stem} to pass, found {answer}")
    return taken


def a_class(
    folder: Path, stems: Sequence[str], students: int, first: dict[str, Cost]
) -> None:
    """Print the table of a class: ours at one worker and two, and stock."""
    count = students * len(stems)
    texts = {s: [one.text for one in specimens(ROOT, s)] for s in stems}
    handed = folder / "class"
    for number in range(students):
        for stem in stems:
            text = texts[stem][number % len(texts[stem])]
            hand_in(handed, f"s{number:02}", stem, f"{text}\n# learner {number}\n")
    print(
        f"\na class: {students} learners, {len(stems)} exercises, {count} submissions"
    )
    found: list[Cost] = []
    for workers in (1, 2):
        out = folder / f"out-{workers}"
        command = [sys.executable, "-m", "grader", "grade", str(handed / "submitted")]
        command += ["-o", str(out), "--workers", str(workers)]
        found.append(cost(command, folder))
        print(f"{f'ours, {workers} at a time':32}{found[-1]}", flush=True)
    print(f"{'':32}two workers are {found[0].wall_s / found[1].wall_s:.2f}x one")
    stem = stems[len(stems) // 2]
    stock = folder / "stock"
    for number in range(SAMPLE - 1):
        hand_in(stock, f"more{number}", stem, solution_of(stem))
    more = cost(["nbgrader", "autograde", stem, "--force"], stock)
    one = first[stem]
    each = Cost(
        (more.wall_s - one.wall_s) / (SAMPLE - 1),
        (more.cpu_s - one.cpu_s) / (SAMPLE - 1),
    )
    total = Cost(
        sum(c.wall_s for c in first.values()) + each.wall_s * (count - len(stems)),
        sum(c.cpu_s for c in first.values()) + each.cpu_s * (count - len(stems)),
    )
    print(f"{'stock':32}{total}   (extrapolated from {len(stems) + SAMPLE - 1})")
    for workers, mine in zip((1, 2), found, strict=True):
        ratio = total.cpu_s / mine.cpu_s
        print(f"{'':32}stock takes {ratio:.1f}x the CPU of ours with {workers}")


def many(folder: Path, count: int) -> None:
    """Print how much memory the command holds while it grades very many."""
    stem, texts = catalog.stems()[0], 20
    text = "def {}():\n    pass\n"
    for number in range(count):
        path = folder / "many" / f"s{number:05}" / f"{stem}.py"
        path.parent.mkdir(parents=True)
        path.write_text(text.format(f"f{number % texts}"), encoding="utf-8")
    out = folder / "many-out"
    command = [sys.executable, "-m", "grader", "grade", str(folder / "many")]
    command += ["-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as output:
        running = psutil.Popen(command, env=environment, stdout=output, stderr=output)
        print(f"\n{count} submissions ({texts} different ones): verdicts, MiB held")
        journal = out / "verdicts.jsonl"
        while True:
            try:
                running.wait(LOOK_EVERY_S)
                break
            except psutil.TimeoutExpired:
                done = journal.read_bytes().count(b"\n") if journal.exists() else 0
                print(f"{done:8}{running.memory_info().rss / 2**20:10.1f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser("python -m grader.bench_course")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--stems", nargs="*", default=catalog.stems())
    parser.add_argument("--many", type=int, default=0, help="for the curve of memory")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stock, own = (course(folder, chosen.stems, kind) for kind in (True, False))
        first = one_of_each(chosen.stems, stock, own)
        if chosen.students:
            a_class(folder, chosen.stems, chosen.students, first)
        if chosen.many:
            many(folder, chosen.many)


if __name__ == "__main__":
    main()
