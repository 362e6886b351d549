"""Whose a file is, by the names that each learning management system gives.

Canvas    `lovelaceada_LATE_12345_67890_ex04_memory_saver-1.ipynb`: the sortable name,
          the user's id, the attachment's id (it grows), the file's own name. With
          anonymous grading `anon_Ab1cD` stands for name and user.
Moodle    `Ada Lovelace_12345_assignsubmission_file/ex04_memory_saver.ipynb`, or the
          same in one name; the number is the participant's in this assignment.
GitHub    `memory-adal/…`: GitHub Classroom's assignment, then the login. Which part is
          the assignment is known of an exercise's slug and in `memory-submissions/`,
          and guessed where all folders begin alike and end in what may be a login.
nbgrader  `submitted/ada/ex04_memory_saver/ex04_memory_saver.ipynb`

What lies in a learner's own folder is the learner's, whatever it is called: such names
tell something only at the top, or below folders that all files of a class lie in.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from grader import catalog

CANVAS = re.compile(
    r"^(?P<name>\w+?_)??(?P<late>LATE_)?(?P<id>\d+|anon_[A-Za-z0-9]+)"
    r"_(?P<file>\d+)_(?P<rest>.+)$"
)
MOODLE = re.compile(
    r"^(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)"
    r"(?:_(?P<rest>.*))?$"
)
# Copies: of a browser "name (1)", of Canvas "name-1", which is a name elsewhere.
COPY = re.compile(r" ?\((\d+)\)$")
CANVAS_COPY = re.compile(r"(?: ?\((\d+)\)|-(\d+))$")
# Of GitHub's own rules; a number or one letter counts something, and is nobody's.
LOGIN = re.compile(r"^(?!\d+$)[A-Za-z0-9](?:-?[A-Za-z0-9]){1,38}$")
NOBODY = "unknown"
CLONED = "-submissions"  # the folder that `gh classroom clone` makes
TREE, NOTEBOOKS = "submitted", "notebooks"  # folders of nbgrader's, and of the course


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is, which exercise its name tells, and its place among copies.

    `file` is its own name, without suffix, copy number and what a system put before it.
    """

    author: str
    stem: str = ""
    name: str = ""
    number: str = ""
    system: str = ""
    late: bool = False
    order: tuple[int, int] = (0, 0)
    file: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What all files of one given path share.

    Attributes:
        above: the names on the way to it, its own last.
        prefix: of its folders, in front of the authors' names.
        shared: so many folders below it all its files lie in.
        around: so many of these are around several folders.
        sure: what of the prefix is known, not guessed.
        dates: numbers in its files' names that look like Canvas's ids and are none.
    """

    above: tuple[str, ...]
    prefix: str = ""
    shared: int = 0
    around: int = 0
    sure: str = ""
    dates: frozenset[str] = frozenset()


def place(above: Sequence[str], paths: Sequence[tuple[str, ...]]) -> Place:
    """Return what to know of a folder or zip before its files are named.

    Args:
        above: the names on the way to it, its own last.
        paths: of its files, below it.
    """
    levels = itertools.takewhile(
        lambda names: len({*names}) == 1, zip(*paths, strict=False)
    )
    shared = len([*levels]) if len({*paths}) > 1 else 0
    shared = min([shared, *(len(path) - 1 for path in paths)])
    around = shared if all(len(path) > shared + 1 for path in paths) else 0
    at = Place(tuple(above), "", shared, around)
    own = above[-1] if above else ""
    folders = sorted({path[around] for path in paths if len(path) > around + 1})
    if own.endswith(CLONED):
        prefix = own.removesuffix(CLONED) + "-"
        apart = len({name.removeprefix(prefix) for name in folders}) == len(folders)
        return replace(at, prefix=prefix, sure=prefix) if apart else at
    if TREE in above or TREE in folders or not folders:
        return at
    prefix, sure = _prefix(folders)
    return replace(at, prefix=prefix, sure=sure)


def _prefix(folders: Sequence[str]) -> tuple[str, str]:
    """Return what is in front of the logins of sorted folders, and what is surely."""
    # Of all sorted names, the first and the last differ earliest.
    same = zip(folders[0], folders[-1], strict=False)
    alike = "".join(
        a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], same)
    )
    sure = next((f"{s}-" for s in _slugs() if alike.startswith(f"{s}-")), "")
    prefix = alike[: alike.rfind("-") + 1]
    logins = all(LOGIN.match(name.removeprefix(prefix)) for name in folders)
    return (prefix if logins and len(folders) > 1 else sure), sure


def dates(files: Iterable[tuple[Place, tuple[str, ...]]]) -> frozenset[str]:
    """Return the numbers that several names have, which no id of Canvas's does.

    `ada_2026_11_ex04_memory_saver.ipynb` is one of these, if Bob's is called alike.
    """
    names: dict[str, set[str]] = {}
    for at, parts in files:
        for part in parts[: _top(at)]:
            found = CANVAS.match(_lettered(part))
            if found and found["name"] and not MOODLE.match(part):
                names.setdefault(found["id"], set()).add(found["name"])
    return frozenset(id for id, several in names.items() if len(several) > 1)


def owner(at: Place, parts: tuple[str, ...]) -> Owner:
    """Return whose a file is, by its path below what was given."""
    for number, part in enumerate(parts[: _top(at)]):
        rest = parts[number + 1 :]
        if found := MOODLE.match(part):
            inner = (*rest,) or (found["rest"] or part,)
            author = f"{found['name']}_{found['id']}"
            stem, copy, own = _stem(parts, inner[-1])
            return Owner(
                *(author, stem, found["name"], found["id"], "moodle", False),
                *((0, copy), own),
            )
        if found := CANVAS.match(_lettered(part)):
            name = part[: found.end("name")].removesuffix("_") if found["name"] else ""
            if not name and not found["id"].startswith("anon_"):
                continue  # two numbers in front of a name say nothing of Canvas
            if found["id"] in at.dates:
                continue
            author = f"{name}_{found['id']}" if name else found["id"]
            inner = rest or (part[found.start("rest") :],)
            stem, copy, own = _stem((*rest,), inner[-1], CANVAS_COPY)
            id = "" if found["id"].startswith("anon_") else found["id"]
            order = (int(found["file"][:18]), copy)
            return Owner(
                author, stem, name, id, "canvas", bool(found["late"]), order, own
            )
    stem, copy, own = _stem((*at.above[-1:], *parts), parts[-1])
    author, system = _by_folder(at, parts, stem)
    author = author or parts[0] or NOBODY
    return Owner(author, stem, author, "", system, False, (0, copy), own)


def _top(at: Place) -> int:
    """Return on how many levels names tell a learner, before a learner's own begin."""
    return 0 if TREE in at.above else at.shared + 1


