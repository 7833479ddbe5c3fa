"""Generated functions, kept with the document that they were made for and forgotten with it, within bounds."""

import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import OperationDefinitionNode
from graphql.execution.collect_fields import FieldDetailsList

from engine.compiled.values import Completer

if TYPE_CHECKING:
    from engine.compiled.running import Run

OPERATIONS_MOST, FIELDS_MOST = 256, 4_000  # a field weighs 1.5 kB

State = tuple[tuple[str, bool], ...]  # the Boolean variables: what @skip and @include can ask for is among them


@dataclass(slots=True, eq=False)
class Selection:
    """What is plain of a selection. `bind` gives its function for one execution; None where none is of use.

    The `rest` are the response names that graphql-core completes. The nodes are held so that their ids stay theirs.
    """

    nodes: list[FieldDetailsList]
    bind: "Callable[[Run], Completer] | None" = None
    rest: tuple[str, ...] = ()
    source: str = ""

    @property
    def whole(self) -> bool:
        return self.bind is not None and not self.rest


@dataclass(slots=True, eq=False)
class Selections:
    """Those of an operation, for one state of its variables."""

    operation: "weakref.ref[OperationDefinitionNode]"
    made: dict[Hashable, Selection] = field(default_factory=dict)
    fields: int = 0
    _met: Counter[Hashable] = field(default_factory=Counter)

    def add(self, key: Hashable, selection: Selection) -> Selection:
        self.made[key] = selection
        self.fields += len(selection.nodes)
        return selection

    def met(self, key: Hashable, values: int) -> int:
        """How many values a selection that is not made yet was to complete, with these."""
        self._met[key] += values
        return self._met[key]


class Kept:
    """The selections of the operations that ran last. An operation is known by its node, not by what it says."""

    def __init__(self, *, operations_most: int, fields_most: int) -> None:
        self._operations_most, self._fields_most = operations_most, fields_most
        self._kept: OrderedDict[tuple[int, State], Selections] = OrderedDict()

    def of(self, operation: OperationDefinitionNode, state: State) -> Selections:
        """Those kept, or none yet."""
        key = id(operation), state
        found = self._kept.get(key)
        if found and found.operation() is operation:
            self._kept.move_to_end(key)
            return found
        self._make_room()
        kept = self._kept
        new = kept[key] = Selections(weakref.ref(operation, lambda _: kept.pop(key, None)))
        return new

    def of_every_state(self, operation: OperationDefinitionNode) -> list[Selections]:
        return [each for each in self._kept.values() if each.operation() is operation]

    @property
    def operations(self) -> int:
        return len(self._kept)

    @property
    def fields(self) -> int:
        return sum(each.fields for each in self._kept.values())

    def _make_room(self) -> None:
        fields = self.fields
        while self._kept and (len(self._kept) >= self._operations_most or fields >= self._fields_most):
            _, oldest = self._kept.popitem(last=False)
            fields -= oldest.fields


KEPT = Kept(operations_most=OPERATIONS_MOST, fields_most=FIELDS_MOST)


def source_of(operation: OperationDefinitionNode) -> str:
    """The Python made so far for an operation, to be read."""
    selections = (each for state in KEPT.of_every_state(operation) for each in state.made.values())
    return "\n\n".join(each.source for each in selections if each.source)
