"""What a notebook's cells call: predict, observe, show, check, hint, grade."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from datetime import date
from pathlib import Path
from typing import Any

from grader.certifying.proof import prove
from grader.client import ServiceGone
from grader.displays import ERROR_MIME, Notice, Several, claim_report, put
from grader.reports import Report
from grader.session import (
    JUDGED_OUTSIDE,
    NO_EXERCISE,
    Session,
    client,
    current,
)
from grader.visuals.timeline import draw, of_failures
from grader.visuals.widgets import PredictionCard
from grader.vocabulary import History, Status
from grader.vocabulary.exercise import DATABASES
from grader.vocabulary.history import parse
from grader.vocabulary.verdict import RUNS

STARTER = "starter.py"
PICTURES: tuple[str, ...] = ("charges", "explorer", "flight", "gameday", "growth")
PICTURES += ("rows", "starting", "tickets")
NO_SUBMISSION = Notice(
    "there is no submission yet",
    "run the cell that begins with %%submission, then this one again",
)
SAVED_HELP = "what you do now counts all the same, as long as this notebook is open"
OUTSIDE = Notice("while a notebook is graded, it is judged outside of its kernel")
LOCKED = Notice(
    "this run is locked until you commit a prediction",
    "choose an answer in the card above and press Commit, or add "
    'choice="a" to its call',
)
NOT_OBSERVED = Notice("while a notebook is graded, nothing is observed in its kernel")


def predict(question: str, choice: str | None = None, **choices: str) -> Any:
    """Show a question to be answered before the run; `choice` commits to an answer.

    Args:
        question: what will happen?
        choice: a letter of `choices`, where the card below cannot be clicked.
        choices: the answers, each by its letter.
    """
    session = current()
    if session is None:
        return NO_EXERCISE
    committed = session.store.get("predictions") or {}
    before = committed.get(question)

    def commit(letter: str) -> None:
        committed[question] = letter
        remember(session, predictions=committed)

    card = PredictionCard(
        question,
        choices,
        before if before in choices else None,
        commit,
        f'predict(…, choice="{next(iter(choices), "a")}")',
    )
    if choice is not None:
        card.commit(choice)
    return card


def observe(*scenarios: str, seed: int | None = None) -> Any:
    """Run the code as it is in real processes, and show what happened.

    That is the starter, until a cell with %%submission has been run. Locked until a
    prediction is committed.
    """
    runs = history(*scenarios, seed=seed)
    if isinstance(runs, Notice):
        return runs
    return Several([draw(run) for run in runs.runs.values()], f"seed {runs.seed}")


def show(picture: str, scenario: str, seed: int | None = None, **settings: Any) -> Any:
    """Draw what the exercise is about, from the run that `observe` showed last.

    Where the scenario has not been observed yet, it is run now.

    Args:
        picture: one of PICTURES, such as "charges"; see `grader.visuals`.
        scenario: what to run.
        seed: of an earlier run, to see it again.
        settings: of the picture, such as the `price` of a call for "growth".

    Raises:
        LookupError: there is no such picture or scenario.
    """
    if picture not in PICTURES:
        known = ", ".join(PICTURES)
        raise LookupError(f"expected a picture ({known}), found {picture!r}")
    session = current()
    run = session.runs.get(scenario) if session and seed is None else None
    if run is None:
        runs = history(scenario, seed=seed)
        if isinstance(runs, Notice):
            return runs
        run = runs.runs[scenario]
    module = importlib.import_module(f"grader.visuals.{picture}")
    return getattr(module, picture)(run, **settings)


def history(*scenarios: str, seed: int | None = None) -> History | Notice:
    """Run scenarios as `observe` does; return the observations, or why there are none.

    Raises:
        LookupError: the exercise has no scenario of that name.
    """
    session = current()
    if session is None:
        return NO_EXERCISE
    if JUDGED_OUTSIDE in os.environ:
        return NOT_OBSERVED
    if not session.store.get("predictions"):
        return LOCKED
    text = session.text
    if not text and Path(STARTER).is_file():
        text = Path(STARTER).read_text(encoding="utf-8")
    if not text:
        return Notice(
            f"expected the starter in {STARTER}, beside this notebook; found none",
            "run the cell that begins with %%submission, then this one again",
        )
    from grader.fakes.provider import configured

    try:
        answer = client.ask(
            "observe",
            stem=session.stem,
            text=text,
            scenarios=list(scenarios),
            seed=seed,
            provider=configured(os.environ),
        )
    except ServiceGone as gone:
        answer = {"error": str(gone)}
    if "history" in answer:
        remember(session, observed=True)
        seen = parse("\n".join(answer["history"]) + "\n")
        session.runs.update(seen.runs)
        return seen
    if "expected a scenario" in answer.get("error", ""):
        raise LookupError(answer["error"])
    broken = answer.get("error", "the run was interrupted")
    return Notice(answer.get("problem", broken), answer.get("help", ""))


def check(seed: int | None = None, processes: int = 0, database: str = "") -> Any:
    """Run every check on the submission and report.

    Args:
        seed: of an earlier report, to see the same run again; None draws a new one.
        processes: start at least so many in every scenario.
        database: "postgres" to keep checkpoints there and not in SQLite's file.

    Raises:
        LookupError: there is no such database.
    """
    session = current()
    if session is None or not session.text:
        return NO_EXERCISE if session is None else NO_SUBMISSION
    if database not in ("", *DATABASES):
        known = ", ".join(DATABASES)
        raise LookupError(f"expected a database ({known}), found {database!r}")
    if JUDGED_OUTSIDE in os.environ:
        return OUTSIDE
    verdict, runs = session.verdict(seed, processes, database)
    best = session.store.get("score")
    if best is None or verdict.score >= best:
        proof = prove(verdict, session.text, database, date.today()).to_json()
        proved = {"proof": proof} if verdict.score and not verdict.unknown else {}
        remember(session, score=verdict.score, **proved)
    return Report(verdict, of_failures(verdict, runs))


def hint() -> Notice:
    """Show the next hint; the last one stays."""
    session = current()
    if session is None:
        return NO_EXERCISE
    given = max(int(session.store.get("hints") or 0), 0)
    hints = session.exercise.hints
    remember(session, hints=min(given + 1, len(hints)))
    return Notice(hints[min(given, len(hints) - 1)])


def grade(name: str, hidden: bool = False) -> float:
    """Return the points that one check gives; its report is shown beside it.

    Args:
        name: of the check.
        hidden: judge a second run as well, with another seed and four processes.

    Raises:
        KeyError: the exercise has no check of that name.
    """
    session = current()
    if session is None or not session.text:
        put(NO_EXERCISE if session is None else NO_SUBMISSION)
        return 0.0
    if JUDGED_OUTSIDE in os.environ:
        put(OUTSIDE)
        return 0.0
    kinds = (False, True) if hidden else (False,)
    # A graded cell that writes to stderr gets no points from nbgrader.
    with contextlib.redirect_stderr(io.StringIO()):
        for kind in kinds:
            if (session.text, kind) not in session.verdicts:
                verdict, _ = session.verdict(None, RUNS[kind])
                session.verdicts[session.text, kind] = verdict
    verdicts = [session.verdicts[session.text, kind] for kind in kinds]
    worst = min(verdicts, key=lambda verdict: verdict.result(name).worth)
    result = worst.result(name)
    put(claim_report(worst, name))
    if result.status is Status.error:
        data = {"status": "error", "check": name, "reason": result.rationale}
        put({ERROR_MIME: data, "text/plain": result.rationale}, raw=True)
    return float(result.score)


def remember(session: Session, **facts: Any) -> None:
    """Keep what a learner has done, and say beside it what went wrong with that."""
    problem = session.store.remember(facts)
    if problem:
        put(Notice(problem, SAVED_HELP))
