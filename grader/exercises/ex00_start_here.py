"""A counter in memory counts for one process only: the smallest of these failures."""

from itertools import chain, pairwise

from grader.vocabulary import Exercise, Run, database, fail, process, together

exercise = Exercise(
    title="Two tickets with one number",
    contract=("ticket() -> int",),
    hints=(
        "`from_memory` and `from_file` both count. Where does each of them keep the "
        "number it has reached, and who can see that place?",
        "Every process runs the whole submission for itself, the line "
        "`numbers = itertools.count(1)` included. How many counters are there when "
        "two processes run?",
        "In the node `take`, call `from_file()` where it now calls `from_memory()`. "
        "Then run the cell again, and `check()`.",
    ),
    advice=(
        (
            "SQLite objects created in a thread",
            "a process may serve two calls in two OS threads: who made the connection?",
        ),
        (
            "database is locked",
            "another process was writing: which transaction is still open?",
        ),
    ),
)

exercise.scenario(
    "in_turn",
    "two processes take turns at handing out tickets",
    process(0).calls("ticket"),
    process(1).calls("ticket"),
    process(1).calls("ticket"),
    process(0).calls("ticket"),
)
exercise.scenario(
    "at_once",
    "after a first ticket four processes hand out two each, all at once, and then four "
    "more in turn",
    process(0).calls("ticket"),
    database.is_slow(),
    together(*(process(n % 4).calls("ticket") for n in range(8))),
    *(process(n).calls("ticket") for n in (2, 3, 3, 1)),
)


@exercise.check(points=6)
def counts_on(in_turn: Run, at_once: Run) -> None:
    """processes that take turns count on: each number is one more than the last"""
    turns = pairwise(in_turn.replies), pairwise(at_once.replies[-4:])
    for before, after in chain(*turns):
        if after.value == before.value:
            fail(
                f"number {after.value} was handed out twice",
                because=[before, after],
                help="where is the number kept, and which processes can see it?",
            )
        if after.value != before.value + 1:
            fail(
                f"expected one more than {before.value}, found {after.value}",
                because=[before, after],
                help="where is the number kept, and which processes can see it?",
            )


@exercise.check(points=4, needs=counts_on)
def never_twice(at_once: Run) -> None:
    """eight tickets handed out at once by four processes have eight numbers"""
    replies = at_once.replies[:-4]
    taken = {reply.value: reply for reply in replies}
    for reply in replies:
        if taken[reply.value] is not reply:
            fail(
                f"number {reply.value} was handed out twice",
                because=[reply, taken[reply.value]],
                help="what can another process do between your read and your write?",
            )
