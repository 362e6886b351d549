"""The picture of the database says what is a key, an object and data, in three ways."""

import pytest

from grader.visuals.rows import Rows, rows
from grader.vocabulary import Observation, Run
from grader.vocabulary.drawn import Drawn

MESSAGES = {
    "channel": "messages",
    "type": "list of langchain_core.messages.human.HumanMessage",
    "text": "[HumanMessage(content='<b>hello</b>')]",
}
MODEL = {
    "channel": "llm",
    "type": "langchain_openai.chat_models.base.ChatOpenAI",
    "text": "ChatOpenAI(openai_api_key='sk-…a1b2')",
}
LEAK = {"where": "table checkpoints", "process": 0, "encoding": "clear text"}


def shown(*channels: dict[str, str], keys: tuple = (), foreign: tuple = ()) -> Rows:
    """Return the picture of one look into a database with these channels."""
    data = {
        "rows": [{"thread": "t", "channels": list(channels)}] if channels else [],
        "foreign": [{"thread": "t", "where": w, "type": "X"} for w in foreign],
        "keys": list(keys),
    }
    seen = Observation(7, "stored", None, 1.0, data)
    return rows(Run("s", "a run", Drawn({}), (seen,)))


def test_a_key_is_named_with_its_owner_and_its_place() -> None:
    """message, sign and word say that a key is there, and whose"""
    picture = shown(MESSAGES, MODEL, keys=(LEAK,), foreign=("channel llm",))
    assert "holds the API key of process 0 (observation #7)" in picture.caption
    assert "table checkpoints (clear text)" in picture.caption
    assert "✗ llm" in picture.text
    assert "a key: ChatOpenAI (langchain_openai)" in picture.text
    assert "llm holds a key" in picture.alt


@pytest.mark.parametrize(
    ("channels", "foreign", "message"),
    [
        ((MESSAGES,), (), "plain data and messages"),
        ((MESSAGES, {**MODEL, "text": "ChatOpenAI()"}), ("channel llm",), "live"),
        ((), (), "no checkpoint"),
    ],
)
def test_the_message_says_the_worst_that_is_there(
    channels: tuple, foreign: tuple, message: str
) -> None:
    """a live object, data, or nothing"""
    assert message in shown(*channels, foreign=foreign).message


def test_what_was_stored_cannot_become_html() -> None:
    """a stored text is text"""
    picture = shown(MESSAGES)
    assert "<b>hello" not in picture.html
    assert "&lt;b&gt;hello" in picture.html


def test_a_history_without_rows_has_no_table() -> None:
    """a run that nobody looked into says so"""
    assert "Nobody looked" in rows(Run("s", "a run", Drawn({}), ())).text
