"""The pages: one for each submission, and one about the class."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader import catalog
from grader.batch.graded import Graded
from grader.batch.journal import LINE_LIMIT_B
from grader.batch.places import UNFINISHED, Places, write
from grader.batch.submitted import Submitted
from grader.batch.tally import RUNS, Claim, Miss, Tally
from grader.reports import page, words
from grader.reports.html import Picture, picture
from grader.visuals import style
from grader.visuals.bars import Bars, Part
from grader.vocabulary import Status

if TYPE_CHECKING:
    import jinja2

COLORS = {
    Status.passed: style.PASSED,
    Status.failed: style.FAILED,
    Status.skipped: style.SKIPPED,
    Status.error: style.ERROR,
}
PARTS = tuple(Part(words.WORDS[s], words.MARKS[s], COLORS[s]) for s in Status)
COUNT = Part("submissions", "", style.PASSED)
MISSES_SHOWN = 8  # of an exercise
WAITING_SHOWN = 500
PICTURE_LIMIT_B = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of what a person must look at; `feedback` is the page's address."""

    author: str
    stem: str
    status: str
    reason: str
    help: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one exercise."""

    tally: Tally
    claims: str
    scores: str
    misses: Sequence[tuple[Miss, Picture | None, str]]
    others: int
    worst: Claim | None


def feedback(graded: Graded, places: Places) -> None:
    """Write the page of one submission, with the timelines of its failures."""
    if graded.verdict is None:
        title = catalog.load(graded.one.stem).title if graded.one.stem else ""
        text = _template("unread.html.jinja").render(
            one=graded.one, name=Path(graded.one.source).name, title=title
        )
    else:
        folder = places.timelines(graded.one.stem, graded.one.sha256)
        pictures = {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*.svg"))
        }
        text = page(graded.verdict, pictures)
    write(places.feedback(graded.one), text)


def class_page(
    tallies: Sequence[Tally],
    waiting: Sequence[Waiting],
    counts: dict[str, int],
    tiers: Sequence[str],
    places: Places,
) -> None:
    """Write `index.html`: whom a person must look at, then each exercise."""
    template = _template("class.html.jinja")
    stream = template.stream(
        sections=[_section(tally, places) for tally in tallies],
        waiting=waiting[:WAITING_SHOWN],
        unlisted=max(0, len(waiting) - WAITING_SHOWN),
        counts=counts,
        tiers=tiers,
        rows=_rows(places.out / "grades.csv"),
        words=words,
        RUNS=RUNS,
    )
    path = places.out / "index.html"
    new = path.with_name(f"{UNFINISHED}{path.name}")
    with new.open("w", encoding="utf-8", errors="replace") as file:
        for chunk in stream:
            file.write(chunk)
    new.replace(path)


def _section(tally: Tally, places: Places) -> Section:
    ordered = sorted(tally.claims.values(), key=lambda claim: -claim.failed)
    rows = tuple(
        (claim.text, {words.WORDS[s]: claim.counts[s] for s in Status})
        for claim in ordered
    )
    worst = ordered[0] if ordered and ordered[0].failed else None
    if worst is None:
        caption = "No claim failed."
    else:
        times = "once" if worst.failed == 1 else f"{worst.failed} times"
        caption = f"“{worst.text}” fails most: {times}."
    scores = sorted(tally.scores.items(), reverse=True)
    bars = Bars("claim", caption, PARTS, rows)
    spread = Bars(
        "score",
        f"The scores have a mean of {words.number(tally.average)} "
        f"of {words.number(tally.points)}.",
        (COUNT,),
        tuple((words.points(score), {COUNT.name: count}) for score, count in scores),
    )
    common = tally.common
    misses = [
        (miss, _example(miss, places), _address(miss.example, places))
        for miss in common[:MISSES_SHOWN]
    ]
    rest = sum(miss.count for miss in common[MISSES_SHOWN:]) + tally.more
    shown = spread.html if scores else ""
    return Section(tally, bars.html, shown, misses, rest, worst)


def _example(miss: Miss, places: Places) -> Picture | None:
    if miss.example is None or not miss.scenario:
        return None
    folder = places.timelines(miss.example.stem, miss.example.sha256)
    path = folder / f"{miss.scenario}.svg"
    if not path.is_file() or path.stat().st_size > PICTURE_LIMIT_B:
        return None
    return picture(path.read_text(encoding="utf-8"))


def _address(one: Submitted | None, places: Places) -> str:
    if one is None:
        return ""
    return places.feedback(one).relative_to(places.out).as_posix()


def waiting_of(graded: Graded, places: Places) -> Waiting:
    """Return what the class's page says of a submission that waits for a person."""
    one = graded.one
    help = one.help if graded.verdict is None else ""
    return Waiting(
        *(one.author, one.stem, graded.status, graded.reason, help),
        _address(one, places),
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    # The names of authors are not cut, and a zip may hold long ones.
    csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT_B))
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["plain"] = words.printable
    environment.filters["number"] = words.number
    return environment
