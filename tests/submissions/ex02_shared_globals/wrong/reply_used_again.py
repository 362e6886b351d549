"""A user who begins alike is given the list of the last reply, rewritten.

Caught by: stays_as_it_was
"""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


TALKS = {}


def handle(user_id, texts):
    old = TALKS.get(user_id)
    if old is not None and old["messages"][0] == texts[0]:
        messages = old["messages"]
        messages[:] = texts
    else:
        messages = list(texts)
    said = llm.invoke([PROMPT, *map(HumanMessage, messages)]).content
    messages.append(said)
    reply = {"user_id": user_id, "messages": messages, "count": len(messages)}
    TALKS[user_id] = reply
    return reply
