"""What is claimed of reads, each with the figure that shows it."""

import random
from collections.abc import Callable, Coroutine
from itertools import repeat
from typing import Any

from benchmarks import documents, load
from benchmarks.bench import BY_HAND, STOCK, Bench
from benchmarks.data import LARGE, MILLION, THOUSAND
from benchmarks.documents import PAGE_SIZE
from benchmarks.figures import OURS, Figure, alike, faster
from benchmarks.load import Exchange

FAR = 4_000  # a page near the end of the large organization's orders
UNCOUNTED = "uncounted"
COUNTED = {OURS: "/graphql", UNCOUNTED: "/unlimited"}
DIFFERENT = 10_000  # documents
DIFFERENT_MOST = 900.0  # seconds for all of them


async def lists(bench: Bench) -> list[Figure]:
    """A page of orders with client, lines and their products, invoices."""
    token = await bench.sign_in(LARGE)
    turns = await bench.turns(await bench.ways([documents.orders()], token, by_hand=True))
    return [faster("list", turns, BY_HAND, target=0.8), faster("list", turns, STOCK, target=10)]


async def detail(bench: Bench) -> list[Figure]:
    """One order with the same, another at each request."""
    token = await bench.sign_in(LARGE)
    page = await bench.data(documents.page(first=64), token)
    asks = [documents.order(edge["node"]["id"]) for edge in page["orders"]["edges"]]
    turns = await bench.turns(await bench.ways(asks, token, by_hand=True))
    return [faster("detail", turns, BY_HAND, target=0.8)]


async def me(bench: Bench) -> list[Figure]:
    """Who is signed in."""
    token = await bench.sign_in(LARGE)
    turns = await bench.turns(await bench.ways([documents.me()], token, by_hand=True))
    return [faster("me", turns, BY_HAND, target=0.5)]


async def limits(bench: Bench) -> list[Figure]:
    """What it costs to count how often somebody asks."""
    token, figures = await bench.sign_in(LARGE), list[Figure]()
    for case, ask, target in (("list, counted", documents.orders(), 0.87), ("me, counted", documents.me(), None)):
        ways = {way: await bench.verified(ask.graphql(path, token)) for way, path in COUNTED.items()}
        figures.append(faster(case, await bench.turns(ways), UNCOUNTED, target=target))
    return figures


async def python(bench: Bench) -> list[Figure]:
    """A page of invoices, each with a link that Python signs."""
    token = await bench.sign_in(LARGE)
    turns = await bench.turns(await bench.ways([documents.links()], token, by_hand=False))
    return [faster("a Python field on every row", turns, STOCK, target=3)]


async def depth(bench: Bench) -> list[Figure]:
    """The first page of a list, and one deep down."""
    token = await bench.sign_in(LARGE)
    near, far = documents.page(first=PAGE_SIZE), documents.page(first=PAGE_SIZE, after=await _deep(bench, token))
    page = (await bench.data(far, token))["orders"]
    expected = LARGE.orders - (FAR - 1) * PAGE_SIZE
    if page["edges"][0]["node"]["number"] != expected or len(page["edges"]) != PAGE_SIZE:
        raise load.Failed(f"page {FAR} does not begin with order {expected}")
    turns = await bench.turns(
        {
            "page 1": repeat(Exchange(near.graphql("/graphql", token))),
            f"page {FAR:,}": repeat(Exchange(far.graphql("/graphql", token))),
        }
    )
    return [alike("depth", turns, target=1.3)]


async def sizes(bench: Bench) -> list[Figure]:
    """The first page of a short list, and of a very long one."""
    ask = documents.page(first=PAGE_SIZE)
    turns = await bench.turns(
        {
            f"{shop.orders:,} orders": repeat(Exchange(ask.graphql("/graphql", await bench.sign_in(shop))))
            for shop in (THOUSAND, MILLION)
        }
    )
    return [alike("size", turns, target=1.3)]


async def memory(bench: Bench) -> list[Figure]:
    """What the process keeps of thousands of documents that are all different, once it is warm. For a fresh process."""
    token = await bench.sign_in(LARGE)
    warm_up = [Exchange(documents.orders().graphql("/graphql", token))] * 500
    await load.each(bench.port, warm_up, connections=bench.connections, most=DIFFERENT_MOST)
    before = (await bench.used(collect=True))["resident"]
    chance = random.Random(DIFFERENT)  # the same documents at each run
    asks = (documents.some_orders(number, chance) for number in range(DIFFERENT))
    sent = (Exchange(ask.graphql("/graphql", token)) for ask in asks)
    await load.each(bench.port, sent, connections=bench.connections, most=DIFFERENT_MOST)
    grown = (await bench.used(collect=True))["resident"] - before
    return [Figure(f"memory over {DIFFERENT:,} documents", "before", grown / 1e6, 20, at_least=False, unit=" MB")]


CLAIMS: dict[str, Callable[[Bench], Coroutine[Any, Any, list[Figure]]]] = {
    "list": lists,
    "detail": detail,
    "me": me,
    "limits": limits,
    "python": python,
    "depth": depth,
    "sizes": sizes,
    "memory": memory,
}


async def _deep(bench: Bench, token: str) -> str:
    """The cursor that page FAR comes after. It is near the end of the list: walk there from the end."""
    left = LARGE.orders - (FAR - 1) * PAGE_SIZE + 1  # rows from the cursor's to the last
    before = None
    while left > 0:
        size = min(left, 100)
        page = await bench.data(documents.page(last=size, before=before), token)
        before, left = page["orders"]["pageInfo"]["startCursor"], left - size
    assert before
    return str(before)
