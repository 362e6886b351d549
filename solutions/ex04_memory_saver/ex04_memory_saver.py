# %% [markdown] id="title"
# # Memory that only one process can see
#
# ![Turn 1 of a conversation reaches process 0, whose MemorySaver holds the name Ada. Turn 2 reaches process 1, whose MemorySaver holds nothing.](memory.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# Your support assistant remembers every customer's name.
# It did so in spring, with one process, and nobody looked at its `MemorySaver` again.
# On Friday traffic doubles, and you raise the processes to four.
# At 3 a.m. the phone wakes you: customers say who they are, and one message later the assistant asks them again.
# Some of them are lucky and notice nothing.
# You open the app in your browser, type quickly, and it remembers you every time.
# There is no error in the log.
#
# ## What you'll do
#
# Watch two processes serve one conversation, then move its memory to where both can read it.
#
# ## What you'll learn
#
# - Say where a checkpoint is kept, and which processes can read it.
# - Let one process finish the turn that another was killed in.
# - Recognise the naive repairs by the errors they raise.
#
# ## What you'll need
#
# A LangGraph graph with a checkpointer that you have built before, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
# The model is a stand-in on your machine.
# It knows what a conversation tells it and nothing else, and ends each answer with a fresh reference, such as `(draft 4f1c09aa)`.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex04_memory_saver
from grader import check, grade, hint, observe, predict

# %% [markdown] id="predict"
# ## Predict
#
# Each turn takes two model calls: *draft* answers, *polish* improves the answer.
#
# ```python
# builder.add_edge(START, "draft")
# builder.add_edge("draft", "polish")
# builder.add_edge("polish", END)
# graph = builder.compile(checkpointer=MemorySaver())
#
#
# def chat(thread_id: str, text: str) -> str:
#     config = {"configurable": {"thread_id": thread_id}}
#     result = graph.invoke({"messages": [HumanMessage(text)]}, config)
#     return result["messages"][-1].content
# ```
#
# Process 0 is asked `chat("ada", "My name is Ada.")`, and answers.
# Then process 1 is asked `chat("ada", "What is my name?")`.

# %% id="prediction"
predict(
    "What does process 1 answer?",
    a="Your name is Ada: the thread_id is the same, so the conversation is",
    b="I do not know your name: for process 1 the conversation begins here",
    c="Nothing: LangGraph raises, because process 1 has no such thread",
)

# %% [markdown] id="observe"
# ## Observe
#
# Now it happens, in two processes of your operating system.
# The name and the thread are drawn anew for each run; with `seed=` you can replay one.
#
# Before you read on, find the observation that surprises you.

# %% id="observation"
observe("hand_over")

# %% [markdown] id="cut_off"
# A second run of the same app.
# This time process 0 is killed, as `kill -9` does it, while the model works on *polish*.
# Then process 1 is told to `resume` the thread, which is `graph.invoke(None, config)`.
#
# The draft is made and paid for. Who has it?

# %% id="observation_cut_off"
observe("cut_off")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
# (Once you have run a submission of your own, `observe` runs yours.)
#
# **The hand-over.** In #3 process 0 is told a name, and in #8 it has noted it.
# Open the table and read #9: the file that both processes could share holds no checkpoint.
# So in #11 process 1 has nothing but the question to send to the model, and #15 is the honest answer.
# Nothing failed, so nothing was logged.
#
# `MemorySaver` did keep four checkpoints, in a dictionary in the memory of process 0.
# No other process can read it.
# In process 1 the same `thread_id` is a key of another dictionary, an empty one, and LangGraph takes an unknown thread for a new one.
#
# **The cut.** #5 is the draft.
# #7 kills process 0, and the dictionary goes with it.
# In #11 process 1 has nothing to resume, and LangGraph says so: `EmptyInputError: Received no input for __start__`.
# In #18 the customer's word is lost for good.
#
# If you chose *a*: with one process you would have been right, which is how this bug gets through tests.
# If you chose *c*: an error would have been kinder.
# The second run has one, the first has none, and the first is the one that customers meet.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `chat` | `thread_id`, `text` | the polished answer, word for word |
# | `resume` | `thread_id` | the polished answer of the turn that was cut off |
#
# The checks recognise the two steps by their markers: keep `[draft]` in the first prompt, and `[polish]` in the second.
# All processes find the path of one SQLite file, theirs to share, in the environment variable `CHECKPOINT_DB`.
# What a conversation was told is kept there by one of LangGraph's own savers, in that saver's own tables: there the checks look for it. (It comes in the package `langgraph-checkpoint-sqlite`, which this course has installed.)
#
# The claims, word for word:
#
# - what process 0 was told, process 1 knows
# - killed during polish, another process resumes, and draft is not asked again
# - one conversation never hears of another
# - four processes serve four threads at once, and no turn is lost
# - a restart of all processes forgets nothing
#
# The place to change is at the `TODO`; what you need to import, import there.
# Once the cell has run, you can call `chat` in a cell of your own, too.

# %% role="submission"
# %%submission
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    return {"messages": [llm.invoke([prompt, HumanMessage(state["draft"])])]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)

