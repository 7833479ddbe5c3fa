"""What must hold of any database of ours at any moment, and what to do where it does not: `comptoir doctor`.

INVARIANTS is the list. All of it reads only: PostgreSQL refuses these connections every write.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from models import Lane
from models.database import fetch
from services import organizations, seals, vault
from services.keys import master_keys
from services.outside import outside
from telemetry.redaction import redacted

SECONDS_MOST = 60.0  # for each invariant
EXAMPLES_MOST = 5
EXAMPLE_LONGEST = 200  # characters
FILES_MOST = 10_000  # documents read, the newest
FILES_AT_ONCE = 16

Look = Callable[[], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class Invariant:
    """`broken` finds what breaks it: a statement that gives an `example` a row, or a function that gives them all."""

    holds: str
    broken: str | Look
    do: str


@dataclass(frozen=True)
class Verdict:
    """`broken`: how often; None where it could not be looked at, for the reason in `error`."""

    holds: str
    broken: int | None
    examples: tuple[str, ...]
    do: str
    error: str | None = None

    @property
    def good(self) -> bool:
        return self.broken == 0


async def examine(invariant: Invariant) -> Verdict:
    """Look at one invariant, within bounds. Raises nothing: what keeps it from looking is told."""
    try:
        async with asyncio.timeout(SECONDS_MOST):
            broken, examples = await _found(invariant.broken)
    except Exception as error:
        reason = redacted(f"{type(error).__name__}: {error}")
        return Verdict(invariant.holds, None, (), "Mend what kept it from being looked at, and try again.", reason)
    shown = tuple(redacted(example)[:EXAMPLE_LONGEST] for example in examples[:EXAMPLES_MOST])
    return Verdict(invariant.holds, broken, shown, invariant.do)


async def _found(broken: str | Look) -> tuple[int, Sequence[str]]:
    if not isinstance(broken, str):
        examples = await broken()
        return len(examples), examples
    counted = "SELECT example, count(*) OVER () AS broken FROM"
    rows = await fetch(f"{counted} ({broken}) AS found ORDER BY example LIMIT {EXAMPLES_MOST}")
    return (rows[0]["broken"] if rows else 0), [row["example"] for row in rows]


# Money

PAID_IFF_COVERED = """
    SELECT g.slug || ' order ' || o.number || ' is ' || o.status || ': of ' || o.total_cents || ' cents '
        || o.paid_cents || ' paid, ' || coalesce(p.applied, 0) || ' by its payments' AS example
    FROM orders o JOIN organizations g ON g.id = o.organization_id
    LEFT JOIN (SELECT order_id, sum(applied_cents) AS applied FROM payments GROUP BY order_id) p ON p.order_id = o.id
    WHERE o.paid_cents <> coalesce(p.applied, 0)
        OR (o.total_cents > 0 AND o.status <> 'CANCELED'
            AND (o.status IN ('PAID', 'REFUNDED')) <> (o.paid_cents + o.waived_cents = o.total_cents))
"""

ACCOUNTED_FOR = """
    SELECT g.slug || ' order ' || o.number || ': ' || p.amount_cents || ' cents came, ' || p.applied_cents || ' count'
        AS example
    FROM payments p JOIN orders o ON o.id = p.order_id JOIN organizations g ON g.id = p.organization_id
    WHERE p.status = 'SUCCEEDED' AND p.applied_cents < p.amount_cents
        AND NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.payment_id = p.id)
"""

SOMEBODYS = """
    SELECT stripe_id || ' ' || type || ': ' || outcome AS example FROM stripe_events WHERE flagged_at IS NOT NULL
"""

COUNTED = """
    SELECT g.slug || ' code ' || c.code || ': ' || c.redemptions || ' counted, ' || coalesce(o.held, 0) || ' held'
        AS example
    FROM discount_codes c JOIN organizations g ON g.id = c.organization_id
    LEFT JOIN (SELECT discount_code_id, count(*) AS held FROM orders WHERE holds_code GROUP BY discount_code_id) o
        ON o.discount_code_id = c.id
    WHERE c.redemptions <> coalesce(o.held, 0)
