"""Whose the files of several given paths are, where no path alone tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader import catalog
from grader.batch import naming
from grader.batch.entries import Entry

Owned = list[tuple[naming.Owner, Entry]]


@dataclass(frozen=True, slots=True)
class Group:
    """All files that were given at one path, a whole folder or zip, or one file."""

    place: naming.Place
    entries: tuple[Entry, ...]
    is_whole: bool = True
    is_zip: bool = False


def named(found: Sequence[Group]) -> list[Owned]:
    """Return whose each file of each group is.

    Of several groups with one author each, whom no system names, each is a learner's
    own folder or zip, and named as the learner; unless names inside tell all of them.
    """
    found = _without_dates(found)
    owned = _apart(found)
    lone = [
        number for number, group in enumerate(found) if _is_lone(group, owned[number])
    ]
    if len(lone) > 1:
        # Folders that learners make are called the same, or are not in each learner's.
        names = [_name_inside(found[number], owned[number]) for number in lone]
        if not all(names) or len({*names}) < len(names):
            names = [found[number].place.above[-1] for number in lone]
        for number, name in zip(lone, names, strict=True):
            owned[number] = [
                (replace(whose, author=name, name=name), entry)
                for whose, entry in owned[number]
            ]
    return owned


def _without_dates(found: Sequence[Group]) -> list[Group]:
    """Return the groups, each with the numbers in it that are no ids of Canvas's.

    Files that are given one by one are looked at together.
    """
    paths: dict[int, list[tuple[naming.Place, tuple[str, ...]]]] = {}
    scopes = [number if group.is_whole else -1 for number, group in enumerate(found)]
    for scope, group in zip(scopes, found, strict=True):
        paths.setdefault(scope, []).extend(
            (group.place, entry.parts) for entry in group.entries
        )
    dates = {scope: naming.dates(inside) for scope, inside in paths.items()}
    return [
        replace(group, place=replace(group.place, dates=dates[scope]))
        for scope, group in zip(scopes, found, strict=True)
    ]


def _apart(found: Sequence[Group]) -> list[Owned]:
    """Return whose each file is; no guess of a prefix makes two authors one."""
    guessed = _owned(found)
    if all(group.place.prefix == group.place.sure for group in found):
        return guessed
    sure = _owned(
        [
            replace(group, place=replace(group.place, prefix=group.place.sure))
            for group in found
        ]
    )
    return guessed if _count(guessed) == _count(sure) else sure


def _owned(found: Sequence[Group]) -> list[Owned]:
    return [
        [(naming.owner(group.place, entry.parts), entry) for entry in group.entries]
        for group in found
    ]


def _count(owned: Sequence[Owned]) -> int:
    return len({whose.author for group in owned for whose, _ in group})


def _is_lone(group: Group, owned: Owned) -> bool:
    return (
        group.is_whole
        and len({whose.author for whose, _ in _telling(owned)}) == 1
        and not any(whose.system for whose, _ in owned)
        and group.place.above != ()
        and group.place.above[-1] not in catalog.stems()
    )


def _telling(owned: Owned) -> Owned:
    """Return the notebooks, or all files where there is none."""
    return [one for one in owned if one[1].is_notebook] or owned


def _name_inside(group: Group, owned: Owned) -> str:
    """Return the author that a folder's inside names: a subfolder, or <author>_<stem>.

    What is in a zip says nothing: its own name is the one that a learner gave it.
    """
    whose, entry = _telling(owned)[0]
    told = whose.author in entry.parts[:-1] or whose.author != whose.file
    own = whose.author == group.place.above[-1]
    return whose.author if told and not own and not group.is_zip else ""
