"""What services count, for Prometheus. Labels take the few values that the code knows, never what others send."""

from prometheus_client import Counter, Histogram

JOBS = Histogram(
    "comptoir_job_duration_seconds",
    "Goes at keeping a promise, by job and by what came of them: kept, postponed, failed (tried again), given up",
    ["job", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
RENDERS = Histogram(
    "comptoir_render_duration_seconds",
    "Documents made, the wait for a free process included: rendered or failed",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
STRIPE_EVENTS = Counter(
    "comptoir_stripe_events",
    "What came to the webhook, by type (other: one that we do not handle; none: nothing that Stripe signed): new,"
    " duplicate, bad signature, no event, no database (Stripe sends it again); to the platform's address or to that of"
    " an own account",
    ["type", "outcome", "account"],
)
HASHES = Counter("comptoir_password_hashes", "Passwords hashed, to keep them or to look whether they are right")
GUESSES = Counter(
    "comptoir_guesses",
    "Passwords and codes that were given, by what came of them: succeeded, failed, refused (too many before)",
    ["what", "outcome"],
)
RECONCILED = Counter(
    "comptoir_reconciled",
    "What asking Stripe brought up to date: event missed (it had never come), order mended",
    ["what"],
)
INTEGRATION_CHECKS = Counter(
    "comptoir_integration_checks",
    "Integrations of organizations that were tried, by provider and by the status that came of it",
    ["provider", "status"],
)
