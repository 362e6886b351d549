# %% [markdown] id="title"
# # Nodes that return the wrong thing
#
# ![A node returns four values in turn. A dictionary with a known key reaches the state; a string raises InvalidUpdateError; a misspelled key is dropped; None changes nothing, and of these two nobody is told.](update.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# A model sorts your support tickets, and a graph does the rest.
# At 3 a.m. the monitor shows status 500 for one request in four, on both processes, in no order that anybody can see.
# You send one of the failed tickets again, and it fails again; its neighbour has never failed.
# The traceback ends in LangGraph's code, not in yours.
# While you look for it, support calls: a customer whose ticket was *answered* has no answer, and a pressing one has been *new* since midnight.
# Those requests were all status 200.
#
# ## What you'll do
#
# Send tickets of every kind through a graph, and make each node's return value arrive.
#
# ## What you'll learn
#
# - Say what LangGraph does with each kind of return value, and which of them it tells you about.
# - Join what two parallel branches return, whichever finishes first.
# - Keep an invalid model reply from becoming a wrong state.
#
# ## What you'll need
#
# A LangGraph graph with a conditional edge that you have built before, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
# The model is a stand-in on your machine.
# Most of its notes end with a fresh reference, such as `(4f1c09aa)`; two may also say the same.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex05_non_dict_returns
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# Four nodes of the app. `State` has the keys `ticket`, `kind`, `priority`, `status` and `notes`, all of plain types: none has a *reducer*, a function that joins a key's old value and an update.
#
# ```python
# def answer(state: State) -> dict:
#     if state["priority"] != "high":
#         return {"status": "answered", "note": [ask("answer", state)]}
#
# def refund(state: State) -> dict:
#     return f"refunded: {ask('refund', state)}"
#
# def customer(state: State) -> dict:  # runs in parallel with product
#     return {"notes": [ask("customer", state)]}
#
# def product(state: State) -> dict:
#     return {"notes": [ask("product", state)]}
# ```
#
# Four tickets come in: a question, a question of high priority, a refund, and an outage, which both branches work on.

# %% id="prediction"
predict(
    "How many of the four calls of triage raise?",
    a="Four: none of these nodes returns a dictionary that fits",
    b="Two: the refund and the outage",
    c="One: the refund, which returns no dictionary at all",
)

# %% [markdown] id="observe"
# ## Observe
#
# Two processes triage a ticket of each kind, one after the other.
# The words in the tickets are drawn anew for each run; with `seed=` you can replay one.
#
# Before you read on, find the observation that surprises you.

# %% id="observation"
observe("kinds")

# %% [markdown] id="batch"
# Now forty tickets, as they come in on a usual night: mostly plain questions, and the rest rare.
# Each process works on two of them at a time.
#
# This is what the monitor sees. Is there a pattern?

# %% id="observation_batch"
observe("batch")

# %% [markdown] id="sorted"
# The same forty, sorted in two ways: by the process that worked on them, and by their kind.
# Before you run the cell: which rows will have one kind of mark only?

# %% id="picture"
show("tickets", "batch")

# %% [markdown] id="invalid"
# Last, three tickets at which the model does not say what it was asked for: a kind that nobody knows, then no priority, then no JSON.

# %% id="observation_invalid"
observe("invalid")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed; the forty tickets have others in each run.
# (Once you have run a submission of your own, `observe` runs yours.)
#
# A node returns an *update*: a dictionary of the keys to change. Two mistakes raise an error of LangGraph's own: a return value that is no update, and two updates, in one step, of one key that has no reducer.
#
# **No dictionary.** #20 is a string: `InvalidUpdateError: Expected dict, got refunded: …`
#
# **Two writers of one key.** #29: each branch returned a good update, but without a reducer nothing says how to join them. `At key 'notes': Can receive only one value per step.`
#
# Both come after the model was asked and paid, and only for tickets of their kind. That is the whole pattern of the forty: not a process, not the load, but the kind.
#
# So *b* is right about the errors. Now for what raised nothing:
#
# **A key that the state does not have.** #8 is answered, and `notes` is empty. The note of #7 was under `note`, and LangGraph drops what it does not know.
#
# **None.** In #13 a pressing question is still `new`: on this path the node has no `return`, and `None` means that nothing changes.
#
# **A value that fits nobody.** In the last run the model invents a kind, no branch takes it, and #6 is `new` for ever. In #13 the priority is made up: the model gave none. Only #18 raises, and it is `json` that complains, not LangGraph.

