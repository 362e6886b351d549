"""Runs a learner's graph on Redis, where there is one with what its saver needs.

The saver for Redis is no part of this course's packages, and few servers have the
modules that it asks for; so this looks first, and says what is missing.
"""

from __future__ import annotations

import importlib
import os
import secrets
from typing import Any

PACKAGE = "langgraph-checkpoint-redis"
MODULES = {"search": "RediSearch", "rejson": "RedisJSON"}
SERVER = "a Redis 8, or a Redis Stack, has both"


def on_redis(graph: Any, environment: Any = os.environ) -> str:
    """Hold a conversation of two turns on Redis; return what came of it, or is missing.

    `graph` is a compiled graph with `messages` in its state; its nodes are taken, and
    its checkpointer is replaced.
    """
    try:
        redis = importlib.import_module("redis")
        savers = importlib.import_module("langgraph.checkpoint.redis")
    except ImportError:
        return f"Not run on Redis: the package {PACKAGE} is not installed."
    url = environment.get("REDIS_URL", "")
    if not url:
        return (
            "Not run on Redis: REDIS_URL names no server. "
            f"It needs the modules {' and '.join(MODULES.values())}; {SERVER}."
        )
    try:
        with redis.Redis.from_url(url) as client:
            found = {_name(module) for module in client.module_list()}
    except Exception as problem:  # whatever a client raises for an address
        return f"Not run on Redis: no server answers at REDIS_URL ({problem})."
    missing = [title for name, title in MODULES.items() if name not in found]
    if missing:
        return f"Not run on Redis: the server lacks {' and '.join(missing)}; {SERVER}."
    if graph is None:
        return "Not run on Redis: there is no `graph` yet; run your submission first."
    return _two_turns(graph, savers.RedisSaver, url)


def _two_turns(graph: Any, saver_class: Any, url: str) -> str:
    thread = f"course-{secrets.token_hex(4)}"
    config = {"configurable": {"thread_id": thread}}
    with saver_class.from_conn_string(url) as saver:
        saver.setup()
        app = graph.builder.compile(checkpointer=saver)
        try:
            for text in ("My name is Ada.", "What is my name?"):
                state = app.invoke({"messages": [("user", text)]}, config)
        finally:
            saver.delete_thread(thread)
    answer = state["messages"][-1].content
    return f"On Redis, {len(state['messages'])} messages after two turns: {answer}"


def _name(module: Any) -> str:
    name = module.get("name", module.get(b"name", b""))
    return (name.decode() if isinstance(name, bytes) else str(name)).lower()
