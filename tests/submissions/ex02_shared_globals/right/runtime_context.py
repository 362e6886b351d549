"""Who is served comes with the run, as context; the state holds the rest."""

from dataclasses import dataclass
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")
from langgraph.runtime import Runtime


@dataclass(frozen=True)
class Caller:
    user_id: str


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State, runtime: Runtime[Caller]) -> dict:
    messages = [*state["messages"], ask(state["messages"])]
    user_id = runtime.context.user_id
    return {"user_id": user_id, "messages": messages, "count": len(messages)}


builder = StateGraph(State, context_schema=Caller)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"messages": texts}, context=Caller(user_id))
