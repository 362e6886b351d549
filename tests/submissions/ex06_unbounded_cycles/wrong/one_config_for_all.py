"""One config is changed by each call, and read again after its run.

Caught by: ends_each
"""

import os
from contextlib import contextmanager

import openai
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0).with_retry(
    retry_if_exception_type=(openai.APIConnectionError,), stop_after_attempt=3
)


class State(MessagesState):
    left: int
    open: bool


def investigate(state: State) -> dict:
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    note = llm.invoke([prompt, *state["messages"]])
    more = note.content.startswith("needs more")
    return {"messages": [note], "left": state["left"] - 1, "open": more}


def router(state: State) -> str:
    return "investigate" if state["open"] and state["left"] > 0 else END


builder = StateGraph(State)
builder.add_node("investigate", investigate)
builder.add_edge(START, "investigate")
builder.add_conditional_edges("investigate", router, ["investigate", END])

with SqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as first:
    first.setup()

config = {"configurable": {"thread_id": ""}, "recursion_limit": 20}


@contextmanager
def opened():
    with SqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        yield builder.compile(checkpointer=saver)


def follow(start: dict | None, thread_id: str) -> dict:
    config["configurable"]["thread_id"] = thread_id
    with opened() as graph:
        for _ in graph.stream(start, config, stream_mode="updates", durability="sync"):
            pass
        state = graph.get_state(config).values
    answer = state["messages"][-1].content
    return {
        "answer": answer,
        "attempts": 3 - state["left"],
        "complete": answer.startswith("settled"),
    }


def research(thread_id: str, question: str) -> dict:
    return follow(
        {"messages": [HumanMessage(question)], "left": 3, "open": True}, thread_id
    )


def resume(thread_id: str) -> dict:
    return follow(None, thread_id)
