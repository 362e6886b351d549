# %% [markdown] id="title"
# # The event loop that was already running
#
# ![Two requests, each with an event loop of its own, share one connection. It was opened in loop A, which is closed when request 2 uses it from loop B.](loops.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# You made the nodes of your graph async, and in your notebook `await graph.ainvoke(…)` works.
# Behind the web server you call it from plain code, which raises at every request, and so you try what the internet suggests.
# One repair gets through every test: the first request is answered.
# You deploy it before dinner.
# At 3 a.m. the dashboard shows an error rate of 50.0 %, to the decimal.
# Every second customer gets a 500, and whoever presses *Retry* gets an answer.
# The load test, one crowd on a fresh server, had no error at all.
#
# ## What you'll do
#
# Climb a ladder of five errors, one rung at a time, then write a server that stands at its top.
#
# ## What you'll learn
#
# - Say who runs the event loop, and which objects belong to it.
# - Read an asyncio error as a sentence about two loops.
# - Prove that a server answers in a row, in a crowd, and without a word in its log.
#
# ## What you'll need
#
# A LangGraph graph, a first look at `async def`, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
#
# A *coroutine* is what an `async def` returns when it is called; it does nothing until an *event loop* runs it.
# A loop runs many of them in one OS thread, one step at a time.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex03_async_mismatch
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# The node is `async def`. The endpoint needs its result, and calls the graph like this:
#
# ```python
# graph = builder.compile(checkpointer=SqliteSaver(connection))
#
#
# @api.post("/ask")
# async def ask(body: Question) -> dict:
#     config = {"configurable": {"thread_id": body.thread_id}}
#     turn = {"messages": [HumanMessage(body.question)]}
#     result = asyncio.run(graph.ainvoke(turn, config))
#     return {"answer": result["messages"][-1].content}
# ```
#
# Two uvicorn servers run this file. Each is asked six questions, one after the other.

# %% id="prediction"
predict(
    "How many of the twelve questions are answered?",
    a="All: asyncio.run is how plain code waits for a coroutine",
    b="The first of each server: after it, the loop is closed",
    c="None: where the endpoint runs, nobody may start a loop",
)

# %% [markdown] id="observe"
# ## Observe
#
# Two real servers, each a process of its own. The requests come over connections that are kept open, as a browser or a gateway sends them; in the end both servers are asked to stop.
#
# Before you read on, find the observation that surprises you. The table below the picture also has what each server wrote to its log.

# %% id="observation"
observe("in_a_row")

# %% [markdown] id="explain"
# ## Explain
#
# (The starter is meant. Once you have run a submission of your own, `observe` runs yours.)
#
# The questions #3 and #4 end with status 500, and so does every later one: `asyncio.run() cannot be called from a running event loop`.
# The model was never asked: no request to it is drawn in the picture.
# uvicorn has started an event loop before the first request, and an `async def` endpoint runs *in* it.
# An OS thread runs at most one loop at a time, so a second cannot be started there.
# The log adds that a coroutine `was never awaited`: `graph.ainvoke(…)` had made one, and nobody ran it.
#
# Who chose *a* knows scripts, where no loop runs. Who chose *b* is one rung ahead.
#
# ### The ladder
#
# Each rung is an error, and each error is the answer to the repair before it.
# We climb it here, in the notebook's own process.
# First a stand-in for a model's server: what matters is that it keeps connections open.

# %% id="graph"
import httpx
from langgraph.graph import START, MessagesState, StateGraph

from grader.stand_in import keeps_open

url, client = keeps_open(), httpx.AsyncClient()


async def fetch(state: MessagesState) -> dict:
    await client.get(url)
    return {"messages": "fetched"}


builder = StateGraph(MessagesState).add_node(fetch).add_edge(START, "fetch")
graph = builder.compile()


# %% id="first_rung"
# The first rung: an async node, and a graph that is invoked as before.
def tell(act):
    try:
        return f"answered: {act()['messages'][-1].content}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print(tell(lambda: graph.invoke({"messages": "Hi"})))

# %% [markdown] id="second"
# **The second rung.** LangGraph names the way out itself: the async API.
# But `ainvoke` returns a coroutine, and something has to run it.
# A notebook is a good place to meet what you have observed above: the kernel, too, runs a loop before your first cell.

# %% id="second_rung"
import asyncio

