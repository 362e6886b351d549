"""Messages of LangChain in the state, turned into texts at the border."""

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(MessagesState):
    user_id: str


def reply(state: State) -> dict:
    return {"messages": [llm.invoke([PROMPT, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    asked = [HumanMessage(text) for text in texts]
    state = graph.invoke({"user_id": user_id, "messages": asked})
    messages = [message.content for message in state["messages"]]
    return {"user_id": state["user_id"], "messages": messages, "count": len(messages)}
