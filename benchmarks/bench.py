"""The measuring: answers compared first, then turns of load, then ratios round by round."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import orjson

from benchmarks import load
from benchmarks.data import PASSWORD, Shop
from benchmarks.documents import SIGN_IN, Ask
from benchmarks.load import Exchange

OURS, STOCK, BY_HAND = "ours", "stock", "by hand"
Ways = dict[str, list[Exchange]]


@dataclass(frozen=True)
class Turn:
    """One way for one round."""

    throughput: float  # answers a second
    cpu: float  # µs of the server's CPU for each answer


@dataclass(frozen=True)
class Figure:
    """What was measured of a claim, and what it has to reach."""

    case: str
    against: str
    value: float
    target: float
    at_least: bool = True  # else at most
    unit: str = "×"
    spread: tuple[float, float] | None = None  # lowest and highest round
    by_cpu: float | None = None  # the value, had CPU of the server been all that counts
    ways: dict[str, Turn] = field(default_factory=dict)  # medians

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target


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
        return {way: [exchange for exchange, _ in several] for way, several in ways.items()}

    async def turns(self, ways: Ways) -> dict[str, list[Turn]]:
        """Each way in turn, as many times as there are rounds, after a short turn that warms up."""
        for exchanges in ways.values():
            await self._turn(exchanges, self.seconds / 3)
        taken: dict[str, list[Turn]] = {way: [] for way in ways}
        for _ in range(self.rounds):
            for way, exchanges in ways.items():
                taken[way].append(await self._turn(exchanges, self.seconds))
        return taken

    async def used(self, *, collect: bool = False) -> dict[str, float]:
        """What the server's process has used: seconds of `cpu`, `resident` bytes."""
        sent = load.request("GET", "/process?collect" if collect else "/process")
        used: dict[str, float] = orjson.loads(await load.answer(self.port, sent))
        return used

    async def _verified(self, sent: bytes) -> tuple[Exchange, bytes]:
        body = await load.answer(self.port, sent)
        return Exchange(sent, len(body)), _LINK.sub(b"/files/token/", orjson.dumps(_data(body)))

    async def _turn(self, exchanges: list[Exchange], seconds: float) -> Turn:
        before = await self.used()
        count, took = await load.sustained(self.port, exchanges, connections=self.connections, seconds=seconds)
        after = await self.used()
        return Turn(count / took, (after["cpu"] - before["cpu"]) / count * 1e6)


def faster(case: str, turns: dict[str, list[Turn]], than: str, *, target: float) -> Figure:
    """How many times the throughput of another way ours has."""
    ours, other = turns[OURS], turns[than]
    ratios = [mine.throughput / its.throughput for mine, its in zip(ours, other, strict=True)]
    by_cpu = median(its.cpu / mine.cpu for mine, its in zip(ours, other, strict=True))
    spread = min(ratios), max(ratios)
    return Figure(case, than, median(ratios), target, spread=spread, by_cpu=by_cpu, ways=_medians(turns))


def alike(case: str, turns: dict[str, list[Turn]], *, target: float) -> Figure:
    """How many times longer the second takes than the first, or the first than the second."""
    (first, some), (second, others) = turns.items()
    ratios = [one.throughput / other.throughput for one, other in zip(some, others, strict=True)]
    by_cpu = median(other.cpu / one.cpu for one, other in zip(some, others, strict=True))
    middle, spread = median(ratios), (min(ratios), max(ratios))
    return Figure(
        case, f"{second} : {first}", max(middle, 1 / middle), target, at_least=False, spread=spread,
        by_cpu=max(by_cpu, 1 / by_cpu), ways=_medians(turns),
    )  # fmt: skip


def _medians(turns: dict[str, list[Turn]]) -> dict[str, Turn]:
    return {
        way: Turn(median(turn.throughput for turn in taken), median(turn.cpu for turn in taken))
        for way, taken in turns.items()
    }


def _data(body: bytes) -> Any:
    return orjson.loads(body)["data"]


# A link to a file says until when it is good: two made at different moments differ.
_LINK = re.compile(rb"/files/[^/]+/")
