"""All sync, with a connection that only the importing OS thread may use.

Caught by: six_in_a_row, twenty_at_once, crosses_processes, both_inside
"""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import os
import sqlite3

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


def answer(state: MessagesState) -> dict:
    return {"messages": [llm.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


connection = sqlite3.connect(os.environ["CHECKPOINT_DB"])
graph = builder.compile(checkpointer=SqliteSaver(connection))
api = FastAPI()


@api.post("/ask")
def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = graph.invoke(turn, config)
    return {"answer": result["messages"][-1].content}
