# %% [markdown] id="title"
# # A live object in graph state
#
# ![Process 0 writes a row to the database. The row holds the messages and a ChatOpenAI with its API key. Process 1 reads that row.](row.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# Your graph keeps its model and its HTTP client in the state, so that every node has them at hand.
# All tests pass.
# On Thursday you add a checkpointer, one line, and every request ends with a `TypeError`.
# You take the client out of the state, the error is gone, and you go home.
# At 3 a.m. the security team calls.
# They have searched a copy of your checkpoint database, and found your API key in it, in nearly every row.
# Your log has two lines about it, among thousands.
#
# ## What you'll do
#
# Look into the database row that a graph writes, then give your nodes what they need without storing it.
#
# ## What you'll learn
#
# - Say what a checkpoint holds, and when an object in the state makes it fail.
# - Tell the object that fails loudly from the one that leaks silently.
# - Hand a model to a node in a way that nobody stores.
#
# ## What you'll need
#
# A LangGraph graph with a checkpointer that you have built before, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
# The model is a stand-in on your machine that speaks OpenAI's protocol.
# Each process has an API key of its own, and the model answers no process with another's key.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex01_non_serializable_state
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# Three nodes in a row, and a checkpointer:
#
# ```python
# def configure(state: State) -> dict:
#     return {} if "llm" in state else {"llm": ChatOpenAI(model="gpt-4o-mini")}
#
#
# def connect(state: State) -> dict:
#     return {"http": httpx.Client()}  # for the node that will fetch sources
#
#
# def reply(state: State) -> dict:
#     prompt = SystemMessage("[answer] Answer the user.")
#     return {"messages": [state["llm"].invoke([prompt, *state["messages"]])]}
# ```
#
# An `httpx.Client` cannot be written to a database. Process 0 is asked its first question.

# %% id="prediction"
predict(
    "How does the first request end?",
    a="connect fails: its checkpoint cannot be written, and the model is never asked",
    b="The model answers, and then the request fails all the same",
    c="It answers: a client that cannot be stored is left out of the checkpoint",
)

# %% [markdown] id="observe"
# ## Observe
#
# Process 0 is told a name, then process 1 is asked for it on the same thread.
#
# Before you read on, find two errors, and say of each whether the model had answered before it.

# %% id="observation"
observe("hand_over")

# %% [markdown] id="look_inside"
# Both requests failed. Is the database empty, then?
# Predict what the two requests have left in it, before you look.

# %% id="prediction_row"
predict(
    "What is in the database after both errors?",
    a="Nothing: failed runs are rolled back",
    b="The questions, and no objects: those could not be written",
    c="The questions, and a model with its API key",
)

# %% id="picture"
show("rows", "hand_over")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
#
# **The loud half.** After each step `SqliteSaver` writes the whole state, every value of it, as one row.
# After *connect* that state holds a client, and #6 says that it cannot be written: `Type is not msgpack serializable: Client`.
# What a node returned is written too, at once, into a second table, `writes`: there the client fails first, and there the key stands once more.
# Now look at #4 and #5, which come before it.
# The default, `durability="async"`, writes one step while the next one runs, so the model was asked, answered, and was paid, for a request that had failed already.
# Without a checkpointer nothing is written, and nothing fails: that is how the tests passed.
#
# **The quiet half.** `ChatOpenAI` *can* be written.
# The row before the failing one holds the model, with all that is needed to make it anew, and that includes the key in clear text.
# So *configure* in process 1 found a model in the state and made none, and in #9 process 1 sent the key of process 0.
# The stand-in refuses a foreign key with `401`; a real provider would have answered, and billed process 0.
#
# The only trace is #11: two lines of the log, joined.
# The table shows how the first begins and how the second ends: `Deserializing unregistered type … ChatOpenAI`.
# The first is about `SecretStr`, the type of the key; both say `This will be blocked in a future version`.
#
# If you chose *a* in the first question: you would be right with `durability="sync"`, as you will see below.
# If you chose *a* or *b* in the second: each step is a transaction of its own, and what was written before an error stays.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `answer` | `thread_id`, `question` | the model's answer, word for word |
#
# The checks recognise the model's call by its marker: keep `[answer]` in the prompt.
# All processes share one SQLite file, its path in `CHECKPOINT_DB`; each has its own key in `OPENAI_API_KEY`, from where `ChatOpenAI` takes it by itself.
# A thread is continued from the checkpoints of LangGraph's saver: there the checks look for it.
#
# The claims, word for word:
#
# - both processes answer with what the model said
# - each process continues the other's thread: the model sees earlier questions
# - every stored value is plain data or a LangChain message
# - the API key is nowhere in the database files, in any common encoding
# - strict deserialisation changes nothing
#
# Strict means `LANGGRAPH_STRICT_MSGPACK=true`, with which LangGraph revives plain data, messages and little else.
# Plain data is what JSON knows, and bytes, times, sets, UUIDs and paths; a class of your own is not.

# %% role="submission"
# %%submission
import os
import sqlite3
from typing import Annotated, Any, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

