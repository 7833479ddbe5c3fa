"""What is opened once and used again: so many at most, each as of a version."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """By key. What was used least lately gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[int, T]] = OrderedDict()

    def get(self, key: Hashable, version: int) -> T | None:
        """What was kept for the key in that version; of another version it is forgotten."""
        known = self._kept.get(key)
        if known is None or known[0] != version:
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return known[1]

    def put(self, key: Hashable, version: int, thing: T) -> None:
        self._kept[key] = version, thing
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)
