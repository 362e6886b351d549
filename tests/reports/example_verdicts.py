"""Verdicts made by hand, one of each kind that a report must render."""

from grader.vocabulary import Result, Status, Verdict

TITLE = "Memory that only one process can see"
ANSWERS = Result("answers", "every call gets an answer", Status.passed, 1.0, 1.0)
CROSSES = Result(
    "crosses_processes",
    "what process 0 was told, process 1 knows",
    Status.failed,
    0.0,
    4.0,
    "process 1 answered as if the conversation had just begun",
    (
        "#2 process 0 reply chat: 'Hello Ada'",
        "#5 process 1 reply chat: 'I do not know your name.'",
    ),
    (2, 5),
    "hand_over",
    "whose memory does your checkpointer write to?",
)
APART = Result(
    "apart",
    "one conversation never leaks into another",
    Status.skipped,
    0.0,
    2.0,
    'skipped until "what process 0 was told, process 1 knows" passes',
)
RESUMES = Result("resumes", "a restart forgets nothing", Status.passed, 3.0, 3.0)
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "ex04.py", line 40, in resumes\n'
    "    told, asked = hand_over.replies\n"
    "ValueError: not enough values to unpack (expected 2, got 1)\n"
)
UNJUDGED = Result(
    "resumes", "a restart forgets nothing", Status.error, 0.0, 3.0, TRACEBACK
)


def verdict(*results: Result, **fields: object) -> Verdict:
    """Return a verdict of the given results."""
    return Verdict("ex04_memory_saver", TITLE, 4711, 4, results, **fields)


BROKEN_SUBMISSION = verdict(
    Result("answers", ANSWERS.claim, Status.skipped, 0, 1, "skipped until it runs"),
    problem="SyntaxError: '(' was never closed (line 12 of the submission)",
    help="look for a bracket that is opened on line 12",
)
MIXED = verdict(ANSWERS, CROSSES, APART, duration_s=2.345)
PERFECT = verdict(ANSWERS, RESUMES)
UNKNOWN = verdict(ANSWERS, UNJUDGED)
EVERY = {
    "broken": BROKEN_SUBMISSION,
    "mixed": MIXED,
    "perfect": PERFECT,
    "unknown": UNKNOWN,
    "empty": verdict(),
}
