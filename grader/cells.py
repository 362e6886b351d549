"""One cell of a source: its shorthand header, its regions and its magics."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Cell = dict[str, Any]  # as in the notebook format, which is JSON

# What nbgrader puts in place of a solution; in a cell with a starter it disappears.
STUB = "raise NotImplementedError  # your code here"

# The options that a header must have, by role; plain cells may have `id` too.
NEEDED: Mapping[str, frozenset[str]] = {
    "": frozenset(),
    "locked": frozenset({"id"}),
    "submission": frozenset(),
    "test": frozenset({"check", "points"}),
    "reflect": frozenset({"points"}),
}
TYPE_OF = {"submission": "code", "test": "code", "reflect": "markdown"}

CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LINE_MAGIC = re.compile(r"# (%load_ext grader|%exercise (\w+))")
CELL_MAGIC = "# %%submission"
REGION = re.compile(r"\s*### (BEGIN|END) (STARTER|SOLUTION)\s*")
COMMENT = re.compile(r"(\s*)# ?(.*)")


class SourceError(Exception):
    """A source that cannot be built: where, expected, found, and a way out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source, to point at."""

    file: str
    line: int

    def error(self, expected: str, found: str, way_out: str) -> SourceError:
        """Return the error to raise about this line."""
        return SourceError(
            f"{self.file}:{self.line}: expected {expected}, found {found}\n"
            f"  help: {way_out}"
        )


def expand(
    kind: str, options: Mapping[str, Any], source: str, place: Place, index: int
) -> Cell:
    """Return the notebook cell that a header and the text below it stand for.

    Args:
        kind: "code" or "markdown".
        options: what the header says, such as `{"role": "test", "points": 3}`.
        source: the text, with magics still commented.
        place: of the header.
        index: of the cell, from which a cell without an id gets one.

    Raises:
        SourceError: the header or the text is not what its role asks for.
    """
    role = _role(kind, options, place)
    if role == "test":
        source = _test(source, options, place)
    if not source.strip():
        raise place.error("a cell with text", "an empty cell", "fill it or remove it")
    if role == "submission":
        _check_regions(source, place)
    elif REGION.search(source):
        raise place.error(
            "STARTER and SOLUTION regions in the submission cell only",
            f"one in a cell with role {role!r}",
            'move it into the cell with role="submission"',
        )
    if kind == "code":
        _must_compile(source, place)
    names = {"submission": role, "reflect": role, "test": options.get("check")}
    cell_id = str(options.get("id") or names.get(role) or f"cell-{index:02d}")
    if not CELL_ID.fullmatch(cell_id):
        raise place.error("an id of letters, digits, - and _", cell_id, "rename it")
    text = _uncomment_magics(source) if kind == "code" else source
    cell: Cell = {"cell_type": kind, "id": cell_id, "metadata": {}, "source": text}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    if role:
        cell["metadata"]["nbgrader"] = _nbgrader(role, options, cell_id)
    return cell


def to_starter(source: str) -> str:
    """Return a submission cell with its starter in place and its solution gone.

    nbgrader may have put its stub in place of the solution before.
    """
    return "\n".join(line for line in _starter_lines(source) if line is not None)


def _starter_lines(source: str) -> Iterator[str | None]:
    """Yield each line as the starter has it, or None where it has none."""
    inside = ""
    for line in source.split("\n"):
        region = REGION.fullmatch(line)
        if region:
            inside = region[2] if region[1] == "BEGIN" else ""
        dropped = region or inside == "SOLUTION" or line.strip() == STUB
        if dropped:
            yield None
        elif inside == "STARTER":
            yield COMMENT.sub(r"\1\2", line, count=1).rstrip()
        else:
            yield line


def _role(kind: str, options: Mapping[str, Any], place: Place) -> str:
    role = str(options.get("role", ""))
    if role not in NEEDED:
        known = ", ".join(filter(None, NEEDED))
        raise place.error(f"a role out of {known}", repr(role), "rename the role")
    given = set(options) - ({"role"} if role else {"id"})
    if given != NEEDED[role]:
        what = f"role {role!r}" if role else "a cell without a role"
        raise place.error(
            f"{what} with {_listed(NEEDED[role])}", _listed(given), "change the header"
        )
    if TYPE_OF.get(role, kind) != kind:
        raise place.error(
            f"role {role!r} on a {TYPE_OF[role]} cell",
            f"a {kind} cell",
            "add or remove [markdown]",
        )
    return role


def _listed(options: set[str] | frozenset[str]) -> str:
    return ", ".join(f"{name}=" for name in sorted(options)) or "no options"


def _test(source: str, options: Mapping[str, Any], place: Place) -> str:
    """Write the graded cell; the hidden line runs only where the teacher grades."""
    check = options["check"]
    line = f'grade("{check}")'
    if source.strip() not in {"", line}:
        raise place.error(
            f"nothing, or {line}, below the header",
            repr(source.strip().partition("\n")[0]),
            "remove it: the build writes the cell",
        )
    return (
        f"{line}\n"
        "### BEGIN HIDDEN TESTS\n"
        f'grade("{check}", hidden=True)\n'
        "### END HIDDEN TESTS"
    )


def _must_compile(source: str, place: Place) -> None:
    """Refuse what is not Python: most often a cell that a stray mark has split."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    try:
        compile(source, place.file, "exec", flags)
    except SyntaxError as error:
        raise Place(place.file, place.line + (error.lineno or 0)).error(
            "a code cell that is Python",
            error.msg,
            "correct the line, or look for a `# %%` that splits the cell",
        ) from None


