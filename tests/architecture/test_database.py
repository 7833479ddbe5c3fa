"""What the database refuses is written down, and nothing else is in it: the declared list is `constraints.txt`.

After a migration: `python tests/architecture/declare.py`, and read the difference before committing it.
"""

from typing import Any

import pytest
from tortoise import Tortoise, connections
from tortoise.migrations.autodetector import MigrationAutodetector

from models.database import config
from tests.architecture.declare import DECLARED, of_database
from tests.shop import Shop

TENANT = "organization_id"


async def test_the_database_holds_exactly_the_declared_constraints_and_indexes(shop: Shop) -> None:
    actual = await of_database(connections.get("default"))

    assert actual == DECLARED.read_text().splitlines()


async def test_no_foreign_key_cascades_and_each_between_tenants_carries_the_tenant(shop: Shop) -> None:
    keys = await shop.sql(
        """
        SELECT c.conrelid::regclass::text AS source, c.confrelid::regclass::text AS target,
               c.confdeltype::text AS deletes,
               (SELECT array_agg(a.attname::text) FROM pg_attribute a
                WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS columns
        FROM pg_constraint c WHERE c.contype = 'f'
        """
    )
    owned = {row["table_name"] for row in await _columns(shop) if row["column_name"] == TENANT}

    assert keys
    assert all(key["deletes"] in ("a", "r") for key in keys)
    free = {("outbox", "outbox")}  # a promise may wait for one of no tenant
    for key in keys:
        if key["source"] in owned and key["target"] in owned and (key["source"], key["target"]) not in free:
            assert TENANT in key["columns"], key


async def test_every_column_of_a_foreign_key_has_an_index_that_begins_with_it(shop: Shop) -> None:
    bare = await shop.sql(
        """
        SELECT c.conname FROM pg_constraint c, unnest(c.conkey) AS column_number
        WHERE c.contype = 'f' AND NOT EXISTS (
            SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = column_number
        )
        """
    )

    assert [row["conname"] for row in bare] == []


async def test_the_migrations_make_what_the_models_say(database_url: str, shop: Shop) -> None:
    apps = config(database_url)["apps"]
    assert Tortoise.apps is not None

    assert await MigrationAutodetector(Tortoise.apps, apps).changes() == []


@pytest.mark.parametrize("table", ["orders", "payments", "invoices", "notifications"])
async def test_a_row_cannot_name_a_row_of_another_organization(shop: Shop, table: str) -> None:
    product = await shop.product(partners=(await shop.partner(),))
    await shop.sell(product)
    other = await Shop.open(shop.http, shop.sandbox, "other")

    with pytest.raises(Exception, match="foreign key|is issued: its organization_id cannot change"):
        await shop.sql(f"UPDATE {table} SET organization_id = $1", other.organization.id)


async def _columns(shop: Shop) -> list[dict[str, Any]]:
    columns = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    return await shop.sql(columns)
