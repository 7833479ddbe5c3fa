"""Which Stripe: the platform's account, from the environment, or an organization's own, from the vault.

What is begun in an account goes on in it: orders, payments, attempts, subscriptions and events carry theirs, and
whoever asks Stripe about one asks `at` that account. Only a new sale asks where it is `of`.

All own accounts of the installation are known to each process by a list that is read again after 15 s, at once where
this process changed one. Keys are opened with the first use, which the access log notes, and kept until they change;
all clients share the connections of `outside`.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import SecretStr
from tortoise.expressions import Q

import errors
from models import StripeAccount
from models.database import fetch
from providers.stripe import Credentials, Stripe
from services import vault
from services.outside import outside

log = logging.getLogger("comptoir.stripe_accounts")

PLATFORM = "platform"  # the account of the installation
GOOD_FOR = 15.0  # seconds: how long another process may go by what was
REFUSED_FOR = timedelta(days=1)
AGAIN_AFTER = 1.0  # seconds, before something is looked for that was not there
PURPOSE = "asking Stripe, and checking what it posts"


@dataclass(frozen=True)
class Place:
    """An account and mode, where something is paid."""

    account: str
    live: bool

    @classmethod
    def of(cls, row: Any) -> Self:
        """That of an order, an attempt, a payment, a subscription."""
        return cls(row.stripe_account, row.live)


@dataclass(frozen=True)
class Endpoint:
    """An account that posts to us, and what signs it: of those that are good the newest first; none where they do not
    open."""

    account: str
    live: bool
    secrets: Sequence[str]


def platform() -> Place:
    """The platform's own."""
    return Place(PLATFORM, outside().settings.live)


async def of(organization_id: UUID) -> Place:
    """Where new sales of an organization are paid."""
    own = await StripeAccount.get_or_none(organization_id=organization_id, current=True).only("account", "live")
    return Place(own.account, own.live) if own else platform()


async def at(account: str, live: bool) -> Stripe:
    """The client that asks an account. Raises NotConfigured for one that has no key here."""
    if account == PLATFORM:
        return outside().stripe
    known = await _find(account, live)
    if known is None:
        raise errors.NotConfigured(f"Stripe account {account} is not connected. Connect it (integrationConfigure).")
    return (await _opened(known)).stripe


async def serves(account: str, live: bool) -> bool:
    """Whether somebody can pay there now."""
    if account == PLATFORM:
        return live == outside().settings.live
    return await _find(account, live) is not None


async def is_asked(place: Place) -> bool:
    """Whether there is a key to ask it by."""
    if place.account == PLATFORM:
        return outside().settings.stripe_secret_key is not None
    return await serves(place.account, place.live)


async def owner(account: str, live: bool) -> UUID | None:
    """The organization whose account it is; None for the platform's, which is all organizations'."""
    known = None if account == PLATFORM else await _find(account, live)
    return known.organization_id if known else None


async def publishable_key(account: str, live: bool) -> str | None:
    """What a front end's form tells Stripe by, for money that is paid there."""
    if account == PLATFORM:
        return outside().settings.stripe_publishable_key
    known = await _find(account, live)
    return known.publishable_key if known else None


async def own_to_ask() -> list[Place]:
    """Every own account that the clock asks, those too where nothing new is sold: but for one whose key was refused,
    which is asked once a day."""
    rows = await StripeAccount.filter(
        Q(refused_at=None) | Q(refused_at__lt=datetime.now(UTC) - REFUSED_FOR), secret_key__isnull=False
    ).only("account", "live")
    return [Place(row.account, row.live) for row in rows]


async def note_refused(place: Place) -> None:
    """Stripe refused the key of an own account."""
    await StripeAccount.filter(account=place.account, live=place.live).update(refused_at=datetime.now(UTC))


async def endpoints(organization: str, *, again: bool = False) -> list[Endpoint]:
    """The accounts that post to the address of an organization, given by its slug or id; none where it has none.

    `again`: what is known did not do; it is looked up anew, once a second at most.
    """
    known = (await _looked_up(AGAIN_AFTER if again else GOOD_FOR)).by_name.get(organization.lower(), ())
    return [Endpoint(each.account, each.live, await _what_signs(each)) for each in known]


