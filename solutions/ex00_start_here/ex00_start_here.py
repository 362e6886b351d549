# %% [markdown] id="title"
# # Two tickets with one number
#
# ![Two processes, each with a counter of its own in its memory. Both hand out ticket number 1.](tickets.svg)
#
# *About five minutes. This is the tour: one small failure, and every part that the other pages have.*
#
# ## The incident
#
# Your support desk hands out ticket numbers.
# It has done so for weeks with one process, and never made a mistake.
# Yesterday you gave it a second process, because mornings are busy.
# At 3 a.m. you are called: two customers hold ticket 1, and each of them was sent the other's reply.
# Nothing crashed, and no line of the log is red.
# You start the app on your laptop to look, and it counts 1, 2, 3.
#
# ## What you'll do
#
# Watch a counter count in two processes, change one word, and prove that the change holds.
#
# ## What you'll learn
#
# - Read the timeline of a run in several processes.
# - Tell what one process remembers from what all processes share.
#
# ## What you'll need
#
# Python, and a first look at LangGraph.
# No key and no network: where a page needs a model, a stand-in runs on your machine.
#
# Run the cells from top to bottom; Shift+Enter runs one and moves on.
# The first loads the course's tools and says which exercise this is.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex00_start_here
from grader import certificate, check, grade, hint, observe, predict, progress

# %% [markdown] id="predict"
# ## Predict
#
# A graph of one node takes the next number, and `ticket()` returns it.
# This is where the number comes from:
#
# ```python
# numbers = itertools.count(1)
#
#
# def from_memory() -> int:
#     return next(numbers)
# ```
#
# Two processes run this file.
# We ask process 0 for a ticket, then process 1, process 1 again, and process 0.
#
# Choose an answer and commit to it: the run stays locked until you do.
# Nothing is marked. Who guesses first, even wrongly, remembers the answer better than who only reads it.

# %% id="prediction"
predict(
    "Which four numbers are handed out?",
    a="1, 2, 3, 4: both processes run the same file, so they share its counter",
    b="1, 1, 2, 2: each process has a counter of its own",
    c="1, then an error: process 1 finds the counter taken",
)

# %% [markdown] id="observe"
# ## Observe
#
# The next cell starts two real processes of your operating system, calls `ticket()` in them, and writes down all that happens.
# Each row is one process, and the order runs from left to right.
# A reply is labelled with its observation's number and with what was returned.
# Open *The same as a table* below the picture to read every observation.
#
# Before you read on, find the observation that surprises you.

# %% id="observation"
observe("in_turn")

# %% [markdown] id="explain"
# ## Explain
#
# In #4 process 0 hands out number 1: right.
# In #7 process 1 hands out number 1 as well: good, that is the failure, and we have it on paper.
# #10 and #13 repeat it with number 2.
#
# Each process imports the file for itself, so each of them runs `numbers = itertools.count(1)` and keeps the counter in its own memory.
# Neither of the two counters is wrong; there is one too many.
# No process can read another's memory, so neither can notice, and nothing raises.
# That is why one process on your laptop counts 1, 2, 3.
#
# If you predicted 1, 2, 3, 4, you read the file as one program.
# The file is one; the programs that run it are two.
#
# You can leave aside the observations that mention a checkpoint database.
# They matter from the next pages on.

# %% [markdown] id="fix"
# ## Fix
#
# The contract says what your code has to define:
#
# | you define | it takes | it returns |
# |---|---|---|
# | `ticket` | nothing | the next number, as an `int` |
#
# The claims say what will be checked, word for word:
#
# - processes that take turns count on: each number is one more than the last
# - eight tickets handed out at once by four processes have eight numbers
#
# The cell below is your *submission*.
# It is saved as a file of its own, which every process imports; names from other cells are not visible in it.
# It already knows a second place to count: a file that all processes open, whose path is in the environment variable `CHECKPOINT_DB`.
# One word has to change, at the `TODO`.
# Run the cell as it is first.

# %% role="submission"
# %%submission
import itertools
import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

numbers = itertools.count(1)


class State(TypedDict):
    number: int


def from_memory() -> int:
    """Count in this process's memory."""
    return next(numbers)


def from_file() -> int:
    """Count in a file that all processes share: one row for each ticket."""
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
        file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER PRIMARY KEY)")
        return file.execute("INSERT INTO tickets DEFAULT VALUES").lastrowid


def take(state: State) -> State:
    ### BEGIN STARTER
    # # TODO: take the number from where every process can see it
    # return {"number": from_memory()}
    ### END STARTER
    ### BEGIN SOLUTION
    return {"number": from_file()}
    ### END SOLUTION


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]


# %% [markdown] id="alone"
# Your functions can be called here too, in this one process.
# It counts without a fault, before the change and after it.

# %% id="one_process"
[ticket() for _ in range(3)]

# %% [markdown] id="check"
# ## Check
#
# `check()` runs your submission in several processes and judges each claim.
# A claim that fails shows the observations that prove it; one that builds on it is skipped until then.
# Run it as often as you like, before and after you change the word.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Each run starts from a random seed.
# `check(seed=…)` with the seed of a report replays that run.
#
# When you are stuck, `hint()` first asks, then points, then shows.

# %% id="hint"
hint()

# %% [markdown] id="graded"
# ## For your teacher
#
# The next two cells are locked. Each gives the points of one claim, as a plain number.
# A teacher's run adds a second one, with another seed and more processes.

# %% role="test" check="counts_on" points=6
grade("counts_on")

# %% role="test" check="never_twice" points=4
grade("never_twice")

# %% [markdown] id="summary"
# ## Summary
#
# What a process keeps in its memory, no other process can see; what several must agree on lives outside all of them.
#
# | part of a page | what it is for |
# |---|---|
# | `predict(…)` | you commit to an answer before you see the run |
# | `observe(…)` | runs the code in real processes and shows what happened |
# | `%%submission` | saves your code as the file that is judged |
# | `check()` | judges every claim, with the evidence |
# | `hint()` | helps a little more each time |
# | `grade(…)` | the points of one claim, for a teacher |
# | `progress()` | how far you have come |
# | `certificate(…)` | a page of what you have proved, to keep or to show |
#
# ## The map
#
# All exercises, how far you have come with each, and where to go next; each title is a link.
# Run the cell again whenever you come back.
# What you have done is kept in a folder beside the notebooks and never leaves your machine.

# %% id="map"
progress()

# %% [markdown] id="certifying"
# ## Your certificate
#
# When you have done what you want to do, put your name between the quotes.
# The cell writes a page that lists what you have proved, claim by claim, with the seed of each run.
# The page carries your submissions, so whoever doubts it can prove everything again; nothing in it is signed.

# %% id="certificate"
certificate("")

# %% [markdown] id="next"
# ## Next
#
# The exercises can be done in any order.
# The failure of this page costs more where [a conversation that one process remembers is one the next has never heard of](../ex04_memory_saver/ex04_memory_saver.ipynb).
# In the order of the course:
