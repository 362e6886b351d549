"""A first run of everything that a submission's first call would otherwise pay for.

The first `ChatOpenAI`, the first graph and the first request of a process import
modules and build validators for a tenth of a second of CPU. The forkserver does it
once, with code of its own, and every worker inherits what it leaves behind: imported
modules and filled caches, but no connection, no OS thread and no file.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from openai import DefaultHttpxClient
from psycopg_pool.base import AttemptWithBackoff

TIMEOUT_S = 5.0
POOL_DELAY_S = 0.02
TURNS = 2  # the second one finds a checkpoint
COMPLETION = {
    "id": "chatcmpl-0",
    "object": "chat.completion",
    "created": 0,
    "model": "none",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Yes?"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class State(TypedDict):
    """A conversation."""

    messages: Annotated[list[AnyMessage], add_messages]


class Model(BaseHTTPRequestHandler):
    """Answers every request with the same text."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """Answer one request."""
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps(COMPLETION).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def rehearse() -> None:
    """Have a short conversation through a graph, a saver and a model."""
    settle()
    hurry()
    with _served() as url, DefaultHttpxClient(timeout=TIMEOUT_S) as client:
        named: Any = {"model": "gpt-4o-mini", "base_url": url, "api_key": "sk-none"}
        ChatOpenAI(**named)  # as submissions do, with clients that never connect
        llm = ChatOpenAI(**named, http_client=client, max_retries=0)

        def talk(state: State) -> dict[str, Any]:
            prompt = SystemMessage("Answer the user.")
            return {"messages": [llm.invoke([prompt, *state["messages"]])]}

        builder = StateGraph(State)
        builder.add_node("talk", talk)
        builder.add_edge(START, "talk")
        builder.add_edge("talk", END)
        with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:
            graph = builder.compile(checkpointer=SqliteSaver(database))
            for _ in range(TURNS):
                thread: Any = {"configurable": {"thread_id": "1"}}
                graph.invoke({"messages": [HumanMessage("Hello?")]}, thread)


def settle() -> None:
    """Let two OS threads make the first calls of one model at once.

    At its first call langchain-core 1.x walks over a model's attributes and stores the
    result among them. From Python 3.12 on `functools.cached_property` holds no lock
    meanwhile, so that one of two first calls raises "dictionary changed size during
    iteration" now and then: in 66 of 1200 with OS threads that switch often. That is
    luck, and no verdict may depend on it.
    """
    kept, lock = BaseChatModel.__dict__["_serialized"], threading.RLock()

    def computed(model: BaseChatModel, compute: Any = kept.func) -> Any:
        with lock:
            known = model.__dict__
            if kept.attrname not in known:
                known[kept.attrname] = compute(model)
            return known[kept.attrname]

    kept.func = computed


def hurry() -> None:
    """Let a pool look at its next connection soon after one that it has lost.

    It waits 1 s, 2 s, 4 s between lost connections, so that a pool of psycopg's own
    size answers 7 s after a failover. A call is not given that long, and it is right.
    """
    AttemptWithBackoff.INITIAL_DELAY = POOL_DELAY_S


@contextmanager
def _served() -> Iterator[str]:
    """Serve one connection from an OS thread that has ended when this has."""
    with HTTPServer(("127.0.0.1", 0), Model) as server:
        server.timeout = TIMEOUT_S
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            serving.join()
