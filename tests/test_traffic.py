"""What a long game day came to is said by the trusted side's own observations."""

from __future__ import annotations

from typing import Any

from grader import traffic
from grader.vocabulary.outside import Traffic
from grader.vocabulary.scenario import Scenario
from tests.vocabulary.made import Event, answered, call, charge, killed, reply, run

TOLD = {"user_id": "ada", "text": "My lucky word is sun."}
ASKED = {"user_id": "ada", "text": "What is my lucky word? Turn 1."}
BUYS = {"user_id": "ada", "text": "I take it.", "order_id": "A", "amount": "900"}


def failed(id: int, error: str) -> Event:
    data = {"id": id, "function": "POST /chat", "error": error, "message": "oh"}
    return 0, "reply", data


def outcome(*events: Event) -> traffic.Outcome:
    drawn: dict[str, Any] = {"user_1": "ada", "word_1": "sun", "order_1x1": "A"}
    return traffic.judged(run(*events, **drawn, number="900"), 1.0)


def said(id: int, answer: str, user: str = "ada") -> Event:
    return reply(id, {"user_id": user, "answer": answer})


def test_recoveries_are_counted_by_request() -> None:
    """a request that was sent again is one request, with an error and a recovery"""
    found = outcome(
        *(call(1, TOLD), killed(), failed(1, "killed")),
        *(call(2, TOLD), said(2, "sun")),
        *(call(3, BUYS), charge("A"), said(3, "")),
    )
    assert (found.requests, found.attempts, found.recovered) == (2, 3, 1)
    assert (found.errors, found.faults) == ({"killed": 1}, {"killed": 1})
    assert found.problems == ()
    assert "1 orders, each charged once" in str(found)


def test_each_problem_is_said() -> None:
    """what is never answered, somebody else's, forgotten or doubled is a problem"""
    found = outcome(
        *(call(1, TOLD), failed(1, "killed")),
        *(call(2, {**TOLD, "text": "Hello."}), said(2, "", user="eve")),
        *(call(3, ASKED), said(3, "I do not know.")),
        *(charge("A"), charge("A", id="ch_2")),
        answered(1, "", status=500),
    )
    starts = (
        "never answered",
        "another user's",
        "lost what it was told",
        "A: an order",
    )
    assert len(found.problems) == len(starts)
    for start, problem in zip(starts, found.problems, strict=True):
        assert problem.startswith(start)
    assert found.faults == {"the model failed": 1}


def test_all_names_of_a_day_are_drawn() -> None:
    """each conversation has a thread, a user and a word, and orders of its own"""
    (day,) = traffic.exercise(conversations=3, turns=5).scenarios.values()
    assert day.process_count == traffic.SERVERS
    kinds = [name.partition("_")[0] for name in day.fields]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        **{"thread": 3, "user": 3, "word": 3},
        **{"number": 1, "order": 3 * 2},
    }


def test_a_scenario_without_traffic_has_its_own_processes() -> None:
    """servers are counted where traffic names them"""
    step = Traffic("/chat", (({"text": "{word}"},),), 2, {}, "reply")
    assert Scenario("s", "", (step,)).process_count == 2
