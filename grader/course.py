"""What a cell can ask about the whole course: how far one has come, a certificate."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from grader import catalog, trail
from grader.certifying import document, proof
from grader.certifying.document import Certificate, Entry
from grader.certifying.page import form, page
from grader.displays import Notice, put
from grader.session import JUDGED_OUTSIDE, current
from grader.store import Store, home
from grader.visuals.labels import one_line
from grader.visuals.progress import Progress, progress_map
from grader.vocabulary import Exercise

PAGE = "certificate.html"
NAME_LIMIT = 100
AGAIN = "run `check()` there again; the certificate is without it until then"
NOT_KEPT = Notice("while a notebook is graded, nothing that was done before is known")


def progress() -> Any:
    """Show a map of the exercises whose notebooks are here, and how far you have come.

    What is done in another notebook is seen when the cell is run again.
    """
    rows = [
        Progress(
            exercise.title,
            trail.address(stem),
            bool(store.get("predictions")),
            bool(store.get("observed")),
            store.get("score"),
            exercise.points,
            stem.partition("_")[0],
            store.problem,
        )
        for stem, exercise, store in _stores()
        if store.path.parents[1].joinpath(stem, f"{stem}.ipynb").is_file()
    ]
    return progress_map(rows, absent=len(catalog.stems()) - len(rows))


def certificate(name: str = "") -> Notice:
    """Write a page that lists what you have proved, and carries the proofs.

    A proof is the best run of `check()` in a notebook, with the submission's text; the
    page is written beside the notebooks, in place of an earlier one.

    Args:
        name: yours, as it shall stand on the page.
    """
    name = one_line(name)
    if JUDGED_OUTSIDE in os.environ:
        return NOT_KEPT
    if not 0 < len(name) <= NAME_LIMIT:
        return Notice(
            f"expected a name of 1 to {NAME_LIMIT} characters, found {len(name)}",
            'write yours: `certificate("Ada Lovelace")`',
        )
    entries = tuple(
        Entry(stem, exercise.title, _proof(stem, exercise, store))
        for stem, exercise, store in _stores()
    )
    made = Certificate(name, date.today().isoformat(), form(), entries)
    if not made.proved:
        return Notice(
            "there is nothing to certify yet",
            "run `check()` in an exercise; its best run is kept",
        )
    path = notebooks() / PAGE
    try:
        _replace(path, page(made))
    except (OSError, ValueError) as problem:
        return Notice(
            f"the certificate could not be written: {problem}",
            f"move or rename {PAGE} in the folder of the notebooks",
        )
    return Notice(
        f"`{PAGE}`, beside the notebooks, says that {name} has proved "
        f"{len(made.complete)} of {len(entries)} exercises in full",
        "open it in a browser to print it; whoever has it can prove it again, in its "
        f"folder: `python -m grader check --certificate {PAGE}`",
    )


def notebooks() -> Path:
    """Return the folder that holds a folder for each notebook."""
    session, here = current(), Path.cwd()
    return home(session.stem if session else here.name, here)


def _stores() -> Iterator[tuple[str, Exercise, Store]]:
    folder = notebooks()
    for stem in catalog.stems():
        yield stem, catalog.load(stem), Store(stem, folder)


def _proof(stem: str, exercise: Exercise, store: Store) -> proof.Proof | None:
    """Return what is kept of an exercise; what is broken, or of old claims, is none."""
    kept = store.get("proof")
    if store.problem:
        put(Notice(store.problem, "the certificate is without it"))
    if kept is None:
        if store.get("score"):
            told = f"expected a proof beside the score of {stem}, found none"
            put(Notice(told, AGAIN))
        return None
    wrong = document.invalid(kept, "proof")
    if not wrong:
        found = proof.from_json(kept)
        said = tuple((c.check, c.claim, c.points) for c in found.claims)
        if said == proof.promised(exercise):
            return found
        wrong = "claims that are not those of the exercise"
    put(
        Notice(
            f"expected a proof of {stem} among your progress, found {one_line(wrong)}",
            AGAIN,
        )
    )
    return None


def _replace(path: Path, text: str) -> None:
    """Write a certificate in the place of an earlier one, and of nothing else.

    Raises:
        OSError: it cannot be written.
        ValueError: another file is there.
    """
    if os.path.lexists(path) and (
        path.is_symlink() or document.START not in path.read_text(encoding="utf-8")
    ):
        raise ValueError(f"expected an earlier {PAGE} in its place, found another file")
    handle, made = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(made, path)
    except OSError:
        os.unlink(made)
        raise