print("running:", asyncio.get_running_loop().is_running())
print(tell(lambda: asyncio.run(graph.ainvoke({"messages": "Hi"}))))

# %% [markdown] id="third"
# **The third rung.** So leave the loop: a plain `def` endpoint runs in an OS thread of the server's pool, where no loop runs.
# There `asyncio.run` may start one, and closes it when the request is done.
# Six requests, one after the other. Before you run the cell: how many are answered?

# %% id="third_rung"
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(1)
for _ in range(6):
    request = pool.submit(tell, lambda: asyncio.run(graph.ainvoke({"messages": "Hi"})))
    print(request.result())

# %% [markdown] id="fourth"
# The first request opens a connection. It stays open in the client, but it belongs to the loop of that request, which is closed.
# The second request finds it, uses it, and fails; the broken connection is thrown away.
# So the third opens a new one. That is the 50.0 % of the incident: in a row strictly every second request. A crowd on a fresh server is answered in full, since each opens a connection of its own; the next crowd finds those, and pays.
# A new `ChatOpenAI` in the node does not help: its async client is cached for the whole process.
#
# **The fourth and the fifth rung** are about the checkpointer. One is for plain code and cannot be awaited. The other can, and belongs to the loop that used it first.
# (In the cell `{}` is an input that says nothing new, and `thread` names the thread.)

# %% id="fourth_rung"
import sqlite3

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

thread = {"configurable": {"thread_id": "ladder"}}
connection = sqlite3.connect(":memory:", check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))
print(pool.submit(tell, lambda: asyncio.run(graph.ainvoke({}, thread))).result())

async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
    graph = builder.compile(checkpointer=saver)
    print("in its own loop:", len((await graph.ainvoke({}, thread))["messages"]))
    client = httpx.AsyncClient()  # a new one: the saver is all that is of another loop
    print(pool.submit(tell, lambda: asyncio.run(graph.ainvoke({}, thread))).result())

# %% [markdown] id="fix"
# ## Fix
#
# Read the five errors again: the first is about a plain call of an async node, and the fourth about a saver that cannot be awaited. The other three are about a loop too many, or not the same as before.
# An endpoint that calls `invoke` on an async saver in its own loop is told so as well: `Synchronous calls to AsyncSqliteSaver are only allowed from a different thread.`
# At the top of the ladder one loop runs from the first request to the last, and all that belongs to a loop belongs to that one.
#
# | you define | it is | it answers |
# |---|---|---|
# | `api` | an ASGI application, such as `FastAPI()` | `POST /ask` with `{"thread_id": …, "question": …}` by `{"answer": …}`, the model's own words |
#
# ASGI is the agreement on how a server such as uvicorn calls an async application.
# Each process imports your module, then starts its loop, then enters the application's `lifespan`, as `uvicorn submission:api` does.
# Both find the path of one SQLite file, theirs to share, in the environment variable `CHECKPOINT_DB`; threads are kept there, by a saver of LangGraph.
#
# The claims, word for word:
#
# - six in a row, and three after three at once: all answered, each asked once
# - twenty questions at once are answered, on each server, each with its own
# - a thread begun on one server goes on on the other
# - no server's log names a closed or foreign loop, a lost coroutine or task
# - two requests are at the model at the same time; answered first, returned first
#
# The starter stands on the second rung. There is more than one way up; two that need little are async from end to end, and no loop of your own at all.

# %% role="submission"
# %%submission
import os

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
### BEGIN STARTER
# import asyncio
# import sqlite3
#
# from langgraph.checkpoint.sqlite import SqliteSaver
#
# # TODO: a saver that can be awaited, made where the server's loop runs
# connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
# graph = builder.compile(checkpointer=SqliteSaver(connection))
# api = FastAPI()
### END STARTER
### BEGIN SOLUTION
from contextlib import asynccontextmanager

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


# The server's loop enters this before the first request and leaves it after the last.
@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        app.state.graph = builder.compile(checkpointer=saver)
        yield


