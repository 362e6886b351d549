"""Everything that is written once all is judged, in one pass over the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from grader.batch import gradescope, pages, tables
from grader.batch.graded import JUDGED, Graded, read_all
from grader.batch.journal import Journal
from grader.batch.places import Places, write
from grader.batch.submitted import Submitted
from grader.batch.tally import tally
from grader.vocabulary import Verdict


def report(
    found: Sequence[Submitted], journal: Journal, places: Places, gradebook: str = ""
) -> int:
    """Write tables, pages and scores; return how many need a person.

    Only one submission's verdict is in memory at a time.
    """
    counts: Counter[str] = Counter()
    tiers: set[str] = set()
    waiting: list[pages.Waiting] = []
    places.clear()
    with ExitStack() as stack:
        written = stack.enter_context(tables.Tables(places))

        def judged() -> Iterator[tuple[Submitted, Verdict]]:
            for held in tables.authors(read_all(found, journal)):
                counts["authors"] += 1
                write(places.gradescope(held[0].one.author), gradescope.results(held))
                for graded in held:
                    written.add(graded)
                    pages.feedback(graded, places)
                    _count(graded, counts)
                    if graded.status != JUDGED:
                        waiting.append(pages.waiting_of(graded, places))
                    if graded.verdict is not None:
                        tiers.add(graded.verdict.tier)
                        yield graded.one, graded.verdict

        tallies = tally(judged())
    shown = {"submissions": len(found), "waiting": len(waiting)}
    shown |= {name: counts[name] for name in ("authors", JUDGED, "identical")}
    pages.class_page(tallies, waiting, shown, sorted(tiers), places)
    print(
        f"{len(found)} submissions of {counts['authors']} authors: "
        f"{counts[JUDGED]} judged, {len(waiting)} for a person to look at\n"
        f"{places.out / 'index.html'}"
    )
    refused = _into_gradebook(gradebook, found, journal) if gradebook else 0
    return len(waiting) + refused


def _into_gradebook(url: str, found: Sequence[Submitted], journal: Journal) -> int:
    """Write all scores, last: nothing else waits for another's database.

    Returns:
        How many authors' scores the database refuses.
    """
    from grader.batch.gradebook import Scores

    with Scores(url) as scores:
        for graded in read_all(found, journal):
            scores.add(graded)
    for stem, count in sorted(scores.missing.items()):
        print(f"{count} scores of {stem} are not in the gradebook: it has no {stem}")
    for author, why in sorted(scores.refused.items()):
        print(f"{author}'s scores are not in the gradebook: {why}")
    return len(scores.refused)


def _count(graded: Graded, counts: Counter[str]) -> None:
    counts[graded.status] += 1
    counts["identical"] += bool(graded.shared_with)
