"""No process of a submission answers for another, whatever it writes to the grader.

Of what comes over its own channel only the reply to its own call is taken.
"""

from __future__ import annotations

from grader.vocabulary import model, process, together
from tests.harness.small import Warm
from tests.sandbox.pairs import BOTH, run, values
from tests.sandbox.trying import look


def test_a_call_that_is_under_way(walled: Warm) -> None:
    """while process 0 is asked, no line of process 1 is taken for its reply"""
    # The model answers once all is read that was written before it was asked.
    text = """
def look(what):
    if FIRST:
        door.accept()[0].recv(1)
        return "of 0"
    replies(1, -1, 0, 3, "1", 1.0, True, None, [1])
    ask("Hi")
    knock().close()
    return "of 1"
"""
    calls = [process(number).calls("look", "a") for number in (0, 1)]
    assert values(run(walled, text, together(*calls))) == ["of 0", "of 1"]


def test_replies_out_of_turn(walled: Warm) -> None:
    """a reply to what is not asked yet, or was answered before, is no reply at all"""
    text = """
def look(what):
    if what == "before":
        replies(2, 3, 4, -1, -3)
    if what == "twice":
        replies(3, value="once")
        replies(3)
    return what
"""
    whom = {"before": 0, "other": 1, "twice": 0, "after": 0}
    calls = [process(number).calls("look", what) for what, number in whom.items()]
    again = [process(0).shows_again(1), process(0).shows_again(3)]
    seen = run(walled, text, *calls, *again)
    # What it says first in answer to its own call is its own word.
    assert values(seen) == ["before", "other", "once", "after"]
    assert [each.value for each in seen.of("again")] == ["before", "twice"]


def test_who_answers_for_others_only(walled: Warm) -> None:
    """who answers every call but its own, and ends, has answered none"""
    text = """
def look(what):
    replies(2 if FIRST else 1)
    os._exit(0)
"""
    calls = [process(number).calls("look", "a") for number in (0, 1)]
    seen = run(walled, text, together(*calls))
    assert [reply.data.get("error") for reply in seen.replies] == ["died", "died"]


def test_a_channel_that_is_handed_on(walled: Warm) -> None:
    """once a process is killed nobody answers for it, also who has its channel"""
    text = """
def inherits():
    kept = knock()
    _, channels, _, _ = socket.recv_fds(kept, 1, 1)
    kept.send(b"x")
    kept.recv(1)  # it is killed
    replies(1, channels=channels)
    os.close(channels[0])

if not FIRST:
    threading.Thread(target=inherits).start()

def look(what):
    if FIRST:
        channels = sockets()
        heir, _ = door.accept()
        socket.send_fds(heir, [b"x"], channels)
        heir.recv(1)
        ask("polish this")
    return what
"""
    seen = run(
        walled,
        text,
        model.says("polish", "polish this", "done"),
        process(0).is_killed_when("polish"),
        *(process(number).calls("look", "own") for number in (0, 1)),
    )
    assert [reply.data.get("error") for reply in seen.replies] == ["killed", None]


def test_a_channel_is_of_one(walled: Warm) -> None:
    """a process finds one socket that it has not made, and no two find the same"""
    text = """
def look(what):
    return [os.fstat(each).st_ino for each in sockets()]
"""
    found = look(walled, BOTH + text, *"aaa", processes=3)
    assert [len(each) for each in found] == [1, 1, 1]
    assert len({each[0] for each in found}) == 3
