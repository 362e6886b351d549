"""The command `drift` names the sentences that are no longer true."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from grader import drift

HERE = Path(__file__).parent
FACTS = '''
import pytest

fact = pytest.mark.fact


@fact("true")
def test_true() -> None:
    """one is one"""
    assert 1 == 1


@fact("often")
@pytest.mark.parametrize("value", [1, 2, 1])
def test_often(value: int) -> None:
    """all values
    are one"""
    assert value == 1


@fact("message")
def test_message() -> None:
    """the error says no"""
    found = "TypeError: yes"
    assert "no" in found


@fact("raises")
def test_raises() -> None:
    """nothing is raised"""
    raise KeyError("gone")


@fact("elsewhere")
def test_elsewhere() -> None:
    """a server is there"""
    pytest.skip("no server")


def test_no_fact() -> None:
    assert False
'''
SENTENCES = {
    "true": {"ex90_a": ["one is one"]},
    "often": {"ex90_a": ["they are one", "always"], "ex91_b": ["as ever"]},
    "message": {"ex91_b": ["it says no"]},
    "deleted": {"ex91_b": ["a fact without a test"]},
}


def results(folder: Path, facts: str) -> list[drift.Result]:
    """Run facts in a folder of their own, in a pytest of their own."""
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "test_facts.py").write_text(facts)
    return drift.run(Path(sys.executable), folder, folder / "results.xml")


def test_drifted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """what is no longer true is told: the notebook, the sentence, what was expected
    and what was found; a skipped fact has not drifted"""
    assert drift.report(results(tmp_path, FACTS), SENTENCES) == drift.DRIFTED
    printed = capsys.readouterr().out
    table, *drifted = printed.split("\nno longer true: ")
    assert table.splitlines() == [
        "DRIFTED  deleted",
        "not run  elsewhere",
        "DRIFTED  message",
        "DRIFTED  often",
        "DRIFTED  raises",
        "holds    true",
    ]
    assert drifted[2].splitlines() == [
        "often",
        "  claim     all values are one",
        "  notebook  ex90_a: they are one",
        "  notebook  ex90_a: always",
        "  notebook  ex91_b: as ever",
        "  expected  1",
        "  found     2",
    ]
    assert "expected  'no' in …\n  found     'TypeError: yes'" in drifted[1]
    assert "expected  what the claim says\n  found     KeyError: 'gone'" in drifted[3]
    assert "a fact without a test" in drifted[0]
    assert printed.endswith("\n6 facts, 4 no longer true\n")


def test_all_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """where all facts hold, the status is zero"""
    facts = FACTS.split('@fact("often")')[0]
    found = results(tmp_path, facts)
    assert drift.report(found, {"true": {"ex90_a": ["one is one"]}}) == drift.HOLDS
    assert "1 facts, 0 no longer true" in capsys.readouterr().out


def test_import_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """a file that can no longer be imported costs all of its sentences"""
    found = results(tmp_path, "from langgraph.nowhere import thing\n" + FACTS)
    assert drift.report(found, SENTENCES) == drift.DRIFTED
    printed = capsys.readouterr().out
    assert "No module named 'langgraph.nowhere'" in printed
    assert "ex91_b: it says no" in printed


def test_no_index(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """without a package index nothing is checked, and the status says so"""
    monkeypatch.setenv("PATH", "")  # without uv
    for name in ("PIP_NO_INDEX", "UV_OFFLINE"):
        monkeypatch.setenv(name, "1")
    assert drift.drift() == drift.BROKEN
    printed = capsys.readouterr().out
    assert "nothing was checked: the releases could not be installed" in printed
    assert "help: this needs a package index" in printed
