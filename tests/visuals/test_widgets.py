"""The prediction card, live and static."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from grader.visuals.widgets import PredictionCard

ROOT = Path(__file__).parents[2]
LIVE = "application/vnd.jupyter.widget-view+json"
CHOICES = {"A": "its name", "B": "that it does not know", "C": "nothing: it raises"}
CALL = 'predict("ex04", choice="B")'
CELL = f"""\
from grader.visuals.widgets import PredictionCard
PredictionCard("What does process 1 say?", {CHOICES}, None, print, {CALL!r})"""


def card(committed: str | None = None, on_commit: Any = None) -> PredictionCard:
    return PredictionCard(
        "What does process 1 say?",
        CHOICES,
        committed,
        on_commit or (lambda letter: None),
        CALL,
    )


def test_text() -> None:
    """as text, the card says the question, the choices and how to commit"""
    assert repr(card()) == (
        "Predict: What does process 1 say?\n"
        "  A  its name\n"
        "  B  that it does not know\n"
        "  C  nothing: it raises\n"
        f"Commit with: {CALL}"
    )


def test_committed_text() -> None:
    """once committed, the card says what was predicted, not how to commit"""
    assert repr(card("B")).endswith("You predicted B: that it does not know")
    assert "You predicted B: that it does not know" in card("B").html
    assert CALL not in repr(card("B"))


def test_displayed_as_a_cells_value() -> None:
    """as a value, the card offers a widget and two static forms, and raises nothing"""
    data, _ = DisplayFormatter().format(card())
    assert set(data) == {"text/plain", "text/html", LIVE}


def test_commit_by_widget() -> None:
    """the button commits the selected choice once, says so and locks"""
    letters: list[str] = []
    shown = card(on_commit=letters.append)
    _, choices, button, status = shown.widget.children
    a, b, c = choices.children
    button.click()
    assert "Choose an answer first" in status.value
    a.value = "A"
    b.value = "B"
    assert [a.value, b.value, c.value] == [None, "B", None]
    button.click()
    button.click()
    assert letters == ["B"]
    assert "You predicted B: that it does not know" in status.value
    assert 'role="status"' in status.value
    assert all(control.disabled for control in (a, b, c, button))
    assert shown.committed == "B"


def test_widget_is_described() -> None:
    """the controls have names that a screen reader can say"""
    _, choices, button, _ = card().widget.children
    assert [radio.tooltip for radio in choices.children] == [
        "What does process 1 say?"
    ] * 3
    assert button.description == "Commit"
    assert button.tooltip.startswith("Commit to the selected prediction")


def test_a_commit_that_fails_locks_nothing() -> None:
    """when committing fails, the card says why and can be tried again"""

    def refuse(letter: str) -> None:
        raise OSError("the disk is <full>")

    shown = card(on_commit=refuse)
    _, choices, button, status = shown.widget.children
    choices.children[0].value = "A"
    button.click()
    assert "Not committed: the disk is &lt;full&gt;" in status.value
    assert not button.disabled
    assert shown.committed is None


def test_commit_by_call() -> None:
    """a call commits once, and refuses what is no choice"""
    letters: list[str] = []
    shown = card(on_commit=letters.append)
    with pytest.raises(ValueError, match="expected one of A, B, C, found 'D'"):
        shown.commit("D")
    shown.commit("C")
    shown.commit("A")
    assert letters == ["C"]
    assert shown.committed == "C"


def test_hostile_words() -> None:
    """nothing in a question or a choice becomes markup"""
    bad = "<script>alert(1)</script>"
    shown = PredictionCard(bad, {"A": bad}, None, print, bad)
    question, _, _, _ = shown.widget.children
    assert "<script" not in shown.html + question.value


@pytest.mark.xdist_group("kernel")
def test_without_a_frontend(tmp_path: Path) -> None:
    """run by nbclient and turned into a page, the card is there and can be read"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client = NotebookClient(
        notebook, timeout=60, resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    outputs = notebook.cells[0].outputs
    assert [output.output_type for output in outputs] == ["execute_result"]
    del notebook.metadata["widgets"]  # as where nothing is live
    body, _ = HTMLExporter().from_notebook_node(notebook)
    assert "Commit with <code>predict(" in body
