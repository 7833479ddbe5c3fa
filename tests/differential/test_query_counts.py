"""A page takes one statement and one for each relation to many, whatever its size; a single row takes one in all."""

import pytest
from graphql import get_named_type

from engine.views import VIEWS
from models.base import global_id
from tests.differential.counting import Counted, everything_behind, paged, to_many
from tests.differential.ways import Case
from tests.differential.world import World, world
from tests.security.documents import BY_ID, LISTS, QUERY, row_type
from tests.shop import Shop

BY_NAME = {view.name: view for view in VIEWS.values()}
ROWS: World = world()
OWNER = ROWS.callers[0]


@pytest.fixture
async def counted(shop: Shop) -> Counted:
    await ROWS.insert()
    return Counted()


async def test_a_page_takes_one_statement_and_one_for_each_relation_to_many(counted: Counted) -> None:
    for name in LISTS:
        view = BY_NAME[row_type(name).name]
        document = f"query ($first: Int) {{ {name}(first: $first) {{ nodes {everything_behind(view)} }} }}"
        for size in (1, 3, 20):
            made = await counted.statements(Case(document, {"first": size}, OWNER))
            assert made == 1 + len(to_many(view)) + len(paged(view)), "\n".join(counted.made)


async def test_relations_of_relations_take_one_statement_each(counted: Counted) -> None:
    document = """query ($first: Int) { orders(first: $first) { nodes {
      number client { email } lines { product { name partners { name } } }
      invoices { number partner { name } } notifications { partner { name } attempts { number } }
    } } }"""

    for size in (5, 20):
        assert await counted.statements(Case(document, {"first": size}, OWNER)) == 1 + len(
            ("lines", "partners", "invoices", "notifications", "attempts")
        )


async def test_a_count_takes_one_more(counted: Counted) -> None:
    assert await counted.statements(Case("{ orders { totalCount nodes { client { email } } } }", {}, OWNER)) == 2


async def test_a_single_row_takes_one_statement_with_all_its_lists(counted: Counted) -> None:
    assert OWNER.actor
    for name in BY_ID:
        view = BY_NAME[get_named_type(QUERY.fields[name].type).name]
        row = await OWNER.actor.rows(view.model).first()
        document = f"query ($id: ID!) {{ {name}(id: $id) {everything_behind(view)} }}"
        assert await counted.statements(Case(document, {"id": global_id(row)}, OWNER)) == 1 + len(paged(view)), name


async def test_a_board_takes_one_statement_whatever_stands_on_it(counted: Counted) -> None:
    document = """query ($first: Int) { opportunityBoard { columns { stage count totals { amount currency }
      opportunities(first: $first) { totalCount pageInfo { hasNextPage } nodes { title client { email } } }
    } } }"""

    for size in (1, 3, 20):
        assert await counted.statements(Case(document, {"first": size}, OWNER)) == 1


async def test_me_takes_one_statement(counted: Counted) -> None:
    assert await counted.statements(Case("{ me { role user { email } organization { name } } }", {}, OWNER)) == 1