"""

INVOICED = """
    SELECT g.slug || ' order ' || o.number || ': ' || coalesce(i.total, 0) || ' of ' || o.total_cents || ' cents'
        AS example
    FROM orders o JOIN organizations g ON g.id = o.organization_id
    LEFT JOIN (SELECT order_id, sum(total_cents) AS total FROM invoices WHERE type = 'INVOICE' GROUP BY order_id) i
        ON i.order_id = o.id
    WHERE o.status IN ('PAID', 'REFUNDED') AND o.total_cents > 0 AND o.total_cents IS DISTINCT FROM i.total
"""

# Of each payment what never counted goes back first.
GIVEN_BACK = """
    SELECT g.slug || ' order ' || o.number || ': ' || o.refunded_cents || ' and ' || o.charged_back_cents
        || ' cents known, ' || sums.refunded || ' and ' || sums.gone - sums.refunded || ' by its refunds and disputes'
        AS example
    FROM orders o JOIN organizations g ON g.id = o.organization_id
    JOIN LATERAL (
        SELECT coalesce(sum(greatest(r.cents - p.amount_cents + p.applied_cents, 0)), 0) AS refunded,
            coalesce(sum(greatest(r.cents + d.cents - p.amount_cents + p.applied_cents, 0)), 0) AS gone
        FROM payments p,
        LATERAL (SELECT coalesce(sum(amount_cents), 0) AS cents FROM refunds
            WHERE payment_id = p.id AND status = 'SUCCEEDED') r,
        LATERAL (SELECT coalesce(sum(amount_cents), 0) AS cents FROM disputes
            WHERE payment_id = p.id AND status = 'LOST') d
        WHERE p.order_id = o.id AND p.status = 'SUCCEEDED'
    ) AS sums ON true
    WHERE (o.refunded_cents, o.charged_back_cents) <> (sums.refunded, sums.gone - sums.refunded)
"""

CREDITED = """
    SELECT g.slug || ' ' || i.number || ': ' || i.credited_cents || ' cents known, ' || coalesce(n.cents, 0)
        || ' by its credit notes' AS example
    FROM invoices i JOIN organizations g ON g.id = i.organization_id
    LEFT JOIN (SELECT corrects_id, sum(total_cents) AS cents FROM invoices WHERE corrects_id IS NOT NULL
        GROUP BY corrects_id) n ON n.corrects_id = i.id
    WHERE i.credited_cents <> coalesce(n.cents, 0)
    UNION ALL
    SELECT g.slug || ' order ' || o.number || ': of ' || o.refunded_cents || ' cents given back '
        || o.credited_cents || ' are credited'
    FROM orders o JOIN organizations g ON g.id = o.organization_id
    WHERE o.status IN ('PAID', 'REFUNDED') AND o.credited_cents < least(
        o.refunded_cents, o.total_cents - o.waived_cents - o.written_off_cents)
"""

WITHDRAWN = """
    SELECT g.slug || ' order ' || o.number AS example FROM orders o JOIN organizations g ON g.id = o.organization_id
    WHERE (o.status = 'REFUNDED' OR o.charged_back_cents > 0)
        AND EXISTS (SELECT 1 FROM accesses a WHERE a.order_id = o.id AND a.withdrawn_at IS NULL)
"""

ON_ITS_WAY = """
    SELECT g.slug || ' ' || coalesce(r.stripe_id, r.id::text) || ' of ' || r.amount_cents || ' cents' AS example
    FROM refunds r JOIN organizations g ON g.id = r.organization_id
    WHERE r.status = 'PENDING' AND r.created_at < now() - interval '14 days'
