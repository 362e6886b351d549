# %% [markdown] id="title"
# # A loop that only the model can end
#
# ![A node asks the model, and a router looks at the answer. "Settled" leads to the end, every "needs more" leads back to the node.](loop.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# Your research agent asks the model until the model is content.
# In every test it was, after two tries or three.
# On Saturday night somebody asks a question that has no answer, and the model says *needs more*.
# It says so again.
# At 3 a.m. the budget alarm wakes you: one question has called the model thousands of times, and the database has filled its disk.
# You see a `GraphRecursionError` in the log and breathe out, it is over.
# Then the queue, as it was told to, tries the failed job again.
#
# ## What you'll do
#
# Watch a loop without a bound run, count what it costs, and give it a bound that also holds when a process dies.
#
# ## What you'll learn
#
# - Say what stops an endless loop in LangGraph, and how late.
# - Keep a count where a resumed run finds it and two requests do not share it.
# - Tell a bound from a fuse.
#
# ## What you'll need
#
# A graph with a conditional edge that you have built before, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
# The model is a stand-in on your machine: it begins each reply with `needs more` or with `settled`, as the scenario tells it, or with neither, and its log counts the calls.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex06_unbounded_cycles
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# One node asks the model, and the router looks at the answer:
#
# ```python
# def router(state: State) -> str:
#     return "investigate" if state["needs_more"] else END
#
#
# def research(thread_id: str, question: str) -> dict:
#     config = {"configurable": {"thread_id": thread_id}}
#     start = {"messages": [HumanMessage(question)], "attempts": 0}
#     return report(graph.invoke(start, config))
# ```
#
# The model says `needs more` to everything. Nobody has set a limit.

# %% id="prediction"
predict(
    "How often is the model called before something stops the loop?",
    a="25 times: that is LangGraph's recursion limit",
    b="About 10 000 times",
    c="Without end: nothing stops it",
)

# %% [markdown] id="observe"
# ## Observe
#
# To wait for that would take hours, and tens of gigabytes, so this run has `LANGGRAPH_DEFAULT_RECURSION_LIMIT=50`.
# Process 0 is asked the question. When that has ended, process 1 does what a queue does with a failed job: it calls `resume`, which is `graph.invoke(None, config)`.
#
# Before you read on, find out how many calls the second process made.

# %% id="observation"
observe("endless")

# %% [markdown] id="count"
# What does it cost? Set `price` to what a call of your model costs, in dollars.

# %% id="picture"
show("growth", "endless", price=0.01)

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
#
# **The fuse.** Between #3 and #104 the model is called 50 times.
# Then LangGraph stops the graph from outside: `Recursion limit of 50 reached without hitting a stop condition`.
# Without the setting it would have been 10 007, two hundred times as many.
# (Many pages say 25, which was true for years, or 1000. This is what the installed version does.)
# All that `invoke` gives you for this money is an exception: the replies are in the thread, for whoever looks there.
#
# **The retry.** The error ends the run, and not the thread.
# Its last checkpoint says that *investigate* is next, so in #106 process 1 goes on where process 0 was stopped, with a new fuse: #211 comes after 52 more calls.
# Each retry is good for as many.
# (When a run begins, LangGraph sets its last step to `step + limit + 1`. A new run begins two steps before its first node: one stores the input, one is `START`. A resumed run begins at the node.)
#
# **The database.** Each try stores a checkpoint, and each checkpoint holds all messages so far.
# The calls, and their price, grow as a straight line.
# The database grows as a parabola, because each checkpoint repeats the messages of those before; the last row of the table carries the curve on to 10 007.
# (A price per call is kind, too: each call sends all messages so far, and you pay by the token.)
#
# If you chose *a*: the limit was raised, and a limit that you do not set is one that somebody else can change.
# If you chose *c*: that is what it looks like from outside, for a long time.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `research` | `thread_id`, `question` | `answer`: the model's last reply, word for word; `attempts`: the calls for this question; `complete`: whether that reply begins with `settled` |
# | `resume` | `thread_id` | the same, for the question that was cut off |
#
# At most 3 calls for one question. The checks recognise a call by its marker: keep `[research]` in the prompt, and the question in the messages.
#
# The claims, word for word:
#
# - a question the model settles in k ≤ 3 tries is complete after exactly k calls
# - one it never settles ends by itself, incomplete, after exactly 3 calls
# - killed in the loop and resumed elsewhere, the total stays 3
# - the bound holds for each of two requests at once, and no thread sees another
# - a state without `needs_more` ends: a reply that says neither is the last
#
# A call that a kill cut off is made again, and does not count.

# %% role="submission"
# %%submission
import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")


class State(MessagesState):
    needs_more: bool
    attempts: int


def investigate(state: State) -> dict:
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    note = llm.invoke([prompt, *state["messages"]])
    found = {"messages": [note], "attempts": state["attempts"] + 1}
    ### BEGIN STARTER
    # if note.content.startswith("needs more"):
    #     found["needs_more"] = True
    # if note.content.startswith("settled"):
    #     found["needs_more"] = False
    # return found
    ### END STARTER
    ### BEGIN SOLUTION
    # Written each time, so that nothing of the question before is left in it.
    found["needs_more"] = note.content.startswith("needs more")
    return found
    ### END SOLUTION


