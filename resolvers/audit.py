"""Who did what."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.audit import AuditEntry, AuditFilter
from schema.context import Info, actor
from schema.lists import filtered
from schema.roots import Wanted, connection, one


@connection(AuditEntry, requires=Permission.AUDIT_READ)
def audit_entries(info: Info, filter: AuditFilter | None = None) -> QuerySet[models.AuditEntry]:
    """What people and keys of the organization did, newest first. For owners alone."""
    return filtered(actor(info).rows(models.AuditEntry), filter)


@one(AuditEntry, requires=Permission.AUDIT_READ)
def audit_entry(id: strawberry.ID) -> Wanted:
    """One entry of the audit log. For owners alone."""
    return models.AuditEntry, row_id(models.AuditEntry, id)
