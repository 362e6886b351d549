"""MemorySaver keeps checkpoints in one process's heap, so a second starts blank."""

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together
from grader.vocabulary import restart_all as restart

exercise = Exercise(
    title="Memory that only one process can see",
    contract=("chat(thread_id, text) -> str", "resume(thread_id) -> str"),
    hints=(
        "Where, physically, does `MemorySaver` keep a checkpoint? "
        "Which processes can read that place?",
        "All processes of this app can open one file: its path is in the environment "
        "variable `CHECKPOINT_DB`. Which saver of LangGraph writes to a file?",
        "`langgraph.checkpoint.sqlite.SqliteSaver` takes an open `sqlite3` connection, "
        "and LangGraph writes from an OS thread of its own: the connection must allow "
        "that, and must stay open as long as the process lives.",
        "`SqliteSaver(sqlite3.connect(os.environ['CHECKPOINT_DB'], "
        "check_same_thread=False))`, made once when the module is imported.",
    ),
    advice=(
        (
            "_GeneratorContextManager",
            "`from_conn_string` is a context manager: what it returns is not a saver, "
            "and the connection closes when its `with` block ends",
        ),
        (
            "Cannot operate on a closed database",
            "something closed the connection while the graph still uses it: who holds "
            "the `with` block open for as long as the process lives?",
        ),
        (
            "SQLite objects created in a thread",
            "LangGraph writes checkpoints from an OS thread of its own: look at the "
            "argument `check_same_thread` of `sqlite3.connect`",
        ),
        (
            "no such table: checkpoints",
            "the database has no tables yet: which method of the saver makes them?",
        ),
        (
            "database is locked",
            "another process was writing: how long does your connection wait for it?",
        ),
        (
            "EmptyInputError",
            "there was no checkpoint to go on from: when does your graph write one, "
            "and where?",
        ),
    ),
)

DRAFT, POLISH = "[draft]", "[polish]"
says = (
    model.says("draft", DRAFT, "{answer} (draft {ref})"),
    model.says("polish", POLISH, "{prompt} (polished {ref})"),
)
SAVER = "does your graph write its checkpoints to the file named by `CHECKPOINT_DB`?"

exercise.scenario(
    "hand_over",
    "process 0 is told a name, and process 1 is asked for it",
    *says,
    process(0).calls("chat", "{thread}", "My name is {name}."),
    process(1).calls("chat", "{thread}", "What is my name?"),
)
exercise.scenario(
    "cut_off",
    "process 0 is killed while the model works on polish, and process 1 resumes",
    *says,
    process(0).is_killed_when("polish", once_stored="draft"),
    process(0).calls("chat", "{thread}", "My lucky word is {word}."),
    process(1).calls("resume", "{thread}"),
    process(1).calls("chat", "{thread}", "What is my lucky word?"),
)
exercise.scenario(
    "two_conversations",
    "two threads are told different names, and each is asked by the other process",
    *says,
    process(0).calls("chat", "{thread_1}", "My name is {name_1}."),
    process(1).calls("chat", "{thread_2}", "My name is {name_2}."),
    process(1).calls("chat", "{thread_1}", "What is my name?"),
    process(0).calls("chat", "{thread_2}", "What is my name?"),
)
exercise.scenario(
    "rush",
    "four processes serve four threads at once, three turns each, changing places",
    *says,
    *(
        together(
            *(
                process((n + shift) % 4).calls(
                    "chat", f"{{thread_{n}}}", f"My {what} is {{word_{n}{what}}}."
                )
                for n in range(4)
            ),
            held_at="draft",
        )
        for shift, what in ((0, "city"), (1, "street"))
    ),
    together(
        *(
            process(n).calls(
                "chat", f"{{thread_{n}}}", "What is my city? What is my street?"
            )
            for n in range(4)
        ),
        held_at="draft",
    ),
)
exercise.scenario(
    "restart",
    "a conversation is begun, all processes stop and start again, and it goes on",
    *says,
    process(0).calls("chat", "{thread}", "My name is {name}."),
    restart(2),
    process(1).calls("chat", "{thread}", "What is my name?"),
)


def knows(run: Run, reply: Observation, expected: str) -> bool:
    """Whether the reply is the model's own, and holds what the thread was told."""
    own = any(seen.data["text"] == reply.value for seen in run.of("answer", "polish"))
    if not own:
        fail(
            f"process {reply.process} returned what the polish step never said",
            because=[*run.of("answer")[-2:], reply],
            help="`chat` returns the polished answer, word for word",
        )
    return expected in reply.value


