"""An async graph behind a server: who runs the event loop, and for how long."""

import re
from collections import Counter

from grader.vocabulary import Exercise, Observation, Run, fail, process, together
from grader.vocabulary import stop_all as stop
from grader.vocabulary.scenario import Call

exercise = Exercise(
    title="The event loop that was already running",
    contract=("api: ASGI application",),
    hints=(
        "An event loop belongs to one OS thread, and a connection or a lock belongs to "
        "one event loop. How many loops does your server run while it answers six "
        "requests, and which of them does each of your objects belong to?",
        "uvicorn has started a loop before the first request, and keeps it until the "
        "last. An `async def` endpoint runs in it: what does such a function write "
        "instead of starting a loop of its own?",
        "`AsyncSqliteSaver` belongs to the loop it is made in. FastAPI's `lifespan` "
        "is an async context manager: the server's loop enters it before the first "
        "request and leaves it after the last. Keep the saver open around its `yield`.",
        "In the lifespan: `async with AsyncSqliteSaver.from_conn_string(path) as "
        "saver:`, and in it `app.state.graph = builder.compile(checkpointer=saver)`, "
        "then `yield`. In an `async def` endpoint: `await api.state.graph.ainvoke(…)`.",
    ),
    advice=(
        (
            r"asyncio\.run\(\) cannot be called|event loop is already running",
            "the server's loop runs in this OS thread already: how does an `async def` "
            "function wait for a coroutine?",
        ),
        (
            "Event loop is closed|different event loop",
            "something outlives the loop it was made in and is used in the next one: "
            "who starts a loop for each request, and what do the requests share?",
        ),
        (
            "no running event loop|no current event loop",
            "there is no loop where this is made: which part of the application runs "
            "in the server's loop, before the first request?",
        ),
        (
            "SQLite objects created in a thread",
            "several OS threads use this connection: look at the argument "
            "`check_same_thread` of `sqlite3.connect`",
        ),
    ),
)

TURNS, CROWD = range(6), range(20)


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
    stop(2),
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
    stop(2),
)
exercise.scenario(
    "hand_over",
    "server 0 is told a name; server 1 is asked for it",
    asks(0, "{thread}", "My name is {name}."),
    asks(1, "{thread}", "What is my name?"),
)
exercise.scenario(
    "two_at_once",
    "one server is asked two questions at once, and the model waits for both",
    together(
        asks(0, "{thread_0}", "My lucky word is {word_0}."),
        asks(0, "{thread_1}", "My lucky word is {word_1}."),
        held_at="model",
        one_by_one=True,
    ),
)

LOOP = re.compile(
    r"loop (<.*> )?.*is closed|different (event )?loop|was never awaited"
    r"|Task was destroyed but it is pending",
    re.IGNORECASE,
)


def has_own_answer(run: Run, reply: Observation, expected: str) -> None:
    """Fail unless a reply is what the model said, and holds what was expected."""
    value = reply.value
    answer = value.get("answer") if isinstance(value, dict) else None
    if not any(answer == seen.data["text"] for seen in run.of("answer")):
        fail(
            f"server {reply.process} answered what the model never said",
            because=[*run.of("answer")[-2:], reply],
            help='the response is {"answer": …}, the model\'s own words',
        )
    if expected not in str(answer):
        fail(
            f"server {reply.process} gave the answer to another question",
            because=[reply],
            help="what do two requests share that belongs to one of them?",
        )


@exercise.check(points=2)
def six_in_a_row(in_a_row: Run) -> None:
    """six questions in a row are answered, on each server, and asked once each"""
    for index, reply in enumerate(in_a_row.replies):
        turn, n = divmod(index, 2)
        has_own_answer(in_a_row, reply, in_a_row.drawn.values[f"word_{n}{turn}"])
    for seen in in_a_row.of("model"):
        asked = Counter(message["text"] for message in seen.data["messages"])
        if any(count > 1 and "lucky" in text for text, count in asked.items()):
            fail(
                "a question stands twice in its thread",
                because=[seen],
                help="what does a run that failed leave in the thread, and what does "
                "a second try add to it?",
            )


@exercise.check(points=3)
def twenty_at_once(crowd: Run) -> None:
    """twenty questions at once are answered, on each server, each with its own"""
    for index, reply in enumerate(crowd.replies):
        n, k = divmod(index, len(CROWD))
        has_own_answer(crowd, reply, crowd.drawn.values[f"word_{n}x{k}"])


@exercise.check(points=2)
def crosses_processes(hand_over: Run) -> None:
    """a thread begun on one server goes on on the other"""
    told, asked = hand_over.replies
    has_own_answer(hand_over, told, "")
    has_own_answer(hand_over, asked, "")
    if hand_over.drawn.name not in asked.value["answer"]:
        fail(
            f"server {asked.process} answered as if the conversation had just begun",
            because=[told, asked],
            help="does your graph write its checkpoints to the file named by "
            "`CHECKPOINT_DB`, which both servers can read?",
        )


@exercise.check(points=1, needs=six_in_a_row)
def quiet_log(in_a_row: Run, crowd: Run) -> None:
    """no server's log names a closed or foreign loop, a lost coroutine or task"""
    for run in (in_a_row, crowd):
        lines = [seen for seen in run.of("log") if LOOP.search(seen.data["text"])]
        if lines:
            fail(
                f"all is answered, but the log of server {lines[0].process} has more "
                "to say",
                because=lines,
                help="which coroutine is made and not awaited, or which task is "
                "left when its loop ends?",
            )


@exercise.check(points=2)
def both_inside(two_at_once: Run) -> None:
    """two requests are at the model at the same time; answered first, returned first"""
    run, words = two_at_once, (two_at_once.drawn.word_0, two_at_once.drawn.word_1)
    answers = run.of("answer")
    if all(reply.value for reply in run.replies) and not answers:
        fail("the model was never asked", because=run.replies)
    before = [s for s in run.of("model") if answers and s.number < answers[0].number]
    if not all(any(word in s.data["prompt"] for s in before) for word in words):
        fail(
            "the second question reached the model after the first was answered",
            because=[*run.of("call"), *before, *run.of("released"), *answers[:1]],
            help="what keeps the server waiting while the model thinks?",
        )
    told = zip(words, run.replies, strict=True)
    first = [reply for word, reply in told if word in answers[0].data["text"]]
    if first and len(answers) > 1 and first[0].number > answers[1].number:
        fail(
            "the model had answered, but the reply waited for another request",
            because=[*answers, *first],
            help="which of the two runs inside the other, on the same stack?",
        )
