# %% [markdown] id="title"
# # A database that all replicas share, for real
#
# ![Four replicas start at once, and each of them wants to make the same table in an empty database. One goes in, three are turned away.](door.svg)
#
# *About 60 minutes.*
#
# ## The incident
#
# You have read about `MemorySaver`, and you are on PostgreSQL.
# The rollout of four replicas worked in staging, where one of them is started after the other.
# In production they start together, on a new database, and three of the four crash.
# The platform restarts them, they come up, and you go to bed.
# At 3 a.m. the provider replaces the database server, which takes four seconds.
# The database is back, and every conversation of your app fails from then on: `the connection is closed`.
# Nobody restarts it, for all replicas are healthy.
#
# ## What you'll do
#
# Start four processes at the same instant on an empty database, take their connections away, and make an app that survives both.
#
# ## What you'll learn
#
# - Let exactly one replica make the tables, while the others wait for it in a way that cannot deadlock.
# - Choose connections that are few, and are looked at before they are used.
# - Name what PostgreSQL refuses and SQLite takes.
#
# ## What you'll need
#
# To have moved a thread from one process to another, as in [ex04](../ex04_memory_saver/ex04_memory_saver.ipynb).
# A PostgreSQL is started for you and thrown away at the end; with `DATABASE_URL` set before Jupyter starts, yours is used instead.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex09_durable_checkpoints
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# Many applications on PostgreSQL come to these lines, and each replica runs them when it starts:
#
# ```python
# keep = {"autocommit": True, "row_factory": dict_row}
# saver = PostgresSaver(psycopg.connect(url, **keep))
# saver.setup()
# ```
#
# `setup()` begins with `CREATE TABLE IF NOT EXISTS checkpoint_migrations`.
# Four processes start at the same instant, on a database without tables.

# %% id="prediction"
predict(
    "How many of the four start?",
    a="Four: `IF NOT EXISTS` is there for this",
    b="One",
    c="Four, the last of them after a while: each waits for the one before it",
)

# %% [markdown] id="observe"
# ## Observe
#
# So that this is no matter of luck, another replica is a moment ahead: it has made the first table and has not committed.
# It is lost once all four show what they do. The server itself is asked who waits, and for whom.
#
# Before you read on, find the last observation in which all four are still equal. The second cell draws the line in front of the door.

# %% id="observation"
observe("start")

# %% id="picture"
show("starting", "start")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
#
# **One line, one door.** In #5 to #8 each process waits in `CREATE TABLE IF NOT EXISTS`.
# No table was there when it looked, because nobody sees what is not committed.
# In #9 the replica that was ahead is lost, and its table with it. Now all four go on at once: one of them makes the table, and the others find its name taken.
# `IF NOT EXISTS` looks before it makes, and two can look at once.
# So three crash with `UniqueViolation`, in a statement that says *if not exists*.
#
# **Why the tutorial is right, for one process.** `setup()` makes three tables and three indexes, and notes each step in a fourth table, `checkpoint_migrations`. It takes no lock: where the tables are there already many may run it, on an empty database only one.
#
# **What else is in these three lines.** The one connection lives as long as the server lets it. And each of its neighbours in tutorials has a trap of its own:
#
# | what is written | what comes of it |
# |---|---|
# | `compile(checkpointer=PostgresSaver.from_conn_string(url))` | `TypeError: Invalid checkpointer provided` |
# | `….from_conn_string(url).__enter__()`, and nobody keeps it | `OperationalError: the connection is closed` |
# | no `setup()` | `UndefinedTable: relation "checkpoints" does not exist` |
# | `setup()` without `autocommit=True` | `ActiveSqlTransaction: CREATE INDEX CONCURRENTLY cannot run inside a transaction block` |
# | the tables are there, one connection without `autocommit=True` | no error, and nothing is saved |
# | `pg_advisory_lock` around `setup()`, on its connection | `DeadlockDetected` |
#
# The last one deserves a look. Who waits for the lock waits *in a statement*; `CREATE INDEX CONCURRENTLY` waits for all transactions that are older than it, and a statement that waits is one. So each waits for the other.
#
# If you chose *a*: it is there for one who comes later. If you chose *c*: they do wait, but they are let go together, and three crash.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `chat` | `thread_id`, `text` | the model's answer to `[polish]`, word for word |
# | `resume` | `thread_id` | the same, for the turn that was cut off |
#
# A turn asks the model twice, for `[draft]` and then for `[polish]`, and what it has in between is stored.
# `DATABASE_URL` is the same for all processes. Use LangGraph's `PostgresSaver` or `AsyncPostgresSaver`, with its own tables: there the checks look for what was said. Where a turn cannot be stored, `chat` raises.
#
# The claims, word for word:
#
# - four processes start at once on an empty database, and all of them answer
# - what a thread was told in any process, every other one knows
# - the server drops every connection, and the next turn of each process works
# - twenty turns at once in one process are answered over at most 4 connections
# - killed in the middle of a turn, it is resumed in another process
# - a NUL character is stored or refused with an error, and the thread lives on

# %% role="submission"
# %%submission
import os
from typing import Annotated, TypedDict

import psycopg
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row

llm = ChatOpenAI(model="gpt-4o-mini")
url = os.environ["DATABASE_URL"]


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke(f"[polish] {state['draft']}")]}


keep = {"autocommit": True, "row_factory": dict_row}
### BEGIN STARTER
# # TODO: who looks after this connection, and who may make the tables?
# saver = PostgresSaver(psycopg.connect(url, **keep))
# saver.setup()
### END STARTER
### BEGIN SOLUTION
import time

