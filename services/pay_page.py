"""What the page of a payment link shows, and the way from there to Stripe."""

import logging

from errors import Conflict, DomainError, Invalid, NotConfigured, ProviderError
from models import Invoice, Order, OrderStatus, PaymentStatus
from models.content import Transfer
from services import booked_times, checkout, files, links, payments
from services.invoice_content import brand
from services.pages import PayState, PayView

log = logging.getLogger("comptoir.pay_page")

Answer = tuple[int, PayView]  # status, and what to show
GONE: Answer = (404, PayView(PayState.GONE))


async def show(token: str, *, back: bool) -> Answer:
    """The page of a link; `back` from Stripe, where the client may have paid a moment ago: Stripe is asked."""
    order = await links.order_of_link(token)
    if order is None:
        return GONE
    if back and order.is_open:
        try:
            await payments.confirm(order)
        except (ProviderError, DomainError) as error:
            log.warning("order %s: Stripe could not be asked what came of it: %s", order.id, error)
        await order.refresh_from_db()
    return 200, await _view(order)


async def start(token: str) -> str | Answer:
    """Where the client pays what is due now; the page with what stands in the way instead."""
    order = await links.order_of_link(token)
    if order is None:
        return GONE
    here = links.pay_address(token)
    try:
        attempt = await checkout.start(order, success_url=f"{here}?back=1", cancel_url=here)
    except (Conflict, Invalid) as refusal:
        log.info("order %s: not to be paid by its link: %s", order.id, refusal)
        await order.refresh_from_db()
        return 409, await _view(order, problem="Cette commande ne peut pas être payée en ce moment : écrivez-nous.")
    except (ProviderError, NotConfigured):  # an alert by now
        return 503, await _view(order, PayState.UNAVAILABLE)
    return str(attempt.url) if attempt else here


async def _view(order: Order, state: PayState | None = None, problem: str | None = None) -> PayView:
    await order.fetch_related("organization", "client", "lines", "payments")
    invoices = await Invoice.filter(order_id=order.id).order_by("id")
    asked = [invoice for invoice in invoices if invoice.settled_at is None]
    organization = order.organization
    state = state or _state(order)
    transfer = None
    if asked and organization.iban:
        transfer = Transfer(iban=organization.iban, bic=organization.bic, reference=asked[0].number)
    return PayView(
        state=state,
        brand=brand(organization),
        order_number=order.number,
        currency=order.currency,
        lines=tuple((line.description, line.quantity, line.total_cents) for line in order.lines),
        times=await booked_times.of(order),
        discount_cents=order.discount_cents,
        discount_reason=order.discount_reason,
        total_cents=order.total_cents,
        paid_cents=order.paid_cents,
        due_cents=order.due_cents,
        is_deposit=order.paid_cents < order.deposit_cents,
        transfer=transfer,
        invoices=tuple((invoice.number, files.invoice_link(invoice)) for invoice in invoices if invoice.is_rendered),
        live=order.live,
        problem=problem if state is PayState.TO_PAY else None,
    )


def _state(order: Order) -> PayState:
    if order.is_paid:
        return PayState.PAID
    if order.status is OrderStatus.CANCELED:
        return PayState.CANCELED
    if any(payment.status is PaymentStatus.PROCESSING for payment in order.payments):
        return PayState.PROCESSING
    return PayState.TO_PAY
