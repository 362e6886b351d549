"""A submission that cannot be imported gets a clear report, whatever it does."""

from __future__ import annotations

import time

import pytest

from grader.harness import limits
from grader.vocabulary import Status
from tests.harness.reported import OWN_MODULE, RETURNS, Case, report
from tests.harness.small import Warm

CONTRACT = "the contract is in the table above the submission"
ENDS = "a module must not end the process that imports it"
OWN_FILES = "close and write only files that the submission opened"
ENDLESS = "what runs, or waits, without end before the first call?"

NOT_RUN = {
    "syntax error": Case(
        "def chat(thread_id, text:\n    return 1\n",
        "raised SyntaxError in line 2 of the submission: '(' was never closed",
        "look at that line and the one above it",
    ),
    "indentation": Case(
        "def chat(thread_id, text):\nreturn 1\n",
        "raised IndentationError in line 3 of the submission: expected an indented",
        "look at the spaces at the start of that line",
    ),
    "missing function": Case(
        "x = 1\n", "expected a function chat(thread_id, text), found none", CONTRACT
    ),
    "empty": Case(
        "", "expected a function chat(thread_id, text), found none", CONTRACT
    ),
    "misnamed function": Case(
        "def Chat(thread_id, text):\n    return 'a'\n",
        "expected a function chat(thread_id, text), found Chat",
        CONTRACT,
    ),
    "not a function": Case(
        "chat = 'hello'\n",
        "expected a function chat(thread_id, text), found 'chat' of type str",
        CONTRACT,
    ),
    "wrong signature": Case(
        "def chat(text):\n    return 'a'\n",
        "expected chat(thread_id, text), found chat(text)",
        CONTRACT,
    ),
    "async function": Case(
        "async def chat(thread_id, text):\n    return 'a'\n",
        "found async def chat: nobody awaits what it returns",
        CONTRACT,
    ),
    "unknown import": Case(
        "import chat_gtp\n" + RETURNS,
        "raised ModuleNotFoundError in line 2 of the submission: No module named "
        "'chat_gtp'",
        "only what the course installs can be imported",
    ),
    "name of another cell": Case(
        RETURNS + "graph = build()\n",
        "raised NameError in line 4 of the submission: name 'build' is not defined",
        OWN_MODULE,
    ),
    "raises at import": Case(
        RETURNS + "1 / 0\n",
        "raised ZeroDivisionError in line 4 of the submission: division by zero",
        "run that line in a cell of its own to see the whole error",
    ),
    "sys.exit at import": Case(
        "import sys\nsys.exit('bye')\n",
        "importing the submission called sys.exit(bye) in line 3 of the submission",
        ENDS,
    ),
    "os._exit at import": Case(
        "import os\nos._exit(7)\n",
        "the process ended with exit code 7 while importing it",
        ENDS,
    ),
    "kills itself at import": Case(
        "import os\nos.kill(os.getpid(), 9)\n",
        "the process ended with signal 9 while importing it",
        ENDS,
    ),
    "null bytes": Case(
        "x = '\0'\n",
        "raised SyntaxError: source code string cannot contain null bytes",
        "Python cannot read the submission",
    ),
    "lone surrogate in source": Case(
        "x = '\ud800'\n", "raised SyntaxError", "Python cannot read the submission"
    ),
    "large source": Case(
        "#" * (limits.SOURCE_LIMIT_B + 1),
        "the submission passed a limit: source (1048576 bytes), found 104857",
        "what starts processes, or keeps data, without end?",
    ),
    "closes its channel at import": Case(
        "import os, threading\nos.closerange(3, 200)\nthreading.Event().wait()\n",
        "the process closed its channel to the grader while importing it",
        OWN_FILES,
    ),
    "writes to all it finds at import": Case(
        "import os\nfor fd in range(3, 100):\n"
        "    try: os.write(fd, b'garbage\\n')\n    except OSError: pass\n" + RETURNS,
        "something wrote to the process's channel to the grader while importing it",
        OWN_FILES,
    ),
    "speaks for the worker": Case(
        "import os\nfor fd in range(3, 100):\n"
        '    try: os.write(fd, b\'{"kind": "spam"}\\n\')\n'
        "    except OSError: pass\n" + RETURNS,
        "something wrote to the process's channel to the grader",
        OWN_FILES,
    ),
    "memory at import": Case(
        f"x = bytearray({limits.MEMORY_LIMIT_B})\n" + RETURNS,
        "raised MemoryError in line 2 of the submission",
        "what does the module keep in memory?",
    ),
    "busy loop at import": Case(
        "while True: pass\n",
        "importing it did not end: it used 2 s of processor time",
        ENDLESS,
    ),
    "sleeps at import": Case(
        "import threading\nthreading.Event().wait()\n",
        "importing it did not end: 4 s passed",
        ENDLESS,
    ),
    "endless output at import": Case(
        "while True: print('flood' * 10_000)\n", "importing ", ""
    ),
}


@pytest.mark.parametrize("name", NOT_RUN)
def test_cannot_be_run(light: Warm, name: str) -> None:
    """what cannot be imported is said with its line and a way out, and skips checks"""
    case, began = NOT_RUN[name], time.monotonic()
    verdict = light.verdict(case.text)
    text = report(verdict, case, began)
    assert "the submission could not be run" in text
    assert verdict.problem
    assert verdict.help
    assert [r.status for r in verdict.results] == [Status.skipped]
