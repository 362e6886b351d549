"""Whose a file is, by the names that each learning management system gives.

Canvas    `lovelaceada_LATE_12345_67890_ex04_memory_saver-1.ipynb`: the sortable name,
          the user's id, the attachment's id (it grows), the file's own name. With
          anonymous grading `anon_Ab1cD` stands for name and user.
Moodle    `Ada Lovelace_12345_assignsubmission_file_/ex04_memory_saver.ipynb`, or the
          same in one name; the number is the participant's in this assignment.
GitHub    `memory-adal/…`: GitHub Classroom's assignment, then the login.
nbgrader  `submitted/ada/ex04_memory_saver/ex04_memory_saver.ipynb`
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from grader import catalog

CANVAS = re.compile(
    r"^(?P<name>\w+?_)??(?P<late>LATE_)?(?P<id>\d+|anon_[A-Za-z0-9]+)"
    r"_(?P<file>\d+)_(?P<rest>.+)$"
)
MOODLE = re.compile(
    r"^(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_(?P<rest>.*)$"
)
# Copies: of a browser "name (1)", of Canvas "name-1".
COPY = re.compile(r"(?: ?\((?P<browser>\d+)\)|-(?P<canvas>\d+))$")
NOBODY = "unknown"
CLONED = "-submissions"  # the folder that `gh classroom clone` makes


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is, which exercise its name tells, and its place among copies."""

    author: str
    stem: str = ""
    name: str = ""
    number: str = ""
    system: str = ""
    late: bool = False
    order: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """What all files of one given path share: where it is, and a prefix of folders."""

    above: tuple[str, ...]
    prefix: str = ""


def place(above: Sequence[str], firsts: Sequence[str]) -> Place:
    """Return what to know of a folder or zip before its files are named.

    Args:
        above: the names on the way to it, its own last.
        firsts: the names of the folders right below it.
    """
    own = above[-1] if above else ""
    if own.endswith(CLONED):
        return Place(tuple(above), own.removesuffix(CLONED) + "-")
    folders = sorted(set(firsts))
    if "submitted" in above or "submitted" in folders or not folders:
        return Place(tuple(above))
    # Of all sorted names, the first and the last differ earliest.
    same = zip(folders[0], folders[-1], strict=False)
    shared = "".join(
        a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], same)
    )
    prefix = shared[: shared.rfind("-") + 1]
    slug = next((s for s in _slugs() if shared.startswith(f"{s}-")), "")
    if len(folders) == 1:
        prefix = f"{slug}-" if slug else ""
    return Place(tuple(above), prefix)


def owner(at: Place, parts: tuple[str, ...]) -> Owner:
    """Return whose a file is, by its path below what was given."""
    for number, part in enumerate(parts):
        rest = parts[number + 1 :]
        if found := MOODLE.match(part):
            inner = (*rest,) or (found["rest"],)
            author = f"{found['name']}_{found['id']}"
            stem, copy = _stem(parts, inner[-1])
            order = (0, copy)
            return Owner(
                author, stem, found["name"], found["id"], "moodle", order=order
            )
        if found := CANVAS.match(part):
            name = (found["name"] or "").removesuffix("_")
            if not name and not found["id"].startswith("anon_"):
                continue  # two numbers in front of a name say nothing of Canvas
            author = f"{name}_{found['id']}" if name else found["id"]
            stem, copy = _stem((*rest,), (rest or (found["rest"],))[-1])
            id = "" if found["id"].startswith("anon_") else found["id"]
            order = (int(found["file"][:18]), copy)
            late = bool(found["late"])
            return Owner(author, stem, name, id, "canvas", late, order)
    stem, copy = _stem((*at.above[-1:], *parts), parts[-1])
    author, system = _by_folder(at, parts, stem)
    author = author or parts[0] or NOBODY
    return Owner(author, stem, author, "", system, order=(0, copy))


def is_told(name: str) -> bool:
    """Return whether a name alone says whose the file is."""
    return bool(MOODLE.match(name) or CANVAS.match(name))


def _by_folder(at: Place, parts: tuple[str, ...], stem: str) -> tuple[str, str]:
    whole = (*at.above, *parts)
    if "submitted" in whole[:-1]:
        start = len(whole) - 1 - whole[::-1].index("submitted")
        below = whole[start + 1 : -1]
        if below:
            return below[0], "nbgrader"
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
    if author and len(parts) == 1:
        return author, ""
    folders = [name for name in at.above if name not in catalog.stems()]
    return (folders[-1] if folders else plain), ""


def _stem(parts: tuple[str, ...], name: str) -> tuple[str, int]:
    """Return the exercise that a path tells, and which copy of a file it is."""
    plain, copy = _plain(name)
    for stem in catalog.stems():
        if plain == stem or re.search(rf"(?:^|[_\- ]){stem}(?:$|[_\- .])", plain):
            return stem, copy
    for part in reversed(parts[:-1]):
        if part in catalog.stems():
            return part, copy
    for part in parts[:-1]:
        for slug in _slugs():
            if part == slug or part.startswith(f"{slug}-"):
                return slug.replace("-", "_"), copy
    return "", copy


def _plain(name: str) -> tuple[str, int]:
    """Return a file's name without suffix and copy number, and that number."""
    base, _, _ = name.rpartition(".")
    base = base or name
    found = COPY.search(base)
    if found is None:
        return base, 0
    number = found["browser"] or found["canvas"]
    return base[: found.start()], int(number[:9])


def _slugs() -> tuple[str, ...]:
    return tuple(stem.replace("_", "-") for stem in catalog.stems())
