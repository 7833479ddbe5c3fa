"""The yardstick: routes written by hand for these answers and no other, with asyncpg and orjson and nothing between.

They check the same access token as the API, read through the same connections, show the caller's organization only,
and answer what the documents of `benchmarks/documents.py` answer.
"""

import base64
import binascii
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.database import reader
from policy import Actor, Permission
from services import identity


async def orders(request: Request) -> Response:
    actor = await _caller(request, Permission.ORDERS_READ)
    if actor is None:
        return Response(status_code=401)
    first = int(request.query_params["first"])
    if not 1 <= first <= 100:
        return Response(status_code=400)
    async with reader() as connection:
        heads = await connection.fetch(_ORDERS, actor.organization_id, first + 1)
        keys = list(dict.fromkeys([row[0] for row in heads]))
        lines = await connection.fetch(_LINES, actor.organization_id, keys[:first])
    nodes = _orders(heads, lines)
    page = {"nodes": nodes[:first], "pageInfo": {"hasNextPage": len(nodes) > first}}
    return _answer({"orders": page})


async def order(request: Request) -> Response:
    actor = await _caller(request, Permission.ORDERS_READ)
    if actor is None:
        return Response(status_code=401)
    key = _key(request.path_params["id"], "Order")
    async with reader() as connection:
        row = await connection.fetchrow(_ORDER, actor.organization_id, key)
    if row is None:
        return _answer({"order": None})
    *head, lines, invoices = row
    found = _order(*head)
    found["lines"] += [_line(*line) for line in lines or ()]
    found["invoices"] += [_invoice(*invoice) for invoice in invoices or ()]
    return _answer({"order": found})


async def me(request: Request) -> Response:
    actor = await _caller(request, Permission.MEMBER)
    if actor is None:
        return Response(status_code=401)
    async with reader() as connection:
        row = await connection.fetchrow(_ME, actor.organization_id, actor.membership_id)
    return _answer({"me": row and _membership(row)})


app = Starlette(routes=[Route("/orders", orders), Route("/orders/{id}", order), Route("/me", me)])


async def _caller(request: Request, permission: Permission) -> Actor | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    actor = await identity.actor_of(token) if scheme.lower() == "bearer" else None
    return actor if actor and actor.may(permission) else None


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def _orders(heads: list[asyncpg.Record], lines: list[asyncpg.Record]) -> list[dict[str, Any]]:
    """Orders by their heads, one row for each invoice, and their lines."""
    found: dict[UUID, dict[str, Any]] = {}
    for row in heads:
        key = row[0]
        if key not in found:
            found[key] = _order(*row[:_HEAD_WIDTH])
        if row[_HEAD_WIDTH] is not None:
            found[key]["invoices"].append(_invoice(*row[_HEAD_WIDTH:]))
    for row in lines:
        found[row[0]]["lines"].append(_line(*row[1:]))
    return list(found.values())


def _order(
    key: UUID, number: int, kind: str, status: str, total: int, currency: str, created_at: str, paid_at: str | None,
    live: bool, client: UUID, email: str, first_name: str | None, last_name: str | None, company: str | None,
    city: str | None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": _id("Order", key),
        "number": number,
        "kind": kind,
        "status": status,
        "total": {"amount": total, "currency": currency},
        "createdAt": created_at,
        "paidAt": paid_at,
        "live": live,
        "client": {
            "id": _id("Client", client),
            "email": email,
            "firstName": first_name,
            "lastName": last_name,
            "company": company,
            "city": city,
        },
        "lines": [],
        "invoices": [],
    }


def _line(
    key: UUID, position: int, description: str, quantity: int, price: int, total: int, currency: str, vat_rate: int,
    product: UUID, name: str, active: bool,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": _id("OrderLine", key),
        "position": position,
        "description": description,
        "quantity": quantity,
        "unitPrice": {"amount": price, "currency": currency},
        "vatRate": vat_rate,
        "total": {"amount": total, "currency": currency},
        "product": {"id": _id("Product", product), "name": name, "active": active},
    }


