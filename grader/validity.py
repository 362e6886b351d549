"""The commands `validity` and `soak`: is every submission judged as it should be?"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import catalog, readme, runner, traffic
from grader.corpus import Specimen, specimens
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.vocabulary import Status, Verdict

IMPORT = "import"  # what catches a submission that cannot be run at all
# The cell of a notebook's source that holds its solution, up to the next cell. Its
# starter is in comments there, so it is a module as it stands.
SOLUTION = re.compile(
    r'^# %% role="submission"[^\n]*\n# %%submission\n(.*?)(?=^# %%[ \n]|\Z)',
    re.MULTILINE | re.DOTALL,
)
Corpus = Callable[[Path, str], Iterator[Specimen]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One submission judged once; `mistake` says what was wrong with the verdict.

    `failed` names the checks that failed, or `import` where it could not be run;
    `unknown` says that there is no verdict, because the grader or the machine broke.
    """

    specimen: Specimen
    passed: bool
    failed: tuple[str, ...]
    mistake: str = ""
    duration_s: float = 0.0
    unknown: bool = False


def judged(specimen: Specimen, verdict: Verdict) -> Trial:
    """Compare a verdict with what the corpus says of the submission."""
    failed = tuple(r.check for r in verdict.results if r.status is Status.failed)
    if verdict.problem:
        failed = (IMPORT,)
    if verdict.unknown:
        reasons = {r.rationale for r in verdict.results if r.status is Status.error}
        mistake = f"error: {'; '.join(reasons)}"
    elif specimen.right:
        mistake = "" if verdict.passed else f"false reject: {verdict.problem or failed}"
    elif verdict.passed:
        mistake = "false accept"
    else:
        differs = set(failed) != set(specimen.caught_by)
        expected = ", ".join(specimen.caught_by)
        mistake = f"caught by {failed}, expected {expected}" if differs else ""
    where = f" (seed {verdict.seed})" if mistake else ""
    found = verdict.duration_s, verdict.unknown
    return Trial(specimen, verdict.passed, failed, mistake + where, *found)


def with_solution(root: Path, stem: str) -> Iterator[Specimen]:
    """Yield the solution of the exercise's notebook, if it has one, then the corpus."""
    source = root / "solutions" / stem / f"{stem}.py"
    if source.is_file():
        (found,) = SOLUTION.findall(source.read_text(encoding="utf-8"))
        # Line 1 is the magic, as in all that a notebook sends.
        text = f"\n{found.rstrip()}"
        yield Specimen(stem, Path("right", "notebook.py"), text, "")
    yield from specimens(root, stem)


