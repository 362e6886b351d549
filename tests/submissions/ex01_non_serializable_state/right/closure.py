"""A factory of graphs: its node closes over the model."""

import os
import sqlite3
from functools import cache
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@cache
def graph():
    llm = ChatOpenAI(model="gpt-4o-mini")

    def reply(state: State) -> dict:
        prompt = SystemMessage("[answer] Answer the user.")
        return {"messages": [llm.invoke([prompt, *state["messages"]])]}

    builder = StateGraph(State)
    builder.add_node("reply", reply)
    builder.add_edge(START, "reply")
    builder.add_edge("reply", END)
    database = os.environ["CHECKPOINT_DB"]
    connection = sqlite3.connect(database, check_same_thread=False)
    return builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph().invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
