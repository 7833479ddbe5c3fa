"""Authorisation, all of it: what each role may do, and which rows an actor sees."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model
from tortoise.queryset import QuerySet

import models
from errors import Forbidden, NotFound, Unauthenticated
from models import Role
from models.base import parse_global_id

M = TypeVar("M", bound=Model)


class Permission(Enum):
    """What a root field or a table asks of its caller."""

    PUBLIC = auto()  # nobody needs to be signed in
    MEMBER = auto()  # anyone of the organization
    CATALOGUE_READ = auto()
    CATALOGUE_WRITE = auto()
    CLIENTS_READ = auto()
    CLIENTS_WRITE = auto()
    ORDERS_READ = auto()
    ORDERS_WRITE = auto()
    INVOICES_READ = auto()
    PARTNERS_READ = auto()
    PARTNERS_WRITE = auto()


_EVERYTHING = frozenset(Permission)

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.ADMIN: _EVERYTHING,
    Role.ACCOUNTANT: frozenset(
        {
            Permission.PUBLIC, Permission.MEMBER, Permission.CATALOGUE_READ, Permission.CLIENTS_READ,
            Permission.ORDERS_READ, Permission.INVOICES_READ,
        }
    ),
    # Rows of one's own clients, or of oneself, are not told apart yet: no tables until they are.
    Role.CONSULTANT: frozenset({Permission.PUBLIC, Permission.MEMBER}),
    Role.BENEFICIARY: frozenset({Permission.PUBLIC, Permission.MEMBER}),
}  # fmt: skip

# The permission that opens a table. A table that is not here is seen by nobody.
READS: dict[type[Model], Permission] = {
    models.Organization: Permission.MEMBER,
    models.User: Permission.MEMBER,
    models.Membership: Permission.MEMBER,
    models.Product: Permission.CATALOGUE_READ,
    models.ProductPartner: Permission.CATALOGUE_READ,
    models.Client: Permission.CLIENTS_READ,
    models.Order: Permission.ORDERS_READ,
    models.OrderLine: Permission.ORDERS_READ,
    models.Payment: Permission.ORDERS_READ,
    models.Conflict: Permission.ORDERS_READ,
    models.Invoice: Permission.INVOICES_READ,
    models.Partner: Permission.PARTNERS_READ,
    models.Notification: Permission.PARTNERS_READ,
    models.NotificationAttempt: Permission.PARTNERS_READ,
}


@dataclass(frozen=True)
class Actor:
    """Who is calling, in which organization, as what."""

    user_id: UUID
    organization_id: UUID
    role: Role

    def may(self, permission: Permission) -> bool:
        return permission in ROLES[self.role]

    def require(self, permission: Permission) -> None:
        """Raises Forbidden where the role lacks it."""
        if not self.may(permission):
            raise Forbidden(f"Your role, {self.role.value}, may not do this. Ask an owner or an admin.")

    def rows(self, model: type[M]) -> QuerySet[Any]:
        """The rows that this actor sees: the only way to rows from a request."""
        opened_by = READS.get(model)
        if opened_by is None or not self.may(opened_by):
            return model.filter(pk__in=[])
        if model in _OWN:
            return _OWN[model](self)
        return model.filter(organization_id=self.organization_id)

    async def get(self, model: type[M], key: str, *, field: str | None = None, for_update: bool = False) -> M:
        """The row of a global id; `field` is the input to blame. Raises NotFound for another tenant's, as for none."""
        rows = self.rows(model).filter(pk=row_id(model, key))
        row: M | None = await (rows.select_for_update() if for_update else rows).first()
        if row is None:
            name = model.__name__
            raise NotFound(f"No such {name.lower()}.", field=field or name[0].lower() + name[1:])
        return row


# Tables of which an actor sees less than the organization's rows, or that belong to none.
_OWN: dict[type[Model], Callable[[Actor], QuerySet[Any]]] = {
    models.Organization: lambda actor: models.Organization.filter(id=actor.organization_id),
    models.User: lambda actor: models.User.filter(id=actor.user_id),
    models.Membership: lambda actor: models.Membership.filter(
        organization_id=actor.organization_id, user_id=actor.user_id
    ),
}

_NO_ROW = UUID(int=0)


def row_id(model: type[Model], key: str) -> UUID:
    """The row that a global id names; one that names nothing of this kind finds no row."""
    name, row = parse_global_id(key) or ("", _NO_ROW)
    return row if name == model.__name__ else _NO_ROW


def must_be_seen_together(pairs: Iterable[tuple[type[Model], type[Model]]]) -> None:
    """Of each (model, target that its rows always show): whoever sees the one sees the other. Raises TypeError."""
    for model, target in pairs:
        for role, permissions in ROLES.items():
            if READS.get(model) in permissions and READS.get(target) not in permissions:
                raise TypeError(
                    f"{role.value} sees {model.__name__} without the {target.__name__} that it always shows"
                )


def allowed(actor: Actor | None, permission: Permission) -> None:
    """The gate of every root field. Raises Unauthenticated or Forbidden."""
    if permission is Permission.PUBLIC:
        return
    if actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    actor.require(permission)