### BEGIN STARTER
# from langgraph.checkpoint.memory import MemorySaver
#
# # TODO: keep the checkpoints where every process can read them
# saver = MemorySaver()
### END STARTER
### BEGIN SOLUTION
import os
import sqlite3

from langgraph.checkpoint.sqlite import SqliteSaver

# Open for as long as the process lives; the saver's own lock keeps OS threads apart.
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
saver = SqliteSaver(connection)
### END SOLUTION
graph = builder.compile(checkpointer=saver)


def chat(thread_id: str, text: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(text)]}, config)
    return result["messages"][-1].content


def resume(thread_id: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    return graph.invoke(None, config)["messages"][-1].content


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# A claim that fails shows the observations that prove it.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# Three errors are waiting on the way to the repair. Whoever meets them is in good company.
#
# | what you read | what happened |
# |---|---|
# | `TypeError: Invalid checkpointer provided. […] Received _GeneratorContextManager.` | `SqliteSaver.from_conn_string(…)` was passed on; it returns a context manager, not a saver |
# | `ProgrammingError: Cannot operate on a closed database.` | the connection was closed while the graph still used it |
# | `ProgrammingError: SQLite objects created in a thread can only be used in that same thread.` | LangGraph writes checkpoints from an OS thread of its own |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# When all claims hold, watch the cut once more, now with your code.
# Process 1 asks for a polish, and for no draft. Where does it have the draft from?
# And why is the polish asked for twice?

# %% id="variation_cut_off"
observe("cut_off")

# %% [markdown] id="vary_durability"
# The draft comes from the checkpoint after *draft*; the first polish died with process 0, before its answer.
#
# Now turn a knob. LangGraph's default, `durability="async"`, stores a step while the next one runs.
# With `durability="exit"` it stores once, when the run ends.
#
# Predict, add it to both calls of `invoke`, and check with eight processes; which of them play a part is drawn from the seed.
# Then take it out again.

# %% id="prediction_durability"
predict(
    'Which claims break with durability="exit"?',
    a="None: the file is the same, and it is written all the same",
    b="The one about the kill, and no other",
    c="The one about the kill, and the one about the restart",
)

# %% id="variation_eight"
check(processes=8)

# %% [markdown] id="production"
# ## In production
#
# **Why your browser never saw it.** It keeps its connection open while you type quickly, and a connection belongs to one process. (uvicorn closes one that was idle for 5 seconds, and a proxy may spread each request anew.)
# Measured with four processes and conversations of three turns, one right after the other: without keep-alive 60 to 100 % of the later turns had lost the conversation, with keep-alive 0 to 15 %.
# So test with a new connection for each request, or better, address the processes one by one, as this page does.
#
# **One file is one machine.** `SqliteSaver` turns on SQLite's write-ahead log, which does not work over a network file system, and whose writers wait for each other: 5 seconds by default, then one raises `database is locked`.
# Replicas on several machines need a database server; `PostgresSaver`, from a package of its own, takes the place of `SqliteSaver`; its `setup()` makes the tables first, and the graph stays as it is.
# An app that awaits `ainvoke` needs the async savers: `SqliteSaver` answers it with `NotImplementedError`.
#
# | `durability` | a step is stored | a kill costs at most |
# |---|---|---|
# | `"sync"` | before the next step starts | the step that was running |
# | `"async"` (default) | while the next step runs | the step that was running, and all not yet written: behind a slow database, the whole turn |
# | `"exit"` | when the run ends | the whole turn |
#
# **What this does not repair.** Two turns of *one* thread in two processes at once: both read the same checkpoint, the later write wins, and nothing raises.
#
# - [LangGraph's pages on persistence](https://docs.langchain.com/oss/python/langgraph/persistence) explain threads and checkpoints, and list the savers.
# - [LangGraph's page on durable execution](https://docs.langchain.com/oss/python/langgraph/durable-execution) says what a resumed run repeats.
# - [SQLite's page on its write-ahead log](https://www.sqlite.org/wal.html) says why all processes must be on one machine.
#
# ## Reflect
#
# A colleague wants to keep `MemorySaver` and let the load balancer send each customer to the same process, always.
# What does that repair, and what does it leave broken?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** As long as the process lives and the balancer keeps its word, each follow-up finds its conversation, so the hand-over is repaired.
# The memory still dies with the process: a crash, a deploy or a restart forgets every conversation, and a turn that was cut off cannot go on elsewhere.
# Adding or removing processes moves customers, who then start blank. And memory only ever grows.
#
# **For grading.** Names what it repairs (follow-ups while the process lives): one third.
# Names that a killed or restarted process loses everything: one third.
# Names one more limit (scaling moves customers, a lost turn cannot be resumed, load gathers on one process, memory grows): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="crosses_processes" points=3
grade("crosses_processes")

# %% role="test" check="resumes_elsewhere" points=3
grade("resumes_elsewhere")

# %% role="test" check="stays_apart" points=1
grade("stays_apart")

# %% role="test" check="loses_no_turn" points=2
grade("loses_no_turn")

# %% role="test" check="survives_restart" points=1
grade("survives_restart")

# %% [markdown] id="summary"
# ## Summary
#
# A `thread_id` names a conversation; the checkpointer decides who can find it.
# In a process's memory that is one process, until it ends; in a shared database it is every process, also the one that starts tomorrow.
#
# ## Next