# %% [markdown] id="fix"
# ## Fix
#
# `triage` takes a `ticket`, a dictionary with `id` and `text`, and returns `status`, `priority` and `notes`.
# Each request to the model has a marker in its prompt, and the ticket's text as it is.
#
# | the model says of `[sort]` | `notes`: what it says of | `status` |
# |---|---|---|
# | `"kind": "question"` | `[answer]` | `answered` |
# | `"kind": "refund"` | `[refund]` | `refunded` |
# | `"kind": "outage"` | `[customer]` and `[product]` | `escalated` |
# | anything else, also another priority or none | none: `[]` | begins with `invalid`, and quotes what it said; `priority` does not matter then |
#
# `[sort]` is answered by JSON with a `kind` and a `priority`, which is `low`, `normal` or `high`. It should be, that is.
#
# The claims, word for word:
#
# - every kind of ticket gets a complete answer, from either process
# - nothing a node found is dropped
# - both branches' notes arrive, once each, whichever finishes first
# - an invalid model reply is reported in `status`, not raised and not lost

# %% role="submission"
# %%submission
import json
from typing import TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
OUTAGE = ["customer", "product"]
ROUTES = {"question": ["answer"], "refund": ["refund"], "outage": OUTAGE}


### BEGIN STARTER
# class State(TypedDict):
#     ticket: dict
#     kind: str
#     priority: str
#     status: str
#     notes: list[str]  # TODO: two branches write this key in one step
#
#
### END STARTER
### BEGIN SOLUTION
import operator
from typing import Annotated


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


