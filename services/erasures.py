"""Erasing a person: what the law does not keep is deleted or blanked, in the caller's transaction; a record says what
was kept and why. What does which is a table, `services/personal_data.py`.

The client is locked first, all else behind them. Invoices stay as they were issued.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

import errors
import models
from errors import Conflict
from models import BilanStatus, Client, DestructionReason, DocumentKind, Erasure, Lane
from models.base import Owned
from models.client_import import FINISHED
from models.database import query, transaction
from models.export import UNDER_WAY
from services import data_exports, documents, erased_accounts, stripe_accounts, stripe_traces
from services.outbox import job, later
from services.personal_data import HELD, WORD, Sql

FIELD = "input.client"
# Of bilans what is not kept for three years; the synthesis is the beneficiary's, who asks for it to go.
_GOING = (DocumentKind.SYNTHESIS, DocumentKind.OTHER)

NEWS = timedelta(days=3)  # for so long Stripe tells again of what it could not, the customer's deletion too

Ids = list[UUID]


async def erase(client: Client, by: UUID | None) -> Erasure:
    """Take away what says who the client is, and what was written with and of them. Locked by the caller.

    Raises Conflict, naming what, while something with them is under way, and where they are erased already.
    """
    if client.is_erased:
        raise Conflict("This client is erased already.", field=FIELD)
    if going_on := await under_way(client):
        raise Conflict(f"Settle first what is under way with this client: {', '.join(going_on)}.", field=FIELD)
    bilans: Any = await models.Bilan.filter(client_id=client.id).values_list("id", flat=True)
    destroyed = await documents.destroy_all_of(bilans, DestructionReason.ERASURE, by=by, kinds=_GOING)
    await data_exports.destroy_all_of(client)
    await _withdraw_consents(client)
    erasure = Erasure(
        organization_id=client.organization_id, client=client, documents=destroyed, deleted={}, blanked={}, kept=[],
        erased_by_id=by,
    )  # fmt: skip
    for each, ids_of_account, columns in await erased_accounts.blank(client):
        erasure.blanked[each.__name__] = len(ids_of_account)
        await blank_log(client.organization_id, each, ids_of_account, columns)
    for model, held in HELD.items():
        ids: Any = list(await model.filter(**{held.path: client.id}).values_list("id", flat=True))
        if not ids:
            continue
        if held.deleted:
            await model.filter(id__in=ids).delete()
            erasure.deleted[model.__name__] = len(ids)
        else:
            erasure.kept.append([model.__name__, len(ids), held.because])
            if held.blanked:
                await _blank(model, ids, held.blanked)
                erasure.blanked[model.__name__] = len(ids)
        await blank_log(client.organization_id, model, ids, sorted(held.personal(model)))
        # Why a letter was not taken, say: mail servers name whom they refuse.
        await query("UPDATE outbox SET error = NULL WHERE subject_id = ANY($1) AND error IS NOT NULL", ids)
    await _blank_log_of_those_gone(client)
    await query(_EVENTS, client.id)
    await client.refresh_from_db()
    await erasure.save()
    await later(erase_at_stripe, erasure)
    await later(stripe_traces.blank_events, erasure)
    await later(stripe_traces.blank_events, erasure, at=datetime.now(UTC) + NEWS)
    return erasure


async def under_way(client: Client) -> list[str]:
    """What stands in the way of erasing a client, with how many of each."""
    found = Counter({name: await rows.count() for name, rows in _under_way(client).items()})
    return [f"{name} ({number})" for name, number in found.items() if number]


async def blank_log(organization_id: UUID, model: type[Any], ids: Ids, columns: Sequence[str]) -> None:
    """The audit log keeps who did what and when, and no longer what the columns held. In the open transaction."""
    if columns and ids:
        async with erasing(ids[0]):
            await query(_LOG, organization_id, model.__name__, ids, list(columns))


@asynccontextmanager
async def erasing(subject: UUID) -> AsyncIterator[None]:
    """Within it PostgreSQL lets go of what it keeps else, in the open transaction."""
    await query("SELECT set_config('comptoir.erasing', $1, true)", str(subject))
    yield
    await query("SELECT set_config('comptoir.erasing', '', true)")


@job(Lane.SYNC)
async def erase_at_stripe(erasure: Erasure) -> None:
    """Delete the customers that the client was at Stripe, with the payment methods saved there; what they paid stays
    (https://docs.stripe.com/api/customers/delete)."""
    client = await Client.get(id=erasure.client_id)
    for place, id in await stripe_traces.customers(client):
        with suppress(errors.Gone):  # somebody deleted it there
            await (await stripe_accounts.at(place.account, place.live)).delete_customer(id)
    async with transaction():
        await Erasure.filter(id=erasure.id).update(stripe_erased_at=datetime.now(UTC))


def _under_way(client: Client) -> dict[str, Any]:
    of_client: dict[str, Any] = {"client_id": client.id}
    of_orders: dict[str, Any] = {"order__client_id": client.id}
    bilans = Q(client_id=client.id) | Q(employer_id=client.id) | Q(fundings__payer_id=client.id)
    over = (models.SubscriptionStatus.CANCELED, models.SubscriptionStatus.INCOMPLETE_EXPIRED)
    return {
        "open orders": models.Order.filter(**of_client, status=models.OrderStatus.OPEN),
        "payments on their way": models.Payment.filter(**of_orders, status=models.PaymentStatus.PROCESSING),
        "refunds on their way": models.Refund.filter(**of_orders, status=models.RefundStatus.PENDING),
        "open disputes": models.Dispute.filter(**of_orders, status=models.DisputeStatus.OPEN),
        "notifications to partners": models.Notification.filter(
            **of_orders, status=models.NotificationStatus.PENDING
        ),
        "subscriptions": models.ClientSubscription.filter(**of_client).exclude(status__in=over),
        "open quotes": models.Quote.filter(
            **of_client, status__in=(models.QuoteStatus.DRAFT, models.QuoteStatus.SENT)
        ),
        "open opportunities": models.Opportunity.filter(**of_client).exclude(
            stage__in=(models.OpportunityStage.WON, models.OpportunityStage.LOST)
        ),
        "bookings": models.Booking.filter(
            **of_client, status__in=(models.BookingStatus.PENDING, models.BookingStatus.CONFIRMED)
        ),
        "bilans": models.Bilan.filter(bilans).exclude(status__in=(BilanStatus.COMPLETED, BilanStatus.CANCELED)),
        "a member who signs in as the client": models.Membership.filter(id=client.member_id, active=True),
        "an export of their data": models.ClientDataExport.filter(**of_client, status__in=UNDER_WAY),
        "an import of clients": models.ClientImport.filter(
            organization_id=client.organization_id
        ).exclude(status__in=FINISHED),
    }  # fmt: skip


async def _withdraw_consents(client: Client) -> None:
    """None holds any longer; that they did is proven."""
    now = datetime.now(UTC)
    await models.ClientConsent.filter(client_id=client.id, withdrawn_at=None).update(withdrawn_at=now)


async def _blank(model: type[Owned], ids: Ids, blanked: Mapping[str, Any]) -> None:
    """All columns of a row at once: some are only there together."""
    becomes = ", ".join(f"{name} = {_blanked(name, value)}" for name, value in blanked.items())
    await query(f"UPDATE {model._meta.db_table} SET {becomes} WHERE id = ANY($1)", ids)  # noqa: S608 - texts of ours


def _blanked(name: str, value: Any) -> str:
    """What a column holds then, in SQL. A text that must be there becomes a word; one that need not be stays out."""
    if isinstance(value, Sql):
        return value
    if value is None:
        return "NULL"
    return f"CASE WHEN {name} IS NULL THEN NULL ELSE '{WORD}' END" if value == WORD else f"'{value}'"


async def _blank_log_of_those_gone(client: Client) -> None:
    """The same of clients who were merged into this one, and of contacts who were deleted before."""
    merged: Any = await models.ClientMerge.filter(client_id=client.id).values_list("duplicate_id", flat=True)
    former = [client.id, *merged]
    deleted = await query(
        "SELECT subject_id FROM audit_entries WHERE organization_id = $1 AND action = 'contactDelete'"
        " AND before ->> 'client_id' = ANY($2)",
        client.organization_id, [str(id) for id in former],
    )  # fmt: skip
    for model, ids in ((Client, merged), (models.Contact, [row["subject_id"] for row in deleted])):
        await blank_log(client.organization_id, model, ids, sorted(HELD[model].personal(model)))


# In calendars an appointment is called after who comes, and so are conflicts over it.
_EVENTS = (
    "UPDATE calendar_conflicts SET title = NULL"
    " WHERE appointment_id IN (SELECT appointment_id FROM bookings WHERE client_id = $1)"
)
_ERASED = (
    "(SELECT coalesce(jsonb_object_agg(key, CASE WHEN key = ANY($4) THEN '\"[erased]\"' ELSE value END), '{{}}')"
    " FROM jsonb_each({}))"
)
_LOG = (
    f"UPDATE audit_entries SET before = {_ERASED.format('before')}, after = {_ERASED.format('after')}"  # noqa: S608
    " WHERE organization_id = $1 AND subject_type = $2 AND subject_id = ANY($3)"
    " AND (before ?| $4 OR after ?| $4)"
)