### BEGIN STARTER
# # TODO: keep in State what the conversation is about, and nothing else
# class State(TypedDict):
#     messages: Annotated[list[AnyMessage], add_messages]
#     llm: Any
#     http: Any
#
#
# # TODO: give the node its model in a way that nobody stores
# def configure(state: State) -> dict:
#     return {} if "llm" in state else {"llm": ChatOpenAI(model="gpt-4o-mini")}
#
#
# def connect(state: State) -> dict:
#     return {"http": httpx.Client()}  # for the node that will fetch sources
#
#
# def reply(state: State) -> dict:
#     prompt = SystemMessage("[answer] Answer the user.")
#     return {"messages": [state["llm"].invoke([prompt, *state["messages"]])]}
#
#
# builder = StateGraph(State)
# builder.add_node("configure", configure)
# builder.add_node("connect", connect)
# builder.add_node("reply", reply)
# builder.add_edge(START, "configure")
# builder.add_edge("configure", "connect")
# builder.add_edge("connect", "reply")
# builder.add_edge("reply", END)
### END STARTER
### BEGIN SOLUTION
# Each process makes its own, from its own environment, and keeps it for as long as it
# lives; a node reaches them as it reaches any name of its module.
llm = ChatOpenAI(model="gpt-4o-mini")
http = httpx.Client()  # for the node that will fetch sources


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def reply(state: State) -> dict[str, Any]:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
### END SOLUTION
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# Try the repair of the story first: take out *connect* and `http`, and nothing else. Which claim fails now, and with which error?

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Places that look like a way out, and are stored as well:
#
# | where the object or the key goes | what happens to it |
# |---|---|
# | the input of `invoke`, also under a name that is no field of the state | it is in the first checkpoint of every turn |
# | an `UntrackedValue` channel | not stored when a node writes it, stored when it comes as input |
# | texts and numbers in `config["metadata"]` and in `config["configurable"]` | copied into every checkpoint |
# | `JsonPlusSerializer(pickle_fallback=True)` | the row becomes a pickle, which can run code when it is read; an `httpx.Client` raises `TypeError: cannot pickle …` even so |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# The next cell runs the same two calls in strict mode, with your code, and nothing should change. What would have become of a model in the state?

# %% id="prediction_strict"
predict(
    "Under strict mode, what is state['llm'] of the starter in process 1?",
    a="A ChatOpenAI without its key",
    b="A dict",
    c="Nothing: LangGraph raises when it reads the row",
)

# %% id="variation_strict"
observe("strict")

# %% [markdown] id="vary_durability"
# A model in the state would have come back as a `dict`, which has no `invoke`.
#
# A second knob, for the starter. Copy your code into a file first: two submission cells that differ cannot be graded.
# Then put *connect* and `http` back into the cell, add `durability="sync"` to `graph.invoke`, and run that cell and this one: the `TypeError` comes *before* the model is asked.
# LangGraph now writes each step before the next one starts, which costs time, and saves the price of a call that was lost.
# Put your own code back afterwards, and run its cell: what stands there is graded.

# %% id="variation_durability"
observe("hand_over")

# %% [markdown] id="production"
# ## In production
#
# **Ways to hand a model to a node.** All of these keep it out of the database:
#
# | way | good for |
# |---|---|
# | a name of the module, or a node that is a method of an object | one model for all requests |
# | a factory that closes over the model | several graphs with different models |
# | `context_schema`, `Runtime` and `invoke(…, context=…)` | another model for each request |
# | the model's *name* in the state, the model from a cached function | a choice that belongs to the conversation |
#
# **Turn strict mode on**, and do it before there are rows to lose.
# A stored row that names a function can otherwise have it called when it is read.
# But strict mode trusts every class that a field of your state is annotated with: with `llm: ChatOpenAI` instead of `llm: Any` the model is revived, key and all.
#
# **A key that was stored is a key that was published.** Deleting the rows can leave it in the free pages of the files, and leaves it in every backup: replace the key first.
#
# **Objects are not all that changes on the way.** A tuple comes back as a list, a `Counter` as a `dict`, an exception as its `repr`.
# A replica that lacks your class reads a `dict`, or the value of an enum, and writes that back.
# PostgreSQL refuses some values that SQLite takes, such as a field that is a text with a NUL character, or that is infinite.
#
# **The same on PostgreSQL.** Let your submission choose its saver, then run `check(database="postgres")` in a cell of your own:
#
# ```python
# url = os.environ.get("DATABASE_URL")
# if url:  # from psycopg_pool, psycopg.rows and langgraph.checkpoint.postgres
#     settings = {"autocommit": True, "row_factory": dict_row}
#     saver = PostgresSaver(ConnectionPool(url, kwargs=settings, open=True))
# else:
#     saver = SqliteSaver(connection)
# ```
#
# The grader starts a server of its own for it, and ends it with the notebook; LangGraph's tables are there already.
# Put a model into the state once more: its key is now in the table `checkpoint_blobs`.
#
# - [LangGraph's pages on persistence](https://docs.langchain.com/oss/python/langgraph/persistence) say what is stored, and how it is serialised.
# - [OWASP's cheat sheet on secrets](https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html) says what to do with a key that has leaked.
#
# ## Reflect
#
# A colleague proposes to encrypt the checkpoint database, and to leave the model in the state.
# What does that repair, and what does it leave broken?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** Encryption repairs the theft of the files: who copies the database or a backup cannot read the key.
# Every process that can read a checkpoint still revives the model and sends the key of the process that wrote it: a replaced key goes on being used, the wrong account is billed, and a replica with another version of the library gets something else.
# A client or a lock still cannot be stored at all.
#
# **For grading.** Names what it repairs (copied files, backups): one third.
# Names that another process still revives a foreign or old key: one third.
# Names one more limit (objects that cannot be stored, versions, strict mode, rows that hold the key for each step): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="answers" points=2
grade("answers")

# %% role="test" check="continues" points=2
grade("continues")

# %% role="test" check="stores_data" points=3
grade("stores_data")

# %% role="test" check="keeps_secrets" points=2
grade("keeps_secrets")

# %% role="test" check="survives_strict" points=1
grade("survives_strict")

# %% [markdown] id="summary"
# ## Summary
#
# What is in the state is in the database: what cannot be stored fails, after you have paid, and what can be stored is published to every process.
# State is *what* the conversation is about; *how* your nodes work belongs to the process.
#
# ## Next
