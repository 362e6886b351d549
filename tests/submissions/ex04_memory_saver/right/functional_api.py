"""The functional API: two tasks in one entrypoint."""

import os
import sqlite3

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task

llm = ChatOpenAI(model="gpt-4o-mini")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)


@task
def draft(messages: list[AnyMessage]) -> str:
    return llm.invoke([SystemMessage("[draft] Answer the user."), *messages]).content


@task
def polish(text: str) -> str:
    prompt = SystemMessage("[polish] Improve this answer.")
    return llm.invoke([prompt, HumanMessage(text)]).content


@entrypoint(checkpointer=SqliteSaver(connection))
def turn(
    text: str, *, previous: list[AnyMessage] | None
) -> entrypoint.final[str, list[AnyMessage]]:
    messages = [*(previous or []), HumanMessage(text)]
    polished = polish(draft(messages).result()).result()
    return entrypoint.final(value=polished, save=messages)


def chat(thread_id: str, text: str) -> str:
    return turn.invoke(text, {"configurable": {"thread_id": thread_id}})


def resume(thread_id: str) -> str:
    return turn.invoke(None, {"configurable": {"thread_id": thread_id}})