from psycopg_pool import ConnectionPool

with psycopg.connect(url, **keep) as own:
    # Who has the lock makes the tables; the others ask, and never wait in a statement.
    asks = "SELECT pg_try_advisory_lock(4711) AS mine"
    while not own.execute(asks).fetchone()["mine"]:
        time.sleep(0.05)
    PostgresSaver(own).setup()  # the lock ends with the connection
look = ConnectionPool.check_connection
pool = ConnectionPool(url, min_size=1, max_size=4, kwargs=keep, check=look, open=True)
saver = PostgresSaver(pool)
### END SOLUTION
graph = (
    StateGraph(State)
    .add_node("drafts", draft)
    .add_node("polishes", polish)
    .add_edge(START, "drafts")
    .add_edge("drafts", "polishes")
    .compile(checkpointer=saver)
)


def run(given: dict | None, thread_id: str) -> str:
    state = graph.invoke(given, {"configurable": {"thread_id": thread_id}})
    return state["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return run({"messages": [("user", text)]}, thread_id)


def resume(thread_id: str) -> str:
    return run(None, thread_id)


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# Two things are to be repaired, and they are independent: who makes the tables, and who looks after the connections.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Who makes the tables? Each of these was somebody's:
#
# | the idea | what breaks |
# |---|---|
# | `except Exception: pass` around `setup()` | who is turned away goes on at once, and the tables are not there yet |
# | `time.sleep(random.random())` before it | it is rarer, and never gone |
# | `pg_try_advisory_lock` once, and who is late goes on | again: the tables are not there yet |
# | `pg_advisory_lock` | a deadlock, or a wait without end where the lock is on another connection |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# The provider replaces the server: every connection ends, and a new one is accepted at once.
# Your code is what it is now, starter or repaired.

# %% id="prediction_dropped"
predict(
    "Two processes have answered, and all connections are dropped. What comes next?",
    a="With one connection for ever: each later turn fails",
    b="With a pool that does not look: one turn fails, or a few",
    c="With a pool that looks first: no turn fails",
    d="All of these",
)

# %% id="variation_dropped"
observe("dropped")

# %% [markdown] id="looks"
# A pool hands out what it has. With `check=ConnectionPool.check_connection` it asks a connection for a sign of life first, and replaces one that is dead.
#
# The same graph runs on **Redis** too, where there is one with what its saver needs. This cell looks, and says what is missing.

# %% id="redis"
from grader.sidebar import on_redis

print(on_redis(globals().get("graph")))

# %% [markdown] id="production"
# ## In production
#
# **One migration step before any replica starts** is better than four that agree: a job of the rollout that runs `setup()` and ends, and whose success the replicas wait for. Then they do not call `setup()`, and need no right to make tables.
#
# **A large pool does not help one saver.** `PostgresSaver` holds a lock around each read and write, so one saver uses one connection at a time, whatever the pool could give. And it hurts: a database takes a hundred connections by default, and replicas times pool size is soon more than that.
#
# **After a failover a pool that looks waits after each dead connection but the first**: 1 s, then 2 s, then 4 s. With four of them the first turn takes seven seconds. Keep `min_size` small. (For this course the wait is made shorter.)
#
# **What PostgreSQL refuses and SQLite takes.** A text or number in a channel of its own goes into a JSON column: a NUL character is refused with `UntranslatableCharacter`, and `NaN` with `InvalidTextRepresentation`. In a list of messages the same characters are bytes, and are stored. Clean or refuse what a model says before it is state.
#
# **An `AsyncPostgresSaver` belongs to one event loop**, that of its pool. Open both where your application starts.
#
# **Poolers between you and the server** (PgBouncer in transaction mode) may give each transaction another connection: session locks such as `pg_try_advisory_lock` lose their meaning there. Run the migration past the pooler.
#
# - [LangGraph's pages on persistence](https://docs.langchain.com/oss/python/langgraph/persistence) list the savers and what they need.
# - [psycopg's page on pools](https://www.psycopg.org/psycopg3/docs/advanced/pool.html) says what is checked and when, and what a pool's size should be.
# - [PostgreSQL on building indexes concurrently](https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY) names what it waits for.
#
# ## Reflect
#
# A colleague replaces the lock by *retry `setup()` three times, then start anyway*.
# Which start of your replicas does that repair, which not, and what would you say in the review?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** It repairs one or two collisions: the next attempt goes on where the tables stand, also when the other replica is lost.
# It does not repair a third: `setup()` has ten steps, and replicas can meet at each. Then this one starts without all tables, is called healthy, and fails with its first turns.
# In the review: who does not know that the tables are there must not start; ask for that, not for the number of attempts.
#
# **For grading.** Names what it repairs: one third.
# Names what it does not, with the moment at which it fails: one third.
# Asks for a condition (the version in `checkpoint_migrations`, a lock, a migration job) in place of a count or a pause: one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="all_start" points=3
grade("all_start")

# %% role="test" check="hands_over" points=2
grade("hands_over")

# %% role="test" check="outlives_connections" points=2
grade("outlives_connections")

# %% role="test" check="few_connections" points=1
grade("few_connections")

# %% role="test" check="resumes_elsewhere" points=1
grade("resumes_elsewhere")

# %% role="test" check="takes_odd_replies" points=1
grade("takes_odd_replies")

# %% [markdown] id="summary"
# ## Summary
#
# A shared database is shared at its start and at its end too.
# One replica makes the tables and the others know when it is done; connections are few, borrowed, and looked at before they are used.
#
# ## Next
