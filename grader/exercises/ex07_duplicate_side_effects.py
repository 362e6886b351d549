"""A node that is run again acts on the world again, unless the world can tell."""

from grader.vocabulary import Exercise, Run, database, fail, ledger, process, together
from grader.vocabulary.charging import believed, charged, once, paid
from grader.vocabulary.claims import answered

exercise = Exercise(
    title="Effects that happen twice",
    contract=("pay(thread_id, order_id, amount) -> dict", "resume(thread_id) -> dict"),
    hints=(
        "A node that was cut off is run again from its first line. What can the ledger "
        "compare to see that it is the same payment, and not a second one?",
        "The ledger answers two requests with the same `Idempotency-Key` by one "
        "charge. Who must send the same key: another attempt, another process, another "
        "server? And who must not: another order?",
        "A key that is drawn when it is sent is new in each attempt. Make it from what "
        "names the payment and outlives every process; Python's `hash()` of a text "
        "does not, for each interpreter salts it.",
        "`ledger.post('/charges', json=order, headers={'Idempotency-Key': "
        "f'charge-{state[\"order_id\"]}'})`, and let an error of the ledger be an "
        "error: the next attempt sends the same key.",
    ),
    advice=(
        (
            "HTTP 422|Client error '422",
            "the ledger has seen this key with another body: what is in your key, and "
            "what is in your body, when the same payment is asked for again, or "
            "another one?",
        ),
        (
            "HTTP 409|Client error '409",
            "a request with this key is in flight: what would the ledger say later?",
        ),
    ),
)

PAY = ("pay", "{thread}", "{order}", "{number}")
KILLED = process(0).is_killed_when("charge", at_rest=True)
RESUMED = process(0).calls(*PAY), process(1).calls("resume", "{thread}")
exercise.scenario("one", "process 0 is asked to pay one order", process(0).calls(*PAY))
exercise.scenario(
    "cut_off",
    "process 0 is killed when the ledger has charged, and process 1 resumes",
    *(process(1).starts_apart(), KILLED, *RESUMED),
)
exercise.scenario(
    "cut_off_before",
    "process 0 is killed before the ledger has charged, and process 1 resumes",
    *(ledger.fails(503), KILLED, *RESUMED),
)
exercise.scenario(
    "sent_again",
    "a gateway sends the same request three times, to process 0, 1 and 0",
    *(process(n).calls(*PAY) for n in (0, 1, 0)),
)
exercise.scenario(
    "at_once",
    "a gateway sends the same request to two processes at once",
    together(process(0).calls(*PAY), process(1).calls(*PAY), held_at="charge"),
)
exercise.scenario(
    "two_orders",
    "two orders of the same amount are paid on one thread, the first at a third try",
    *(ledger.fails(503), process(0).calls(*PAY)),
    process(1).calls("pay", "{thread}", "{order_2}", "{number}"),
    *(ledger.fails(503), process(0).calls(*PAY), process(0).calls(*PAY)),
)
exercise.scenario(
    "unsure",
    "the ledger fails before a charge, after one, hangs up after one that it does not "
    "list yet, has a request in flight; each is sent again, to the other process",
    ledger.fails(503),
    process(0).calls("pay", "{thread_1}", "{order_1}", "{number_1}"),
    process(1).calls("pay", "{thread_1}", "{order_1}", "{number_1}"),
    ledger.fails(500, charged=True),
    process(1).calls("pay", "{thread_2}", "{order_2}", "{number_2}"),
    process(0).calls("pay", "{thread_2}", "{order_2}", "{number_2}"),
    ledger.drops(listed=False),
    process(0).calls("pay", "{thread_3}", "{order_3}", "{number_3}"),
    process(1).calls("pay", "{thread_3}", "{order_3}", "{number_3}"),
    ledger.fails(409),
    process(1).calls("pay", "{thread_4}", "{order_4}", "{number_4}"),
    process(0).calls("pay", "{thread_4}", "{order_4}", "{number_4}"),
)
# Not judged: to be observed with a node that ends its own process.
exercise.scenario(
    "next_node",
    "process 0 pays while the database is slow, and process 1 resumes in any case",
    *(database.is_slow_after("charge"), *RESUMED),
)


@exercise.check(points=1)
def charges_once(one: Run) -> None:
    """an order is charged once, and the right amount"""
    answered(one)  # an error of the call is what to show first
    once(one, one.drawn.order, one.drawn.number)


@exercise.check(points=3, needs=charges_once)
def once_after_a_kill(cut_off: Run, cut_off_before: Run) -> None:
    """killed after the charge, or before it, and resumed elsewhere: once"""
    for run in (cut_off, cut_off_before):
        if not run.of("fault", "charge"):
            fail("the ledger was never asked to charge", because=run.replies[:1])
        once(run, run.drawn.order, run.drawn.number)


@exercise.check(points=2, needs=charges_once)
def once_when_sent_again(sent_again: Run) -> None:
    """the same request sent again by a gateway: once, and the same `charge_id`"""
    once(sent_again, sent_again.drawn.order, sent_again.drawn.number)


@exercise.check(points=2, needs=charges_once)
def once_at_once(at_once: Run) -> None:
    """two processes asked to pay the same order at once: once"""
    once(at_once, at_once.drawn.order, at_once.drawn.number)


@exercise.check(points=1, needs=charges_once)
def twice_for_two(two_orders: Run) -> None:
    """two orders of the same amount on one thread: each is charged"""
    _, second, failed, first = two_orders.replies
    answered(two_orders, besides=[*two_orders.replies[:1], failed])
    believed(two_orders, failed, two_orders.drawn.order)
    for reply, order in ((second, "order_2"), (first, "order")):
        paid(
            reply, charged(two_orders, two_orders.drawn[order], two_orders.drawn.number)
        )


@exercise.check(points=1, needs=charges_once)
def once_in_the_end(unsure: Run) -> None:
    """the ledger's first answer is an error or never comes: once in the end"""
    drawn = unsure.drawn
    for n in (1, 2, 3, 4):
        first, last = unsure.replies[2 * n - 2 : 2 * n]
        believed(unsure, first, drawn[f"order_{n}"])
        paid(last, charged(unsure, drawn[f"order_{n}"], drawn[f"number_{n}"]))
