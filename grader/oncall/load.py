"""The same load at one process and at four: ten customers at once, forty requests."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from grader.client import ServiceGone
from grader.displays import Notice
from grader.notebook import LOCKED, STARTER
from grader.oncall.log import Log, Row
from grader.oncall.server import NotStarted, Server
from grader.session import JUDGED_OUTSIDE, NO_EXERCISE, client, current
from grader.vocabulary.modules import Indivisible

CUSTOMERS = 10
ANSWER_LIMIT_S = 60.0
WORDS = tuple("amber birch cedar delta ember fjord grape hazel iris jade".split())  # noqa: SIM905
OUTSIDE = Notice("while a notebook is graded, no server is started in its kernel")


@dataclass(frozen=True, slots=True)
class Customer:
    """Says a word, orders, sends the order again, and asks for the word."""

    name: str
    word: str

    @property
    def order(self) -> str:
        """The order's name."""
        return f"order-of-{self.name}"

    @property
    def requests(self) -> tuple[tuple[str, dict[str, str]], ...]:
        """What is sent, one after the other, and what each is for."""
        of = {"thread_id": f"thread-of-{self.name}", "user_id": self.name}
        order = {"text": "I take it.", "order_id": self.order, "amount": "1250"}
        return (
            ("tells", {**of, "text": f"My lucky word is {self.word}."}),
            ("orders", {**of, **order}),
            ("sends the order again", {**of, **order}),
            ("asks", {**of, "text": "What is my lucky word?"}),
        )


def load(
    workers: int = 1,
    effects: str = "on",
    nodes: str = "recall,think,charge",
    seed: int = 0,
) -> Log | Notice:
    """Serve the code as it is by the real uvicorn, and send it forty requests.

    That is the starter, until a cell with %%submission has been run. Each request has
    a connection of its own, so the system chooses who serves it.

    Args:
        workers: how many processes uvicorn starts.
        effects: "off" and the code's own switch keeps it from charging.
        nodes: of the graph; "think" reduces it to that one.
        seed: of the order in which customers begin.

    Raises:
        ValueError: there is no such number of workers, or no such switch.
    """
    if not 1 <= workers <= 8:
        raise ValueError(f"expected 1 to 8 workers, found {workers}")
    if effects not in ("on", "off"):
        raise ValueError(f'expected effects "on" or "off", found {effects!r}')
    session = current()
    if session is None:
        return NO_EXERCISE
    if JUDGED_OUTSIDE in os.environ:
        return OUTSIDE
    if not session.store.get("predictions"):
        return LOCKED
    starter = Path(STARTER)
    text = session.text or (starter.read_text("utf-8") if starter.is_file() else "")
    try:
        answer = client.ask("playground", stem=session.stem)
        environment = dict(answer.get("environment", {}))
        switches = {"EFFECTS": effects, "NODES": nodes}
        with Server(text, workers, environment | switches) as server:
            rows = list(_sent(server.url, environment, random.Random(seed)))
    except (ServiceGone, NotStarted, Indivisible) as problem:
        return Notice(f"the server did not start: {problem}")
    return Log(workers, tuple(_logged(row, server.lines) for row in rows))


def _sent(
    url: str, environment: Mapping[str, str], rng: random.Random
) -> Iterator[Row]:
    """Let all customers begin at once; yield what each of them got."""
    customers = [Customer(f"customer-{word[0]}", word) for word in WORDS]
    rng.shuffle(customers)
    # A connection for each request: one that is kept would stay with its process.
    once = httpx.Limits(max_keepalive_connections=0)
    ledger = f"{environment['LEDGER_URL']}/charges"
    with (
        httpx.Client(limits=once, trust_env=False, timeout=ANSWER_LIMIT_S) as web,
        ThreadPoolExecutor(CUSTOMERS) as pool,
    ):
        for rows in pool.map(lambda each: _served(web, f"{url}/chat", each), customers):
            yield from rows
        for customer in customers:
            found = web.get(ledger, params={"order_id": customer.order})
            if len(found.json()["data"]) > 1:
                yield Row("", customer.name, "is billed", found="charged twice")


def _served(web: httpx.Client, url: str, customer: Customer) -> list[Row]:
    rows = []
    for number, (what, body) in enumerate(customer.requests, start=1):
        run = f"{customer.word[0]}{number}"
        row = Row(run, customer.name, what)
        try:
            response = web.post(url, params={"run": run}, json=body)
            said = response.json() if response.status_code == 200 else {}
            found = _found(customer, what, said)
            rows.append(replace(row, status=response.status_code, found=found))
        except (httpx.HTTPError, ValueError) as problem:
            rows.append(replace(row, error=type(problem).__name__, found="no answer"))
    return rows


def _found(customer: Customer, what: str, said: Mapping[str, Any]) -> str:
    """Say what is wrong with an answer."""
    if not said:
        return "an error"
    if said.get("user_id") != customer.name:
        return f"another name ({said.get('user_id')})"
    if what == "asks" and customer.word not in str(said.get("answer")):
        return "forgot the word"
    return ""


def _logged(row: Row, lines: list[dict[str, Any]]) -> Row:
    """Add to a request what the server has logged of its run."""
    for line in [line for line in lines if row.run and line.get("run") == row.run]:
        process = int(line["process"])
        error = str(line.get("error", row.error))
        row = replace(row, process=process, error=error)
    return row