def router(state: State) -> str:
    ### BEGIN STARTER
    # # TODO: who ends the loop if the model does not?
    # return "investigate" if state["needs_more"] else END
    ### END STARTER
    ### BEGIN SOLUTION
    again = state.get("needs_more", False) and state["attempts"] < 3
    return "investigate" if again else END
    ### END SOLUTION


builder = StateGraph(State)
builder.add_node("investigate", investigate)
builder.add_edge(START, "investigate")
builder.add_conditional_edges("investigate", router, ["investigate", END])
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def report(state: dict) -> dict:
    answer = state["messages"][-1].content
    complete = answer.startswith("settled")
    return {"answer": answer, "attempts": state["attempts"], "complete": complete}


def research(thread_id: str, question: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    start = {"messages": [HumanMessage(question)], "attempts": 0}
    return report(graph.invoke(start, config))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config))


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# The starter's state counts its tries already; look for who reads that count.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Where else could the count be? Each of these was somebody's repair:
#
# | where the count is | what breaks |
# |---|---|
# | `recursion_limit=3`, its error caught | the thread is left in the loop, and a retry runs on |
# | `recursion_limit` inside `configurable` | nobody reads it there: it belongs beside `configurable` |
# | a variable of the module | two requests share it, and another process starts at zero |
# | `RemainingSteps` in the state | it counts the steps of a run, and a resumed run starts again |
# | the state, never set back | the next question on the thread has no tries left |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# Process 0 is killed in its second try; process 1 answers a question of its own, and then resumes.
# Watch it with your code: how often is the model asked, and how often does it answer?

# %% id="variation_cut_off"
observe("cut_off")

# %% [markdown] id="vary_fuse"
# The question of process 0 is asked four times and answered three times.
#
# Now keep a copy of your code in a file, and use the fuse as a bound: no count in the router, `"recursion_limit": 3` in the config of `research`, and an `except GraphRecursionError` that reports `graph.get_state(config).values`.
# It makes exactly three calls, and returns an incomplete answer.
# Put your own code back afterwards, and run its cell: what stands there is graded.

# %% id="prediction_fuse"
predict(
    "Which claim breaks?",
    a="None: three calls, no exception",
    b="The one about a question that is never settled",
    c="The one about two requests at once",
)

# %% id="variation_fuse"
check()

# %% [markdown] id="production"
# The second claim breaks, and two more are skipped: the thread is left in the loop, and `resume` runs on.
# A question that is settled in its third try raises too: LangGraph looks at the limit before it sees that no step is left.
#
# ## In production
#
# **Keep the fuse, and make it small.** A bound in the state stops the loops that you thought of; `recursion_limit` stops the others.
# It counts steps, not tries, is set beside `configurable`, and a few times what a healthy run needs is enough.
# `LANGGRAPH_DEFAULT_RECURSION_LIMIT` sets the default for a whole process; it is read once, when LangGraph is imported.
#
# **A retry needs a bound of its own.** A queue that retries a failed job starts a new run with a new fuse.
# Let a job that ended at the fuse go to a person, not back to the queue.
#
# **Bound the money as well.** Count tokens beside tries, and give each request a budget of both; many providers let you set a limit for a project or a workspace: find out whether it stops calls, or only warns.
#
# **Long loops need short states.** What a loop collects is stored again with each step.
# Keep a summary in the state and the sources elsewhere, or remove old messages with `RemoveMessage`: `trim_messages` shortens only what the model is sent.
# Measured with messages as long as these, on SQLite: the parabola that you saw.
#
# - [LangGraph's page on the recursion limit](https://docs.langchain.com/oss/python/langgraph/errors/GRAPH_RECURSION_LIMIT) says what the error means and how to raise the limit.
# - [LangGraph's page on the graph API](https://docs.langchain.com/oss/python/langgraph/graph-api) explains conditional edges, and how a node can see the steps that remain.
#
# ## Reflect
#
# A colleague bounds the loop by time: it stops after 30 seconds.
# What does that repair, and what does it leave broken?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** The loop ends, after 30 seconds and the call that is running then.
# How many calls that is depends on how fast the model is: a fast one costs the most, and on a slow day a healthy question is cut off after one try.
# A clock in a process's memory starts again when the run is resumed elsewhere, and a retry gets 30 seconds more.
# A test of it is slow or random.
#
# **For grading.** Names what it repairs (the loop ends, waiting is bounded): one third.
# Names that cost and tries are not bounded, or depend on the model's speed: one third.
# Names one more limit (resume or retry starts the clock again, healthy questions are cut off, tests depend on luck): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="settles" points=2
grade("settles")

# %% role="test" check="ends" points=3
grade("ends")

# %% role="test" check="ends_elsewhere" points=3
grade("ends_elsewhere")

# %% role="test" check="ends_each" points=1
grade("ends_each")

# %% role="test" check="ends_without" points=1
grade("ends_without")

# %% [markdown] id="summary"
# ## Summary
#
# A loop ends when *your* graph says so: a count in the state, set to zero by each question, read by the router, and stored with everything else that a resumed run needs.
# The recursion limit is the fuse behind it.
#
# ## Next
#
# What a loop repeats, a resumed node repeats too, and not everything it does can be paid for with tokens: [effects that happen twice](../ex07_duplicate_side_effects/ex07_duplicate_side_effects.ipynb).
