"""What is in the database after a run, channel by channel, keys masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grader.visuals.labels import one_line
from grader.visuals.style import FAILED, INK, PASSED
from grader.vocabulary import Run

FIGURE = Markup(
    '<figure style="margin:0.5em 0;max-width:100%;color:{ink};background:#FFFFFF">'
    '<div style="overflow-x:auto" tabindex="0" role="region" aria-label="{alt}">'
    '<table style="border-collapse:collapse;color:{ink}"><thead><tr>'
    "{head}"
    "</tr></thead><tbody>{rows}</tbody></table></div>"
    '<figcaption style="color:{ink}">{caption}</figcaption></figure>'
)
HEAD = Markup(
    '<th scope="col" style="text-align:left;padding:0.25em 0.75em">{title}</th>'
)
TITLES = ("channel", "holds", "what it is", "value as stored, keys masked")
ROW = Markup(
    '<tr><th scope="row" style="text-align:left;padding:0.25em 0.75em">{channel}</th>'
    '<td style="text-align:left;white-space:nowrap;color:{color};'
    'border-left:4px solid {color};padding:0.25em 0.75em">'
    "<strong>{sign} {verdict}</strong></td>"
    '<td style="text-align:left;padding:0.25em 0.75em">{kind}</td>'
    '<td style="text-align:left;padding:0.25em 0.75em"><code>{value}</code></td></tr>'
)
SIGNS = {"data": ("✓", PASSED), "a live object": ("✗", FAILED), "a key": ("✗", FAILED)}
MASK = "sk-…"  # how the trusted side shows a key, before its last characters
VALUE_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of the latest checkpoint of a thread."""

    name: str
    kind: str
    value: str
    verdict: str  # data, a live object, a key


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """A table that is the picture; displays itself as a cell's value."""

    channels: tuple[Channel, ...]
    message: str
    where: str

    @property
    def caption(self) -> str:
        """The message, then where a key stands."""
        return " ".join(part for part in (self.message, self.where) if part)

    @property
    def alt(self) -> str:
        """What the table shows, in one sentence."""
        told = [f"{c.name} holds {c.verdict}" for c in self.channels]
        return f"{self.message} {'; '.join(told)}".strip()

    @property
    def html(self) -> str:
        """The table as HTML."""
        rows = Markup("").join(
            ROW.format(
                channel=c.name,
                sign=SIGNS[c.verdict][0],
                color=SIGNS[c.verdict][1],
                verdict=c.verdict,
                kind=c.kind,
                value=c.value,
            )
            for c in self.channels
        )
        head = Markup("").join(HEAD.format(title=title) for title in TITLES)
        words = {"alt": self.alt, "caption": self.caption}
        return str(FIGURE.format(ink=INK, head=head, rows=rows, **words))

    @property
    def text(self) -> str:
        """The same as plain text."""
        wide = max((len(c.name) for c in self.channels), default=0)
        lines = [
            f"  {SIGNS[c.verdict][0]} {c.name:<{wide}}  {c.verdict}: {c.kind}\n"
            f"    {c.value}"
            for c in self.channels
        ]
        return "\n".join([self.caption, *lines])

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return {"text/plain": self.text, "text/html": self.html}


def rows(run: Run) -> Rows:
    """Return what the run's last look into the database saw."""
    looked = [seen for seen in run.stored if "rows" in seen.data]
    if not looked:
        return Rows((), "Nobody looked into the database.", "")
    seen = looked[-1].data
    foreign = {(f["thread"], f["where"]) for f in seen.get("foreign", ())}
    channels = tuple(_channels(seen["rows"], foreign))
    keys = seen.get("keys", ())
    return Rows(channels, _message(channels, keys, looked[-1].number), _where(keys))


def _channels(
    threads: list[Mapping[str, Any]], foreign: set[tuple[str, str]]
) -> Iterator[Channel]:
    for thread in threads:
        for found in thread["channels"]:
            verdict = "data"
            if (thread["thread"], f"channel {found['channel']}") in foreign:
                verdict = "a live object"
            if MASK in found["text"]:
                verdict = "a key"
            value = one_line(found["text"])
            cut = f"{value[: VALUE_LENGTH - 1]}…"
            yield Channel(
                one_line(found["channel"]),
                _kind(one_line(found["type"])),
                value if len(value) <= VALUE_LENGTH else cut,
                verdict,
            )


def _kind(name: str) -> str:
    """Return a type as class and package: what is between tells a reader little."""
    head, _, dotted = name.rpartition(" ")
    package, _, rest = dotted.partition(".")
    short = f"{rest.rpartition('.')[2]} ({package})" if rest else dotted
    return f"{head} {short}".strip()


def _message(channels: tuple[Channel, ...], keys: Any, number: int) -> str:
    owners = sorted({key["process"] for key in keys})
    at = f"(observation #{number})"
    if owners:
        names = " and ".join(f"process {owner}" for owner in owners)
        return f"The database holds the API key of {names} {at}."
    if any(channel.verdict != "data" for channel in channels):
        return f"The database holds a live object {at}."
    if channels:
        return f"The database holds plain data and messages {at}."
    return f"The database holds no checkpoint {at}."


def _where(keys: Any) -> str:
    places = dict.fromkeys(f"{key['where']} ({key['encoding']})" for key in keys)
    return f"Found in {', '.join(map(one_line, places))}." if places else ""
