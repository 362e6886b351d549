"""The real ChatOpenAI cannot tell the model server from a provider."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from pydantic import BaseModel

from grader.fakes.answers import Answer
from grader.vocabulary.scenario import Says
from tests.fakes.model_bench import HELLO, KEY, Bench, weather


class Ticket(BaseModel):
    """A ticket of the support desk."""

    kind: str
    urgent: bool


def test_invoke(bench: Bench) -> None:
    """a conversation is answered from what was said in it"""
    said = [
        ("user", "My name is Ada."),
        ("assistant", "Hi"),
        ("user", "What is my name?"),
    ]
    reply = bench.model().invoke(said)
    assert str(reply.content).startswith("Your name is Ada. (ref ")


def test_ainvoke(bench: Bench) -> None:
    """twenty questions at once each get their own answer"""

    async def ask() -> list[str]:
        model = bench.model()
        replies = await asyncio.gather(*(model.ainvoke(f"n{i}") for i in range(20)))
        return [str(reply.content) for reply in replies]

    found = asyncio.run(ask())
    assert all(text.startswith(f"You said: n{i} (ref") for i, text in enumerate(found))


def test_usage(bench: Bench) -> None:
    """usage counts the words of all messages, and those of the reply"""
    bench.script.apply(Says("a", "", "four words in all"))
    reply = bench.model().invoke([("system", "Be kind."), ("user", "Hi")])
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 3
    assert reply.usage_metadata["output_tokens"] == 4
    assert reply.response_metadata["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "text",
    ["one two  three\n four", "\n led by space", "", " ", "x" * 5000, "a b " * 999],
)
def test_stream(bench: Bench, text: str) -> None:
    """a streamed reply is the same text in several chunks, with its usage"""
    bench.script.apply(Says("a", "", text))
    chunks = list(bench.model(stream_usage=True).stream("Hi"))
    whole = sum(chunks[1:], chunks[0])
    assert isinstance(whole, AIMessageChunk)
    assert whole.content == text
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] == len(text.split())
    assert whole.response_metadata["finish_reason"] == "stop"
    assert len(text.split()) < 2 or len([c for c in chunks if c.content]) > 1


def test_usage_only_on_request(bench: Bench) -> None:
    """a stream has no usage unless it is asked for, and ends as OpenAI's does"""
    body = {**HELLO, "stream": True}
    body["stream_options"] = {"include_usage": False}
    response = bench.post(json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "usage" not in response.text
    assert response.text.endswith("data: [DONE]\n\n")


def test_tools(bench: Bench) -> None:
    """a tool is called, streamed or not, and its result is answered in text"""
    bench.script.apply(Says("a", "[a]", {"city": "{prompt}"}, tool="weather"))
    model = bench.model().bind_tools([weather])
    question = HumanMessage("[a] Rome, Oslo")
    call = model.invoke([question])
    streamed = list(model.stream([question]))
    whole = sum(streamed[1:], streamed[0])
    for message in (call, whole):
        assert [c["args"] for c in message.tool_calls] == [{"city": "Rome, Oslo"}]
        assert message.response_metadata["finish_reason"] == "tool_calls"
    result = weather.invoke(call.tool_calls[0])
    assert isinstance(result, ToolMessage)
    after = model.invoke([question, call, result])
    assert str(after.content).startswith("The tool says: sunny in Rome, Oslo (ref ")


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output(bench: Bench, method: Any) -> None:
    """structured output works in both ways, scripted and not"""
    model = bench.model().with_structured_output(Ticket, method=method)
    free = model.invoke("Hi")
    assert isinstance(free, Ticket)
    assert free.kind.startswith("You said: Hi (ref ")
    bench.script.apply(Says("a", "[a]", {"kind": "bug", "urgent": True}))
    assert model.invoke("[a] Hi") == Ticket(kind="bug", urgent=True)


def test_json_mode(bench: Bench) -> None:
    """JSON mode gets an object"""
    made = bench.model().with_structured_output(None, method="json_mode")
    assert list(made.invoke("Hi")) == ["answer"]


def test_braces(bench: Bench) -> None:
    """braces, quotes and line ends in a text arrive as they were sent"""
    text = '{ref} {{x}} %s "q" \\ \r\n data: [DONE]\n\n é 🙂'
    assert f"You said: {text}" in str(bench.model().invoke(text).content)
    streamed = "".join(str(c.content) for c in bench.model().stream(text))
    assert f"You said: {text}" in streamed


def test_no_delay(bench: Bench) -> None:
    """what the server sends leaves at once, so that a reply takes no 40 ms"""
    found = []

    async def asked(body: Mapping[str, Any]) -> Answer:
        for connection in bench.server._state.connections:
            own = connection.transport.get_extra_info("socket")
            found.append(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return Answer("a")

    assert bench.post(url=bench.admit(asked), json=HELLO).status_code == 200
    assert found == [1]


def test_models(bench: Bench) -> None:
    """the list of models has one"""
    with openai.OpenAI(base_url=bench.url, api_key=KEY, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["stand-in"]


def test_responses_api(bench: Bench) -> None:
    """the Responses API is refused by a sentence that says what to do"""
    with pytest.raises(openai.NotFoundError, match="use_responses_api=False"):
        bench.model(use_responses_api=True).invoke("Hi")
