"""Writes a history as it happens, so that a crash loses at most its last line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from grader.harness.launch import GraderBroke
from grader.harness.limits import HISTORY_LIMIT_B, OBSERVATIONS_LIMIT
from grader.vocabulary import Drawn, Observation, Run, Scenario
from grader.vocabulary.history import FORMAT, scenario_line


class Journal:
    """One file for all scenarios of a submission; a line is written at once."""

    def __init__(self, path: Path, exercise: str, seed: int, processes: int) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        header = {"exercise": exercise, "seed": seed, "processes": processes}
        self.write({"history": FORMAT, **header})

    def write(self, line: dict[str, Any] | str) -> None:
        """Append one line; raises `GraderBroke` when the disk is full."""
        text = line if isinstance(line, str) else json.dumps(line)
        try:
            self._file.write(text + "\n")
        except OSError as problem:
            raise GraderBroke(f"the history could not be written: {problem}") from None

    def close(self) -> None:
        """Close the file; the history stays."""
        self._file.close()


class Recorder:
    """The observations of one scenario, numbered from 1."""

    def __init__(self, journal: Journal, scenario: Scenario, drawn: Drawn) -> None:
        self._journal, self.scenario, self.drawn = journal, scenario, drawn
        self.observations: list[Observation] = []
        self.full = ""  # the limit that was reached, after which nothing is kept
        self._size_b = 0
        self._began = time.monotonic()
        journal.write(scenario_line(scenario.name, scenario.description, drawn))

    def record(self, kind: str, process: int | None = None, **data: Any) -> Observation:
        """Write down one fact; past a limit nothing more is kept, and it is `full`."""
        number = len(self.observations) + 1
        at_ms = round((time.monotonic() - self._began) * 1000, 1)
        seen = Observation(number, kind, process, at_ms, data)
        line = json.dumps({"scenario": self.scenario.name, **seen.to_json()})
        self._size_b += len(line)
        if number > OBSERVATIONS_LIMIT:
            self.full = f"{OBSERVATIONS_LIMIT} observations"
        elif self._size_b > HISTORY_LIMIT_B:
            self.full = f"{HISTORY_LIMIT_B} bytes of observations"
        if not self.full:
            self.observations.append(seen)
            self._journal.write(line)
        return seen

    def run(self, broken: str = "") -> Run:
        """Return what was recorded."""
        name, description = self.scenario.name, self.scenario.description
        return Run(name, description, self.drawn, tuple(self.observations), broken)