"""

GAPLESS = """
    SELECT slug || ' ' || number || ' comes after ' || before || ' of ' || year AS example FROM (
        SELECT g.slug, i.number, i.year, i.sequence,
            lag(i.sequence, 1, 0) OVER (PARTITION BY i.series_id, i.year ORDER BY i.sequence) AS before
        FROM invoices i JOIN organizations g ON g.id = i.organization_id
    ) AS numbered WHERE sequence <> before + 1
    UNION ALL
    SELECT g.slug || ' ' || s.prefix || ': ' || s.last_number || ' of ' || s.year || ' was taken and is not there'
    FROM invoice_series s JOIN organizations g ON g.id = s.organization_id
    LEFT JOIN (SELECT series_id, year, max(sequence) AS newest FROM invoices GROUP BY series_id, year) i
        ON (i.series_id, i.year) = (s.id, s.year)
    WHERE s.last_number <> coalesce(i.newest, 0)
"""

IN_ORDER = """
    SELECT slug || ' ' || number || ' was issued before the one before it' AS example FROM (
        SELECT g.slug, i.number, i.issued_at,
            lag(i.issued_at) OVER (PARTITION BY i.series_id ORDER BY i.year, i.sequence) AS before
        FROM invoices i JOIN organizations g ON g.id = i.organization_id
    ) AS dated WHERE issued_at < before
"""

GRANTED = """
    SELECT g.slug || ' order ' || o.number || ' line ' || l.position AS example
    FROM orders o JOIN organizations g ON g.id = o.organization_id JOIN order_lines l ON l.order_id = o.id
    LEFT JOIN accesses a ON (a.order_id, a.product_id) = (o.id, l.product_id)
    WHERE o.status IN ('PAID', 'REFUNDED') AND o.kind IN ('PRODUCTS', 'SUBSCRIPTION') AND a.id IS NULL
"""

SETTLED = """
    SELECT g.slug || coalesce(' order ' || o.number, '') || ' ' || c.kind || ': ' || c.message AS example
    FROM conflicts c LEFT JOIN orders o ON o.id = c.order_id JOIN organizations g ON g.id = c.organization_id
    WHERE c.resolved_at IS NULL
"""

# Appointments

SEATED = """
    SELECT g.slug || ' ' || v.name || ' at ' || a.starts_at || ': ' || a.taken || ' taken, ' || count(b.id) || ' booked'
        AS example
    FROM appointments a JOIN organizations g ON g.id = a.organization_id JOIN services v ON v.id = a.service_id
    LEFT JOIN bookings b ON b.appointment_id = a.id AND b.status NOT IN ('CANCELED', 'EXPIRED')
    GROUP BY a.id, g.slug, v.name HAVING a.taken <> count(b.id)
"""

DRAWN = """
    SELECT g.slug || ' pack ' || p.id || ': ' || p.used || ' used, ' || count(b.id) || ' drawn' AS example
    FROM packs p JOIN organizations g ON g.id = p.organization_id
    LEFT JOIN bookings b ON b.pack_id = p.id AND b.draws_session
    GROUP BY p.id, g.slug HAVING p.used <> count(b.id)
"""

# Of a bilan: what is funded is paid or agreed whole, and what the database counts is what there is.
FUNDED = """
    SELECT g.slug || ' bilan ' || b.id || ': ' || b.status || ', ' || b.secured_cents || ' of ' || b.price_cents
        || ' secured, ' || b.minutes_done || ' minutes done' AS example
    FROM bilans b JOIN organizations g ON g.id = b.organization_id
    LEFT JOIN LATERAL (SELECT coalesce(sum(amount_cents) FILTER (WHERE status IN ('AGREED', 'PAID')), 0) AS secured,
        coalesce(sum(amount_cents), 0) AS allotted FROM bilan_fundings
        WHERE bilan_id = b.id AND status IN ('PLANNED', 'AGREED', 'PAID')) f ON true
    LEFT JOIN LATERAL (SELECT coalesce(sum(minutes), 0) AS minutes FROM bilan_sessions WHERE bilan_id = b.id) s ON true
    WHERE (b.status IN ('FUNDED', 'IN_PROGRESS') AND b.due_cents > 0)
        OR (b.status = 'AWAITING_FUNDING' AND b.due_cents = 0)
        OR (b.secured_cents, b.allotted_cents, b.minutes_done) <> (f.secured, f.allotted, s.minutes)
