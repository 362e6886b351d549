"""A submission's text is one module, or several, each below a line that names it."""

from __future__ import annotations

import ast
import contextlib
import keyword
import re
import sys
import sysconfig
from dataclasses import dataclass
from importlib.machinery import PathFinder

WHOLE = "submission"  # the module that a text without such lines is
ENTRY = "app"  # of several, the one that has what the contract asks for
MODULES_LIMIT = 20
# At the margin. What resembles one is taken for one, so that a slip is said and not
# passed over as a comment: a colon, a file, or one word. A heading has several words.
MARK = re.compile(
    r"#[ \t]*=+[ \t]*module\b([ \t]*+:.*|.*\.py\b.*|[ \t]*+[^\s=]*+[ \t=]*+)",
    re.IGNORECASE,
)
NAME = re.compile(r"([a-z_][a-z0-9_]{0,40})\.py")
SHOWN = '"# === module: store.py ==="'
SMALL = "a name is small letters, digits and underscores, and ends with .py"


class Indivisible(Exception):
    """Lines that name modules, and cannot be followed; `line` is the cell's."""

    def __init__(self, problem: str, line: int, help: str) -> None:
        super().__init__(problem)
        self.line, self.help = line, help


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a submission, as a file of its own.

    Its lines stand where they stand in the submission, below empty ones, so that a
    line has one number, whoever names it.
    """

    name: str
    text: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.py"


def divide(text: str) -> tuple[Module, ...]:
    """Return the modules of a submission's text; the first is what to import.

    Raises:
        Indivisible: a line names a module badly, twice, or like one that Python has;
            code stands above the first such line; or there is no `app.py`.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    starts = [n for n, line in enumerate(lines) if MARK.fullmatch(line)]
    if not starts:
        return (Module(WHOLE, text),)
    _nothing_above(lines[: starts[0]])
    modules: dict[str, Module] = {}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        name = _name(lines[start], start + 1, [*modules])
        own = [""] * start + lines[start:end]
        modules[name] = Module(name, "\n".join(own).rstrip() + "\n")
    if ENTRY not in modules:
        named = ", ".join(module.file for module in modules.values())
        raise Indivisible(
            f"expected a module {ENTRY}.py among the submission's modules, found "
            f"{named}",
            starts[0] + 1,
            f"{ENTRY}.py is the one that has what the contract asks for",
        )
    return (modules.pop(ENTRY), *modules.values())


def _nothing_above(lines: list[str]) -> None:
    """Refuse code above the first module; a docstring or a comment belongs to none."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        body = ast.parse("\n".join(lines)).body
        if ast.get_docstring(ast.Module(body[:1], [])) is not None:
            body = body[1:]
        if not body:
            return
    for at, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        raise Indivisible(
            f"expected a module line such as {SHOWN} above all code, found "
            f"{lines[at].strip()[:60]!r}",
            at + 1,
            "move that code below the line of the module that it belongs to",
        )


def _name(line: str, number: int, before: list[str]) -> str:
    found = MARK.fullmatch(line)
    given = found[1].rstrip(" \t=").lstrip(" \t:") if found else ""
    match = NAME.fullmatch(given)
    if match is None or keyword.iskeyword(match[1]):
        raise Indivisible(
            f"expected a module line such as {SHOWN}, found {line.strip()[:80]!r}",
            number,
            SMALL,
        )
    name = match[1]
    if name in before:
        raise Indivisible(
            f"expected one module {name}.py, found its line a second time",
            number,
            "put both parts below one line, or rename one of them",
        )
    if _taken(name):
        raise Indivisible(
            f"expected a name of its own for each module, found {name}.py, and "
            f"`import {name}` is another module already",
            number,
            "rename it, such as my_" + name + ".py",
        )
    if len(before) == MODULES_LIMIT:
        raise Indivisible(
            f"expected at most {MODULES_LIMIT} modules, found more",
            number,
            "join some of them",
        )
    return name


def _taken(name: str) -> bool:
    """Whether Python, a package of the course or the grader has that name."""
    if name in {*sys.stdlib_module_names, WHOLE, "grader", "conftest"}:
        return True
    installed = [sysconfig.get_path(kind) for kind in ("purelib", "platlib")]
    spec = PathFinder.find_spec(name, installed)
    return spec is not None and spec.loader is not None
