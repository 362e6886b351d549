# %% [markdown] id="title"
# # One slow call stops every request
#
# ![Request 1 has taken the event loop with it to a slow service. Requests 2, 3 and 48 and the request for /health stand in front of the loop, and nobody reads them.](waiting.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# Your service answers with the profile of whoever asks, from another team's service.
# Its endpoints are `async def`, so it should scale.
# At 3 a.m. that other service has a slow minute: three seconds an answer.
# Yours is not slow, it is gone.
# The cluster asks for `/health`, hears nothing, and restarts all pods.
# The new ones are gone again as soon as the first user is there.
# The graphs show almost no load: the processors have nothing to do, and most of the 48 requests have not even been read.
#
# ## What you'll do
#
# Count how many requests wait at a slow service at the same time, and raise that number from one to all.
#
# ## What you'll learn
#
# - Tell a call that waits from a call that keeps the whole process waiting.
# - Find the ceilings that nobody has written down: two thread pools and a client.
# - Answer for a service behind you: its errors, and clients that hang up.
#
# ## What you'll need
#
# To know who runs the event loop of a server, as in [ex03](../ex03_async_mismatch/ex03_async_mismatch.ipynb).
# The profile service is a stand-in on your machine. It has no clock: it answers nobody until everybody is in, or until nothing moves any more.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex08_blocking_calls
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# The node is async, and so is the endpoint:
#
# ```python
# async def fetch(state: State) -> dict:
#     response = requests.get(f"{URL}/profiles/{state['user']}")
#     return {"profile": response.json()}
#
#
# @api.get("/profile/{user}")
# async def profile(user: str) -> dict:
#     return (await graph.ainvoke({"user": user}))["profile"]
# ```
#
# 48 users ask one server at once. The service holds every request until all 48 are in, or until nothing moves any more.

# %% id="prediction"
predict(
    "How many requests wait at the service, and is /health answered meanwhile?",
    a="48, and it is: everything in the way is async def",
    b="40, and it is: the server has a pool of OS threads",
    c="One, and it is not",
)

# %% [markdown] id="observe"
# ## Observe
#
# Before you read on, find the moment in which the service gave up waiting for more.
# The second cell draws how many requests were inside it, event by event, beside the ideal.

# %% id="observation"
observe("crowd")

# %% id="picture"
show("flight", "crowd")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
#
# **One inside.** From #2 to #49 all users have asked. In #50 the first of them is at the service, and there it stays.
# `requests.get` waits in the OS thread in which it was called, and that is the one that runs the event loop.
# A coroutine gives the loop back only where it awaits, and this one does not: `async def` in front of a blocking call changes nothing.
#
# **Nobody else is read.** In #51 the server is asked for `/health`, an endpoint that needs no service at all.
# Nobody reads that request: whoever would read it is waiting in #50.
# In #52 the service sees that nothing moves any more: each OS thread of the process sleeps, and none has work.
# A server that is slow would look different. This one is at rest, and its processor idle.
#
# **Then one by one.** The service answers from then on at once, and the picture is a saw along the bottom: one in, one out, 48 times.
# With three seconds an answer that makes 144 seconds, here for everybody: no reply leaves before the last answer has come. On another day `/health` may be luckier, and wait for one call only.
#
# If you chose *a*: the keyword does not make it so. Every call on the way down must be one that can be awaited, and the last one, `requests.get`, is not. If you chose *b*: that pool exists, and you will meet it below, but an `async def` endpoint does not run in it.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it is | it answers |
# |---|---|---|
# | `api` | an ASGI application | `GET /profile/{user}` by the service's JSON, as it came; where the service fails, by a 502 with a reason, a text: `{"detail": "…"}` |
# | | | `GET /health` by any JSON, whatever the service does |
#
# `PROFILE_URL` has `GET /profiles/{user}`. A profile changes all the time.
# The service may answer with an error, 503 for one, which the reason then names, or hang up. Let it take up to 30 seconds. A request that takes longer than four seconds is lost here, retries and all.
#
# The claims, word for word:
#
# - everyone gets their own profile, as the service answers it now
# - 48 requests to one server are inside the upstream at the same time
# - while the upstream holds requests, `/health` is answered, whoever hangs up
# - an error of the upstream is a 502 with its reason, and nobody else's error
# - a client that hangs up leaves nothing behind, in the upstream or in the log
#
# There is more than one way: await, or OS threads, enough of them.

