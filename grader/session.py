"""One kernel's exercise, submission and service; the magics that set them."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader import catalog
from grader.client import Client, ServiceGone
from grader.displays import Notice
from grader.store import Store
from grader.vocabulary import Exercise, History, Run, Verdict
from grader.vocabulary.history import parse
from grader.vocabulary.verdict import from_json

# Set in the kernel in which a notebook is run for its outputs while it is graded.
JUDGED_OUTSIDE = "GRADER_JUDGED_OUTSIDE"
NO_EXERCISE = Notice(
    "no exercise is open in this notebook", "run the first code cell, with %exercise"
)


@dataclass
class Session:
    """One kernel's exercise, submission and verdicts."""

    stem: str
    exercise: Exercise
    store: Store
    text: str = ""
    verdicts: dict[tuple[str, bool], Verdict] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)  # observed last, by scenario

    def verdict(
        self, seed: int | None, processes: int, database: str = ""
    ) -> tuple[Verdict, History | None]:
        """Ask for a verdict; one that does not come is a verdict of errors."""
        return asked(client, self.stem, self.text, seed, processes, database)


def asked(
    client: Client,
    stem: str,
    text: str,
    seed: int | None,
    processes: int,
    database: str = "",
) -> tuple[Verdict, History | None]:
    """Ask a service for a verdict; one that does not come is a verdict of errors."""
    try:
        answer = client.ask(
            "check",
            stem=stem,
            text=text,
            seed=seed,
            processes=processes,
            database=database,
        )
        reason = answer.get("error", "")
    except ServiceGone as gone:
        answer, reason = {}, str(gone)
    if "verdict" not in answer:
        exercise = catalog.load(stem)
        results = exercise.unknown(reason)
        return Verdict(stem, exercise.title, seed or 0, processes, results), None
    lines = answer["history"]
    runs = None if lines is None else parse("\n".join(lines) + "\n")
    return from_json(answer["verdict"]), runs


client = Client()
_current: list[Session] = []


def current() -> Session | None:
    """Return the session of this kernel, once an exercise is open."""
    return _current[0] if _current else None


def load(shell: Any) -> None:
    """Add the magics to a kernel, and start the service that checks will need."""
    from grader import playground

    entered: dict[str, int | None] = {}  # which service's playground

    def exercise(line: str) -> None:
        """Open an exercise by its stem: `%exercise ex04_memory_saver`."""
        stem = line.strip()
        _current[:] = [Session(stem, catalog.load(stem), Store(stem, Path.cwd()))]

    def submission(line: str, cell: str) -> None:
        """Save the cell as the submission, and run it here as a module."""
        session = current()
        if session is None:
            shell.showtraceback((LookupError, LookupError(str(NO_EXERCISE)), None))
            return
        session.text = "\n" + cell  # line 1 is the magic, so lines are the cell's
        session.verdicts.clear()
        session.runs.clear()
        if JUDGED_OUTSIDE in os.environ:
            playground.enter(playground.alone())
        elif client.pid is None or client.pid != entered.get("pid"):
            with contextlib.suppress(ServiceGone):
                answer = client.ask("playground", stem=session.stem)
                playground.enter(answer.get("environment", {}))
                entered["pid"] = client.pid
        playground.run(shell, session.text)

    shell.register_magic_function(exercise, "line", "exercise")
    shell.register_magic_function(submission, "cell", "submission")
    if JUDGED_OUTSIDE not in os.environ:
        client.warm_up()
        atexit.register(client.close)
        threading.Thread(target=_import_what_pictures_need, daemon=True).start()


def _import_what_pictures_need() -> None:
    import matplotlib.figure  # noqa: F401 - half a second that nobody waits for
