"""What is done with a subscription while somebody waits: ended, with its period or at once, or let go on."""

import errors
from models import ClientSubscription
from models.database import transaction
from services import stripe_accounts, subscriptions
from services.stripe_news import News


async def cancel(row: ClientSubscription, *, at_period_end: bool) -> ClientSubscription:
    """End it with the period that is paid for, or at once. Raises Conflict for one that ended, or what Stripe said."""
    await _must_be_of_now(row)
    if at_period_end and row.cancel_at_period_end:
        return row
    if at_period_end:
        return await _changed(row, {"cancel_at_period_end": True})
    return await _changed(row, None)


async def resume(row: ClientSubscription) -> ClientSubscription:
    """Let one go on that was to end with its period. Raises Conflict for any other."""
    await _must_be_of_now(row)
    if not row.cancel_at_period_end:
        raise errors.Conflict("This subscription goes on by itself: nothing is to be resumed.", field=_FIELD)
    return await _changed(row, {"cancel_at_period_end": False})


_FIELD = "input.subscription"


async def _must_be_of_now(row: ClientSubscription) -> None:
    row.must_go_on()
    if not await stripe_accounts.serves(row.stripe_account, row.live):
        raise errors.Conflict("This subscription is in Stripe's other mode.", field=_FIELD)


async def _changed(row: ClientSubscription, request: dict[str, bool] | None) -> ClientSubscription:
    """Ask Stripe for a change, for the end where there is no request, and take its answer as an event's."""
    stripe = await stripe_accounts.at(row.stripe_account, row.live)
    asked_at = await subscriptions.now()
    try:
        if request is None:
            answer = await stripe.cancel_subscription(row.stripe_id)
        else:
            answer = await stripe.update_subscription(row.stripe_id, request)
    except errors.Gone:  # ended meanwhile, and its event is under way
        heard = await subscriptions.look(stripe, row.stripe_id)
    else:
        heard = await subscriptions.heard(stripe, answer.to_dict(), asked_at)
    news = News(row.stripe_account, row.live, asked_at, f"subscription_{row.id.hex}")
    async with transaction():
        await subscriptions.take(news, heard)
    return row
