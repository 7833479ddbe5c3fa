"""Authorisation, all of it: what each role may do, and which rows an actor sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Subquery
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
    CHECKOUT_START = auto()  # of an order that one sees; at a storefront, of what one buys
    ORDERS_PAY = auto()  # start, and ask after, the payment of an order that one sees
    PAYMENTS_WRITE = auto()  # record money that came outside Stripe
    DISCOUNTS_READ = auto()
    DISCOUNTS_WRITE = auto()
    CONFLICTS_READ = auto()
    CONFLICTS_WRITE = auto()
    INVOICES_READ = auto()
    INVOICES_WRITE = auto()
    PARTNERS_READ = auto()
    PARTNERS_WRITE = auto()
    MEMBERS_READ = auto()
    MEMBERS_WRITE = auto()
    ORGANIZATION_WRITE = auto()
    KEYS_READ = auto()
    KEYS_WRITE = auto()


_EVERYTHING = frozenset(Permission)
_SALES = frozenset(
    {
        Permission.PUBLIC, Permission.MEMBER, Permission.CATALOGUE_READ, Permission.CLIENTS_READ,
        Permission.ORDERS_READ,
    }
)  # fmt: skip

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.ADMIN: _EVERYTHING,
    Role.ACCOUNTANT: _SALES | {Permission.CONFLICTS_READ, Permission.INVOICES_READ},
    Role.CONSULTANT: _SALES,
    Role.BENEFICIARY: _SALES | {Permission.INVOICES_READ, Permission.ORDERS_PAY, Permission.CHECKOUT_START},
}

# The permission that opens a table. A table that is not here is seen by nobody.
READS: dict[type[Model], Permission] = {
    models.Organization: Permission.MEMBER,
    models.User: Permission.MEMBER,
    models.Membership: Permission.MEMBER,
    models.Product: Permission.CATALOGUE_READ,
    models.Client: Permission.CLIENTS_READ,
    models.Order: Permission.ORDERS_READ,
    models.OrderLine: Permission.ORDERS_READ,
    models.Payment: Permission.ORDERS_READ,
    models.Reminder: Permission.ORDERS_READ,
    models.DiscountCode: Permission.DISCOUNTS_READ,
    models.Conflict: Permission.CONFLICTS_READ,
    models.Invoice: Permission.INVOICES_READ,
    models.Partner: Permission.PARTNERS_READ,
    models.ProductPartner: Permission.PARTNERS_READ,
    models.Notification: Permission.PARTNERS_READ,
    models.NotificationAttempt: Permission.PARTNERS_READ,
    models.PartnerKey: Permission.PARTNERS_READ,
    models.PublishableKey: Permission.KEYS_READ,
}


@dataclass(frozen=True)
class Mine:
    """Rows whose column holds the actor's own membership."""

    column: str


@dataclass(frozen=True)
class Of:
    """Rows whose `key`, a relation to one, leads to a row that the actor sees."""

    model: type[Model]
    key: str


@dataclass(frozen=True)
class NamedBy:
    """Rows to which the `key` of a row leads that the actor sees."""

    model: type[Model]
    key: str


Rule = Mine | Of | NamedBy
Rules = Mapping[Role, Mapping[type[Model], Rule]]

# Of people, everyone sees themselves alone.
_ONESELF: dict[type[Model], Rule] = {
    models.Membership: Mine("id"),
    models.User: NamedBy(models.Membership, "user"),
}

# What belongs to the clients whom one sees.
_OF_CLIENTS: dict[type[Model], Rule] = {
    models.Order: Of(models.Client, "client"),
    models.OrderLine: Of(models.Order, "order"),
    models.Payment: Of(models.Order, "order"),
    models.Reminder: Of(models.Order, "order"),
}

