"""Webhook endpoints made by the API: each is sent the events that it asked for, signed with a secret of its own.

https://docs.stripe.com/api/webhook_endpoints
"""

from typing import Any, NamedTuple

from sandbox.store import Store
from sandbox.stripe_books import Books
from sandbox.stripe_errors import StripeError
from sandbox.stripe_objects import Object, new_id
from sandbox.stripe_params import boolean, metadata, required, text, url

MOST = 16

ENDPOINT: dict[str, Any] = {
    "api_version": text,
    "description": text,
    "enabled_events": required([text]),
    "expand": [text],
    "metadata": metadata,
    "url": required(url),
}
UPDATE: dict[str, Any] = {
    "description": text,
    "disabled": boolean,
    "enabled_events": [text],
    "expand": [text],
    "metadata": metadata,
    "url": url,
}


class Target(NamedTuple):
    """Where an event is to be carried, under which name that is remembered, and what signs it."""

    id: str
    url: str
    secret: str


def create(books: Books, params: Object) -> Object:
    """With its secret, which is never shown again."""
    if len(books.store.all("webhook_endpoint")) >= MOST:
        raise StripeError(f"You have reached the maximum of {MOST} test webhook endpoints.")
    _check(params)
    endpoint = books.keep(
        {
            "id": new_id("we_1"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version"),
            "application": None,
            "created": books.now,
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": params.get("metadata", {}),
            "status": "enabled",
            "url": params["url"],
        }
    )
    secret = new_id("whsec_", 32)
    books.store.put("webhook_secret", endpoint["id"], {"id": endpoint["id"], "secret": secret})
    return endpoint | {"secret": secret}


def update(books: Books, params: Object, id: str) -> Object:
    endpoint = books.find("webhook_endpoint", id, "webhook_endpoint")
    _check(params)
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] |= params.get("metadata", {})
    for name in ("description", "enabled_events", "url"):
        endpoint[name] = params.get(name, endpoint[name])
    return books.keep(endpoint)


def delete(books: Books, id: str) -> Object:
    books.find("webhook_endpoint", id, "webhook_endpoint")
    for kind in ("webhook_endpoint", "webhook_secret"):
        books.store.drop(kind, id)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def targets(store: Store, event: Object) -> list[Target]:
    """The endpoints that asked for such an event."""
    asked = [
        endpoint
        for endpoint in store.all("webhook_endpoint", [("status", "=", "enabled")])
        if {"*", event["type"]} & {*endpoint["enabled_events"]}
    ]
    secrets = {each["id"]: (store.get("webhook_secret", each["id"]) or {}).get("secret", "") for each in asked}
    return [Target(f"{event['id']} {each['id']}", each["url"], secrets[each["id"]]) for each in asked]


def _check(params: Object) -> None:
    events = params.get("enabled_events")
    if events is not None and ("*" in events) and len(events) > 1:
        raise StripeError("'*' stands for all events: pass it alone.", param="enabled_events")