def _invoice(key: UUID, number: str, issued_at: str, total: int, currency: str) -> dict[str, Any]:
    return {
        "id": _id("Invoice", key),
        "number": number,
        "issuedAt": issued_at,
        "total": {"amount": total, "currency": currency},
    }


def _membership(row: asyncpg.Record) -> dict[str, Any]:
    (
        key, role, user_id, email, first_name, last_name,
        organization_id, slug, name, legal_name, vat_regime, time_zone, brand_name, brand_color,
    ) = row  # fmt: skip
    return {
        "id": _id("Membership", key),
        "role": role,
        "user": {"id": _id("User", user_id), "email": email, "firstName": first_name, "lastName": last_name},
        "organization": {
            "id": _id("Organization", organization_id),
            "slug": slug,
            "name": name,
            "legalName": legal_name,
            "vatRegime": vat_regime,
            "timeZone": time_zone,
            "brandName": brand_name,
            "brandColor": brand_color,
        },
    }


def _id(kind: str, key: UUID) -> str:
    # Of letters, digits, `:` and `-` no base64 has `+` or `/`: there is nothing to make safe for addresses.
    return binascii.b2a_base64(f"{kind}:{key}".encode(), newline=False).rstrip(b"=").decode()


def _key(text: str, kind: str) -> UUID | None:
    try:
        name, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        return UUID(key) if name == kind else None
    except (ValueError, binascii.Error):
        return None


# Moments are written by PostgreSQL, ids here: each where it costs less.


def _moment(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


_HEAD = f"""
    o.id, o.number, o.kind, o.status, o.total_cents, o.currency, {_moment("o.created_at")}, {_moment("o.paid_at")},
    o.live, c.id, c.email, c.first_name, c.last_name, c.company, c.city"""
_HEAD_WIDTH = 15  # columns
_INVOICE = f"""
    i.id, i.number, {_moment("i.issued_at")}, i.total_cents, i.currency"""
_LINE = """
    l.id, l.position, l.description, l.quantity, l.unit_price_cents, l.total_cents, l.currency, l.vat_rate,
    p.id, p.name, p.active"""

_ORDERS = f"""
SELECT {_HEAD}, {_INVOICE}
FROM (SELECT * FROM orders WHERE organization_id = $1 ORDER BY id DESC LIMIT $2) AS o
JOIN clients AS c ON c.id = o.client_id AND c.organization_id = $1
LEFT JOIN invoices AS i ON i.order_id = o.id AND i.organization_id = $1
ORDER BY o.id DESC, i.id
"""

_LINES = f"""
SELECT l.order_id, {_LINE}
FROM order_lines AS l
JOIN products AS p ON p.id = l.product_id AND p.organization_id = $1
WHERE l.order_id = any($2::uuid[]) AND l.organization_id = $1
ORDER BY l.position
"""

# One statement: with a single row to find, a second trip costs more than what it reads.
_ORDER = f"""
SELECT {_HEAD}, (
    SELECT array_agg(row({_LINE}) ORDER BY l.position)
    FROM order_lines AS l
    JOIN products AS p ON p.id = l.product_id AND p.organization_id = $1
    WHERE l.order_id = o.id AND l.organization_id = $1
), (
    SELECT array_agg(row({_INVOICE}) ORDER BY i.id)
    FROM invoices AS i
    WHERE i.order_id = o.id AND i.organization_id = $1
)
FROM orders AS o
JOIN clients AS c ON c.id = o.client_id AND c.organization_id = $1
WHERE o.id = $2 AND o.organization_id = $1
"""

_ME = """
SELECT
    m.id, m.role, u.id, u.email, u.first_name, u.last_name,
    o.id, o.slug, o.name, o.legal_name, o.vat_regime, o.time_zone, o.brand_name, o.brand_color
FROM memberships AS m
JOIN users AS u ON u.id = m.user_id
JOIN organizations AS o ON o.id = m.organization_id
WHERE m.organization_id = $1 AND m.id = $2
"""
