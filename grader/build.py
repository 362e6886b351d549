"""Makes notebooks/ from solutions/ with nbgrader's own generate step, byte for byte."""

from __future__ import annotations

import difflib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from grader.cells import SourceError
from grader.sources import (
    MADE,
    NOTES,
    digest,
    notes,
    refresh,
    stems,
    write,
)

CONFIG = "nbgrader_config.py"


def build(chosen: Sequence[str], root: Path) -> list[Path]:
    """Build the chosen exercises, or all, and return the files that changed.

    An exercise whose text has not changed since the last build, and whose notebooks
    nobody has touched, is not converted again.

    Raises:
        SourceError: a text cannot be built, or no exercise has that name.
    """
    stale = [stem for stem in _known(chosen, root) if not _fresh(root, stem)]
    if not stale:
        return []
    made = _generate(stale, root)
    changed = [root / path for path in made if write(root / path, made[path])]
    for stem in stale:
        state = {"inputs": digest(root, stem), "release": _release(root, stem)}
        write(root / "solutions" / stem / NOTES, json.dumps(state).encode())
    return changed


def check(root: Path) -> list[str]:
    """Return what in notebooks/ differs from what solutions/ generates, as sentences.

    Raises:
        SourceError: a text cannot be built.
    """
    known = stems(root)
    made = _generate(known, root) if known else {}
    differ = [
        f"{path}: expected what solutions/ generates, "
        f"found {'other text' if (root / path).exists() else 'no such file'}"
        for path in made
        if path.parts[0] == "notebooks"
        and not ((root / path).exists() and (root / path).read_bytes() == made[path])
    ]
    orphans = [
        f"{path.relative_to(root)}: expected a source in solutions/, found none"
        for path in sorted(root.glob("notebooks/*/*.ipynb"))
        if path.relative_to(root) not in made
    ]
    return differ + orphans


def released(root: Path) -> dict[Path, bytes]:
    """Return what learners get in notebooks/, made anew, by its path.

    Raises:
        SourceError: a text cannot be built.
    """
    made = _generate(stems(root), root)
    return {path: made[path] for path in made if path.parts[0] == "notebooks"}


def _known(chosen: Sequence[str], root: Path) -> list[str]:
    known = stems(root)
    for stem in chosen:
        if stem not in known:
            close = difflib.get_close_matches(stem, known, n=1, cutoff=0.3)
            raise SourceError(
                f"{stem}: expected one of {', '.join(known) or 'no exercise at all'}, "
                f"found no solutions/{stem}/{stem}.py\n"
                f"  help: {f'did you mean {close[0]}' if close else 'check the name'}"
            )
    return [stem for stem in known if stem in chosen or not chosen]


def _fresh(root: Path, stem: str) -> bool:
    noted = notes(root / "solutions" / stem)
    expected = {"inputs": digest(root, stem), "release": _release(root, stem)}
    return noted == expected


def _release(root: Path, stem: str) -> str:
    """Return a digest of what is there of all that the build makes of a source."""
    sha = hashlib.sha256()
    source, release = root / "solutions" / stem, root / "notebooks" / stem
    names = [source / f"{stem}.ipynb", source / "starter.py"]
    for path in [*names, release / f"{stem}.ipynb", release / "starter.py"]:
        sha.update(path.read_bytes() if path.exists() else b"missing")
    return sha.hexdigest()


def _generate(chosen: Iterable[str], root: Path) -> dict[Path, bytes]:
    """Return what the build makes, by path, from a copy of the course.

    In a copy, because nbgrader removes a release folder before it writes it anew,
    with all that a learner has put there; and the gradebook is left alone.
    """
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        course = Path(folder).resolve()
        shutil.copy(root / CONFIG, course)
        for stem in chosen:
            shutil.copytree(
                root / "solutions" / stem,
                course / "solutions" / stem,
                ignore=shutil.ignore_patterns(*MADE),
            )
        refresh(course)
        _nbgrader(stems(course), course)
        made = [
            *course.glob("solutions/*/*.ipynb"),
            *course.glob("solutions/*/starter.py"),
        ]
        made += [path for path in course.glob("notebooks/**/*") if path.is_file()]
        return {path.relative_to(course): path.read_bytes() for path in sorted(made)}


def _nbgrader(chosen: Iterable[str], course: Path) -> None:
    """Run nbgrader's generate step in this process, without a gradebook."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import PyFileConfigLoader

    config: Any = PyFileConfigLoader(CONFIG, path=str(course)).load_config()
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    for stem in chosen:
        coursedir = CourseDirectory(config=config)
        coursedir.assignment_id = stem
        try:
            GenerateAssignment(coursedir=coursedir, config=config).start()
        except NbGraderException as error:
            raise SourceError(
                f"solutions/{stem}: expected nbgrader to generate the notebook, "
                f"found an error (above)\n  help: {error}"
            ) from error
