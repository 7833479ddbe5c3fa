"""What may become of what, as tables: news come in any order and more than once, and lead to the same end."""

from collections.abc import Mapping

from models.subscription import SubscriptionStatus as S

_BEGUN = frozenset({S.TRIALING, S.ACTIVE, S.PAST_DUE, S.UNPAID, S.PAUSED, S.CANCELED})

SUBSCRIPTION: Mapping[S, frozenset[S]] = {
    S.INCOMPLETE: _BEGUN | {S.INCOMPLETE_EXPIRED},
    S.TRIALING: _BEGUN,
    S.ACTIVE: _BEGUN,
    S.PAST_DUE: _BEGUN,
    S.UNPAID: _BEGUN,
    S.PAUSED: _BEGUN,
    S.CANCELED: frozenset(),
    S.INCOMPLETE_EXPIRED: frozenset(),
}
"""A subscription: what Stripe may say of it next. Anything else it says is late, and changes nothing."""


def follow(table: Mapping[S, frozenset[S]], state: S, told: S) -> S:
    """The state that news lead to."""
    return told if told in table[state] else state
