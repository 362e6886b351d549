"""A submission that cannot be right gets a clear report, whatever it does."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from grader.harness import harness, limits, tree
from grader.reports import to_text
from grader.vocabulary import Status, Verdict, process
from tests.harness.small import Warm, exercise

# A hang costs five seconds on an idle machine; here two cores are shared.
BOUND_S = 30.0
RETURNS = "def chat(thread_id, text):\n    return 'a'\n"


@dataclass(frozen=True)
class Case:
    """A submission whose line 2 comes first, and what its report says."""

    text: str
    says: str
    help: str = ""


CONTRACT = "the contract is in the table above the submission"
OWN_MODULE = "names from other cells of the notebook are not visible in it"
ENDS = "a module must not end the process that imports it"
OWN_FILES = "close and write only files that the submission opened"
ENDLESS = "what runs without end while the module is imported?"

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

ANY = {
    "set": ("{1}", "set, which is not JSON: Object of type set is not JSON"),
    "not a number": ("float('nan')", "float, which is not JSON: Out of range float"),
    "infinity": ("[float('inf')]", "list, which is not JSON: Out of range float"),
    "huge integer": ("10 ** 5000", "int, which is not JSON: Exceeds the limit"),
    "itself": ("ring()", "list, which is not JSON: Circular reference detected"),
    "too deep": ("deep(100_000)", "list, which is not JSON: maximum recursion depth"),
    "text that raises": ("Rude()", "Rude, which is not JSON: Object of type Rude"),
}
MAKERS = """
class Rude:
    def __repr__(self): raise ValueError
    __str__ = __iter__ = __repr__
def ring():
    made = []
    made.append(made)
    return made
def deep(levels):
    made = []
    for _ in range(levels): made = [made]
    return made
def chat(thread_id, text):
    return """


def report(verdict: Verdict, case: Case, began: float) -> str:
    text = to_text(verdict)
    assert not verdict.unknown, text
    assert verdict.score == 0
    assert case.says in text
    assert case.help in text
    assert "Traceback" not in text
    assert "grader/" not in text
    assert all(c.isprintable() or c == "\n" for c in text)
    assert time.monotonic() - began < BOUND_S
    return text


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


@pytest.mark.parametrize("name", FAILS)
def test_fails(light: Warm, name: str) -> None:
    """what a call does is said with the observation that shows it"""
    case, began = FAILS[name], time.monotonic()
    verdict = light.verdict(case.text)
    report(verdict, case, began)
    assert [r.status for r in verdict.results] == [Status.failed]
    assert verdict.results[0].evidence


@pytest.mark.parametrize("name", ANY)
def test_not_json(light: Warm, name: str) -> None:
    """a result that JSON cannot hold is said to be one, where any type may come"""
    value, says = ANY[name]
    made = exercise(contract=("chat(thread_id, text) -> data",))
    began = time.monotonic()
    verdict = light.outcome(MAKERS + value + "\n", made).verdict
    report(verdict, Case("", says, "return plain data"), began)


def test_deep_reply(light: Warm) -> None:
    """a reply nested deeper than the grader reads ends its process, not the grader"""
    made = exercise(contract=("chat(thread_id, text) -> data",))
    verdict = light.outcome(MAKERS + "deep(300)\n", made).verdict
    report(
        verdict,
        Case("", "something wrote to the process's channel"),
        time.monotonic(),
    )


def test_unexpected_id(light: Warm) -> None:
    """a reply that nobody asked for is no reply to another call"""
    forges = """
    import os
    line = b'{"kind":"reply","id":%d,"value":"forged"}\\n'
    def chat(thread_id, text):
        for fd in range(3, 100):
            for number in (-1, 0, 2, 7) if text == "first" else ():
                try: os.write(fd, line % number)
                except OSError: pass
        return "a"
    """
    calls = [process(0).calls("chat", "{thread}", text) for text in ("first", "then")]
    seen = light.history(forges, *calls)
    assert [reply.value for reply in seen.replies] == ["a", "a"]


def test_standard_output(light: Warm) -> None:
    """lines of the protocol on standard output are output, and nothing else"""
    line = '{"kind": "reply", "id": 1, "value": "forged"}'
    seen = light.history(f"print('{line}')\n" + RETURNS)
    assert [reply.value for reply in seen.replies] == ["a", "a"]
    assert line in seen.of("output")[0].data["text"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_finite_flood(light: Warm, stream: str) -> None:
    """a flood that ends costs nothing; its end is kept, and that it was one is said"""
    seen = light.history(
        f"import sys\nfor n in range(1000): print('f' * 2000, n, file=sys.{stream})\n"
        + RETURNS
    )
    assert [reply.value for reply in seen.replies] == ["a", "a"]
    assert seen.of("output")[0].data["cut"]
    assert "999" in seen.of("output")[0].data["text"]
    assert "output" in [limit.data["what"] for limit in seen.of("limit")]


def test_not_only_at_first(light: Warm) -> None:
    """a process that ends between two calls is said to have ended, by its exit code"""
    later = "import os, threading\ndef chat(thread_id, text):\n"
    later += "    threading.Timer(0, os._exit, [5]).start()\n    return 'a'\n"
    calls = [process(0).calls("chat", "{thread}", "a") for _ in range(2)]
    seen = light.history(later, *calls)
    assert [end.data["code"] for end in seen.of("exit")] == [5]


def test_fork_bomb(light: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a fork bomb is ended before it is large, and its report says what it was"""
    monkeypatch.setattr(tree, "TREE_PROCESSES_LIMIT", 10)
    monkeypatch.setattr(harness, "WATCH_PERIOD_S", 0.02)
    bomb = """
    import os, threading
    def chat(thread_id, text):
        for _ in range(5):  # 32 processes in all, where nothing stops it
            os.fork()
        threading.Event().wait()
    """
    began = time.monotonic()
    verdict = light.verdict(bomb)
    says = "the submission passed a limit: processes (12 processes), found "
    report(verdict, Case("", says, "what starts processes"), began)
    assert light.verdict(RETURNS).passed  # and the next submission runs


def test_memory_of_all(light: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """what all processes of a run keep in memory has a limit together"""
    monkeypatch.setattr(tree, "TREE_MEMORY_LIMIT_B", 300 * limits.MIB)
    hog = """
    import threading
    def chat(thread_id, text):
        kept = b"x" * (400 << 20)
        threading.Event().wait()
    """
    began = time.monotonic()
    says = "the submission passed a limit: memory (300 MiB), found "
    report(light.verdict(hog), Case("", says), began)


def test_two_hangs(light: Warm) -> None:
    """after the first hang of a scenario there is little patience left for others"""
    hangs = "import threading\ndef chat(thread_id, text):\n    threading.Event().wait()"
    calls = [process(n).calls("chat", "{thread}", "a") for n in range(3)]
    seen = light.history(hangs, *calls)
    limit = f"{limits.HURRIED_LIMIT_S:g} s passed"
    assert ["4 s passed", limit, limit] == [r.data["message"] for r in seen.replies]