def is_told(name: str) -> bool:
    """Return whether a name alone says whose the file is."""
    return bool(MOODLE.match(name) or CANVAS.match(_lettered(name)))


def _lettered(name: str) -> str:
    """Return a name with letters for its marks: Canvas keeps them, no pattern does."""
    return "".join("x" if unicodedata.category(c)[0] == "M" else c for c in name)


def _by_folder(at: Place, parts: tuple[str, ...], stem: str) -> tuple[str, str]:
    inside = parts[:-1]
    for number, part in enumerate(inside[: at.shared + 1]):
        if part == TREE and inside[number + 1 :]:
            return inside[number + 1], "nbgrader"
    if TREE in at.above:
        start = len(at.above) - at.above[::-1].index(TREE)
        below = (*at.above[start:], *inside)
        if below:
            return below[0], "nbgrader"
    parts = parts[at.around :]
    if parts[0] == NOTEBOOKS and len(parts) > 1:
        parts = parts[1:]
    if len(parts) == 3 and parts[1] in catalog.stems():
        return parts[0], "nbgrader"
    if parts[0].endswith(CLONED) and len(parts) > 2:
        assignment = parts[0].removesuffix(CLONED) + "-"
        return parts[1].removeprefix(assignment), "github"
    if len(parts) > 1 and parts[0] not in catalog.stems():
        author = parts[0].removeprefix(at.prefix)
        return author, "github" if author != parts[0] else ""
    plain = _plain(parts[-1])[0]
    author = re.sub(rf"[_\- ]?{re.escape(stem)}$", "", plain) if stem else plain
    if author and all(part in catalog.stems() for part in parts[:-1]):
        return author, ""
    folders = [name for name in at.above if name not in catalog.stems()]
    return (folders[-1] if folders else plain), ""


def _stem(
    parts: tuple[str, ...], name: str, copies: re.Pattern[str] = COPY
) -> tuple[str, int, str]:
    """Return the exercise that a path tells, which copy it is, and its plain name."""
    plain, copy = _plain(name, copies)
    for stem in catalog.stems():
        if plain == stem or re.search(rf"(?:^|[_\- ]){stem}(?:$|[_\- .])", plain):
            return stem, copy, plain
    for part in reversed(parts[:-1]):
        if part in catalog.stems():
            return part, copy, plain
    for part in parts[:-1]:
        for slug in _slugs():
            if part == slug or part.startswith(f"{slug}-"):
                return slug.replace("-", "_"), copy, plain
    return "", copy, plain


def _plain(name: str, copies: re.Pattern[str] = COPY) -> tuple[str, int]:
    """Return a file's name without suffix and copy number, and that number."""
    base, _, _ = name.rpartition(".")
    base = base or name
    found = copies.search(base)
    if found is None:
        return base, 0
    number = next(group for group in found.groups() if group)
    return base[: found.start()], int(number[:9])


def _slugs() -> tuple[str, ...]:
    return tuple(stem.replace("_", "-") for stem in catalog.stems())
