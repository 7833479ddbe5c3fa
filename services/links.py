"""The link by which a client pays an order: ours, and so good for longer than Stripe's pages. Names of letters."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from models import Order
from models.base import Row
from services import tokens
from services.outside import outside

LIFE = timedelta(days=365)


def pay_link(order: Order) -> str:
    """Where the order is paid, whatever is due of it at the time, for a year from now."""
    token, _ = tokens.sign(tokens.PAY, {"order": str(order.id)}, LIFE)
    return f"{outside().settings.app_url}/pay/{token}"


async def order_of_link(token: str) -> Order | None:
    """The order that a link pays, None for a link that is not ours or no longer good."""
    claims = tokens.read(tokens.PAY, token)
    return await Order.get_or_none(id=UUID(claims["order"])) if claims else None


def message_id(what: str, row: Row) -> str:
    """The Message-ID of a letter about a row: the same at each try."""
    return f"<{what}-{row.id.hex}@{urlsplit(outside().settings.app_url).hostname}>"
