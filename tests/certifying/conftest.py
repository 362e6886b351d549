"""Certificates of right submissions, which the corpus says score full marks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from grader import catalog
from grader.certifying.document import Certificate, Entry
from grader.certifying.page import form
from grader.certifying.proof import Claim, Proof, digest, promised
from grader.corpus import specimens

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 21)
SEED = 4711
# The two that the tests edit: short, and one of them with texts that are drawn.
TOUR, MEMORY = "ex00_start_here", "ex04_memory_saver"


def right(stem: str) -> str:
    """Return the first right submission of an exercise."""
    return next(s.text for s in specimens(ROOT, stem) if s.right)


def full(stem: str, text: str = "", seed: int = SEED) -> Proof:
    """Return a proof that a submission scores full marks; by default a right one."""
    text = text or right(stem)
    promises = promised(catalog.load(stem))
    claims = tuple(
        Claim(name, claim, points, points) for name, claim, points in promises
    )
    return Proof(
        *(DAY.isoformat(), seed, 0, "", "isolated", {"course": "1.0.0"}),
        *(claims, digest(text), text),
    )


def made_of(proofs: Mapping[str, Proof], name: str = "Ada Lovelace") -> Certificate:
    """Return a certificate of the whole course with these proofs."""
    entries = [
        Entry(stem, catalog.load(stem).title, proofs.get(stem))
        for stem in catalog.stems()
    ]
    return Certificate(name, DAY.isoformat(), form(), tuple(entries))


@pytest.fixture(scope="session")
def two() -> Certificate:
    """A certificate of two exercises; the others are not proved."""
    return made_of({stem: full(stem) for stem in (TOUR, MEMORY)})


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Write a text to a file, and have the command line verify it."""

    def verify(text: str | bytes, *more: Any) -> tuple[int, str, str]:
        path = tmp_path / "certificate.html"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return command(path, *more)

    return verify


def command(path: Path, *more: Any, **environment: str) -> tuple[int, str, str]:
    """Run `check --certificate`; return its status, output and complaints.

    The programs are our own, so they are run on machines without a sandbox too.
    """
    line = [sys.executable, "-m", "grader", "check", "--certificate", path]
    line += ["--accept-tier", 3, *more]
    ran = subprocess.run(
        [*map(str, line)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr
