"""Clients who were erased."""

from typing import Any

import strawberry

import models
from schema.base import auto, computed, node
from schema.clients import Client
from schema.crm import RowCount
from schema.organizations import Membership


@strawberry.type(description="What was kept of a client who was erased, and why.")
class KeptRows:
    kind: str = strawberry.field(description="What it is, as the type is called: `Order`.")
    count: int = strawberry.field(description="How many.")
    reason: str = strawberry.field(description="Why, with the law that has it kept.")


@node(models.Erasure)
class Erasure:
    """That a client was erased. Nothing of the person is in it."""

    client: Client
    erased_by: Membership | None
    stripe_erased_at: auto
    created_at: auto

    @computed("What was deleted.", needs=("deleted",))
    def deleted(root: Any) -> list[RowCount]:
        return [RowCount(kind=kind, count=number) for kind, number in root.deleted.items()]

    @computed("What stays without what it said of the person.", needs=("blanked",))
    def blanked(root: Any) -> list[RowCount]:
        return [RowCount(kind=kind, count=number) for kind, number in root.blanked.items()]

    @computed("What stays, and why.", needs=("kept",))
    def kept(root: Any) -> list[KeptRows]:
        return [KeptRows(kind=kind, count=number, reason=reason) for kind, number, reason in root.kept]

    @computed("How many documents of bilans were destroyed.", needs=("documents",))
    def documents_destroyed(root: Any) -> int:
        return int(root.documents)


@strawberry.input(description="Whom to erase.")
class ClientEraseInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")
