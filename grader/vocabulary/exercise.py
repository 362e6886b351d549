"""An exercise is a contract, its scenarios, and the checks that judge them."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from grader.vocabulary.advice import Advice, advised
from grader.vocabulary.history import History
from grader.vocabulary.observation import CheckFailed, Observation
from grader.vocabulary.run import Run
from grader.vocabulary.scenario import Scenario, Step
from grader.vocabulary.verdict import Result, Status

SQLITE, POSTGRES = "sqlite", "postgres"
DATABASES = (SQLITE, POSTGRES)
APPLICATION = re.compile(r"^(\w+): ASGI application$")
SIGNATURE = re.compile(r"^(\w+)\(([\w, ]*)\) -> (.+)$")


@dataclass(frozen=True, slots=True)
class Function:
    """One function that a submission must define."""

    name: str
    parameters: tuple[str, ...]
    returns: str

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.parameters)}) -> {self.returns}"


@dataclass(frozen=True, slots=True)
class Check:
    """A pure function of runs, with its one-line claim."""

    name: str
    claim: str
    points: float
    judge: Callable[..., None]
    scenarios: tuple[str, ...]
    needs: tuple[Check, ...] = ()
    help: str = ""  # where a failure suggests nothing of its own


@dataclass
class Exercise:
    """One failure mode to understand and repair.

    Args:
        title: the failure as a sentence.
        contract: signatures such as "chat(thread_id, text) -> str"; or
            "api: ASGI application", and each process is a server that runs it.
        hints: a ladder, from a question to a pointer.
        advice: pairs of a regular expression over a failure's text and what to
            suggest when it matches, before what is suggested for common errors; a
            match wins over a check's own help.
        database: where the processes keep their checkpoints: "sqlite", a file of
            which the path is in CHECKPOINT_DB, or "postgres", which has its URL in
            DATABASE_URL as well.
        prepared: whether LangGraph's tables are in PostgreSQL from the start.
        opening: steps that each scenario opens with.
        balanced: whether its servers stand behind nginx, where the machine has it.
    """

    title: str
    contract: Sequence[str]
    hints: Sequence[str]
    advice: Advice = ()
    database: str = SQLITE
    prepared: bool = True
    opening: tuple[Step, ...] = ()
    balanced: bool = False
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions of the contract, parsed."""
        texts = [text for text in self.contract if not APPLICATION.match(text)]
        return tuple(_function(text) for text in texts)

    @property
    def application(self) -> str:
        """The name of the ASGI application that the contract asks for, or ""."""
        found = [APPLICATION.match(text) for text in self.contract]
        return next((match[1] for match in found if match), "")

    @property
    def points(self) -> float:
        """The points of all checks."""
        return sum(check.points for check in self.checks.values())

    def scenario(self, name: str, description: str, *steps: Step) -> Scenario:
        """Add a scenario; checks select it by a parameter of the same name."""
        steps = (*self.opening, *steps)
        self.scenarios[name] = Scenario(name, description, steps)
        return self.scenarios[name]

    def check(
        self, *, points: float, needs: Check | Sequence[Check] = (), help: str = ""
    ) -> Callable[[Callable[..., None]], Check]:
        """Add the decorated function as a check; its docstring is the claim.

        `help` is suggested where a failure of it suggests nothing of its own.
        """
        required = (needs,) if isinstance(needs, Check) else tuple(needs)

        def add(judge: Callable[..., None]) -> Check:
            scenarios = tuple(inspect.signature(judge).parameters)
            unknown = [name for name in scenarios if name not in self.scenarios]
            if unknown or not judge.__doc__:
                raise ValueError(
                    f"expected check {judge.__name__} to have a claim as its docstring "
                    f"and scenarios as parameters, found unknown {unknown}"
                )
            claim = " ".join(judge.__doc__.split())
            check = Check(
                judge.__name__, claim, points, judge, scenarios, required, help
            )
            self.checks[check.name] = check
            return check

        return add

    def judge(self, history: History) -> tuple[Result, ...]:
        """Judge a history by every check, in the order of definition."""
        results: dict[str, Result] = {}
        for check in self.checks.values():
            results[check.name] = self._result(check, history, results)
        return tuple(results.values())

    def refuse(self, until: str) -> tuple[Result, ...]:
        """Return the results of a submission that could not be run at all."""
        return tuple(_skipped(check, until) for check in self.checks.values())

    def unknown(self, reason: str) -> tuple[Result, ...]:
        """Return the results of a run in which the grader or the machine broke."""
        return tuple(_unknown(check, reason) for check in self.checks.values())

    def advised(self, text: str) -> str:
        """Return what the exercise suggests where a failure's text is this, or ""."""
        return advised(text, self.advice)

    def _result(
        self, check: Check, history: History, before: dict[str, Result]
    ) -> Result:
        runs = [history.runs[name] for name in check.scenarios]
        broken = [run.broken for run in runs if run.broken]
        if broken:
            return _unknown(check, broken[0])
        for need in check.needs:
            if before[need.name].status is Status.error:
                return _unknown(check, f'"{need.claim}" could not be judged')
            if before[need.name].status is not Status.passed:
                return _skipped(check, f'"{need.claim}" passes')
        try:
            check.judge(*runs)
        except CheckFailed as failure:
            return self._failed(check, failure, runs)
        except Exception:  # a check that breaks is our defect, never a zero
            return _unknown(check, traceback.format_exc(limit=-3))
        return Result(
            check.name, check.claim, Status.passed, check.points, check.points
        )

    def _failed(
        self, check: Check, failure: CheckFailed, runs: Sequence[Run]
    ) -> Result:
        evidence = tuple(str(seen) for seen in failure.because)
        text = "\n".join([failure.rationale, *evidence])
        help = check.help if failure.help is None else failure.help
        return Result(
            check.name,
            check.claim,
            Status.failed,
            0.0,
            check.points,
            failure.rationale,
            evidence,
            tuple(seen.number for seen in failure.because),
            _scenario_of(failure.because, runs),
            self.advised(text) or help,
        )


def _function(text: str) -> Function:
    match = SIGNATURE.match(text)
    if match is None:
        raise ValueError(f'expected "name(parameter, …) -> type", found {text!r}')
    name, parameters, returns = match.groups()
    return Function(
        name, tuple(p.strip() for p in parameters.split(",") if p.strip()), returns
    )


def _scenario_of(because: Sequence[Observation], runs: Sequence[Run]) -> str:
    for run in runs:
        if because and because[0] in run.observations:
            return run.scenario
    return runs[0].scenario if runs else ""


def _skipped(check: Check, until: str) -> Result:
    return Result(
        check.name,
        check.claim,
        Status.skipped,
        0.0,
        check.points,
        f"skipped until {until}",
    )


def _unknown(check: Check, reason: str) -> Result:
    return Result(check.name, check.claim, Status.error, 0.0, check.points, reason)
