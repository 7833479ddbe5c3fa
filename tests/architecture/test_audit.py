"""Every table is audited or says why not, and no secret gets into the log."""

import re
from typing import Any

import pytest
from tortoise.models import Model

import models
from policy import Key
from services import audit
from tests.shop import Shop

# Tables whose changes are not logged, and why.
EXEMPT = {
    "accesses": "follow from a payment, which is logged",
    "attempts": "are the log of what was asked of Stripe",
    "audit_entries": "are the log",
    "calendar_events": "follow from appointments, which are logged",
    "client_merges": "are the log of what was merged",
    "email_changes": "are a person's own; what comes of one is logged as the person's",
    "key_generations": "are noted by whichever process is first",
    "known_places": "follow from signing in, which is noted",
    "idempotency_keys": "are the log of what was asked under a key",
    "invoice_series": "count invoices, each of which is logged",
    "notification_attempts": "are the log of what partners were told",
    "oauth_requests": "come to a consent, which is logged, or to nothing",
    "stored_files": "follow from uploads, and from what is made of them, which is logged",
    "uploads": "come to a document or an import, which is logged, or to nothing",
    "outbox": "is what the change that is logged owes",
    "password_requests": "come from anybody, and change nothing",
    "quote_series": "count quotes, each of which is logged",
    "booking_reminders": "follow from a booking, which is logged",
    "document_accesses": "are the log of who opened documents",
    "destruction_records": "are the log of what was destroyed",
    "client_import_lines": "are what was found of an import, which is logged",
    "drifts": "are what Stripe was compared with us for; nobody changes them",
    "reconciliation_points": "are how far that was done",
    "reconciliations": "are the log of it",
    "recovery_codes": "are a person's own; that there are some is logged as the person's",
    "registrations": "are of no organization yet",
    "reminders": "follow from an invoice, which is logged",
    "secret_openings": "are the log of what was unsealed",
    "sessions": "are a person's own; their beginnings and ends are noted",
    "timeline_events": "are the log of what happened with a client",
    "stripe_events": "are the log of what Stripe told",
}
# What may say anything of a person: the log is forever.
PRIVATE = {"client_notes.body", "quality_proofs.description", "quality_proofs.title", "surveys.comment"}

SMELLS = re.compile("hash|secret|key|token|password|sealed|totp|salt|nonce")
PUBLIC = {
    "invoices.file_key": "the place of a document, which takes a signed link to be read",
    "exports.file_key": "the place of a document, which takes a signed link to be read",
    "quotes.file_key": "the place of a document, which takes a signed link to be read",
    "partners.api_key_last4": "shown to whoever sees the partner",
    "partners.previous_secret_until": "a time",
    "users.totp_step": "counts halves of minutes, and is not logged",
    "publishable_keys.key": "is in the pages of its shop",
    "stripe_accounts.publishable_key": "is in the pages of its shop, too",
}

Audited = dict[str, tuple[str, set[str], set[str]]]  # table → (type, redacted columns, ignored columns)


@pytest.fixture
async def audited(shop: Shop) -> Audited:
    triggers = await shop.sql(
        "SELECT tgrelid::regclass::text AS table, encode(tgargs, 'escape') AS given FROM pg_trigger"
        " WHERE tgname = 'audited' AND tgenabled = 'O'"
    )
    found: Audited = {}
    for trigger in triggers:
        type_, redacted, ignored, _ = trigger["given"].split("\\000")
        found[trigger["table"]] = type_, set(filter(None, redacted.split(","))), set(filter(None, ignored.split(",")))
    return found


def tables() -> dict[str, type[Model]]:
    rows = [getattr(models, name) for name in models.__all__ if hasattr(getattr(models, name), "_meta")]
    return {model._meta.db_table: model for model in rows if model is not models.Storefront}


def test_every_table_is_audited_or_exempt_for_a_reason(audited: Audited) -> None:
    assert set(audited) | set(EXEMPT) == set(tables())
    assert set(audited) & set(EXEMPT) == set()


def test_a_row_is_logged_under_the_name_of_its_model(audited: Audited) -> None:
    assert {table: type_ for table, (type_, *_) in audited.items()} == {
        table: model.__name__ for table, model in tables().items() if table in audited
    }


async def test_every_column_that_smells_of_a_secret_is_redacted_or_public_for_a_reason(
    shop: Shop, audited: Audited
) -> None:
    smelly = {
        name
        for name in await columns(shop)
        if name.partition(".")[0] in audited and SMELLS.search(name[name.index(".") :])
    }
    redacted = {f"{table}.{column}" for table, (_, hidden, _) in audited.items() for column in hidden}

    assert redacted - PRIVATE | set(PUBLIC) == smelly
    assert redacted >= PRIVATE
    assert redacted & set(PUBLIC) == set()


async def test_what_is_ignored_or_redacted_is_a_column(shop: Shop, audited: Audited) -> None:
    named = {f"{table}.{column}" for table, (_, *both) in audited.items() for some in both for column in some}

    assert named <= await columns(shop)


def test_whoever_may_call_is_an_actor_of_the_log() -> None:
    assert set(audit.KINDS) == set(Key)


async def columns(shop: Shop) -> set[str]:
    rows: list[dict[str, Any]] = await shop.sql(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'public'"
    )
    return {row["name"] for row in rows}
