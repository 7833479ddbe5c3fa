"""Who pays for a bilan: its price taken on in parts by several, invoiced to payers ahead, and what nobody else takes
on paid by the beneficiary at checkout. What follows of an order's money is in `services/bilan_money.py`.

Locks in the order of `services/bilans.py`: order, client, bilan, funding, formule; numbers last.
"""

from datetime import UTC, datetime
from uuid import UUID

from errors import Conflict, Invalid
from models import (
    Attempt,
    Bilan,
    BilanFunding,
    Client,
    Formule,
    FundingNews,
    FundingSource,
    FundingStatus,
    Order,
    OrderKind,
    OrderLine,
    OrderSource,
)
from models.database import transaction
from services import (
    bilan_money,
    bilan_rules,
    checkout,
    formules,
    invoices,
    organizations,
    sales,
    settlement,
    stripe_accounts,
)

REASON_MOST = 500  # characters
FIELD = "input.bilanFunding"
UNPAID = (FundingStatus.PLANNED, FundingStatus.AGREED)


async def plan(
    bilan: Bilan, source: FundingSource, *, amount_cents: int | None, payer: Client | None, reference: str | None
) -> BilanFunding:
    """A part of the price of a bilan, locked, that somebody is to pay: what nobody has taken on, where no amount is
    given. An employer is the bilan's unless told.

    Raises Conflict where the bilan is over or nothing is left, and Invalid for more than that, naming the field.
    """
    bilan.must_be_under_way()
    if payer is not None:
        payer.must_not_be_erased(field="input.payer")
    left = bilan.unallotted_cents
    if not left:
        raise Conflict("All of this bilan's price is taken on: withdraw a funding first.", field="input.amount")
    cents = left if amount_cents is None else amount_cents
    if not 0 < cents <= left:
        raise Invalid(f"An amount is 1 to {left} minor units: what nobody has taken on.", field="input.amount.amount")
    if source is FundingSource.OWN:
        if payer is not None and payer.id != bilan.client_id:
            raise Invalid("The beneficiary's own part is paid by the beneficiary.", field="input.payer")
        if await BilanFunding.exists(bilan_id=bilan.id, source=source, status=FundingStatus.PLANNED):
            raise Conflict(
                "The beneficiary's own part waits to be paid already: withdraw it first.", field="input.source"
            )
    payer_id = payer.id if payer else bilan.employer_id if source is FundingSource.EMPLOYER else None
    made = await BilanFunding.create(
        organization_id=bilan.organization_id, bilan=bilan, source=source, payer_id=payer_id, amount_cents=cents,
        currency=bilan.currency, reference=reference,
    )  # fmt: skip
    await bilan_rules.note(bilan)
    return made


async def agree(funding: BilanFunding, reference: str | None) -> BilanFunding:
    """Who pays has agreed to, and pays later. Raises Conflict where it is past that, and for the beneficiary's own."""
    bilan, locked = await _locked(funding)
    if locked.source is FundingSource.OWN:
        raise Conflict("The beneficiary's own part is paid (bilanCheckoutStart), not agreed.", field=FIELD)
    bilan.must_be_under_way()
    locked.must_hear(FundingNews.AGREED, at=datetime.now(UTC))
    locked.reference = reference or locked.reference
    await locked.save()
    await bilan_money.recount(bilan)
    return locked


async def invoice(funding: BilanFunding, payer: Client | None) -> BilanFunding:
    """Invoice a part to who pays it before it is paid, by an order of its own; the beneficiary pays their own.

    Raises Invalid where nobody is named, and Conflict where it was invoiced or is past that.
    """
    order = await Order.select_for_update().get(id=funding.order_id) if funding.order_id else None
    payer_id = await _payer_of(funding, payer)
    client = await Client.select_for_update(no_key=True).get(id=payer_id)
    client.must_not_be_erased(field="input.payer")
    bilan, locked = await _locked(funding)
    _must_be_as_seen(funding, locked)
    if locked.status not in UNPAID:
        locked.must_hear(FundingNews.AGREED, at=datetime.now(UTC))
    if order is None:
        order = await _sell(bilan, locked, client)
    await invoices.issue_ahead(await settlement.with_everything(order))
    return locked


