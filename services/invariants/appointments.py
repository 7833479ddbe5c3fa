"""Appointments, packs, bilans and their documents."""

from services import bilan_law
from services.documents import CLOCKS
from services.invariants.invariant import Invariant


def _kept() -> str:
    """SQL: for how many days each kind is kept, by the law of when its bilan was agreed."""
    rules = [(kind, rule.value, rule.moments) for kind, (code, _) in CLOCKS.items() for rule in bilan_law.of(code)]
    return ", ".join(
        f"('{kind}', {days}, timestamptz '{since.isoformat()}', timestamptz '{until.isoformat()}')"
        for kind, days, (since, until) in rules
    )


INVARIANTS = (
    Invariant(
        "Of an appointment as many places are taken as there are live bookings of it",
        """
        SELECT g.slug || ' ' || v.name || ' at ' || a.starts_at || ': ' || a.taken || ' taken, '
            || count(b.id) || ' booked' AS example
        FROM appointments a JOIN organizations g ON g.id = a.organization_id JOIN services v ON v.id = a.service_id
        LEFT JOIN bookings b ON b.appointment_id = a.id AND b.status NOT IN ('CANCELED', 'EXPIRED')
        GROUP BY a.id, g.slug, v.name HAVING a.taken <> count(b.id)
        """,
        "Place and booking are one transaction, so somebody changed rows by hand: set its taken to the number of its"
        " bookings that are not cancelled or expired.",
    ),
    Invariant(
        "Of a pack as many sessions are used as its bookings draw",
        """
        SELECT g.slug || ' pack ' || p.id || ': ' || p.used || ' used, ' || count(b.id) || ' drawn' AS example
        FROM packs p JOIN organizations g ON g.id = p.organization_id
        LEFT JOIN bookings b ON b.pack_id = p.id AND b.draws_session
        GROUP BY p.id, g.slug HAVING p.used <> count(b.id)
        """,
        "Set its used to the number of its bookings that draw a session.",
    ),
    Invariant(
        "A bilan can be held if, and only if, all of its price is paid or agreed; its sums are those of its parts",
        """
        SELECT g.slug || ' bilan ' || b.id || ': ' || b.status || ', ' || b.secured_cents || ' of ' || b.price_cents
            || ' secured, ' || b.minutes_done || ' minutes done' AS example
        FROM bilans b JOIN organizations g ON g.id = b.organization_id
        LEFT JOIN LATERAL (SELECT coalesce(sum(amount_cents) FILTER (WHERE status IN ('AGREED', 'PAID')), 0) AS secured,
            coalesce(sum(amount_cents), 0) AS allotted FROM bilan_fundings
            WHERE bilan_id = b.id AND status IN ('PLANNED', 'AGREED', 'PAID')) f ON true
        LEFT JOIN LATERAL (SELECT coalesce(sum(minutes), 0) AS minutes FROM bilan_sessions
            WHERE bilan_id = b.id) s ON true
        WHERE (b.status IN ('FUNDED', 'IN_PROGRESS') AND b.due_cents > 0)
            OR (b.status = 'AWAITING_FUNDING' AND b.due_cents = 0)
            OR (b.secured_cents, b.allotted_cents, b.minutes_done) <> (f.secured, f.allotted, s.minutes)
        """,
        "Somebody changed rows by hand: set its allotted_cents, secured_cents and minutes_done to what its fundings and"
        " sessions come to, and its status after its secured_cents.",
    ),
    Invariant(
        "What is to be destroyed is destroyed within a day, and deleted in the store",
        f"""
        SELECT g.slug || ' document ' || d.id || ' is there longer than the law allows' AS example
        FROM documents d JOIN bilans b ON b.id = d.bilan_id JOIN organizations g ON g.id = d.organization_id
        JOIN (VALUES {_kept()}) AS kept (kind, days, since, until)
            ON kept.kind = d.kind AND b.created_at >= kept.since AND b.created_at < kept.until
        WHERE d.destroyed_at IS NULL
            AND coalesce(b.completed_at, b.canceled_at) < now() - (kept.days + 1) * interval '1 day'
        UNION ALL
        SELECT g.slug || ' file ' || f.id || ' is destroyed, and not deleted in the store'
        FROM stored_files f JOIN organizations g ON g.id = f.organization_id
        WHERE f.destroyed_at < now() - interval '1 day' AND f.deleted_at IS NULL
        """,
        "See that `bin/comptoir worker` runs, and that the bucket's keys may delete `*/sealed/*`.",
    ),
)
