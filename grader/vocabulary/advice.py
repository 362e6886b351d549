"""What to suggest for an error that LangGraph, asyncio or SQLite raises, anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

Advice = Sequence[tuple[str, str]]  # a regular expression, and what to suggest

ERRORS: Advice = (
    (
        "_AsyncGeneratorContextManager",
        "`from_conn_string` is a context manager: the saver is what `async with` gives",
    ),
    (
        "_GeneratorContextManager",
        "`from_conn_string` is a context manager: what it returns is not a saver, and "
        "the connection closes when its `with` block ends",
    ),
    (
        "Cannot operate on a closed database",
        "something closed the connection while the graph still uses it: who holds the "
        "`with` block open for as long as the process lives?",
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
        "there was no checkpoint to go on from: when does your graph write one, and "
        "where?",
    ),
    (
        "Event loop is closed|different event loop",
        "something outlives the event loop it was made in: who starts another loop, "
        "and what do the two share?",
    ),
    (
        "Type is not msgpack serializable",
        "the message names the type of a value in your state: which node put it "
        "there, and who else could make it?",
    ),
    (
        "No synchronous function provided",
        "an `async def` node can only be awaited: which of the graph's methods does "
        "that?",
    ),
    (
        r"asyncio\.run\(\) cannot be called|event loop is already running",
        "a loop runs in this OS thread already: how does an `async def` function wait "
        "for a coroutine?",
    ),
    (
        "does not support async methods",
        "this saver cannot be awaited: which saver of LangGraph can?",
    ),
    (
        "Synchronous calls to AsyncSqliteSaver",
        "this saver works in the loop that `invoke` keeps waiting: which method of "
        "the graph lets the loop go on?",
    ),
    (
        "no running event loop|no current event loop",
        "there is no loop where this is made: which part of the application runs in "
        "one?",
    ),
    (
        "Expected dict, got",
        "a node returned something that is no dictionary: the message quotes it. "
        "Which key of the state is that value meant for?",
    ),
    (
        "Can receive only one value per step",
        "two nodes wrote this key in the same step: how should LangGraph join the two "
        "values?",
    ),
    (
        "GraphRecursionError",
        "the recursion limit is a fuse that counts steps: what in your own graph ends "
        "the loop?",
    ),
    (
        "AuthenticationError|Incorrect API key",
        "whose key did this process send, and where did it find it?",
    ),
)


def advised(text: str, own: Advice = ()) -> str:
    """Return what to suggest where a failure's text is this, or an empty text.

    The first match wins, and an exercise's `own` advice comes first.
    """
    pairs = (*own, *ERRORS)
    return next((help for pattern, help in pairs if re.search(pattern, text)), "")