"""

# Documents and letters

RENDERED = """
    SELECT g.slug || ' ' || i.number AS example FROM invoices i JOIN organizations g ON g.id = i.organization_id
    WHERE i.file_key IS NULL AND i.created_at < now() - interval '10 minutes'
"""

SENT = """
    SELECT g.slug || ' ' || i.number AS example FROM invoices i JOIN organizations g ON g.id = i.organization_id
    WHERE i.emailed_at IS NULL AND i.rendered_at < now() - interval '10 minutes'
"""

TO_BE_TOLD = """
    SELECT p.slug || ' of ' || n.event_id AS example FROM notifications n JOIN partners p ON p.id = n.partner_id
    WHERE n.status = 'PENDING' AND n.next_attempt_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM outbox b WHERE b.subject_id = n.id AND b.job = 'notifications.deliver'
            AND b.done_at IS NULL AND b.given_up_at IS NULL
    )
"""

TOLD = """
    SELECT p.slug || ' of ' || n.event_id AS example FROM partner_endpoints e JOIN partners p ON p.id = e.partner_id
    JOIN notifications n ON n.partner_id = e.partner_id AND n.live = e.live
    WHERE n.status = 'PENDING' AND n.next_attempt_at < now() - interval '10 minutes' AND e.disabled_at IS NULL
        AND coalesce(greatest(e.told_at, e.held_until), n.next_attempt_at) < now() - interval '10 minutes'
"""


async def _lost_files() -> list[str]:
    """Documents that are gone from the store, or not what was stored."""
    rendered = await fetch(
        "SELECT g.slug || ' ' || i.number AS name, i.file_key, i.file_sha256"
        " FROM invoices i JOIN organizations g ON g.id = i.organization_id"
        " WHERE i.file_key IS NOT NULL ORDER BY i.id DESC LIMIT $1",
        FILES_MOST,
    )
    troubles: list[str | None] = []
    for start in range(0, len(rendered), FILES_AT_ONCE):
        several = rendered[start : start + FILES_AT_ONCE]
        troubles += await asyncio.gather(*(_trouble(*row.values()) for row in several))
    return [trouble for trouble in troubles if trouble]


async def _trouble(name: str, key: str, sha256: str) -> str | None:
    kept = await outside().documents.digest(key)
    if kept is None:
        return f"{name} is not there"
    return None if kept == sha256 else f"{name} is not what was stored"


# Promises and events


def _overdue(lane: Lane) -> str:
    return f"""
        SELECT job || ' of ' || subject_id || ', due since ' || date_trunc('second', due_at) AS example FROM outbox
        WHERE lane = '{lane.value}' AND due_at < now() - interval '10 minutes'
            AND done_at IS NULL AND given_up_at IS NULL AND (lease_until IS NULL OR lease_until < now())
    """


OF_A_PERIOD = """
    SELECT z.slug || ' order ' || o.number AS example FROM orders o JOIN organizations z ON z.id = o.organization_id
    WHERE o.kind = 'SUBSCRIPTION' AND o.status IN ('PAID', 'REFUNDED') AND (
        o.subscription_id IS NULL OR o.stripe_invoice_id IS NULL
        OR NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.period_end IS NOT NULL)
    )
"""

KEPT = """
    SELECT job || ' ' || id || ': ' || coalesce(error, 'no reason') AS example FROM outbox b
    WHERE given_up_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM outbox again
        WHERE again.subject_id = b.subject_id AND again.job = b.job AND again.id > b.id AND again.given_up_at IS NULL
    )
"""

HELD_BY_THE_LIVING = """
    SELECT job || ' of ' || subject_id || ', until ' || date_trunc('second', lease_until) AS example FROM outbox
    WHERE token IS NOT NULL AND lease_until < now() - interval '1 minute' AND done_at IS NULL AND given_up_at IS NULL
"""

HANDLED = """
    SELECT stripe_id || ' ' || type AS example FROM stripe_events
    WHERE handled_at IS NULL AND created_at < now() - interval '10 minutes'
