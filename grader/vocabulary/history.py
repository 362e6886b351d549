"""A history is everything that was observed, in order: the waist of the hourglass."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.vocabulary.drawn import Drawn
from grader.vocabulary.observation import Observation, short
from grader.vocabulary.run import Run

FORMAT = 1  # raised when a history written before can no longer be read


@dataclass(frozen=True, slots=True)
class History:
    """All runs of one submission."""

    exercise: str
    seed: int
    processes: int
    runs: Mapping[str, Run]

    def to_lines(self) -> Iterable[str]:
        """Yield the history as JSON lines: a header, then every run's lines."""
        yield json.dumps(
            {
                "history": FORMAT,
                "exercise": self.exercise,
                "seed": self.seed,
                "processes": self.processes,
            }
        )
        for run in self.runs.values():
            yield scenario_line(run.scenario, run.description, run.drawn)
            for seen in run.observations:
                yield json.dumps({"scenario": run.scenario, **seen.to_json()})
            if run.broken:
                yield json.dumps({"scenario": run.scenario, "broken": run.broken})

    def save(self, path: Path) -> None:
        """Write the history as JSON lines."""
        path.write_text("\n".join(self.to_lines()) + "\n", encoding="utf-8")


def scenario_line(name: str, description: str, drawn: Drawn) -> str:
    """Return the line that opens a scenario in a saved history."""
    return json.dumps(
        {"scenario": name, "description": description, "drawn": dict(drawn.values)}
    )


def load(path: Path) -> History:
    """Read a saved history; a last line cut off by a crash is left out.

    Raises:
        ValueError: the file is not a history, or of another format.
    """
    return parse(path.read_text(encoding="utf-8", errors="replace"))


def parse(text: str) -> History:
    """Read a history from its JSON lines; see `load`."""
    *whole, _cut_off = text.split("\n")
    try:
        lines = [json.loads(line) for line in whole]
        header = lines.pop(0)
        version = header["history"]
    except (LookupError, RecursionError, TypeError, ValueError) as problem:
        raise ValueError(
            "expected a history: a header line, then one observation a line; "
            f"found {short(text[:80])}"
        ) from problem
    if version != FORMAT:
        raise ValueError(f"expected a history of format {FORMAT}, found {version!r}")
    try:
        return _assemble(header, lines)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"found a line that is no observation: {problem!r}") from None


def _assemble(header: Mapping[str, Any], lines: list[dict[str, Any]]) -> History:
    opened: dict[str, dict[str, Any]] = {}
    seen: dict[str, list[Observation]] = {}
    broken: dict[str, str] = {}
    for line in lines:
        name = line.pop("scenario")
        if "drawn" in line:
            opened[name] = line
            seen[name] = []
        elif "broken" in line:
            broken[name] = line["broken"]
        else:
            seen[name].append(Observation(**line))
    runs = {
        name: Run(
            name,
            line["description"],
            Drawn(line["drawn"]),
            tuple(seen[name]),
            broken.get(name, ""),
        )
        for name, line in opened.items()
    }
    return History(header["exercise"], header["seed"], header["processes"], runs)
