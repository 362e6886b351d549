"""What the ledger has charged: its own count, whatever the replies say."""

from __future__ import annotations

from grader.vocabulary.claims import fail, holds
from grader.vocabulary.observation import Observation
from grader.vocabulary.outside import CHARGE
from grader.vocabulary.run import Run

KEY = "what tells the ledger that this is the payment it has charged already?"
PAID = (
    "`charge_id` is the `id` in the ledger's answer, and `status` is `paid` once you "
    "have that answer"
)


def charged(run: Run, order: str, amount: str) -> Observation:
    """Return the one charge of an order; fail where there is none, or several."""
    ordered = {value for name, value in run.drawn.values.items() if "order" in name}
    new = [seen for seen in run.of("charge") if seen.data["new"]]
    strange = [seen for seen in new if seen.data["order"] not in ordered]
    if strange:
        fail(
            "something was charged that is no order",
            because=strange[:2],
            help="what does the ledger need to see in the body of `POST /charges`?",
        )
    asked = [seen for seen in run.of("charge") if seen.data["order"] == order]
    made = [seen for seen in asked if seen.data["new"]]
    if not made:
        fail(
            "nothing was charged for the order",
            because=[*asked[:2], *run.replies[-1:]],
            help="what did the ledger answer, and what did your code make of it?",
        )
    if len(made) > 1:
        total = sum(seen.data["amount"] for seen in made)
        keys = {seen.data["key"] for seen in made}
        fail(
            f"an order of {amount} was charged {len(made)} times: {total} in all",
            because=sorted([*made, *run.of("fault")], key=lambda seen: seen.number),
            help=KEY
            if keys == {""}
            else "two attempts sent two keys: what in the key "
            "changes from one attempt, or process, to the other?",
        )
    if made[0].data["amount"] != int(amount):
        fail(
            f"the order was of {amount}, and {made[0].data['amount']} was charged",
            because=made,
            help="an amount is in cents, and goes to the ledger as it comes",
        )
    return made[0]


def paid(reply: Observation, charge: Observation) -> None:
    """Fail unless a reply says paid, and names the charge."""
    expected = {"status": "paid", "charge_id": charge.data["charge_id"]}
    holds(reply, expected, because=[charge], help=PAID)


def once(run: Run, order: str, amount: str) -> None:
    """Fail unless an order is charged once, and every reply that came says so."""
    charge = charged(run, order, amount)
    for reply in run.replies:
        if reply.data.get("error") != "killed":
            paid(reply, charge)


def believed(run: Run, reply: Observation, order: str) -> None:
    """Fail where a reply says paid and names no charge of the order until then."""
    if not reply.ok or reply.value.get("status") != "paid":
        return
    until = [seen for seen in run.of("charge") if seen.number < reply.number]
    # A request that charged nothing has no charge to name. A list: what a reply names
    # may be anything, also what no set can look for.
    made = [s.data["charge_id"] for s in until if s.data["order"] == order]
    if reply.value.get("charge_id") not in [one for one in made if one]:
        fail(
            "it said `paid`, and named no charge of the ledger",
            because=[*until[-1:], reply],
            help="what does your code know when the ledger's answer is an error? "
            "It may raise, or return another status",
        )


def paying_at_once(run: Run, process: int | None) -> None:
    """Fail unless a process asked the ledger for two orders before one was answered.

    They are held there, with others, in one step.
    """
    released = run.of("released", CHARGE)
    held = [s for s in run.of("held", CHARGE) if s.process == process]
    if not released or sum(s.number < released[0].number for s in held) < 2:
        fail(
            "a request reached the ledger after another one was answered there",
            because=[*run.of("call")[-2:], *held[:2], *released[:1]],
            help="what does a server do while the ledger thinks?",
        )
