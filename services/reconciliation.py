"""Reconciliation: Stripe is asked whether we know what it knows. Each missing event is handled as if it had come; what
is stuck is asked about; what stays different is told.

By a clock (`workers/reconciling.py`) and by `comptoir reconcile`, by one process at a time, for each Stripe account and
mode. Safe to stop anywhere and to repeat: the next run begins where this one had come to.
"""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson

from errors import Refused
from models import Drift, DriftKind, Order, Reconciliation
from models.database import query, transaction
from services import inbox, metrics, stripe_accounts
from services.doubts import DOUBTS, Answer, Doubt, Doubts, Found, late, unhandled
from services.stripe_accounts import Place
from services.stripe_news import Object, order_id_of

log = logging.getLogger("comptoir.reconciliation")

EVERY = timedelta(hours=1)
OVERLAP = timedelta(minutes=30)  # what was seen once is looked at again: Stripe's list may lag
YOUNG = timedelta(minutes=2)  # Stripe is just sending what is younger
BACK_MOST = timedelta(days=30)  # as long as Stripe keeps events
SLICE = timedelta(hours=6)  # of events, after which the point moves on
LEASE = timedelta(minutes=5)  # longer than any one answer takes
TYPES_MOST = 20  # that Stripe takes in one list

Told = Callable[[str, int, int | None], None]  # (step, how many are done, of how many)


@dataclass
class Result:
    """What a run came to."""

    since: datetime
    events: int = 0  # looked at
    missed: list[UUID | None] = field(default_factory=list)  # for each event that had not come, the order it names
    mended: list[UUID] = field(default_factory=list)  # orders
    drifts: dict[tuple[DriftKind, str], Found] = field(default_factory=dict)


async def reconcile(
    place: Place | None = None,
    *,
    back: timedelta | None = None,
    young: timedelta = YOUNG,
    only_if_due: bool = False,
    told: Told = lambda *_: None,
) -> Result | None:
    """Reconcile an account, the platform's unless told, up to what is still `young`; from `back` on where that is
    given, else from where the last run had come to. None where another process is at it, or it is not due. Raises what
    the Stripe provider raises."""
    place, started = place or stripe_accounts.platform(), datetime.now(UTC)
    async with _alone(place.account, place.live, only_if_due) as lease:
        if lease is None:
            return None
        oldest = started - (back or BACK_MOST)
        since = oldest if back else max(lease.reached_at - OVERLAP, oldest)
        result = Result(since)
        until = max(started - young, since)
        await _look_for_events(lease, result, until, told)
        await _ask_about_doubts(lease, result, until, told)
        await _write_down(lease, result, started)
        return result


async def places() -> list[Place]:
    """Every account that can be asked: the platform's, and organizations' own, those too where nothing new is sold."""
    platform = stripe_accounts.platform()
    return [platform] * await stripe_accounts.is_asked(platform) + await stripe_accounts.own_to_ask()


@dataclass(frozen=True)
class _Lease:
    account: str
    live: bool
    token: UUID
    reached_at: datetime

    async def renew(self, reached_at: datetime | None = None) -> None:
        """Raises RuntimeError where another process has taken over."""
        held = await query(
            "UPDATE reconciliation_points SET leased_until = now() + $4::interval,"
            " reached_at = greatest(reached_at, $5::timestamptz)"
            " WHERE stripe_account = $1 AND live = $2 AND token = $3 RETURNING id",
            self.account, self.live, self.token, LEASE, reached_at,
        )  # fmt: skip
        if not held:
            raise RuntimeError("another process reconciles: this one took too long")


@asynccontextmanager
async def _alone(account: str, live: bool, only_if_due: bool) -> AsyncIterator[_Lease | None]:
    """By one process at a time: a lease, since what follows waits for Stripe, and no connection should."""
    now, token = datetime.now(UTC), uuid4()
    # Nothing is missing from before the first order, nor before an account was connected.
    await query(
        "INSERT INTO reconciliation_points (id, created_at, stripe_account, live, reached_at)"
        " VALUES (gen_random_uuid(), now(), $1::text, $2, greatest($3,"
        " coalesce((SELECT created_at FROM stripe_accounts WHERE account = $1::text AND live = $2),"
        " (SELECT created_at FROM orders ORDER BY id LIMIT 1))))"
        " ON CONFLICT (stripe_account, live) DO NOTHING",
        account, live, now - BACK_MOST,
    )  # fmt: skip
    taken = await query(
        "UPDATE reconciliation_points SET leased_until = now() + $3::interval, token = $4"
        " WHERE stripe_account = $1 AND live = $2 AND (leased_until IS NULL OR leased_until < now())"
        " AND NOT ($5 AND coalesce(ended_at > now() - $6::interval, false)) RETURNING reached_at",
        account, live, LEASE, token, only_if_due, EVERY,
    )  # fmt: skip
    if not taken:
        yield None
        return
    try:
        yield _Lease(account, live, token, taken[0]["reached_at"])
    finally:
        await query("UPDATE reconciliation_points SET leased_until = NULL, token = NULL WHERE token = $1", token)