# %% role="submission"
# %%submission
import os
from typing import TypedDict

from fastapi import FastAPI
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


### BEGIN STARTER
# import requests
#
#
# async def fetch(state: State) -> dict:
#     # TODO: who waits here, and who waits for it?
#     response = requests.get(f"{os.environ['PROFILE_URL']}/profiles/{state['user']}")
#     return {"profile": response.json()}
### END STARTER
### BEGIN SOLUTION
from contextlib import asynccontextmanager

import httpx
from fastapi import HTTPException


@asynccontextmanager
async def lifespan(app: FastAPI):
    url = os.environ["PROFILE_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as app.state.client:
        yield


async def fetch(state: State) -> dict:
    response = await api.state.client.get(f"/profiles/{state['user']}")
    response.raise_for_status()
    return {"profile": response.json()}


### END SOLUTION


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()
### BEGIN STARTER
# api = FastAPI()
### END STARTER
### BEGIN SOLUTION
api = FastAPI(lifespan=lifespan)
### END SOLUTION


@api.get("/profile/{user}")
async def profile(user: str) -> dict:
    ### BEGIN STARTER
    # # TODO: what does the client hear when the service fails?
    # result = await graph.ainvoke({"user": user})
    ### END STARTER
    ### BEGIN SOLUTION
    try:
        result = await graph.ainvoke({"user": user})
    except httpx.HTTPStatusError as error:  # its text would name an internal address
        status = error.response.status_code
        raise HTTPException(502, f"the profile service said {status}") from error
    except httpx.TransportError as error:
        what = type(error).__name__
        raise HTTPException(502, f"no answer of the profile service: {what}") from error
    ### END SOLUTION
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on. A failure says how many were inside, and that number is a clue:
#
# | inside | who stands at the door |
# |---|---|
# | 1 | a call that blocks the event loop; or a lock, or a semaphore of one |
# | 10 | the client: somebody has set `max_connections` |
# | `min(32, cpus + 4)` | `asyncio.to_thread`, or a plain `def` node: the loop's own pool |
# | 40 | plain `def` endpoints: the server's pool, on every machine |
# | 48 | nobody |
#
# Stuck? After the check, each call of `hint()` gives one more.

# %% id="checking"
check()

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# The repair that is proposed most often is one line: leave the blocking call as it is, and let an OS thread wait.
#
# ```python
# response = await asyncio.to_thread(requests.get, url)
# ```
#
# Try it in the submission. (Keep a copy of your code in a file; it wants `import asyncio`, `import requests`.) The loop is free again, so `/health` is answered. How many users are inside?

# %% id="prediction_pool"
predict(
    "48 users, asyncio.to_thread: how many are inside at once?",
    a="48: each of them has an OS thread",
    b="A few more than this machine has processors, and 32 at most",
    c="One: Python runs one OS thread at a time",
)

# %% id="variation"
show("flight", "crowd")

# %% [markdown] id="ceilings"
# Two pools, and nobody in your code has asked for either.
# The first belongs to the loop, and its size depends on the machine: 6 on a laptop with two processors, 32 on a large one.
# So what passes a load test on the large one stands still on a small one. (A container's CPU limit does not count: Python sees the processors of the node.)
# The second belongs to Starlette, under FastAPI, has 40 OS threads everywhere, and takes the server's own plain functions, such as plain endpoints. Plain nodes under `ainvoke` are in the first.

# %% id="pools"
import multiprocessing

import anyio.to_thread

cpus = multiprocessing.cpu_count()
print("asyncio.to_thread, plain nodes:", min(32, cpus + 4))
limiter = anyio.to_thread.current_default_thread_limiter()
print("plain endpoints:", int(limiter.total_tokens))

# %% [markdown] id="raising"
# Both can be raised, which is a right answer too: `loop.set_default_executor(ThreadPoolExecutor(100))`, or `limiter.total_tokens = 100`, in the lifespan.
# Then say what the number is for, because it is a promise: so many users may wait at once, and an OS thread cannot be cancelled while it does.
# If `/health` is a plain `def` as well, it needs one of the 40 for itself: a full pool answers nothing.
#
# Put your own code back now, and run its cell: what stands there is graded.

# %% [markdown] id="production"
# ## In production
#
# **Timeouts, all of them.** `requests` waits for ever unless it is told otherwise. `httpx` gives up after 5 seconds without a byte, also on waiting for one of its 100 connections. Choose them, and let yours be shorter than that of whoever asks you.
#
# **A ceiling on purpose.** A service in trouble is not helped by 10 000 requests at once. An `asyncio.Semaphore` around the call, with a number that both teams know, and, as it only queues, a 503 for who finds it `locked()`: that is a limit. A forgotten pool is an accident.
#
# **Health is about you.** A `/health` that asks the service behind you makes its trouble yours: all pods are restarted, and none is ill. Readiness may ask; liveness must not.
#
# **502 is an address.** It says that the trouble is behind you. A 500 wakes the wrong team, and a 200 with an error inside wakes nobody.
#
# **Clients hang up.** An endpoint of FastAPI runs to its end although nobody is there; a stream is cancelled. If you start a task and watch the client, you own the task: cancel it and await it, or its error appears in the log as `Task exception was never retrieved`.
#
# **Find them.** `PYTHONASYNCIODEBUG=1` logs each step of the loop that took more than 0.1 s, once it has ended. (Under uvicorn it needs Python 3.12; on 3.11 call `asyncio.get_running_loop().set_debug(True)` in the lifespan.) `llm.invoke`, `time.sleep`, a sync database driver and a large `json.loads` are the usual ones. And `--workers 4` makes it four users at most instead of one.
#
# - [Python's page on developing with asyncio](https://docs.python.org/3/library/asyncio-dev.html) has the debug mode, and a section on running blocking code.
# - [FastAPI's page on concurrency](https://fastapi.tiangolo.com/async/) says which endpoints run in the loop, and which in an OS thread.
# - [HTTPX on resource limits](https://www.python-httpx.org/advanced/resource-limits/) names the limits of its connections.
#
# ## Reflect
#
# A colleague has measured: with `asyncio.to_thread` the service is "as fast as with await", in a test with 20 users on a large machine.
# What did the test not see, and which number would you ask for?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** On that machine the loop's pool has up to 32 OS threads, so 20 users never reached its end.
# On a machine with two processors it has six, and the seventh user waits for a stranger's answer; so does everything else that uses the pool, plain nodes among it.
# The number to ask for is how many requests were inside the slow service at once, against how many were asked: at more users than any default.
#
# **For grading.** Names the pool's size, or that it depends on the machine: one third.
# Says that more users than OS threads, or a smaller machine, would show it: one third.
# Asks for a number in flight rather than for a time, or names who else shares the pool: one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="right_profile" points=1
grade("right_profile")

# %% role="test" check="inside_at_once" points=4
grade("inside_at_once")

# %% role="test" check="stays_healthy" points=2
grade("stays_healthy")

# %% role="test" check="says_why" points=2
grade("says_why")

# %% role="test" check="leaves_nothing" points=1
grade("leaves_nothing")

# %% [markdown] id="summary"
# ## Summary
#
# While a coroutine does not await, its event loop does nothing else. Whoever lets OS threads wait instead has a ceiling, and should know who has set it.
# Count what is in flight: it says more than a stopwatch.
#
# ## Next
