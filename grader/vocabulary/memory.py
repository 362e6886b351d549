"""What a conversation keeps; each word fails where something was forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from grader.vocabulary.claims import fail
from grader.vocabulary.observation import Observation, short
from grader.vocabulary.run import Run

HEAP = "whose memory does your checkpointer write to, and does what it writes stay?"
SAVER = "does your graph write its checkpoints to the database that `{0}` names?"
THREAD = "which thread_id reaches the checkpointer, for which conversation?"
SHOWN = (
    "a checkpoint holds it: what of its thread does the model see, and is it the "
    "thread that was asked for?"
)
LAST_STEP = (
    "a process that starts tomorrow has LangGraph's checkpoints and nothing else: "
    "was the last step of this turn stored?"
)
JUST_BEGUN = "process {0} answered as if the conversation had just begun"


def knows(
    run: Run,
    reply: Observation,
    text: str,
    otherwise: str = JUST_BEGUN,
    because: Sequence[Observation] = (),
) -> None:
    """Fail unless a reply holds what its thread was told before.

    What was in the checkpoint database when the call was made is the evidence, and
    decides what to suggest. In `otherwise`, {0} is the process.
    """
    if text in str(reply.value):
        return
    stored = run.stored_before(reply)
    rationale = otherwise.format(reply.process) + stored.beside
    seen = [*because, *run.of("fault"), stored, reply]
    fail(rationale, because=seen, help=suggested(stored, text, HEAP))


def suggested(stored: Observation, text: str, otherwise: str = SAVER) -> str:
    """Return what to suggest where a text was forgotten, by what is stored.

    `otherwise` is for a database without any thread, and no file beside it.
    """
    if stored.data["threads"]:
        return SHOWN if stored.keeps(text) else THREAD
    help = SAVER if stored.data["files"] else otherwise
    return help.format(stored.data["database"])


def kept(run: Run, reply: Observation, text: str, help: str | None = LAST_STEP) -> None:
    """Fail unless a thread's latest checkpoint held the text after a reply."""
    stored = run.stored_after(reply)
    if not stored.keeps(text):
        fail(
            f"no checkpoint in `{stored.data['database']}` holds {short(text)}"
            f"{stored.beside}",
            because=[reply, stored],
            help=help,
        )
