"""The list of events, by which a client catches up with what it was not told.

https://docs.stripe.com/api/events/list
"""

import re
from typing import Any

from sandbox.store import Condition
from sandbox.stripe_books import LIST, Books
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object
from sandbox.stripe_params import boolean, text

MOST_TYPES = 20

EVENTS: dict[str, Any] = LIST | {"delivery_success": boolean, "type": text, "types": [text]}


def list_events(books: Books, params: Object) -> Object:
    """Newest first. `type` may hold `*` for any text; `delivery_success` false: those that no endpoint took yet."""
    if "type" in params and "types" in params:
        raise StripeError("You may only specify one of these parameters: type, types.", param="types")
    if len(params.get("types", [])) > MOST_TYPES:
        raise StripeError(f"types takes at most {MOST_TYPES} types.", param="types")
    where: list[Condition] = []
    if "type" in params:
        where.append(("type", "GLOB", re.sub(r"([?\[])", r"[\1]", params["type"])))
    if "types" in params:
        where.append(("type", "IN", params["types"]))
    if "delivery_success" in params:
        where.append(("pending_webhooks", "=" if params["delivery_success"] else ">", 0))
    return books.page("event", "/v1/events", params, where)
