"""What is in graph state is in the database: a live object fails, or leaks its key."""

from grader.vocabulary import (
    Exercise,
    Observation,
    Run,
    environment,
    fail,
    model,
    process,
)
from grader.vocabulary.claims import quotes
from grader.vocabulary.memory import kept, knows, suggested

exercise = Exercise(
    title="A live object in graph state",
    contract=("answer(thread_id, question) -> str",),
    hints=(
        "Everything in graph state is written to the database and read by other "
        "processes. Which of your values would you write on paper and post?",
        "A model, a client and a connection are *how* your nodes work, not *what* the "
        "conversation is about. Where can a node get them other than from `state`?",
        "Every process that runs your module has its own environment, and can make its "
        "own `ChatOpenAI` from it. Which moments are there to make one?",
        "Make the model once, when the module is imported, and use it inside the node; "
        "`State` then holds `messages` alone. Look at the input of `invoke` and at "
        "`config` too: both are stored.",
    ),
    advice=(
        (
            "Type is not msgpack serializable|cannot pickle",
            "the name in that message is the type of a value in your state: which node "
            "put it there, and who else could make it?",
        ),
        (
            "has no attribute '(invoke|stream|bind)",
            "what was stored as an object came back as plain data: what would a node "
            "need to make the object anew?",
        ),
    ),
)

says = model.says("answer", "[answer]", "{answer} (ref {ref})")
turns = (
    says,
    process(0).calls("answer", "{thread}", "My name is {name}."),
    process(1).calls("answer", "{thread}", "What is my name?"),
)
strictly = environment.sets("LANGGRAPH_STRICT_MSGPACK", "true")
told = "process 0 is told a name, and process 1 is asked for it"
exercise.scenario("hand_over", told, *turns)
exercise.scenario("strict", f"{told}, in strict mode", strictly, *turns)
exercise.scenario(
    "and_back",
    "process 0 is told a name, process 1 a city, and process 0 is asked for both, and "
    "told the same name on another thread, where the model then refuses a request",
    *(process(1).starts_apart(), says),
    process(0).calls("answer", "{thread}", "My name is {name}."),
    process(1).calls("answer", "{thread}", "My city is {word_1}."),
    process(0).calls("answer", "{thread}", "What is my name? What is my city?"),
    process(0).calls("answer", "{thread_2}", "My name is {name}."),
    *(model.fails("answer", 401), process(0).calls("answer", "{thread_2}", "Hello?")),
)


def said(run: Run, replies: list[Observation]) -> None:
    """Fail unless each call returned what the model answered to it, word for word."""
    for reply in replies:
        answers = run.during(reply, "answer")
        paid = [seen for seen in answers if seen.data["status"] == 200]
        if paid and not reply.ok:
            late = f"{reply.trouble}, after the model had answered"
            fail(late, because=[*paid, reply])
        quotes(run, reply, reply.value)


def remembers(run: Run) -> None:
    """Fail unless the second request shows the model the first question."""
    told, asked = run.replies
    request = (run.of("model", "answer") or run.of("model"))[-1]
    if f"My name is {run.drawn.name}." not in request.text:
        fail(
            f"process {asked.process} asked the model without the earlier question",
            because=[request, asked],
            help=suggested(run.stored_before(asked), run.drawn.name),
        )
    knows(run, asked, run.drawn.name, because=[told, request])


@exercise.check(points=2)
def answers(hand_over: Run) -> None:
    """both processes answer with what the model said"""
    said(hand_over, hand_over.replies)


@exercise.check(points=2, needs=answers)
def continues(hand_over: Run, and_back: Run) -> None:
    """each process continues the other's thread: the model sees earlier questions"""
    remembers(hand_over)
    for reply in hand_over.replies:
        kept(hand_over, reply, reply.value)
    said(and_back, and_back.replies[:-1])
    *told, asked, _, _ = and_back.replies
    for word in (and_back.drawn.word_1, and_back.drawn.name):
        knows(and_back, asked, word, because=told)


@exercise.check(points=3, needs=continues)
def stores_data(hand_over: Run) -> None:
    """every stored value is plain data or a LangChain message"""
    for stored in hand_over.stored:
        for found in stored.data["foreign"]:
            fail(
                f"{found['where']} holds {found['type']}",
                because=[stored],
                help="state is for what the conversation is about; a node can make or "
                "import everything else",
            )


@exercise.check(points=2, needs=continues)
def keeps_secrets(hand_over: Run, and_back: Run) -> None:
    """the API key is nowhere in the database files, in any common encoding"""
    for stored in (*hand_over.stored, *and_back.stored):
        for found in stored.data["keys"]:
            fail(
                f"the API key of process {found['process']} stands in "
                f"{found['where']} ({found['encoding']})",
                because=[stored],
                help="input, state, metadata and `configurable` are all stored: a node "
                "can read the environment instead",
            )


@exercise.check(points=1, needs=continues)
def survives_strict(strict: Run) -> None:
    """strict deserialisation changes nothing"""
    said(strict, strict.replies)
    remembers(strict)
