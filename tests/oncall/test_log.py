"""The log of a load says by process and by run what came of it."""

from __future__ import annotations

from grader.oncall.load import Customer, _found, _logged
from grader.oncall.log import Log, Row

ROWS = (
    Row("a1", "customer-a", "tells", 71, 200),
    Row("a2", "customer-a", "asks", 72, 200, found="another name (customer-b)"),
    Row("b1", "customer-b", "tells", 71, 500, "KeyError", "an error"),
    Row("", "customer-b", "is billed", found="charged twice"),
)
LOG = Log(4, ROWS)


def test_the_message() -> None:
    """the caption counts requests, not bills, and each finding by its kind"""
    assert LOG.caption == (
        "3 requests to 4 processes: 1 × another name, 1 × an error, 1 × charged twice."
    )
    assert Log(1, ROWS[:1]).caption == "1 requests to one process: nothing found."


def test_by_process_and_by_run() -> None:
    """text and page have the share of each process, and each run with its exception"""
    for words in (LOG.text, LOG.html):
        assert "1 (pid 71)" in words
        assert "KeyError" in words
        assert "b1" in words
    assert "process 1 (pid 71): 2 requests, 1 with a finding" in LOG.text
    assert 'scope="row"' in LOG.html


def test_words_are_escaped() -> None:
    """what an application answers cannot steer the page"""
    page = Log(1, (Row("a", "<b>", "<i>", found="another name (<script>)"),)).html
    assert "<script>" not in page
    assert "<i>" not in page


def test_findings() -> None:
    """an answer is another's, forgetful, an error, or right"""
    ada = Customer("customer-a", "amber")
    right = {"user_id": "customer-a", "answer": "It is amber."}
    assert _found(ada, "asks", right) == ""
    assert _found(ada, "asks", {**right, "answer": "?"}) == "forgot the word"
    assert _found(ada, "tells", {**right, "answer": "?"}) == ""
    assert _found(ada, "asks", {**right, "user_id": "eve"}) == "another name (eve)"
    assert _found(ada, "asks", {}) == "an error"
    assert next(what for what, _ in ada.requests) == "tells"


def test_a_row_takes_its_process_and_exception_from_the_log() -> None:
    """lines of the same run are joined, in whatever order they came"""
    lines = [{"process": 7, "run": "a1", "status": 500}]
    lines += [{"process": 7, "run": "a1", "error": "KeyError"}, {"message": "up"}]
    found = _logged(Row("a1", "a", "tells"), lines)
    assert (found.process, found.error) == (7, "KeyError")
    assert _logged(Row("", "a", "is billed"), lines).process == 0
