"""The way through the course: the links back and on at the end of each notebook.

They are made from the order of the catalog, so an exercise that is added changes the
links of its neighbours, and nobody writes them.
"""

from __future__ import annotations

from grader import catalog

MAP = "The map"  # the heading in the first notebook below which progress is shown


def links(stem: str) -> str:
    """Return a list in Markdown that leads from one notebook to its neighbours.

    It is empty for what is not in the catalog: a course may have notebooks of its own.
    """
    stems = catalog.stems()
    if stem not in stems:
        return ""
    first, place = stems[0], stems.index(stem)
    lines = [_link("Back", each) for each in stems[max(place - 1, 0) : place]]
    lines += [_link("Next", each) for each in stems[place + 1 : place + 2]]
    if stem != first:
        last = stem == stems[-1]
        word = "the map and your certificate" if last else "how far you have come"
        fragment = MAP.replace(" ", "-")
        lines.append(f"- Map: [{word}]({address(first)}#{fragment})")
    return "\n".join(lines)


def address(stem: str) -> str:
    """Return where a notebook is, as seen from any other."""
    return f"../{stem}/{stem}.ipynb"


def _link(word: str, stem: str) -> str:
    return f"- {word}: [{catalog.load(stem).title}]({address(stem)})"
