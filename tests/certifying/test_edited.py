"""What was edited in a certificate, or on its page, is found and named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from grader import catalog, repeating, runner
from grader.certifying.document import Certificate
from grader.certifying.page import page
from grader.certifying.proof import Proof, digest
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from tests.certifying.conftest import (
    MEMORY,
    ROOT,
    SEED,
    TOUR,
    full,
    made_of,
    right,
)
from tests.certifying.findings import FALSE, Verify, false


def edited(made: Certificate, stem: str, **changes: Any) -> Certificate:
    """Return a certificate with another proof of one exercise."""

    def other(proof: Proof | None) -> Proof | None:
        assert proof is not None
        return replace(proof, **changes)

    return replace(
        made,
        exercises=tuple(
            replace(e, proof=other(e.proof)) if e.exercise == stem else e
            for e in made.exercises
        ),
    )


def proof_of(made: Certificate, stem: str) -> Proof:
    found = next(e.proof for e in made.exercises if e.exercise == stem)
    assert found is not None
    return found


def wrong(made: Certificate, stem: str) -> str:
    """Return in what the proof of an exercise contradicts itself or the course."""
    (entry,) = (each for each in made.exercises if each.exercise == stem)
    assert entry.proof is not None
    return repeating.differs(entry, entry.proof)


def test_another_score(two: Certificate, verified: Verify) -> None:
    """a score that the submission does not get is found, with claim and seed"""
    starter = ROOT / "notebooks" / MEMORY / "starter.py"
    raised = full(MEMORY, starter.read_text(encoding="utf-8"))
    made = made_of({TOUR: full(TOUR), MEMORY: raised})
    status, out, _ = verified(page(made))
    assert status == FALSE
    assert false(out) == {
        MEMORY: "expected 3 points for “what process 0 was told, process 1 knows”, "
        f"found 0 with seed {SEED}"
    }
    assert "1 of 2 proofs hold." in out


def test_a_lower_score(two: Certificate, verified: Verify) -> None:
    """a score is what it is: fewer points than the submission gets do not hold"""
    claims = proof_of(two, TOUR).claims
    less = (replace(claims[0], score=0.0), *claims[1:])
    _, out, _ = verified(page(edited(two, TOUR, claims=less)))
    assert "expected 0 points" in false(out)[TOUR]


def test_another_text(two: Certificate, verified: Verify) -> None:
    """another text is found by its digest, and with its own digest by its run"""
    text = right(TOUR) + "\nticket = lambda: 1\n"
    without = "the submission's text is not the one of its digest"
    assert without == wrong(edited(two, TOUR, text=text), TOUR)
    swapped = edited(two, TOUR, text=text, sha256=digest(text))
    assert wrong(swapped, TOUR) == ""
    status, out, _ = verified(page(swapped))
    assert status == FALSE
    assert "found 0 with seed 4711" in false(out)[TOUR]


def test_another_seed(verified: Verify) -> None:
    """a submission that was written for one seed fails with any other: where the seed
    is edited, and where whoever verifies chooses one"""
    made = made_of({MEMORY: full(MEMORY, written_for(SEED))})
    for text, more in (
        (page(edited(made, MEMORY, seed=SEED + 1)), ()),
        (page(made), ("--seed", SEED + 1)),
    ):
        status, out, _ = verified(text, *more)
        assert status == FALSE
        assert f"with seed {SEED + 1}" in false(out)[MEMORY]


def written_for(seed: int) -> str:
    """Return a right submission that serves the conversations of one seed only."""

    async def threads() -> set[str]:
        async with Harness(best_launcher()) as harness:
            exercise = catalog.load(MEMORY)
            ran = await runner.check(harness, MEMORY, exercise, right(MEMORY), seed)
            assert ran.history is not None
            runs = ran.history.runs.values()
            calls = [seen for run in runs for seen in run.of("call")]
            return {str(call.data["args"][0]) for call in calls}

    known = sorted(asyncio.run(threads()))
    return (
        f"{right(MEMORY)}\n\nserve = chat\n\n\n"
        f"def chat(thread_id, text):\n    assert thread_id in {known!r}\n"
        f"    return serve(thread_id, text)\n"
    )


def test_a_missing_exercise(two: Certificate, verified: Verify) -> None:
    """an exercise that was taken out, or listed twice, or invented, is named"""
    others = tuple(e for e in two.exercises if e.exercise != TOUR)
    status, out, _ = verified(page(replace(two, exercises=others)))
    assert status == FALSE
    assert "not in the certificate" in false(out)[TOUR]
    twice = replace(two, exercises=(*two.exercises, two.exercises[0]))
    (doubt,) = repeating.doubts(twice, page(twice))
    assert (doubt.exercise, doubt.what) == (TOUR, "listed 2 times")
    assert verified(page(twice))[1].count(f"  ✓ {TOUR}") == 1
    invented = replace(two.exercises[1], exercise="ex99_invented")
    more = replace(two, exercises=(*two.exercises, invented))
    assert "ex99_invented" in false(verified(page(more))[1])


def test_words_that_are_not_the_exercises(two: Certificate) -> None:
    """titles, claims and points are the course's own"""
    claims = proof_of(two, TOUR).claims
    bold = (replace(claims[0], claim="it scales to a thousand processes"), *claims[1:])
    rich = (replace(claims[0], score=60.0, points=60.0), *claims[1:])
    for changed in (bold, rich, claims[1:]):
        made = edited(two, TOUR, claims=changed)
        assert wrong(made, TOUR) == "its claims are not those of the exercise"
    first, *rest = two.exercises
    titled = replace(two, exercises=(replace(first, title="Scaling"), *rest))
    assert wrong(titled, TOUR).endswith("found 'Scaling'")


def test_a_page_that_says_more_than_its_data(
    two: Certificate, verified: Verify
) -> None:
    """words that were edited on the page alone do not hold"""
    text = page(two).replace("has proved 2 of", "has proved 8 of")
    status, out, _ = verified(text)
    assert status == FALSE
    assert false(out) == {"the page": "its words are not those of its data"}
