"""The measuring: answers compared first, then turns of load."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, repeat
from typing import Any

import orjson

from benchmarks import load
from benchmarks.data import PASSWORD, Shop
from benchmarks.documents import SIGN_IN, Ask
from benchmarks.figures import OURS, Turn, Turns
from benchmarks.load import Exchange

STOCK, BY_HAND = "stock", "by hand"
Ways = dict[str, Iterator[Exchange]]  # without an end


@dataclass(frozen=True)
class Bench:
    """A server to measure, and for how long."""

    port: int
    rounds: int
    seconds: float
    connections: int

    async def data(self, ask: Ask, token: str | None = None) -> Any:
        """What the API answers."""
        return _data(await load.answer(self.port, ask.graphql("/graphql", token)))

    async def sign_in(self, shop: Shop) -> str:
        """The owner's access token: it is good for 15 minutes, so each case takes its own."""
        given = {"email": shop.email, "password": PASSWORD}
        return str((await self.data(Ask(SIGN_IN, {"input": given})))["signIn"]["accessToken"])

    async def ways(self, asks: Sequence[Ask], token: str, *, by_hand: bool) -> Ways:
        """The requests of each way. Raises Failed unless all ways give the same data, in the same order."""
        requests = {
            OURS: [ask.graphql("/graphql", token) for ask in asks],
            STOCK: [ask.graphql("/stock", token) for ask in asks],
        }
        if by_hand:
            requests[BY_HAND] = [ask.by_hand(token) for ask in asks]
        ways = {way: [await self._verified(sent) for sent in several] for way, several in requests.items()}
        for way, several in ways.items():
            for (_, data), (_, expected) in zip(several, ways[OURS], strict=True):
                if data != expected:
                    raise load.Failed(f"{way} answers otherwise:\n{data.decode()}\n{expected.decode()}")
        return {way: cycle([exchange for exchange, _ in several]) for way, several in ways.items()}

    async def verified(self, sent: bytes) -> Iterator[Exchange]:
        """A request again and again, of which each answer is as long as the first."""
        return repeat((await self._verified(sent))[0])

    async def turns(self, ways: Ways) -> Turns:
        """Each way in turn, as many times as there are rounds, after a short turn that warms up."""
        for exchanges in ways.values():
            await self.turn(exchanges, self.seconds / 3)
        taken: Turns = {way: [] for way in ways}
        for _ in range(self.rounds):
            for way, exchanges in ways.items():
                taken[way].append(await self.turn(exchanges, self.seconds))
        return taken

    async def turn(self, exchanges: Iterator[Exchange], seconds: float) -> Turn:
        before = await self.used()
        count, took = await load.sustained(self.port, exchanges, connections=self.connections, seconds=seconds)
        after = await self.used()
        return Turn(count / took, (after["cpu"] - before["cpu"]) / count * 1e6)

    async def used(self, *, collect: bool = False) -> dict[str, float]:
        """What the server's process has used: seconds of `cpu`, `resident` bytes."""
        sent = load.request("GET", "/process?collect" if collect else "/process")
        used: dict[str, float] = orjson.loads(await load.answer(self.port, sent))
        return used

    async def _verified(self, sent: bytes) -> tuple[Exchange, bytes]:
        body = await load.answer(self.port, sent)
        return Exchange(sent, len(body)), LINK.sub(b"/files/token/", orjson.dumps(_data(body)))


def _data(body: bytes) -> Any:
    return orjson.loads(body)["data"]


# A link to a file says until when it is good: two made at different moments differ.
LINK = re.compile(rb"/files/[^/]+/")
