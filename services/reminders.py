"""Reminders: letters about what is overdue, on a clock of the organization's."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from models import Invoice, InvoiceType, Lane, Order, PaymentStatus, Reminder
from models.content import InvoiceContent
from models.database import transaction
from services import files, letters, post
from services.links import message_id
from services.outbox import Again, job, later
from services.shares import part_of

AT = time(9)  # in the morning, in the organization's zone


async def schedule(order: Order, invoice: Invoice) -> None:
    """Promise the first reminder, some days after the due date; in the transaction that issues the invoice. The order
    comes with its organization."""
    if order.organization.reminders_most > 0:
        await _promise(order, invoice, 1, invoice.due_on)


@job(Lane.MAIL)
async def remind(reminder: Reminder) -> None:
    """Write to the client if the money has not come and is not on its way, and promise the next reminder."""
    await reminder.fetch_related("invoice", "order__client", "order__organization")
    order, invoice = reminder.order, reminder.invoice
    is_over = invoice.settled_at is not None or not invoice.left_cents or not order.is_open
    if reminder.sent_at is not None or is_over:
        return
    if await order.payments.filter(status=PaymentStatus.PROCESSING).exists():
        raise Again(datetime.now(UTC) + timedelta(days=1), "a debit is under way")
    if invoice.file_key is None:
        raise RuntimeError(f"invoice {invoice.number} is not rendered yet")
    left = order.due_cents if invoice.type is InvoiceType.PREPAYMENT else order.balance
    due = await part_of(invoice, left)
    if due == 0:
        return
    await post.send(
        reminder.organization_id,
        letters.reminder(
            InvoiceContent.model_validate(invoice.content),
            order_number=order.number,
            balance_cents=due,
            number=reminder.number,
            envelope=post.envelope(order.client.email, reminder.message_id),
            pdf=await files.load(invoice.file_key),
        ),
    )
    async with transaction():
        await Reminder.filter(id=reminder.id).update(sent_at=datetime.now(UTC))
        if reminder.number < order.organization.reminders_most:
            # Since today: after a time in which nothing could be sent, they do not all come at once.
            today = datetime.now(ZoneInfo(order.organization.time_zone)).date()
            await _promise(order, invoice, reminder.number + 1, today)


async def _promise(order: Order, invoice: Invoice, number: int, since: date) -> None:
    organization = order.organization
    day = since + timedelta(days=organization.reminder_every_days)
    at = datetime.combine(day, AT, ZoneInfo(organization.time_zone)).astimezone(UTC)
    reminder, made = await Reminder.get_or_create(
        invoice=invoice, number=number,
        defaults={
            "organization_id": order.organization_id, "order": order, "due_at": at,
            "message_id": message_id(f"reminder-{number}", invoice),
        },
    )  # fmt: skip
    if made:
        await later(remind, reminder, at=at)
