# %% [markdown] id="title"
# # On call
#
# ![Two customers and one order, four servers with a database behind them. A fault strikes each part: a server is killed, connections are dropped, the model fails.](oncall.svg)
#
# *About 90 minutes.*
#
# ## The incident
#
# It is 3 a.m., and the pager has five messages.
# A customer was greeted by another one's name. Somebody was asked again for what they had said a minute before.
# An order stands on the bill twice. The model's provider asks whether thirteen calls for one question are meant.
# An auditor has found a key of the model in last week's backup.
#
# Yesterday the application went from one process to four.
# All tests are green, on a laptop, with one process.
# You did not write it, you have its six files, and all the failures of this course may be in there.
#
# ## What you'll do
#
# Find five failures in five files with a method that does not depend on luck, report them with evidence, repair them, and survive a game day.
#
# ## What you'll learn
#
# - Narrow a failure down by load, by processes, by effects and by nodes.
# - Write an incident report of which each sentence can be checked.
# - Say what an application must keep while a server, a connection and the model fail.
#
# ## What you'll need
#
# The exercises before this one, or the failures they are about.
# The application runs on PostgreSQL, which the course starts for you where none is given.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex10_on_call
from grader import check, grade, hint, observe, predict, show
from grader.oncall import load, report

# %% [markdown] id="predict"
# ## Predict
#
# Ten customers come at once. Each tells a lucky word, orders, sends the order again because no answer came, and asks for the word: forty requests.
# The same load goes to `uvicorn app:api --workers 1` and to `--workers 4`.

# %% id="prediction"
predict(
    "Which of the first three messages does one process show already?",
    a="None: with one process everything is in one place",
    b="The other name and the double charge; forgetting takes a second process",
    c="All three",
)

# %% [markdown] id="observe"
# ## Observe
#
# **Step 1: the same load at one process and at four.** Each request has a connection of its own and a *run*, so the log says which process served it and what it raised.
# Compare the two tables: what is the same, and what has come with the processes? How even are the shares?
#
# **Step 2: take parts away.** The third cell switches the effects off and reduces the graph to one node. Look at the exception, which is the same in all forty: what did a node that is gone leave behind, and where? Let the graph grow back, `nodes="recall,think"`, and watch what comes with each node.

# %% id="one_process"
load(workers=1)

# %% id="four_processes"
load(workers=4)

# %% id="reduced"
load(effects="off", nodes="think")

# %% [markdown] id="night_again"
# **Step 3: the smallest run that shows it.** A load shows *that* something is wrong, and its numbers change each time.
# Here is the night once more, without luck: two customers are held at the model together on server 0, one goes on on server 1, the ledger charges and hangs up, and one question is not settled for long.
#
# The starter runs as two servers with one process each. Find five things in the table that must not be, and write down their numbers.

# %% id="observation"
observe("night")

# %% [markdown] id="explain"
# ## Explain
#
# **What one process shows.** A name that all requests write is mixed up as soon as two are inside, and a key that is drawn anew in each attempt charges twice: neither needs a second process.
# Forgetting does, because one process remembers for itself. So *b*: "it works with one process" is a statement about luck and load.
#
# **What the system decides.** The four shares are uneven: whichever process takes the connection first serves it. Who tests through a connection that is kept alive sees one process for ever.
#
# **What the graph showed.** With `think` alone, each request raised the same `KeyError`: a node had left something where the state is not. An exception's class and its run say more than a rate of errors.
#
# **The report.** Name a module's file, a cause's letter and at most four observations of the night for each symptom; a report without evidence is an opinion. Here are the causes to choose from:
#
# | letter | cause |
# |---|---|
# | a | a variable that all requests share |
# | b | memory that only this process sees |
# | c | a key that is new in each attempt |
# | d | a loop that only the model can end |
# | e | an object with a secret in the state |
# | f | a blocking call in an async function |
# | g | a connection that nobody looks at before it is used |
# | h | a node that returns the wrong thing |
#
# The code is in the cell under *Fix*, and in `starter.py` beside this notebook.

# %% id="incident"
report(
    another_name=("?", "?", []),
    forgotten=("?", "?", []),
    charged_twice=("?", "?", []),
    no_end=("?", "?", []),
    key_at_rest=("?", "?", []),
)

# %% [markdown] id="fix"
# ## Fix
#
# One cell, six modules: a line such as `# === module: store.py ===` begins a module, and `app.py` is what the server imports. Lines keep the numbers that they have in the cell. More modules will do, and fewer.
#
# | `api` answers | with |
# |---|---|
# | `POST /chat` with `thread_id`, `user_id`, `text`, perhaps `order_id` and `amount` | `user_id`, `answer`: the model's last words, `complete`: whether they begin with `settled`, `charge_id`: of the order, or null |
# | the same while the model or the ledger fails | the same, or HTTP 503 with a reason |
# | `GET /health` | any JSON, at any time |
#
# The model is asked with `[reply]` in the prompt; it begins with `needs more` or `settled`. A request that takes longer than four seconds is lost.
# Conversations are kept by LangGraph's `PostgresSaver` or `AsyncPostgresSaver`, in its own tables, which are there already: in them the checks look for them.
# The ledger charges once for each `Idempotency-Key`, and for each request that has none.
#
# The claims, word for word:
#
# - every request is answered: with what was asked for, or with a reason to retry
# - what a customer told one server, another knows: killed, restarted, cut off
# - customers who talk at once get their own answers, under their own names
# - each order is charged once, also when its server dies and it is sent again
# - conversations are in PostgreSQL, and no key of the model is, in any encoding
# - the model is asked until it settles, and three times at most for one request
# - a server asks model and ledger for two at once, and says that it is healthy

