from collections.abc import AsyncIterator

import pytest

from services.outside import outside
from tests.calendars.memory import Memory
from tests.calendars.scenes import Scene
from tests.shop import Shop


@pytest.fixture
async def scene(shop: Shop) -> AsyncIterator[Scene]:
    """Camille, whose calendar is connected, both ways."""
    yield await Scene.of(shop, Memory())
    outside().calendars = None
