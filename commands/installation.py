"""The installation that a command works on: that of the environment, or of a `make run` that goes on in the home."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local import demo, home
from local.processes import Failed
from settings import Settings


def settings_here() -> Settings:
    """The settings of the environment, completed by those of a `make run` that is going on."""
    join()
    return Settings()


def join() -> None:
    """Completes the environment by that of a `make run` that is going on. What is set stays."""
    for name, value in home.environment(demo.Given().home).items():
        os.environ.setdefault(name, value)


async def keys_fit(settings: Settings) -> None:
    """Refuse to start, in a sentence and not with a traceback, where the master keys are not those of the database."""
    from services import generations, outside

    async with outside.connected(settings):
        await generations.must_fit_once_there()


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[None]:
    """As any process of the installation is. Raises Failed when the database does not let us in, NotConfigured where
    the master keys are not those of the database."""
    import asyncpg

    from models.database import fetch
    from services import generations, outside

    async with outside.connected(settings):
        try:
            await fetch("SELECT 1")
        except (OSError, asyncpg.PostgresError) as refusal:
            raise Failed(f"The database of DATABASE_URL does not let us in: {refusal}") from refusal
        await generations.must_fit_once_there()
        yield
