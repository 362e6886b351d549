"""MemorySaver, loaded from a pickle at import and written back at exit.

Caught by: crosses_processes, resumes_elsewhere
"""

import atexit
import os
import pickle
from pathlib import Path
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    return {"messages": [llm.invoke([prompt, HumanMessage(state["draft"])])]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)
path = Path(os.environ["CHECKPOINT_DB"]).with_name("memory.pickle")
saver = MemorySaver()
if path.exists():
    threads, saver.blobs = pickle.loads(path.read_bytes())
    for thread_id, namespaces in threads.items():
        saver.storage[thread_id].update(namespaces)


@atexit.register
def dump() -> None:
    threads = {thread_id: dict(saver.storage[thread_id]) for thread_id in saver.storage}
    path.write_bytes(pickle.dumps((threads, saver.blobs)))


graph = builder.compile(checkpointer=saver)


def chat(thread_id: str, text: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(text)]}, config)
    return result["messages"][-1].content


def resume(thread_id: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    return graph.invoke(None, config)["messages"][-1].content
