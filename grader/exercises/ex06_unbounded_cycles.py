"""A loop that only the model can end runs on for as long as the model likes."""

from grader.vocabulary import (
    Exercise,
    Observation,
    Run,
    environment,
    fail,
    model,
    process,
    together,
)
from grader.vocabulary.scenario import Says

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
        "`resume` passes `None`; the node returns `attempts + 1`, and the router ends "
        'at 3, or when `state.get("needs_more")` is not true.',
    ),
    advice=(
        (
            "raised GraphRecursionError",
            "the recursion limit is a fuse that counts steps, not a bound that counts "
            "tries: what in your own graph ends the loop?",
        ),
        (
            "KeyError.*needs_more",
            "a key that no node has written is not in the state: what shall its "
            "absence mean?",
        ),
    ),
)

TRIES = 3
REPORT = " Three sources were read and two of them disagree on the figures." * 3
MORE, DONE = f"needs more {{ref}}.{REPORT}", f"settled {{ref}}.{REPORT}"
NEITHER = "I cannot help with that {ref}."
# Lower than the default of 10 007, so that a loop without a bound ends soon.
low_limit = environment.sets("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "50")
# For the same reason, elsewhere the model settles long after a bound has ended it.
LATE = (*[MORE] * 12, DONE)


def says(*replies: str) -> Says:
    """The model gives these replies one after the other, the last one for ever."""
    return model.says("research", "[research]", replies)


exercise.scenario(
    "settles",
    "the model settles in the first, second and third try, and then says neither",
    says(DONE),
    process(0).calls("research", "{thread_1}", "What is a {word_1}?"),
    says(MORE, DONE),
    process(1).calls("research", "{thread_2}", "What is a {word_2}?"),
    says(MORE, MORE, DONE),
    process(1).calls("research", "{thread_1}", "What is a {word_3}?"),
    says(NEITHER, *LATE),
    process(0).calls("research", "{thread_3}", "What is a {word_4}?"),
    says(MORE, NEITHER, *LATE),
    process(1).calls("research", "{thread_4}", "What is a {word_5}?"),
)
exercise.scenario(
    "endless",
    "the model never settles, and process 1 resumes what process 0 has ended",
    low_limit,
    says(MORE),
    process(0).calls("research", "{thread}", "What is a {word}?"),
    process(1).calls("resume", "{thread}"),
)
exercise.scenario(
    "cut_off",
    "process 0 is killed in its second try, and process 1 resumes",
    says(*LATE),
    process(0).is_killed_when("research", once_stored="research", nth=2),
    process(0).calls("research", "{thread}", "What is a {word}?"),
    process(1).calls("resume", "{thread}"),
)
exercise.scenario(
    "two_at_once",
    "one process has two questions at once, which the model does not settle",
    says(*LATE),
    together(
        process(0).calls("research", "{thread_1}", "What is a {word_1}?"),
        process(0).calls("research", "{thread_2}", "What is a {word_2}?"),
        held_at="research",
    ),
)


def asked(run: Run, word: str) -> list[Observation]:
    """Return what the model answered to the question that holds the word."""
    requests = {
        seen.data["request"]
        for seen in run.of("model", "research")
        if any(word in message["text"] for message in seen.data["messages"])
    }
    return [s for s in run.of("answer", "research") if s.data["request"] in requests]


def bounded(run: Run, reply: Observation, word: str, tries: int, done: bool) -> None:
    """Fail unless the reply reports a question that took exactly so many calls."""
    answers = [seen for seen in asked(run, word) if seen.number < reply.number]
    if not reply.ok:
        fail(f"{reply.trouble} after {len(answers)} calls", because=[reply])
    if len(answers) != tries:
        fail(
            f"the model was called {len(answers)} times for one question, not {tries}",
            because=[*answers[-3:], reply],
            help="which count does the router look at, and who sets it to zero, when?",
        )
    expected = {
        "answer": answers[-1].data["text"],
        "attempts": tries,
        "complete": done,
    }
    for key, value in expected.items():
        if key not in reply.value or reply.value[key] != value:
            found = reply.value.get(key, "nothing")
            fail(
                f"expected {key} {str(value)[:30]!r}, found {str(found)[:30]!r}",
                because=[answers[-1], reply],
                help="`answer` is the model's last reply, word for word; `complete` "
                "says whether that reply begins with `settled`",
            )


@exercise.check(points=2)
def settles(settles: Run) -> None:
    """a question the model settles in k ≤ 3 tries is complete after exactly k calls"""
    for k, reply in enumerate(settles.replies[:3], start=1):
        bounded(settles, reply, settles.drawn.values[f"word_{k}"], k, done=True)


@exercise.check(points=3)
def ends(endless: Run) -> None:
    """one it never settles ends by itself, incomplete, after exactly 3 calls"""
    reply, resumed = endless.replies
    bounded(endless, reply, endless.drawn.word, TRIES, done=False)
    late = [s for s in asked(endless, endless.drawn.word) if s.number > reply.number]
    if late:
        fail(
            f"resumed after its end, it called the model {len(late)} more times",
            because=[reply, *late[:2], resumed],
            help="where does the thread stand when `research` returns: has the graph "
            "reached its end, or was it stopped from outside?",
        )


@exercise.check(points=3, needs=ends)
def ends_elsewhere(cut_off: Run) -> None:
    """killed in the loop and resumed elsewhere, the total stays 3"""
    cut, resumed = cut_off.replies
    if not cut_off.of("fault"):
        fail("there was no second try to be killed in", because=[cut])
    bounded(cut_off, resumed, cut_off.drawn.word, TRIES, done=False)


@exercise.check(points=1, needs=ends)
def ends_each(two_at_once: Run) -> None:
    """the bound holds for each request when two run at once in one process"""
    for n, reply in enumerate(two_at_once.replies, start=1):
        word = two_at_once.drawn.values[f"word_{n}"]
        bounded(two_at_once, reply, word, TRIES, done=False)


@exercise.check(points=1, needs=settles)
def ends_without(settles: Run) -> None:
    """a state without `needs_more` ends: a reply that says neither is the last"""
    first, second = settles.replies[3:]
    bounded(settles, first, settles.drawn.word_4, 1, done=False)
    bounded(settles, second, settles.drawn.word_5, 2, done=False)