def _check_regions(source: str, place: Place) -> None:
    """Refuse a submission cell whose starter cannot be made."""
    if source.partition("\n")[0] != CELL_MAGIC:
        raise Place(place.file, place.line + 1).error(
            f"`{CELL_MAGIC}` as the first line of the submission cell",
            repr(source.partition("\n")[0]),
            "add the line",
        )
    inside, starters = "", 0
    for number, line in enumerate(source.split("\n"), start=place.line + 1):
        region, here = REGION.fullmatch(line), Place(place.file, number)
        if region:
            opens = region[1] == "BEGIN"
            if opens if inside else not opens:
                expected = f"### END {inside}" if inside else "### BEGIN … before it"
                raise here.error(expected, line.strip(), "pair the region's lines")
            if not opens and region[2] != inside:
                raise here.error(
                    f"### END {inside}", line.strip(), "pair the region's lines"
                )
            inside = region[2] if opens else ""
            starters += opens and region[2] == "STARTER"
        elif inside == "STARTER" and line.strip() and not COMMENT.fullmatch(line):
            raise here.error(
                "each line of the STARTER region as a comment",
                repr(line.strip()),
                "put `# ` before it",
            )
    if inside:
        raise place.error(f"### END {inside}", "the end of the cell", "add the line")
    if not starters:
        raise place.error(
            "a region ### BEGIN STARTER … ### END STARTER in the submission cell",
            "none",
            "add the code that the learner starts from, each line as a comment",
        )
    # Lines that the starter lacks are left blank, so that an error names the right one.
    _must_compile("\n".join(line or "" for line in _starter_lines(source)), place)


def _uncomment_magics(source: str) -> str:
    """Uncomment this course's own magics, and nothing that only looks like one."""
    first, *rest = source.split("\n")
    if first == CELL_MAGIC:
        first = first[2:]
    return "\n".join(
        line[2:] if LINE_MAGIC.fullmatch(line) else line for line in [first, *rest]
    )


def _nbgrader(role: str, options: Mapping[str, Any], cell_id: str) -> dict[str, Any]:
    """Return the metadata by which nbgrader knows what a cell is for."""
    metadata: dict[str, Any] = {
        "grade": role in {"test", "reflect"},
        "grade_id": cell_id,
        "locked": role in {"test", "locked"},
        "schema_version": 3,
        "solution": role in {"submission", "reflect"},
        "task": False,
    }
    if "points" in options:
        metadata["points"] = options["points"]
    return metadata
