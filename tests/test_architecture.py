"""Imports point one way, files are small, and nothing sleeps."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from grader.harness import tiers

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "grader"
LINES_LIMIT, MEDIAN_LIMIT = 250, 120
EXERCISE_LINES = range(60, 141)

# Below the waist are the nouns; above it whoever makes histories, beside it whoever
# reads them, and at the top the doors. Each may import what stands in its line, lazily
# or not; a new module takes its place here first.
NOUNS = {"vocabulary"}
MAKERS = NOUNS | {"fakes", "harness", "sandbox"}
READERS = NOUNS | {"reports", "visuals"}
ALLOWED: dict[str, set[str]] = {
    "vocabulary": set(),
    "fakes": NOUNS,
    "exercises": NOUNS,
    "reports": NOUNS,
    "visuals": NOUNS,
    "postgres": set(),
    "sandbox": set(),
    "harness": NOUNS | {"fakes", "postgres", "sandbox"},
    "catalog": NOUNS | {"exercises"},
    "runner": NOUNS | {"harness"},
    "trail": {"catalog"},
    # Files of submissions, and what remembers a learner's way.
    "submissions": {"catalog"},
    "corpus": NOUNS | {"catalog", "submissions"},
    "store": NOUNS,
    "certifying": READERS | {"submissions"},
    "sidebar": set(),
    # A notebook's kernel: it asks the service, and displays.
    "client": set(),
    "playground": {"vocabulary"},
    "displays": READERS,
    "session": NOUNS | {"catalog", "client", "displays", "playground", "store"},
    "notebook": READERS
    | {"certifying", "client", "displays", "fakes", "session", "store"},
    "course": READERS
    | {"catalog", "certifying", "displays", "session", "store", "trail"},
    "oncall": READERS | {"client", "displays", "notebook", "session"},
    # Where submissions are run.
    "service": MAKERS | {"catalog", "runner"},
    "checking": MAKERS | READERS | {"catalog", "runner", "submissions"},
    "repeating": MAKERS
    | READERS
    | {"catalog", "certifying", "checking", "runner", "submissions"},
    "traffic": MAKERS | {"corpus"},
    "validity": MAKERS | {"catalog", "corpus", "readme", "runner", "traffic"},
    "drift": MAKERS | {"catalog", "runner", "submissions"},
    "floor": MAKERS,
    "bench": MAKERS | {"catalog", "client", "floor", "sources"},
    "account": set(),
    "measured": {"account"},
    "bench_course": {
        "account",
        "measured",
        "bench",
        "catalog",
        "client",
        "corpus",
        "sources",
    },
    "batch": MAKERS | READERS | {"catalog", "runner", "submissions"},
    "bundle": {
        *("batch", "build", "catalog", "cells", "reports", "runner", "submissions"),
        "vocabulary",
    },
    # Teachers and authors.
    "cells": set(),
    "sources": {"cells", "trail"},
    "build": {"cells", "sources"},
    "new": {"sources"},
    "readme": {"catalog"},
    "nbgrader_hooks": {"cells"},
    "autograde": READERS
    | {"catalog", "client", "harness", "sandbox", "session", "submissions"},
    "lab": set(),
    "doctor": {"harness", "postgres"},
    # The doors.
    "grader": {"course", "notebook", "session"},
    "__main__": {
        *(
            "batch",
            "bench",
            "build",
            "bundle",
            "cells",
            "checking",
            "doctor",
            "drift",
            "lab",
            "new",
            "repeating",
        ),
        *("readme", "validity"),
    },
}
# What runs beside a submission, in its process or above it: it knows nothing of the
# supervisor, so a submission cannot learn of it either.
UNTRUSTED = {
    "enclosure",
    "forked",
    "forkserver",
    "rehearsal",
    "serving",
    "spawned",
    "worker",
}
WALLS = {"folders", "forwarder", "landlock", "mounts", "syscalls", "walls"}
# An `import grader` that is slow would be felt in every notebook and command.
HEAVY = ("IPython", "ipywidgets", "jinja2", "langchain_core", "langgraph", "matplotlib")
HEAVY += ("nbformat", "psutil", "psycopg", "sqlite3", "starlette", "uvicorn", "asyncio")


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path) -> Iterator[str]:
    """Yield the name of every module that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else str(node.module)
        elif isinstance(node, ast.Call) and _name(node.func) == "import_module":
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                yield str(argument.value)
            elif isinstance(argument, ast.JoinedStr):
                first = argument.values[0]
                assert isinstance(first, ast.Constant)
                yield str(first.value).rstrip(".")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def unit(module: str) -> str:
    """Return the part of the package that a module belongs to."""
    return [*module.split("."), "grader"][1]


def own(path: Path) -> set[str]:
    """Return the modules of the package that a file imports."""
    return {name for name in imports(path) if name.split(".")[0] == "grader"}


