"""The command `grade`: a class in, grades and pages out, and nothing lost between."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader import catalog, runner
from grader.batch import pool, task
from grader.batch.collecting import collect, groups, that_count
from grader.batch.graded import Graded, line_of
from grader.batch.journal import Journal
from grader.batch.places import Places, write
from grader.batch.progress import Progress
from grader.batch.reporting import report
from grader.batch.submitted import Submitted
from grader.batch.worker import Refused
from grader.submissions import BadInput
from grader.vocabulary.verdict import from_json

PACKAGE = Path(catalog.__file__).parent
ALL_JUDGED, BAD_INPUT, SOME_WAIT, INTERRUPTED = 0, 2, 3, 130
ACCEPT = (
    "`python -m grader doctor` says what is missing; --accept-tier 2 or 3 accepts that "
    "a submission can do more on this machine"
)
GO_ON = "what was judged is kept; the same command goes on where this one stopped"


def grade(chosen: argparse.Namespace) -> int:
    """Judge the chosen class, write everything, and return the exit status."""
    # Imported only where it is asked for, because it is an extra.
    from grader.batch.cluster import ClusterGone

    try:
        _refuse_nonsense(chosen)
        places = Places(chosen.out)
        with Journal(places.journal) as journal:
            _refuse_mixture(chosen, places, journal)
            found = _found(chosen, places)
            _judge(chosen, found, journal, places)
            waiting = report(found, journal, places, chosen.gradebook)
        return SOME_WAIT if waiting else ALL_JUDGED
    except BadInput as problem:
        return _refuse(str(problem), problem.help)
    except Refused as problem:
        return _refuse(str(problem), ACCEPT)
    except ClusterGone as problem:
        return _refuse(str(problem), GO_ON)
    except OSError as problem:
        return _refuse(f"the machine refused: {problem}", GO_ON)
    except KeyboardInterrupt:
        print(f"interrupted; {GO_ON}", file=sys.stderr)
        return INTERRUPTED


def _refuse_nonsense(chosen: argparse.Namespace) -> None:
    """Find out what cannot work before any work is done."""
    if chosen.exercise:
        try:
            catalog.load(chosen.exercise)
        except LookupError as problem:
            raise BadInput(str(problem.args[0])) from None
    if chosen.workers is not None and not 1 <= chosen.workers <= pool.WORKERS_LIMIT:
        raise BadInput(
            f"expected 1 to {pool.WORKERS_LIMIT} workers, found {chosen.workers}"
        )
    if chosen.gradebook:
        from grader.batch.gradebook import Scores

        with Scores(chosen.gradebook):
            pass
    if Places(chosen.out).is_foreign():
        raise BadInput(
            f"expected an empty folder or one of an earlier run, found others' files "
            f"in {chosen.out}",
            "give a new folder to -o",
        )
    tier = 0 if chosen.scheduler else task.tier_here()
    if tier > chosen.accept_tier:
        raise Refused(task.refusal(tier))


def _refuse_mixture(
    chosen: argparse.Namespace, places: Places, journal: Journal
) -> None:
    """Refuse to go on where the verdicts there are of another grader, or other runs."""
    told = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        told.update(path.read_bytes())
    now = json.dumps({"once": bool(chosen.once), "grader": told.hexdigest()})
    if len(journal):
        kept = places.options.exists()
        before = places.options.read_text(encoding="utf-8") if kept else ""
        if before != now:
            raise BadInput(
                f"expected verdicts of this grader, each "
                f"{'run once' if chosen.once else 'run twice'}, found others in "
                f"{chosen.out}",
                "give a new folder to -o, or --once as it was given before",
            )
    write(places.options, now, lasting=True)


def _found(chosen: argparse.Namespace, places: Places) -> list[Submitted]:
    """Return what counts, each without its text, which is a file from now on."""

    def kept() -> Iterator[Submitted]:
        given = groups(chosen.paths, places.out)
        for one in collect(given, chosen.exercise or ""):
            path = places.text(one.sha256)
            if not one.problem and not _holds(path, one.sha256):
                write(path, one.text, lasting=True)
            yield replace(one, text="")

    found = that_count(kept())
    if not found:
        given = ", ".join(map(str, chosen.paths))
        raise BadInput(
            f"expected notebooks (.ipynb) or modules (.py), found none in {given}",
            "`python -m grader grade --help` shows what is read",
        )
    return found


def _holds(path: Path, sha256: str) -> bool:
    """Return whether a text is there and whole: its name alone proves nothing."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


