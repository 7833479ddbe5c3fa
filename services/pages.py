"""The page where a client pays an order, reached from a letter: plain HTML that runs no script and fetches nothing.

It is to be sent with `headers(view)`, whose Content-Security-Policy lets through the page's own style sheet, by its
hash, and nothing else. There is no form-action: browsers apply it to redirects too, and paying ends at Stripe.
"""

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from models.content import Branding, Transfer
from services.wording import templates

_TEMPLATES = templates()


class PayState(StrEnum):
    """What the page is about."""

    TO_PAY = "to_pay"
    PROCESSING = "processing"  # paid, and not yet sure: a SEPA debit takes days
    PAID = "paid"
    CANCELED = "canceled"
    GONE = "gone"  # the link is no longer good: nothing is known of an order
    UNAVAILABLE = "unavailable"  # the payment provider does not answer


@dataclass(frozen=True, slots=True)
class PayView:
    """What the page shows; of a link that is gone only its state. Amounts are minor units of `currency`, TTC.

    `lines` are (description, quantity, amount, its own discount taken off); `discount_cents` is taken off the whole.
    `due_cents` is to be paid now: a deposit, or all that is left. `invoices` are (number, address of the PDF).
    `problem` is why the last try failed, a sentence in French.
    """

    state: PayState
    brand: Branding | None = None
    order_number: int | None = None
    currency: str = "EUR"
    lines: tuple[tuple[str, int, int], ...] = ()
    discount_cents: int = 0
    discount_reason: str | None = None
    total_cents: int = 0
    paid_cents: int = 0
    due_cents: int = 0
    is_deposit: bool = False
    transfer: Transfer | None = None
    invoices: tuple[tuple[str, str], ...] = ()
    live: bool = True
    problem: str | None = None

    @property
    def later_cents(self) -> int:
        """What will be left to pay once `due_cents` is paid."""
        return self.total_cents - self.paid_cents - self.due_cents


def pay(view: PayView) -> str:
    """The page, with all that it says escaped. Its one form posts to the page's own address."""
    return _TEMPLATES.get_template("pages/pay.html").render(view=view, brand=view.brand)


def headers(view: PayView) -> dict[str, str]:
    """What the page is sent with. The address is a secret: nobody else is told it, and nothing keeps the page."""
    digest = b64encode(sha256(_sheet(view).encode()).digest()).decode()
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
    }


def _sheet(view: PayView) -> str:
    """The style sheet as it stands in the page."""
    return _TEMPLATES.get_template("pages/pay.css").render(brand=view.brand)
