"""The functional API: an entrypoint that gets what it saved before."""

import os
import sqlite3

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task

llm = ChatOpenAI(model="gpt-4o-mini")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)


@task
def ask(messages: list[AnyMessage]) -> AnyMessage:
    return llm.invoke([SystemMessage("[answer] Answer the user."), *messages])


@entrypoint(checkpointer=SqliteSaver(connection))
def conversation(
    question: str, *, previous: list[AnyMessage] | None = None
) -> entrypoint.final[str, list[AnyMessage]]:
    messages = [*(previous or []), HumanMessage(question)]
    said = ask(messages).result()
    return entrypoint.final(value=said.content, save=[*messages, said])


def answer(thread_id: str, question: str) -> str:
    return conversation.invoke(question, {"configurable": {"thread_id": thread_id}})
