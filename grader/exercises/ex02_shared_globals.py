"""A module's globals are shared by every request of one process, and by no other."""

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together

exercise = Exercise(
    title="One process, one global, everybody's data",
    contract=("handle(user_id, texts) -> dict",),
    hints=(
        "Which names of your module outlive a call of `handle`? For each: who writes "
        "to it, and who reads it afterwards?",
        "Between a node's write and its read the model works for a second. Whose "
        "request can run in that second, and what does it write?",
        "A lock makes the second user wait for the first one's model call. What could "
        "the second user write to instead, so that there is nothing to lock?",
        "LangGraph hands a node the state of its own run. Build a new list from it, "
        "`[*state['messages'], answer]`, and return that: nothing outside of the node "
        "needs to change.",
    ),
    advice=(
        (
            "not JSON serializable",
            "`messages` holds texts: the text of a message is its `content`",
        ),
        (
            "dictionary changed size|list changed size|deque mutated",
            "one request changed what another one was reading: who shares it?",
        ),
    ),
)

SAYS = model.says("reply", "[reply]")
TOLD = ["My name is {name_1}.", "What is my name?"]

exercise.scenario(
    "in_turn",
    "process 0 serves one user, then another, then the first one again",
    SAYS,
    process(0).calls("handle", "{user_1}", TOLD),
    process(0).calls("handle", "{user_2}", ["Tell me, what is my name?"]),
    process(0).calls("handle", "{user_1}", ["My city is {word_1}."]),
    process(0).shows_again(1),
    process(0).shows_again(2),
)
exercise.scenario(
    "at_once",
    "one process serves two users, and the model waits until it is asked for both",
    SAYS,
    together(
        process(0).calls("handle", "{user_1}", TOLD),
        process(0).calls("handle", "{user_2}", ["My name is {name_2}."]),
        held_at="reply",
    ),
)
exercise.scenario(
    "elsewhere",
    "process 0 serves the same request twice, then process 1 serves it",
    SAYS,
    process(0).calls("handle", "{user_1}", TOLD),
    process(0).calls("handle", "{user_1}", TOLD),
    process(1).calls("handle", "{user_1}", TOLD),
)


def call_of(run: Run, reply: Observation) -> Observation:
    """Return the call that a reply ends."""
    return next(s for s in run.of("call") if s.data["id"] == reply.data["id"])


def is_own(run: Run, reply: Observation, help: str = "") -> None:
    """Fail unless a reply holds its own request and the model's answer to that."""
    call = call_of(run, reply)
    user_id, texts = call.data["args"]
    value = reply.value
    messages = value.get("messages")
    if value.get("user_id") != user_id:
        fail(
            f"the reply for {user_id} says that it is for {value.get('user_id')!r}",
            because=[call, reply],
            help=help,
        )
    if not isinstance(messages, list) or messages[:-1] != texts:
        fail(
            f"the reply for {user_id} does not hold the texts of its own request, "
            "then one answer",
            because=[call, reply],
            help=help,
        )
    if value.get("count") != len(messages):
        fail(
            f"the reply holds {len(messages)} messages and counts {value.get('count')}",
            because=[reply],
            help=help,
        )
    is_answered(run, call, reply, help)


def is_answered(run: Run, call: Observation, reply: Observation, help: str) -> None:
    """Fail unless the model was asked about this request, and about no other."""
    texts, answer = call.data["args"][1], reply.value["messages"][-1]
    said = [s for s in run.of("answer") if s.data["text"] == answer]
    if not said or said[0].number < call.number:
        when = "gave before this request" if said else "never gave"
        fail(
            f"process {reply.process} returned an answer that the model {when}",
            because=[*said, call, reply],
            help="every request asks the model once, and returns its answer unchanged",
        )
    asked = next(
        s for s in run.of("model") if s.data["request"] == said[0].data["request"]
    )
    shown = "\n".join(message["text"] for message in asked.data["messages"])
    others = [text for c in run.of("call") for text in c.data["args"][1]]
    foreign = [text for text in others if text not in texts and text in shown]
    if foreign or not all(text in shown for text in texts):
        fail(
            "the model was shown what another request said"
            if foreign
            else "the model was not shown what its own request said",
            because=[call, asked],
            help=help,
        )


@exercise.check(points=2)
def own_data(in_turn: Run) -> None:
    """a reply holds the user's own data"""
    is_own(in_turn, in_turn.replies[0], "the contract's table says what a reply holds")


@exercise.check(points=2, needs=own_data)
def forgets_the_last(in_turn: Run) -> None:
    """a reply is the same whatever this process served before"""
    for reply in in_turn.replies[1:]:
        is_own(in_turn, reply, "what did the earlier calls leave behind?")


@exercise.check(points=3, needs=own_data)
def apart_at_once(at_once: Run) -> None:
    """two users at once in one process, both held at the model, do not mix"""
    for reply in at_once.replies:
        is_own(at_once, reply, "what did the other user write while the model worked?")
    for released in at_once.of("released"):
        if released.data["inside"] < released.data["expected"]:
            fail(
                "one user's request waits until the model has answered the other's",
                because=[*at_once.of("held"), released],
                help="what would the two have to share less of, to need no waiting?",
            )


@exercise.check(points=2, needs=own_data)
def same_everywhere(elsewhere: Run) -> None:
    """a reply is the same whichever process serves it"""
    replies = elsewhere.replies
    for reply in replies:
        is_own(elsewhere, reply, "what does one process keep that another has not?")
    for reply in replies[1:]:
        own = {**reply.value, "messages": replies[0].value["messages"]}
        if own != replies[0].value:
            fail(
                "the same request got different replies",
                because=[replies[0], reply],
                help="what does one process keep that another has not?",
            )


@exercise.check(points=1, needs=own_data)
def stays_as_it_was(in_turn: Run) -> None:
    """earlier replies and the caller's input do not change afterwards"""
    for again in in_turn.of("again"):
        reply = next(r for r in in_turn.replies if r.data["id"] == again.data["id"])
        call = call_of(in_turn, reply)
        if again.data.get("args") != call.data["args"]:
            fail(
                "the list that the caller passed was changed",
                because=[call, again],
                help="does your node build a new list, or does it append to one?",
            )
        if again.value != reply.value:
            fail(
                "a reply changed after it had been returned",
                because=[reply, again],
                help="who still holds, and changes, the list inside the reply?",
            )