# %% role="submission"
# %%submission
# === module: settings.py ===
import os

MODEL = "gpt-4o-mini"
# The switches of whoever is on call.
EFFECTS = os.environ.get("EFFECTS", "on")
NODES = os.environ.get("NODES", "recall,think,charge").split(",")


# === module: storage.py ===
import os
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

URL = os.environ["DATABASE_URL"]
OPTIONS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@asynccontextmanager
async def opened():
    # The saver uses one connection at a time, and after a failover each dead one costs
    # a pool more time than the one before.
    sizes = {"min_size": 1, "max_size": 2, "open": False}
    sizes["check"] = AsyncConnectionPool.check_connection
    async with AsyncConnectionPool(URL, kwargs=OPTIONS, **sizes) as pool:
        await pool.wait()
        yield AsyncPostgresSaver(pool)


### BEGIN STARTER
# recent = {}  # saves the prompt a read of the database in each turn
### END STARTER


def conversation(thread_id, state):
    ### BEGIN STARTER
    # recent.setdefault(thread_id, []).append(state["messages"][-1])
    # return recent[thread_id]
    ### END STARTER
    ### BEGIN SOLUTION
    return state["messages"]
    ### END SOLUTION


# === module: customers.py ===
### BEGIN STARTER
# asking = {}
#
#
# async def recall(state):
#     asking["user_id"] = state["user_id"]
#     return {}
#
#
# def customer(state):
#     return asking["user_id"]
### END STARTER
### BEGIN SOLUTION
async def recall(state):
    return {"user_id": state["user_id"]}


def customer(state):
    return state["user_id"]


### END SOLUTION


# === module: payments.py ===
import os

import httpx
from settings import EFFECTS

### BEGIN STARTER
# from uuid import uuid4
### END STARTER


async def charge(state):
    if state["order_id"] is None:
        return {"charge_id": None}
    if EFFECTS == "off":
        return {"charge_id": "ch_stub"}
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    ### BEGIN STARTER
    # headers = {"Idempotency-Key": str(uuid4())}
    ### END STARTER
    ### BEGIN SOLUTION
    headers = {"Idempotency-Key": f"order-{state['order_id']}"}
    ### END SOLUTION
    async with httpx.AsyncClient(base_url=os.environ["LEDGER_URL"]) as ledger:
        response = await ledger.post("/charges", json=order, headers=headers)
    response.raise_for_status()
    return {"charge_id": response.json()["id"]}


# === module: agent.py ===
import customers
import payments
from langchain_core.messages import SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from settings import MODEL, NODES
from storage import conversation

### BEGIN SOLUTION
llm = ChatOpenAI(model=MODEL, max_retries=0)
### END SOLUTION


class State(MessagesState):
    user_id: str
    order_id: str | None
    amount: str | None
    charge_id: str | None
    attempts: int
    ### BEGIN STARTER
    # llm: ChatOpenAI
    ### END STARTER


async def think(state, config):
    prompt = SystemMessage("[reply] Say `settled` or `needs more` first.")
    seen = conversation(config["configurable"]["thread_id"], state)
    ### BEGIN STARTER
    # said = await state["llm"].ainvoke([prompt, *seen])
    ### END STARTER
    ### BEGIN SOLUTION
    said = await llm.ainvoke([prompt, *seen])
    ### END SOLUTION
    return {"messages": [said], "attempts": state["attempts"] + 1}


def unsettled(state):
    more = state["messages"][-1].content.startswith("needs more")
    ### BEGIN STARTER
    # return more
    ### END STARTER
    ### BEGIN SOLUTION
    return more and state["attempts"] < 3
    ### END SOLUTION


def build(saver):
    builder = StateGraph(State)
    steps = {"recall": customers.recall, "think": think, "charge": payments.charge}
    names = [name for name in steps if name in NODES]
    for name in names:
        builder.add_node(name, steps[name])
    for name, following in zip([START, *names], [*names, END], strict=True):
        if name == "think":
            ways = {True: "think", False: following}
            builder.add_conditional_edges("think", unsettled, ways)
        else:
            builder.add_edge(name, following)
    return builder.compile(checkpointer=saver)


# === module: app.py ===
from contextlib import asynccontextmanager

import httpx
from agent import build
from customers import customer
from fastapi import FastAPI, HTTPException

### BEGIN STARTER
# from langchain_openai import ChatOpenAI
### END STARTER
from openai import OpenAIError
from pydantic import BaseModel

