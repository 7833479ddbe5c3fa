"""Who pays for bilans."""

from typing import Any

import models
from errors import Invalid
from policy import Permission
from schema.bilan_inputs import (
    BilanCancelInput,
    BilanCheckoutStartInput,
    BilanFundingAddInput,
    BilanFundingAgreeInput,
    BilanFundingInvoiceInput,
    BilanFundingWithdrawInput,
)
from schema.bilans import Bilan, BilanFunding
from schema.context import Info, actor
from schema.orders import CheckoutStarted
from schema.roots import exchange, mutation
from schema.scalars import CurrencyCode, Money
from services import bilan_funding as funding_service
from services import bilan_sessions

REFERENCE_MOST = 100  # characters


@mutation(BilanFunding, requires=Permission.BILANS_WRITE, idempotent=True)
async def bilan_funding_add(info: Info, input: BilanFundingAddInput) -> models.BilanFunding:
    """Plan who pays a part of a bilan. All parts together come to no more than its price."""
    caller = actor(info)
    payer = await caller.get(models.Client, input.payer, field="input.payer") if input.payer else None
    bilan = await caller.get(models.Bilan, input.bilan, field="input.bilan", for_update=True)
    if input.amount and input.amount.currency != bilan.currency:
        raise Invalid(f"This bilan is in {bilan.currency}.", field="input.amount.currency")
    return await funding_service.plan(
        bilan,
        input.source,
        amount_cents=input.amount.amount if input.amount else None,
        payer=payer,
        reference=_reference(input.reference),
    )


@mutation(BilanFunding, requires=Permission.BILANS_WRITE)
async def bilan_funding_agree(info: Info, input: BilanFundingAgreeInput) -> models.BilanFunding:
    """Note that who pays a part agreed to, and pays later. Once all parts are paid or agreed the bilan is funded."""
    row = await actor(info).get(models.BilanFunding, input.bilan_funding, field="input.bilanFunding")
    return await funding_service.agree(row, _reference(input.reference))


@mutation(BilanFunding, requires=Permission.BILANS_WRITE, idempotent=True)
async def bilan_funding_invoice(info: Info, input: BilanFundingInvoiceInput) -> models.BilanFunding:
    """Invoice a part to who pays it before it is paid, by an order of its own: record its payment there
    (paymentRecord). The payer is written to, and reminded once it is overdue."""
    caller = actor(info)
    payer = await caller.get(models.Client, input.payer, field="input.payer") if input.payer else None
    row = await caller.get(models.BilanFunding, input.bilan_funding, field="input.bilanFunding")
    return await funding_service.invoice(row, payer)


@exchange(BilanFunding, requires=Permission.BILANS_WRITE)
async def bilan_funding_withdraw(info: Info, input: BilanFundingWithdrawInput) -> models.BilanFunding:
    """Note that nobody will pay a part. Its order is given up, and no longer payable at Stripe."""
    row = await actor(info).get(models.BilanFunding, input.bilan_funding, field="input.bilanFunding")
    return await funding_service.withdraw(row, input.reason or None)


@exchange(CheckoutStarted, requires=Permission.ORDERS_PAY, idempotent=True)
async def bilan_checkout_start(info: Info, input: BilanCheckoutStartInput) -> Any:
    """Give the beneficiary the Stripe payment page of what is left for them to pay: their own part, or all that nobody
    has taken on. The same while it can be used."""
    row = await actor(info).get(models.Bilan, input.bilan, field="input.bilan")
    order, attempt = await funding_service.start_checkout(
        row, success_url=input.success_url, cancel_url=input.cancel_url or None
    )
    amount = Money(amount=attempt.amount_cents or order.due_cents, currency=CurrencyCode(order.currency))
    return CheckoutStarted(
        order=order,  # type: ignore[arg-type]
        order_number=order.number,
        amount=amount,
        url=attempt.url,
        expires_at=attempt.expires_at,  # type: ignore[arg-type]
    )


@exchange(Bilan, requires=Permission.BILANS_WRITE)
async def bilan_cancel(info: Info, input: BilanCancelInput) -> models.Bilan:
    """Give a bilan up: its sessions to come are cancelled, and what is not paid is asked of nobody any more. What was
    paid is given back by paymentRefund."""
    row = await actor(info).get(models.Bilan, input.bilan, field="input.bilan")
    by_id = actor(info).own_id if actor(info).may(Permission.MEMBER) else None
    return await bilan_sessions.give_up(row, input.reason or None, by_id)


def _reference(text: str | None) -> str | None:
    if text and ("\x00" in text or len(text) > REFERENCE_MOST):
        raise Invalid(f"A reference is text of {REFERENCE_MOST} characters at most.", field="input.reference")
    return text or None
