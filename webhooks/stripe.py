"""POST /webhooks/stripe and /webhooks/stripe/{organization}: verify, store, 200. Everything else is a worker's."""

import logging
import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from errors import NotConfigured
from providers.stripe import verify
from services import inbox, limits, metrics, stripe_accounts
from services.group_commit import NotWritten
from services.outside import outside
from services.stripe_accounts import PLATFORM, Endpoint

log = logging.getLogger("comptoir.webhooks")

OWN = "own"  # how metrics call all accounts but the platform's


async def stripe(request: Request) -> Response:
    """The platform's account: 200 once the event is stored (again, if need be); 400 for a bad signature, before any
    work; 503 without a database, and Stripe tries again."""
    secrets = [secret.get_secret_value() for secret in outside().settings.stripe_webhook_secret]
    if not secrets:
        return JSONResponse({"error": "no webhook secret is configured"}, 404)
    body = await request.body()
    if not _is_signed(request, body, secrets):
        return _bad_signature(PLATFORM)
    return await _stored(PLATFORM, body)


async def stripe_of(request: Request) -> Response:
    """The same for an organization's own account, by the organization's slug or id. One that has none is answered like
    a bad signature; one whose secret does not open 503, and one that tells too much 429: Stripe tries again."""
    name, body = request.path_params["organization"], await request.body()
    try:
        signer = await _signer(request, name, body)
        wait = await limits.spend_event(signer.account) if signer else 0
    except NotConfigured:
        _count("none", "no secret", OWN)
        return JSONResponse({"error": "try again"}, 503)
    except Exception:
        _count("none", "no database", OWN)
        log.exception("what signs events of an own account cannot be read: Stripe will send the event again")
        return JSONResponse({"error": "try again"}, 503)
    if signer is None:
        return _bad_signature(OWN)
    if wait:
        _count("none", "too many", OWN)
        log.warning("account %s tells too much: Stripe will send the event again", signer.account)
        return JSONResponse({"error": "too many"}, 429, {"Retry-After": str(wait)})
    return await _stored(signer.account, body, live=signer.live)


async def _signer(request: Request, organization: str, body: bytes) -> Endpoint | None:
    """The account whose secret signed it; looked for anew where none did, since one may have been changed elsewhere.
    Raises NotConfigured where some secret does not open: it may have been that one."""
    for again in (False, True):
        endpoints = await stripe_accounts.endpoints(organization, again=again)
        for endpoint in endpoints:
            if _is_signed(request, body, endpoint.secrets):
                return endpoint
    if not all(endpoint.secrets for endpoint in endpoints):
        raise NotConfigured("A secret that signs its events does not open.")
    return None


def _is_signed(request: Request, body: bytes, secrets: Sequence[str]) -> bool:
    return verify(body, request.headers.get("stripe-signature", ""), secrets, time.time())


def _bad_signature(whose: str) -> Response:
    _count("none", "bad signature", whose)
    # That of an own account is the organization's to mend: it is a warning, else anybody could raise alerts for all.
    log.log(logging.ERROR if whose == PLATFORM else logging.WARNING, "a webhook with a bad signature was refused")
    return JSONResponse({"error": "bad signature"}, 400)


async def _stored(account: str, body: bytes, *, live: bool | None = None) -> Response:
    """`live`: the only mode that what signed it speaks of, so that a secret of test mode tells of no real money."""
    whose = PLATFORM if account == PLATFORM else OWN
    try:
        event = inbox.read(account, body)
    except ValueError as error:
        _count("none", "no event", whose)
        log.error("a signed webhook was no event: %s", error)
        return JSONResponse({"error": "not an event"}, 400)
    if live is not None and event.live != live:
        _count("none", "other mode", whose)
        log.warning("a webhook was refused: it is of another mode than what signed it")
        return JSONResponse({"error": "of another mode"}, 400)
    try:
        new = await inbox.receive(event)
    except NotWritten:
        _count(event.label, "no database", whose)
        log.exception("the database is away: Stripe will send the event again")
        return JSONResponse({"error": "try again"}, 503)
    _count(event.label, "new" if new else "duplicate", whose)
    return JSONResponse({"received": True, "new": new})


def _count(type: str, outcome: str, whose: str) -> None:
    metrics.STRIPE_EVENTS.labels(type, outcome, whose).inc()
