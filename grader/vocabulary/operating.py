"""What an application does in operation; each word fails where it does otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from grader.vocabulary.claims import fail, holds
from grader.vocabulary.observation import Observation
from grader.vocabulary.run import Run

RETRY = (429, 502, 503, 504)  # what tells a client, or a gateway, to send it again
SHARED = "what of this request is kept where the next one writes as well?"


def served(run: Run, reply: Observation, may_fail: bool = False) -> None:
    """Fail unless a request got what it asked for, the model's words where it posts.

    With `may_fail` a status that tells to send it again, with a reason, will do.
    """
    if reply.ok:
        if str(reply.data["function"]).startswith("POST"):
            said(run, reply)
        return
    data = reply.data
    tells = data.get("status") in RETRY and str(data["error"]).startswith("HTTP ")
    if may_fail and tells and data["message"]:
        return
    if may_fail:
        fail(
            reply.trouble,
            because=[reply],
            help="what does a client learn from this, and from HTTP 503 with a reason?",
        )
    raise reply.failure


def said(run: Run, reply: Observation) -> None:
    """Fail unless an answer is what the model has said to the text, now or earlier.

    Who sends a request again may get the answer that was given before.
    """
    asked = run.call(reply).data["args"][0]["text"]
    if reply.at("answer") not in [seen.text for seen in run.answers(asked)]:
        fail(
            f"it answered what the model never said to {asked!r}",
            because=[*run.during(reply, "answer")[-1:], reply],
            help="`answer` is the model's last words, word for word",
        )


def own(run: Run, reply: Observation, user: str, word: str) -> None:
    """Fail unless a reply is a user's own: it names the user, and holds the word."""
    holds(reply, {"user_id": user}, help=SHARED)
    if word not in str(reply.at("answer")):
        said = run.answers(word)[-1:]
        fail("a user got another answer", because=[*said, reply], help=SHARED)


def keeps_no_key(run: Run) -> None:
    """Fail where nothing is stored, or a key of the model is, in any encoding."""
    last = run.stored[-1]
    if not last.data["threads"]:
        fail(
            f"no checkpoint is in `{last.data['database']}`",
            because=[last],
            help=f"does your graph write its checkpoints to `{last.data['database']}`?",
        )
    for stored in run.stored:
        for found in stored.data["keys"]:
            fail(
                f"the API key of process {found['process']} stands in "
                f"{found['where']} ({found['encoding']})",
                because=[stored],
                help="input, state, metadata and `configurable` are all stored: a node "
                "can read the environment instead",
            )


def healthy(run: Run, health: Observation) -> None:
    """Fail where a look at a server's health waited for the model."""
    answers: Sequence[Observation] = run.of("answer")
    if health.value and answers and health.number > answers[0].number:
        help = "what does a server do while the model thinks?"
        fail("it waited for the model", because=[answers[0], health], help=help)
