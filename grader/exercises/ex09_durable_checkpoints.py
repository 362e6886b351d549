"""Four replicas share a real database: they start on it, and lose it, together."""

from grader.vocabulary import Exercise, Run, database, model, process, together
from grader.vocabulary.asking import counted
from grader.vocabulary.claims import answered, killed, quotes
from grader.vocabulary.exercise import POSTGRES
from grader.vocabulary.memory import kept, knows
from grader.vocabulary.sharing import connected, lives_on, started

exercise = Exercise(
    title="A database that all replicas share, for real",
    contract=("chat(thread_id, text) -> str", "resume(thread_id) -> str"),
    database=POSTGRES,
    hints=(
        "`setup()` is code that every replica runs and only one may. What in the "
        "database can say who it is, and how do the others learn that it is done?",
        "A lock that you wait for in a statement is waited for by `CREATE INDEX "
        "CONCURRENTLY` too. Which lock can be asked for without waiting?",
        "Everybody asks `pg_try_advisory_lock` in a loop; who gets it calls `setup()` "
        "and gives it back. A connection is borrowed from a pool that looks at it "
        "first, and there are at most four.",
        "`ConnectionPool(url, min_size=1, max_size=4, check=ConnectionPool."
        "check_connection, kwargs={'autocommit': True, 'row_factory': dict_row})`, and "
        "around `setup()`: `while not locked(): time.sleep(0.05)`.",
    ),
    opening=(
        model.says("draft", "[draft]", "{answer} (draft {ref})"),
        model.says("polish", "[polish]", "{prompt} (polished {ref})"),
    ),
)

TOLD = "My name is {name}."
ASKED = ("chat", "{thread}", "What is my name?")
BOTH = ("chat", "{thread}", "What is my city? What is my street?")

exercise.scenario(
    "start",
    "four processes start at once on an empty database, another replica a moment ahead",
    process(1).starts_apart(),
    database.starts_empty(),
    together(
        *(process(n).calls("chat", f"{{thread_{n}}}", f"Hello {n}.") for n in range(4))
    ),
)
exercise.scenario(
    "hand_over",
    "a thread goes from process 0 to 1, to 2 and back, and is told something by each",
    process(0).calls("chat", "{thread}", "My city is {word_0}."),
    process(1).calls("chat", "{thread}", "My street is {word_1}."),
    process(2).calls(*BOTH),
    process(0).calls(*BOTH),
)
exercise.scenario(
    "dropped",
    "two processes have answered, the server drops every connection, the next turns "
    "come, and it happens again",
    process(0).calls("chat", "{thread}", TOLD),
    process(1).calls(*ASKED),
    *(database.drops_connections(), process(0).calls(*ASKED), process(1).calls(*ASKED)),
    *(database.drops_connections(), process(1).calls(*ASKED), process(0).calls(*ASKED)),
)
exercise.scenario(
    "crowd",
    "one process answers a turn, and then twenty at once, all held by the database",
    process(0).calls("chat", "{thread}", TOLD),
    database.stalls(),
    together(
        *(process(0).calls("chat", f"{{thread_{n}}}", f"Turn {n}.") for n in range(20))
    ),
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
    "odd",
    "the model's draft holds a character that the database refuses, and the thread "
    "goes on in both processes",
    process(0).calls("chat", "{thread}", TOLD),
    model.says("draft", "[draft]", "{answer}\x00 (draft {ref})"),
    process(0).calls("chat", "{thread}", "My pet is {word}."),
    model.says("draft", "[draft]", "{answer} (draft {ref})"),
    process(0).calls("chat", "{thread}", "What is my name? What is my pet?"),
    process(1).calls("chat", "{thread}", "What is my name? What is my pet?"),
)


@exercise.check(points=3)
def all_start(start: Run) -> None:
    """four processes start at once on an empty database, and all of them answer"""
    started(start)
    for reply in start.replies:
        quotes(start, reply, reply.value, "polish")


@exercise.check(points=2)
def hands_over(hand_over: Run) -> None:
    """what a thread was told in any process, every other one knows"""
    for reply in hand_over.replies:
        quotes(hand_over, reply, reply.value, "polish")
    for reply in hand_over.replies[2:]:
        for word in (hand_over.drawn.word_0, hand_over.drawn.word_1):
            knows(hand_over, reply, word, because=hand_over.replies[:2])
    kept(hand_over, hand_over.replies[0], hand_over.drawn.word_0)


@exercise.check(points=2, needs=hands_over)
def outlives_connections(dropped: Run) -> None:
    """the server drops every connection, and the next turn of each process works"""
    for reply in dropped.replies:
        knows(dropped, reply, dropped.drawn.name, because=dropped.of("fault"))


@exercise.check(points=1, needs=hands_over)
def few_connections(crowd: Run) -> None:
    """twenty turns at once in one process are answered over at most 4 connections"""
    answered(crowd)
    connected(crowd, most=4)


@exercise.check(points=1, needs=hands_over)
def resumes_elsewhere(cut_off: Run) -> None:
    """killed in the middle of a turn, it is resumed in another process"""
    cut, resumed, asked = cut_off.replies
    killed(cut_off, cut, help="a turn asks the model twice: [draft], then [polish]")
    counted(cut_off, resumed, 1, event="draft", help="was the draft stored?")
    for reply in (resumed, asked):
        quotes(cut_off, reply, reply.value, "polish")
        knows(cut_off, reply, cut_off.drawn.word, "the turn that was cut off is lost")


@exercise.check(points=1, needs=hands_over)
def takes_odd_replies(odd: Run) -> None:
    """a NUL character is stored or refused with an error, and the thread lives on"""
    lives_on(odd, odd.drawn.name)