@pytest.mark.parametrize("module", modules())
def test_imports_point_one_way(module: str) -> None:
    """each part of the package imports only what stands below it"""
    part = unit(module)
    assert part in ALLOWED, f"{part} has no line in the table of allowed imports"
    found = {unit(name) for name in own(modules()[module])} - {part}
    assert found <= ALLOWED[part]


def test_table_has_no_circle() -> None:
    """the table itself points one way"""
    below: dict[str, int] = {}

    def depth(part: str, above: tuple[str, ...] = ()) -> int:
        assert part not in above, " -> ".join([*above, part])
        if part not in below:
            inner = [depth(name, (*above, part)) for name in sorted(ALLOWED[part])]
            below[part] = 1 + max(inner, default=0)
        return below[part]

    assert max(depth(part) for part in ALLOWED) > 3


def test_makers_and_readers_are_apart() -> None:
    """what makes a history and what reads one meet in the vocabulary only"""
    for reader in ("reports", "visuals", "exercises"):
        assert not ALLOWED[reader] & {"harness", "fakes", "runner"}
    for maker in ("harness", "fakes", "postgres"):
        assert not ALLOWED[maker] & {"reports", "visuals", "exercises", "catalog"}


@pytest.mark.parametrize("name", sorted(UNTRUSTED))
def test_untrusted_side(name: str) -> None:
    """what runs beside a submission knows the limits and nothing of the supervisor"""
    path = PACKAGE / "harness" / f"{name}.py"
    if not path.is_file():
        pytest.skip(f"there is no {name} now")
    allowed = {f"grader.harness.{other}" for other in UNTRUSTED | {"limits"}}
    allowed |= {f"grader.sandbox.{other}" for other in WALLS} | {"grader.sandbox"}
    assert own(path) <= allowed


def test_what_is_in_a_sandbox() -> None:
    """what is shown inside a sandbox is what the untrusted side imports, and no more"""
    shown, asked = set(tiers.HARNESS) | set(tiers.SANDBOX), ["forkserver", "rehearsal"]
    needed: set[str] = set()
    while asked:
        name = asked.pop()
        if name not in needed:
            needed.add(name)
            folder = "sandbox" if name in WALLS else "harness"
            found = own(PACKAGE / folder / f"{name}.py")
            asked += [module.rpartition(".")[2] for module in found]
    assert shown == needed - {"sandbox"}


@pytest.mark.parametrize(
    "path",
    [*(PACKAGE / "vocabulary").glob("*.py"), PACKAGE / "harness" / "worker.py"],
    ids=lambda path: path.stem,
)
def test_standard_library_only(path: Path) -> None:
    """the vocabulary and the worker need nothing that must be installed"""
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots - {"grader"} <= set(sys.stdlib_module_names)


def test_sizes() -> None:
    """no file has more than 250 lines, and half of them have about 100 or fewer"""
    counts = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules().values()
    }
    assert {path: n for path, n in counts.items() if n > LINES_LIMIT} == {}
    assert statistics.median(n for n in counts.values() if n > 1) <= MEDIAN_LIMIT


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "exercises").glob("ex*.py")), ids=lambda path: path.stem
)
def test_an_exercise_is_short(path: Path) -> None:
    """an exercise has 60 to 140 lines: what several do is a word of the vocabulary"""
    assert len(path.read_text(encoding="utf-8").splitlines()) in EXERCISE_LINES


def test_names() -> None:
    """no file is named for being useful only"""
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    python = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    assert [path for path in python if path.stem in vague] == []


@pytest.mark.parametrize("module", modules())
def test_opens_with_a_sentence(module: str) -> None:
    """each module opens with one sentence that says what it is for"""
    path = modules()[module]
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        assert path.name == "__init__.py"
        return
    opening = ast.get_docstring(ast.parse(text)) or ""
    assert re.match(r"[A-Z`]\S* .+[.:;]", opening.partition("\n\n")[0], re.DOTALL)


def test_nothing_sleeps() -> None:
    """neither the grader nor its tests wait for a clock: they wait for an event"""
    sleeps = re.compile(r"\b(?:time\.|asyncio\.|anyio\.|trio\.)sleep\((?!0\))")
    sleeping = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (PACKAGE, ROOT / "tests")
        for path in folder.rglob("*.py")
        if "submissions" not in path.parts and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if sleeps.search(line) and not line.lstrip().startswith(("#", '"'))
    ]
    assert sleeping == []


@pytest.mark.parametrize("name", ["grader", "grader.__main__", "grader.vocabulary"])
def test_import_is_quick(name: str) -> None:
    """importing the package, the command line or the nouns loads nothing heavy"""
    code = f"import sys, {name}; print(*sorted(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.split()
    assert name in loaded
    assert [module for module in HEAVY if module in loaded] == []


def test_every_test_states_its_claim() -> None:
    """the docstring of a test in these folders is the claim that it proves"""
    silent = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.FunctionDef)
                and node.name.startswith("test_")
                and not ast.get_docstring(node)
            ):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert silent == []
