"""The model is shown a window of the conversation, which the first question falls out of.

Caught by: continues
"""

import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage, trim_messages
from langchain_core.runnables import Runnable
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

window = trim_messages(
    strategy="last",
    max_tokens=4,
    token_counter=len,
    start_on="human",
    include_system=True,
)


def build(llm: Runnable, saver: SqliteSaver):
    within_budget = window | llm

    def reply(state: MessagesState) -> dict:
        prompt = SystemMessage("[answer] Answer the user.")
        return {"messages": [within_budget.invoke([prompt, *state["messages"]])]}

    builder = StateGraph(MessagesState)
    builder.add_node("reply", reply)
    builder.add_edge(START, "reply")
    builder.add_edge("reply", END)
    return builder.compile(checkpointer=saver)


connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = build(ChatOpenAI(model="gpt-4o-mini"), SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
