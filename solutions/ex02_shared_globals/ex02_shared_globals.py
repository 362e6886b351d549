# %% [markdown] id="title"
# # One process, one global, everybody's data
#
# ![The requests of Ada and of Ben reach one process. Both write to the list in DEFAULT_STATE, and Ben, who asks for his name, is told: Your name is Ada.](shared.svg)
#
# *About 45 minutes.*
#
# ## The incident
#
# Your assistant has no accounts and no memory: each request brings its whole conversation, and the reply brings it back with one answer more.
# You like that, because there is nothing to leak.
# At 3 a.m. a customer writes that he asked for his name and was greeted as somebody else.
# Attached is a screenshot, and in it the other customer's address.
# You restart the process and send his request again, and the reply is right.
# You send it to the other process, and it counts more messages.
# Every test of yours passes, because each begins in a fresh process.
#
# ## What you'll do
#
# Watch two users meet in one list, step by step, then give every request a list of its own.
#
# ## What you'll learn
#
# - Tell what belongs to a run from what belongs to its process.
# - Force two requests to overlap, where a test would wait for luck.
# - Say why a lock, a dictionary by user or a cache does not repair it.
#
# ## What you'll need
#
# A LangGraph graph that you have built before, and [the tour of a page](../ex00_start_here/ex00_start_here.ipynb).
# The model is a stand-in on your machine: it knows what it is shown and nothing else, and ends each answer with a fresh reference, such as `(ref 4f1c09aa)`.

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex02_shared_globals
from grader import check, grade, hint, observe, predict, show

# %% [markdown] id="predict"
# ## Predict
#
# The crux of the app. There is no checkpointer, and every call of `handle` is a run of its own.
#
# ```python
# DEFAULT_STATE = {"user_id": "", "messages": []}
#
#
# def reply(state: State) -> dict:
#     DEFAULT_STATE["user_id"] = state["user_id"]
#     DEFAULT_STATE["messages"].extend(state["messages"])
#     asked = [HumanMessage(text) for text in DEFAULT_STATE["messages"]]
#     answer = llm.invoke([PROMPT, *asked]).content
#     DEFAULT_STATE["messages"].append(answer)
#     return DEFAULT_STATE
# ```
#
# Ada's request says *My name is Ada. What is my name?* and is answered.
# When that is over, Ben's request asks the same process: *Tell me, what is my name?*

# %% id="prediction"
predict(
    "What is Ben told?",
    a="I do not know your name: each run of a graph has a state of its own",
    b="Your name is Ada: his request finds what hers has left",
    c="It depends on how fast he is: requests mix when they overlap, else not",
)

# %% [markdown] id="observe"
# ## Observe
#
# Two runs, in which nobody overlaps with anybody.
# First process 0 serves one user, then a second one, then the first again.
# Then one request is sent three times: twice to process 0, once to process 1. Compare the counts.
#
# The names are drawn anew for each run; with `seed=` you can replay one.
# Before you read on, find the observation that surprises you.

# %% id="observation"
observe("in_turn", "elsewhere")

# %% [markdown] id="at_once"
# Now two users at once, in one process.
# The model answers nobody until both requests have come to it, so they overlap every time: no luck, and no `sleep`.
#
# This picture goes through the run step by step.
# Go forward and back; a text of another call is marked ✗ and says of which.
# Stop where the first ✗ appears: what had the other call written by then?

# %% id="explorer"
show("explorer", "at_once")

# %% [markdown] id="explain"
# ## Explain
#
# The numbers are those of the starter, whatever the seed.
# (Once you have run a submission of your own, you see yours.)
#
# **In turn.** In #2 the first user says a name.
# In #7 the second user asks for one, and #10 is another user's name, with her texts above it.
# So *c* is not the whole truth: nothing overlapped.
# And *a* would be right for the state that LangGraph passes to the node.
# But `DEFAULT_STATE` is not that state. It belongs to the module, and a process imports a module once.
#
# Open the table and read #17: the first reply, looked at once more at the end.
# It was three messages long in #5, and now it holds what others said since.
# The node returned the list itself, LangGraph handed it on as it was, and everybody who ever got it holds the same one.
#
# **Elsewhere.** Three times the same request, and the counts in #6, #11 and #16 are 3, 6 and 3.
# `count` is the length of a second global, the list `cache`, which you will see in *Fix*.
# Process 1 has a `cache` of its own, which nobody had written to.
# The same global that is shared by too many inside a process is shared by too few outside of it.
#
# **At once.** Between a node's first write and its last read the model works: ample time for the other request to write.
# Both replies come back with one `user_id`: whoever wrote last is everybody.
# Which of the two that is may change from run to run; that somebody is wrong does not.
# The picture's last steps look at both replies once more: both hold one list, with everything in it, and each still has the `count` that it came with.

# %% [markdown] id="fix"
# ## Fix
#
# | you define | it takes | it returns |
# |---|---|---|
# | `handle` | `user_id`, and `texts`: a list of all that this user has said so far | a dictionary with `user_id`; `messages`, the texts and then the model's answer; `count`, how many messages that is |
#
# Each request asks the model once, with `[reply]` in the prompt.
# It shows the model its own texts, and returns the answer as it came.
# The caller keeps `texts`, and sends a longer list next time.
#
# The claims, word for word:
#
# - a reply holds the user's own data
# - a reply is the same whatever this process served before
# - two requests at once in one process do not mix, and none waits for the other
# - a reply is the same whichever process serves it
# - earlier replies and the caller's input do not change afterwards
#
# The places to change are at the `TODO`s.

# %% role="submission"
# %%submission
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


