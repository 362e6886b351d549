"""The log of a load: which process served which request, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

TITLES = ("run", "customer", "request", "process", "status", "exception", "finding")
PAGE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>{heads}</tr></thead><tbody>{shares}</tbody></table>"
    "<details><summary>All requests, by run</summary>"
    "<table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table></details>"
    "</figure>"
)
HEAD = Markup('<th scope="col">{}</th>')
FIRST = Markup('<th scope="row">{}</th>')
CELL = Markup('<td style="text-align:left">{}</td>')
SHARES = ("process", "requests", "with a finding")


@dataclass(frozen=True, slots=True)
class Row:
    """One request: who sent it, who served it, and what is wrong with the answer.

    `process` is the server's pid, 0 where its log does not say.
    """

    run: str
    customer: str
    what: str
    process: int = 0
    status: int = 0
    error: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Log:
    """All requests of one load."""

    workers: int
    rows: tuple[Row, ...]

    @property
    def findings(self) -> Counter[str]:
        """How often each thing was found."""
        named = [row.found.partition(" (")[0] for row in self.rows if row.found]
        return Counter(named)

    @property
    def processes(self) -> dict[int, str]:
        """A short name for each process, in the order of their first request."""
        pids = dict.fromkeys(row.process for row in self.rows if row.process)
        return {pid: f"{n} (pid {pid})" for n, pid in enumerate(pids, start=1)}

    @property
    def caption(self) -> str:
        """The message of the table."""
        sent = sum(bool(row.run) for row in self.rows)
        served = "one process" if self.workers == 1 else f"{self.workers} processes"
        found = [f"{count} × {name}" for name, count in self.findings.most_common()]
        return f"{sent} requests to {served}: {', '.join(found) or 'nothing found'}."

    @property
    def html(self) -> str:
        """The caption, a table by process, and one by request."""
        return str(
            PAGE.format(
                caption=self.caption,
                heads=_joined(HEAD, SHARES),
                shares=_rows(self._shares),
                titles=_joined(HEAD, TITLES),
                rows=_rows(self._table),
            )
        )

    @property
    def text(self) -> str:
        """The same as plain text."""
        lines = [self.caption]
        lines += [
            f"process {n}: {r} requests, {f} with a finding" for n, r, f in self._shares
        ]
        lines += ["  ".join(str(cell) for cell in row if cell) for row in self._table]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}

    @property
    def _shares(self) -> list[tuple[object, ...]]:
        shares: list[tuple[object, ...]] = []
        for pid, name in self.processes.items():
            own = [row for row in self.rows if row.process == pid]
            shares.append((name, len(own), sum(bool(row.found) for row in own)))
        return shares

    @property
    def _table(self) -> list[tuple[object, ...]]:
        names = self.processes
        return [
            (
                *(row.run, row.customer, row.what, names.get(row.process, "")),
                *(row.status or "", row.error, row.found),
            )
            for row in self.rows
        ]


def _joined(form: Markup, values: Any) -> Markup:
    return Markup("").join(form.format(value) for value in values)


def _rows(table: list[tuple[object, ...]]) -> Markup:
    lines = [FIRST.format(row[0]) + _joined(CELL, row[1:]) for row in table]
    return Markup("").join(Markup("<tr>{}</tr>").format(line) for line in lines)