"""

# Documents

DESTROYED = """
    SELECT g.slug || ' document ' || d.id || ' is there longer than the law allows' AS example
    FROM documents d JOIN bilans b ON b.id = d.bilan_id JOIN organizations g ON g.id = d.organization_id
    WHERE d.destroyed_at IS NULL AND coalesce(b.completed_at, b.canceled_at) < now() - interval '1 day'
        - CASE d.kind WHEN 'OTHER' THEN interval '0' ELSE interval '1096 days' END
    UNION ALL
    SELECT g.slug || ' file ' || f.id || ' is destroyed, and not deleted in the store'
    FROM stored_files f JOIN organizations g ON g.id = f.organization_id
    WHERE f.destroyed_at < now() - interval '1 day' AND f.deleted_at IS NULL
"""

# Secrets


async def _unopenable() -> list[str]:
    """Sealed columns, and the master keys that they need and that are not configured."""
    found = []
    for model, column in vault.SEALED:
        table = model._meta.db_table
        used = await fetch(
            f"SELECT {vault.generation_in_sql(column)} AS key, count(*) AS rows FROM {table}"
            f" WHERE {column} IS NOT NULL GROUP BY 1"
        )
        found += [
            f"{table}.{column}: {row['rows']} sealed with {row['key']}"
            for row in used
            if row["key"] not in master_keys()
        ]
    return found


_RETRY = "See why in the log and mend it, then `bin/comptoir retry` the promise."
_WORKERS = "See that `bin/comptoir worker` runs, and what its log says of the job."

IN_ITS_ACCOUNT = """
    SELECT g.slug || ' order ' || o.number || ' at ' || o.stripe_account AS example
    FROM orders o JOIN organizations g ON g.id = o.organization_id
    WHERE o.stripe_account <> 'platform' AND NOT EXISTS (
        SELECT FROM stripe_accounts a WHERE a.organization_id = o.organization_id AND a.account = o.stripe_account
    )
    UNION ALL
    SELECT g.slug || ' order ' || o.number || ' at ' || o.stripe_account || ', paid at ' || p.stripe_account
    FROM payments p JOIN orders o ON o.id = p.order_id JOIN organizations g ON g.id = o.organization_id
    WHERE (p.stripe_account, p.live) <> (o.stripe_account, o.live)
