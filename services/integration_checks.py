"""Trying integrations: on somebody's word, and by a clock (`workers/checking.py`)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from errors import Disconnected, NotConfigured, ProviderError
from models import Integration, IntegrationStatus, rows
from models.database import query
from providers import registry
from providers.base import Provider
from services import metrics, stripe_connecting
from services.integration_health import Outcome, write_down
from services.integrations import opened

CONFIRMED_BY: dict[str, Callable[[Integration], Awaitable[Outcome]]] = {"stripe": stripe_connecting.confirm}
LIMIT = 15.0  # seconds
LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test, and how long it took."""

    integration: Integration
    outcome: Outcome
    duration_ms: int


async def test(integration: Integration) -> Tested:
    """Try an integration with what it is set to, on or off."""
    started = time.monotonic()
    outcome = await check(integration, "integrationTest")
    return Tested(integration, outcome, round((time.monotonic() - started) * 1000))


async def check(integration: Integration, purpose: str) -> Outcome:
    """Try it, and write down what came of it where it is on."""
    try:
        provider = await opened(integration, purpose)
    except NotConfigured as lacking:
        outcome = Outcome(IntegrationStatus.ERROR, lacking.message)
    else:
        outcome = await confirmed(integration, await tried(provider))
    await write_down(integration, outcome, checked=True)
    return outcome


async def confirmed(integration: Integration, outcome: Outcome) -> Outcome:
    """What came of trying, where its keys are good: of some providers more has to be done before they are used."""
    confirm = CONFIRMED_BY.get(integration.provider)
    if confirm is None or not integration.enabled or outcome.status is not IntegrationStatus.CONNECTED:
        return outcome
    return await confirm(integration)


async def tried(provider: Provider[Any]) -> Outcome:
    """What a provider's test says, within its time; the provider is closed afterwards."""
    async with provider:
        try:
            async with asyncio.timeout(LIMIT):
                await provider.check()
            outcome = Outcome(IntegrationStatus.CONNECTED)
        except Disconnected as error:
            outcome = Outcome(IntegrationStatus.DISCONNECTED, str(error))
        except (ProviderError, NotConfigured) as error:
            outcome = Outcome(IntegrationStatus.ERROR, str(error))
        except TimeoutError:
            outcome = Outcome(IntegrationStatus.ERROR, f"{provider.name} did not answer within {LIMIT:g} s")
    metrics.INTEGRATION_CHECKS.labels(provider.key, outcome.status.value).inc()
    return outcome


async def claim(key: str, most: int) -> Sequence[Integration]:
    """Those of a provider that are due, leased to the caller: nobody else tries them for two minutes."""
    due = await query(
        """
        WITH due AS MATERIALIZED (
            SELECT id FROM integrations WHERE provider = $1 AND next_check_at <= now()
            ORDER BY next_check_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE integrations SET next_check_at = now() + $3::interval FROM due WHERE integrations.id = due.id
        RETURNING integrations.*
        """,
        key, most, LEASE,
    )  # fmt: skip
    return [rows.made(Integration, row) for row in due]


def providers() -> list[str]:
    """The keys of all that can be connected: each has its own turn."""
    return [key for key in registry.catalogue() if registry.provider(key)]