def is_stored(run: Run, told: Observation, expected: str) -> None:
    """Fail unless LangGraph's checkpoints held what was told, after it was told."""
    after = next(seen for seen in run.stored if seen.number > told.number)
    unreadable = [expected]  # encrypted, for one: then a row is all that can be asked
    threads = after.data["threads"]
    texts = [text for t in threads for text in t["texts"] or unreadable]
    if any(expected in text for text in texts):
        return
    others = ", ".join(after.data["files"])
    where = f"; it wrote {others}" if others else ""
    fail(
        f"the conversation goes on, but no checkpoint of LangGraph holds it{where}",
        because=[told, after],
        help=SAVER,
    )


@exercise.check(points=3)
def crosses_processes(hand_over: Run) -> None:
    """what process 0 was told, process 1 knows"""
    told, asked = hand_over.replies
    knows(hand_over, told, "")
    if not knows(hand_over, asked, hand_over.drawn.name):
        fail(
            f"process {asked.process} answered as if the conversation had just begun",
            because=[told, asked],
            help="whose memory does your checkpointer write to?",
        )
    is_stored(hand_over, told, hand_over.drawn.name)


@exercise.check(points=3)
def resumes_elsewhere(cut_off: Run) -> None:
    """killed during polish, another process resumes, and draft is not asked again"""
    cut, resumed, asked = cut_off.replies
    killed = cut_off.of("fault")
    if not killed:
        fail(
            f"the model was never asked to polish: {cut.value!r}",
            because=[*cut_off.of("model"), cut],
        )
    drafts = [s for s in cut_off.of("model", "draft") if s.number < resumed.number]
    if len(drafts) > 1:
        fail(
            f"draft was asked {len(drafts)} times for one turn",
            because=[*killed, *drafts],
            help="how does a graph go on from its last checkpoint without new input?",
        )
    if not knows(cut_off, resumed, cut_off.drawn.word):
        fail(
            "what was resumed is not the turn that was cut off",
            because=[*killed, resumed],
        )
    if not knows(cut_off, asked, cut_off.drawn.word):
        fail("the turn after it had forgotten the one cut off", because=[asked])


@exercise.check(points=1, needs=crosses_processes)
def stays_apart(two_conversations: Run) -> None:
    """one conversation never hears of another"""
    drawn = two_conversations.drawn
    *_, first, second = two_conversations.replies
    for reply, own, other in (
        (first, drawn.name_1, drawn.name_2),
        (second, drawn.name_2, drawn.name_1),
    ):
        if other in reply.value:
            fail(
                "a thread was answered with the name that another was told",
                because=[reply],
                help="which thread_id reaches the checkpointer?",
            )
        if not knows(two_conversations, reply, own):
            fail("a thread has forgotten its own name", because=[reply])
    leaks = [
        seen
        for seen in two_conversations.of("model", "draft")
        if all(
            any(name in message["text"] for message in seen.data["messages"])
            for name in (drawn.name_1, drawn.name_2)
        )
    ]
    if leaks:
        fail("the model was shown both conversations in one request", because=leaks)


@exercise.check(points=2, needs=crosses_processes)
def loses_no_turn(rush: Run) -> None:
    """four processes serve four threads at once, and no turn is lost"""
    for n, reply in enumerate(rush.replies[-4:]):
        for earlier in rush.replies[n:8:4]:
            knows(rush, earlier, "")
        for what in ("city", "street"):
            word = rush.drawn.values[f"word_{n}{what}"]
            if not knows(rush, reply, word):
                turns = rush.replies[n:8:4]
                fail(
                    f"a thread has lost the turn that told its {what}",
                    because=[*turns, reply],
                    help="what does a process keep of a thread that others write to?",
                )


@exercise.check(points=1, needs=crosses_processes)
def survives_restart(restart: Run) -> None:
    """a restart of all processes forgets nothing"""
    told, asked = restart.replies
    knows(restart, told, "")
    if not knows(restart, asked, restart.drawn.name):
        fail(
            "after the restart the conversation had just begun",
            because=[told, *restart.of("fault"), asked],
            help="does what you store outlive every process that wrote it?",
        )
