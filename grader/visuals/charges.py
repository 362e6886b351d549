"""What the ledger really charged, request by request, beside what was ordered."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals import style
from grader.visuals.labels import one_line
from grader.vocabulary import Observation, Run

KEY_LENGTH = 40
TITLES = ("request", "process", "idempotency key", "what the ledger did", "charged")
FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:#222222;background:#FFFFFF">'
    '<img role="img" src="data:image/svg+xml;base64,{source}" alt="{alt}" '
    'style="max-width:100%;width:{width}in">'
    '<figcaption style="color:#222222">{caption}</figcaption>'
    "<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></figure>"
)
HEAD = Markup('<th scope="col">{title}</th>')
ROW = Markup(
    '<tr><th scope="row">#{number}</th><td>{process}</td><td><code>{key}</code></td>'
    '<td style="text-align:left">{sign} {did}</td><td>{total}</td></tr>'
)
# Sign, colour and marker of what a request led to.
FIRST, AGAIN, SAME, NOTHING = "charged", "charged again", "same charge", "no charge"
SIGNS: Mapping[str, tuple[str, str, str]] = {
    FIRST: ("✓", style.PASSED, "o"),
    AGAIN: ("✗", style.FAILED, "X"),
    SAME: ("–", style.SKIPPED, "_"),
    NOTHING: ("–", style.SKIPPED, "_"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the ledger; `total` is what was charged by then, in cents."""

    number: int
    process: int
    key: str
    did: str
    lost: str  # why nobody heard the answer, or ""
    total: int


@dataclass(frozen=True, slots=True, repr=False)
class Charges:
    """The requests of a run, and what they came to; all amounts in cents."""

    requests: tuple[Asked, ...]
    ordered: int

    @property
    def total(self) -> int:
        """What was really charged."""
        return self.requests[-1].total if self.requests else 0

    @property
    def caption(self) -> str:
        """The message of the picture."""
        if not self.requests:
            return "The ledger was never asked, so nothing was charged."
        times = len(self.requests)
        asked = f"asked {times} times" if times > 1 else "asked once"
        sums = f"{_money(self.ordered)} was ordered and {_money(self.total)} charged"
        if self.total == self.ordered:
            return f"The ledger was {asked}: {sums}."
        much = "too much" if self.total > self.ordered else "too little"
        wrong = _money(abs(self.total - self.ordered))
        return f"The ledger was {asked}: {sums}, {wrong} {much}."

    @property
    def alt(self) -> str:
        """What the picture shows, in one sentence."""
        if not self.requests:
            return "An empty picture: the ledger was never asked."
        steps = "; ".join(f"#{r.number} {_did(r)}" for r in self.requests[:6])
        return (
            f"Steps up to {_money(self.total)} charged, beside a dashed line at "
            f"{_money(self.ordered)} ordered: {steps}."
        )

    @property
    def svg(self) -> str:
        """The picture as SVG."""
        return _svg(self)

    @property
    def html(self) -> str:
        """The picture, its caption and its table."""
        figure = FIGURE.format(
            source=base64.b64encode(self.svg.encode()).decode(),
            alt=self.alt,
            width=f"{style.WIDTH_IN:.2f}",
            caption=self.caption,
            head=Markup("").join(HEAD.format(title=title) for title in TITLES),
            rows=Markup("").join(ROW.format(**_words(r)) for r in self.requests),
        )
        return str(figure)

    @property
    def text(self) -> str:
        """The caption and the table as plain text."""
        lines = [
            "#{number:<4} process {process}  {key}: {sign} {did}; {total}".format(**w)
            for w in map(_words, self.requests)
        ]
        return "\n".join([self.caption, *lines])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def charges(run: Run) -> Charges:
    """Return what the calls of a run ordered, and what the ledger made of it."""
    calls = [seen for seen in run.of("call") if len(seen.data["args"]) == 3]
    orders = {str(c.data["args"][1]): str(c.data["args"][2]) for c in calls}
    ordered = sum(int(amount) for amount in orders.values() if amount.isdigit())
    return Charges(tuple(_requests(run)), ordered)


def _requests(run: Run) -> Iterator[Asked]:
    total, paid = 0, set()
    for seen in run.of("charge"):
        data = seen.data
        total += data["amount"] if data["new"] else 0
        did = SAME if data["charge_id"] and data["status"] != 422 else NOTHING
        if data["new"]:
            did = AGAIN if data["order"] in paid else FIRST
            paid.add(data["order"])
        key = one_line(data["key"]) or "no key"
        short = key if len(key) <= KEY_LENGTH else f"{key[: KEY_LENGTH - 1]}…"
        yield Asked(seen.number, seen.process or 0, short, did, _lost(run, seen), total)


def _lost(run: Run, asked: Observation) -> str:
    """Return why nobody heard the ledger's answer."""
    after = [s for s in run.of("fault", "charge") if s.number > asked.number]
    if after and after[0].number == asked.number + 1:
        return f"process {asked.process} is killed"
    status = asked.data["status"]
    known = {200: "", 0: "the ledger hangs up", -1: "the ledger never answers"}
    return known.get(status, f"the ledger answers HTTP {status}")


def _svg(shown: Charges) -> str:
    from matplotlib.figure import Figure

    from grader.visuals.paint import quiet_matplotlib

    with quiet_matplotlib():
        size = (style.WIDTH_IN, style.HEIGHT_IN)
        figure = Figure(figsize=size, facecolor=style.PAPER, layout="constrained")
        axes = figure.subplots()
        places = range(1, len(shown.requests) + 1)
        totals = [request.total / 100 for request in shown.requests]
        axes.step([0, *places], [0, *totals], where="post", color=style.INK, lw=2)
        axes.axhline(shown.ordered / 100, color=style.SKIPPED, lw=1.5, ls="--")
        ordered = f" ordered: {_money(shown.ordered)}"
        small: dict[str, Any] = {"fontsize": style.SMALL_PT}
        line: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
        }
        end = (0, shown.ordered / 100)
        axes.annotate(ordered, end, xytext=(2, 3), color=style.SKIPPED, **line, **small)
        for place, request in zip(places, shown.requests, strict=True):
            sign, color, marker = SIGNS[request.did]
            at = request.total / 100
            axes.plot([place], [at], marker, color=color, ms=10, mew=2)
            word = f"{sign} {request.did}"
            beside = (6, -14) if at else (-6, 8)
            where: dict[str, Any] = {"xytext": beside, "textcoords": "offset points"}
            where["bbox"] = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1}
            axes.annotate(word, (place, at), color=color, **where, **small)
        labels = [f"#{r.number}\nprocess {r.process}" for r in shown.requests]
        axes.set_xticks([*places], labels)
        axes.set_xlim(0, len(shown.requests) + 0.9)
        axes.set_ylim(0, 1.2 * max(shown.ordered / 100, *totals, 1))
        title = "really charged, request by request"
        axes.set_title(title, loc="left", fontsize=style.TEXT_PT)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=style.SMALL_PT, colors=style.INK)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    label = html.escape(shown.alt, quote=True)
    head, rest = text[text.index("<svg ") :].split(">", 1)
    return f'{head} role="img" aria-label="{label}">\n <title>{label}</title>{rest}'


def _words(request: Asked) -> dict[str, Any]:
    return {
        "number": request.number,
        "process": request.process,
        "key": request.key,
        "sign": SIGNS[request.did][0],
        "did": _did(request),
        "total": _money(request.total),
    }


def _did(request: Asked) -> str:
    return f"{request.did}; {request.lost}" if request.lost else request.did


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}".replace(",", " ")