# Of a table that its permission opens, a role sees all of the organization's rows, or those that its rule leaves.
ROWS: Rules = {
    Role.OWNER: _ONESELF,
    Role.ADMIN: _ONESELF,
    Role.ACCOUNTANT: _ONESELF,
    Role.CONSULTANT: {**_ONESELF, models.Client: Mine("consultant_id"), **_OF_CLIENTS},
    Role.BENEFICIARY: {
        **_ONESELF,
        models.Client: Mine("member_id"),
        **_OF_CLIENTS,
        models.Invoice: Of(models.Order, "order"),
        models.Product: NamedBy(models.OrderLine, "product"),
    },
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling, in which organization, as what."""

    user_id: UUID
    organization_id: UUID
    membership_id: UUID
    role: Role

    @property
    def kind(self) -> Role:
        """What its scopes are a function of, beside its facts."""
        return self.role

    @property
    def facts(self) -> tuple[UUID, UUID]:
        """The values in its scopes, as parameters and nothing else; the tenant first."""
        return self.organization_id, self.membership_id

    def having(self, facts: tuple[Any, ...]) -> "Actor":
        """The same role with other facts."""
        organization_id, membership_id = facts
        return replace(self, organization_id=organization_id, membership_id=membership_id)

    @property
    def is_storefront(self) -> bool:
        return False

    def may(self, permission: Permission) -> bool:
        return permission in ROLES[self.role]

    def require(self, permission: Permission) -> None:
        """Raises Forbidden where the role lacks it."""
        if not self.may(permission):
            raise Forbidden(f"Your role, {self.role.value}, may not do this. Ask an owner or an admin.")

    def rows(self, model: type[M]) -> QuerySet[Any]:
        """The rows that this actor sees: the only way to rows from a request. Sub-selects, never joins."""
        opened_by = READS.get(model)
        if opened_by is None or not self.may(opened_by):
            return _nothing(model)
        if model is models.Organization:
            return model.filter(id=self.organization_id)
        # People belong to no organization, and are narrowed by who names them.
        seen: dict[str, Any] = {} if model is models.User else {"organization_id": self.organization_id}
        match ROWS[self.role].get(model):
            case Mine(column):
                seen[column] = self.membership_id
            case Of(source, key):
                seen[f"{key}_id__in"] = Subquery(self.rows(source).values("id"))
            case NamedBy(source, key):
                seen["id__in"] = Subquery(self.rows(source).values(f"{key}_id"))
        return model.filter(**seen)

    async def get(self, model: type[M], key: str, *, field: str | None = None, for_update: bool = False) -> M:
        """The row of a global id; `field` is the input to blame. Raises NotFound for another tenant's, as for none."""
        rows = self.rows(model).filter(pk=row_id(model, key))
        row: M | None = await (rows.select_for_update() if for_update else rows).first()
        if row is None:
            name = model.__name__
            raise NotFound(f"No such {name.lower()}.", field=field or name[0].lower() + name[1:])
        return row


_NO_ROW = UUID(int=0)


class Nobody:
    """Who is not signed in, as a viewer: of no organization, and seeing nothing."""

    kind: None = None
    facts: tuple[UUID, UUID] = (_NO_ROW, _NO_ROW)

    def having(self, facts: tuple[Any, ...]) -> "Nobody":
        return self

    def rows(self, model: type[Model]) -> QuerySet[Any]:
        return _nothing(model)


NOBODY = Nobody()


def row_id(model: type[Model], key: str) -> UUID:
    """The row that a global id names; one that names nothing of this kind finds no row."""
    name, row = parse_global_id(key) or ("", _NO_ROW)
    return row if name == model.__name__ else _NO_ROW


def must_be_seen_together(named: Iterable[tuple[type[Model], str, type[Model]]], rules: Rules = ROWS) -> None:
    """Of each (model, key, target that its rows always name by it): whoever sees the one sees the other.

    Proven for each role: it sees every row of the target; or it sees rows of the model by the target's, over this very
    key; or rows of the target by the model's. Raises TypeError for what is not proven.
    """
    for model, key, target in named:
        for role, permissions in ROLES.items():
            if READS.get(model) not in permissions:
                continue
            narrowed = rules[role].get(target)
            follows = rules[role].get(model) == Of(target, key) or narrowed == NamedBy(model, key)
            if READS.get(target) not in permissions or not (narrowed is None or follows):
                raise TypeError(
                    f"{role.value} may see a {model.__name__} without the {target.__name__} that its {key} always names"
                )


def allowed(actor: Actor | None, permission: Permission) -> None:
    """The gate of every root field. Raises Unauthenticated or Forbidden."""
    if permission is Permission.PUBLIC:
        return
    if actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    actor.require(permission)


def _nothing(model: type[Model]) -> QuerySet[Any]:
    return model.filter(pk__in=[])
