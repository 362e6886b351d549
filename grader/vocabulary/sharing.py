"""What several processes do with one database; each word fails where it is not so."""

from __future__ import annotations

from grader.vocabulary.claims import fail
from grader.vocabulary.memory import kept, knows
from grader.vocabulary.observation import Observation
from grader.vocabulary.run import Run

RACE = (
    "each of them made the tables, and only one could: who makes them, and how do the "
    "others know that they are there?"
)
WAITS = (
    "who waits for whom until nobody can go on: for a lock, a connection, or a "
    "statement that waits for all others to end?"
)
POOL = (
    "a turn borrows a connection for a moment: from whom, who gives it back, and how "
    "many may there be at most?"
)
NO_END = ("hang", "died", "killed", "not_run")


def started(run: Run) -> None:
    """Fail unless every process could import the submission and answer at once."""
    seen = [*run.of("queue"), *run.of("released")]
    broken = run.of("broken")
    if broken:
        count = "one process" if len(broken) == 1 else f"{len(broken)} processes"
        raise_with(run, f"{count} of {len(run.replies)} did not start", seen, broken)
    failed = [reply for reply in run.replies if not reply.ok]
    if failed:
        help = WAITS if failed[0].data.get("error") == "hang" else RACE
        raise_with(run, str(failed[0].trouble), seen, failed[:2], help)


def raise_with(
    run: Run,
    what: str,
    before: list[Observation],
    seen: list[Observation],
    help: str = RACE,
) -> None:
    """End a check with who waited for whom as the evidence."""
    because = sorted([*before, *seen], key=lambda one: one.number)
    fail(what, because=because, help=help)


def connected(run: Run, most: int) -> None:
    """Fail where a process had more connections open than it may."""
    for seen in (*run.of("released"), *run.stored):
        for process, count in seen.data.get("connections", {}).items():
            if count > most:
                fail(
                    f"process {process} had {count} connections open, not {most}",
                    because=[seen],
                    help=POOL,
                )


def lives_on(run: Run, before: str) -> None:
    """Fail unless a thread goes on after a turn that may not have been stored.

    Of the replies of a run the first tells `before`, the second may be refused, and
    the others ask what was told.
    """
    first, told, *later = run.replies
    if not told.ok and told.data.get("error") in NO_END:
        raise told.failure
    knows(run, first, before)
    for reply in later:
        lost = "after an odd reply the thread has forgotten what came before"
        knows(run, reply, before, lost, because=[told])
    if told.ok:
        said = [seen.text.rpartition("(")[2] for seen in run.during(told, "answer")]
        ref = str(told.value).rpartition("(")[2]
        if not ref or ref not in said:
            fail(
                "the answer is not the model's, and no error says why",
                because=[*run.during(told, "answer")[-1:], told],
                help="who is to know that this turn was not stored?",
            )
        kept(run, told, ref, help="the user has read an answer that its thread lacks")
