"""Products kept equal with their twins at Stripe, ours winning: name, description, partners, the price of one that
recurs."""

from typing import Any

from errors import Gone
from models import Lane, Product
from services import stripe_accounts, twins
from services.outbox import job, later
from services.stripe_accounts import Place
from services.stripe_news import News
from services.twins import product_request


@job(Lane.SYNC)
async def push(product: Product) -> None:
    """Tell Stripe what a product is now; a new one too, so that payment links can be made of it there."""
    place = await stripe_accounts.of(product.organization_id)
    if not await stripe_accounts.is_asked(place):
        return  # nobody to tell
    known = await twins.known(product, place)
    if known is None and product.stands_for:
        return  # made there with the first order that asks for it
    if known is None:
        known = await twins.make_product(product, place)
        if not product.recurs:
            return
    await product.fetch_related("partner_links__partner")
    try:
        request = product_request(product)
        if product.recurs:
            request["default_price"] = await twins.make_price(product, place)
        await (await stripe_accounts.at(place.account, place.live)).update_product(known, request)
    except Gone:
        await twins.forget_product(product, place)
        await twins.make_product(product, place)


async def compare(news: News, twin: dict[str, Any]) -> str:
    """Somebody changed a product at Stripe: what we say of it is said again."""
    product = (await twins.products(news.account, news.live, [twin["id"]])).get(twin["id"])
    if product is None:
        return "names no product of ours"
    if await stripe_accounts.of(product.organization_id) != Place(news.account, news.live):
        return "of an account where nothing is sold any more"
    await product.fetch_related("partner_links__partner")
    if _same(product_request(product), twin):
        return "as we know it"
    await later(push, product)
    return "differs from ours, which is sent again"


def _same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Metadata of others' on the twin is theirs to keep."""
    known = theirs.get("metadata") or {}
    metadata = all(known.get(key, "") == value for key, value in ours["metadata"].items())
    return metadata and all((theirs.get(key) or "") == (ours[key] or "") for key in ("name", "description"))
