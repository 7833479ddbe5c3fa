"""Bilans: agreed with a beneficiary, and changed while they are under way. Who pays is in `services/bilan_funding.py`,
what happens in them in `services/bilan_sessions.py`, what the law says in `services/bilan_law.py`.

Of rows that are locked together this is the order: order, client, bookings, bilan, its fundings or sessions, formule,
and whatever `services/holds.py` names after bookings; numbers come last.
"""

from datetime import date
from typing import Any

from errors import Invalid
from models import Bilan, BilanPhase, Client, Formule, Membership, PhaseKind
from services import beneficiaries, bilan_money, bilan_rules, formules
from services.clients import LOOKING_AFTER


async def create(client: Client, formule: Formule, values: dict[str, Any]) -> Bilan:
    """A bilan of the client, at its formule's price and for its time unless `values` say otherwise, with its three
    phases. Raises Invalid, naming the field."""
    client.must_not_be_erased()
    if not formule.active:
        raise Invalid("This formule is not sold any more.", field="input.formule")
    agreed: dict[str, Any] = {
        "price_cents": formule.price_cents, "currency": formule.currency, "minutes_planned": formule.minutes,
    }  # fmt: skip
    bilan = Bilan(
        organization_id=client.organization_id, client=client, beneficiary_name=client.name[:200], formule=formule,
        vat_rate=formule.vat_rate, **agreed | values,
    )  # fmt: skip
    _check(bilan, values)
    await bilan.save()
    await BilanPhase.bulk_create(
        [
            BilanPhase(organization_id=bilan.organization_id, bilan=bilan, kind=kind, position=position)
            for position, kind in enumerate(PhaseKind, 1)
        ]
    )
    await beneficiaries.connect(client.organization_id, client.email)
    await bilan.refresh_from_db(bilan_money.COUNTED)
    await bilan_rules.note(bilan)
    return bilan


async def update(bilan: Bilan, values: dict[str, Any]) -> Bilan:
    """The bilan, locked, with other values; at another price it may be funded, or be so no more. Raises Conflict once
    it is over, and Invalid, naming the field."""
    bilan.must_be_under_way()
    currency = bilan.currency
    bilan.update_from_dict(values)
    _check(bilan, values)
    _check_price(bilan, currency)
    await bilan.save()
    await bilan_money.recount(bilan)
    return bilan


def _check(bilan: Bilan, values: dict[str, Any]) -> None:
    formules.check_minutes(bilan.minutes_planned, "input.minutesPlanned")
    formules.check_price(bilan.price_cents, bilan.currency)
    _check_days(bilan.starts_on, bilan.ends_on)
    consultant, employer = values.get("consultant"), values.get("employer")
    if consultant is not None and not _may_hold(consultant):
        raise Invalid("A consultant, an admin or an owner holds bilans.", field="input.consultant")
    if employer is not None:
        employer.must_not_be_erased(field="input.employer")
    if employer is not None and employer.id == bilan.client_id:
        raise Invalid("The employer is somebody else than the beneficiary.", field="input.employer")


def _check_price(bilan: Bilan, currency: str) -> None:
    """Its parts are in the currency in which it was agreed, and stand."""
    if bilan.currency != currency:
        raise Invalid(f"This bilan was agreed in {currency}.", field="input.price.currency")
    if bilan.unallotted_cents < 0:
        raise Invalid(
            f"{bilan.allotted_cents} minor units of it are taken on: withdraw a part first (bilanFundingWithdraw).",
            field="input.price.amount",
        )


def _check_days(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        raise Invalid("A bilan does not end before it begins.", field="input.endsOn")


def _may_hold(member: Membership) -> bool:
    return member.active and member.role in LOOKING_AFTER
