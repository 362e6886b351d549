"""An incident report holds where module, cause and observations do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import catalog, session
from grader.displays import Notice
from grader.oncall import load, report
from grader.oncall.incident import NIGHT, Incident
from grader.oncall.symptoms import CAUSES, SYMPTOMS
from grader.store import Store
from grader.vocabulary import Run
from tests.vocabulary.made import asked, call, charge, reply, run

STEM = "ex10_on_call"
ADA, EVE = {"user_id": "ada", "text": "Hello."}, {"user_id": "eve", "text": "Hello."}
ASKS = {"user_id": "ada", "text": "What is my lucky word?"}
STORED: Any = (None, "stored", {"threads": [], "keys": [{"where": "table blobs"}]})
SEEN = run(
    *(call(1, ADA), reply(1, {"user_id": "eve", "answer": ""})),  # 1, 2
    *(call(2, ASKS), reply(2, {"user_id": "ada", "answer": "?"})),  # 3, 4
    *(charge("A"), charge("A", id="ch_2"), charge("B", id="ch_3")),  # 5, 6, 7
    *(asked(n, "How?") for n in range(1, 6)),  # 8 to 12
    STORED,  # 13
    word_1="sun",
)
RIGHT: dict[str, tuple[str, str, list[int]]] = {
    "another_name": ("customers.py", "a", [2]),
    "forgotten": ("storage.py", "b", [3, 4]),
    "charged_twice": ("payments.py", "c", [5, 6]),
    "no_end": ("agent.py", "d", [11]),
    "key_at_rest": ("app.py", "e", [13]),
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[session.Session]:
    """An open exercise in which the night was observed."""
    made = session.Session(STEM, catalog.load(STEM), Store(STEM, tmp_path))
    made.runs[NIGHT] = SEEN
    session._current[:] = [made]
    yield made
    session._current.clear()


def filed(**findings: Any) -> Incident:
    """Return the report of these findings."""
    found = report(**findings)
    assert isinstance(found, Incident)
    return found


def test_a_right_report_holds(opened: session.Session) -> None:
    """five symptoms with module, cause and evidence are five that hold"""
    found = filed(**RIGHT)
    assert found.holding == len(SYMPTOMS) == 5
    assert "5 of 5 symptoms are explained and shown" in found.text
    assert "✗" not in found.html


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        (("app.py", "a", [2]), "app.py does not do this"),
        (("customers.py", "f", [2]), "a blocking call in an async function would look"),
        (("customers.py", "z", [2]), "z would look otherwise"),
        (("customers.py", "a", []), "no observation is named"),
        (("customers.py", "a", [1, 3]), "#1, #3 does not show it"),
        (("customers.py", "a", [99]), "there is no observation #99"),
        (("customers.py", "a", [1, 2, 3, 4, 5]), "name at most 4 observations"),
    ],
)
def test_what_does_not_hold_is_said(
    opened: session.Session, finding: Any, says: str
) -> None:
    """a wrong module, a wrong cause, and evidence that shows nothing"""
    found = filed(another_name=finding)
    assert found.holding == 0
    assert says in found.text
    assert says in found.html


def test_a_module_is_known_without_its_ending(opened: session.Session) -> None:
    """hints and modules name each other without .py, and so may a report"""
    bare = {n: (m.removesuffix(".py"), c, seen) for n, (m, c, seen) in RIGHT.items()}
    assert filed(**bare).holding == len(SYMPTOMS)


def test_two_charges_are_the_evidence_of_two(opened: session.Session) -> None:
    """one of two charges shows nothing yet, and another order's neither"""
    for numbers in ([5], [5, 7]):
        found = filed(charged_twice=("payments.py", "c", numbers))
        assert "alone does not show it" in found.text


def test_what_is_not_filed_is_neither(opened: session.Session) -> None:
    """a symptom with question marks is not filed, and the table says so"""
    found = filed(another_name=("?", "?", []))
    assert found.text.count("– not filed") == 3 * len(SYMPTOMS)
    assert found.caption.startswith("0 of 5")


def test_a_repaired_run_shows_nothing(opened: session.Session) -> None:
    """after the repair the report says of each that the run does not have it, and not
    that observations of the run before are missing"""
    opened.runs[NIGHT] = run(call(1, EVE), reply(1, {"user_id": "eve"}))
    text = filed(**RIGHT).text
    assert text.count("was the code repaired already?") == len(SYMPTOMS)
    assert "there is no observation" not in text
    assert all(not symptom.shown(opened.runs[NIGHT]) for symptom in SYMPTOMS.values())


def test_bad_input_is_refused(opened: session.Session) -> None:
    """an unknown symptom and a finding of another form are errors that say the form"""
    with pytest.raises(ValueError, match="expected symptoms among another_name"):
        report(another=("app.py", "a", [1]))
    for bad in ("app.py", ("app.py", "a"), ("app.py", "a", 3), ("app.py", "a", ["3"])):
        with pytest.raises(ValueError, match=r"like \(\"agent.py\", \"a\", \[3, 5\]\)"):
            report(no_end=bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected 1 to 8 workers, found 9"):
        load(workers=9)
    with pytest.raises(ValueError, match='expected effects "on" or "off"'):
        load(effects="none")


def test_without_a_run_there_is_nothing_to_report_on(opened: session.Session) -> None:
    """without an exercise, a prediction or a run, a notice says what to do first"""
    opened.runs.clear()
    assert "expected a run" in str(report(**RIGHT))
    assert "locked until you commit a prediction" in str(load())
    session._current.clear()
    assert isinstance(report(), Notice)
    assert isinstance(load(), Notice)


def test_no_cell_of_a_graded_notebook_starts_a_server(
    opened: session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where a notebook is run to be graded, a load is a notice"""
    monkeypatch.setenv(session.JUDGED_OUTSIDE, "1")
    assert "no server is started" in str(load(workers=4))


def test_the_notebook_lists_the_causes() -> None:
    """letters and causes of the notebook's table are those of a report"""
    folder = Path(__file__).parents[2] / "solutions" / STEM
    source = (folder / f"{STEM}.py").read_text("utf-8")
    for letter, cause in CAUSES.items():
        assert f"# | {letter} | {cause} |" in source
    for name, symptom in SYMPTOMS.items():
        assert f"{name}=" in source
        assert symptom.module[:-3] in source
        assert symptom.cause in CAUSES


def test_runs_of_the_real_night_have_all_five(judged_night: Run) -> None:
    """the starter's night shows each symptom, whatever the seed"""
    for name, symptom in SYMPTOMS.items():
        assert len(symptom.shown(judged_night)) >= symptom.needed, name
