"""What holds of an order at the end of every history, to the cent."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from models import Access, Invoice, InvoiceType, Notification, Order, Reminder
from models.amounts import WHOLE
from models.content import InvoiceContent
from tests.faults.histories import History
from tests.shop import Shop

STATUSES = {
    "succeeded": "SUCCEEDED", "processing": "PROCESSING", "canceled": "CANCELED", "requires_payment_method": "FAILED",
}  # fmt: skip
REFUNDED = {"succeeded": "SUCCEEDED", "failed": "FAILED", "canceled": "CANCELED"}
DISPUTED = {"needs_response": "OPEN", "won": "WON", "lost": "LOST"}
PARIS = ZoneInfo("Europe/Paris")
LIVE = ("requires_payment_method", "requires_confirmation", "requires_action")


async def must_hold(history: History) -> None:
    order = await Order.get(id=history.key).prefetch_related(
        "lines__product__partner_links__partner",
        "payments",
        "conflicts",
        "invoices",
        "client",
        "discount_code",
        "refunds",
        "disputes",
        "organization",
    )
    await nothing_is_left_to_do(history)
    every_cent_is_accounted_for(history, order)
    payments_are_as_stripe_has_them(history, order)
    invoices_say_what_was_sold(order)
    await what_went_back_is_known_and_credited(history, order)
    await what_follows_a_payment_followed_once(history, order)
    await nothing_can_be_paid_that_is_not_due(history, order)
    await codes_are_counted(history.shop, order)
    await numbers_have_no_gap(history.shop)


async def end_of(history: History) -> dict[str, Any]:
    """What a history came to, whichever of two payments was the one that counted."""
    order = await Order.get(id=history.key).prefetch_related(
        "payments", "refunds", "disputes", "conflicts", "invoices", "notifications"
    )
    attempts = await history.shop.sql(
        "SELECT operation, number, status FROM attempts WHERE order_id = $1 ORDER BY operation, number", order.id
    )
    return {
        "order": (order.status, order.total_cents, order.paid_cents, order.holds_code),
        "payments": sorted((each.status, each.amount_cents, each.failure_code or "") for each in order.payments),
        "refunds": sorted((each.status, each.amount_cents) for each in order.refunds),
        "disputes": sorted((each.status, each.amount_cents) for each in order.disputes),
        "back": None if _some_did_not_fit(order) else (order.refunded_cents, order.credited_cents),
        "to be refunded": sum(each.proposed_cents for each in order.conflicts),
        "invoices": sorted(each.total_cents for each in order.invoices if each.type is InvoiceType.INVOICE),
        "told": len(order.notifications),
        "attempts": [tuple(row.values()) for row in attempts],
    }


def _some_did_not_fit(order: Order) -> bool:
    """Which of two payments that was is of matter for what goes back of them."""
    return any(payment.status == "SUCCEEDED" and payment.uncounted_cents for payment in order.payments)


async def nothing_is_left_to_do(history: History) -> None:
    shop = history.shop
    for row in await shop.sql("SELECT * FROM outbox WHERE done_at IS NULL"):
        assert row["given_up_at"] is None, (row["job"], row["error"])
        assert row["failures"] == 0, (row["job"], row["error"])
        assert row["due_at"] and row["due_at"] > datetime.now(UTC), row["job"]
    assert await shop.count("stripe_events", "handled_at IS NULL") == 0


def every_cent_is_accounted_for(history: History, order: Order) -> None:
    """Applied, or to be given back."""
    assert order.subtotal_cents == sum(line.total_cents for line in order.lines)
    assert order.discount_cents == sum(line.share_cents for line in order.lines)
    came = [payment for payment in order.payments if payment.status == "SUCCEEDED"]
    by_stripe = sum(intent["amount_received"] for intent in history.intents() if intent["status"] == "succeeded")
    assert sum(payment.amount_cents for payment in came) == by_stripe + history.by_hand
    assert order.paid_cents == sum(payment.applied_cents for payment in order.payments)
    assert order.is_paid <= (order.paid_cents == order.total_cents)
    assert order.is_free or order.is_paid == (order.paid_cents == order.total_cents)
    back: Counter[Any] = Counter()
    for conflict in order.conflicts:
        assert conflict.payment_id, conflict.message
        if conflict.kind == "REFUND_FAILED":
            continue  # it came, and counts
        back[conflict.payment_id] += conflict.proposed_cents
        assert conflict.kind != "AMOUNT_MISMATCH"  # Stripe takes what it was asked to
    for payment in order.payments:
        expected = payment.amount_cents if payment in came else 0
        assert payment.applied_cents + back[payment.id] == expected, (payment.status, order.conflicts)


def payments_are_as_stripe_has_them(history: History, order: Order) -> None:
    known = {payment.stripe_id: payment.status for payment in order.payments if payment.stripe_id}
    tried = {
        intent["id"]: STATUSES[intent["status"]]
        for intent in history.intents()
        if intent["status"] in STATUSES
        and (intent["status"] != "requires_payment_method" or intent["last_payment_error"])
    }
    assert {id: status.value for id, status in known.items() if id in tried} == tried
    for intent in history.intents():  # begun, and nothing came of it yet; or failed before that
        if intent["id"] not in tried:
            assert known.get(intent["id"], "FAILED") == "FAILED"


async def what_went_back_is_known_and_credited(history: History, order: Order) -> None:
    known = {refund.stripe_id: (refund.status.value, refund.amount_cents) for refund in order.refunds}
    for refund in history.refunds():
        assert known[refund["id"]] == (REFUNDED.get(refund["status"], "PENDING"), refund["amount"])
    decided = {dispute.stripe_id: dispute.status.value for dispute in order.disputes}
    assert decided == {each["id"]: DISPUTED[each["status"]] for each in history.disputes()}

    refunded = gone = 0
    for payment in order.payments:
        back = sum(each.amount_cents for each in order.refunds
                   if each.payment_id == payment.id and each.status == "SUCCEEDED")  # fmt: skip
        lost = sum(each.amount_cents for each in order.disputes
                   if each.payment_id == payment.id and each.status == "LOST")  # fmt: skip
        assert back + lost <= payment.amount_cents
        uncounted = payment.amount_cents - payment.applied_cents
        refunded += max(back - uncounted, 0)
        gone += max(back + lost - uncounted, 0)
    assert (order.refunded_cents, order.charged_back_cents) == (refunded, gone - refunded)
    assert (order.status == "REFUNDED") == (order.is_paid and refunded > 0 and gone == order.paid_cents)

    notes = [invoice for invoice in order.invoices if invoice.type is InvoiceType.CREDIT_NOTE]
    for invoice in order.invoices:
        assert invoice.credited_cents == sum(note.total_cents for note in notes if note.corrects_id == invoice.id)
        assert invoice.credited_cents <= invoice.total_cents
    wholes = {invoice.id for invoice in order.invoices if invoice.type is InvoiceType.INVOICE}
    credited = sum(note.total_cents for note in notes if note.corrects_id in wholes)
    assert credited == order.credited_cents
    if order.is_paid:
        assert credited >= refunded
    if wholes and not any(each.kind == "REFUND_FAILED" for each in order.conflicts):
        assert credited == refunded

    for access in await Access.filter(order_id=order.id):
        suspended = order.organization.suspend_disputed and "OPEN" in decided.values()
        assert (access.withdrawn_at is not None) == (order.status == "REFUNDED" or gone > refunded or suspended)


def invoices_say_what_was_sold(order: Order) -> None:
    made: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in sorted(order.invoices, key=lambda each: each.sequence):
        content = InvoiceContent.model_validate(invoice.content)
        assert content.gross_cents == invoice.total_cents == invoice.net_cents + invoice.vat_cents > 0
        assert content.number == invoice.number
        assert content.issued_on == invoice.issued_at.astimezone(PARIS).date()
        for rate in content.vat:  # EN 16931's BR-CO-17, to the cent
            assert abs(rate.net_cents * rate.rate - rate.vat_cents * WHOLE) <= WHOLE
        made[invoice.type.value].append(invoice)
        if invoice.settled_at is None:
            assert not content.is_paid
    deposits, finals = made["PREPAYMENT"], made["INVOICE"]
    if finals:
        assert sum(invoice.total_cents for invoice in finals) == order.total_cents
        deducted = [deposit for final in finals for deposit in final.content["deposits"]]
        assert sorted((each["number"], each["cents"]) for each in deducted) == sorted(
            (each.number, each.left_cents) for each in deposits if each.left_cents
        )
    if deposits:
        assert sum(invoice.total_cents for invoice in deposits) == order.deposit_cents
        settled = [invoice.settled_at is not None for invoice in deposits]
        assert all(settled) if order.paid_cents >= order.deposit_cents else not any(settled)
    if order.is_paid:
        assert order.is_free or finals
        assert all(invoice.settled_at for invoice in order.invoices)
    assert order.paid_cents or order.is_open or not order.invoices
    if order.deposit_cents == 0 and order.paid_cents:
        assert finals  # every payment on account is invoiced
    if 0 < order.deposit_cents <= order.paid_cents:
        assert deposits or finals


async def what_follows_a_payment_followed_once(history: History, order: Order) -> None:
    shop = history.shop
    accesses = await shop.sql("SELECT product_id FROM accesses WHERE order_id = $1", order.id)
    assert {row["product_id"] for row in accesses} == (
        {line.product_id for line in order.lines} if order.is_paid else set()
    )

    mails = shop.mails(history.email)
    ids = Counter(str(mail.message["Message-ID"]) for mail in mails)
    assert set(ids.values()) <= {1}, ids
    assert sum("welcome" in id for id in ids) == order.is_paid
    for invoice in order.invoices:
        name = "Avoir" if invoice.type is InvoiceType.CREDIT_NOTE else "Facture"
        carried = [mail for mail in mails if f"{name}-{invoice.number}.pdf" in {
            attached.get_filename() for attached in mail.attachments}]  # fmt: skip
        assert carried, invoice.number
        asked = not InvoiceContent.model_validate(invoice.content).is_paid
        receipts = [mail for mail in carried if "receipt" in str(mail.message["Message-ID"])]
        assert len(receipts) == (asked and invoice.settled_at is not None), invoice.number

    settled = {invoice.id: invoice.settled_at for invoice in order.invoices}
    for reminder in await Reminder.filter(order_id=order.id, sent_at__isnull=False):
        assert settled[reminder.invoice_id] is None or reminder.sent_at < settled[reminder.invoice_id]

    owed: Counter[str] = Counter()
    for line in order.lines if order.is_paid and not order.is_free else ():
        for link in line.product.partner_links:
            owed[link.partner.slug] += line.total_cents - line.share_cents
    rows = await Notification.filter(order_id=order.id)
    assert [row.status.value for row in rows] == ["DELIVERED"] * len(owed)
    assert {row.event_id for row in rows} <= {order.event_id}
    ids = {row.webhook_id for row in rows}
    told = [each for each in shop.sandbox.partner.received if each.headers["webhook-id"] in ids]
    assert {each.slug: each.json["order"]["total_amount"] for each in told} == {
        slug: cents / 100 for slug, cents in owed.items()
    }
    assert len(told) == len(owed)
    assert all(each.json["order_id"] == order.number for each in told)


async def nothing_can_be_paid_that_is_not_due(history: History, order: Order) -> None:
    attempts = await history.shop.sql(
        "SELECT stripe_id, status, amount_cents FROM attempts WHERE order_id = $1"
        " AND operation IN ('CHECKOUT', 'PAYMENT_INTENT')",
        order.id,
    )
    paged = {session["payment_intent"] for session in history.sessions()}
    live = {each["id"]: each["amount_total"] for each in history.sessions() if each["status"] == "open"}
    live |= {
        each["id"]: each["amount"] for each in history.intents() if each["status"] in LIVE and each["id"] not in paged
    }
    lost = [row for row in attempts if row["status"] == "PENDING"]  # nobody can pay by it: nobody has its address
    assert {row["stripe_id"] for row in attempts if row["status"] == "OPEN"} <= set(live)
    assert len(live) <= sum(row["status"] == "OPEN" for row in attempts) + len(lost)
    if live:
        assert order.is_open
        assert set(live.values()) == {order.due_cents}
        assert len(live) <= 1 + len(lost)


async def codes_are_counted(shop: Shop, order: Order) -> None:
    if order.discount_code is None:
        return
    holders = await shop.count("orders", f"discount_code_id = '{order.discount_code_id}' AND holds_code")
    assert order.discount_code.redemptions == holders <= order.discount_code.redemptions_most
    assert order.holds_code or not order.is_paid
    assert not (order.holds_code and order.status == "CANCELED")


async def numbers_have_no_gap(shop: Shop) -> None:
    (row,) = await shop.sql(
        "SELECT count(*) AS n, coalesce(max(sequence), 0) AS last, count(DISTINCT sequence) AS distinct FROM invoices"
    )
    assert row["n"] == row["last"] == row["distinct"]
