"""Loops in one node until the recursion limit, and says how often it ran."""

from typing import TypedDict

from langgraph.graph import START, StateGraph

calls: list[int] = []


class State(TypedDict, total=False):
    tries: int


graph = StateGraph(State).add_node("search", lambda state: calls.append(1))
graph.add_edge(START, "search").add_edge("search", "search")
try:
    graph.compile().invoke({"tries": 0})
except Exception as problem:
    print(len(calls), f"{type(problem).__name__}: {problem}")
