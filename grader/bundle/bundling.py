"""The command `bundle`: what is handed out, made from solutions/ and the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader import catalog
from grader.bundle import contents, courses
from grader.bundle.writing import ARCHIVE, Bundle, refuse_place, write
from grader.cells import SourceError
from grader.submissions import BadInput

MADE, BAD_INPUT = 0, 2


def bundle(chosen: argparse.Namespace, root: Path) -> int:
    """Write the chosen bundle, say where it is, and return the exit status."""
    try:
        _refuse_nonsense(chosen)
        made = _files(chosen, root)
        write(made, chosen.out, force=chosen.force)
    except BadInput as problem:
        return _refuse(str(problem), problem.help)
    except SourceError as problem:
        return _refuse(str(problem))
    except OSError as problem:
        return _refuse(
            f"expected to write {chosen.out}, found {problem.strerror or problem}",
            "nothing was changed; choose another place, or make room there",
        )
    except KeyboardInterrupt:
        return _refuse("interrupted; nothing was changed")
    print(f"{chosen.out}: {len(made)} files")
    return MADE


def _refuse_nonsense(chosen: argparse.Namespace) -> None:
    """Find out what cannot work before any work is done."""
    for stem in getattr(chosen, "stems", ()):
        try:
            catalog.load(stem)
        except LookupError as problem:
            raise BadInput(str(problem.args[0])) from None
    zipped = chosen.out.suffix.lower() == ARCHIVE
    if chosen.kind == "gradescope" and not zipped:
        raise BadInput(
            f"expected a name that ends in {ARCHIVE}, found {chosen.out}",
            "Gradescope takes an autograder as one zip: -o autograder.zip",
        )
    if chosen.kind == "classroom" and zipped:
        raise BadInput(
            f"expected a folder, found {chosen.out}",
            "the folder is what becomes a repository: -o template",
        )
    refuse_place(chosen.out, chosen.force)


def _files(chosen: argparse.Namespace, root: Path) -> Bundle:
    if chosen.kind == "class":
        return contents.for_a_class(root)
    if chosen.kind == "gradescope":
        return contents.package(root) | courses.gradescope(_once(chosen.stems))
    stems = _once(chosen.stems) or catalog.stems()
    return contents.for_a_class(root) | courses.classroom(stems)


def _once(stems: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stems))


def _refuse(problem: str, help: str = "") -> int:
    print(f"{problem}\n  help: {help}" if help else problem, file=sys.stderr)
    return BAD_INPUT
