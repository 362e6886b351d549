"""Imports point one way, and importing is quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.package import modules, own

# Below the waist are the nouns; above it whoever makes histories, beside it whoever
# reads them, and at the top the doors. Each may import what stands in its line, lazily
# or not; a new module takes its place here first.
NOUNS = {"vocabulary"}
MAKERS = NOUNS | {"fakes", "harness", "sandbox"}
READERS = NOUNS | {"reports", "visuals"}
ALLOWED: dict[str, set[str]] = {
    "locked": set(),
    "vocabulary": set(),
    "fakes": NOUNS,
    "exercises": NOUNS,
    "reports": NOUNS,
    "visuals": NOUNS,
    "postgres": {"locked"},
    "sandbox": set(),
    "harness": NOUNS | {"fakes", "locked", "postgres", "sandbox"},
    "catalog": NOUNS | {"exercises"},
    "runner": NOUNS | {"harness"},
    "trail": {"catalog"},
    # Files of submissions, and what remembers a learner's way.
    "submissions": {"catalog"},
    "corpus": NOUNS | {"catalog", "submissions"},
    "store": NOUNS,
    "certifying": READERS | {"submissions"},
    "stand_in": set(),
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
    "oncall": READERS | {"client", "displays", "locked", "notebook", "session"},
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
    "batch": MAKERS | READERS | {"catalog", "client", "runner", "submissions"},
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
    | {"catalog", "client", "harness", "locked", "sandbox", "session", "submissions"},
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
# An `import grader` that is slow would be felt in every notebook and command.
HEAVY = ("IPython", "ipywidgets", "jinja2", "langchain_core", "langgraph", "matplotlib")
HEAVY += ("nbformat", "psutil", "psycopg", "sqlite3", "starlette", "uvicorn", "asyncio")


def unit(module: str) -> str:
    """Return the part of the package that a module belongs to."""
    return [*module.split("."), "grader"][1]


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