def forget() -> None:
    """One was changed here: what is known is looked up anew."""
    outside().own_accounts.read_at = None


@dataclass(frozen=True)
class _Known:
    """One, but for its secrets."""

    id: UUID
    organization_id: UUID
    account: str
    live: bool
    version: int
    publishable_key: str | None


@dataclass(frozen=True)
class _Opened:
    stripe: Stripe
    webhook_secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True)
class _Closed:
    """One whose secrets did not open, as they lay there when somebody looked."""

    envelopes: tuple[str | None, ...] = field(repr=False)
    reason: str
    seen_at: float


@dataclass(frozen=True)
class _List:
    by_place: Mapping[tuple[str, bool], _Known]
    by_name: Mapping[str, Sequence[_Known]]


async def _find(account: str, live: bool) -> _Known | None:
    known = (await _looked_up(GOOD_FOR)).by_place.get((account, live))
    return known or (await _looked_up(AGAIN_AFTER)).by_place.get((account, live))


async def _looked_up(good_for: float) -> _List:
    """The list, read again where it is older than so many seconds: by one, for all who wait."""
    own = outside().own_accounts
    if own.is_older(good_for):
        async with own.lock:
            if own.is_older(good_for):
                now = time.monotonic()
                own.known, own.read_at = _listed(await fetch(_ALL)), now
    known: _List = own.known
    return known


_ALL = """
SELECT a.id, a.organization_id, a.account, a.live, a.version, a.publishable_key, o.slug
FROM stripe_accounts a JOIN organizations o ON o.id = a.organization_id
WHERE a.secret_key IS NOT NULL ORDER BY a.current DESC, a.id DESC
"""


def _listed(rows: Sequence[Any]) -> _List:
    by_place, by_name = {}, defaultdict[str, list[_Known]](list)
    for row in rows:
        known = _Known(**{name: value for name, value in row.items() if name != "slug"})
        by_place[known.account, known.live] = known
        for name in (row["slug"], str(known.organization_id)):
            by_name[name].append(known)
    return _List(by_place, by_name)


async def _what_signs(known: _Known) -> Sequence[str]:
    try:
        return (await _opened(known)).webhook_secrets
    except errors.NotConfigured as error:
        log.warning("what signs events of account %s is not known: %s", known.account, error)
        return ()


async def _opened(known: _Known) -> _Opened:
    """The client and the secrets of an account, opened once for each version. Raises NotConfigured where they do not
    open: an alarm once, however many ask, until they are others."""
    own = outside().own_accounts
    if found := own.opened.get(known.id, known.version):
        return found  # type: ignore[no-any-return]
    async with own.lock:
        if found := own.opened.get(known.id, known.version):
            return found  # type: ignore[no-any-return]
        secrets = await _secrets(known)
        credentials = Credentials(secret_key=SecretStr(secrets["secret_key"] or ""))
        signs = [secret for secret in (secrets["webhook_secrets"] or "").split(",") if secret]
        opened = _Opened(outside().stripe.beside(credentials), signs)
        own.opened.put(known.id, known.version, opened)
        return opened


async def _secrets(known: _Known) -> dict[str, str | None]:
    """Of those that did not open it is looked every 15 s whether they were put right."""
    own, now = outside().own_accounts, time.monotonic()
    closed: _Closed | None = own.closed.get(known.id, known.version)
    if closed and now - closed.seen_at < GOOD_FOR:
        raise errors.NotConfigured(closed.reason)
    row = await StripeAccount.get(id=known.id)
    envelopes = (row.secret_key, row.webhook_secrets)
    try:
        if closed and closed.envelopes == envelopes:
            raise errors.NotConfigured(closed.reason)
        return await vault.open_several(row, ("secret_key", "webhook_secrets"), PURPOSE)
    except errors.NotConfigured as error:
        own.closed.put(known.id, known.version, _Closed(envelopes, error.message, now))
        raise
