"""What asking Stripe came to."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.context import Info, actor
from schema.lists import filtered
from schema.reconciliation import Reconciliation, ReconciliationFilter
from schema.roots import Wanted, connection, one


@connection(Reconciliation, requires=Permission.RECONCILIATIONS_READ)
def reconciliations(info: Info, filter: ReconciliationFilter | None = None) -> QuerySet[models.Reconciliation]:
    """Runs that compared Stripe with what we know, newest first. For owners and admins."""
    return filtered(actor(info).rows(models.Reconciliation), filter)


@one(Reconciliation, requires=Permission.RECONCILIATIONS_READ)
def reconciliation(id: strawberry.ID) -> Wanted:
    """One run."""
    return models.Reconciliation, row_id(models.Reconciliation, id)
