"""A call that goes wrong gets a clear report, whatever the submission does in it."""

from __future__ import annotations

import time

import pytest

from grader.harness import limits
from grader.vocabulary import Status, process
from tests.harness.reported import OWN_MODULE, Case, report
from tests.harness.small import Warm

FAILS = {
    "unknown name": Case(
        "def chat(thread_id, text):\n    return lookup(text)\n",
        "NameError: name 'lookup' is not defined (line 3 of the submission)",
        OWN_MODULE,
    ),
    "set": Case(
        "def chat(thread_id, text):\n    return {1}\n",
        "chat in process 0 returned set, expected str",
        "does every path through the function return what the contract says?",
    ),
    "forgotten return": Case(
        "def chat(thread_id, text):\n    text\n",
        "chat in process 0 returned NoneType (a forgotten return?), expected str",
        "does every path through the function return what the contract says?",
    ),
    "large result": Case(
        "def chat(thread_id, text):\n    return 'a' * 2_000_000\n",
        "returned 2000002 characters of JSON, expected at most 524288",
        "return plain data",
    ),
    "os._exit in a call": Case(
        "import os\ndef chat(thread_id, text):\n    os._exit(7)\n",
        "died: the process ended with exit code 7",
        "what ends the whole process",
    ),
    "sys.exit in a call": Case(
        "import sys\ndef chat(thread_id, text):\n    sys.exit(3)\n",
        "SystemExit: 3 (line 4 of the submission)",
    ),
    "busy loop in a call": Case(
        "def chat(thread_id, text):\n    while True: pass\n",
        "chat did not return in process 0: it used 2 s of processor time",
        "what does this call wait for, or repeat without end?",
    ),
    "sleeps in a call": Case(
        "import threading\ndef chat(thread_id, text):\n    threading.Event().wait()\n",
        "chat did not return in process 0: 4 s passed",
        "what does this call wait for, or repeat without end?",
    ),
    "recursion": Case(
        "def chat(thread_id, text):\n    return chat(thread_id, text)\n",
        "RecursionError: maximum recursion depth exceeded",
    ),
    "exception without a text": Case(
        "class E(Exception):\n    def __str__(self): raise ValueError\n"
        "def chat(thread_id, text):\n    raise E\n",
        "E: (its message cannot be shown) (line 5 of the submission)",
    ),
    "surrogates and terminal codes": Case(
        "def chat(thread_id, text):\n    raise ValueError('\\ud800 \\x1b[31m red')\n",
        r"ValueError: \xd800 \x1b[31m red (line 3 of the submission)",
    ),
    "a reply of its own": Case(
        "import os\ndef chat(thread_id, text):\n    for fd in range(3, 100):\n"
        '        try: os.write(fd, b\'{"kind":"reply","id":1,"value":7}\\n\')\n'
        "        except OSError: pass\n    return 'a'\n",
        "chat in process 0 returned int, expected str",
    ),
    "garbage in a call": Case(
        "import os\ndef chat(thread_id, text):\n    for fd in range(3, 100):\n"
        "        try: os.write(fd, b'garbage\\n')\n        except OSError: pass\n"
        "    return 'a'\n",
        "something wrote to the process's channel to the grader",
    ),
    "closes its channel in a call": Case(
        "import os, threading\ndef chat(thread_id, text):\n"
        "    os.closerange(3, 200)\n    threading.Event().wait()\n",
        "died: the process closed its channel to the grader",
    ),
    "memory in a call": Case(
        f"def chat(thread_id, text):\n    return bytearray({limits.MEMORY_LIMIT_B})\n",
        "MemoryError",
        "what does this call keep in memory?",
    ),
    "many open files": Case(
        "def chat(thread_id, text):\n"
        "    return [open('/dev/null') for _ in range(1000)]\n",
        "OSError: [Errno 24] Too many open files: '/dev/null' (line 3 of",
    ),
    "a large file": Case(
        "def chat(thread_id, text):\n    with open('large', 'wb') as file:\n"
        f"        file.truncate({limits.FILE_LIMIT_B} + 1)\n    return 'a'\n",
        "OSError: [Errno 27] File too large",
    ),
    "endless output in a call": Case(
        "def chat(thread_id, text):\n    while True: print('flood' * 10_000)\n", "chat "
    ),
    "thread bomb": Case(
        "import threading\nwait = threading.Event().wait\n"
        "def chat(thread_id, text):\n"
        "    while True: threading.Thread(target=wait, daemon=True).start()\n",
        "chat ",
    ),
}


@pytest.mark.parametrize("name", FAILS)
def test_fails(light: Warm, name: str) -> None:
    """what a call does is said with the observation that shows it"""
    case, began = FAILS[name], time.monotonic()
    verdict = light.verdict(case.text)
    report(verdict, case, began)
    assert [r.status for r in verdict.results] == [Status.failed]
    assert verdict.results[0].evidence


def test_not_only_at_first(light: Warm) -> None:
    """a process that ends between two calls is said to have ended, by its exit code"""
    later = "import os, threading\ndef chat(thread_id, text):\n"
    later += "    threading.Timer(0, os._exit, [5]).start()\n    return 'a'\n"
    calls = [process(0).calls("chat", "{thread}", "a") for _ in range(2)]
    seen = light.history(later, *calls)
    assert [end.data["code"] for end in seen.of("exit")] == [5]
