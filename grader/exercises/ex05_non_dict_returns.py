"""A node's return value is an update of the state: most wrong ones are not errors."""

import json

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together
from grader.vocabulary.scenario import Call, Says

exercise = Exercise(
    title="Nodes that return the wrong thing",
    contract=("triage(ticket) -> dict",),
    hints=(
        "For each node: what does it return on each of its paths, a path without "
        "`return` included? Which of these values is a dictionary whose keys are all "
        "keys of `State`?",
        "LangGraph raises an error for a string and for two writers of one key. For "
        "`None` and for a key it does not know it does nothing at all. So compare "
        "every key that a node returns with `State`, letter by letter.",
        "Two nodes of one step may write one key when the key says how to join what "
        "they wrote: a reducer, as in `Annotated[list[str], operator.add]`. Each node "
        "then returns only what is new.",
        "`sort` is where the model's word becomes a decision. Check there that the "
        "reply is JSON, has both keys, and that each value is one that you know; if "
        "not, return a `status` that begins with `invalid` and quotes the reply.",
    ),
    advice=(
        (
            "can only concatenate",
            "this reducer joins a list to a list: what did the node return?",
        ),
        (
            "JSONDecodeError|KeyError|ValidationError|OutputParserException",
            "the model did not say what it was asked for: where do you look at its "
            "reply before you use it?",
        ),
    ),
)

STATUS = {"question": "answered", "refund": "refunded", "outage": "escalated"}
STEPS = {"question": ["answer"], "refund": ["refund"]}
STEPS |= {"outage": ["customer", "product"]}
SPELLED = "which key did the node return, and what is it called in `State`?"
JOINED = "how does this key join what a node returns to what is there already?"
TABLE = "the contract's table says what a reply holds, and what the model is asked"
PRIORITIES = ("low", "normal", "high")
QUESTION, PRESSING = ("question", "normal"), ("question", "high")
REFUND, OUTAGE = ("refund", "low"), ("outage", "high")
TICKETS = (QUESTION, PRESSING, REFUND, OUTAGE) * 2
NOTES = tuple(
    model.says(step, f"[{step}]", f"Seen to by {step} ({{ref}})")
    for steps in STEPS.values()
    for step in steps
)


def sorts(word: str, kind: str, priority: str) -> Says:
    """Let the model say what the ticket with this word is."""
    reply = {"kind": kind, "priority": priority}
    return model.says("sort", "[sort]", reply, about=f"{{{word}}}")


def triages(number: int, word: str) -> Call:
    """Let a process triage the ticket with this word."""
    ticket = {"id": f"ticket {{{word}}}", "text": f"Something is with my {{{word}}}."}
    return process(number).calls("triage", ticket)


