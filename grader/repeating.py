"""The command `check --certificate`: every proof in a certificate is proved again."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from grader import catalog, runner
from grader.certifying import document, proof
from grader.certifying.document import Certificate, Entry
from grader.certifying.page import form, page
from grader.certifying.proof import Proof
from grader.checking import BROKE, FAILED, PASSED, refuse
from grader.harness import tiers
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.launchers import best_launcher
from grader.reports import words
from grader.sandbox import mounts
from grader.submissions import BadInput

HOLDS, FALSE, UNKNOWN, NOT_PROVED = "holds", "does not hold", "not judged", "not proved"
MARKS = {HOLDS: "✓", FALSE: "✗", UNKNOWN: "!", NOT_PROVED: "–"}
ONLY_FOR_A_FILE = ("exercise", "processes", "database", "html", "history")
ACCEPT = (
    "the programs in a certificate are somebody else's; `python -m grader doctor` says "
    "what is missing, and --accept-tier 2 or 3 runs them all the same"
)
NOT_REPEATED = (
    "The name, the dates and the isolation are what the certificate says; "
    "no run can repeat them."
)


class NotIsolated(Exception):
    """This machine shuts a stranger's programs off less than was asked for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of repeating one exercise's proof."""

    exercise: str
    state: str
    what: str


def check(chosen: argparse.Namespace) -> int:
    """Repeat all proofs of the chosen file, say what holds, return the exit status."""
    given = [name for name in ONLY_FOR_A_FILE if getattr(chosen, name)]
    if given:
        return refuse(
            f"expected nothing but --seed and --json with --certificate, "
            f"found --{given[0]}",
            "a certificate says itself how each proof is repeated",
        )
    try:
        made, text = document.read(chosen.certificate)
    except BadInput as problem:
        return refuse(str(problem), problem.help)
    try:
        return asyncio.run(_check(made, text, chosen))
    except NotIsolated as refused:
        print(f"{refused}\n  help: {ACCEPT}", file=sys.stderr)
    except (GraderBroke, OSError) as problem:
        print(f"the grader or the machine broke: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted; not every proof was repeated", file=sys.stderr)
    return BROKE


async def _check(made: Certificate, text: str, chosen: argparse.Namespace) -> int:
    say = _silent if chosen.json else print
    say(f"certificate of {words.printable(made.name)}, {made.date.strip()}")
    findings = list(doubts(made, text))
    for finding in findings:
        say(_line(finding))
    async for finding in repeated(made, chosen.seed, chosen.accept_tier):
        findings.append(finding)
        say(_line(finding))
    states = [finding.state for finding in findings]
    held = states.count(HOLDS)
    say(f"{held} of {len(made.proved)} proofs hold. {NOT_REPEATED}")
    if chosen.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    if UNKNOWN in states:
        return BROKE
    return PASSED if FALSE not in states and held else FAILED


def doubts(made: Certificate, text: str) -> list[Finding]:
    """Return what does not hold of a certificate as a whole, before anything is run.

    Args:
        made: the certificate.
        text: of the file; a page must say what its data say.
    """
    listed = [entry.exercise for entry in made.exercises]
    found = [
        Finding(stem, FALSE, "an exercise of the course, and not in the certificate")
        for stem in catalog.stems()
        if stem not in listed
    ]
    found += [
        Finding(stem, FALSE, f"listed {listed.count(stem)} times")
        for stem in dict.fromkeys(listed)
        if listed.count(stem) > 1
    ]
    if not made.proved:
        found.append(Finding("all", FALSE, "the certificate proves nothing"))
    is_page = text.lstrip().startswith("<")
    if is_page and made.form == form() and text != page(made):
        found.append(Finding("the page", FALSE, "its words are not those of its data"))
    elif is_page and made.form != form():
        say = "made with another form of the page: only its data were verified"
        found.append(Finding("the page", NOT_PROVED, say))
    return found


async def repeated(
    made: Certificate, seed: int | None, accept_tier: int = tiers.ISOLATED
) -> AsyncIterator[Finding]:
    """Yield for each exercise whether its proof holds when it is run again.

    Args:
        made: the certificate; of what it lists twice only the first is run.
        seed: to run everything with as well, or None.
        accept_tier: the weakest isolation in which anything is run.

    Raises:
        NotIsolated: there is less.
    """
    mounts.own()
    first = {entry.exercise: entry for entry in reversed(made.exercises)}
    async with Harness(best_launcher()) as harness:
        if harness.tier > accept_tier:
            raise NotIsolated(
                f"expected a machine that isolates submissions (tier {accept_tier}), "
                f"found tier {harness.tier}, {harness.tier_name}"
            )
        for entry in reversed(first.values()):
            yield await _repeat(harness, entry, seed)


async def _repeat(harness: Harness, entry: Entry, seed: int | None) -> Finding:
    stem, shown = entry.exercise, entry.proof
    if stem not in catalog.stems():
        return Finding(stem, FALSE, "expected an exercise of the course, found none")
    if shown is None:
        return Finding(stem, NOT_PROVED, "and the certificate says so")
    wrong = differs(entry, shown)
    if wrong:
        return Finding(stem, FALSE, wrong)
    for number in (shown.seed, *(() if seed is None else (seed,))):
        outcome = await runner.check(
            harness,
            stem,
            catalog.load(stem),
            shown.text,
            number,
            shown.processes,
            database=shown.database,
        )
        verdict = outcome.verdict
        if verdict.unknown:
            broken = next(r.rationale for r in verdict.results if r.status == "error")
            return Finding(stem, UNKNOWN, words.last_line(broken))
        for said, found in zip(shown.claims, proof.claims(verdict), strict=True):
            if said.score != found.score:
                return Finding(
                    stem,
                    FALSE,
                    f"expected {words.points(said.score)} for “{said.claim}”, "
                    f"found {words.number(found.score)} with seed {number}",
                )
    also = "" if seed is None else f", and with seed {seed}"
    score = f"{words.number(shown.score)} of {words.points(shown.points)}"
    return Finding(stem, HOLDS, f"{score}, seed {shown.seed}{also}")


def differs(entry: Entry, shown: Proof) -> str:
    """Return in what a proof contradicts itself or the course; empty where it does not.

    The title and the claims are the course's own: a certificate cannot word them.
    """
    exercise = catalog.load(entry.exercise)
    if proof.digest(shown.text) != shown.sha256:
        return "the submission's text is not the one of its digest"
    if entry.title != exercise.title:
        return f"expected the title {exercise.title!r}, found {entry.title!r}"
    said = tuple((claim.check, claim.claim, claim.points) for claim in shown.claims)
    if said != proof.promised(exercise):
        return "its claims are not those of the exercise"
    return ""


def _line(finding: Finding) -> str:
    mark, name = MARKS[finding.state], words.printable(finding.exercise).strip()
    return words.printable(f"  {mark} {name}  {finding.state}: {finding.what}")


def _silent(text: str) -> None:
    """Print nothing: what is said is in the JSON."""