"""

INVARIANTS = (
    Invariant(
        "An order is paid if, and only if, what counts of its payments comes to its total",
        PAID_IFF_COVERED,
        "Compare with the payment at Stripe. Where it was taken, send its event again from Stripe's dashboard; where it"
        " was not, find out who changed the order before anything is delivered.",
    ),
    Invariant(
        "All money that came counts, or was left for a person",
        ACCOUNTED_FOR,
        "Somebody changed rows by hand: compare with the payment at Stripe and the backup, and refund what is over.",
    ),
    Invariant(
        "What is sold is paid in the Stripe account that it was sold through, the platform's or the organization's own",
        IN_ITS_ACCOUNT,
        "Somebody changed rows by hand: compare with the payment in each account, and the backup.",
    ),
    Invariant(
        "No money at Stripe is nobody's",
        SOMEBODYS,
        "Find the sale at Stripe by the event's id: make its product known and the order by hand, or refund it; then"
        " set the event's flagged_at to null.",
    ),
    Invariant(
        "A discount code counts the orders that hold it",
        COUNTED,
        "Set its redemptions to the number of orders that hold it.",
    ),
    Invariant(
        "An order that is paid and not free is invoiced in full",
        INVOICED,
        "Payment and invoice are one transaction, so somebody changed rows by hand, or restored a part: compare with"
        " the backup. Never insert an invoice by hand.",
    ),
    Invariant(
        "A paid order of a subscription names it, Stripe's invoice, and the period",
        OF_A_PERIOD,
        "Somebody changed rows by hand: compare with the subscription at Stripe and the backup.",
    ),
    Invariant(
        "What an order knows to have gone back is what its refunds and lost disputes come to",
        GIVEN_BACK,
        "Somebody changed rows by hand: compare with Stripe's refunds and disputes, and with the backup.",
    ),
    Invariant(
        "What went back of a paid order is credited, and credit notes come to what their invoices know of them",
        CREDITED,
        "Refund and credit note are one transaction, so somebody changed rows by hand: compare with the backup. What is"
        " missing can be issued (creditNoteCreate).",
    ),
    Invariant(
        "Whoever got all of their money back may not use what they bought",
        WITHDRAWN,
        "See the log of the refund's event for why it was not withdrawn, and withdraw it once the cause is mended.",
    ),
    Invariant(
        "No refund is on its way for 14 days",
        ON_ITS_WAY,
        "Look it up at Stripe: a bank may have refused it without a word. It is asked after each day by itself.",
    ),
    Invariant(
        "Invoice numbers are 1 to n in each series and year",
        GAPLESS,
        "An invoice was deleted: restore it from the backup. The law wants the series without a gap.",
    ),
    Invariant(
        "Invoice dates follow their numbers",
        IN_ORDER,
        "A date was changed: restore it from the backup, or from the date printed on the PDF.",
    ),
    Invariant(
        f"The newest {seals.MOST:,} invoices are as they were issued, each chained to the one before it",
        seals.broken,
        "A row was changed past the trigger that keeps it: restore it from the backup, and find out who could. What was"
        " issued is in the PDF that the client was sent.",
    ),
    Invariant(
        "An organization that sells has all that its invoices have to say of it",
        organizations.incomplete,
        "Have its owner fill what is named (the mutation organizationUpdate): until then nobody can pay it.",
    ),
    Invariant(
        "Whoever paid may use what they bought",
        GRANTED,
        "See the order's conflicts and the log for why it was not granted; grant it once the cause is mended.",
    ),
    Invariant(
        "No conflict waits for a person",
        SETTLED,
        "Do as its message says (most often a refund at Stripe), then say so: the mutation conflictResolve.",
    ),
    Invariant(
        "Of an appointment as many places are taken as there are live bookings of it",
        SEATED,
        "Place and booking are one transaction, so somebody changed rows by hand: set its taken to the number of its"
        " bookings that are not cancelled or expired.",
    ),
    Invariant(
        "Of a pack as many sessions are used as its bookings draw",
        DRAWN,
        "Set its used to the number of its bookings that draw a session.",
    ),
    Invariant(
        "A bilan can be held if, and only if, all of its price is paid or agreed; its sums are those of its parts",
        FUNDED,
        "Somebody changed rows by hand: set its allotted_cents, secured_cents and minutes_done to what its fundings and"
        " sessions come to, and its status after its secured_cents.",
    ),
    Invariant("An invoice is rendered within 10 minutes", RENDERED, _WORKERS),
    Invariant("An invoice is sent within 10 minutes of its rendering", SENT, _WORKERS),
    Invariant(
        f"The files of the newest {FILES_MOST:,} invoices are in the store, as they were stored",
        _lost_files,
        "Restore the files from the backup. An invoice that was sent must not be rendered anew.",
    ),
    Invariant(
        "A notification that waits for its invoice has a promise",
        TO_BE_TOLD,
        "Send it again: the mutation notificationResend.",
    ),
    Invariant("An endpoint that something is due to is told within 10 minutes", TOLD, _WORKERS),
    *(Invariant(f"Nothing of lane {lane.value} is due for 10 minutes", _overdue(lane), _WORKERS) for lane in Lane),
    Invariant("No promise was given up", KEPT, _RETRY),
    Invariant("No promise is held by a worker that died", HELD_BY_THE_LIVING, _WORKERS),
    Invariant(
        "An event of Stripe's is handled within 10 minutes",
        HANDLED,
        "See in the log why its `inbox.handle` fails; it is tried again by itself, until it is given up.",
    ),
    Invariant(
        "What is to be destroyed is destroyed within a day, and deleted in the store",
        DESTROYED,
        "See that `bin/comptoir worker` runs, and that the bucket's keys may delete `*/sealed/*`.",
    ),
    Invariant(
        "Every secret can be opened with the keys that are configured",
        _unopenable,
        "Put the missing key back, at the end of COMPTOIR_MASTER_KEYS.",
    ),
)
