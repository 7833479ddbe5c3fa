"""The account's objects: kept, found, listed page by page, expanded; and the events that tell of their changes."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sandbox.store import Condition, Store
from sandbox.stripe_errors import StripeError, no_such
from sandbox.stripe_objects import Object, event
from sandbox.stripe_params import integer, text

API_VERSION = "2024-06-20"
EXPANDABLE = {
    "customer": "customer",
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "payment_method": "payment_method",
    "default_payment_method": "payment_method",
    "subscription": "subscription",
    "invoice": "invoice",
    "latest_invoice": "invoice",
    "charge": "charge",
    "product": "product",
    "default_price": "price",
}
"""Which kind of object the id in a field names."""
PLANS = {"checkout.session": "checkout.plan", "payment_link": "payment_link.plan"}
"""Under which kind is kept what an object's creation asked for later, and its line items."""
URLS = {"checkout.session": "/v1/checkout/sessions", "payment_link": "/v1/payment_links"}

CREATED = {"gt": integer, "gte": integer, "lt": integer, "lte": integer}
LIST: dict[str, Any] = {
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
    "created": CREATED,
    "expand": [text],
}
COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Call(NamedTuple):
    """The API request being executed."""

    id: str | None = None
    idempotency_key: str | None = None
    public: bool = False
    """By a publishable key, which reaches what its client secret opens."""


class Books:
    def __init__(self, store: Store, clock: Callable[[], float], name: str) -> None:
        self.store = store
        self.name, self.account = name, f"acct_{name}"
        self.wall_clock = clock
        self._at: int | None = None
        self.url = ""
        """Where the sandbox listens, once it does."""
        self.api_version = API_VERSION
        """Of the events: the version that the client pinned in its last request."""

    @property
    def now(self) -> int:
        return int(self.clock())

    def clock(self) -> float:
        """The account's time, in unix seconds: what the wall says, and what it was advanced by."""
        return self._at if self._at is not None else self.wall_clock() + self._ahead

    def advance(self, seconds: int) -> None:
        """Move the account's time on, for good."""
        self.store.put("clock", "clock", {"ahead": self._ahead + seconds})

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """What is done inside was done at that moment."""
        self._at = moment
        try:
            yield
        finally:
            self._at = None

    @property
    def _ahead(self) -> int:
        return int((self.store.get("clock", "clock") or {"ahead": 0})["ahead"])

    def keep(self, object: Object) -> Object:
        self.store.put(object["object"], object["id"], object)
        return object

    def find(self, kind: str, id: str, param: str = "id") -> Object:
        found = self.store.get(kind, id)
        if found is None:
            raise no_such(kind, id, param)
        return found

    def event(self, type: str, object: Object, call: Call | None = None, *, before: Object | None = None) -> Object:
        """Keep the event of this type with the object as it is now. `before`: what an update began with."""
        by = call or Call()
        snapshot = json.loads(json.dumps(object))
        made = event(
            type,
            snapshot,
            created=self.now,
            api_version=self.api_version,
            request={"id": by.id, "idempotency_key": by.idempotency_key},
            previous=_previous(before, snapshot) if before else None,
        )
        return self.keep(made)

    def page(self, kind: str, url: str, params: Object, where: Sequence[Condition] = ()) -> Object:
        """A list object, newest first. `params` were read with LIST."""
        limit = _limit(params)
        if "starting_after" in params and "ending_before" in params:
            raise StripeError("You may only specify one of these parameters: starting_after, ending_before.")
        created = [("created", COMPARISONS[key], value) for key, value in params.get("created", {}).items()]
        conditions = [*where, *created]
        if before := params.get("ending_before"):
            self.find(kind, before, "ending_before")
            found = self.store.newer(kind, before, limit + 1, conditions)
            data = found[:limit][::-1]
        else:
            if after := params.get("starting_after"):
                self.find(kind, after, "starting_after")
            found = self.store.older(kind, params.get("starting_after"), limit + 1, conditions)
            data = found[:limit]
        return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}

    def expand(self, object: Object, paths: Sequence[str]) -> Object:
        """The object, the ids at these paths (`payment_intent.latest_charge`, `data.customer`) made whole objects."""
        for path in paths:
            self._expand(object, path, path)
        return object

    def plan(self, object: Object) -> Object:
        """What is kept beside a Checkout Session or a payment link, its line items first of all."""
        return self.find(PLANS[object["object"]], object["id"])

    def items(self, object: Object, params: Object) -> Object:
        """The line items as a list object, in their own order. `params` were read with LIST."""
        url = f"{URLS[object['object']]}/{object['id']}/line_items"
        items = self.plan(object)["line_items"]
        limit = _limit(params)
        ids = [item["id"] for item in items]
        first, last = 0, len(items)
        if after := params.get("starting_after"):
            first = _position(ids, after, "starting_after") + 1
        if before := params.get("ending_before"):
            last = _position(ids, before, "ending_before")
            first = max(0, last - limit)
            return {"object": "list", "data": items[first:last], "has_more": first > 0, "url": url}
        return {"object": "list", "data": items[first : first + limit], "has_more": first + limit < last, "url": url}

    def _expand(self, object: Object, rest: str, path: str) -> None:
        field, _, deeper = rest.partition(".")
        kind = object.get("object")
        if field == "data" and kind == "list":
            for item in object["data"]:
                self._expand(item, deeper, path)
            return
        if rest == "total_details.breakdown" and kind == "checkout.session":
            object[field]["breakdown"] = {"discounts": self.plan(object).get("discounts", []), "taxes": []}
            return
        if field == "line_items" and kind in PLANS:
            object[field] = self.items(object, {})
        elif field in EXPANDABLE and isinstance(object.get(field), str):
            object[field] = self.find(EXPANDABLE[field], object[field])
        elif not _passable(object, field, deeper):
            raise StripeError(f"This property cannot be expanded ({path}).", param="expand[]")
        if deeper and object[field]:
            self._expand(object[field], deeper, path)


def _previous(before: Object, after: Object) -> Object:
    """What the fields changed were; of metadata, the keys changed, null where there was none."""
    changed = {key: before.get(key) for key in after if before.get(key) != after[key]}
    if "metadata" in changed:
        old, new = before["metadata"], after["metadata"]
        changed["metadata"] = {key: old.get(key) for key in old | new if old.get(key) != new.get(key)}
    return changed


def _passable(object: Object, field: str, deeper: str) -> bool:
    """Whether nothing need be done at a field: it is expandable and empty, or whole already, or a part on the way."""
    if field in EXPANDABLE:
        return field in object
    return bool(deeper) and isinstance(object.get(field), dict)


def _limit(params: Object) -> int:
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise StripeError("Invalid limit: must be between 1 and 100", param="limit")
    return int(limit)


def _position(ids: list[str], id: str, param: str) -> int:
    if id not in ids:
        raise no_such("line item", id, param)
    return ids.index(id)
