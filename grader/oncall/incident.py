"""The incident report: data that a learner files, compared with what was observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.displays import Notice
from grader.oncall.symptoms import CAUSES, SYMPTOMS, Symptom
from grader.session import NO_EXERCISE, current
from grader.vocabulary import Run

NIGHT = "night"  # the scenario that is reported on
EVIDENCE_LIMIT = 4  # who names everything has shown nothing
UNKNOWN = "?"
Finding = tuple[str, str, Sequence[int]]
NOT_OBSERVED = Notice(
    f'expected a run of "{NIGHT}" to report on, found none',
    f'run the cell with observe("{NIGHT}") first, and before you repair anything',
)
TITLES = ("symptom", "module", "cause", "evidence")
PAGE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></figure>"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was filed about one symptom; a text that is empty has nothing wrong."""

    symptom: Symptom
    filed: bool
    module: str
    cause: str
    evidence: str

    @property
    def holds(self) -> bool:
        """Whether cause and evidence are right."""
        return self.filed and not (self.module or self.cause or self.evidence)

    @property
    def cells(self) -> tuple[str, ...]:
        """The symptom, and a sign and a word for each part."""
        if not self.filed:
            return self.symptom.says, *["– not filed"] * 3
        parts = (self.module, self.cause, self.evidence)
        return self.symptom.says, *(f"✗ {p}" if p else "✓ holds" for p in parts)


@dataclass(frozen=True, slots=True, repr=False)
class Incident:
    """A report, symptom by symptom."""

    rows: tuple[Judged, ...]

    @property
    def holding(self) -> int:
        """How many symptoms have a cause and an evidence that hold."""
        return sum(row.holds for row in self.rows)

    @property
    def caption(self) -> str:
        """The message of the table."""
        return f"{self.holding} of {len(self.rows)} symptoms are explained and shown."

    @property
    def html(self) -> str:
        """The caption and the table."""
        head = Markup("").join(
            Markup('<th scope="col">{}</th>').format(title) for title in TITLES
        )
        lines = []
        for row in self.rows:
            first, *others = row.cells
            cells = Markup("").join(
                Markup('<td style="text-align:left">{}</td>').format(cell)
                for cell in others
            )
            named = Markup('<th scope="row">{}</th>').format(first)
            lines.append(Markup("<tr>{}</tr>").format(named + cells))
        rows = Markup("").join(lines)
        return str(PAGE.format(caption=self.caption, heads=head, rows=rows))

    @property
    def text(self) -> str:
        """The same as plain text."""
        lines = [self.caption]
        for row in self.rows:
            first, *others = row.cells
            parts = zip(TITLES[1:], others, strict=True)
            lines += [first, *(f"    {title}: {cell}" for title, cell in parts)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def report(**findings: Finding) -> Incident | Notice:
    """Compare what was found with the night that was observed last.

    Args:
        findings: for each symptom a module's file, the letter of a cause, and the
            numbers of the observations that show it; "?" where it is not known yet.

    Raises:
        ValueError: a symptom is not known, or a finding is of another form.
    """
    for name, found in findings.items():
        if name not in SYMPTOMS:
            known = ", ".join(SYMPTOMS)
            raise ValueError(f"expected symptoms among {known}, found {name!r}")
        if not _is_finding(found):
            raise ValueError(
                f'expected {name} to be like ("agent.py", "a", [3, 5]), found {found!r}'
            )
    session = current()
    if session is None:
        return NO_EXERCISE
    run = session.runs.get(NIGHT)
    if run is None:
        return NOT_OBSERVED
    return judged(run, findings)


def judged(run: Run, findings: dict[str, Finding]) -> Incident:
    """Judge findings by a run."""
    empty: Finding = (UNKNOWN, UNKNOWN, ())
    rows = [
        _judged(run, symptom, findings.get(name, empty))
        for name, symptom in SYMPTOMS.items()
    ]
    return Incident(tuple(rows))


def _judged(run: Run, symptom: Symptom, found: Finding) -> Judged:
    module, cause, numbers = found
    filed = module != UNKNOWN or cause != UNKNOWN or bool(numbers)
    named = module.removesuffix(".py") == symptom.module.removesuffix(".py")
    wrong_module = "" if named else f"{module} does not do this"
    wrong_cause = ""
    if cause != symptom.cause:
        wrong_cause = f"{CAUSES.get(cause, cause)} would look otherwise"
    return Judged(
        symptom, filed, wrong_module, wrong_cause, _shown(run, symptom, numbers)
    )


def _shown(run: Run, symptom: Symptom, numbers: Sequence[int]) -> str:
    """Say what keeps the named observations from showing a symptom, or ""."""
    shown, known = symptom.shown(run), {seen.number for seen in run.observations}
    unknown = [number for number in numbers if number not in known]
    if not shown:
        return "this run does not have it: was the code repaired already?"
    if unknown:
        return f"there is no observation #{unknown[0]} in this run"
    if len(set(numbers)) > EVIDENCE_LIMIT:
        return f"name at most {EVIDENCE_LIMIT} observations"
    if len(shown & set(numbers)) >= symptom.needed:
        return ""
    if not numbers:
        return "no observation is named"
    named = ", ".join(f"#{number}" for number in sorted(set(numbers)))
    more = " alone" if shown & set(numbers) else ""
    return f"{named}{more} does not show it"


def _is_finding(found: object) -> bool:
    if not isinstance(found, tuple | list) or len(found) != 3:
        return False
    module, cause, numbers = found
    texts = isinstance(module, str) and isinstance(cause, str)
    return (
        texts
        and isinstance(numbers, list | tuple | set)
        and all(isinstance(number, int) for number in numbers)
    )