def _judge(
    chosen: argparse.Namespace,
    found: Sequence[Submitted],
    journal: Journal,
    places: Places,
) -> None:
    """Bring the journal up to date with what was found."""
    waiting: dict[tuple[str, str], list[Submitted]] = {}
    for one in found:
        again = chosen.retry and not one.problem and _is_error(journal, one)
        if one.key in journal and not again:
            continue
        if one.problem:
            journal.append(line_of(Graded(one, None)))
            continue
        line = journal.like(*one.what)
        if line is None or (again or (chosen.retry and line["status"] == "error")):
            waiting.setdefault(one.what, []).append(one)
        else:
            verdict = from_json(line["verdict"])
            journal.append(line_of(Graded(one, verdict, line["author"])))
    if not waiting:
        return
    tasks = _tasks(waiting, journal, places, chosen.accept_tier, chosen.once)
    if chosen.scheduler:
        from grader.batch import cluster

        answers = cluster.judge_all(tasks, chosen.scheduler)
    else:
        workers = chosen.workers or pool.cores()
        answers = pool.judge_all(tasks, min(workers, len(waiting)))
    progress = Progress(len(waiting))
    try:
        for answer in answers:
            _keep(answer, waiting, journal, places)
            progress.advance()
    finally:
        progress.close()
        answers.close()  # type: ignore[attr-defined]  # both are generators


def _tasks(
    waiting: dict[tuple[str, str], list[Submitted]],
    journal: Journal,
    places: Places,
    tier: int,
    once: bool,
) -> Iterator[task.Task]:
    """Yield a task for each author who is the first with anything left to judge."""
    by_author: dict[str, list[Submitted]] = {}
    for ones in waiting.values():
        by_author.setdefault(ones[0].author, []).append(ones[0])
    seeds = set(journal.seeds)
    for author, ones in by_author.items():
        exercises = []
        for one in ones:
            seed = runner.new_seed()
            while seed in seeds and len(seeds) < runner.SEEDS // 2:
                seed = runner.new_seed()
            seeds.add(seed)
            text = places.text(one.sha256).read_bytes()
            exercises.append(
                {
                    "stem": one.stem,
                    "sha256": one.sha256,
                    "seed": seed,
                    "text": text.decode("utf-8", "surrogatepass"),
                    "once": once,
                }
            )
        yield {"author": author, "tier": tier, "exercises": exercises}


def _keep(
    answer: task.Answer,
    waiting: dict[tuple[str, str], list[Submitted]],
    journal: Journal,
    places: Places,
) -> None:
    """Write down one answer for everybody who handed in the same."""
    verdict = from_json(answer["verdict"])
    folder = places.timelines(answer["stem"], answer["sha256"])
    for scenario, svg in answer["timelines"].items():
        write(folder / f"{Path(scenario).name}.svg", svg, lasting=True)
    # A task that ran twice, on a cluster, has been written down already.
    ones = waiting.pop((answer["stem"], answer["sha256"]), [])
    for one in ones:
        shared_with = "" if one is ones[0] else ones[0].author
        journal.append(line_of(Graded(one, verdict, shared_with)))


def _is_error(journal: Journal, one: Submitted) -> bool:
    return one.key in journal and journal.line(one.key)["status"] == "error"


def _refuse(problem: str, help: str = "") -> int:
    print(f"{problem}\n  help: {help}" if help else problem, file=sys.stderr)
    return BAD_INPUT