exercise.scenario(
    "kinds",
    "each of two processes triages a ticket of every kind",
    *NOTES,
    *(sorts(f"word_{i}", *ticket) for i, ticket in enumerate(TICKETS)),
    *(triages(i // 4, f"word_{i}") for i in range(len(TICKETS))),
)
exercise.scenario(
    "orders",
    "customer answers first, then product does, then both say the same",
    *NOTES,
    *(sorts(f"word_{i}", *OUTAGE) for i in range(3)),
    model.answers("customer", before="product"),
    triages(0, "word_0"),
    model.answers("product", before="customer"),
    triages(1, "word_1"),
    model.says("customer", "[customer]", "Nothing is known."),
    model.says("product", "[product]", "Nothing is known."),
    triages(0, "word_2"),
)
exercise.scenario(
    "invalid",
    "the model says an unknown kind, then no priority, then no JSON",
    *NOTES,
    model.says(
        "sort",
        "[sort]",
        (
            {"kind": "{word_x1}", "priority": "high"},
            {"kind": "question", "reason": "{word_x2}"},
            "Let me think about {word_x3} first.",
        ),
    ),
    triages(0, "word_1"),
    triages(1, "word_2"),
    triages(0, "word_3"),
)
RARE = {2: REFUND, 5: OUTAGE, 7: PRESSING}  # of eight in a row; the others are plain
exercise.scenario(
    "batch",
    "forty tickets come in, and two processes triage four at a time",
    *NOTES,
    model.says("sort", "[sort]", {"kind": "question", "priority": "normal"}),
    *(sorts(f"word_{i}", *RARE[i % 8]) for i in range(40) if i % 8 in RARE),
    *(
        together(*(triages((i + i // 8) % 2, f"word_{i}") for i in range(n, n + 4)))
        for n in range(0, 40, 4)
    ),
)


def answers(run: Run, reply: Observation) -> list[Observation]:
    """Return what the model answered about the ticket of a reply."""
    call = next(s for s in run.of("call") if s.data["id"] == reply.data["id"])
    text = call.data["args"][0]["text"]
    texts = {
        seen.data["request"]: [message["text"] for message in seen.data["messages"]]
        for seen in run.of("model")
    }
    said = run.of("answer")
    return [s for s in said if any(text in t for t in texts[s.data["request"]])]


def arrived(run: Run, reply: Observation, kind: str) -> list[tuple[Observation, int]]:
    """Return the model's notes for a ticket, and how much more often each arrived."""
    said = answers(run, reply)
    for step in STEPS[kind]:
        if step not in [seen.data["event"] for seen in said]:
            fail(
                f"the model was never asked for [{step}] with the ticket's text",
                because=[*said, reply],
                help=TABLE,
            )
    listed = reply.value.get("notes")
    if not isinstance(listed, list):
        fail("a reply has no list of notes", because=[reply], help=TABLE)
    made = [seen for seen in said if seen.data["event"] in STEPS[kind]]
    texts = [seen.data["text"] for seen in made]
    return [
        (s, listed.count(s.data["text"]) - texts.count(s.data["text"])) for s in made
    ]


def arrive(
    run: Run, reply: Observation, kind: str, help: str, missing: bool, doubled: bool
) -> None:
    """Fail when a note is missing from the reply, or is in it too often."""
    for seen, more in arrived(run, reply, kind):
        if (missing and more < 0) or (doubled and more > 0):
            how = "not in `notes`" if more < 0 else "in `notes` more than once"
            what = f"what [{seen.data['event']}] found is {how}"
            fail(what, because=[seen, reply], help=help)


@exercise.check(points=3)
def complete(kinds: Run) -> None:
    """every kind of ticket gets a complete answer, from either process"""
    for (kind, _), reply in zip(TICKETS, kinds.replies, strict=True):
        status = reply.value.get("status")
        if status != STATUS[kind]:
            fail(
                f"the status of a ticket of kind {kind} is {status!r}, "
                f"expected {STATUS[kind]!r}",
                because=[*answers(kinds, reply), reply],
                help="what does the node for this kind return, on every path?",
            )
        listed = reply.value.get("notes")
        is_list = isinstance(listed, list) and all(isinstance(n, str) for n in listed)
        if reply.value.get("priority") not in PRIORITIES or not is_list:
            what = "a reply lacks a priority of the contract, or a list of notes"
            fail(what, because=[reply], help=TABLE)


@exercise.check(points=3, needs=complete)
def nothing_dropped(kinds: Run) -> None:
    """nothing a node found is dropped"""
    for (kind, priority), reply in zip(TICKETS, kinds.replies, strict=True):
        found = reply.value["priority"]
        if found != priority:
            fail(
                f"the model said priority {priority}, and the reply says {found}",
                because=[*answers(kinds, reply)[:1], reply],
                help=SPELLED,
            )
        if kind != "outage":
            arrive(kinds, reply, kind, SPELLED, missing=True, doubled=False)


@exercise.check(points=2, needs=complete)
def both_notes(orders: Run, kinds: Run) -> None:
    """both branches' notes arrive, once each, whichever finishes first"""
    for reply in orders.replies:
        arrive(orders, reply, "outage", JOINED, missing=True, doubled=True)
    for (kind, _), reply in zip(TICKETS, kinds.replies, strict=True):
        arrive(kinds, reply, kind, JOINED, missing=False, doubled=True)


@exercise.check(points=2, needs=complete)
def invalid_reported(invalid: Run) -> None:
    """an invalid model reply is reported in `status`, not raised and not lost"""
    for number, reply in enumerate(invalid.replies, 1):
        said = [s for s in answers(invalid, reply) if s.data["event"] == "sort"]
        if said and is_valid(said[-1].data["text"]):
            continue  # it was asked for by a schema, which the stand-in model keeps to
        status, word = (
            reply.value.get("status"),
            invalid.drawn.values[f"word_x{number}"],
        )
        if not isinstance(status, str) or not status.startswith("invalid"):
            fail(
                f"the model's reply was invalid, and the status is {status!r}",
                because=[*said, reply],
                help="where is the reply looked at before it decides the way?",
            )
        if word not in status:
            fail(
                "the status does not say what the model said",
                because=[*said, reply],
                help="whoever reads the status needs the reply itself",
            )


def is_valid(text: str) -> bool:
    """Whether the text is a reply to [sort]; the arguments of a tool call have none."""
    try:
        found = json.loads(text or '{"kind": "question", "priority": "low"}')
        return found["kind"] in STATUS and found["priority"] in PRIORITIES
    except (ValueError, LookupError, TypeError):
        return False
