"""Pages of a list: keyset both ways, stable while rows come in, bounded."""

from typing import Any

from tests.shop import Shop

PAGE = """
  query ($first: Int, $after: String, $last: Int, $before: String) {
    orders(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { number } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
"""


async def test_pages_follow_each_other_from_the_newest_on(shop: Shop) -> None:
    await seven_orders(shop)

    pages = [page := await shop(PAGE, first=3)]
    while page["pageInfo"]["hasNextPage"]:
        pages.append(page := await shop(PAGE, first=3, after=page["pageInfo"]["endCursor"]))

    assert [numbers(page) for page in pages] == [[7, 6, 5], [4, 3, 2], [1]]
    assert [page["pageInfo"]["hasPreviousPage"] for page in pages] == [False, True, True]


async def test_pages_follow_each_other_from_the_oldest_back(shop: Shop) -> None:
    await seven_orders(shop)

    pages = [page := await shop(PAGE, last=3)]
    while page["pageInfo"]["hasPreviousPage"]:
        pages.append(page := await shop(PAGE, last=3, before=page["pageInfo"]["startCursor"]))

    assert [numbers(page) for page in pages] == [[3, 2, 1], [6, 5, 4], [7]]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [False, True, True]


async def test_a_page_may_lie_between_two_cursors(shop: Shop) -> None:
    await seven_orders(shop)
    cursors = {edge["node"]["number"]: edge["cursor"] for edge in (await shop(PAGE))["edges"]}

    between = await shop(PAGE, first=2, after=cursors[6], before=cursors[2])
    rest = await shop(PAGE, last=5, after=cursors[6], before=cursors[2])

    assert numbers(between) == [5, 4]
    assert numbers(rest) == [5, 4, 3]
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (True, True)


async def test_a_page_is_stable_while_orders_come_in(shop: Shop) -> None:
    await seven_orders(shop)
    first = await shop(PAGE, first=3)

    await shop.order()

    assert numbers(await shop(PAGE, first=3, after=first["pageInfo"]["endCursor"])) == [4, 3, 2]


async def test_an_empty_page_stands_nowhere(shop: Shop) -> None:
    page = await shop(PAGE)

    nowhere = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert (page["edges"], page["pageInfo"]) == ([], nowhere)


async def test_a_page_has_one_to_a_hundred_rows(shop: Shop) -> None:
    for name in ("first", "last"):
        for size in (0, -1, 101, 2**31 - 1):
            assert await shop.refused(PAGE, **{name: size}) == ("INVALID", name, f"`{name}` is 1 to 100."), size
        assert await shop(PAGE, **{name: 100})

    both = await shop.refused(PAGE, first=1, last=1)
    assert both == ("INVALID", "last", "Give `first` or `last`, not both.")


async def test_a_cursor_of_nowhere_is_refused(shop: Shop) -> None:
    product = await shop.product()
    of_products = (await shop("{ products { edges { cursor } } }"))["edges"][0]["cursor"]

    for name in ("after", "before"):
        for bad in ("", "x", "é", "\0", "=" * 99, of_products, product, "T3JkZXJAeA"):
            code, field, message = await shop.refused(PAGE, **{name: bad})
            assert (code, field) == ("INVALID", name), bad
            assert "pageInfo" in message


async def seven_orders(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    for _ in range(7):
        await shop.order(product, client=client)


def numbers(page: dict[str, Any]) -> list[int]:
    return [edge["node"]["number"] for edge in page["edges"]]
