"""Measures what a course waits for: `python -m grader.bench_course`, or `make bench`.

Two tables: one submission of each exercise, and a class. "Stock" is nbgrader with its
own configuration and the same notebooks, whose graded cells judge in the kernel.
Processor time is that of all that a command has started, as `account` knows it,
because kernels and sandboxes outlive the command that waits for them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from grader import catalog
from grader.account import Account
from grader.bench import solution_of
from grader.client import Client
from grader.corpus import specimens
from grader.measured import ROOT, Cost, cost, on_cores, plainly
from grader.sources import generated

STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\n'
MORE = 2  # learners: what they take more than the first is what one more costs
LOOK_EVERY_S = 1.0
CORES = 2
GRADES = {  # how many processors it is given, and its options
    "grade, 1 at a time": (CORES, ["--workers", "1"]),
    "grade, 2 at a time": (CORES, ["--workers", "2"]),
    "grade --once, 2 at a time": (CORES, ["--workers", "2", "--once"]),
    "grade --once, 1 at a time, 1 core": (1, ["--workers", "1", "--once"]),
}


def solved(stem: str, text: str) -> bytes:
    """Return the source notebook of an exercise with another submission in it."""
    folder = ROOT / "solutions" / stem
    notebook = json.loads(generated(folder)[f"{stem}.ipynb"])
    for cell in notebook["cells"]:
        if cell["id"] == "submission":
            cell["source"] = f"%%submission\n{text.lstrip()}"
    return json.dumps(notebook).encode()


def course(account: Account, folder: Path, stems: Sequence[str], stock: bool) -> Path:
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
        cost(account, ["nbgrader", "generate_assignment", stem, "--force"], root)
    return root


def hand_in(root: Path, student: str, stem: str, text: str) -> None:
    """Put a learner's notebook where nbgrader looks for it."""
    folder = root / "submitted" / student / stem
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.ipynb").write_bytes(solved(stem, text))


def one_of_each(
    account: Account, stems: Sequence[str], roots: dict[str, Path]
) -> dict[str, dict[str, tuple[Cost, Cost]]]:
    """Print the table of single submissions.

    Returns:
        By course and exercise, what the first learner takes and each further one.
    """
    print("s wall / CPU, and how many times ours stock's CPU is")
    print(f"{'one submission':28}{'':>10}{'alone':>17}{'one more':>18}{'verdict':>18}")
    found: dict[str, dict[str, tuple[Cost, Cost]]] = {name: {} for name in roots}
    client = Client()
    try:
        client.warm_up()
        account.adopt(client.pid or 0)  # before it has started anybody
        for stem in stems:
            for name, root in roots.items():
                found[name][stem] = autograded(account, root, stem)
            verdict(account, client, stem)
            runs = [verdict(account, client, stem) for _ in range(3)]
            mine = Cost(
                statistics.median(run.wall_s for run in runs),
                statistics.median(run.cpu_s for run in runs),
            )
            (first, more), (our_first, our_more) = (found[n][stem] for n in roots)
            print(f"{stem:28}{'stock':>10} {first}  {more}")
            print(f"{'':28}{'ours':>10} {our_first}  {our_more}  {mine}")
            pairs = ((first, our_first), (more, our_more), (more, mine))
            ratios = [f"{stock.cpu_s / ours.cpu_s:17.1f}x" for stock, ours in pairs]
            print(f"{'':38}{''.join(ratios)}", flush=True)
    finally:
        client.close()
    return found


def autograded(account: Account, root: Path, stem: str) -> tuple[Cost, Cost]:
    """Return what `nbgrader autograde` takes for one learner, and for one more."""
    text, command = solution_of(stem), ["nbgrader", "autograde", stem, "--force"]
    hand_in(root, "first", stem, text)
    first = cost(account, command, root)
    for number in range(MORE):
        hand_in(root, f"more{number}", stem, text)
    more = cost(account, command, root).more(first, -1)
    return first, Cost(0, 0).more(more, 1 / MORE)


def verdict(account: Account, client: Client, stem: str) -> Cost:
    """Judge the solution once, in a service that is warm."""
    before, began = account.spent_s(), time.perf_counter()
    answer = client.ask(
        "check", stem=stem, text=solution_of(stem), seed=None, processes=0, database=""
    )
    wall_s = time.perf_counter() - began
    taken = Cost(wall_s, account.spent_s() - before)
    if not answer["verdict"]["score"]:
        raise RuntimeError(f"expected the solution of {stem} to pass, found {answer}")
    return taken


def a_class(
    account: Account,
    folder: Path,
    autograde: dict[str, dict[str, tuple[Cost, Cost]]],
    students: int,
) -> None:
    """Print the table of a class: ours at one worker and core and two, and stock."""
    stems = list(autograde["stock"])
    texts = {s: [one.text for one in specimens(ROOT, s)] for s in stems}
    handed = folder / "class"
    for number in range(students):
        for stem in stems:
            text = texts[stem][number % len(texts[stem])]
            hand_in(handed, f"s{number:02}", stem, f"{text}\n# learner {number}\n")
    print(f"\na class: {students} learners, {len(stems)} exercises, s wall / CPU")
    totals: dict[str, Cost] = {}
    for name, costs in autograde.items():
        total = Cost(0, 0)
        for first, more in costs.values():
            total = total.more(first, 1).more(more, students - 1)
        totals[f"autograde, {name}, extrapolated"] = total
    grades = [sys.executable, "-m", "grader", "grade", str(handed / "submitted")]
    for title, (cores, options) in GRADES.items():
        out = str(folder / title)
        with on_cores(cores):
            totals[title] = cost(account, [*grades, "-o", out, *options], folder)
    stock = totals["autograde, stock, extrapolated"]
    for title, total in totals.items():
        print(f"{title:38}{total}{stock.cpu_s / total.cpu_s:8.1f}x stock per core")
    one, two, once, core = (totals[title].wall_s for title in GRADES)
    print(f"{'':38}two workers are {one / two:.2f}x as fast as one")
    plain = plainly(CORES, 1) / plainly(CORES, CORES)
    print(f"{'':38}two cores are {core / once:.2f}x as fast as one", end=", ")
    print(f"and {plain:.2f}x where something only counts")


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
    stems = catalog.stems()
    parser.add_argument("--stems", nargs="*", default=stems, choices=stems)
    parser.add_argument(
        "--many", type=int, default=3000, help="for the curve of memory; 0 for none"
    )
    chosen = parser.parse_args()
    account = Account()
    kind = "its own" if account.is_exact else "the whole machine's"
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, CPU: {kind}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = {"stock": True, "ours": False}
        roots = {
            name: course(account, folder, chosen.stems, stock)
            for name, stock in kinds.items()
        }
        found = one_of_each(account, chosen.stems, roots)
        if chosen.students:
            a_class(account, folder, found, chosen.students)
        if chosen.many:
            many(folder, chosen.many)
    account.close()


if __name__ == "__main__":
    main()