async def trials(
    root: Path,
    stems: Sequence[str],
    runs: int,
    corpus_of: Corpus = specimens,
    processes: Sequence[int] = (0, 4),
) -> AsyncIterator[Trial]:
    """Judge the corpus until each exercise has at least `runs` verdicts.

    Every submission is judged at least once, the numbers of processes in turn.
    """
    async with Harness(best_launcher()) as harness:
        for stem in stems:
            corpus = list(corpus_of(root, stem))
            for number in range(max(runs, len(corpus)) if corpus else 0):
                specimen = corpus[number % len(corpus)]
                count = processes[(number // len(corpus)) % len(processes)]
                outcome = await runner.check(
                    harness, stem, catalog.load(stem), specimen.text, processes=count
                )
                yield judged(specimen, outcome.verdict)


def validity(root: Path) -> int:
    """Judge every submission once, write the table into README; 1 if one is wrong."""
    found = asyncio.run(_collect(root, catalog.stems(), runs=0))
    table = table_of(found)
    readme.update(root, "validity", table)
    print(table)
    return report(found)


def soak(root: Path, stems: Sequence[str], runs: int, long: bool = False) -> int:
    """Judge the corpus, and the notebooks' own solutions, over and over.

    There are `runs` verdicts an exercise; mistakes are reported, and their bound.

    An exercise may be named by the beginning of its stem. That with a game day has a
    long form, which comes first where it is named, and alone with `long`.

    Raises:
        ValueError: no exercise is named so.
    """
    named = [named for stem in stems for named in _named(stem)]
    if (long or traffic.STEM in named) and not traffic.soak(root, runner.new_seed()):
        return 1
    if long:
        return 0
    began = time.monotonic()
    found = asyncio.run(_collect(root, named or catalog.stems(), runs, with_solution))
    for stem in sorted({trial.specimen.stem for trial in found}):
        of_stem = [trial for trial in found if trial.specimen.stem == stem]
        # No verdict is no wrong one: the bound is of those that there are.
        errors = sum(trial.unknown for trial in of_stem)
        mistakes = sum(bool(trial.mistake) for trial in of_stem) - errors
        durations = sorted(trial.duration_s for trial in of_stem)
        print(
            f"{stem:<30} {len(of_stem):>5} runs  {errors:>3} errors  "
            f"{mistakes:>3} mistakes  "
            f"95 % bound {upper_bound(mistakes, len(of_stem) - errors):.2%}  "
            f"median {durations[len(durations) // 2]:.2f} s  "
            f"p95 {durations[int(0.95 * (len(durations) - 1))]:.2f} s"
        )
    print(f"in {time.monotonic() - began:.0f} s")
    return report(found)


def _named(start: str) -> list[str]:
    found = [stem for stem in catalog.stems() if stem.startswith(start)]
    if not found:
        known = ", ".join(catalog.stems())
        raise ValueError(f"expected an exercise ({known}), found {start!r}")
    return found


def report(found: Sequence[Trial]) -> int:
    """Print every mistake; return 1 if there is one."""
    for trial in found:
        if trial.mistake:
            specimen = trial.specimen
            print(f"{specimen.stem} {specimen.name}: {trial.mistake}")
    return int(any(trial.mistake for trial in found))


def upper_bound(mistakes: int, runs: int) -> float:
    """Return the one-sided 95 % Clopper-Pearson bound of the rate of mistakes.

    The largest rate at which so few mistakes would still come up in 1 of 20 soaks;
    with no mistake it is about 3 / runs.
    """
    if runs == 0 or mistakes >= runs:
        return 1.0
    low, high = mistakes / runs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        # By their logarithms: the first terms may be too small for a float.
        term = runs * math.log1p(-middle)
        at_most = math.exp(term)
        for k in range(mistakes):
            term += math.log((runs - k) / (k + 1) * middle / (1 - middle))
            at_most += math.exp(term)
        low, high = (middle, high) if at_most > 0.05 else (low, middle)
    return high


def table_of(found: Sequence[Trial]) -> str:
    """Return the corpus as a Markdown table: accepted, rejected, and by which check."""
    lines = [
        "| exercise | right, accepted | wrong, rejected | rejected by |",
        "|---|---|---|---|",
    ]
    for stem in sorted({trial.specimen.stem for trial in found}):
        of_stem = [trial for trial in found if trial.specimen.stem == stem]
        right = [trial for trial in of_stem if trial.specimen.right]
        wrong = [trial for trial in of_stem if not trial.specimen.right]
        accepted = sum(trial.passed for trial in right)
        rejected = [trial for trial in wrong if not (trial.passed or trial.unknown)]
        by = Counter(name for trial in rejected for name in trial.failed)
        names = (*catalog.load(stem).checks, IMPORT)
        checks = ", ".join(f"`{name}` {by[name]}" for name in names if by[name])
        lines.append(
            f"| {stem} | {accepted} of {len(right)} | {len(rejected)} of {len(wrong)} "
            f"| {checks} |"
        )
    return "\n".join(lines)


async def _collect(
    root: Path, stems: Sequence[str], runs: int, corpus_of: Corpus = specimens
) -> list[Trial]:
    return [trial async for trial in trials(root, stems, runs, corpus_of)]
