"""MemorySaver keeps checkpoints in one process's heap, so a second starts blank."""

from grader.vocabulary import Exercise, Observation, Run, fail, model, process, together
from grader.vocabulary import restart_all as restart
from grader.vocabulary.asking import apart, counted
from grader.vocabulary.claims import killed, quotes
from grader.vocabulary.memory import THREAD, kept, knows
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
    opening=(
        model.says("draft", "[draft]", "{answer} (draft {ref})"),
        model.says("polish", "[polish]", "{prompt} (polished {ref})"),
    ),
)

STORED = "how does a graph go on from its last checkpoint without new input?"
BETWEEN = "is there a checkpoint between draft and polish to go on from?"


def four_chats(text: str, shift: int) -> Together:
    """Return a turn of four threads, thread n on process n + `shift`, at once."""
    told = [("chat", f"{{thread_{n}}}", text.replace("_n", f"_{n}")) for n in range(4)]
    calls = [process((n + shift) % 4).calls(*args) for n, args in enumerate(told)]
    return together(*calls, held_at="draft")


exercise.scenario(
    "hand_over",
    "process 0 is told a name, and process 1 is asked for it",
    process(0).calls("chat", "{thread}", "My name is {name}."),
    process(1).calls("chat", "{thread}", "What is my name?"),
)
exercise.scenario(
    "cut_off",
    "process 0 is killed while the model works on polish, and process 1 resumes",
    process(0).is_killed_when("polish", once_stored="draft"),
    process(0).calls("chat", "{thread}", "My lucky word is {word}."),
    process(1).calls("resume", "{thread}"),
    process(1).calls("chat", "{thread}", "What is my lucky word?"),
)
exercise.scenario(
    "two_conversations",
    "two threads are told different names, and each is asked by the other process",
    process(0).calls("chat", "{thread}-Ada", "My name is {name_1}."),
    process(1).calls("chat", "{thread}_ada", "My name is {name_2}."),
    process(1).calls("chat", "{thread}-Ada", "What is my name?"),
    process(0).calls("chat", "{thread}_ada", "What is my name?"),
)
exercise.scenario(
    "rush",
    "four processes serve four threads at once, three turns each, changing places",
    four_chats("My city is {word_city_n}.", shift=0),
    four_chats("My street is {word_street_n}.", shift=1),
    four_chats("What is my city? What is my street?", shift=0),
)
exercise.scenario(
    "restart",
    "a conversation is begun, all processes stop and start again, and it goes on",
    process(0).calls("chat", "{thread}", "My name is {name}."),
    *(process(1).starts_apart(), restart()),  # with another hash seed, as a server has
    process(1).calls("chat", "{thread}", "What is my name?"),
)


def polished(run: Run, *replies: Observation) -> None:
    """Fail unless these replies are what the model answered to [polish]."""
    for reply in replies:
        quotes(run, reply, reply.value, "polish")


@exercise.check(points=3)
def crosses_processes(hand_over: Run) -> None:
    """what process 0 was told, process 1 knows"""
    told, asked = hand_over.replies
    polished(hand_over, told, asked)
    knows(hand_over, asked, hand_over.drawn.name, because=[told])
    kept(hand_over, told, hand_over.drawn.name)


@exercise.check(points=3)
def resumes_elsewhere(cut_off: Run) -> None:
    """killed during polish, another process resumes, and draft is not asked again"""
    cut, resumed, asked = cut_off.replies
    twice = "a turn asks the model twice: for a draft, then to polish it"
    again = STORED if killed(cut_off, cut, help=twice).data["stored"] else BETWEEN
    counted(cut_off, resumed, 1, event="draft", help=again)
    polished(cut_off, resumed, asked)
    word = cut_off.drawn.word
    knows(cut_off, resumed, word, "another turn was resumed than the one cut off")
    knows(cut_off, asked, word, "the turn after it had forgotten the one cut off")
    if cut_off.stored_after(resumed).data["threads"]:  # else the hand-over tells
        kept(cut_off, resumed, resumed.value)


@exercise.check(points=1, needs=crosses_processes)
def stays_apart(two_conversations: Run) -> None:
    """one conversation never hears of another"""
    run = two_conversations
    names = run.drawn.name_1, run.drawn.name_2
    for reply, own, other in zip(run.replies[2:], names, names[::-1], strict=True):
        if other in reply.value:
            what = "a thread was answered with the name that another was told"
            fail(what, because=[reply], help=THREAD)
        polished(run, reply)
        knows(run, reply, own, "a thread has forgotten its own name")
    apart(run, names, "draft")


@exercise.check(points=2, needs=crosses_processes)
def loses_no_turn(rush: Run) -> None:
    """four processes serve four threads at once, and no turn is lost"""
    polished(rush, *rush.replies)
    for n, reply in enumerate(rush.replies[-4:]):
        for what in ("city", "street"):
            lost = f"a thread has lost the turn that told its {what}"
            word = rush.drawn[f"word_{what}_{n}"]
            knows(rush, reply, word, lost, because=rush.replies[n:8:4])


@exercise.check(points=1, needs=crosses_processes)
def survives_restart(restart: Run) -> None:
    """a restart of all processes forgets nothing"""
    told, asked = restart.replies
    polished(restart, told, asked)
    begun = "after the restart the conversation had just begun"
    knows(restart, asked, restart.drawn.name, begun, because=[told])
