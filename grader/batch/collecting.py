"""Finds what a class has handed in, and which file of each author counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader import catalog, submissions
from grader.batch import naming
from grader.batch.archive import in_archive
from grader.batch.entries import ARCHIVE, Entry, in_folder, read_file, readable
from grader.batch.owners import Group, named
from grader.batch.submitted import Submitted, digest
from grader.harness.limits import SOURCE_LIMIT_B
from grader.submissions import BadInput

STARTER = "starter"  # is released with a notebook
NAMED_LIMIT = 5  # files that do not count which a note names
NAME_LIMIT = 60  # characters of each of these names


def groups(paths: Sequence[Path], out: Path) -> Iterator[Group]:
    """Yield the files of each path; a zip right in a folder is as if given itself.

    Raises:
        BadInput: there is nothing at a path.
    """
    for path in paths:
        if not path.exists():
            raise BadInput(
                f"expected a folder, a zip or a file, found nothing at {path}"
            )
        above = readable(path.absolute().parts[1:])
        if not path.is_dir():
            yield _one(path, above[:-1])
            continue
        found: list[Entry] = []
        for entry in in_folder(path, out):
            zipped = entry.path.suffix.lower() == ARCHIVE
            if zipped and len(entry.parts) == 1 and not naming.is_told(entry.parts[0]):
                yield _one(Path(entry.source), above)
            elif zipped:
                found += in_archive(Path(entry.source), entry.parts)
            else:
                found.append(entry)
        yield _group(above, found)


def collect(found: Iterable[Group], otherwise: str = "") -> Iterator[Submitted]:
    """Yield every file with its author, exercise and text, or why there is no text.

    `otherwise` is the exercise of files that do not tell theirs. The file that counts
    comes last of those with the same author and exercise.
    """
    owned = [
        (whose, number, entry)
        for number, group in enumerate(named(list(found)))
        for whose, entry in group
        if (whose.file, entry.path.suffix.lower()) != (STARTER, ".py")
    ]
    owned.sort(key=lambda one: (one[0].author, *_rank(*one)))
    for whose, _, entry in owned:
        yield _taken(whose, entry, otherwise)


def that_count(taken: Iterable[Submitted]) -> list[Submitted]:
    """Return the last of each author and exercise, and say what it stands for."""
    last: dict[tuple[str, str], Submitted] = {}
    before: dict[tuple[str, str], list[str]] = {}
    strays: dict[str, list[Submitted]] = {}
    for one in taken:
        if one.system == "stray":
            strays.setdefault(one.author, []).append(one)
            continue
        # Files that do not tell their exercise may answer different ones.
        place = (one.author, one.stem or one.source)
        if place in last:
            before.setdefault(place, []).append(last[place].source)
        last[place] = one
    authors = {author for author, _ in last}
    beside: dict[str, list[str]] = {}
    for author, ones in strays.items():
        if author in authors:
            beside[author] = [one.source for one in ones]
        else:
            last |= {(author, one.source): one for one in ones}
    return [
        replace(one, note=_note(before.get(place, []), beside.get(one.author, [])))
        for place, one in sorted(last.items())
    ]


def _rank(whose: naming.Owner, number: int, entry: Entry) -> tuple[object, ...]:
    """Return what the files of one author are sorted by; the last one counts.

    A notebook is before a module, which may have been attached to it. Then comes the
    order of the system that took it in, and that of the given paths. Among the rest a
    later copy is before an earlier one, and what lies nearer to the top before a copy
    deep down.
    """
    system, copy = whose.order
    depth = len(entry.parts)
    return entry.is_notebook, system, number, copy, -depth, entry.source


def _note(before: Sequence[str], beside: Sequence[str]) -> str:
    """Return which files of an author do not count: earlier ones, and others."""
    notes = []
    if before:
        times = f"handed in {len(before) + 1} times"
        notes.append(f"{times}; not counted: {_listed(before)}")
    if beside:
        notes.append(f"of no exercise, so not counted: {_listed(beside)}")
    return "; ".join(notes)


def _listed(sources: Sequence[str]) -> str:
    names = readable([Path(source).name for source in sources[-NAMED_LIMIT:]])
    named = ", ".join(
        name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 1]}…"
        for name in names
    )
    more = len(sources) - NAMED_LIMIT
    return f"{named} and {more} more" if more > 0 else named


def _one(path: Path, above: tuple[str, ...]) -> Group:
    if path.suffix.lower() == ARCHIVE:
        own = readable((path.stem,))
        group = _group((*above, *own), list(in_archive(path)))
        return replace(group, is_zip=True)
    entry = Entry(readable((path.name,)), str(path), partial(read_file, path))
    return replace(_group(above, [entry]), is_whole=False)


def _group(above: tuple[str, ...], found: list[Entry]) -> Group:
    return Group(naming.place(above, [entry.parts for entry in found]), tuple(found))


def _taken(whose: naming.Owner, entry: Entry, otherwise: str) -> Submitted:
    made = Submitted(
        whose.author,
        whose.stem or otherwise,
        entry.source,
        "",
        name=whose.name,
        number=whose.number,
        system=whose.system,
        late=whose.late,
    )
    try:
        found = submissions.from_bytes(entry.read(), entry.path)
        told = found.stem if entry.is_notebook else whose.stem or found.stem
        stem = told or whose.stem or otherwise
        if not stem:
            return _without_exercise(made, entry.is_notebook)
        catalog.load(stem)
        size = len(found.text.encode("utf-8", "surrogatepass"))
        if size > SOURCE_LIMIT_B:
            raise BadInput(
                f"expected a submission of at most {SOURCE_LIMIT_B} bytes, "
                f"found {size} bytes"
            )
        return replace(made, stem=stem, text=found.text, sha256=digest(found.text))
    except LookupError as problem:
        return _bad(made, str(problem.args[0]), "correct the line with %exercise")
    except BadInput as problem:
        return _bad(made, str(problem), problem.help)


def _without_exercise(made: Submitted, notebook: bool) -> Submitted:
    problem = "expected to know the exercise, found none in the file or its name"
    bad = _bad(made, problem, f"--exercise STEM, one of {', '.join(catalog.stems())}")
    return bad if notebook else replace(bad, system="stray")


def _bad(made: Submitted, problem: str, help: str = "") -> Submitted:
    told = hashlib.sha256(f"{made.source}\n{problem}".encode("utf-8", "replace"))
    return replace(made, sha256=told.hexdigest(), problem=problem, help=help)
