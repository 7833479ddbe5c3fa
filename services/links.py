"""Links that letters carry, for a year: by which a client pays an order, for longer than Stripe's pages are good; by
which they answer a quote, or a survey; by which a person confirms what they asked for. Those that a page shows are good
for two days. Names of letters.
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from models import Invitation, Order, Quote, Survey
from models.base import Row
from services import tokens
from services.outside import outside

LIFE = timedelta(days=365)
SHOWN = timedelta(days=2)  # longer than a page of Stripe's, from which a client comes back


def pay_link(order: Order, life: timedelta = LIFE) -> str:
    """Where the order is paid, whatever is due of it at the time, for a year from now unless told."""
    token, _ = tokens.sign(tokens.PAY, {"order": str(order.id)}, life)
    return pay_address(token)


def pay_address(token: str) -> str:
    """The same, of a link that is at hand."""
    return f"{outside().settings.app_url}/pay/{token}"


async def order_of_link(token: str) -> Order | None:
    """The order that a link pays, None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.PAY, token)
    return await Order.get_or_none(id=UUID(claims["order"])) if claims else None


def quote_link(quote: Quote, life: timedelta = LIFE) -> str:
    """Where the client reads a version of a quote, and accepts or refuses it, for a year from now unless told."""
    token, _ = tokens.sign(tokens.QUOTE, {"quote": str(quote.id)}, life)
    return f"{outside().settings.app_url}/quote/{token}"


async def quote_of_link(token: str) -> Quote | None:
    """The version that a link is about, None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.QUOTE, token)
    return await Quote.get_or_none(id=UUID(claims["quote"])) if claims else None


def survey_link(survey: Survey) -> str:
    """Where a beneficiary says what they think of their bilan, for a year from now."""
    token, _ = tokens.sign(tokens.SURVEY, {"survey": str(survey.id)}, LIFE)
    return f"{outside().settings.app_url}/survey/{token}"


async def survey_of_link(token: str) -> Survey | None:
    """The survey that a link answers, None for a link that is not ours or no longer good, and of a beneficiary who was
    erased since."""
    claims = tokens.read(tokens.SURVEY, token)
    if not claims:
        return None
    survey = await Survey.get_or_none(id=UUID(claims["survey"])).prefetch_related("bilan__client")
    return survey if survey and not survey.bilan.client.is_erased else None


def account_link(what: str, token: str) -> str:
    """Where a front end, or our own page, takes up what a letter asks to confirm: `…/account#invitation=<token>`.
    Behind the `#`, no server sees the token, and no log keeps it."""
    settings = outside().settings
    return f"{settings.account_url or settings.app_url + '/account'}#{what}={token}"


def invitation_token(invitation: Invitation) -> str:
    """With which it is accepted, while it is open."""
    return tokens.sign(tokens.INVITATION, {"id": str(invitation.id)}, invitation.expires_at - datetime.now(UTC))[0]


def message_id(what: str, row: Row) -> str:
    """The Message-ID of a letter about a row: the same at each try."""
    return f"<{what}-{row.id.hex}@{urlsplit(outside().settings.app_url).hostname}>"