async def withdraw(funding: BilanFunding, reason: str | None) -> BilanFunding:
    """Nobody will pay a part: its order is given up, what could still be paid by is taken back at Stripe first.

    Raises Conflict where it was paid, its order is invoiced or a payment is under way.
    """
    if reason and ("\x00" in reason or len(reason) > REASON_MOST):
        raise Invalid(f"A reason is text of {REASON_MOST} characters at most.", field="input.reason")
    order = await Order.get(id=funding.order_id) if funding.order_id else None
    if order and order.is_open:
        await sales.cancel(order, reason)
        return await BilanFunding.get(id=funding.id)
    async with transaction():
        bilan, locked = await _locked(funding)
        _must_be_as_seen(funding, locked)
        locked.must_hear(FundingNews.WITHDRAWN, at=datetime.now(UTC))
        locked.end_reason = reason
        await locked.save()
        await bilan_money.recount(bilan)
        return locked


async def start_checkout(bilan: Bilan, *, success_url: str, cancel_url: str | None) -> tuple[Order, Attempt]:
    """The payment page of the beneficiary's own part: the one that waits to be paid, else what nobody has taken on.
    The same order however often it is asked for, until it is paid.

    Raises Conflict where nothing is left for them to pay, and like `checkout.start`.
    """
    for field, url in (("input.successUrl", success_url), ("input.cancelUrl", cancel_url)):
        checkout.check_return(url, field)
    await organizations.must_be_complete(bilan.organization_id, field="input.bilan")
    async with transaction():
        client = await Client.select_for_update(no_key=True).get(id=bilan.client_id)
        locked = await Bilan.select_for_update(no_key=True).get(id=bilan.id)
        locked.must_be_under_way()
        own = await _own(locked)
        order = await Order.get(id=own.order_id) if own.order_id else await _sell(locked, own, client)
    attempt = await checkout.start(order, success_url=success_url, cancel_url=cancel_url)
    assert attempt is not None  # a part costs more than nothing
    return order, attempt


async def _own(bilan: Bilan) -> BilanFunding:
    """The beneficiary's part that waits to be paid; where there is none, all that nobody has taken on."""
    waiting = BilanFunding.filter(bilan_id=bilan.id, source=FundingSource.OWN, status=FundingStatus.PLANNED)
    if own := await waiting.select_for_update(no_key=True).first():
        return own
    if not bilan.unallotted_cents:
        raise Conflict("Nothing of this bilan is left for the beneficiary to pay.", field="input.bilan")
    return await plan(bilan, FundingSource.OWN, amount_cents=None, payer=None, reference=None)


async def _sell(bilan: Bilan, funding: BilanFunding, client: Client) -> Order:
    """The order of a part, for the client who pays it."""
    await organizations.must_be_complete(bilan.organization_id, field=FIELD)
    product = await formules.product_of(await Formule.get(id=bilan.formule_id))
    line = OrderLine(
        position=1, product=product, description=_said(product.name, bilan, funding, client), quantity=1,
        unit_price_cents=funding.amount_cents, discount_cents=0, currency=funding.currency, vat_rate=bilan.vat_rate,
        total_cents=funding.amount_cents,
    )  # fmt: skip
    place = await stripe_accounts.of(bilan.organization_id)
    order = await sales.record(client, [line], source=OrderSource.BACK_OFFICE, place=place, kind=OrderKind.BILAN)
    funding.order, funding.payer_id = order, client.id if client.id != bilan.client_id else None
    await funding.save()
    return order


def _said(name: str, bilan: Bilan, funding: BilanFunding, client: Client) -> str:
    """What stands on the invoice: of a part that it is one, and to others than the beneficiary for whom it is."""
    part = ", prise en charge partielle" if funding.amount_cents < bilan.price_cents else ""
    whom = f", bénéficiaire : {bilan.beneficiary_name}" if client.id != bilan.client_id else ""
    return f"{name}{part}{whom}"[:200]


async def _payer_of(funding: BilanFunding, payer: Client | None) -> UUID:
    if payer:
        return payer.id
    if funding.payer_id:
        return funding.payer_id
    if funding.source is not FundingSource.OWN:
        raise Invalid("Name who is invoiced, as a client.", field="input.payer")
    return (await Bilan.get(id=funding.bilan_id)).client_id


def _must_be_as_seen(funding: BilanFunding, locked: BilanFunding) -> None:
    """Raises Conflict where it was invoiced, or asked for at checkout, since it was read."""
    if locked.order_id != funding.order_id:
        raise Conflict("This funding has changed at this moment. Try again.", field=FIELD)


async def _locked(funding: BilanFunding) -> tuple[Bilan, BilanFunding]:
    bilan = await Bilan.select_for_update(no_key=True).get(id=funding.bilan_id)
    return bilan, await BilanFunding.select_for_update(no_key=True).get(id=funding.id)
