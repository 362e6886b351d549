"""Writes the skeletons of a new exercise, for an author to fill in."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

from grader.sources import write

TEMPLATES = Path(__file__).with_name("templates")
# Where each template goes; {stem} is the name of the new exercise.
TARGETS = {
    "exercise.py.jinja": "grader/exercises/{stem}.py",
    "notebook.py.jinja": "solutions/{stem}/{stem}.py",
    "right.py.jinja": "tests/submissions/{stem}/right/shares_a_file.py",
    "wrong.py.jinja": "tests/submissions/{stem}/wrong/starter.py",
}
# Words that say nothing in the name of a file.
SMALL = {"a", "an", "and", "in", "is", "it", "of", "on", "one", "only", "that", "the"}
SMALL |= {"can", "for", "its", "to", "with", "when"}
LONGEST_STEM = 3  # words


def new(title: str, root: Path, number: int | None = None) -> list[Path]:
    """Write an exercise, its notebook's text and two submissions; return their paths.

    The skeleton builds as it is: its starter fails, and its solution passes.

    Args:
        title: the failure as a sentence, such as "Memory that only one process sees".
        root: the repository.
        number: of the exercise; by default one more than the last.

    Raises:
        ValueError: the title has no word to name a file by.
        FileExistsError: there is an exercise of that number.
    """
    taken = {
        int(path.stem[2:4]): path
        for path in sorted(root.glob("grader/exercises/ex[0-9][0-9]_*.py"))
    }
    if number is None:
        number = max(taken, default=-1) + 1
    if number in taken:
        raise FileExistsError(
            f"expected a number without an exercise, found {taken[number].stem}; "
            f"the next free one is {max(taken) + 1}"
        )
    stem = stem_of(title, number)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # it writes Python, not HTML
    )
    written = []
    for template, target in TARGETS.items():
        path = root / target.format(stem=stem)
        text = environment.get_template(template).render(title=title, stem=stem)
        write(path, text.encode())
        written.append(path)
    return written


def stem_of(title: str, number: int) -> str:
    """Return the name of an exercise: its number and its title's telling words.

    Raises:
        ValueError: the title has no such word, or the number no two digits.
    """
    words = re.findall(r"[a-z0-9]+", title.lower())
    telling = [word for word in words if word not in SMALL][:LONGEST_STEM]
    if not telling or not 0 <= number <= 99:
        raise ValueError(
            f"expected a title with a telling word and a number from 0 to 99, "
            f"found {title!r} and {number}"
        )
    return f"ex{number:02d}_{'_'.join(telling)}"
