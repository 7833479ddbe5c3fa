"""What is promised to workers, told to partners and told by Stripe."""

from models import Lane
from services.invariants.invariant import WORKERS, Invariant

_RETRY = "See why in the log and mend it, then `bin/comptoir retry` the promise."


def _overdue(lane: Lane) -> str:
    return f"""
        SELECT job || ' of ' || subject_id || ', due since ' || date_trunc('second', due_at) AS example FROM outbox
        WHERE lane = '{lane.value}' AND due_at < now() - interval '10 minutes'
            AND done_at IS NULL AND given_up_at IS NULL AND (lease_until IS NULL OR lease_until < now())
    """


INVARIANTS = (
    Invariant(
        "A notification that waits for its invoice has a promise",
        """
        SELECT p.slug || ' of ' || n.event_id AS example FROM notifications n JOIN partners p ON p.id = n.partner_id
        WHERE n.status = 'PENDING' AND n.next_attempt_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM outbox b WHERE b.subject_id = n.id AND b.job = 'notifications.deliver'
                AND b.done_at IS NULL AND b.given_up_at IS NULL
        )
        """,
        "Send it again: the mutation notificationResend.",
    ),
    Invariant(
        "An endpoint that something is due to is told within 10 minutes",
        """
        SELECT p.slug || ' of ' || n.event_id AS example FROM partner_endpoints e JOIN partners p ON p.id = e.partner_id
        JOIN notifications n ON n.partner_id = e.partner_id AND n.live = e.live
        WHERE n.status = 'PENDING' AND n.next_attempt_at < now() - interval '10 minutes' AND e.disabled_at IS NULL
            AND coalesce(greatest(e.told_at, e.held_until), n.next_attempt_at) < now() - interval '10 minutes'
        """,
        WORKERS,
    ),
    *(Invariant(f"Nothing of lane {lane.value} is due for 10 minutes", _overdue(lane), WORKERS) for lane in Lane),
    Invariant(
        "No promise was given up",
        """
        SELECT job || ' ' || id || ': ' || coalesce(error, 'no reason') AS example FROM outbox b
        WHERE given_up_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM outbox again
            WHERE again.subject_id = b.subject_id AND again.job = b.job AND again.id > b.id
                AND again.given_up_at IS NULL
        )
        """,
        _RETRY,
    ),
    Invariant(
        "No promise is held by a worker that died",
        """
        SELECT job || ' of ' || subject_id || ', until ' || date_trunc('second', lease_until) AS example FROM outbox
        WHERE token IS NOT NULL AND lease_until < now() - interval '1 minute'
            AND done_at IS NULL AND given_up_at IS NULL
        """,
        WORKERS,
    ),
    Invariant(
        "An event of Stripe's is handled within 10 minutes",
        """
        SELECT stripe_id || ' ' || type AS example FROM stripe_events
        WHERE handled_at IS NULL AND created_at < now() - interval '10 minutes'
        """,
        "See in the log why its `inbox.handle` fails; it is tried again by itself, until it is given up.",
    ),
)
