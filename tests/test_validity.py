"""What the commands `validity` and `soak` say of a corpus, and with which status."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path

import pytest

from grader import __main__, bench, catalog, validity
from grader.corpus import FOLDER, Specimen, specimens
from grader.validity import IMPORT, Trial, judged, upper_bound, with_solution
from grader.vocabulary import Result, Status, Verdict

STEM = "ex00_start_here"
CHECKS = tuple(catalog.load(STEM).checks)
PROGRAMS = Path(__file__).parents[1] / FOLDER / STEM
README = "# A course\n\n<!-- validity -->\nas it was\n<!-- /validity -->\n\nThe end.\n"
HEAD = (
    "| exercise | right, accepted | wrong, rejected | rejected by |\n|---|---|---|---|"
)


def specimen(name: str, *caught_by: str) -> Specimen:
    """Return a submission by its folder and file; nobody reads its text."""
    return Specimen(STEM, Path(f"{name}.py"), "", "", caught_by)


def verdict(*failed: str, unknown: str = "", problem: str = "") -> Verdict:
    """Return a verdict in which these checks failed, and one could not be judged."""
    ends = {unknown: Status.error, **dict.fromkeys(failed, Status.failed)}
    ends |= dict.fromkeys(CHECKS, Status.skipped) if problem else {}
    results = [
        Result(name, "a claim", ends.get(name, Status.passed), 0, 5, "the disk is full")
        for name in CHECKS
    ]
    return Verdict(STEM, "A title", 4711, 0, tuple(results), problem)


RIGHT, WRONG = specimen("right/kept"), specimen("wrong/twice", "never_twice")
GOOD = [judged(RIGHT, verdict()), judged(WRONG, verdict("never_twice"))]
FALSE_ACCEPT = judged(WRONG, verdict())
FALSE_REJECT = judged(RIGHT, verdict("counts_on"))
NO_VERDICT = judged(WRONG, verdict("counts_on", unknown="never_twice"))
OTHERWISE = judged(WRONG, verdict("counts_on"))
MISTAKES = {
    "wrong/twice: false accept": FALSE_ACCEPT,
    "right/kept: false reject: ('counts_on',)": FALSE_REJECT,
    "right/kept: false reject: no module": judged(RIGHT, verdict(problem="no module")),
    "wrong/twice: caught by ('counts_on',), expected never_twice": OTHERWISE,
    "wrong/twice: caught by ('counts_on', 'never_twice'), expected never_twice": judged(
        WRONG, verdict(*CHECKS)
    ),
    "wrong/twice: caught by ('import',), expected never_twice": judged(
        WRONG, verdict(problem="no module")
    ),
}
ERRORS = {
    "wrong/twice: error: the disk is full": NO_VERDICT,
    "right/kept: error: the disk is full": judged(RIGHT, verdict(unknown="counts_on")),
}

Say = Callable[..., int]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one exercise, of whose corpus there is nothing yet."""
    for kind in ("right", "wrong"):
        (tmp_path / FOLDER / STEM / kind).mkdir(parents=True)
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    monkeypatch.setattr(__main__, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def say(course: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return what runs a command whose verdicts are these."""

    def said(command: str, *found: Trial) -> int:
        async def trials(*_: object) -> AsyncIterator[Trial]:
            for trial in found:
                yield trial

        monkeypatch.setattr(validity, "trials", trials)
        return __main__.main([command])

    return said


def put(course: Path, name: str, program: str, caught_by: str = "") -> None:
    """Put a program of the real corpus into the course's, as something else."""
    _, _, text = (PROGRAMS / program).read_text(encoding="utf-8").partition('"""\n')
    about = f'"""Caught by: {caught_by}."""\n' if caught_by else ""
    kept = course / FOLDER / STEM / f"{name}.py"
    kept.write_text(about + text, encoding="utf-8")


@pytest.mark.parametrize("command", ["validity", "soak"])
@pytest.mark.parametrize("mistake", [*MISTAKES, *ERRORS])
def test_each_mistake_is_said(
    say: Say, capsys: pytest.CaptureFixture[str], command: str, mistake: str
) -> None:
    """among right verdicts one mistake is named with its seed, and the status is 1"""
    assert say(command, *GOOD, {**MISTAKES, **ERRORS}[mistake]) == 1
    named = [x for x in capsys.readouterr().out.splitlines() if "seed" in x]
    assert named == [f"{STEM} {mistake} (seed 4711)"]


@pytest.mark.parametrize("command", ["validity", "soak"])
def test_a_corpus_without_a_mistake(
    say: Say, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """where every verdict is as it should be nothing is named, and the status is 0"""
    import_error = judged(specimen("wrong/x", IMPORT), verdict(problem="no module"))
    assert say(command, *GOOD, import_error) == 0
    assert "seed" not in capsys.readouterr().out


def test_mistakes_and_errors_are_counted_apart(
    say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    """a soak counts wrong verdicts both ways; what is no verdict is in neither number
    of their rate"""
    found = [FALSE_ACCEPT, FALSE_REJECT, OTHERWISE, *ERRORS.values(), *GOOD * 50]
    assert say("soak", *found) == 1
    counted = capsys.readouterr().out.splitlines()[0].split()
    assert counted[1:7] == ["105", "runs", "2", "errors", "3", "mistakes"]
    assert f"95 % bound {upper_bound(3, 103):.2%}" in " ".join(counted)


def test_a_soak_of_errors_only(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    """without a single verdict nothing is known of their rate of mistakes"""
    assert say("soak", *ERRORS.values()) == 1
    assert "2 errors    0 mistakes  95 % bound 100.00%" in capsys.readouterr().out


def test_the_table_counts_what_was_seen(say: Say, course: Path) -> None:
    """README says how many were accepted, rejected, and by what: an error is neither,
    and nothing else in README changes"""
    found = [*GOOD, *MISTAKES.values(), *ERRORS.values()]
    assert say("validity", *found) == 1
    by = "`counts_on` 2, `never_twice` 2, `import` 1"
    row = f"| {STEM} | 1 of 4 | 4 of 6 | {by} |"
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert readme == README.replace("as it was", f"{HEAD}\n{row}")


def test_a_corpus_judged(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """real programs under false names: the verdicts, the table and the status are
    those of the programs and not of their names"""
    put(course, "right/counts", "right/row_per_ticket.py")
    put(course, "right/forgets", "wrong/starter_from_memory.py")
    put(course, "wrong/counts", "right/row_per_ticket.py", "counts_on")
    put(course, "wrong/forgets", "wrong/starter_from_memory.py", "counts_on")
    put(course, "wrong/named_otherwise", "wrong/starter_from_memory.py", "never_twice")
    assert __main__.main(["validity"]) == 1
    table = f"{HEAD}\n| {STEM} | 1 of 2 | 2 of 3 | `counts_on` 2 |"
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert readme == README.replace("as it was", table)
    mistakes = (
        r"right/forgets: false reject: \('counts_on',\)",
        "wrong/counts: false accept",
        r"wrong/named_otherwise: caught by \('counts_on',\), expected never_twice",
    )
    lines = "\n".join(rf"{STEM} {mistake} \(seed \d+\)" for mistake in mistakes)
    assert re.fullmatch(f"{re.escape(table)}\n{lines}\n", capsys.readouterr().out)


def test_a_corpus_judged_over_and_over(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """every submission in turn until there are as many verdicts as were asked for"""
    put(course, "right/counts", "right/row_per_ticket.py")
    put(course, "wrong/forgets", "wrong/starter_from_memory.py", "counts_on")
    assert __main__.main(["soak", "ex00", "--runs", "3"]) == 0
    line, _ = capsys.readouterr().out.splitlines()
    assert line.split()[:7] == [STEM, "3", "runs", "0", "errors", "0", "mistakes"]
    assert "95 % bound 63.16%" in line


@pytest.mark.parametrize("stem", catalog.stems())
def test_the_notebooks_own_solution_is_soaked(stem: str) -> None:
    """each notebook's solution, as the service is sent it, is judged as a right one,
    beside all of the corpus"""
    solution, *rest = with_solution(bench.ROOT, stem)
    assert solution.text == bench.solution_of(stem)
    assert solution.right
    assert rest == list(specimens(bench.ROOT, stem))
    assert solution.name not in {other.name for other in rest}


def test_a_solution_that_is_wrong(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """a soak names the notebook whose own solution is rejected, and the table in
    README, which is of the corpus, leaves it out"""
    put(course, "right/counts", "right/row_per_ticket.py")
    wrong = (PROGRAMS / "wrong/starter_from_memory.py").read_text(encoding="utf-8")
    source = course / "solutions" / STEM / f"{STEM}.py"
    source.parent.mkdir(parents=True)
    head = '# %% [markdown] id="fix"\n# ## Fix\n\n# %% role="submission"\n'
    more = '\n\n# %% [markdown] id="check"\n# ## Check\n'
    source.write_text(f"{head}# %%submission\n{wrong}{more}", encoding="utf-8")
    assert __main__.main(["soak", "ex00", "--runs", "2"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "2 runs" in lines[0]
    assert f"{STEM} right/notebook: false reject: ('counts_on',)" in lines[-1]
    assert __main__.main(["validity"]) == 0
    assert f"| {STEM} | 1 of 1 | 0 of 0 |" in capsys.readouterr().out


@pytest.mark.parametrize("runs", [1, 10, 300, 3000])
def test_the_bound_of_no_mistake(runs: int) -> None:
    """it is where as many right verdicts in a row come up once in twenty: about 3 / n,
    and never more"""
    bound = upper_bound(0, runs)
    assert math.isclose(bound, 1 - 0.05 ** (1 / runs), rel_tol=1e-9)
    assert runs < 10 or 0.85 < bound / (3 / runs) < 1


@pytest.mark.parametrize(
    ("mistakes", "runs"), [(1, 10), (2, 20), (5, 100), (9, 10), (3, 2000), (290, 300)]
)
def test_the_bound_is_exact(mistakes: int, runs: int) -> None:
    """a millionth below it so few mistakes come up more than once in twenty soaks, a
    millionth above it less often, as Clopper and Pearson define it"""
    bound = upper_bound(mistakes, runs)
    assert at_most(mistakes, runs, bound * (1 + 1e-6)) < Fraction(1, 20)
    assert at_most(mistakes, runs, bound * (1 - 1e-6)) > Fraction(1, 20)


@pytest.mark.parametrize(("mistakes", "runs"), [(0, 0), (3, 3)])
def test_the_bound_of_nothing_known(mistakes: int, runs: int) -> None:
    """where no verdict was right, or there was none, any rate is possible"""
    assert upper_bound(mistakes, runs) == 1.0


def at_most(mistakes: int, runs: int, rate: float) -> Fraction:
    """Return how likely so few mistakes are, exactly: counted in whole numbers."""
    whole = 10**12
    wrong = round(rate * whole)
    ways = (
        math.comb(runs, k) * wrong**k * (whole - wrong) ** (runs - k)
        for k in range(mistakes + 1)
    )
    return Fraction(sum(ways), whole**runs)
