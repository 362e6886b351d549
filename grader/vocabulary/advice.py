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
        "several OS threads use this connection, for LangGraph writes checkpoints from "
        "one of its own: look at the argument `check_same_thread` of `sqlite3.connect`",
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
        "something outlives the loop that first used it, and meets the next one: who "
        "starts a loop for each request, and what do the requests share?",
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
        "can only concatenate list",
        "this reducer joins a list to a list: what did the node return?",
    ),
    (
        "GraphRecursionError",
        "the recursion limit is a fuse that counts steps, not a bound that counts "
        "tries: what in your own graph ends the loop?",
    ),
    (
        "dictionary changed size|list changed size|deque mutated",
        "one request changed what another one was reading: who shares it?",
    ),
    (
        "AdminShutdown|connection is (lost|closed)|server closed the connection",
        "who keeps this connection open for as long as the process lives, and who "
        "looks whether it is still one before it is used?",
    ),
    (
        "UniqueViolation",
        "several processes made the same thing at once: who is to make it, and how "
        "do the others learn that it is there?",
    ),
    (
        "DeadlockDetected|deadlock detected",
        "each waits for the other: which lock is waited for in a statement, and which "
        "statement waits for all others to end?",
    ),
    (
        "UndefinedTable",
        "the tables are not there yet: who makes them, and who waits until it is done?",
    ),
    (
        "cannot run inside a transaction block",
        "this statement is a transaction of its own: which mode has its connection?",
    ),
    (
        "UntranslatableCharacter",
        "PostgreSQL has no NUL character in a text: where is it taken out, or refused?",
    ),
    (
        "AuthenticationError|Incorrect API key",
        "whose key did this process send, and where did it find it?",
    ),
    (
        r"JSONDecodeError|\bValidationError|OutputParserException",
        "what was read is not what was asked for: where do you look at the model's "
        "reply, or at a file, before you use it?",
    ),
    (
        "KeyError",
        "the message names a key that is not there: who should have written it, and "
        "what shall its absence mean?",
    ),
)


def advised(text: str, own: Advice = ()) -> str:
    """Return what to suggest where a failure's text is this, or an empty text.

    The first match wins, and an exercise's `own` advice comes first.
    """
    pairs = (*own, *ERRORS)
    return next((help for pattern, help in pairs if re.search(pattern, text)), "")
