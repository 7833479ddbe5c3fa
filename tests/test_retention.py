"""What is kept for a while is forgotten by a clock, and not before."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from models import ClientImport, Drift, DriftKind, Membership, OAuthRequest, Reconciliation, Role
from models.base import parse_global_id
from services import client_imports, retention
from services.retention import KEPT
from tests.identity.accounts import CHANGE_EMAIL, FORGOT, REGISTER, as_nobody
from tests.identity.test_registrations import LEA
from tests.importing import begun
from tests.managing.test_data_exports import ordered
from tests.shop import PASSWORD, Shop
from tests.uploading import asked

PRODUCT = """mutation { productCreate(input: {
  name: "Bilan", price: { amount: 100 }, partners: [], idempotencyKey: "one"
}) { product { id } } }"""


@pytest.fixture
async def full(shop: Shop) -> Shop:
    """A shop with something in each of the tables."""
    order = await shop.order()
    await shop(PRODUCT)
    await as_nobody(shop)(REGISTER, input=LEA)
    await as_nobody(shop)(FORGOT, input={"email": shop.email})
    await shop(CHANGE_EMAIL, input={"email": "new@shop.test", "password": PASSWORD})
    await reconciled_with_a_drift(shop, row_id(order["id"]))
    await sent_to_consent(shop)
    await asked(shop)
    await begun(shop, "E-mail\nnobody\n", dryRun=True)
    await client_imports.run(await ClientImport.get())
    await ordered(shop, await shop.client("marie@example.com"))
    return shop


@pytest.mark.parametrize(("table", "column", "kept"), KEPT, ids=[table for table, *_ in KEPT])
async def test_what_is_too_old_is_deleted_and_nothing_else(
    full: Shop, table: str, column: str, kept: timedelta
) -> None:
    if table == "reconciliations":
        await full.sql("DELETE FROM drifts")  # which go a day before
    there = await full.count(table)
    assert there
    await full.sql(f"UPDATE {table} SET {column} = now() - $1::interval + interval '1 minute'", kept)
    assert await retention.forget() == 0

    await full.sql(f"UPDATE {table} SET {column} = {column} - interval '2 minutes'")
    assert await retention.forget() == there
    assert await full.count(table) == 0


async def sent_to_consent(shop: Shop) -> None:
    mine = await Membership.get(organization_id=shop.organization.id, role=Role.OWNER)
    await OAuthRequest.create(
        organization_id=shop.organization.id, provider="google_calendar", membership=mine, for_organization=False,
        session_id=uuid7(), state_hash="a" * 64, code_verifier="v1", redirect_uri="https://comptoir.test/account",
        expires_at=datetime.now(UTC),
    )  # fmt: skip


async def reconciled_with_a_drift(shop: Shop, order_id: UUID) -> None:
    here, now = {"organization_id": shop.organization.id}, datetime.now(UTC)
    run = await Reconciliation.create(
        stripe_account="platform", live=False, since=now, started_at=now, ended_at=now, events_missed=0,
        orders_mended=0, unexplained=1, **here,
    )  # fmt: skip
    await Drift.create(
        reconciliation=run, order_id=order_id, kind=DriftKind.NOT_PAID, reference="pi_1", message="Not paid", **here
    )


def row_id(global_id: str) -> UUID:
    named = parse_global_id(global_id)
    assert named
    return named[1]
