"""What falls due with time, each thing at its own moment: renewals, their invoices, what is charged again.

Like Stripe's test clocks, of the whole account: https://docs.stripe.com/billing/testing/test-clocks
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from sandbox import stripe_subscriptions as subscriptions
from sandbox.stripe_books import Books
from sandbox.stripe_objects import Object

STEPS_MOST = 10_000
"""Renewals and attempts in one go: more is a clock that was advanced by too much."""


class Due(NamedTuple):
    at: int
    do: Callable[[Books, Object], list[Object]]
    thing: Object


def catch_up(books: Books) -> list[Object]:
    """Do what has fallen due until now, the oldest first; gives the events made."""
    events: list[Object] = []
    for _ in range(STEPS_MOST):
        due = min(_due(books), key=lambda each: each.at, default=None)
        if due is None:
            return events
        with books.at(due.at), books.store.transaction():
            events += due.do(books, due.thing)
    raise RuntimeError(f"more than {STEPS_MOST} renewals at once")


def _due(books: Books) -> Iterator[Due]:
    now = books.now
    renewed = [("status", "IN", list(subscriptions.RENEWED)), ("current_period_end", "<=", now)]
    for subscription in books.store.all("subscription", renewed):
        yield Due(subscription["current_period_end"], subscriptions.renew, subscription)
    for invoice in books.store.all("invoice", [("status", "=", "draft"), ("automatically_finalizes_at", "<=", now)]):
        yield Due(invoice["automatically_finalizes_at"], subscriptions.finalize, invoice)
    for invoice in books.store.all("invoice", [("status", "=", "open"), ("next_payment_attempt", "<=", now)]):
        yield Due(invoice["next_payment_attempt"], subscriptions.retry, invoice)