### BEGIN STARTER
# from settings import MODEL
### END STARTER
from storage import opened


class Turn(BaseModel):
    thread_id: str
    user_id: str
    text: str
    order_id: str | None = None
    amount: str | None = None


@asynccontextmanager
async def lifespan(api):
    async with opened() as saver:
        api.state.graph = build(saver)
        yield


api = FastAPI(lifespan=lifespan)


@api.get("/health")
async def health():
    return {"status": "ok"}


@api.post("/chat")
async def chat(turn: Turn):
    config = {"configurable": {"thread_id": turn.thread_id}}
    start = {"messages": [("user", turn.text)], "user_id": turn.user_id}
    start |= {"order_id": turn.order_id, "amount": turn.amount, "attempts": 0}
    ### BEGIN STARTER
    # start["llm"] = ChatOpenAI(model=MODEL, max_retries=0)
    ### END STARTER
    try:
        state = await api.state.graph.ainvoke(start, config)
    except (OpenAIError, httpx.HTTPError) as problem:
        reason = f"{type(problem).__name__}: send it again"
        raise HTTPException(503, reason) from problem
    answer = state["messages"][-1].content
    return {
        "user_id": customer(state),
        "answer": answer,
        "complete": answer.startswith("settled"),
        "charge_id": state.get("charge_id"),
    }


# %% [markdown] id="check"
# ## Check
#
# This is the game day: customers, one of them in two conversations, on four servers of one process each, addressed in turn, as a balancer would, so that routing is exact.
# One server is killed when it has charged, and started again; the database ends all connections; the ledger charges and hangs up; the model fails, and does not settle.
# Repair one file at a time and run it after each; a second cell gives a hint when you are stuck.

# %% id="checking"
check()

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# Here is the game day drawn from your code. Which requests were answered only because somebody sent them again, and what had to be true of your code so that this was harmless?
#
# Then go back to `load(workers=4)` and to `observe("night")`, and run the report again: it should now say of each symptom that this run does not have it.
# At last, look at the pool in `storage`. With four dead connections a pool waits for seven seconds after the failover, longer than a request may take; for this course the wait is made shorter. It says so at level `INFO` only: would your log in production show it?

# %% id="picture"
show("gameday", "game_day")

# %% [markdown] id="production"
# ## In production
#
# **A pool needs time to notice.** LangGraph's saver uses one connection at a time, and a pool that checks its connections waits longer after each dead one: not at all, then one second, two, four. Four dead connections cost seven seconds, so a pool for one saver is small.
#
# **Let the client send it again.** A load balancer repeats what it can repeat safely. That is your decision: a stable key makes a request repeatable, and HTTP 503 with a reason asks for it.
#
# **Stay reducible.** The switches cost six lines, in three modules. Without them step 2 is a change of code at 3 a.m.
#
# **One process that cannot start takes the others with it.** With `--workers`, uvicorn gives up when the lifespan of one process fails, and starts one that fails at import again, for ever; a cluster starts one-process containers instead, and routes between them.
#
# ## Deploying it
#
# The folder `deploy` beside this notebook has what puts your submission before others, module by module. Its [page](deploy/README.md) says in which order, and why each file is as it is.
#
# - [The container file](deploy/Containerfile) builds an image with one process, from pinned packages.
# - [The manifests for Kubernetes](deploy/kubernetes/) start three replicas, a migration before them, and probes of `/health`.
# - [Notes for serverless platforms](deploy/serverless.md) say what a platform takes away from these promises.
# - [The pre-flight checklist](deploy/checklist.md) is the course on a page, to be printed.
#
# ## Reflect
#
# Write the paragraph of the incident report that your customers read: what happened, to whom, since when, what you have done, and what makes sure that it does not come back.
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** Since yesterday's change, customers who wrote at the same moment may have seen another customer's name, some were asked again for what they had said, and some orders were charged twice.
# We have found the causes, returned what was charged too much, and replaced the keys that were stored with conversations.
# Each promise is now tested with four servers while servers, connections and the model fail, before every release.
#
# **For grading.** Names what customers noticed, in their words: one third.
# Names who is affected and since when, and replaces the leaked key: one third.
# Names a test or an invariant that would catch it again, and blames nobody: one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="answered" points=1
grade("answered")

# %% role="test" check="no_lost_turn" points=2
grade("no_lost_turn")

# %% role="test" check="no_mixed_users" points=2
grade("no_mixed_users")

# %% role="test" check="no_doubled_charge" points=2
grade("no_doubled_charge")

# %% role="test" check="no_secret" points=1
grade("no_secret")

# %% role="test" check="bounded" points=1
grade("bounded")

# %% role="test" check="nobody_waits" points=1
grade("nobody_waits")

# %% [markdown] id="summary"
# ## Summary
#
# A failure that needs luck is found by taking luck away: the same load at one and at four, parts taken out and put back, one small run that shows it each time.
# What survives a game day keeps its state in the state, its memory in the database, its effects behind a key, its loops bounded and its secrets out of all of it.
#
# ## Next
