"""What became of each submission: read from the journal, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grader.batch.journal import Journal
from grader.batch.submitted import Submitted
from grader.vocabulary import Status, Verdict
from grader.vocabulary.verdict import from_json

JUDGED, ERROR, UNREADABLE = "judged", "error", "unreadable"
SHOWN = 500  # characters of a text in a row; all of it is in the journal
CUT = " … (cut)"


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission and its verdict; there is none where it could not be read."""

    one: Submitted
    verdict: Verdict | None
    shared_with: str = ""

    @property
    def status(self) -> str:
        """Only what is "judged" has a score; the others wait for a person."""
        if self.verdict is None:
            return UNREADABLE
        return ERROR if self.verdict.unknown else JUDGED

    @property
    def reason(self) -> str:
        """Why a person must look, in one short line; empty where nobody must."""
        if self.verdict is None:
            return short(self.one.problem)
        broken = [r for r in self.verdict.results if r.status is Status.error]
        lines = broken[0].rationale.strip().splitlines() if broken else []
        return short(lines[-1]) if lines else ""


def short(text: str) -> str:
    """Return a text that fits a row, with a mark where it was cut."""
    return text if len(text) <= SHOWN else text[: SHOWN - len(CUT)] + CUT


def line_of(graded: Graded) -> dict[str, Any]:
    """Return the journal's line, of the schema in `grader/verdicts.schema.json`."""
    one, verdict = graded.one, graded.verdict
    return {
        "author": one.author,
        "exercise": one.stem,
        "sha256": one.sha256,
        "source": one.source,
        "status": graded.status,
        "problem": one.problem,
        "help": one.help,
        "shared_with": graded.shared_with,
        "verdict": None if verdict is None else verdict.to_json(),
    }


def read_all(found: Sequence[Submitted], journal: Journal) -> Iterator[Graded]:
    """Yield what became of each submission, in the order of `found`."""
    for one in found:
        line = journal.line(one.key)
        data = line["verdict"]
        verdict = None if data is None else from_json(data)
        yield Graded(one, verdict, line["shared_with"])
