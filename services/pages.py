"""Pages reached from letters: where a client pays an order, answers a quote or a survey, plain HTML that runs no
script and fetches nothing; where a person confirms what they asked for about their account.

Each is sent with headers of its own, whose Content-Security-Policy lets through the page's own style sheet and script,
by their hashes, and nothing else. There is no form-action: browsers apply it to redirects too, and paying ends at
Stripe.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from engine.trusted import PREFIX
from engine.trusted import sha256 as hash_of
from models.content import Branding, QuoteContent, Transfer
from services.hashing import PASSWORD_MOST
from services.passwords import LENGTH_LEAST
from services.wording import templates

_TEMPLATES = templates()

# What the page of accounts asks: trusted, and so answered where nothing else is.
ACCOUNT_DOCUMENTS = {
    "registration": (
        "mutation ($input: RegistrationConfirmInput!) { registrationConfirm(input: $input) { __typename } }"
    ),
    "invitation": "mutation ($input: InvitationAcceptInput!) { invitationAccept(input: $input) { organization } }",
    "password": "mutation ($input: PasswordResetInput!) { passwordReset(input: $input) { done } }",
    "email": "mutation ($input: TokenInput!) { emailConfirm(input: $input) { done } }",
    "consent": "mutation ($input: OAuthFinishInput!) { oauthFinish(input: $input) { __typename } }",
    "offer": "query ($token: String!) { invitationOffer(token: $token) { organizationName email hasAccount } }",
}


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
    `times` is when the bookings are that it pays, in words. `due_cents` is to be paid now: a deposit, or all that is
    left. `invoices` are (number, address of the PDF). `problem` is why the last try failed, a sentence in French.
    """

    state: PayState
    brand: Branding | None = None
    order_number: int | None = None
    currency: str = "EUR"
    lines: tuple[tuple[str, int, int], ...] = ()
    times: str | None = None
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


class QuoteState(StrEnum):
    """What the page of a quote is about."""

    OPEN = "open"  # it can be accepted or refused
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OVER = "over"  # its last day has passed
    SUPERSEDED = "superseded"
    CANCELED = "canceled"
    GONE = "gone"  # the link is no longer good: nothing is known of a quote


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What the page of a quote shows; of a link that is gone only its state.

    `content` is what the client was sent. `pdf_url` is where its PDF is, once it is made, `pay_url` where the order
    that came of it is paid. `accepted` is by whom and on which day. `problem` is why an answer was not taken, a
    sentence in French; `given` what was filled in.
    """

    state: QuoteState
    brand: Branding | None = None
    content: QuoteContent | None = None
    pdf_url: str | None = None
    pay_url: str | None = None
    accepted: tuple[str, date] | None = None
    live: bool = True
    problem: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)


class SurveyState(StrEnum):
    """What the page of a survey is about."""

    OPEN = "open"
    ANSWERED = "answered"
    GONE = "gone"  # the link is no longer good: nothing is known of a survey


@dataclass(frozen=True, slots=True)
class SurveyView:
    """What the page of a survey shows; of a link that is gone only its state. `follow_up`: six months later. `problem`
    is why an answer was not taken, a sentence in French; `given` what was filled in."""

    state: SurveyState
    brand: Branding | None = None
    follow_up: bool = False
    problem: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)


def survey(view: SurveyView) -> str:
    """The page of a survey, with all that it says escaped. Its one form posts to the page's own address."""
    return _TEMPLATES.get_template("pages/survey.html").render(view=view, brand=view.brand)


def quote(view: QuoteView) -> str:
    """The page of a quote, with all that it says escaped. Its two forms post to the page's own address."""
    return _TEMPLATES.get_template("pages/quote.html").render(view=view, brand=view.brand, quote=view.content)


def pay(view: PayView) -> str:
    """The page, with all that it says escaped. Its one form posts to the page's own address."""
    return _TEMPLATES.get_template("pages/pay.html").render(view=view, brand=view.brand)


def headers(view: PayView | QuoteView | SurveyView) -> dict[str, str]:
    """What the page is sent with. The address is a secret: nobody else is told it, and nothing keeps the page."""
    return _HEADERS | {"Content-Security-Policy": f"{_NOTHING_BUT} style-src {_digest(_sheet(view))}"}


@lru_cache(maxsize=1)
def gone() -> tuple[str, dict[str, str]]:
    """(page, headers) of a link to a file that is no longer good: nothing is known of whose it was."""
    shown = {"brand": None}
    page, sheet = (_TEMPLATES.get_template(f"pages/{name}").render(shown) for name in ("gone.html", "pay.css"))
    policy = f"{_NOTHING_BUT} style-src {_digest(sheet)}"
    return page, _HEADERS | {"Referrer-Policy": "no-referrer", "Content-Security-Policy": policy}


@lru_cache(maxsize=1)
def account() -> tuple[str, dict[str, str]]:
    """(page, headers) of where letters about accounts lead to, the same for all: the token is behind the `#`."""
    shown = {
        "brand": None, "least": LENGTH_LEAST, "most": PASSWORD_MOST,
        "documents": {name: PREFIX + hash_of(text) for name, text in ACCOUNT_DOCUMENTS.items()},
    }  # fmt: skip
    page, sheet, script = (
        _TEMPLATES.get_template(f"pages/account.{kind}").render(shown) for kind in ("html", "css", "js")
    )
    let_through = f"style-src {_digest(sheet)}; script-src {_digest(script)}; connect-src 'self'"
    return page, _HEADERS | {"Content-Security-Policy": f"{_NOTHING_BUT} {let_through}"}


_NOTHING_BUT = "default-src 'none'; base-uri 'none'; frame-ancestors 'none';"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def _digest(text: str) -> str:
    """What stands in a page, as a Content-Security-Policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _sheet(view: PayView | QuoteView | SurveyView) -> str:
    """The style sheet as it stands in the page."""
    return _TEMPLATES.get_template("pages/pay.css").render(brand=view.brand)
