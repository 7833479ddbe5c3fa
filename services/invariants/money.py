"""Orders, payments, refunds, discount codes and what was paid for."""

from services.invariants.invariant import Invariant

INVARIANTS = (
    Invariant(
        "An order is paid if, and only if, what counts of its payments comes to its total",
        """
        SELECT g.slug || ' order ' || o.number || ' is ' || o.status || ': of ' || o.total_cents || ' cents '
            || o.paid_cents || ' paid, ' || coalesce(p.applied, 0) || ' by its payments' AS example
        FROM orders o JOIN organizations g ON g.id = o.organization_id
        LEFT JOIN (SELECT order_id, sum(applied_cents) AS applied FROM payments GROUP BY order_id) p
            ON p.order_id = o.id
        WHERE o.paid_cents <> coalesce(p.applied, 0)
            OR (o.total_cents > 0 AND o.status <> 'CANCELED'
                AND (o.status IN ('PAID', 'REFUNDED')) <> (o.paid_cents + o.waived_cents = o.total_cents))
        """,
        "Compare with the payment at Stripe. Where it was taken, send its event again from Stripe's dashboard; where it"
        " was not, find out who changed the order before anything is delivered.",
    ),
    Invariant(
        "All money that came counts, or was left for a person",
        """
        SELECT g.slug || ' order ' || o.number || ': ' || p.amount_cents || ' cents came, '
            || p.applied_cents || ' count' AS example
        FROM payments p JOIN orders o ON o.id = p.order_id JOIN organizations g ON g.id = p.organization_id
        WHERE p.status = 'SUCCEEDED' AND p.applied_cents < p.amount_cents
            AND NOT EXISTS (SELECT 1 FROM conflicts c WHERE c.payment_id = p.id)
        """,
        "Somebody changed rows by hand: compare with the payment at Stripe and the backup, and refund what is over.",
    ),
    Invariant(
        "What is sold is paid in the Stripe account that it was sold through, the platform's or the organization's own",
        """
        SELECT g.slug || ' order ' || o.number || ' at ' || o.stripe_account AS example
        FROM orders o JOIN organizations g ON g.id = o.organization_id
        WHERE o.stripe_account <> 'platform' AND NOT EXISTS (
            SELECT FROM stripe_accounts a WHERE a.organization_id = o.organization_id AND a.account = o.stripe_account
        )
        UNION ALL
        SELECT g.slug || ' order ' || o.number || ' at ' || o.stripe_account || ', paid at ' || p.stripe_account
        FROM payments p JOIN orders o ON o.id = p.order_id JOIN organizations g ON g.id = o.organization_id
        WHERE (p.stripe_account, p.live) <> (o.stripe_account, o.live)
        """,
        "Somebody changed rows by hand: compare with the payment in each account, and the backup.",
    ),
    Invariant(
        "No money at Stripe is nobody's",
        """
        SELECT stripe_id || ' ' || type || ': ' || outcome AS example FROM stripe_events WHERE flagged_at IS NOT NULL
        """,
        "Find the sale at Stripe by the event's id: make its product known and the order by hand, or refund it; then"
        " set the event's flagged_at to null.",
    ),
    Invariant(
        "A discount code counts the orders that hold it",
        """
        SELECT g.slug || ' code ' || c.code || ': ' || c.redemptions || ' counted, ' || coalesce(o.held, 0) || ' held'
            AS example
        FROM discount_codes c JOIN organizations g ON g.id = c.organization_id
        LEFT JOIN (SELECT discount_code_id, count(*) AS held FROM orders WHERE holds_code GROUP BY discount_code_id) o
            ON o.discount_code_id = c.id
        WHERE c.redemptions <> coalesce(o.held, 0)
        """,
        "Set its redemptions to the number of orders that hold it.",
    ),
    Invariant(
        "A paid order of a subscription names it, Stripe's invoice, and the period",
        """
        SELECT z.slug || ' order ' || o.number AS example FROM orders o JOIN organizations z ON z.id = o.organization_id
        WHERE o.kind = 'SUBSCRIPTION' AND o.status IN ('PAID', 'REFUNDED') AND (
            o.subscription_id IS NULL OR o.stripe_invoice_id IS NULL
            OR NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = o.id AND l.period_end IS NOT NULL)
        )
        """,
        "Somebody changed rows by hand: compare with the subscription at Stripe and the backup.",
    ),
    Invariant(
        "What an order knows to have gone back is what its refunds and lost disputes come to",
        # Of each payment what never counted goes back first.
        """
        SELECT g.slug || ' order ' || o.number || ': ' || o.refunded_cents || ' and ' || o.charged_back_cents
            || ' cents known, ' || sums.refunded || ' and '
            || sums.gone - sums.refunded || ' by its refunds and disputes' AS example
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
        """,
        "Somebody changed rows by hand: compare with Stripe's refunds and disputes, and with the backup.",
    ),
    Invariant(
        "Whoever got all of their money back may not use what they bought",
        """
        SELECT g.slug || ' order ' || o.number AS example FROM orders o JOIN organizations g ON g.id = o.organization_id
        WHERE (o.status = 'REFUNDED' OR o.charged_back_cents > 0)
            AND EXISTS (SELECT 1 FROM accesses a WHERE a.order_id = o.id AND a.withdrawn_at IS NULL)
        """,
        "See the log of the refund's event for why it was not withdrawn, and withdraw it once the cause is mended.",
    ),
    Invariant(
        "No refund is on its way for 14 days",
        """
        SELECT g.slug || ' ' || coalesce(r.stripe_id, r.id::text) || ' of ' || r.amount_cents || ' cents' AS example
        FROM refunds r JOIN organizations g ON g.id = r.organization_id
        WHERE r.status = 'PENDING' AND r.created_at < now() - interval '14 days'
        """,
        "Look it up at Stripe: a bank may have refused it without a word. It is asked after each day by itself.",
    ),
    Invariant(
        "Whoever paid may use what they bought",
        """
        SELECT g.slug || ' order ' || o.number || ' line ' || l.position AS example
        FROM orders o JOIN organizations g ON g.id = o.organization_id JOIN order_lines l ON l.order_id = o.id
        LEFT JOIN accesses a ON (a.order_id, a.product_id) = (o.id, l.product_id)
        WHERE o.status IN ('PAID', 'REFUNDED') AND o.kind IN ('PRODUCTS', 'SUBSCRIPTION') AND a.id IS NULL
        """,
        "See the order's conflicts and the log for why it was not granted; grant it once the cause is mended.",
    ),
    Invariant(
        "No conflict waits for a person",
        """
        SELECT g.slug || coalesce(' order ' || o.number, '') || ' ' || c.kind || ': ' || c.message AS example
        FROM conflicts c LEFT JOIN orders o ON o.id = c.order_id JOIN organizations g ON g.id = c.organization_id
        WHERE c.resolved_at IS NULL
        """,
        "Do as its message says (most often a refund at Stripe), then say so: the mutation conflictResolve.",
    ),
)