async def _look_for_events(lease: _Lease, result: Result, until: datetime, told: Told) -> None:
    """All that we handle, oldest time first; the point moves on with each slice of it."""
    types, begin = sorted(inbox.HANDLERS), result.since
    asked = await stripe_accounts.at(lease.account, lease.live)
    while begin < until:
        end = min(begin + SLICE, until)
        for first in range(0, len(types), TYPES_MOST):
            some = types[first : first + TYPES_MOST]
            async for page in asked.events(begin, end, some):
                await lease.renew()
                missing = await _missing(lease, [_as_posted(event) for event in page])
                result.events += len(page)
                result.missed += [order_id_of(event.named) for event in missing]
                told("Events", result.events, None)
        await lease.renew(end)
        begin = end


def _as_posted(event: Object) -> bytes:
    """Stripe's library makes numbers of what Stripe says as text: `unit_amount_decimal`."""
    return orjson.dumps(event, default=str)


async def _missing(lease: _Lease, bodies: Sequence[bytes]) -> list[inbox.Event]:
    """Those that were never stored; they are now, and will be handled as any other."""
    events = [inbox.read(lease.account, body) for body in bodies]
    known = await query(
        "SELECT stripe_id FROM stripe_events WHERE stripe_account = $1 AND stripe_id = ANY($2)",
        lease.account, [event.stripe_id for event in events],
    )  # fmt: skip
    ids = {row["stripe_id"] for row in known}
    missing = [event for event in events if event.live == lease.live and event.stripe_id not in ids]
    new = await inbox.store(missing) if missing else []
    stored = [event for event, is_new in zip(missing, new, strict=True) if is_new]
    for event in stored:
        metrics.RECONCILED.labels("event missed").inc()
        log.warning("%s %s had never come: it is handled now", event.type, event.stripe_id)
    return stored


async def _ask_about_doubts(lease: _Lease, result: Result, until: datetime, told: Told) -> None:
    """What came just now, or is still to be handled, explains itself: it is looked at the next time."""
    to_come = await unhandled(lease.account, lease.live)
    soon = {*result.missed, *to_come}
    result.drifts |= {(each.kind, each.reference): each for each in late(to_come)}
    for name, doubts in DOUBTS.items():
        doubtful = await doubts.find(lease.account, lease.live, result.since, until)
        asked = [doubt for doubt in doubtful if doubt.order_id not in soon]
        for number, doubt in enumerate(asked, 1):
            await lease.renew()
            mended, found = await _answer(doubts, doubt)
            if mended:
                result.mended.append(doubt.order_id)
                metrics.RECONCILED.labels("order mended").inc()
            result.drifts |= {(each.kind, each.reference): each for each in found}
            told(name, number, len(asked))


async def _answer(doubts: Doubts, doubt: Doubt) -> Answer:
    try:
        return await doubts.ask(doubt)
    except Refused as refusal:
        return False, [Found(DriftKind.NOT_ANSWERED, doubt.order_id, str(doubt.order_id), str(refusal))]


async def _write_down(lease: _Lease, result: Result, started: datetime) -> None:
    """A row for each organization that is paid there, with what concerns it."""
    orders = {id for id in (*result.missed, *result.mended, *(each.order_id for each in result.drifts.values())) if id}
    owners = {row.id: row.organization_id for row in await Order.filter(id__in=orders).only("id", "organization_id")}
    paid_there = await query(
        "SELECT DISTINCT organization_id FROM orders WHERE stripe_account = $1 AND live = $2", lease.account, lease.live
    )
    async with transaction():
        for organization in [row["organization_id"] for row in paid_there]:
            await _write_down_of(organization, lease, result, started, owners)
        await query(
            "UPDATE reconciliation_points SET ended_at = now() WHERE stripe_account = $1 AND live = $2",
            lease.account, lease.live,
        )  # fmt: skip


async def _write_down_of(
    organization: UUID, lease: _Lease, result: Result, started: datetime, owners: dict[UUID, UUID]
) -> None:
    drifts = [each for each in result.drifts.values() if owners.get(each.order_id) == organization]
    before = await Reconciliation.filter(
        organization_id=organization, stripe_account=lease.account, live=lease.live
    ).order_by("-id").first()  # fmt: skip
    row = await Reconciliation.create(
        organization_id=organization, stripe_account=lease.account, live=lease.live, since=result.since,
        started_at=started, ended_at=datetime.now(UTC), events_missed=_of(organization, result.missed, owners),
        orders_mended=_of(organization, result.mended, owners), unexplained=len(drifts),
    )  # fmt: skip
    known = {(each.kind, each.reference) for each in await Drift.filter(reconciliation_id=before.id)} if before else ()
    for each in drifts:
        await Drift.create(
            organization_id=organization, reconciliation=row, order_id=each.order_id, kind=each.kind,
            reference=each.reference, message=each.message[:500],
        )  # fmt: skip
        if (each.kind, each.reference) in known:  # twice is no passing moment
            log.error("order %s: %s (%s)", each.order_id, each.message, each.reference)


def _of(organization: UUID, orders: Collection[UUID | None], owners: dict[UUID, UUID]) -> int:
    return sum(id is not None and owners.get(id) == organization for id in orders)