### END SOLUTION
def ask(step: str, state: State) -> str:
    asked = [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    return llm.invoke(asked).content


### BEGIN STARTER
# def sort(state: State) -> dict:
#     return json.loads(ask("sort", state))  # TODO: is it what we asked for?
#
#
# def answer(state: State) -> dict:  # TODO: every path, every key
#     if state["priority"] != "high":
#         return {"status": "answered", "note": [ask("answer", state)]}
#
#
# def refund(state: State) -> dict:  # TODO: an update
#     return f"refunded: {ask('refund', state)}"
#
#
### END STARTER
### BEGIN SOLUTION
def sort(state: State) -> dict:
    said = ask("sort", state)
    try:
        found = json.loads(said)
        kind, priority = found["kind"], found["priority"]
        if kind in ROUTES and priority in ("low", "normal", "high"):
            return {"kind": kind, "priority": priority}
    except (ValueError, LookupError, TypeError):
        pass  # no JSON, a key that is missing, a value of another type
    return {"kind": "unknown", "status": f"invalid: {said}"}


def answer(state: State) -> dict:
    return {"status": "answered", "notes": [ask("answer", state)]}


def refund(state: State) -> dict:
    return {"status": "refunded", "notes": [ask("refund", state)]}


### END SOLUTION
def customer(state: State) -> dict:
    return {"notes": [ask("customer", state)]}


def product(state: State) -> dict:
    return {"notes": [ask("product", state)]}


builder = StateGraph(State)
for node in (sort, answer, refund, customer, product):
    builder.add_node(node.__name__, node)
builder.add_node("escalate", lambda state: {"status": "escalated"})
builder.add_edge(START, "sort")
builder.add_conditional_edges("sort", lambda state: ROUTES.get(state["kind"], END))
builder.add_edge(OUTAGE, "escalate")
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# The third claim holds back one branch's answer until the other branch has finished, then the other way round.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# What LangGraph makes of a return value, measured on the version that this course pins:
#
# | a node returns | what happens |
# |---|---|
# | a string, a plain list or tuple without a `Command` in it, an object whose class declares no fields | `InvalidUpdateError: Expected dict, got …` |
# | a dataclass, a `NamedTuple`, a pydantic object, also the model's message | fields that the state has are taken, all others dropped (and pydantic's that were left at a default of `None`) |
# | `None`, or `{}` | nothing |
# | an unknown key | the key is dropped |
# | a value of the wrong type | it is stored: a `TypedDict` is not checked |
# | the whole state, where a key's reducer adds (`operator.add`) | the key's value is doubled; `add_messages` replaces by id |
# | a text, where the reducer adds lists | `TypeError: can only concatenate list (not "str") to list` |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# When all claims hold, turn a knob: keep a copy of your code in a file, declare `notes` with this reducer, and predict.
#
# ```python
# def union(old: list[str], new: list[str]) -> list[str]:
#     return sorted({*old, *new})
# ```
#
# A colleague likes it, because with it a node may return the whole state and no note is there twice.
# Put your own code back afterwards, and run its cell: what stands there is graded.

# %% id="prediction_union"
predict(
    "What does this reducer break?",
    a="Nothing: all notes arrive, and in a tidy order",
    b="Two branches that say the same become one note",
    c="The branch that finishes last wins",
)

# %% id="variation_union"
check(processes=4)

# %% [markdown] id="production"
# ## In production
#
# **Count by exception class and by kind of input, not by process.** "One request in four fails" looks like load; "all refunds fail" is a line of code. Log the class in full, the node, and what the request was.
#
# **Pydantic is no net here.** A pydantic model as the state checks what a node *reads*. What the last node returns, nobody reads: a wrong type reaches the caller, and an unknown key is dropped even where the model forbids extra keys.
#
# **Check where it is made.** A decorator around each node that refuses what is no update turns the silent errors loud, with the node's name. A type checker finds a path without `return`, once the node's return type is written down.
#
# **Ask by a schema, and still check.** `with_structured_output` makes an invalid reply rarer. With a pydantic class it usually raises when one comes: `ValidationError`, or with `method="json_mode"` an `OutputParserException`. It can be silent, too: with a `TypedDict` a wrong value is handed on, and with `method="function_calling"` a reply without a call is `None`. An error is not an answer: catch it where the reply is read, and say what the model said.
#
# **`Command` has its own silences.** `Command(update="text")` changes nothing, and `Command(goto="nowhere")` leaves one line in the log.
#
# - [LangGraph on INVALID_GRAPH_NODE_RETURN_VALUE](https://docs.langchain.com/oss/python/langgraph/errors/INVALID_GRAPH_NODE_RETURN_VALUE) explains the first loud error.
# - [LangGraph on INVALID_CONCURRENT_GRAPH_UPDATE](https://docs.langchain.com/oss/python/langgraph/errors/INVALID_CONCURRENT_GRAPH_UPDATE) explains the second one.
# - [LangGraph's page on its graph API](https://docs.langchain.com/oss/python/langgraph/graph-api) says what a reducer is given, and when.
#
# ## Reflect
#
# A colleague ends the night with `except InvalidUpdateError: return {"status": "error", "priority": "normal", "notes": []}` around `graph.invoke`. The monitor is almost green.
# What has become better, and what worse?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** For refunds and outages the caller gets an answer of the right form instead of a 500.
# But every refund and every outage still fails, now without anybody being told; the model was asked and paid all the same; the made-up priority looks like a finding.
# It never caught the silent errors: notes are still dropped, and pressing questions stay new.
# Better: report the error in log and status, with the ticket, and repair the node.
#
# **For grading.** Names that the failure is hidden, not gone: one third.
# Names that the silent errors raise nothing and so are not caught: one third.
# Names one more (paid calls are lost, a made-up value looks real, a reply that is no JSON still raises, what to do instead): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="complete" points=3
grade("complete")

# %% role="test" check="nothing_dropped" points=3
grade("nothing_dropped")

# %% role="test" check="both_notes" points=2
grade("both_notes")

# %% role="test" check="invalid_reported" points=2
grade("invalid_reported")

# %% [markdown] id="summary"
# ## Summary
#
# A node returns an update on every path: best a dictionary of keys that the state has, or a `Command` with one.
# Most other values are an error for some inputs or, more often, a loss for which there is no error.
#
# ## Next
