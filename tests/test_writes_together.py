"""Writes of a transaction go together: nobody can tell, but for the trips."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
from tortoise import connections
from tortoise.exceptions import IntegrityError
from uuid_utils.compat import uuid7

from models import Client, rows
from models.database import query, savepoint, transaction
from models.together import MOST, Together
from tests.shop import Shop


class Heard:
    """The statements of a connection, as PostgreSQL got them."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._said: list[str] = []
        connection.add_query_logger(lambda record: self._said.append(record.query))

    async def said(self) -> list[str]:
        await asyncio.sleep(0)  # it is told in the loop's next turn
        return self._said


@pytest.fixture
async def owner(shop: Shop) -> UUID:
    (row,) = await query("SELECT id FROM organizations ORDER BY id LIMIT 1")
    return UUID(str(row["id"]))


def a_client(owner: UUID, name: str) -> Client:
    return Client(organization_id=owner, email=f"{name}@together.test")


async def named() -> list[str]:
    found = await query("SELECT email FROM clients WHERE email LIKE '%@together.test' ORDER BY email")
    return [row["email"].partition("@")[0] for row in found]


async def test_what_is_written_in_a_transaction_is_one_statement(owner: UUID) -> None:
    async with transaction() as connection:
        heard = Heard(connection._connection)
        for name in ("a", "b", "c"):
            await rows.insert(a_client(owner, name))
        assert await heard.said() == []
    assert await named() == ["a", "b", "c"]
    assert [said.partition(" ")[0] for said in (await heard.said())[:2]] == ["WITH", "COMMIT;"]


async def test_a_question_about_a_table_sees_what_was_written_to_it(owner: UUID) -> None:
    async with transaction():
        await rows.insert(a_client(owner, "a"))
        assert await named() == ["a"]
        await rows.insert(a_client(owner, "b"))
        assert await Client.filter(email="b@together.test").count() == 1


async def test_a_question_about_another_table_waits_for_nothing(owner: UUID) -> None:
    async with transaction() as connection:
        await rows.insert(a_client(owner, "a"))
        heard = Heard(connection._connection)
        await query("SELECT 1 AS clients_of FROM products LIMIT 1")
        assert len(await heard.said()) == 1


async def test_a_row_written_twice_is_as_it_was_written_last(owner: UUID) -> None:
    async with transaction():
        client = a_client(owner, "a")
        await rows.insert(client)
        for name in ("Zoë", "Ève"):
            client.first_name = name
            await rows.update(client)
    assert (await Client.get(id=client.id)).first_name == "Ève"


async def test_what_writes_by_another_way_comes_after(owner: UUID) -> None:
    async with transaction():
        await rows.insert(a_client(owner, "a"))
        await query("UPDATE clients SET email = 'z@together.test' WHERE email = 'a@together.test'")
    assert await named() == ["z"]


async def test_what_cannot_be_written_undoes_the_transaction_and_frees_its_connection(owner: UUID) -> None:
    for _ in range(3):
        with pytest.raises(IntegrityError):
            async with transaction():
                await rows.insert(a_client(owner, "a"))
                await rows.insert(a_client(uuid7(), "b"))
    assert await named() == []
    assert (
        await query(
            "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        == []
    )


async def test_a_part_that_fails_takes_nothing_of_before_with_it(owner: UUID) -> None:
    async with transaction():
        await rows.insert(a_client(owner, "a"))
        with pytest.raises(IntegrityError):
            async with savepoint():
                await rows.insert(a_client(uuid7(), "b"))
        with pytest.raises(ZeroDivisionError):
            async with savepoint():
                await rows.insert(a_client(owner, "c"))
                raise ZeroDivisionError
        await rows.insert(a_client(owner, "d"))
    assert await named() == ["a", "d"]


async def test_a_transaction_that_is_given_up_writes_nothing(owner: UUID) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await rows.insert(a_client(owner, "a"))
            raise ZeroDivisionError
    assert await named() == []


async def test_however_many_wait_a_statement_takes_so_many(owner: UUID) -> None:
    async with transaction() as connection:
        heard = Heard(connection._connection)
        for place in range(MOST + 1):
            await rows.insert(a_client(owner, f"{place:03}"))
        assert len(await heard.said()) == 1
    assert len(await named()) == MOST + 1


async def test_outside_a_transaction_a_row_is_written_at_once(owner: UUID) -> None:
    assert not isinstance(connections.get("default"), Together)
    await rows.insert(a_client(owner, "a"))
    assert await named() == ["a"]
