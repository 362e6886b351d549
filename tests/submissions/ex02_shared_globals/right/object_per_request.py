"""An object for each request keeps what the globals kept."""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


class Request:
    def __init__(self, user_id: str, texts: list[str]) -> None:
        self.user_id = user_id
        self.messages = list(texts)

    def reply(self, state: State) -> dict:
        asked = [HumanMessage(text) for text in self.messages]
        self.messages.append(llm.invoke([PROMPT, *asked]).content)
        return {
            "user_id": self.user_id,
            "messages": self.messages,
            "count": len(self.messages),
        }


def handle(user_id: str, texts: list[str]) -> dict:
    builder = StateGraph(State)
    builder.add_node("reply", Request(user_id, texts).reply)
    builder.add_edge(START, "reply")
    builder.add_edge("reply", END)
    return builder.compile().invoke({"user_id": user_id})
