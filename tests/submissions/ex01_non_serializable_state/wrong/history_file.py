"""The conversation in a text file beside the database, no checkpoint.

Caught by: continues
"""

import json
import os
from pathlib import Path
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()
folder = Path(os.environ["CHECKPOINT_DB"]).parent


def answer(thread_id: str, question: str) -> str:
    file = folder / f"{thread_id}.json"
    told = json.loads(file.read_text()) if file.exists() else []
    messages = [HumanMessage(text) for text in [*told, question]]
    result = graph.invoke({"messages": messages})
    file.write_text(json.dumps([*told, question]))
    return result["messages"][-1].content
