"""The e-mails that customers receive. Composed here, sent by a `providers.capabilities.Mailer`.

A letter is one template of `templates/mail`, which holds its words; `layout.html` and `layout.txt` set them as HTML and
as plain text, with what was ordered and what is to be paid. All of them take their `envelope`, and raise Invalid,
naming the field, where something of it could not stand in a header.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from typing import Any

from models.content import Branding, InvoiceContent, QuoteContent
from models.invoice import InvoiceType
from models.payment import PaymentMethod
from models.states import DisputeStatus
from services.envelopes import Envelope
from services.wording import templates

_TEMPLATES = templates()
_NO_WORDS = {"points": (), "facts": (), "until": "", "button": "", "closing": ""}  # what a letter may leave out


@dataclass(frozen=True, slots=True)
class Notice:
    """What a letter without an invoice says of an order: `name` is the client's, amounts are minor units TTC, lines are
    (description, quantity)."""

    brand: Branding
    name: str
    order_number: int
    amount_cents: int
    currency: str
    live: bool
    lines: tuple[tuple[str, int], ...]


def paid(
    content: InvoiceContent,
    *,
    order_number: int,
    envelope: Envelope,
    pdf: bytes,
    partner: Branding | None = None,
) -> EmailMessage:
    """The letter that carries the invoice of a payment, with our contacts and the partner's. It asks for what the
    invoice leaves to pay, if anything."""
    said = _invoice(content, order_number, due_cents=content.due_cents, partner=partner)
    return _with_pdf(_letter("paid", said, envelope), content, pdf)


def invoiced(
    content: InvoiceContent,
    *,
    order_number: int,
    envelope: Envelope,
    pdf: bytes,
) -> EmailMessage:
    """The letter that carries an invoice to pay: how much, until when, and how."""
    said = _invoice(content, order_number, due_cents=content.due_cents)
    return _with_pdf(_letter("invoiced", said, envelope), content, pdf)


def credited(
    content: InvoiceContent,
    *,
    order_number: int,
    envelope: Envelope,
    pdf: bytes,
) -> EmailMessage:
    """The letter that carries a credit note: what was given back, or what is taken off an invoice to pay."""
    said = _invoice(content, order_number, due_cents=0) | {"corrects": content.corrects}
    return _with_pdf(_letter("credited", said, envelope), content, pdf)


def reminder(
    content: InvoiceContent,
    *,
    order_number: int,
    balance_cents: int,
    number: int,
    envelope: Envelope,
    pdf: bytes,
) -> EmailMessage:
    """The letter that reminds of an invoice, for the first time (`number` 1), the second…; from the third on it is
    firmer. `balance_cents` is what is still due, payments since the invoice taken off."""
    said = _invoice(content, order_number, due_cents=balance_cents) | {"number": number}
    return _with_pdf(_letter("reminder", said, envelope), content, pdf)


def receipt(
    content: InvoiceContent,
    *,
    order_number: int,
    paid_cents: int,
    paid_on: date,
    method: PaymentMethod,
    envelope: Envelope,
    pdf: bytes,
) -> EmailMessage:
    """The letter of thanks for the payment, of `paid_cents`, that settles an invoice sent before."""
    said = _invoice(content, order_number, due_cents=0)
    said |= {"paid_cents": paid_cents, "paid_on": paid_on, "method": method}
    return _with_pdf(_letter("receipt", said, envelope), content, pdf)


def payment_failed(
    notice: Notice,
    *,
    reason: str | None,
    canceled: bool,
    pay_url: str,
    renewal: bool = False,
    envelope: Envelope,
) -> EmailMessage:
    """The letter to a client whose payment was declined or given up, with a link to try again. `reason` is Stripe's
    code; one that we have no words for is not mentioned. `renewal`: of a subscription."""
    said = _notice(notice) | {"reason": reason, "canceled": canceled}
    said |= {"due_cents": notice.amount_cents, "pay_url": pay_url}
    return _letter("renewal_failed" if renewal else "payment_failed", said, envelope)


def payment_failed_for_staff(
    notice: Notice,
    *,
    client_email: str,
    client_phone: str | None,
    reason: str | None,
    message: str | None,
    canceled: bool,
    renewal: bool = False,
    envelope: Envelope,
) -> EmailMessage:
    """The letter to the person in charge of a client whose payment failed: who, what, how much, and why, by Stripe's
    code (`reason`) and in Stripe's words (`message`)."""
    said = _notice(notice) | {"reason": reason, "message": message, "canceled": canceled, "contacts": []}
    said |= {"name": "", "client": notice.name, "client_email": client_email, "client_phone": client_phone}
    return _letter(
        "renewal_failed_for_staff" if renewal else "payment_failed_for_staff",
        said,
        envelope,
    )


def refunded(
    notice: Notice,
    *,
    method: PaymentMethod,
    envelope: Envelope,
) -> EmailMessage:
    """The letter about money that went back and had never been invoiced: `amount_cents` of the notice."""
    said = _notice(notice) | {"method": method}
    return _letter("refunded", said, envelope)


def dispute_for_staff(
    notice: Notice,
    *,
    status: DisputeStatus,
    reason: str,
    evidence_due_on: date | None,
    client_email: str,
    client_phone: str | None,
    envelope: Envelope,
) -> EmailMessage:
    """The letter to the person in charge of a client whose bank asks a payment back, or has decided."""
    said = _notice(notice) | {"status": status.value, "reason": reason, "evidence_due_on": evidence_due_on}
    said |= {"name": "", "client": notice.name, "client_email": client_email, "client_phone": client_phone}
    return _letter("dispute_for_staff", said | {"contacts": []}, envelope)


