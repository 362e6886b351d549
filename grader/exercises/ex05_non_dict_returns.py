"""A node's return value is an update of the state: most wrong ones are not errors."""

from typing import Any

from grader.vocabulary import Exercise, Run, fail, model, process, together
from grader.vocabulary.asking import asked_for, reported
from grader.vocabulary.claims import arrive, arrive_alone, arrive_once, holds
from grader.vocabulary.scenario import Call, Says

exercise = Exercise(
    title="Nodes that return the wrong thing",
    contract=("triage(ticket) -> dict",),
    hints=(
        "What does each node return on each of its paths, one without `return` too? Is "
        "it a dictionary whose keys are all keys of `State`?",
        "LangGraph raises for a string and for two writers of one key. For `None` and "
        "an unknown key it does nothing: compare every key with `State` by the letter.",
        "Two nodes of one step may write one key when the key says how to join what "
        "they wrote: a reducer, as in `Annotated[list[str], operator.add]`. Each node "
        "then returns only what is new.",
        "`sort` makes a decision of the model's word. Is the reply JSON with both "
        "keys and values that you know? If not, let `status` say so and quote it.",
    ),
    opening=tuple(
        model.says(step, f"[{step}]", f"Seen to by {step} ({{ref}})")
        for step in ("answer", "refund", "customer", "product")
    ),
)

STATUS = {"question": "answered", "refund": "refunded", "outage": "escalated"}
BOTH = ("customer", "product")
STEPS = {"question": ("answer",), "refund": ("refund",), "outage": BOTH}
CHOICES = {"kind": STATUS, "priority": ("low", "normal", "high")}
PLAIN, PRESSING = ("question", "normal"), ("question", "high")
REFUND, OUTAGE = ("refund", "low"), ("outage", "high")
REST = ("question", "low"), ("refund", "normal"), ("refund", "high"), ("outage", "low")
TICKETS = (PLAIN, PRESSING, REFUND, OUTAGE, *REST)
RARE = {2: REFUND, 5: OUTAGE, 7: PRESSING}  # of eight in a row; the others are plain
UNKNOWN = (
    {"kind": "{word_x1}", "priority": "high"},
    {"kind": "question", "reason": "{word_x2}"},
    "Let me think about {word_x3} first.",
)
ODD = (
    {"kind": "question", "priority": "{word_y1}"},
    '["{word_y2}", "high"]',
    "Not a refund, and high on my list: {word_y3}.",
)
SPELLED = "which key did the node return, and what is it called in `State`?"
JOINED = "how does this key join what a node returns to what is there already?"
DECIDES = "where is the reply looked at before it decides, and who quotes it?"
WAYS = "what does the node for this kind return, on every path?"


def sorts(word: str, kind: Any, priority: str = "") -> Says:
    """Let the model say what the ticket with this word is, or something else."""
    reply = {"kind": kind, "priority": priority} if priority else kind
    return model.says("sort", "[sort]", reply, about=f"{{{word}}}")


def triages(number: int, word: str) -> Call:
    """Let a process triage the ticket with this word."""
    text = f"Is my {{{word}}} {{{{model 7}}}} down? Then I want a refund."
    return process(number).calls("triage", {"id": f"ticket {{{word}}}", "text": text})


exercise.scenario(
    "kinds",
    "each of two processes triages a ticket of every kind",
    *(sorts(f"word_{i}", *ticket) for i, ticket in enumerate(TICKETS)),
    *(triages(i // 4, f"word_{i}") for i in range(len(TICKETS))),
)
exercise.scenario(
    "orders",
    "customer answers first, then product does, then both say the same of two at once",
    *(sorts(f"word_{i}", "outage", p) for i, p in enumerate(CHOICES["priority"])),
    *(model.answers("customer", before="product"), triages(0, "word_0")),
    *(model.answers("product", before="customer"), triages(1, "word_1")),
    *(model.says(step, f"[{step}]", "Nothing is known.") for step in BOTH),
    together(triages(0, "word_2"), triages(0, "word_0"), held_at="sort"),
)
exercise.scenario(
    "invalid",
    "the model says an unknown kind, then no priority, then no JSON",
    *(sorts(f"word_{n}", UNKNOWN[n - 1]) for n in (1, 2, 3)),
    *(triages(1 - n % 2, f"word_{n}") for n in (1, 2, 3)),
)
exercise.scenario(
    "odd",
    "the model says an unknown priority, then a list, then that it is no refund",
    *(sorts(f"word_{n}", ODD[n - 1]) for n in (1, 2, 3)),
    *(triages(n % 2, f"word_{n}") for n in (1, 2, 3)),
)
FORTY = [triages((i + i // 8) % 2, f"word_{i}") for i in range(40)]
exercise.scenario(
    "batch",
    "forty tickets come in, and two processes triage four at a time",
    model.says("sort", "[sort]", {"kind": "question", "priority": "normal"}),
    *(sorts(f"word_{i}", *RARE[i % 8]) for i in range(40) if i % 8 in RARE),
    *(together(*FORTY[n : n + 4]) for n in range(0, 40, 4)),
)


@exercise.check(points=3, help="the contract's table says what a reply holds")
def complete(kinds: Run) -> None:
    """every kind of ticket gets a complete answer, from either process"""
    for (kind, _), reply in zip(TICKETS, kinds.replies, strict=True):
        holds(reply, {"status": STATUS[kind]}, kinds.during(reply, "answer"), WAYS)
        reply.texts("notes")
        if reply.at("priority") not in CHOICES["priority"]:
            fail("the reply has no priority of the contract", because=[reply])


@exercise.check(points=3, needs=complete, help=SPELLED)
def nothing_dropped(kinds: Run) -> None:
    """nothing a node found is dropped"""
    for (kind, priority), reply in zip(TICKETS, kinds.replies, strict=True):
        holds(reply, {"priority": priority}, kinds.during(reply, "answer")[:1])
        if kind != "outage":
            arrive(reply, "notes", asked_for(kinds, reply, STEPS[kind]))


@exercise.check(points=2, needs=complete, help=JOINED)
def both_notes(orders: Run, kinds: Run) -> None:
    """both branches' notes arrive, once each, whichever finishes first"""
    for reply in orders.replies:
        arrive(reply, "notes", asked_for(orders, reply, BOTH))
        arrive_once(reply, "notes", asked_for(orders, reply, BOTH))
        arrive_alone(orders, reply, "notes")
    for (kind, _), reply in zip(TICKETS, kinds.replies, strict=True):
        arrive_once(reply, "notes", asked_for(kinds, reply, STEPS[kind]))
        arrive_alone(kinds, reply, "notes")


@exercise.check(points=2, needs=complete, help=DECIDES)
def invalid_reported(invalid: Run, odd: Run) -> None:
    """an invalid model reply is reported in `status`, not raised and not lost"""
    for run, drawn in ((invalid, "word_x"), (odd, "word_y")):
        reported(run, "sort", [run.drawn[f"{drawn}{n}"] for n in (1, 2, 3)], CHOICES)
