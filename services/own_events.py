"""Events of organizations' own accounts that cannot be handled: theirs to look into, and no alert of ours.

Whoever has an account of their own signs what they please: other software may use it too, and name orders that are not
here. Such an event is tried for a quarter of an hour, in case what it names is still to come, then left to a person of
the organization: one row, however many there are. What our side lacks, a key or an answer of Stripe's, is waited for
as long as Stripe itself would deliver.
"""

import logging
from datetime import UTC, datetime, timedelta

from tortoise.exceptions import DBConnectionError

from errors import NotConfigured, ProviderError
from models import Conflict, ConflictKind, StripeAccount, StripeEvent
from services.outbox import Theirs

log = logging.getLogger("comptoir.stripe_accounts")

TRIED_FOR = timedelta(minutes=15)  # some ten times
WAITED_FOR = timedelta(days=3)
ELSEWHERE = (ProviderError, NotConfigured, DBConnectionError, OSError)
OUTCOME = "left to the organization: it could not be handled"


def judge(error: Exception, failing_since: datetime | None) -> None:
    """Raises Theirs as long as an event that failed is tried again."""
    patience = WAITED_FOR if isinstance(error, ELSEWHERE) else TRIED_FOR
    if failing_since is None or datetime.now(UTC) - failing_since < patience:
        raise Theirs(f"{type(error).__name__}: {error}") from error


async def leave(event: StripeEvent, error: Exception) -> str:
    """Leave it to a person, in a transaction; what came of it. One row of an account is open at a time: whoever writes
    it has the account locked."""
    account = await StripeAccount.select_for_update(no_key=True).get(account=event.stripe_account, live=event.live)
    open = Conflict.filter(
        organization_id=account.organization_id, kind=ConflictKind.UNKNOWN_SALE, order_id=None, resolved_at=None,
        reference__startswith=f"{account.account}:",
    )  # fmt: skip
    if not await open.exists():
        log.error("account %s, event %s cannot be handled: %r", account.account, event.stripe_id, error)
        await Conflict.create(
            organization_id=account.organization_id, kind=ConflictKind.UNKNOWN_SALE,
            reference=f"{account.account}:{event.stripe_id}"[:255], message=_words(account, event, error),
        )  # fmt: skip
    return OUTCOME


def _words(account: StripeAccount, event: StripeEvent, error: Exception) -> str:
    return (
        f"Events of your Stripe account {account.account} could not be handled, the first {event.stripe_id}"
        f" ({event.type}): {str(error)[:150]}. If other software sells through that account, nothing is to be done."
        " Else look at Stripe what was paid, and record it (paymentRecord), or refund it there."
    )[:500]
