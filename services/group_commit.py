"""Writes that come at the same time go to the database together: one transaction, one flush of its log, for all."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

import asyncpg
from tortoise.exceptions import DBConnectionError

T = TypeVar("T")
R = TypeVar("R")

AWAY = (
    DBConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # this database lets nobody in
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)


class NotWritten(Exception):
    """It was not written, or nobody knows: the cause says why. Safe to be tried again."""


class GroupCommit(Generic[T, R]):
    """Items are written by `write`, which gives an answer for each, in their order, and writes all of them or none.

    While some are written, those that come wait, `waiting_most` at most and of `size_most` in all, and go together
    next, `together_most` at once. Each caller hears of its own item, within `seconds_most`. Where several cannot be
    written, each is tried by itself: a bad one costs no other. A caller that leaves takes nothing back.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        size: Callable[[T], int] = lambda item: 1,
        size_most: int = 1_000_000,
        waiting_most: int = 1000,
        together_most: int = 100,
        seconds_most: float = 10.0,
    ) -> None:
        self._write, self._size = write, size
        self._size_most, self._waiting_most = size_most, waiting_most
        self._together_most, self._seconds_most = together_most, seconds_most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._waiting_size = 0
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        """Its answer, once it is committed. Raises NotWritten."""
        size = self._size(item)
        if len(self._waiting) >= self._waiting_most or self._waiting_size + size > self._size_most:
            raise NotWritten("too much waits to be written")
        written: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        self._waiting_size += size
        if self._writing is None or self._writing.done():
            # In a context of its own: nothing of the one who came first is the others'.
            self._writing = asyncio.get_running_loop().create_task(self._write_all(), context=Context())
        try:
            async with asyncio.timeout(self._seconds_most):
                return await written
        except TimeoutError as late:
            raise NotWritten("it took too long") from late

    async def _write_all(self) -> None:
        while self._waiting:
            together: list[tuple[T, asyncio.Future[R]]] = []
            while self._waiting and len(together) < self._together_most:
                item, written = self._waiting.popleft()
                self._waiting_size -= self._size(item)
                together.append((item, written))
            await self._write_together(together)

    async def _write_together(self, together: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._written([item for item, _ in together])
        except Exception as error:
            if len(together) == 1 or isinstance(error, AWAY):
                _fail(together, error)
            else:
                await self._write_one_by_one(together)
            return
        for (_, written), answer in zip(together, answers, strict=True):
            if not written.done():
                written.set_result(answer)

    async def _write_one_by_one(self, together: list[tuple[T, asyncio.Future[R]]]) -> None:
        for place, (item, written) in enumerate(together):
            try:
                (answer,) = await self._written([item])
            except AWAY as error:
                _fail(together[place:], error)
                return
            except Exception as error:
                _fail([(item, written)], error)
            else:
                if not written.done():
                    written.set_result(answer)

    async def _written(self, items: Sequence[T]) -> Sequence[R]:
        async with asyncio.timeout(self._seconds_most):
            return await self._write(items)


def _fail(together: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, written in together:
        if not written.done():
            failure = NotWritten(f"{type(error).__name__}: {error}")
            failure.__cause__ = error
            written.set_exception(failure)