### BEGIN STARTER
# # TODO: who writes to these two, and who reads them afterwards?
# DEFAULT_STATE = {"user_id": "", "messages": []}
# cache = []
#
#
# def reply(state: State) -> dict:
#     # TODO: take everything from `state`, and return something new
#     DEFAULT_STATE["user_id"] = state["user_id"]
#     for text in state["messages"]:
#         DEFAULT_STATE["messages"].append(text)
#         cache.append(text)
#     asked = [HumanMessage(text) for text in DEFAULT_STATE["messages"]]
#     answer = llm.invoke([PROMPT, *asked]).content
#     DEFAULT_STATE["messages"].append(answer)
#     cache.append(answer)
#     return {**DEFAULT_STATE, "count": len(cache)}
### END STARTER
### BEGIN SOLUTION
def reply(state: State) -> dict:
    asked = [HumanMessage(text) for text in state["messages"]]
    answer = llm.invoke([PROMPT, *asked]).content
    # A new list: the one in the state is the caller's own, and stays as it is.
    messages = [*state["messages"], answer]
    return {"messages": messages, "count": len(messages)}


### END SOLUTION


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})


# %% [markdown] id="check"
# ## Check
#
# Run this as often as you like, from the starter on.
# A claim that fails shows the observations that prove it.

# %% id="checking"
check()

# %% [markdown] id="stuck"
# These repairs are tempting. Each of them leaves something broken, and `check()` says what.
#
# | the repair | what stays broken |
# |---|---|
# | a lock around the run | the next request still finds what the last one left, and one user waits until the model has answered the other |
# | the global is emptied at the start of a run | two at once; with `.clear()`, replies already given are emptied too |
# | a dictionary by user | a user's second request finds the first one, in one process of several |
# | `threading.local()` | an OS thread serves one user after another |
# | a `ContextVar` with `default=[]` | the default is one list for every context |
# | `functools.lru_cache` on the model call | a process answers from its own memory, and another one does not |
#
# Stuck elsewhere? Each call gives one more hint.

# %% id="hint"
hint()

# %% [markdown] id="vary"
# ## Vary
#
# When all claims hold, step through the two users once more, now with your code.
# Does any step show a ✗?

# %% id="variation_explorer"
show("explorer", "at_once")

# %% [markdown] id="vary_in_place"
# Now turn a knob. In your node, append to the list that you were given, instead of building a new one:
# `state["messages"].append(answer)`, then `return {"messages": state["messages"], "count": …}`.
#
# There is no global left, and the list is in the state. Predict, try it, and take it out again.

# %% id="prediction_in_place"
predict(
    "What does appending to the list in the state change?",
    a="Nothing: the state belongs to this run",
    b="The list that the caller passed to handle gets longer",
    c="Two users at once mix again",
)

# %% id="variation_in_place"
check(processes=4)

# %% [markdown] id="production"
# ## In production
#
# **One event loop mixes as well as OS threads do.** Every `await` that has to wait, between a write and a read, lets another request run.
# Measured: ten users at once under `asyncio.gather`, each writing a global and waiting once (`await asyncio.sleep(0)`); all ten read the last user's id.
#
# **A checkpointer makes a leak last.** What a node returns is stored under the thread of whoever asked.
# With the starter's list, Ben's thread holds Ada's texts in the database; where the key has a reducer, a repaired app still reads them there.
#
# **Append in place, and two stores disagree.** A node that appends to `state["messages"]` and does not return that key changes the output of the run. `SqliteSaver`, which writes the whole state, stores the change as well; `InMemorySaver`, which writes the keys that were returned, does not; with `durability="exit"` it does, where the run's own input had the key. The same node means two things.
#
# **What may be global.** Things that do not change, such as prompts and limits; and things made for sharing, such as a client or a pool of connections. What users send belongs in the state; what a user is to find again tomorrow, in a database under that user's key.
#
# A cache is a good thing, where the reply may be old and all processes may differ for a while. Say so in the contract, and give it a place that all processes share.
#
# - [LangGraph's page on its graph API](https://docs.langchain.com/oss/python/langgraph/graph-api) explains state, updates and reducers.
# - [Python's FAQ on default values](https://docs.python.org/3/faq/programming.html#why-are-default-values-shared-between-objects) tells the same story without a graph.
# - [Python's page on context variables](https://docs.python.org/3/library/contextvars.html) says what a `ContextVar` keeps apart, and how to set one for a request.
#
# ## Reflect
#
# A colleague keeps the globals and lets each process serve one request at a time: with enough processes, nobody waits.
# Which claims does that repair, and which does it leave broken?
# Answer in at most 80 words.

# %% [markdown] role="reflect" points=0
# **A good answer.** Two users are never inside one process at once, so that claim holds.
# The globals still outlive the request: the next user of a process finds what the last one left, replies depend on which process serves them and on what it served before, and a reply that was already given can change while it is still in use.
# It also pays for every request that waits for a model with a whole process.
#
# **For grading.** Names what it repairs (no two at once): one third.
# Names that the next request in turn still finds the data of the last: one third.
# Names one more (processes disagree, earlier replies change, a process per waiting request): one third.

# %% [markdown] id="graded"
# ## For your teacher
#
# These cells are locked, and each gives the points of one claim.

# %% role="test" check="own_data" points=2
grade("own_data")

# %% role="test" check="forgets_the_last" points=2
grade("forgets_the_last")

# %% role="test" check="apart_at_once" points=3
grade("apart_at_once")

# %% role="test" check="same_everywhere" points=2
grade("same_everywhere")

# %% role="test" check="stays_as_it_was" points=1
grade("stays_as_it_was")

# %% [markdown] id="summary"
# ## Summary
#
# A module's globals belong to a process: every request of that process shares them, in turn and at once, and no other process does.
# What belongs to a request goes in through the state and comes out as something new.
#
# ## Next
