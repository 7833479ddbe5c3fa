"""Everything beyond our tables that this process talks to: opened once at start-up, closed at the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from models.database import connect, disconnect, on_commit
from providers.capabilities import DocumentStore, Mailer
from providers.disk import Disk
from providers.smtp import Smtp
from providers.stripe import Credentials, Stripe
from providers.webhooks import Courier
from services.bell import Bell
from services.buckets import Buckets
from services.kept import Kept
from services.wake import Wake
from settings import Settings

if TYPE_CHECKING:
    from providers.s3 import S3
    from services.calendar_access import Opener
    from services.rendering import Renderer

OWN_ACCOUNTS_MOST = 500  # opened ones, of a process: a key and a few strings each, their connections are shared


@dataclass
class OwnAccounts:
    """What this process knows of organizations' own Stripe accounts: all of them, but for their secrets, and those that
    were used lately, opened (`services/stripe_accounts.py`)."""

    known: Any = None
    read_at: float | None = None
    opened: Kept[Any] = field(default_factory=lambda: Kept(OWN_ACCOUNTS_MOST))
    closed: Kept[Any] = field(default_factory=lambda: Kept(OWN_ACCOUNTS_MOST))  # what did not open
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_older(self, seconds: float) -> bool:
        return self.read_at is None or time.monotonic() - self.read_at > seconds


@dataclass
class Outside:
    """Handles on the outside world, made from settings or given by a test."""

    settings: Settings
    stripe: Stripe
    mailer: Mailer
    courier: Courier
    wake: Wake
    bell: Bell
    buckets: Buckets
    documents: DocumentStore
    oauth_transport: httpx.AsyncBaseTransport | None = None  # of consents; None: the network
    renderer: "Renderer | None" = None  # of workers, and of the API for previews
    own_accounts: OwnAccounts = field(default_factory=OwnAccounts)
    calendars: "Opener | None" = None  # of tests: instead of what organizations connected

    @property
    def press(self) -> "Renderer":
        """What draws papers. Raises RuntimeError in a process that draws none."""
        if self.renderer is None:
            raise RuntimeError("this process renders nothing: workers do")
        return self.renderer

    async def close(self) -> None:
        await self.stripe.close()
        await self.courier.close()
        await self.wake.close()
        await self.bell.close()
        await self.buckets.close()
        await self.documents.close()
        if self.renderer is not None:
            self.renderer.close()


_current: Outside | None = None


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Outside]:
    """The database and the outside world of an installation, this process's for the time of the block."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(disconnect)
        await connect(
            settings.database_url,
            pool_size=settings.database_pool_size,
            read_timeout=settings.read_timeout_seconds,
        )
        opened = use(from_settings(settings))
        stack.push_async_callback(opened.close)
        on_commit(opened.bell.ring)
        stack.callback(on_commit, None)
        yield opened


def outside() -> Outside:
    if _current is None:
        raise RuntimeError("nothing was opened: call services.outside.use(…) at start-up")
    return _current


def use(opened: Outside) -> Outside:
    """Make it the one of this process."""
    global _current
    _current = opened
    return opened


def from_settings(settings: Settings) -> Outside:
    """What a process of this installation talks to. Opens no connection yet."""
    return Outside(
        settings=settings,
        stripe=Stripe(Credentials(secret_key=settings.stripe_secret_key), url=settings.stripe_api_base),
        mailer=Smtp.from_settings(settings),
        courier=Courier(sandbox_url=settings.sandbox_url),
        wake=Wake(settings.redis_url),
        bell=Bell(settings.redis_url),
        buckets=Buckets(settings.redis_url),
        documents=in_bucket(settings) if settings.s3_bucket else on_disk(settings),
    )


def on_disk(settings: Settings) -> DocumentStore:
    """Documents under the home."""
    return Disk(settings.comptoir_home / "files")


def in_bucket(settings: Settings) -> "S3":
    """Documents in S3_BUCKET. Raises NotConfigured without."""
    from providers.s3 import S3  # a quarter of a second, for those who use it

    settings.required("s3_bucket")
    return S3.from_settings(settings)
