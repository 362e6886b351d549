"""A loop that only the model can end runs on for as long as the model likes."""

from grader.vocabulary import (
    Exercise,
    Observation,
    Run,
    environment,
    model,
    process,
    together,
)
from grader.vocabulary.asking import apart, counted
from grader.vocabulary.claims import holds, killed
from grader.vocabulary.scenario import Call

exercise = Exercise(
    title="A loop that only the model can end",
    contract=("research(thread_id, question) -> dict", "resume(thread_id) -> dict"),
    hints=(
        "Who decides in your graph that another try is made? What if that one never "
        "changes its mind?",
        "A bound needs a count of tries. Where must it be kept so that another process "
        "that resumes the thread knows it, and two requests at once do not share it?",
        "The count belongs to one question: the next question on the same thread "
        "starts at zero, while `resume` goes on counting. What does each of them pass "
        "to `invoke`?",
        "Put `attempts` into `State`; `research` passes `attempts: 0` as input, and "
        "`resume` passes `None`; the node returns `attempts + 1` and `needs_more` "
        'each time; the router ends at 3, or when `state.get("needs_more")` is false.',
    ),
)

TRIES = 3
RESEARCH = "research", "[research]"
REPORT = " Three sources were read and two of them disagree on the figures." * 2
# Each holds the other's word as well, but does not begin with it.
MORE = f"needs more {{ref}}.{REPORT} None of these figures is settled yet."
DONE = f"settled {{ref}}.{REPORT} None of these figures needs more work."
NEITHER = "I cannot help with that {ref}."
COUNT = "which count does the router look at, and who sets it to zero, when?"
ENDED = "has the graph reached its end when `research` returns, or was it cut short?"
SILENT = "what does your router do where a reply leaves `needs_more` unset?"
REPORTED = "`answer` is the last reply, and `complete` whether it begins with `settled`"
# Long after a bound has ended it, so that a loop without one ends too, and soon; where
# the model never settles, the limit is lower than the default of 10 007.
LATE = (*[MORE] * 12, DONE)

exercise.scenario(
    "settles",
    "the model settles in the first, second and third try, and then says neither",
    model.says(*RESEARCH, DONE),
    process(0).calls("research", "{thread_1}", "What is a {word_1}?"),
    model.says(*RESEARCH, (MORE, DONE)),
    process(1).calls("research", "{thread_2}", "What is a {word_2}?"),
    model.says(*RESEARCH, (MORE, MORE, DONE)),
    process(1).calls("research", "{thread_1}", "What is a {word_3}?"),
    model.says(*RESEARCH, (NEITHER, *LATE)),
    process(0).calls("research", "{thread_3}", "What is a {word_4}?"),
    model.says(*RESEARCH, (MORE, NEITHER, *LATE)),
    process(1).calls("research", "{thread_4}", "What is a {word_5}?"),
)
exercise.scenario(
    "endless",
    "the model never settles, and process 1 resumes what process 0 has ended",
    environment.sets("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "50"),
    model.says(*RESEARCH, MORE),
    process(0).calls("research", "{thread}", "What is a {word}?"),
    process(1).calls("resume", "{thread}"),
)
exercise.scenario(
    "cut_off",
    "process 0 is killed in its second try, and process 1 resumes, after a question of "
    "its own",
    model.says(*RESEARCH, LATE),
    process(0).is_killed_when("research", once_stored="research", nth=2),
    process(0).calls("research", "{thread}", "What is a {word}?"),
    process(1).calls("research", "{thread_2}", "What is a {word_2}?"),
    process(1).calls("resume", "{thread}"),
)


def asks(n: int) -> Call:
    """Let process 0 be asked a question of its own, on a thread of its own."""
    return process(0).calls("research", f"{{thread_{n}}}", f"What is a {{word_{n}}}?")


exercise.scenario(
    "two_at_once",
    "one process has a question alone, two at once, and two of which one has to wait",
    model.says(*RESEARCH, (DONE, *LATE)),
    asks(1),
    together(asks(2), asks(3), held_at="research"),
    together(asks(4), asks(5), held_at="research", answered=(1, 0)),
)


def bounded(run: Run, reply: Observation, word: str, n: int, help: str = COUNT) -> None:
    """Fail unless the reply reports a question that took exactly n calls."""
    last = counted(run, reply, n, about=run.drawn[word], help=help)[-1]
    done = last.text.startswith("settled")
    report = {"answer": last.text, "attempts": n, "complete": done}
    holds(reply, report, because=[last], help=REPORTED)


@exercise.check(points=2)
def settles(settles: Run) -> None:
    """a question the model settles in k ≤ 3 tries is complete after exactly k calls"""
    for k, reply in enumerate(settles.replies[:3], start=1):
        bounded(settles, reply, f"word_{k}", k)


@exercise.check(points=3)
def ends(endless: Run) -> None:
    """one it never settles ends by itself, incomplete, after exactly 3 calls"""
    reply, resumed = endless.replies
    bounded(endless, reply, "word", TRIES)
    counted(endless, resumed, TRIES, help=ENDED)


@exercise.check(points=3, needs=ends)
def ends_elsewhere(cut_off: Run) -> None:
    """killed in the loop and resumed elsewhere, the total stays 3"""
    cut, _, resumed = cut_off.replies
    killed(cut_off, cut, help="the kill comes in the second try: was there one?")
    bounded(cut_off, resumed, "word", TRIES)


@exercise.check(points=1, needs=ends)
def ends_each(two_at_once: Run) -> None:
    """the bound holds for each of two requests at once, and no thread sees another"""
    apart(two_at_once, [two_at_once.drawn[f"word_{n}"] for n in range(1, 6)])
    for n, reply in enumerate(two_at_once.replies[1:], start=2):
        bounded(two_at_once, reply, f"word_{n}", TRIES)


@exercise.check(points=1, needs=settles)
def ends_without(settles: Run) -> None:
    """a state without `needs_more` ends: a reply that says neither is the last"""
    for n, reply in enumerate(settles.replies[3:], start=1):
        bounded(settles, reply, f"word_{n + 3}", n, help=SILENT)
