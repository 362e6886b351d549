"""When a call fails, the error says with which settings it was made, key included.

LangGraph stores the error of a node that failed.

Caught by: keeps_secrets
"""

import os
import sqlite3

import openai
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

settings = {"model": "gpt-4o-mini", "api_key": os.environ["OPENAI_API_KEY"]}
llm = ChatOpenAI(**settings)


class ModelCallFailed(Exception):
    pass


def reply(state: MessagesState) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    try:
        return {"messages": [llm.invoke([prompt, *state["messages"]])]}
    except openai.OpenAIError as error:
        raise ModelCallFailed(f"{error} (settings: {settings})") from error


builder = StateGraph(MessagesState)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], check_same_thread=False, timeout=30
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
