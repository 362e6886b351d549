"""One application with failures of the whole course, and a day when all goes wrong."""

from typing import Any

from grader.vocabulary import Exercise, Run, database, ledger, model, process, together
from grader.vocabulary.asking import apart, counted, side_by_side
from grader.vocabulary.charging import KEY, charged, paying_at_once
from grader.vocabulary.claims import holds
from grader.vocabulary.memory import knows
from grader.vocabulary.operating import healthy, keeps_no_key, own, served
from grader.vocabulary.scenario import Call

exercise = Exercise(
    title="On call",
    contract=("api: ASGI application",),
    database="postgres",
    balanced=True,
    hints=(
        "Take one symptom at a time, and the smallest load that shows it: one request, "
        "then two at once, then two servers. Which module does each step add?",
        "Each failure is in another module, and each was an exercise: read `app`, "
        "`customers`, `storage`, `agent`, `payments`. What do two requests share?",
        "The state of the graph is a request's own, and all processes read it. What is "
        "kept elsewhere that belongs there, and what is there that is secret?",
        "Make the client once, in `agent`. Take the customer from the state, and its "
        "messages; loop while `attempts < 3`. Send the order's name as the key.",
    ),
    opening=(model.says("reply", "[reply]", "settled: {answer} (ref {ref})"),),
)

SERVERS, CUSTOMERS, HEALTH = range(4), range(8), process(0).gets("/health")
USERS = (*range(8), 0, 9)  # customer 8 is customer 0 in another conversation
TOGETHER = (1, 0, 0), (1, 5, 5), (1, 6, 6), (2, 1, 4), (3, 1, 4)
ORDERS = (*SERVERS, *(order for *_, order in TOGETHER), 7, 7)  # as they are sent
MORE, DONE = "needs more: {answer} (ref {ref})", "settled: {answer} (ref {ref})"
LATE = (*[MORE] * 12, DONE)  # long after a bound: so a loop without one ends too
TOLD, ASKED = "My lucky word is {word_%}.", "What is my lucky word?"
CITY = "My city is {word_city}."


def says(server: int, who: int, text: str = TOLD, **order: str) -> Call:
    """Return the step in which a customer says something to a server."""
    of = {"thread_id": f"{{thread_{who}}}", "user_id": f"{{user_{USERS[who]}}}"}
    said: dict[str, Any] = {**of, "text": text.replace("%", str(who)), **order}
    return process(server % len(SERVERS)).posts("/chat", said)


def buys(server: int, customer: int, order: int) -> Call:
    """Return the step in which a customer orders something."""
    bought = {"order_id": f"{{order_{order}}}", "amount": "{number}"}
    return says(server, customer, f"I take {{order_{order}}}.", **bought)


exercise.scenario(
    "game_day",
    "customers talk to four servers; one server is killed, connections are dropped, "
    "ledger and model fail, and one question is not settled",
    process(1).starts_apart(),  # a server that shares nothing with the one that dies
    together(*(says(n, n) for n in CUSTOMERS), HEALTH, held_at="reply"),
    *(process(0).is_killed_when("charge"), together(*(buys(n, n, n) for n in SERVERS))),
    together(*(buys(*order) for order in TOGETHER), held_at="charge"),
    *(process(0).restarts(), database.drops_connections()),
    together(*(says(n + 1, n, ASKED) for n in CUSTOMERS)),
    *(model.says("reply", "[reply]", (MORE, DONE), about="{order_7}"), ledger.drops()),
    *(buys(2, 7, 7), buys(3, 7, 7), says(3, 8)),
    *(model.says("reply", "[reply]", LATE, about="{word_9}"), says(1, 9)),
    model.says("reply", "[reply]", (MORE, DONE), about="{word_10}"),
    *(says(2, 9, TOLD.replace("%", "10")), model.fails("reply", 500)),
    *(says(2, 5, CITY), says(3, 5, CITY), says(1, 5, "What is my city?")),
)
exercise.scenario(
    "night",  # not judged: to be observed, and reported on
    "two customers talk to server 0 at once, one goes on on server 1, an order is sent "
    "again when no answer came, and one question is not settled",
    together(says(0, 1), says(0, 2), held_at="reply"),
    says(1, 1, ASKED),
    *(ledger.drops(), buys(0, 2, 1), buys(1, 2, 1)),
    *(model.says("reply", "[reply]", LATE, about="{word_3}"), says(1, 3)),
)


@exercise.check(points=1)
def answered(game_day: Run) -> None:
    """every request is answered: with what was asked for, or with a reason to retry"""
    for number, reply in enumerate(game_day.replies):
        if reply.data.get("error") != "killed":
            served(game_day, reply, number in (26, 31))  # ledger and model fail


@exercise.check(points=2, needs=answered)
def no_lost_turn(game_day: Run) -> None:
    """what a customer told one server, another knows: killed, restarted, cut off"""
    asked = *game_day.replies[18:26], game_day.replies[-1]
    for n, reply in zip((*CUSTOMERS, "city"), asked, strict=True):
        knows(game_day, reply, game_day.drawn[f"word_{n}"])


@exercise.check(points=2, needs=answered)
def no_mixed_users(game_day: Run) -> None:
    """customers who talk at once get their own answers, under their own names"""
    run, drawn = game_day, game_day.drawn
    for n, reply in zip(CUSTOMERS, run.replies[:8], strict=True):
        own(run, reply, drawn[f"user_{n}"], drawn[f"word_{n}"])
    apart(run, [drawn[f"word_{n}"] for n in (*CUSTOMERS, 8)])


@exercise.check(points=2)
def no_doubled_charge(game_day: Run) -> None:
    """each order is charged once, also when its server dies and it is sent again"""
    run, drawn, replies = game_day, game_day.drawn, game_day.replies
    made = [charged(run, drawn[f"order_{n}"], drawn.number) for n in CUSTOMERS]
    for n, reply in zip(ORDERS, [*replies[9:18], *replies[26:28]], strict=True):
        if reply.ok:
            holds(reply, {"charge_id": made[n].data["charge_id"]}, [made[n]], KEY)
    for reply in (reply for reply in replies[18:26] if reply.ok):
        holds(reply, {"charge_id": None})  # a request without an order


@exercise.check(points=1)
def no_secret(game_day: Run) -> None:
    """conversations are in PostgreSQL, and no key of the model is, in any encoding"""
    keeps_no_key(game_day)


@exercise.check(points=1)
def bounded(game_day: Run) -> None:
    """the model is asked until it settles, and three times at most for one request"""
    run, settled = game_day, zip((9, 10), (3, 2), game_day.replies[29:31], strict=True)
    for word, tries, reply in settled:
        last = counted(run, reply, tries, about=run.drawn[f"word_{word}"])[-1]
        holds(reply, {"answer": last.text, "complete": tries == 2}, because=[last])


@exercise.check(points=1)
def nobody_waits(game_day: Run) -> None:
    """a server asks model and ledger for two at once, and says that it is healthy"""
    words = [game_day.drawn[f"word_{n}"] for n in CUSTOMERS]
    side_by_side(game_day, words, help="what does a server do while the model thinks?")
    healthy(game_day, game_day.replies[8])
    paying_at_once(game_day, game_day.replies[14].process)
