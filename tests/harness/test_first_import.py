"""One process imports first, so that what cannot be imported costs one import."""

from __future__ import annotations

from pathlib import Path

from grader.harness.order import Order
from grader.vocabulary import Exercise, Run, process
from grader.vocabulary.history import parse
from tests.harness.small import Warm

RIGHT = "def ask(text):\n    return text\n"


def crowd() -> Exercise:
    """Return an exercise of three scenarios with four processes each."""
    made = Exercise("A crowd", ("ask(text) -> str",), ("none",))
    for name in ("one", "two", "three"):
        calls = (process(n).calls("ask", "{word}") for n in range(4))
        made.scenario(name, "four processes are asked", *calls)

    def answers(one: Run, two: Run, three: Run) -> None:
        """every call gets an answer"""
        assert all(r.value for run in (one, two, three) for r in run.replies)

    made.check(points=1)(answers)
    return made


def test_what_never_ends_is_imported_once(light: Warm, tmp_path: Path) -> None:
    """a submission whose import never ends spins in one process, not in twelve"""
    kept = tmp_path / "history.jsonl"
    outcome = light.outcome("while True: pass", crowd(), keep=kept)
    assert "importing it did not end" in outcome.verdict.problem
    runs = parse(kept.read_text(encoding="utf-8")).runs
    assert sum(len(run.of("start")) for run in runs.values()) == 1


def test_all_processes_start_after_the_first(light: Warm) -> None:
    """a submission that can be imported runs in every process of every scenario"""
    outcome = light.outcome(RIGHT, crowd())
    assert outcome.verdict.passed
    assert outcome.history is not None
    starts = [len(run.of("start")) for run in outcome.history.runs.values()]
    assert starts == [4, 4, 4]


def test_a_later_process_that_cannot_import_is_a_finding(light: Warm) -> None:
    """where the first can import and others cannot, the checks see it, and judge"""
    text = (
        "import os, uuid\nif os.path.exists(os.environ['CHECKPOINT_DB'] + '.seen'):\n"
    )
    text += "    raise OSError('taken')\n"
    text += "open(os.environ['CHECKPOINT_DB'] + '.seen', 'w').close()\n" + RIGHT
    made = crowd()
    order = Order("small", made, text, 1)
    history = light.run(light.harness.run(order, ["one"]))
    errors = [reply.data.get("error") for reply in history.runs["one"].replies]
    assert errors == [None, "not_run", "not_run", "not_run"]
