"""What several tests of bad input need: all kinds of callers, proof that nothing changed, other organizations, settings
and names."""

import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

from main import create_app
from models import ApiScope
from policy import GRANTS, Kind, Scoped
from services import outside
from tests.shop import Shop

# Every kind of caller: each role and key, and API keys that may do nothing, something, all that one may.
API_KEYS = [Scoped(frozenset(scopes)) for scopes in ((), (ApiScope.ORDERS_READ, ApiScope.ORDERS_WRITE), ApiScope)]
CALLERS: list[Kind] = [*GRANTS, *API_KEYS]

TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '%migration%' ORDER BY relname
"""


@asynccontextmanager
async def nothing_changes(shop: Shop) -> AsyncIterator[None]:
    """No row of any table is made, changed or gone after the block."""
    before = await contents(shop)
    yield
    after = await contents(shop)
    assert after == before, f"changed: {[table for table in after if after[table] != before[table]]}"


async def contents(shop: Shop) -> dict[str, tuple[int, str]]:
    """(rows, digest) of each table."""
    tables = [row["relname"] for row in await shop.sql(TABLES)]
    each = (
        f"SELECT '{table}' AS name, count(*) AS rows, md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest"
        f" FROM {table} t"
        for table in tables
    )
    return {row["name"]: (row["rows"], row["digest"]) for row in await shop.sql(" UNION ALL ".join(each))}


async def neighbour(shop: Shop) -> Shop:
    """Another organization on the same installation, its owner signed in."""
    return await Shop.open(shop.http, shop.sandbox, slug="neighbour")


@asynccontextmanager
async def installed_with(shop: Shop, **settings: Any) -> AsyncIterator[Shop]:
    """The shop on an API started with other settings, for the time of the block; the database stays the same."""
    usual = outside.outside()
    changed = usual.settings.model_copy(update=settings)
    opened = outside.use(outside.from_settings(changed))
    try:
        transport = httpx.ASGITransport(create_app(changed), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=changed.app_url) as client:
            yield replace(shop, http=client)
    finally:
        outside.use(usual)
        await opened.close()


@asynccontextmanager
async def coming_from(shop: Shop, address: str) -> AsyncIterator[Shop]:
    """The same caller, at another address."""
    transport = httpx.ASGITransport(create_app(outside.outside().settings), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://comptoir.test") as client:
        yield replace(shop, http=client)


def never_made(model: str) -> str:
    """A well-formed global id of a row that is not there."""
    return base64.urlsafe_b64encode(f"{model}:01900000-0000-7000-8000-000000000000".encode()).decode().rstrip("=")


class Names(AbstractResolver):
    """A DNS that answers every name with the same addresses."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0, flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]  # fmt: skip

    async def close(self) -> None:
        return None
