"""README and Makefile for learners: without what needs more than learners get."""

from __future__ import annotations

import re

# Everything else in them is for teachers and maintainers.
SECTIONS = ("Start", "The exercises", "For learners", "Licence")
TARGETS = ("help", "env", "lab", "clean")

RULE = re.compile(r"^(?P<name>[a-z]+):.*\n(?:\t.*\n)*\n?", re.MULTILINE)
# With the comment above it.
VARIABLE = re.compile(
    r"(?:(?:^#[^\n]*\n)+\n?)?^define (?P<name>[A-Z_]+)\n.*?^endef\n\n?",
    re.MULTILINE | re.DOTALL,
)
PHONY = re.compile(r"^\.PHONY:.*$", re.MULTILINE)
OTHER_COMMAND = re.compile(r"^make (?P<name>[a-z]+) .*\n", re.MULTILINE)


def readme(text: str) -> str:
    """Return the part of README that is about learning."""
    top, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = [part for part in sections if part[3:].partition("\n")[0] in SECTIONS]
    return OTHER_COMMAND.sub(_known, "".join([top, *kept]))


def makefile(text: str) -> str:
    """Return the Makefile with the targets for learners, and what these use."""
    text = RULE.sub(_known, text)
    text = PHONY.sub(f".PHONY: {' '.join(TARGETS)}", text)
    while (less := _without_unused(text)) != text:
        text = less
    return text


def _without_unused(text: str) -> str:
    return VARIABLE.sub(
        lambda found: found.group() if f"$({found['name']})" in text else "", text
    )


def _known(found: re.Match[str]) -> str:
    return found.group() if found["name"] in TARGETS else ""
