"""What the webhook route is measured against: routes of the same app that read the body and do next to nothing."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from models.database import query


async def empty(request: Request) -> Response:
    """The body read."""
    await request.body()
    return JSONResponse({"received": True})


async def insert(request: Request) -> Response:
    """The body stored, unread, in the table where events are."""
    body, key = await request.body(), uuid7()
    await query(_INSERT, key, str(key), body)
    return JSONResponse({"received": True})


ROUTES = [
    Route("/bare/empty", empty, methods=["POST"]),
    Route("/bare/insert", insert, methods=["POST"]),
]

_INSERT = """
INSERT INTO stripe_events (id, created_at, stripe_id, stripe_account, live, type, occurred_at, body)
VALUES ($1, now(), $2, 'bare', false, 'bare', now(), $3)
"""
