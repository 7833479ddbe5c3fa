"""What an erased client was at Stripe: the customers, and the events that tell of them. An event is kept as it was
posted, with the name, the address and the phone number that Stripe had; of an erased client only that it came, of which
type it was and what was made of it is kept. Those that were here are looked through once; one that comes later is
emptied with its handling."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import models
from models import Attempt, Client, Erasure, Lane, Operation
from models.database import query, transaction
from services.outbox import Again, job
from services.stripe_accounts import Place

BLANK = """'{"erased": true}'::bytea"""
AT_ONCE = 1000  # events that are looked at in a transaction
IDS_MOST = 200  # that are looked for in one event
SOON = timedelta(hours=1)
BEFORE = timedelta(days=30)  # by so much an event is older at most than a client of whom it told first


_ID = re.compile(r"[\w-]{8,255}", re.ASCII)


def ids_in(named: dict[str, Any]) -> list[str]:
    """Ids by which an event's object may name a client: its own, and what it says and its metadata do. The first of
    them: Stripe's objects have fewer."""
    metadata = named.get("metadata")
    values = (*named.values(), *(metadata.values() if isinstance(metadata, dict) else ()))
    return [value for value in values if isinstance(value, str) and _ID.fullmatch(value)][:IDS_MOST]


def of_erased(event: str, ids: str) -> str:
    """SQL: whether an `event`, a row with `stripe_account` and `live`, is about a client who was erased. `ids`, a
    text[], are those that are in it."""
    place = f"(stripe_account, live) = ({event}.stripe_account, {event}.live) AND stripe_id = ANY({ids})"
    return f"""(EXISTS (SELECT FROM erasures) AND EXISTS (
        SELECT FROM erasures WHERE client_id IN (
            SELECT client_id FROM attempts WHERE {place} AND operation = 'CREATE_CUSTOMER'
            UNION ALL SELECT id FROM clients
            WHERE (stripe_account, stripe_live) = ({event}.stripe_account, {event}.live) AND stripe_id = ANY({ids})
            UNION ALL SELECT client_id FROM subscriptions WHERE {place}
            UNION ALL SELECT client_id FROM orders WHERE id IN (
                SELECT order_id FROM payments WHERE {place}
                UNION ALL SELECT CASE WHEN id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN id::uuid END
                FROM unnest({ids}) AS id
            )
        )
    ))"""  # noqa: S608


async def customers(client: Client) -> list[tuple[Place, str]]:
    """What the client is at Stripe, wherever."""
    made = Attempt.filter(client_id=client.id, operation=Operation.CREATE_CUSTOMER).exclude(stripe_id=None)
    found = {(Place.of(each), str(each.stripe_id)) for each in await made}
    if client.stripe_id:
        found.add((Place(str(client.stripe_account), bool(client.stripe_live)), client.stripe_id))
    return sorted(found, key=lambda each: each[1])


@job(Lane.SYNC, timeout=3600)
async def blank_events(erasure: Erasure) -> None:
    """Take away what events hold that name the client, or what they paid by. One that is not handled yet is waited
    for."""
    client = await Client.get(id=erasure.client_id)
    names, last, waits = await _names(client), await _first(client), False
    while last is not None:
        async with transaction():
            (seen,) = await query(_BLANK, last, names, AT_ONCE)
        last, waits = seen["last"], waits or seen["waits"]
    if waits:
        raise Again(datetime.now(UTC) + SOON, "an event of theirs is not handled yet")


async def _names(client: Client) -> list[bytes]:
    """Ids by which events name the client, in the quotation marks of JSON: customers, orders, and what they paid by."""
    paid = models.Payment.filter(order__client_id=client.id, stripe_id__isnull=False)
    found = [
        *(id for _, id in await customers(client)),
        *await models.Order.filter(client_id=client.id).values_list("id", flat=True),
        *await paid.values_list("stripe_id", flat=True),
        *await models.ClientSubscription.filter(client_id=client.id).values_list("stripe_id", flat=True),
    ]
    return [f'"{id}"'.encode() for id in found]


async def _first(client: Client) -> UUID:
    """An id before those of all events about them: ids are by time, whom they were merged with may be older, and a sale
    at Stripe makes its client only once it is heard of."""
    merged = await models.ClientMerge.filter(client_id=client.id).values_list("duplicate_id", flat=True)
    first = min([client.id, *(UUID(str(id)) for id in merged)])
    return UUID(int=first.int - (int(BEFORE / timedelta(milliseconds=1)) << 80))  # RFC 9562, 5.7


_BLANK = f"""
    WITH looked AS (
        SELECT id, handled_at IS NOT NULL AS handled,
            EXISTS (SELECT FROM unnest($2::bytea[]) AS name WHERE position(name IN body) > 0) AS theirs
        FROM (SELECT id, handled_at, body FROM stripe_events WHERE id > $1 ORDER BY id LIMIT $3) AS page
    ), blanked AS (
        UPDATE stripe_events SET body = {BLANK} FROM looked
        WHERE stripe_events.id = looked.id AND theirs AND handled
    )
    SELECT (SELECT id FROM looked ORDER BY id DESC LIMIT 1) AS last,
        coalesce(bool_or(theirs AND NOT handled), false) AS waits FROM looked
"""  # noqa: S608
