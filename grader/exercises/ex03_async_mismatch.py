"""An async graph behind a server: who runs the event loop, and for how long."""

from grader.vocabulary import Exercise, Observation, Run, fail, process, together
from grader.vocabulary import stop_all as stop
from grader.vocabulary.asking import asked_once, quiet, side_by_side, strangers
from grader.vocabulary.claims import answered, quotes
from grader.vocabulary.memory import knows
from grader.vocabulary.scenario import Call

exercise = Exercise(
    title="The event loop that was already running",
    contract=("api: ASGI application",),
    hints=(
        "An event loop belongs to one OS thread; a connection or a lock to one loop. "
        "How many loops does your server run for six requests, and which owns what?",
        "uvicorn starts a loop before the first request and keeps it until the last: "
        "what does an `async def` endpoint write instead of starting its own?",
        "`AsyncSqliteSaver` belongs to the loop that uses it first. A `lifespan` of "
        "FastAPI is an async context manager: the server's loop enters it before the "
        "first request and leaves it after the last. Keep the saver open around it.",
        "There: `async with AsyncSqliteSaver.from_conn_string(…) as saver:`, compile, "
        "`yield`. In an `async def` endpoint: `await api.state.graph.ainvoke(…)`.",
    ),
)

TURNS, CROWD, THREE = range(6), range(20), range(3)


def asks(number: int, thread: str, question: str) -> Call:
    """Return the step in which a process is asked a question."""
    return process(number).posts("/ask", {"thread_id": thread, "question": question})


exercise.scenario(
    "in_a_row",
    "two servers are asked six questions each, one after the other, and then stopped",
    *(
        together(
            asks(0, "{thread_0}", f"My lucky word {turn} is {{word_0{turn}}}."),
            asks(1, "{thread_1}", f"My lucky word {turn} is {{word_1{turn}}}."),
        )
        for turn in TURNS
    ),
    stop(),
)
exercise.scenario(
    "crowd",
    "two servers are asked twenty questions each, all at once, and then stopped",
    together(
        *(
            asks(n, f"{{thread_{n}x{k}}}", f"My lucky word is {{word_{n}x{k}}}.")
            for n in (0, 1)
            for k in CROWD
        ),
        held_at="model",
    ),
    stop(),
)
exercise.scenario(
    "hand_over",
    "server 0 is told a name, server 1 is asked for it, and told a city for server 0",
    asks(0, "{thread}", "My name is {name}."),
    *(asks(1, "{thread}", t) for t in ("What is my name?", "My city is {word}.")),
    asks(0, "{thread}", "What is my city?"),
)
exercise.scenario(
    "three_at_once",
    "one server is asked three questions at once, of which the model answers the "
    "second one first, and then one three times",
    together(
        *(asks(0, f"{{thread_{n}}}", f"My lucky word is {{word_{n}}}.") for n in THREE),
        held_at="model",
        answered=(1, 0, 2),
    ),
    *(asks(0, f"{{thread_{n}}}", "My lucky word is {word_3}.") for n in (3, 4, 0)),
)

SHARED = "what do two requests share that belongs to one of them?"
ANSWER = 'the response is {"answer": …}, the model\'s own words'


def has_own_answer(run: Run, reply: Observation, expected: str) -> None:
    """Fail unless a reply is what the model said, and holds what was expected."""
    answer = quotes(run, reply, reply.at("answer"), help=ANSWER)
    if expected not in answer.text:
        fail("it gave the answer to another question", because=[reply], help=SHARED)


@exercise.check(points=2)
def six_in_a_row(in_a_row: Run, three_at_once: Run) -> None:
    """six in a row, and three after three at once: all answered, each asked once"""
    for i, reply in enumerate(in_a_row.replies):
        has_own_answer(in_a_row, reply, in_a_row.drawn[f"word_{i % 2}{i // 2}"])
    for reply in three_at_once.replies[3:]:
        has_own_answer(three_at_once, reply, three_at_once.drawn.word_3)
    for run in (in_a_row, three_at_once):
        asked_once(run, "lucky")


@exercise.check(points=3)
def twenty_at_once(crowd: Run) -> None:
    """twenty questions at once are answered, on each server, each with its own"""
    for index, reply in enumerate(crowd.replies):
        n, k = divmod(index, len(CROWD))
        has_own_answer(crowd, reply, crowd.drawn[f"word_{n}x{k}"])


@exercise.check(points=2)
def crosses_processes(hand_over: Run, in_a_row: Run) -> None:
    """a thread begun on one server goes on on the other"""
    run, (*there, told, back) = hand_over, hand_over.replies
    for reply in there:
        has_own_answer(run, reply, "")
    knows(run, there[1], run.drawn.name, because=there[:1])
    if all(reply.ok and run.during(reply, "answer") for reply in (told, back)):
        knows(run, back, run.drawn.word, because=[told])
    both = ([in_a_row.drawn[f"word_{n}{turn}"] for turn in TURNS] for n in (0, 1))
    strangers(in_a_row, *both)


@exercise.check(points=1, needs=six_in_a_row)
def quiet_log(in_a_row: Run, crowd: Run) -> None:
    """no server's log names a closed or foreign loop, a lost coroutine or task"""
    quiet(in_a_row)
    quiet(crowd)


@exercise.check(points=2)
def both_inside(three_at_once: Run) -> None:
    """two requests are at the model at the same time; answered first, returned first"""
    run, words = three_at_once, [three_at_once.drawn[f"word_{n}"] for n in THREE]
    answered(run, besides=run.replies[3:])
    waits = "what keeps the server waiting while the model thinks?"
    side_by_side(run, words[:2], waits)
    answers, told = run.of("answer"), zip(words, run.replies, strict=False)
    first = [reply for word, reply in told if word in answers[0].text]
    if first and len(answers) > 1 and first[0].number > answers[1].number:
        what = "the model had answered, but the reply waited for another request"
        inside = "does it run around another one, on the same stack, or in a queue?"
        fail(what, because=[*answers, *first], help=inside)
