"""POST /webhooks/stripe: verify, store, 200. Everything else is a worker's."""

import logging
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from providers.stripe import verify
from services import inbox, metrics
from services.group_commit import NotWritten
from services.outside import outside
from services.twins import PLATFORM

log = logging.getLogger("comptoir.webhooks")


async def stripe(request: Request) -> Response:
    """200 once the event is stored (again, if need be); 400 for a bad signature, before any work; 503 without a
    database, and Stripe tries again."""
    secrets = [secret.get_secret_value() for secret in outside().settings.stripe_webhook_secret]
    if not secrets:
        return JSONResponse({"error": "no webhook secret is configured"}, 404)
    body = await request.body()
    if not verify(body, request.headers.get("stripe-signature", ""), secrets, time.time()):
        _count("none", "bad signature")
        log.error("a webhook with a bad signature was refused")
        return JSONResponse({"error": "bad signature"}, 400)
    try:
        event = inbox.read(PLATFORM, body)
    except ValueError as error:
        _count("none", "no event")
        log.error("a signed webhook was no event: %s", error)
        return JSONResponse({"error": "not an event"}, 400)
    try:
        new = await inbox.receive(event)
    except NotWritten:
        _count(event.label, "no database")
        log.exception("the database is away: Stripe will send the event again")
        return JSONResponse({"error": "try again"}, 503)
    _count(event.label, "new" if new else "duplicate")
    return JSONResponse({"received": True, "new": new})


def _count(type: str, outcome: str) -> None:
    metrics.STRIPE_EVENTS.labels(type, outcome).inc()
