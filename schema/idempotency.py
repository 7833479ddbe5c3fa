"""Mutations that are asked once under a key: `idempotencyKey` in their input, and their answers as text."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, get_args

import strawberry
from strawberry import UNSET
from tortoise.models import Model

import models
from errors import Conflict, Invalid
from models.base import Owned, global_id, parse_global_id
from policy import READS, Actor
from schema.scalars import Money
from services.idempotency import FIELD, Asked

KEY_MOST = 255  # characters


def keyed(kind: type) -> type:
    """An input with `idempotencyKey` in it, under the same name."""
    declared: Any = kind
    members = {
        "__module__": kind.__module__,
        "__annotations__": {"idempotency_key": str | None},
        "idempotency_key": strawberry.field(description=_DESCRIBED, default=UNSET),
    }
    return strawberry.input(
        type(kind.__name__, (kind,), members), description=declared.__strawberry_definition__.description
    )


_DESCRIBED = (
    "A key of your choice, 1 to 255 printable characters, best a UUID: asked again with it and the same input within"
    " 24 hours, nothing is done again and the answer is the same; with another input it is a CONFLICT."
)


def asked(mutation: str, caller: Actor, input: Any) -> Asked | None:
    """What a caller asks under a key, which is taken out of the input: what is left is what to do. None without one.
    Raises Invalid."""
    key = vars(input).pop("idempotency_key")
    if key is UNSET or key is None:
        return None
    if not (0 < len(key) <= KEY_MOST and key.isprintable()):
        raise Invalid(f"A key is 1 to {KEY_MOST} printable characters.", field=FIELD)
    return Asked(caller.organization_id, caller.own_id, key, mutation, _hash(input))


@dataclass(frozen=True)
class Answers:
    """Answers of a mutation as JSON: rows by reference, objects by the name of their type, which is one of `types`.
    Rows are read again as their `caller` sees them."""

    types: Mapping[str, type]
    caller: Actor | None = None

    @classmethod
    def of(cls, result: Any) -> "Answers":
        """Of a mutation that returns this type, or one of this union."""
        return cls({kind.__name__: kind for kind in (Money, *_members(result))})

    def to(self, caller: Actor) -> "Answers":
        """The same, for who asks."""
        return replace(self, caller=caller)

    def write(self, answer: Any) -> str:
        return json.dumps(self._written(answer))

    async def read(self, text: str) -> Any:
        """Raises Conflict where a row is there no more, or the caller sees it no more."""
        return await self._read(json.loads(text))

    def _written(self, value: Any) -> Any:
        if value is None or isinstance(value, str | int):
            return value
        if isinstance(value, datetime):
            return {"at": value.isoformat()}
        if isinstance(value, list):
            return [self._written(each) for each in value]
        if isinstance(value, Owned):
            return {"row": global_id(value)}
        name = type(value).__name__
        if self.types.get(name) is not type(value):
            raise TypeError(f"{name} cannot be kept: an idempotent mutation returns rows, text, numbers and moments")
        return {"type": name, "fields": {field: self._written(each) for field, each in vars(value).items()}}

    async def _read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [await self._read(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "at" in value:
            return datetime.fromisoformat(value["at"])
        if "row" in value:
            return await self._row(value["row"])
        given = {name: await self._read(each) for name, each in value["fields"].items()}
        return self.types[value["type"]](**given)

    async def _row(self, key: str) -> Model:
        name, id = parse_global_id(key) or ("", None)
        model: type[Model] = getattr(models, name)
        row = await model.get_or_none(id=id)
        if row is None:
            raise Conflict("What was made under this key has been deleted since. Choose another key.", field=FIELD)
        if self.caller and await _hidden(self.caller, row):
            raise Conflict("What was made under this key is no longer yours to see. Choose another key.", field=FIELD)
        return row


async def _hidden(caller: Actor, row: Model) -> bool:
    """Whether the caller sees rows of this kind, and not this one."""
    opened_by = READS.get(type(row))
    seen = caller.rows(type(row)).filter(pk=row.pk)
    return opened_by is not None and caller.may(opened_by) and not await seen.exists()


def _members(result: Any) -> tuple[Any, ...]:
    """The types of a union as Strawberry has it (`Annotated[A | B, union(…)]`), or the one."""
    annotated = get_args(result)
    return get_args(annotated[0]) if annotated else (result,)


def _hash(input: Any) -> str:
    return hashlib.sha256(json.dumps(_plain(input), sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """What was given, after parsing: the same however it was written. Absent is not null."""
    if is_dataclass(value):
        return {name: _plain(given) for name, given in vars(value).items() if given is not UNSET}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if hasattr(value, "isoformat") else value
