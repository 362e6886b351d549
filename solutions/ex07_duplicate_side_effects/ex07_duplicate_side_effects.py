# %% [markdown] id="title"
# # Effects that happen twice
#
# ![A node begins, money moves, and later a checkpoint is stored. A process that is killed in between is resumed at the beginning of the node.](window.svg)
#
# *About 50 minutes.*
#
# ## The incident
#
# Your graph charges customers.
# It has a durable checkpointer, so a pod that dies loses nothing: another one resumes the thread, and the order is paid.
# On Friday the cluster replaces all pods during the rush.
# On Monday support has forty letters, all with the same question: why was I charged twice?
# You look for errors in the log and find none.
# Each of these orders has one thread, one final state and one `charge_id`.
# The bank's statement has two, and what your database says about money turns out to be an opinion.
#
# ## What you'll do
#
# Kill a process in the moment after it has charged, count the money on the other side, and make a payment that can be repeated.
#
# ## What you'll learn
#
# - Say which window every effect of a node has, and what makes it smaller or closes it.
# - Choose an idempotency key that is the same for each attempt and different for each payment.
# - Say what `durability`, `interrupt` and `RetryPolicy` repeat.
#
# ## What you'll need
#
# To have resumed a thread in another process, as in [ex04](../ex04_memory_saver/ex04_memory_saver.ipynb).
# The ledger is a stand-in on your machine for a payment provider: its count is the money, whatever your state says.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex07_duplicate_side_effects
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# One node charges, and its checkpoints go to a file that all processes share:
#
# ```python
# def charge(state: State) -> dict:
#     order = {"order_id": state["order_id"], "amount": state["amount"]}
#     response = ledger.post("/charges", json=order)
#     response.raise_for_status()
#     return {"charge_id": response.json()["id"]}
# ```
#
# The ledger charges, and before its answer arrives process 0 is killed.
# Process 1 resumes the thread with `graph.invoke(None, config)`.

# %% id="prediction"
predict(
    "What does the customer pay, and what does the thread say?",
    a="Once: the checkpointer knows how far the thread had come",
    b="Nothing: the node had not ended, so it did not happen",
    c="Twice, and the thread says once",
)

# %% [markdown] id="observe"
# ## Observe
#
# The ledger itself pulls the trigger: it kills process 0 once it has charged and all that the process had to store is stored.
# So this is no matter of luck.
#
# Before you read on, find the two observations in which money moves. The second cell draws what was really charged, beside what was ordered.

# %% id="observation"
observe("cut_off")

# %% id="picture"
show("charges", "cut_off")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
#
# **Two charges, one state.** In #4 the ledger charges for process 0, and in #5 process 0 is dead.
# What the checkpoint says is that *charge* comes next, and that is true of your graph: the node has not returned.
# So in #9 process 1 runs it from its first line, and the ledger, which cannot know that it is the same payment, charges again.
# The reply in #10 has the second `charge_id`. Nothing in your database knows of the first.
#
# **The window.** Every effect has one: from the moment it happens until the node has returned and its result is stored.
# No checkpointer closes it, because the effect and the row are in two systems, and a process can die between any two lines.
# LangGraph runs a node whose start is stored *at least once*. That it counts once is your part of the bargain, and the ledger's.
#
# **More ways into it.** A kill is the rare one.
# A gateway that saw no answer sends the request again; a load balancer sends it to two processes; the ledger answers with an error, and has charged.
# Each leads to a second attempt by somebody who cannot know whether the first has charged.
#
# **What closes it.** The ledger takes a header `Idempotency-Key`, as payment providers do.
# The same key and the same body: the same charge, however often it is asked for.
# The same key and another body: HTTP 422. A key whose request is in flight: HTTP 409.
# Nothing that you do before or after the call can replace it: `if not exists(): charge()` lets two processes in at once, and a lock around it knows nothing of a request that is still on its way when its sender dies.
#
# If you chose *a*: it knows which nodes have *returned*. If you chose *b*: that is what your database says, and it is not where the money is.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `pay` | `thread_id`, `order_id`, `amount` in cents | `status`: `paid` once the ledger has said so; `charge_id`: the `id` of its charge |
# | `resume` | `thread_id` | the same, for the payment that was cut off |
#
# `LEDGER_URL` has `POST /charges` with `order_id` and `amount`, `GET /charges/{id}` and `GET /charges?order_id=…`, whose `data` may not list a charge yet, however long you wait.
# While the ledger fails, `pay` may raise or return another status. Keep both fields in the body.
#
# The claims, word for word:
#
# - an order is charged once, and the right amount
# - killed after the charge, or before it, and resumed elsewhere: once
# - the same request sent again by a gateway: once, and the same `charge_id`
# - two processes asked to pay the same order at once: once
# - two orders of the same amount on one thread: each is charged
# - the ledger's first answer is an error or never comes: once in the end

# %% role="submission"
# %%submission
import os
import sqlite3
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    ### BEGIN STARTER
    # # TODO: how can the ledger tell that it has charged this already?
    # response = ledger.post("/charges", json=order)
    ### END STARTER
    ### BEGIN SOLUTION
    # The order is what is paid once, whoever asks, and however often.
    headers = {"Idempotency-Key": f"charge-{state['order_id']}"}
    response = ledger.post("/charges", json=order, headers=headers)
    ### END SOLUTION
    response.raise_for_status()
    return {"charge_id": response.json()["id"]}


def receipt(state: State) -> dict:
    return {"status": "paid"}


