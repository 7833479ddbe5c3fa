"""The API behind a real server."""

from collections.abc import AsyncIterator

import pytest

from main import create_app
from settings import Settings
from tests.http.served import served
from tests.shop import Shop


@pytest.fixture
async def port(shop: Shop, settings: Settings) -> AsyncIterator[int]:
    """A server of its own, in this process; the database and Redis are those of the shop."""
    async with served(create_app(settings)) as opened:
        yield opened
