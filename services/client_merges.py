"""Two clients that are one: everything that names the one goes over to the other, in the caller's transaction.

What names a client is found from the models, so that what is added goes over too. Locked first is what others lock
before its client, then both clients, in the order of their ids; all else behind them.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tortoise import Tortoise
from tortoise.exceptions import IntegrityError
from tortoise.expressions import Subquery
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

from errors import Conflict, Invalid
from models import (
    Attempt,
    Bilan,
    Booking,
    BookingStatus,
    Client,
    ClientDataExport,
    ClientMerge,
    ClientSubscription,
    Membership,
    Order,
    PortalToken,
    Quote,
    SubscriptionStatus,
    Ticket,
)
from models.database import query, savepoint
from models.export import UNDER_WAY
from services import clients

# What the one who is kept learns of the other where nothing is known of it; an address whole, or not at all.
LEARNED = (
    ("first_name",), ("last_name",), ("company",), ("siren",), ("vat_number",), ("phone",), ("language",),
    ("consultant_id",), ("address", "postal_code", "city", "country"),
    ("delivery_address", "delivery_postal_code", "delivery_city", "delivery_country"),
)  # fmt: skip
_BEFORE = (ClientSubscription, Order, Quote, Ticket)  # of which others lock a row before they lock its client
_TWIN = ("stripe_id", "stripe_account", "stripe_live")
_NO_PLACE = (BookingStatus.CANCELED, BookingStatus.EXPIRED)
_OVER = (SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED)


@dataclass(frozen=True)
class Preview:
    """What a merge would move and teach, and why it cannot be done; see `ClientMergePreview`."""

    moved: dict[str, int]
    learned: list[str]
    refusals: list[str]


async def preview(kept: Client, duplicate: Client) -> Preview:
    """What merging would do, as things are now."""
    moved: dict[str, int] = {}
    for model, column in _naming():
        if number := await model.filter(**{column: duplicate.id}).count():
            moved[model.__name__] = moved.get(model.__name__, 0) + number
    return Preview(moved, _learned(kept, duplicate), await refusals(kept, duplicate))


async def refusals(kept: Client, duplicate: Client) -> list[str]:
    """Why two clients cannot be one, as sentences that say what to do; none where they can."""
    if kept.id == duplicate.id:
        return ["These are the same client already."]
    if kept.is_erased or duplicate.is_erased:
        return ["One of them was erased: nothing is known of who that was."]
    found = []
    for name, called in (("siren", "SIREN"), ("vat_number", "VAT number")):
        if getattr(kept, name) and getattr(duplicate, name) and getattr(kept, name) != getattr(duplicate, name):
            found.append(f"Each has a {called} of its own: correct one of them first.")
    if not found and not _agree(kept, duplicate):
        found.append("The SIREN of the one is not in the VAT number of the other: correct one of them first.")
    if await _sharing(kept, duplicate):
        found.append("Each has a place at the same appointment: cancel one of these bookings first.")
    both = (kept.id, duplicate.id)
    if await Bilan.exists(client_id__in=both, employer_id__in=both):
        found.append("One of them is the employer in a bilan of the other: they are two.")
    if len(await _signing_in(kept, duplicate)) > 1:
        found.append("Each signs in as a member of their own: remove one of the members first.")
    if await ClientDataExport.filter(client_id__in=both, status__in=UNDER_WAY).exists():
        found.append("An export of the data of one of them is being made: wait for it.")
    running = ClientSubscription.filter(client_id=duplicate.id).exclude(status__in=_OVER)
    if kept.stripe_id and duplicate.stripe_id and kept.stripe_id != duplicate.stripe_id and await running.exists():
        found.append("The duplicate's subscription is paid at another customer of Stripe's: keep that client instead.")
    return found


async def lock_before(duplicate: Client) -> None:
    """Lock what is to go over and is locked before its client wherever it changes (`services/holds.py`), so that
    neither waits for the other."""
    for model in _BEFORE:
        table = model._meta.db_table
        await query(f"SELECT id FROM {table} WHERE client_id = $1 ORDER BY id FOR NO KEY UPDATE", duplicate.id)  # noqa: S608


async def merge(kept: Client, duplicate: Client, by: UUID | None) -> Client:
    """The client who is kept, with all that named the other, who is no more. Both are locked by the caller.

    Raises Conflict, saying why, where they cannot be one.
    """
    if refused := await refusals(kept, duplicate):
        raise Conflict(" ".join(refused), field="input.duplicate")
    await query("SELECT set_config('comptoir.merging', $1, true)", str(duplicate.id))
    moved = await _make_room(kept, duplicate)
    for model, column in _naming():
        if number := await _move(model, column, kept, duplicate):
            moved[model.__name__] = moved.get(model.__name__, 0) + number
    learned = {name: getattr(duplicate, name) for name in _learned(kept, duplicate)}
    if kept.stripe_id is None and duplicate.stripe_id:
        learned |= {name: getattr(duplicate, name) for name in _TWIN}
    learned |= {"member_id": next(iter(await _signing_in(kept, duplicate)), kept.member_id or duplicate.member_id)}
    await duplicate.delete()
    kept.update_from_dict(learned)
    await kept.save()
    await ClientMerge.create(
        organization_id=kept.organization_id, client=kept, duplicate_id=duplicate.id, duplicate_email=duplicate.email,
        moved=moved, merged_by_id=by,
    )  # fmt: skip
    return kept


def _naming() -> Iterator[tuple[type[Model], str]]:
    """(model, column) of everything that names a client."""
    assert Tortoise.apps is not None
    for model in Tortoise.apps["models"].values():
        for name, field in model._meta.fields_map.items():
            if isinstance(field, ForeignKeyFieldInstance) and field.related_model is Client:
                yield model, field.source_field or f"{name}_id"


def _learned(kept: Client, duplicate: Client) -> list[str]:
    lacking = [names for names in LEARNED if not any(getattr(kept, name) for name in names)]
    return [name for names in lacking for name in names if getattr(duplicate, name)]


def _agree(kept: Client, duplicate: Client) -> bool:
    """Whether the one who is kept is in themselves what they should be, with what they learn."""
    taught = copy(kept)
    taught.update_from_dict({name: getattr(duplicate, name) for name in _learned(kept, duplicate)})
    try:
        clients.must_agree(taught)
    except Invalid:
        return False
    return True


async def _signing_in(kept: Client, duplicate: Client) -> list[UUID]:
    """The members as whom they sign in: not who was removed."""
    members = Membership.filter(id__in=[each.member_id for each in (kept, duplicate) if each.member_id], active=True)
    return [member.id for member in await members]


async def _sharing(kept: Client, duplicate: Client) -> bool:
    """Whether both are expected at one appointment."""
    theirs = Booking.filter(client_id=duplicate.id).exclude(status__in=_NO_PLACE)
    mine = Booking.filter(client_id=kept.id).exclude(status__in=_NO_PLACE)
    return await mine.filter(appointment_id__in=Subquery(theirs.values("appointment_id"))).exists()


async def _make_room(kept: Client, duplicate: Client) -> dict[str, int]:
    """Of what each may have one of, what the duplicate has gives way; nothing that was agreed to or asked is lost. How
    many rows went over with that."""
    both = (kept.id, duplicate.id)
    await PortalToken.filter(client_id=duplicate.id, revoked_at=None).update(revoked_at=datetime.now(UTC))
    await query(
        "DELETE FROM client_tags d USING client_tags k"
        " WHERE k.client_id = $1 AND d.client_id = $2 AND d.tag_id = k.tag_id",
        *both,
    )
    # Of two consents to the same, the newer took the place of the older.
    await query(
        "UPDATE client_consents c SET withdrawn_at = o.given_at FROM client_consents o"
        " WHERE c.client_id IN ($1, $2) AND o.client_id IN ($1, $2) AND c.client_id <> o.client_id"
        " AND c.purpose = o.purpose AND c.withdrawn_at IS NULL AND o.withdrawn_at IS NULL"
        " AND (c.given_at, c.id) < (o.given_at, o.id)",
        *both,
    )
    # Gone over at once: beside those of their own, the numbers to come could be taken.
    (attempts,) = await query(
        "WITH moved AS (UPDATE attempts SET client_id = $1, number = number"
        " + (SELECT coalesce(max(number), 0) FROM attempts WHERE client_id = $1) WHERE client_id = $2 RETURNING 1)"
        " SELECT count(*) AS number FROM moved",
        *both,
    )
    return {Attempt.__name__: int(attempts["number"])} if attempts["number"] else {}


async def _move(model: type[Model], column: str, kept: Client, duplicate: Client) -> int:
    """How many rows went over. Raises Conflict where the other has what there is one of."""
    table = model._meta.db_table
    try:
        async with savepoint():
            rows = await query(
                f"WITH moved AS (UPDATE {table} SET {column} = $1 WHERE {column} = $2"  # noqa: S608 - names of ours
                " AND organization_id = $3 RETURNING 1) SELECT count(*) AS number FROM moved",
                kept.id, duplicate.id, kept.organization_id,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(
            f"Both have a {model.__name__} of which a client has one: settle these first.", field="input.duplicate"
        ) from error
    return int(rows[0]["number"])
