"""Products kept equal with their twins at Stripe, ours winning: name, description, partners, the price of one that
recurs."""

from typing import Any

from errors import Gone
from models import Lane, Product
from services.outbox import job, later
from services.outside import outside
from services.stripe_news import News
from services.twins import PLATFORM, forget_product, make_price, make_product, product_request


@job(Lane.SYNC)
async def push(product: Product) -> None:
    """Tell Stripe what a product is now; a new one too, so that payment links can be made of it there."""
    settings = outside().settings
    if settings.stripe_secret_key is None:
        return  # nobody to tell
    if not product.known_at(PLATFORM, settings.live):
        await make_product(product, PLATFORM, settings.live)
        if not product.recurs:
            return
        await product.refresh_from_db()
    await product.fetch_related("partner_links__partner")
    try:
        request = product_request(product)
        if product.recurs:
            request["default_price"] = await make_price(product, PLATFORM, settings.live)
        await outside().stripe.update_product(str(product.stripe_id), request)
    except Gone:
        await forget_product(product)
        await make_product(product, PLATFORM, settings.live)


async def compare(news: News, twin: dict[str, Any]) -> str:
    """Somebody changed a product at Stripe: what we say of it is said again."""
    product = await Product.get_or_none(
        stripe_account=news.account, stripe_live=news.live, stripe_id=twin["id"]
    ).prefetch_related("partner_links__partner")
    if product is None:
        return "names no product of ours"
    if _same(product_request(product), twin):
        return "as we know it"
    await later(push, product)
    return "differs from ours, which is sent again"


def _same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Metadata of others' on the twin is theirs to keep."""
    known = theirs.get("metadata") or {}
    metadata = all(known.get(key, "") == value for key, value in ours["metadata"].items())
    return metadata and all((theirs.get(key) or "") == (ours[key] or "") for key in ("name", "description"))
