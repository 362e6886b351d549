"""A timeline in words: alternative text, caption, and a table that says the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grader.visuals.labels import one_line, reply_words
from grader.vocabulary import Observation, Run

TOLD_LIMIT = 5  # outcomes that an alternative text tells one by one
QUOTED = 80  # characters of a reply that it quotes


@dataclass(frozen=True, slots=True)
class Row:
    """One observation in words; `process` is empty for what no process did."""

    number: int
    process: str
    what: str
    detail: str


def rows(run: Run) -> tuple[Row, ...]:
    """Return one row for each observation, drawn or not."""
    return tuple(_row(seen) for seen in run.observations)


def alt(run: Run, evidence: Collection[int] = ()) -> str:
    """Return what the picture shows, in at most three sentences."""
    names = sorted({s.process for s in run.observations if s.process is not None})
    count = f"{len(names)} {'process' if len(names) == 1 else 'processes'}"
    shown = [s for s in run.observations if s.number in evidence]
    shown = shown or [s for s in run.observations if _is_outcome(s)]
    if len(shown) <= TOLD_LIMIT:
        outcomes = "; ".join(_outcome(seen) for seen in shown)
    else:
        outcomes = _summary(shown)
    parts = [f"Timeline of {count}: {one_line(run.description)}", _upper(outcomes)]
    if known := _known(run, evidence):
        parts.append(f"In full ink: {_numbers(known)}")
    if run.broken:
        parts.append("The run could not be finished")
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def caption(run: Run, evidence: Collection[int] = (), message: str = "") -> str:
    """Return the message of the picture, then where to look."""
    first = _upper(one_line(message or run.description)).rstrip(".")
    if known := _known(run, evidence):
        return f"{first}. The evidence, {_numbers(known)}, is in full ink."
    return f"{first}. A number names an observation in the table."


def table_text(table: Sequence[Row]) -> str:
    """Return the table as plain text."""
    wide = max((len(row.process) for row in table), default=0)
    what = max((len(row.what) for row in table), default=0)
    return "\n".join(
        f"{'#' + str(row.number):>5}  {row.process:<{wide}}  {row.what:<{what}}  "
        f"{row.detail}".rstrip()
        for row in table
    )


def _row(seen: Observation) -> Row:
    """Split an observation's own line, so that table and report say the same."""
    process = "" if seen.process is None else f"process {seen.process}"
    line = str(seen).removeprefix(f"#{seen.number}").strip()
    line = one_line(line.removeprefix(process).strip())
    return Row(seen.number, process, _what(seen), line)


def _what(seen: Observation) -> str:
    if seen.kind == "start":
        return "restart" if seen.data.get("restarted") else "start"
    if seen.kind == "reply" and not seen.ok:
        return "no reply"
    names = {"model": "model asked", "answer": "model answers", "broken": "no import"}
    names |= {"charge": "ledger asked", "fetch": "upstream asked"}
    names |= {"fetched": "upstream answers"}
    return names.get(seen.kind, seen.kind)


def _is_outcome(seen: Observation) -> bool:
    restarts = seen.kind == "start" and bool(seen.data.get("restarted"))
    return restarts or seen.kind in {"reply", "fault", "broken", "limit"}


def _outcome(seen: Observation) -> str:
    said = str(seen).removeprefix(f"#{seen.number}").strip()
    if seen.kind == "reply" and seen.ok:
        said = f"process {seen.process} replies {_cut(reply_words(seen))}"
    elif seen.kind == "reply":
        function = seen.data.get("function")
        said = f"process {seen.process}, {function}: {reply_words(seen)}"
    return f"{_cut(one_line(said), 2 * QUOTED)} (#{seen.number})"


def _summary(shown: Sequence[Observation]) -> str:
    replies = [s for s in shown if s.kind == "reply"]
    without = [s for s in replies if not s.ok]
    others = [s for s in shown if s.kind != "reply"]
    calls = f"{len(replies)} {'call' if len(replies) == 1 else 'calls'}"
    parts = [f"{calls}, {len(without) or 'none'} without a value"] if replies else []
    parts += [_outcome(seen) for seen in others[:TOLD_LIMIT]]
    if more := len(others) - TOLD_LIMIT:
        parts += [f"{more} more"] if more > 0 else []
    return "; ".join([*parts, *(f"last, {_outcome(s)}" for s in replies[-1:])])


def _known(run: Run, evidence: Collection[int]) -> list[int]:
    return sorted({seen.number for seen in run.observations} & set(evidence))


def _numbers(numbers: Sequence[int]) -> str:
    names = [f"#{number}" for number in numbers]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _cut(text: str, length: int = QUOTED) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
