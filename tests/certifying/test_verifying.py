"""What a certificate lists is proved again, and what cannot be said is not said."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader import catalog, checking, repeating
from grader.certifying.document import Certificate
from grader.certifying.page import page
from grader.harness.launch import GraderBroke
from tests.certifying.conftest import (
    TOUR,
    command,
    full,
    made_of,
)
from tests.certifying.findings import BAD_INPUT, BROKE, FALSE, HOLDS, Verify, false


def data_of(made: Certificate) -> str:
    """Return a certificate as a file of its data alone."""
    return json.dumps(made.to_json())


@pytest.mark.slow
def test_the_whole_course_holds(verified: Verify) -> None:
    """a right submission of every exercise is proved, and proved again"""
    made = made_of({stem: full(stem) for stem in catalog.stems()})
    assert len(made.complete) == len(catalog.stems())
    status, out, _ = verified(page(made))
    count = len(catalog.stems())
    assert (status, false(out)) == (HOLDS, {})
    assert f"{count} of {count} proofs hold." in out
    for entry in made.exercises:
        assert f"  ✓ {entry.exercise}  holds: " in out


def test_a_page_and_its_data_hold(two: Certificate, verified: Verify) -> None:
    """what is not proved is said, and the data alone can be verified too"""
    for text in (page(two), data_of(two)):
        status, out, _ = verified(text)
        assert (status, false(out)) == (HOLDS, {})
        assert "2 of 2 proofs hold." in out
        assert "  – ex05_non_dict_returns  not proved: " in out
        assert "certificate of Ada Lovelace, 2026-11-21" in out


def test_a_page_of_another_form(two: Certificate, verified: Verify) -> None:
    """of a page of another version only the data are verified, and it says so"""
    older = replace(two, form="0" * 64)
    status, out, _ = verified(
        page(older).replace("How to verify", "How it is verified")
    )
    assert status == HOLDS
    assert "only its data were verified" in out


def test_nothing_proved(verified: Verify) -> None:
    """a certificate without a proof holds nothing"""
    status, out, _ = verified(page(made_of({})))
    assert status == FALSE
    assert "the certificate proves nothing" in out


def test_as_json(two: Certificate, verified: Verify) -> None:
    """for scripts, the findings are one list of JSON and nothing else"""
    status, out, _ = verified(page(two), "--json")
    findings = json.loads(out)
    assert status == HOLDS
    assert [f["exercise"] for f in findings] == [*catalog.stems()]
    assert {f["state"] for f in findings} == {"holds", "not proved"}


def test_only_its_own_options(two: Certificate, verified: Verify) -> None:
    """what says how to run one submission is refused: a certificate says that itself"""
    status, out, err = verified(page(two), "--processes", 4)
    assert (status, out) == (BAD_INPUT, "")
    assert "found --processes" in err


def test_without_a_sandbox(two: Certificate, tmp_path: Path) -> None:
    """a stranger's programs are run in a sandbox, or where less was accepted"""
    path = tmp_path / "made.html"
    path.write_text(page(two), encoding="utf-8")
    nowhere = {"PATH": str(tmp_path)}
    status, out, err = command(path, "--accept-tier", 1, **nowhere)
    assert status == BROKE
    assert "✓" not in out
    assert "expected a machine that isolates submissions (tier 1)" in err
    assert "--accept-tier" in err
    assert command(path, **nowhere)[0] == HOLDS


def test_the_grader_breaks(
    two: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where the grader or the machine broke, nothing is said to be false: status 3"""
    path = tmp_path / "made.html"
    path.write_text(page(two), encoding="utf-8")
    chosen = argparse.Namespace(certificate=path, seed=None, json=True)
    chosen.accept_tier = 3
    vars(chosen).update(dict.fromkeys(repeating.ONLY_FOR_A_FILE))

    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    checks = catalog.load(TOUR).checks
    name = next(iter(checks))
    with monkeypatch.context() as patch:
        patch.setitem(checks, name, replace(checks[name], judge=breaks))
        assert repeating.check(chosen) == checking.BROKE == BROKE

    def no_launcher() -> None:
        raise GraderBroke("no process can be started")

    monkeypatch.setattr(repeating, "best_launcher", no_launcher)
    assert repeating.check(chosen) == BROKE
