"""What the report of a submission that cannot be right says."""

from __future__ import annotations

import time
from dataclasses import dataclass

from grader.reports import to_text
from grader.vocabulary import Verdict

# A hang costs five seconds on an idle machine; here two cores are shared.
BOUND_S = 30.0
RETURNS = "def chat(thread_id, text):\n    return 'a'\n"


@dataclass(frozen=True)
class Case:
    """A submission whose line 2 comes first, and what its report says."""

    text: str
    says: str
    help: str = ""


OWN_MODULE = "names from other cells of the notebook are not visible in it"


def report(verdict: Verdict, case: Case, began: float) -> str:
    text = to_text(verdict)
    assert not verdict.unknown, text
    assert verdict.score == 0
    assert case.says in text
    assert case.help in text
    assert "Traceback" not in text
    assert "grader/" not in text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert time.monotonic() - began < BOUND_S
    return text
