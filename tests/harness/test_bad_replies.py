"""A reply that is no JSON, or none that was asked for, is said to be so."""

from __future__ import annotations

import time

import pytest

from grader.vocabulary import process
from tests.harness.reported import RETURNS, Case, report
from tests.harness.small import Warm, exercise

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