builder = StateGraph(State)
builder.add_node("charge", charge)
builder.add_node("receipt", receipt)
builder.add_edge(START, "charge")
builder.add_edge("charge", "receipt")
builder.add_edge("receipt", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def report(state: State) -> dict:
    return {"status": state["status"], "charge_id": state["charge_id"]}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    order = {"order_id": order_id, "amount": amount}
    return report(graph.invoke(order, config))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config))


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# The right repair is two lines long. Most of the work is to say what *the same payment* means.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Which key? Each of these was somebody's:
#
# | the key | what breaks |
# |---|---|
# | `uuid4()`, drawn in the node | each attempt has a new one |
# | the amount, or the thread | the second order gets the first one's key |
# | `hash(order_id)` | Python salts it for each interpreter: another server has another one |
# | process, time, number of the attempt | all that a second attempt does not share |
# | none, but a table or a file of what was paid | written after the charge, so there is a window again |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# Let the process die one step later: keep a copy of your code in a file, make `os.kill(os.getpid(), 9)` the first line of `receipt`, and run the submission cell again.
# The node `charge` has returned by then, and the database is slow at that moment, as one is in a rush. (Do not call `pay` in a cell now: it would end your kernel.)

# %% id="prediction_next"
predict(
    "Two processes run this, one after the other. What does the ledger see?",
    a="One request: the node that charges has ended, so it is stored",
    b="Two requests, and with your key one charge",
    c="Two requests and two charges",
)

# %% id="variation_next_node"
observe("next_node")

# %% [markdown] id="repeats"
# With `durability="async"`, the default, LangGraph stores a step *while* the next one runs, so a process that dies at the first line of the next node takes a slow row with it: two requests.
# Now add `durability="sync"` to both calls of `invoke`: the row is written before the next node begins, and the ledger is asked once.
# That makes the window smaller. The kill that you observed first still finds it open.
# Put your own code back now, and run its cell: what stands there is graded.
#
# Two more things repeat a node. Without any fault, `interrupt` runs it from its first line at every answer; and a `RetryPolicy` runs it again after some errors, not all.

# %% id="interrupted"
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt


def approve(state: MessagesState) -> None:
    print("charged")
    print("answered:", interrupt("Pay?"), interrupt("Really?"))


asking = StateGraph(MessagesState).add_node(approve).add_edge(START, "approve")
asks = asking.compile(checkpointer=InMemorySaver())
for given in ({"messages": []}, Command(resume="yes"), Command(resume="yes")):
    asks.invoke(given, {"configurable": {"thread_id": "1"}})

# %% id="retried"
import httpx
from langgraph.types import RetryPolicy

is_retried = RetryPolicy().retry_on
raised = [ConnectionError(), httpx.ReadTimeout("no answer"), Exception()]
raised += [TimeoutError(), OSError(), ValueError(), RuntimeError()]
for error in raised:
    print(f"{type(error).__name__:<16}", "retried" if is_retried(error) else "raised")

# %% [markdown] id="production"
# ## In production
#
# **Every effect needs a key, not only money.** Mails, tickets and messages are repeated the same way. Where the other side takes no key, write what you intend into your own database first, under a unique constraint, and let one process send it (an *outbox*). It can still send twice, if it dies before it ticks the row off: that window only a key closes.
#
# **Ask before the effect.** Put `interrupt` into a node of its own, in front of the one that charges; or wrap the effect into a `@task`: once its result is stored, the answer to an `interrupt` does not repeat it. A kill, a `RetryPolicy` and the same request sent again still do, so it needs a key too.
#
# **Retry what is safe, by name.** `RetryPolicy` retries what it does not know, and with it a `ConnectionError`, `httpx` timeouts and HTTP 5xx; it raises `TimeoutError`, `OSError`, `ValueError` and `RuntimeError` at once, and so the timeouts of `requests`. Give it `retry_on`, and retry only nodes that have a key.
#
# **Keys expire.** Providers keep them for hours, a day or a month; a thread that is resumed a week later may be a new payment to them. Then look the order up first, and send the key as well.
#
# **`sync` where money is.** It costs the time of one write for each step, and shrinks the window to the node that has the effect.
#
# - [LangGraph's page on durable execution](https://docs.langchain.com/oss/python/langgraph/durable-execution) says which parts of a node run again, and names the modes of durability.
# - [LangGraph's page on interrupts](https://docs.langchain.com/oss/python/langgraph/interrupts) has rules for effects before an interrupt.
# - [Stripe on idempotent requests](https://docs.stripe.com/api/idempotent_requests) shows the same idea at a provider. Its API v1 also repeats a stored error 500 for the same key; the ledger here does not.
#
# ## Reflect
#
# A colleague adds a table `paid_orders` and looks into it before each charge.
# Which repetitions does that stop, which not, and what would you keep of it?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** A request that is sent again after the first has ended finds its row, and is not charged.
# A process that is killed between the charge and the row leaves none, so a resume charges again; an answer that was lost leaves none either.
# Two processes at once both look before either writes.
# Keep the table for reports and for what the provider's key no longer covers, and send a key all the same.
#
# **For grading.** Names what it stops (a repetition after the end): one third.
# Names the window between charge and row, or the two at once: one third, both not needed.
# Says that the other side's key closes it (a unique row claimed before stops the second charge, but may leave none): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="charges_once" points=1
grade("charges_once")

# %% role="test" check="once_after_a_kill" points=3
grade("once_after_a_kill")

# %% role="test" check="once_when_sent_again" points=2
grade("once_when_sent_again")

# %% role="test" check="once_at_once" points=2
grade("once_at_once")

# %% role="test" check="twice_for_two" points=1
grade("twice_for_two")

# %% role="test" check="once_in_the_end" points=1
grade("once_in_the_end")

# %% [markdown] id="summary"
# ## Summary
#
# A node is run at least once, and its effect is in another system than its checkpoint.
# What makes it count once is a key: the same for every attempt, in every process, and another for every payment.
#
# ## Next
