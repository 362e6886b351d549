"""A run finds what belongs together, whatever else happened in between."""

from __future__ import annotations

import pytest

from grader.vocabulary import CheckFailed
from tests.vocabulary.made import answered, asked, call, raised, reply, run, stored

TWO = run(
    call(1, "a", "one"),
    call(2, "b", "two", process=1),
    asked(7, "the first", "two", event="draft"),
    asked(8, "one"),
    answered(8, "to one"),
    reply(1, "to one"),
    answered(7, "to two", event="draft"),
    reply(2, {"texts": ["to two"], "mixed": ["to", 2]}, process=1),
    stored(["to one"]),
    call(3, "a", "three"),
    raised(3, "ValueError"),
    stored(["to one"], ["to two"]),
)
ONE, OTHER, WRONG = TWO.replies


def numbers(*found: object) -> list[int]:
    return [getattr(seen, "number", 0) for seen in found]


def test_calls_and_replies_find_each_other() -> None:
    """a reply's call and a call's reply have the same id, whatever their order"""
    assert numbers(*map(TWO.call, TWO.replies)) == [1, 2, 10]
    assert numbers(*map(TWO.reply, TWO.of("call"))) == [6, 8, 11]


def test_answers_are_found_by_what_was_asked() -> None:
    """an answer belongs to the request that holds a text, in any of its messages"""
    assert numbers(*TWO.answers()) == [5, 7]
    assert numbers(*TWO.answers(about="one")) == [5]
    assert numbers(*TWO.answers(about="the first")) == [7]
    assert numbers(*TWO.answers(about="one", event="draft")) == []
    assert numbers(TWO.request(TWO.of("answer")[1])) == [3]


def test_during_a_call() -> None:
    """what happened during a call is after it and before its reply"""
    assert numbers(*TWO.during(ONE, "answer")) == [5]
    assert numbers(*TWO.during(OTHER, "answer")) == [5, 7]
    assert numbers(*TWO.during(WRONG, "answer")) == []


def test_the_database_before_and_after() -> None:
    """what was stored when a call was made, and once it had returned"""
    assert numbers(TWO.stored_before(WRONG), TWO.stored_after(OTHER)) == [9, 9]
    assert numbers(TWO.stored_after(WRONG)) == [12]


def test_what_a_reply_holds() -> None:
    """a key that a reply lacks holds nothing; a reply without a value ends the check"""
    assert OTHER.at("texts") == OTHER.texts("texts") == ["to two"]
    assert OTHER.at("other") is None
    assert ONE.at("texts") is None
    for absent in ("other", "mixed"):
        with pytest.raises(CheckFailed, match=f"no list of texts in `{absent}`"):
            OTHER.texts(absent)
    with pytest.raises(CheckFailed, match="chat raised ValueError in process 0"):
        WRONG.at("texts")


def test_what_is_stored_may_be_unreadable() -> None:
    """where no checkpoint can be read one may hold anything, and none holds nothing"""
    assert [seen.keeps("two") for seen in TWO.stored] == [False, True]
    assert not run(stored()).stored[0].keeps("two")
    assert run(stored(None, None)).stored[0].keeps("two")
    assert not run(stored(["one"], None)).stored[0].keeps("two")


def test_files_beside_the_database() -> None:
    """the files that SQLite keeps beside a database are its own"""
    assert run(stored(files=("a.db-wal",))).stored[0].beside == ""
    found = run(stored(files=("a.db-wal", "memory.json", "b.pkl"))).stored[0]
    assert found.beside == "; it wrote memory.json, b.pkl"


def test_a_call_that_was_never_made() -> None:
    """a reply of a process that had ended before fails a check, and breaks none"""
    made = run(raised(1, "not_run"))
    with pytest.raises(CheckFailed):
        made.call(made.replies[0])
    with pytest.raises(CheckFailed):
        made.during(made.replies[0], "answer")


def test_what_is_stored_around_a_first_call() -> None:
    """before the first call nothing was looked at; after the last one perhaps"""
    made = run(call(1), reply(1, "a"), stored(["a"]))
    assert made.stored_before(made.replies[0]) is made.stored[0]
    ended = run(call(1), raised(1, "hang"))
    for look in (ended.stored_before, ended.stored_after):
        with pytest.raises(CheckFailed):
            look(ended.replies[0])


def test_what_is_stored_in_words() -> None:
    """a line says what the database holds, and where in it a key of the model is"""
    who, kind, data = stored(["hello"])
    (seen,) = run((who, kind, data)).stored
    assert str(seen).endswith("holds checkpoints: 2 of 'thread-0'")
    keys = [{"where": "table writes"}, {"where": "table writes"}, {"where": "base-wal"}]
    (seen,) = run((who, kind, {**data, "keys": keys})).stored
    assert str(seen).endswith("'thread-0'; an API key in table writes, base-wal")
