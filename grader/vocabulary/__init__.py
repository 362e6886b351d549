"""The nouns and verbs of an exercise; the standard library only."""

from grader.vocabulary.claims import fail
from grader.vocabulary.drawn import Drawn, draw
from grader.vocabulary.exercise import Check, Exercise, Function
from grader.vocabulary.history import History
from grader.vocabulary.observation import CheckFailed, Observation
from grader.vocabulary.run import Run
from grader.vocabulary.scenario import Scenario
from grader.vocabulary.verdict import Result, Status, Verdict
from grader.vocabulary.words import (
    database,
    environment,
    ledger,
    model,
    process,
    restart_all,
    stop_all,
    together,
    upstream,
)

__all__ = [
    "Check",
    "CheckFailed",
    "Drawn",
    "Exercise",
    "Function",
    "History",
    "Observation",
    "Result",
    "Run",
    "Scenario",
    "Status",
    "Verdict",
    "database",
    "draw",
    "environment",
    "fail",
    "ledger",
    "model",
    "process",
    "restart_all",
    "stop_all",
    "together",
    "upstream",
]
