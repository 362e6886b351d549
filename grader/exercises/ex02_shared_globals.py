"""A module's globals are shared by every request of one process, and by no other."""

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together
from grader.vocabulary.asking import side_by_side
from grader.vocabulary.claims import apart_from_answer, holds, quotes, unchanged

TEXTS = "not JSON serializable", "`messages` holds texts: a message's is its `content`"
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
        "A node is handed the state of its own run. Build a new list from it, "
        "`[*state['messages'], answer]`, and return it: nothing else needs to change.",
    ),
    advice=(TEXTS,),
    opening=(model.says("reply", "[reply]"),),
)

WAITING = "what would the two have to share less of, to need no waiting?"
TOLD = ["My name is {name_1}.", "What is my name?"]
THREE = [TOLD[0], "My city is {word_1}.", TOLD[0]]

exercise.scenario(
    "in_turn",
    "process 0 serves one user, then another, then the first one again",
    process(0).calls("handle", "{user_1}", TOLD),
    process(0).calls("handle", "{user_2}", ["Tell me, what is my name?"]),
    process(0).calls("handle", "{user_1}", ["My city is {word_1}."]),
    *(process(0).shows_again(call) for call in (1, 2)),
)
exercise.scenario(
    "at_once",
    "one process serves two users, and the model waits until it is asked for both",
    together(
        process(0).calls("handle", "{user_1}", TOLD),
        process(0).calls("handle", "{user_2}", ["My name is {name_2}."]),
        held_at="reply",
    ),
    *(process(0).shows_again(call) for call in (1, 2)),
)
exercise.scenario(
    "two_tabs",
    "one process serves two requests of one user, and the model waits for both",
    together(
        process(0).calls("handle", "{user_1}", TOLD),
        process(0).calls("handle", "{user_1}", ["My city is {word_1}."]),
        held_at="reply",
    ),
)
exercise.scenario(
    "elsewhere",
    "process 0 serves the same request twice, then process 1 serves it",
    process(0).calls("handle", "{user_1}", TOLD),
    process(0).calls("handle", "{user_1}", TOLD),
    process(1).calls("handle", "{user_1}", TOLD),
    process(0).shows_again(1),
)
exercise.scenario(
    "later",
    "process 0 serves a user; the model fails once; then it serves four others",
    process(0).calls("handle", "{user_1}", THREE),
    model.fails("reply", 401),
    *(
        process(0).calls("handle", f"{{user_{n}}}", [f"My city is {{word_{n}}}."])
        for n in range(2, 7)
    ),
    process(0).shows_again(1),
)


def is_own(run: Run, reply: Observation) -> None:
    """Fail unless a reply holds its own request and the model's answer to that."""
    call, messages = run.call(reply), reply.texts("messages")
    user_id, texts = call.data["args"]
    holds(reply, {"user_id": user_id, "count": len(messages)}, because=[call])
    if messages[:-1] != texts:
        what = f"the reply for {user_id} is not its request's texts, then one answer"
        fail(what, because=[call, reply])
    answer = quotes(run, reply, messages[-1])
    asked = run.request(answer)
    paid = [run.request(seen) for seen in run.during(reply, "answer")]
    if sum(request.text == asked.text for request in paid) > 1:
        fail("one request asked the model the same twice", because=[call, *paid, reply])
    others = [text for other in run.of("call") for text in other.data["args"][1]]
    if any(text in asked.text for text in others if text not in texts):
        fail("the model was shown what another request said", because=[call, asked])
    if not all(text in asked.text for text in texts):
        fail("the model was not shown what its own request said", because=[call, asked])


@exercise.check(points=2, help="the contract's table says what a reply holds")
def own_data(in_turn: Run, later: Run) -> None:
    """a reply holds the user's own data"""
    is_own(in_turn, in_turn.replies[0])
    is_own(later, later.replies[0])


@exercise.check(points=2, needs=own_data, help="what did earlier calls leave behind?")
def forgets_the_last(in_turn: Run, later: Run) -> None:
    """a reply is the same whatever this process served before"""
    for run, first in ((in_turn, 1), (later, 2)):
        for reply in run.replies[first:]:
            is_own(run, reply)


@exercise.check(
    points=3,
    needs=own_data,
    help="what did the other request write while the model worked?",
)
def apart_at_once(at_once: Run, two_tabs: Run) -> None:
    """two requests at once in one process do not mix, and none waits for the other"""
    for run in (at_once, two_tabs):
        for reply in run.replies:
            is_own(run, reply)
    names = at_once.drawn.name_1, at_once.drawn.name_2
    side_by_side(at_once, names, WAITING)


@exercise.check(points=2, needs=own_data, help="what does one process keep to itself?")
def same_everywhere(elsewhere: Run) -> None:
    """a reply is the same whichever process serves it"""
    first = elsewhere.replies[0]
    for reply in elsewhere.replies:
        is_own(elsewhere, reply)
        if apart_from_answer(reply) != apart_from_answer(first):
            fail("the same request got different replies", because=[first, reply])


@exercise.check(points=1, needs=own_data)
def stays_as_it_was(in_turn: Run, elsewhere: Run, later: Run) -> None:
    """earlier replies and the caller's input do not change afterwards"""
    for run in (in_turn, elsewhere, later):
        unchanged(run)
