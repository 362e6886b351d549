"""The functional API: a plain loop over tasks, whose results are stored one by one."""

import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task

llm = ChatOpenAI(model="gpt-4o-mini")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)


@task
def ask(question: str, notes: list[str]) -> str:
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    return llm.invoke([prompt, *map(HumanMessage, [question, *notes])]).content


@entrypoint(checkpointer=SqliteSaver(connection))
def investigation(question: str) -> dict:
    notes = []
    while len(notes) < 3:
        notes.append(ask(question, list(notes)).result())
        if not notes[-1].startswith("needs more"):
            break
    complete = notes[-1].startswith("settled")
    return {"answer": notes[-1], "attempts": len(notes), "complete": complete}


def research(thread_id: str, question: str) -> dict:
    return investigation.invoke(question, {"configurable": {"thread_id": thread_id}})


def resume(thread_id: str) -> dict:
    return investigation.invoke(None, {"configurable": {"thread_id": thread_id}})