api = FastAPI(lifespan=lifespan)
### END SOLUTION


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    ### BEGIN STARTER
    # # TODO: a loop runs here already; let it run the graph
    # result = asyncio.run(graph.ainvoke(turn, config))
    ### END STARTER
    ### BEGIN SOLUTION
    result = await api.state.graph.ainvoke(turn, config)
    ### END SOLUTION
    return {"answer": result["messages"][-1].content}


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on. A failure shows which line of yours raised, and in which server.
#
# | what you read | what it says about loops |
# |---|---|
# | `No synchronous function provided to "answer".` | nothing: an async node needs `ainvoke`, whether a loop runs or not |
# | `asyncio.run() cannot be called from a running event loop` | one too many in this OS thread |
# | `Event loop is closed` | what you use, such as a connection, was opened in a loop that has ended |
# | `… is bound to a different event loop` | what you use was used first in another loop |
# | `no running event loop` | made where no loop runs: at import, before there is one, or in an OS thread of the pool |
# | `coroutine … was never awaited` | made, and given to no loop at all |
#
# Stuck? After the check, each call of `hint()` gives one more.

# %% id="checking"
check()

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# Your server stands. Turn one knob in the submission: in the node, write `llm.invoke(…)` in place of `await llm.ainvoke(…)`.
# It raises nothing, and the answers are right.
# Which of the five claims breaks, and why does the claim about the crowd hold?
# Predict, and run `check()` once more, and then this cell. It shows how many of the crowd's forty questions are at the model together.
# Take the change out afterwards.

# %% id="picture"
show("flight", "crowd")

# %% [markdown] id="production"
# The last claim breaks. The one about the crowd holds: it asks that each be answered, not that they be asked together.
#
# ## In production
#
# **One worker, or four.** `uvicorn app:api` imports your module before its loop runs. `uvicorn app:api --workers 4` imports it once in each worker, *in* the running loop.
# So a line such as `ready = asyncio.run(prepare())` at the top of a module works with one process, and with four each of them dies at the second rung. Keep loops out of imports; `lifespan` is the same in both.
#
# **No loop is fine too.** A plain `def` endpoint, a plain node and `SqliteSaver` pass every claim here. The price is an OS thread for each request: the server's pool has 40, and `asyncio.to_thread` has `min(32, cpus + 4)`, which is 6 on two cores.
#
# **`nest_asyncio`** lets a running loop be run once more from inside, and silences rung two. Then an early request cannot return before every later one that runs inside it: four claims hold, and the last one shows it.
#
# **PostgreSQL.** `AsyncPostgresSaver` with a pool belongs to its loop in the same way. `PostgresSaver` under `ainvoke` raises `NotImplementedError` with an empty message, so you may meet it as a blank line.
#
# - [FastAPI's page on lifespan events](https://fastapi.tiangolo.com/advanced/events/) shows where to open and close what all requests share.
# - [FastAPI's page on concurrency](https://fastapi.tiangolo.com/async/) says which endpoints run in the loop, and which in an OS thread.
# - [Python's page on developing with asyncio](https://docs.python.org/3/library/asyncio-dev.html) has the debug mode that finds what blocks a loop.
#
# ## Reflect
#
# A colleague repairs the third rung by a retry: whoever meets a closed loop tries again.
# The error rate is zero. Would you let it through the review?
# Answer in at most 80 words. The cells after your answer are locked; each gives the points of one claim.

# %% [markdown] role="reflect" points=0
# **A good answer.** No. The retry hides the cause: each request still makes a loop, and shares connections with loops that are gone.
# The run that failed has already stored the question in its thread, so the second try asks it twice: the model reads it twice, and every later turn pays for it.
# Half of all requests run twice, and any other RuntimeError is now retried too, perhaps for ever.
# One loop for all requests removes the cause.
#
# **For grading.** Names the cause (something outlives its loop, and the retry leaves it so): one third.
# Names the question asked twice, or the run made twice: one third.
# Names one more risk (other errors swallowed, endless retry, cost, latency), or the better repair: one third.

# %% role="test" check="six_in_a_row" points=2
grade("six_in_a_row")

# %% role="test" check="twenty_at_once" points=3
grade("twenty_at_once")

# %% role="test" check="crosses_processes" points=2
grade("crosses_processes")

# %% role="test" check="quiet_log" points=1
grade("quiet_log")

# %% role="test" check="both_inside" points=2
grade("both_inside")

# %% [markdown] id="summary"
# ## Summary
#
# A server runs one event loop for as long as it lives. A connection, a lock, an async saver belongs to the loop that used it first.
# Let that loop run the graph, and make what belongs to it in its lifespan; or use no loop of your own at all.
#
# ## Next
#
# An app that awaits can still keep everybody waiting, and a memory can still be one process's own: [the memory that only one process can see](../ex04_memory_saver/ex04_memory_saver.ipynb).
