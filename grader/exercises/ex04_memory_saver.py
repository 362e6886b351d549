"""MemorySaver keeps checkpoints in one process's heap, so a second starts blank."""

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together
from grader.vocabulary import restart_all as restart
from grader.vocabulary.scenario import Together

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
)

DRAFT, POLISH = "[draft]", "[polish]"
says = (
    model.says("draft", DRAFT, "{answer} (draft {ref})"),
    model.says("polish", POLISH, "{prompt} (polished {ref})"),
)
HEAP = "whose memory does your checkpointer write to, and does what it writes stay?"
SAVER = "does your graph write its checkpoints to the file named by `CHECKPOINT_DB`?"
THREAD = "which thread_id reaches the checkpointer, for which conversation?"


def four_chats(text: str, shift: int) -> Together:
    """Return a turn of four threads, thread n on process n + `shift`, at once."""
    numbered = [(f"{{thread_{n}}}", text.replace("_n", f"_{n}")) for n in range(4)]
    calls = [
        process((n + shift) % 4).calls("chat", *args) for n, args in enumerate(numbered)
    ]
    return together(*calls, held_at="draft")


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
    four_chats("My city is {word_city_n}.", shift=0),
    four_chats("My street is {word_street_n}.", shift=1),
    four_chats("What is my city? What is my street?", shift=0),
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
    said: str = reply.value
    if all(seen.data["text"] != said for seen in run.of("answer", "polish")):
        answers = [seen for seen in run.of("answer") if seen.number < reply.number]
        fail(
            f"process {reply.process} returned what the polish step never said",
            because=[*answers[-2:], reply],
            help=f"`{reply.data['function']}` returns the polished answer, word for "
            "word: is it another text, or does something hide an exception?",
        )
    return expected in said


def after(run: Run, told: Observation) -> Observation:
    """Return what LangGraph's checkpoints held once this had been told."""
    return next(seen for seen in run.stored if seen.number > told.number)


def holds(stored: Observation, expected: str) -> bool:
    """Whether a latest checkpoint has the text; where none can be read, it may."""
    may = [expected]  # encrypted, for one: then a row is all that can be asked
    texts = [text for t in stored.data["threads"] for text in t["texts"] or may]
    return any(expected in text for text in texts)


def written(stored: Observation) -> str:
    """Say which files were written that are not the database."""
    own = ("-wal", "-shm", "-journal")  # SQLite's, beside any database
    files = [name for name in stored.data["files"] if not name.endswith(own)]
    return f"; it wrote {', '.join(files)}" if files else ""


@exercise.check(points=3)
def crosses_processes(hand_over: Run) -> None:
    """what process 0 was told, process 1 knows"""
    told, asked = hand_over.replies
    knows(hand_over, told, "")
    stored = after(hand_over, told)
    if not knows(hand_over, asked, hand_over.drawn.name):
        lost = f"process {asked.process} answered as if the conversation had just begun"
        nothing = SAVER if stored.data["files"] else HEAP
        help = THREAD if stored.data["threads"] else nothing
        fail(lost + written(stored), because=[told, stored, asked], help=help)
    if not holds(stored, hand_over.drawn.name):
        lost = "the conversation goes on, but no checkpoint of LangGraph holds it"
        fail(lost + written(stored), because=[told, stored], help=SAVER)


@exercise.check(points=3)
def resumes_elsewhere(cut_off: Run) -> None:
    """killed during polish, another process resumes, and draft is not asked again"""
    cut, resumed, asked = cut_off.replies
    killed = cut_off.of("fault")
    if not killed:
        fail(
            f"the model was never asked to polish: {cut.value!r}",
            because=[*cut_off.of("model"), cut],
            help="a turn asks the model twice: for a draft, then to polish it",
        )
    drafts = [s for s in cut_off.of("model", "draft") if s.number < resumed.number]
    if len(drafts) > 1:
        fail(
            f"draft was asked {len(drafts)} times for one turn",
            because=[*killed, *drafts],
            help="how does a graph go on from its last checkpoint without new input?"
            if killed[0].data["stored"]
            else "is there a checkpoint between draft and polish to go on from?",
        )
    if not knows(cut_off, resumed, cut_off.drawn.word):
        fail("another turn was resumed than the one cut off", because=[resumed])
    if not knows(cut_off, asked, cut_off.drawn.word):
        fail("the turn after it had forgotten the one cut off", because=[asked])


@exercise.check(points=1, needs=crosses_processes)
def stays_apart(two_conversations: Run) -> None:
    """one conversation never hears of another"""
    names = two_conversations.drawn.name_1, two_conversations.drawn.name_2
    for reply, own in zip(two_conversations.replies[2:], names, strict=True):
        if any(name in reply.value for name in names if name != own):
            fail(
                "a thread was answered with the name that another was told",
                because=[reply],
                help=THREAD,
            )
        if not knows(two_conversations, reply, own):
            fail("a thread has forgotten its own name", because=[reply], help=THREAD)
    for asked in two_conversations.of("model", "draft"):
        shown = " ".join(message["text"] for message in asked.data["messages"])
        if all(name in shown for name in names):
            fail(
                "the model was shown both conversations in one request",
                because=[asked],
                help="what else than its own thread reaches the prompt of a turn?",
            )


@exercise.check(points=2, needs=crosses_processes)
def loses_no_turn(rush: Run) -> None:
    """four processes serve four threads at once, and no turn is lost"""
    for n, reply in enumerate(rush.replies[-4:]):
        for earlier in rush.replies[n:8:4]:
            knows(rush, earlier, "")
        for what in ("city", "street"):
            word = rush.drawn.values[f"word_{what}_{n}"]
            if not knows(rush, reply, word):
                kept = holds(rush.stored[-1], word)
                fail(
                    f"a thread has lost the turn that told its {what}",
                    because=[*rush.replies[n:8:4], reply],
                    help="a checkpoint holds that turn: what of its thread does the "
                    "model see, and is it the thread that was asked for?"
                    if kept
                    else "what does a process keep of a thread that others write to?",
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
            help="does what you store outlive every process that wrote it? what runs "
            "when one ends, or is imported?",
        )