def subscription_ended(notice: Notice, *, envelope: Envelope) -> EmailMessage:
    """The letter that tells that a subscription ended whose renewal was never paid."""
    return _letter("subscription_ended", _notice(notice), envelope)


def welcome(
    notice: Notice,
    *,
    products: Sequence[str],
    envelope: Envelope,
) -> EmailMessage:
    """The letter that tells that access to `products` is open; it confirms an order that was free."""
    said = _notice(notice) | {"products": products}
    return _letter("welcome", said, envelope)


def quote(
    content: QuoteContent,
    *,
    quote_url: str,
    envelope: Envelope,
    pdf: bytes,
) -> EmailMessage:
    """The letter that carries a quote, with the link by which the client accepts or refuses it."""
    brand = content.brand
    said = dict.fromkeys(("order_number", "invoice", "pay_url", "transfer", "due_on")) | {
        "brand": brand, "live": content.live, "name": content.buyer.name, "due_cents": 0,
        "contacts": [(brand.name, brand.contact_email, brand.phone)], "quote": content, "action_url": quote_url,
    }  # fmt: skip
    letter = _letter("quote", said, envelope)
    letter.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"Devis-{content.number}.pdf")
    return letter


def of_no_order(template: str, said: dict[str, Any], *, name: str, brand: Branding, envelope: Envelope) -> EmailMessage:
    """A letter about no order: somebody's account, a booking; `said` is what its template asks for."""
    nothing = dict.fromkeys(("order_number", "invoice", "pay_url", "transfer", "due_on"))
    contacts = [(brand.name, brand.contact_email, brand.phone)]
    plain = {"brand": brand, "live": True, "name": name, "contacts": contacts, "lines": [], "sums": [], "due_cents": 0}
    return _letter(template, nothing | plain | said, envelope)


def _invoice(
    content: InvoiceContent, order_number: int, *, due_cents: int, partner: Branding | None = None
) -> dict[str, Any]:
    """What the templates are told of an invoice that leaves `due_cents` to pay."""
    return {
        "brand": content.brand,
        "live": content.live,
        "name": content.buyer.name,
        "contacts": list(_contacts(content, partner)),
        "order_number": order_number,
        "currency": content.currency,
        "lines": [(line.description, line.quantity, line.gross_cents) for line in content.lines],
        "sums": list(_sums(content, due_cents)),
        "invoice": content,
        "is_deposit": content.type is InvoiceType.PREPAYMENT,
        "due_cents": due_cents,
        "due_on": content.due_on,
        "pay_url": content.pay_url,
        "transfer": content.transfer,
    }


def _notice(notice: Notice) -> dict[str, Any]:
    """What the templates are told of an order, of which nothing is to be paid unless a letter says so."""
    brand = notice.brand
    return {
        "brand": brand,
        "live": notice.live,
        "name": notice.name,
        "contacts": [(brand.name, brand.contact_email, brand.phone)],
        "order_number": notice.order_number,
        "currency": notice.currency,
        "invoice": None,
        "lines": [(description, quantity, None) for description, quantity in notice.lines],
        "sums": [("Montant", notice.amount_cents, True)],
        "amount_cents": notice.amount_cents,
        "due_cents": 0,
        "due_on": None,
        "pay_url": None,
        "transfer": None,
    }


def _contacts(content: InvoiceContent, partner: Branding | None) -> Iterator[tuple[str, str, str | None]]:
    """(name, e-mail, phone) of everyone the customer may write to, once each."""
    brand, seller = content.brand, content.seller
    known = {brand.contact_email}
    yield brand.name, brand.contact_email, brand.phone
    if partner and partner.contact_email not in known:
        known.add(partner.contact_email)
        yield partner.name, partner.contact_email, partner.phone
    if seller.email and seller.email not in known:
        yield seller.name, seller.email, seller.phone


def _sums(content: InvoiceContent, due_cents: int) -> Iterator[tuple[str, int, bool]]:
    """(words, minor units, whether it stands out) of what follows the lines, up to what is left to pay."""
    for reason in dict.fromkeys(each.reason for each in content.allowances):
        taken = sum(each.gross_cents for each in content.allowances if each.reason == reason)
        yield f"Remise ({reason})", -taken, False
    yield "Total HT", content.net_cents, False
    yield "TVA", content.vat_cents, False
    yield "Total TTC", content.gross_cents, True
    for deposit in content.deposits:
        yield f"Acompte, facture {deposit.number}", -deposit.cents, False
    if content.deposits or 0 < due_cents < content.gross_cents:
        received = content.gross_cents - due_cents - sum(deposit.cents for deposit in content.deposits)
        if received:
            yield "Payé", -received, False
        yield "Reste à payer", due_cents, True


def _letter(template: str, said: dict[str, Any], envelope: Envelope) -> EmailMessage:
    """The words of a template, set as HTML and as text."""
    words = _NO_WORDS | vars(_TEMPLATES.get_template(f"mail/{template}.txt").make_module(said))
    brand, test = said["brand"], "" if said["live"] else "[TEST] "
    letter = envelope.letter(f"{test}{words['subject']} – {brand.name}", brand=brand, name=said["name"])
    said = {"action_url": None} | said | {"words": words}
    letter.set_content(_TEMPLATES.get_template("mail/layout.txt").render(said))
    letter.add_alternative(_TEMPLATES.get_template("mail/layout.html").render(said), subtype="html")
    return letter


def _with_pdf(letter: EmailMessage, content: InvoiceContent, pdf: bytes) -> EmailMessage:
    document = "Avoir" if content.type is InvoiceType.CREDIT_NOTE else "Facture"
    letter.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"{document}-{content.number}.pdf")
    return letter
