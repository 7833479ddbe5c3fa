"""Authorisation, all of it: what each role and each kind of key may do, and which rows an actor sees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

import models
from errors import Forbidden, NotFound, Unauthenticated
from models import ApiScope, Role
from models.base import in_words, parse_global_id

M = TypeVar("M", bound=Model)


class Permission(Enum):
    """What a root field or a table asks of its caller."""

    PUBLIC = auto()  # nobody needs to be signed in
    MEMBER = auto()  # anyone of the organization
    CATALOGUE_READ = auto()
    CATALOGUE_WRITE = auto()
    CLIENTS_READ = auto()
    CLIENTS_WRITE = auto()
    CLIENTS_ERASE = auto()  # take away all that is known of one, for good, and see that it was done
    DATA_EXPORTS = auto()  # all that is kept of a client, put together for them: of oneself, for who is one
    CRM_READ = auto()  # what is written of clients and never shown to them: notes, tags, merges
    CRM_WRITE = auto()  # that, the clients themselves, and their contacts and consents, of those that one sees
    ACCESSES_READ = auto()  # what clients may use
    ORDERS_READ = auto()
    ORDERS_WRITE = auto()
    CHECKOUT_START = auto()  # of an order that one sees; at a storefront, of what one buys
    ORDERS_PAY = auto()  # start, and ask after, the payment of an order that one sees
    SUBSCRIPTIONS_WRITE = auto()  # end and resume those that one sees
    PAYMENTS_WRITE = auto()  # record money that came outside Stripe
    PAYMENTS_REFUND = auto()  # give money back
    CREDIT_NOTES_WRITE = auto()
    DISCOUNTS_READ = auto()
    DISCOUNTS_WRITE = auto()
    QUOTES_READ = auto()
    QUOTES_WRITE = auto()
    TICKETS_READ = auto()
    TICKETS_ASK = auto()  # open one for a client whom one sees, and reply: as that client, without TICKETS_WRITE
    TICKETS_WRITE = auto()  # see to them
    TIMELINE_READ = auto()  # what happened with clients
    TIMELINE_WRITE = auto()
    SERVICES_READ = auto()  # what can be booked, with whom, and when somebody is free
    AGENDA_READ = auto()  # the hours and times behind that
    AGENDA_WRITE = auto()
    HOURS_WRITE = auto()  # of everybody, or of oneself where AGENDA_WRITE is lacking
    BOOKINGS_READ = auto()
    BOOKINGS_MAKE = auto()  # and move and cancel those that one sees, by the rules of their services
    BOOKINGS_WRITE = auto()  # whatever these rules are, and what came of them
    BILANS_READ = auto()  # what was agreed and who pays: the money, and nothing of the content
    BILANS_FOLLOW = auto()  # what happens in them: phases, sessions, agreements
    BILANS_HOLD = auto()  # book and note their sessions, and decide in spite of a warning
    BILANS_WRITE = auto()  # agree, change and fund them
    OPPORTUNITIES_READ = auto()
    OPPORTUNITIES_WRITE = auto()
    QUALITY = auto()  # of all bilans at a glance, what is missing of them, and what an auditor is given
    CONFLICTS_READ = auto()
    CONFLICTS_WRITE = auto()
    RECONCILIATIONS_READ = auto()
    INVOICES_READ = auto()
    INVOICES_WRITE = auto()
    DOCUMENTS_READ = auto()  # of bilans: that they are there; which of them one opens is in services/document_rules.py
    DOCUMENTS_WRITE = auto()  # add and destroy them, and note who asked for them
    UPLOADS = auto()  # ask where to send files, and follow those that one sends
    EXPORTS = auto()  # make, read and fetch what accountants need
    PARTNERS_READ = auto()
    PARTNERS_WRITE = auto()
    MEMBERS_READ = auto()
    MEMBERS_WRITE = auto()
    ORGANIZATION_WRITE = auto()
    INTEGRATIONS_READ = auto()  # what is connected, and when its keys were used
    INTEGRATIONS_WRITE = auto()
    KEYS_READ = auto()
    KEYS_WRITE = auto()
    AUDIT_READ = auto()  # who did what: of owners alone, since admins are among those whom it is about
    PORTAL = auto()  # what is shown to a client by their private link, and to nobody else


class Key(Enum):
    """What a caller may be that is no person; each value says what it may do."""

    STOREFRONT = "A storefront's key reads the catalogue and starts checkouts, and nothing else."
    PARTNER = "A partner's key reads the partner and what it was told, and nothing else."
    PORTAL = "A client's private link opens the client's portal, and nothing else."


@dataclass(frozen=True)
class Scoped:
    """What an API key may be: the same kind for the same scopes, of which it may do what each opens, and no more."""

    scopes: frozenset[ApiScope]

    @property
    def name(self) -> str:
        return f"API_KEY({', '.join(sorted(self.scopes))})"

    @property
    def value(self) -> str:
        return "An API key does what its scopes open, and nothing else. Give it the scope, or use another key."

    @cached_property
    def permissions(self) -> frozenset[Permission]:
        return frozenset({Permission.PUBLIC}).union(*(SCOPES[scope] for scope in self.scopes))


Kind = Role | Key | Scoped

_EVERYTHING = frozenset(Permission) - {Permission.PORTAL}
_SALES = frozenset(
    {
        Permission.PUBLIC, Permission.MEMBER, Permission.CATALOGUE_READ, Permission.CLIENTS_READ,
        Permission.ORDERS_READ, Permission.ACCESSES_READ, Permission.SERVICES_READ,
    }
)  # fmt: skip

_OWN_BUSINESS = frozenset(
    {
        Permission.INVOICES_READ, Permission.ORDERS_PAY, Permission.CHECKOUT_START, Permission.SUBSCRIPTIONS_WRITE,
        Permission.BOOKINGS_READ, Permission.BOOKINGS_MAKE, Permission.TICKETS_READ,
        Permission.TICKETS_ASK,
    }
)  # fmt: skip

_OWN_AGENDA = frozenset(
    {
        Permission.AGENDA_READ, Permission.HOURS_WRITE, Permission.BOOKINGS_READ, Permission.BOOKINGS_MAKE,
        Permission.BOOKINGS_WRITE,
    }
)  # fmt: skip

_OWN_DESK = frozenset(
    {
        Permission.TICKETS_READ, Permission.TICKETS_ASK, Permission.TICKETS_WRITE, Permission.TIMELINE_READ,
        Permission.TIMELINE_WRITE,
    }
)  # fmt: skip
_OWN_DEALS = frozenset({Permission.OPPORTUNITIES_READ, Permission.OPPORTUNITIES_WRITE})
_OWN_BILANS = frozenset({Permission.BILANS_READ, Permission.BILANS_FOLLOW, Permission.DOCUMENTS_READ})
_HELD_BILANS = _OWN_BILANS | {Permission.BILANS_HOLD, Permission.DOCUMENTS_WRITE}

GRANTS: dict[Kind, frozenset[Permission]] = {
    Role.OWNER: _EVERYTHING,
    Role.ADMIN: _EVERYTHING - {Permission.AUDIT_READ},
    Role.ACCOUNTANT: _SALES
    | {Permission.EXPORTS, Permission.CONFLICTS_READ, Permission.INVOICES_READ, Permission.CREDIT_NOTES_WRITE}
    | {Permission.BILANS_READ},
    Role.CONSULTANT: _SALES
    | _OWN_AGENDA
    | _HELD_BILANS
    | {Permission.QUOTES_READ, Permission.QUOTES_WRITE, Permission.CRM_READ, Permission.CRM_WRITE, Permission.UPLOADS}
    | _OWN_DESK
    | _OWN_DEALS,
    Role.BENEFICIARY: _SALES | _OWN_BUSINESS | _OWN_BILANS | {Permission.DATA_EXPORTS},
    Key.STOREFRONT: frozenset(
        {
            Permission.PUBLIC,
            Permission.CATALOGUE_READ,
            Permission.CHECKOUT_START,
            Permission.SERVICES_READ,
            Permission.BOOKINGS_MAKE,
        }
    ),
    Key.PARTNER: frozenset({Permission.PUBLIC, Permission.PARTNERS_READ}),
    Key.PORTAL: frozenset({Permission.PUBLIC, Permission.PORTAL}),  # it opens no table: `services/portal.py` shows
}

_SOLD = frozenset({Permission.CATALOGUE_READ})
_CLIENTS = frozenset({Permission.CLIENTS_READ})
_CRM = _CLIENTS | {Permission.CRM_READ}
_ORDERS = _SOLD | _CLIENTS | {Permission.ORDERS_READ}  # which name clients and products
_QUOTES = _SOLD | _CLIENTS | {Permission.QUOTES_READ}
_AGENDA = frozenset({Permission.SERVICES_READ, Permission.AGENDA_READ})
_BOOKINGS = _CLIENTS | {Permission.SERVICES_READ, Permission.BOOKINGS_READ}
_PARTNERS = frozenset({Permission.PARTNERS_READ})

# What a scope opens: nothing of members, keys or the organization, and nothing that is done in a person's name. Each is
# closed: it opens all that its rows always name (`must_be_seen_together`), and so several together are too.
SCOPES: dict[ApiScope, frozenset[Permission]] = {
    ApiScope.AGENDA_READ: _AGENDA,
    ApiScope.AGENDA_WRITE: _AGENDA | {Permission.AGENDA_WRITE, Permission.HOURS_WRITE},
    ApiScope.BOOKINGS_READ: _BOOKINGS,
    ApiScope.BOOKINGS_WRITE: _BOOKINGS | {Permission.BOOKINGS_MAKE, Permission.BOOKINGS_WRITE},
    ApiScope.CATALOGUE_READ: _SOLD,
    ApiScope.CATALOGUE_WRITE: _SOLD | {Permission.CATALOGUE_WRITE},
    ApiScope.CLIENTS_READ: _CRM,
    ApiScope.ACCESSES_READ: _ORDERS | {Permission.ACCESSES_READ},
    ApiScope.CLIENTS_WRITE: _CRM | {Permission.CLIENTS_WRITE, Permission.CRM_WRITE, Permission.UPLOADS},
    ApiScope.DISCOUNTS_READ: frozenset({Permission.DISCOUNTS_READ}),
    ApiScope.DISCOUNTS_WRITE: frozenset({Permission.DISCOUNTS_READ, Permission.DISCOUNTS_WRITE}),
    ApiScope.ORDERS_READ: _ORDERS,
    ApiScope.ORDERS_WRITE: _ORDERS | {Permission.ORDERS_WRITE, Permission.SUBSCRIPTIONS_WRITE},
    ApiScope.ORDERS_PAY: _ORDERS | {Permission.ORDERS_PAY, Permission.CHECKOUT_START},
    ApiScope.QUOTES_READ: _QUOTES,
    ApiScope.QUOTES_WRITE: _QUOTES | {Permission.QUOTES_WRITE},
    ApiScope.TICKETS_READ: _CLIENTS | {Permission.TICKETS_READ},
    ApiScope.TICKETS_WRITE: _CLIENTS | {Permission.TICKETS_READ, Permission.TICKETS_ASK, Permission.TICKETS_WRITE},
    ApiScope.TIMELINE_READ: _CLIENTS | {Permission.TIMELINE_READ},
    ApiScope.TIMELINE_WRITE: _CLIENTS | {Permission.TIMELINE_READ, Permission.TIMELINE_WRITE},
    ApiScope.BILANS_READ: _ORDERS | {Permission.BILANS_READ},
    ApiScope.BILANS_WRITE: _ORDERS | {Permission.BILANS_READ, Permission.BILANS_WRITE},
    ApiScope.OPPORTUNITIES_READ: _ORDERS | {Permission.OPPORTUNITIES_READ},
    ApiScope.OPPORTUNITIES_WRITE: _ORDERS | {Permission.OPPORTUNITIES_READ, Permission.OPPORTUNITIES_WRITE},
    ApiScope.CONFLICTS_READ: _ORDERS | {Permission.CONFLICTS_READ},
    ApiScope.INVOICES_READ: _ORDERS | {Permission.INVOICES_READ},
    ApiScope.INVOICES_WRITE: _ORDERS | {Permission.INVOICES_READ, Permission.INVOICES_WRITE},
    ApiScope.EXPORTS: frozenset({Permission.EXPORTS}),
    ApiScope.PARTNERS_READ: _PARTNERS,
    ApiScope.PARTNERS_WRITE: _PARTNERS | {Permission.PARTNERS_WRITE},
}

# Every kind of caller by itself; a key of several scopes is what each of them is.
KINDS: tuple[Kind, ...] = (*GRANTS, *(Scoped(frozenset({scope})) for scope in ApiScope))

# The permission that opens a table. A table that is not here is seen by nobody.
READS: dict[type[Model], Permission] = {
    models.Organization: Permission.MEMBER,
    models.User: Permission.MEMBER,
    models.Membership: Permission.MEMBER,
    models.Session: Permission.MEMBER,
    models.Invitation: Permission.MEMBERS_READ,
    models.LegalMention: Permission.MEMBER,
    models.Storefront: Permission.CATALOGUE_READ,
    models.Product: Permission.CATALOGUE_READ,
    models.Client: Permission.CLIENTS_READ,
    models.Contact: Permission.CLIENTS_READ,
    models.ClientConsent: Permission.CLIENTS_READ,
    models.ClientNote: Permission.CRM_READ,
    models.Tag: Permission.CRM_READ,
    models.ClientTag: Permission.CRM_READ,
    models.ClientMerge: Permission.CRM_READ,
    models.Erasure: Permission.CLIENTS_ERASE,
    models.ClientDataExport: Permission.DATA_EXPORTS,
    models.Access: Permission.ACCESSES_READ,
    models.Pack: Permission.ACCESSES_READ,
    models.Order: Permission.ORDERS_READ,
    models.OrderLine: Permission.ORDERS_READ,
    models.ClientSubscription: Permission.ORDERS_READ,
    models.Payment: Permission.ORDERS_READ,
    models.Refund: Permission.ORDERS_READ,
    models.Dispute: Permission.ORDERS_READ,
    models.Reminder: Permission.ORDERS_READ,
    models.Quote: Permission.QUOTES_READ,
    models.QuoteLine: Permission.QUOTES_READ,
    models.Opportunity: Permission.OPPORTUNITIES_READ,
    models.OpportunityMove: Permission.OPPORTUNITIES_READ,
    models.Ticket: Permission.TICKETS_READ,
    models.TicketReply: Permission.TICKETS_READ,
    models.TimelineEvent: Permission.TIMELINE_READ,
    models.Service: Permission.SERVICES_READ,
    models.Staff: Permission.SERVICES_READ,
    models.ServiceStaff: Permission.SERVICES_READ,
    models.ProductService: Permission.SERVICES_READ,
    models.WeeklyHours: Permission.AGENDA_READ,
    models.HoursException: Permission.AGENDA_READ,
    models.Resource: Permission.AGENDA_READ,
    models.ServiceResource: Permission.AGENDA_READ,
    models.BusyBlock: Permission.AGENDA_READ,
    models.Calendar: Permission.AGENDA_READ,
    models.CalendarConflict: Permission.AGENDA_READ,
    models.Appointment: Permission.BOOKINGS_READ,
    models.Booking: Permission.BOOKINGS_READ,
    models.BookingReminder: Permission.BOOKINGS_READ,
    models.CalendarFeed: Permission.HOURS_WRITE,
    models.Formule: Permission.CATALOGUE_READ,
    models.Bilan: Permission.BILANS_READ,
    models.BilanFunding: Permission.BILANS_READ,
    models.BilanAgreement: Permission.BILANS_FOLLOW,
    models.BilanPhase: Permission.BILANS_FOLLOW,
    models.BilanSession: Permission.BILANS_FOLLOW,
    models.BilanWarning: Permission.BILANS_HOLD,
    models.DiscountCode: Permission.DISCOUNTS_READ,
    models.Conflict: Permission.CONFLICTS_READ,
    models.Reconciliation: Permission.RECONCILIATIONS_READ,
    models.Drift: Permission.RECONCILIATIONS_READ,
    models.Invoice: Permission.INVOICES_READ,
    models.Survey: Permission.BILANS_FOLLOW,
    models.QualityProof: Permission.BILANS_HOLD,
    models.QualityExport: Permission.QUALITY,
    models.Document: Permission.DOCUMENTS_READ,
    models.DocumentShare: Permission.DOCUMENTS_READ,
    models.DocumentAccess: Permission.DOCUMENTS_READ,
    models.DestructionRecord: Permission.DOCUMENTS_READ,
    models.Upload: Permission.UPLOADS,
    models.ClientImport: Permission.CLIENTS_WRITE,
    models.ClientImportLine: Permission.CLIENTS_WRITE,
    models.Export: Permission.EXPORTS,
    models.Partner: Permission.PARTNERS_READ,
    models.ProductPartner: Permission.PARTNERS_READ,
    models.PartnerEndpoint: Permission.PARTNERS_READ,
    models.Notification: Permission.PARTNERS_READ,
    models.NotificationAttempt: Permission.PARTNERS_READ,
    models.NotificationReplay: Permission.PARTNERS_READ,
    models.PartnerKey: Permission.KEYS_READ,
    models.PublishableKey: Permission.KEYS_READ,
    models.Integration: Permission.INTEGRATIONS_READ,
    models.IntegrationSecret: Permission.INTEGRATIONS_READ,
    models.SecretOpening: Permission.INTEGRATIONS_READ,
    models.OAuthGrant: Permission.MEMBER,
    models.AuditEntry: Permission.AUDIT_READ,
    models.ApiKey: Permission.KEYS_READ,
    models.PortalToken: Permission.KEYS_READ,
}


@dataclass(frozen=True)
class Mine:
    """Rows whose column holds the actor's own id: of a person's membership, of the partner. It may be over relations to
    one: `staff__membership_id`."""

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


@dataclass(frozen=True)
class Oneself:
    """Rows whose column names the person whose membership the actor acts by, wherever they act."""

    column: str


@dataclass(frozen=True)
class Having:
    """Rows whose column holds a value."""

    column: str
    value: Any


@dataclass(frozen=True)
class Either:
    """Rows that the one rule leaves, and those that the other does."""

    one: "Mine | Of | NamedBy"
    other: "Mine | Of | NamedBy"


@dataclass(frozen=True)
class Both:
    """Rows that the one rule leaves and the other does, too."""

    one: "Mine | Of | NamedBy"
    other: "Having"


Rule = Mine | Of | NamedBy | Oneself | Having | Either | Both
Rules = Mapping[Kind, Mapping[type[Model], Rule]]

# Whoever runs the shop sees all members, those who left too, and nobody of elsewhere; of the access log what is about
# integrations.
_RUNNING: dict[type[Model], Rule] = {
    models.User: NamedBy(models.Membership, "user"),
    models.Session: Oneself("user_id"),
    models.SecretOpening: Of(models.IntegrationSecret, "secret"),
}

# Everybody else sees themselves alone.
_ONESELF: dict[type[Model], Rule] = {
    models.OAuthGrant: Mine("membership_id"),
    models.Membership: Mine("id"),
    models.User: NamedBy(models.Membership, "user"),
    models.Session: Oneself("user_id"),
}

# What belongs to the clients whom one sees.
_OF_CLIENTS: dict[type[Model], Rule] = {
    models.Contact: Of(models.Client, "client"),
    models.ClientConsent: Of(models.Client, "client"),
    models.Order: Of(models.Client, "client"),
    models.OrderLine: Of(models.Order, "order"),
    models.ClientSubscription: Of(models.Client, "client"),
    models.Payment: Of(models.Order, "order"),
    models.Refund: Of(models.Order, "order"),
    models.Dispute: Of(models.Order, "order"),
    models.Access: Of(models.Order, "order"),
    models.Pack: Of(models.Access, "access"),
    models.Reminder: Of(models.Order, "order"),
}

# What belongs to the bilans that one sees.
_OF_BILANS: dict[type[Model], Rule] = {
    models.BilanFunding: Of(models.Bilan, "bilan"),
    models.BilanAgreement: Of(models.Bilan, "bilan"),
    models.BilanPhase: Of(models.Bilan, "bilan"),
    models.BilanSession: Of(models.BilanPhase, "phase"),
    models.Survey: Of(models.Bilan, "bilan"),
    models.Document: Of(models.Bilan, "bilan"),
    models.DocumentShare: Of(models.Document, "document"),
    models.DocumentAccess: Of(models.Document, "document"),
    models.DestructionRecord: Of(models.Document, "document"),
}

# Of a table that its permission opens, a caller sees all of the organization's rows, or those that its rule leaves; an
# API key sees all.
ROWS: Rules = {
    Role.OWNER: _RUNNING,
    Role.ADMIN: _RUNNING,
    Role.ACCOUNTANT: _ONESELF,
    Role.CONSULTANT: {
        **_ONESELF,
        models.Client: Mine("consultant_id"),
        **_OF_CLIENTS,
        models.ClientNote: Of(models.Client, "client"),
        models.ClientTag: Of(models.Client, "client"),
        models.ClientMerge: Of(models.Client, "client"),
        models.Quote: Of(models.Client, "client"),
        models.QuoteLine: Of(models.Quote, "quote"),
        models.Opportunity: Of(models.Client, "client"),
        models.OpportunityMove: Of(models.Opportunity, "opportunity"),
        models.Upload: Mine("created_by_id"),
        models.Ticket: Of(models.Client, "client"),
        models.TicketReply: Of(models.Ticket, "ticket"),
        models.TimelineEvent: Of(models.Client, "client"),
        models.BusyBlock: Mine("staff__membership_id"),
        models.Calendar: Mine("staff__membership_id"),
        models.CalendarConflict: Mine("staff__membership_id"),
        models.Appointment: Either(Mine("staff__membership_id"), NamedBy(models.Booking, "appointment")),
        models.Booking: Either(Mine("appointment__staff__membership_id"), Of(models.Client, "client")),
        models.BookingReminder: Of(models.Booking, "booking"),
        models.CalendarFeed: Mine("staff__membership_id"),
        models.Bilan: Mine("consultant_id"),
        **_OF_BILANS,
        models.BilanWarning: Of(models.Bilan, "bilan"),
        models.QualityProof: Of(models.Bilan, "bilan"),
    },
    Role.BENEFICIARY: {
        **_ONESELF,
        models.Client: Mine("member_id"),
        **_OF_CLIENTS,
        models.ClientDataExport: Of(models.Client, "client"),
        models.Invoice: Of(models.Order, "order"),
        models.Ticket: Of(models.Client, "client"),
        models.TicketReply: Both(Of(models.Ticket, "ticket"), Having("internal", False)),
        models.Product: NamedBy(models.OrderLine, "product"),
        models.Appointment: NamedBy(models.Booking, "appointment"),
        models.Booking: Of(models.Client, "client"),
        models.BookingReminder: Of(models.Booking, "booking"),
        models.Bilan: Of(models.Client, "client"),  # an employer who pays is no beneficiary, and sees none
        **_OF_BILANS,
    },
    Key.STOREFRONT: {
        models.Product: Having("active", True),
        models.Formule: Having("active", True),
        models.Service: Having("active", True),
        models.Staff: Having("active", True),
    },
    Key.PARTNER: {
        models.Partner: Mine("id"),
        models.ProductPartner: Mine("partner_id"),
        models.PartnerEndpoint: Mine("partner_id"),
        models.Notification: Mine("partner_id"),
        models.NotificationReplay: Mine("partner_id"),
        models.NotificationAttempt: Of(models.Notification, "notification"),
    },
}

# Kinds that see rows for being who they are; all others of a kind see the same of an organization.
_THEMSELVES = {kind for kind, rules in ROWS.items() if any(isinstance(rule, Mine) for rule in rules.values())}


def _constants(rules: Mapping[type[Model], Rule]) -> tuple[Any, ...]:
    narrowed = [rule.other if isinstance(rule, Both) else rule for rule in rules.values()]
    return tuple(rule.value for rule in narrowed if isinstance(rule, Having))


_UNHEARD: dict[Kind, frozenset[str]] = {Role.BENEFICIARY: frozenset({"NOTED"})}  # as of replies that ROWS leaves out
_CONSTANTS = {kind: _constants(rules) for kind, rules in ROWS.items()}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling, as what, for which organization: a person, or a key that the organization gave out."""

    kind: Kind  # with the facts, all that its scopes are made of
    organization_id: UUID
    own_id: UUID  # a person's membership, the partner of a partner's key, any other key or link itself

    @property
    def facts(self) -> tuple[UUID, UUID]:
        """The values in its scopes, as parameters and nothing else; the tenant first."""
        return self.organization_id, self.own_id

    @property
    def constants(self) -> tuple[Any, ...]:
        """The values in the scopes of all of its kind."""
        return _CONSTANTS.get(self.kind, ())

    @property
    def sees_like(self) -> tuple[UUID, ...]:
        """The facts on which its scopes depend: two of a kind with the same see the same, but for their own sessions,
        to which nothing else leads."""
        return self.facts if self.kind in _THEMSELVES else (self.organization_id,)

    @property
    def unheard(self) -> frozenset[str]:
        """What may happen to rows that it sees, and is not told."""
        return _UNHEARD.get(self.kind, frozenset())

    @property
    def is_storefront(self) -> bool:
        return self.kind is Key.STOREFRONT

    @property
    def membership_id(self) -> UUID:
        """The person's. Raises Forbidden for a key, which is nobody's."""
        self.require(Permission.MEMBER)
        return self.own_id

    def having(self, facts: tuple[Any, ...]) -> "Actor":
        """The same kind with other facts."""
        return Actor(self.kind, *facts)

    def may(self, permission: Permission) -> bool:
        return permission in granted(self.kind)

    def require(self, permission: Permission) -> None:
        """Raises Forbidden where it lacks it."""
        if not self.may(permission):
            if permission is Permission.PORTAL:
                raise Forbidden("Only a client's private link opens this. Make one (portalTokenCreate).")
            who_may = "an owner or an admin" if permission in granted(Role.ADMIN) else "an owner"
            refusal = f"Your role, {self.kind.value}, may not do this. Ask {who_may}."
            raise Forbidden(refusal if isinstance(self.kind, Role) else self.kind.value)

    def must_be_able_to_give(self, *roles: Role) -> None:
        """Raises Forbidden: only an owner makes or unmakes owners."""
        if Role.OWNER in roles and self.kind is not Role.OWNER:
            raise Forbidden("Only an owner makes somebody an owner, or an owner something else. Ask one.")

    def must_be_able_to_open(self, scopes: Iterable[ApiScope], *, field: str) -> None:
        """Raises Forbidden, blaming `field`: nobody gives a key more than they may themselves."""
        for scope in scopes:
            if not SCOPES[scope] <= granted(self.kind):
                raise Forbidden(f"You may not give {scope.value}: it opens more than your role does.", field=field)

    def rows(self, model: type[M]) -> QuerySet[Any]:
        """The rows that this actor sees: the only way to rows from a request. Sub-selects, never joins."""
        opened_by = READS.get(model)
        if opened_by is None or not self.may(opened_by):
            return _nothing(model)
        if model in (models.Organization, models.Storefront):
            return model.filter(id=self.organization_id)
        # People and their sessions belong to no organization, and are narrowed by who they are.
        seen: dict[str, Any] = {} if model in _NOBODYS else {"organization_id": self.organization_id}
        match ROWS.get(self.kind, {}).get(model):
            case None:
                return model.filter(**seen)
            case Either(one, other):
                return model.filter(**seen).filter(Q(**self._left_by(one, model)) | Q(**self._left_by(other, model)))
            case Both(one, other):
                return model.filter(**seen, **self._left_by(one, model), **self._left_by(other, model))
            case rule:
                return model.filter(**seen, **self._left_by(rule, model))

    def _left_by(self, rule: Any, model: type[Model]) -> dict[str, Any]:
        """The condition of a rule on rows of the model."""
        match rule:
            case Mine(column):
                return self._own(model, column)
            case Oneself(column):
                oneself = models.Membership.filter(organization_id=self.organization_id, id=self.own_id)
                return {f"{column}__in": Subquery(oneself.values("user_id"))}
            case Having(column, value):
                return {column: value}
            case Of(source, key):
                return {f"{key}_id__in": Subquery(self.rows(source).values("id"))}
            case NamedBy(source, key):
                return {"id__in": Subquery(self.rows(source).values(f"{key}_id"))}
        raise TypeError(f"no such rule: {rule}")  # pragma: no cover - the type checker's

    def _own(self, model: type[Model], column: str) -> dict[str, Any]:
        """What says that a column holds the actor's own id, over relations where it leads over some."""
        key, _, rest = column.partition("__")
        if not rest:
            return {column: self.own_id}
        target: type[Model] = model._meta.fields_map[key].related_model  # type: ignore[attr-defined]
        led_to = target.filter(organization_id=self.organization_id, **self._own(target, rest))
        return {f"{key}_id__in": Subquery(led_to.values("id"))}

    async def get(self, model: type[M], key: str, *, field: str | None = None, for_update: bool = False) -> M:
        """The row of a global id; `field` is the input to blame. Raises NotFound for another tenant's, as for none."""
        rows = self.rows(model).filter(pk=row_id(model, key))
        row: M | None = await (rows.select_for_update() if for_update else rows).first()
        if row is None:
            name = model.__name__
            said = f"No such {in_words(name)}." if key else f"No id was given: which {in_words(name)}?"
            raise NotFound(said, field=field or name[0].lower() + name[1:])
        return row


_NO_ROW = UUID(int=0)
_NOBODYS = (models.User, models.Session)


class Nobody:
    """Who is not signed in, as a viewer: of no organization, and seeing nothing."""

    kind: None = None
    facts: tuple[UUID, UUID] = (_NO_ROW, _NO_ROW)
    sees_like: tuple[UUID, ...] = facts
    constants: tuple[Any, ...] = ()
    unheard: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        return False

    def having(self, facts: tuple[Any, ...]) -> "Nobody":
        return self

    def rows(self, model: type[Model]) -> QuerySet[Any]:
        return _nothing(model)


NOBODY = Nobody()


def granted(kind: Kind) -> frozenset[Permission]:
    """All that a kind of caller may."""
    return kind.permissions if isinstance(kind, Scoped) else GRANTS[kind]


def row_id(model: type[Model], key: str) -> UUID:
    """The row that a global id names; one that names nothing of this kind finds no row."""
    name, row = parse_global_id(key) or ("", _NO_ROW)
    return row if name == model.__name__ else _NO_ROW


def must_be_seen_together(named: Iterable[tuple[type[Model], str, type[Model]]], rules: Rules = ROWS) -> None:
    """Of each (model, key, target that its rows always name by it): whoever sees the one sees the other.

    Proven for each kind of caller: it sees every row of the target; or it sees rows of the model by the target's, over
    this very key; or rows of the target by the model's; or of each those that hold its own id, there as the key, here
    as the row's. Of API keys each scope is proven by itself: they see all rows of a table, or none, and so what several
    scopes open together is closed as each is. Raises TypeError for what is not proven.
    """
    for model, key, target in named:
        for kind in KINDS:
            permissions, of_kind = granted(kind), rules.get(kind, {})
            if READS.get(model) not in permissions:
                continue
            rule, narrowed = of_kind.get(model), of_kind.get(target)
            rule = rule.one if isinstance(rule, Both) else rule  # which leaves less still
            follows = rule == Of(target, key) or NamedBy(model, key) in _branches(narrowed)
            follows = follows or (rule == Mine(f"{key}_id") and narrowed == Mine("id"))
            if READS.get(target) not in permissions or not (narrowed is None or follows):
                raise TypeError(
                    f"{kind.name} may see a {model.__name__} without the {target.__name__} that its {key} always names"
                )


def _branches(rule: Rule | None) -> tuple[Rule | None, ...]:
    """The rules of which each alone shows a row."""
    return (rule.one, rule.other) if isinstance(rule, Either) else (rule,)


def allowed(actor: Actor | None, permission: Permission) -> None:
    """The gate of every root field. Raises Unauthenticated or Forbidden."""
    if permission is Permission.PUBLIC:
        return
    if actor is None:
        raise Unauthenticated("Sign in first, and send `Authorization: Bearer <accessToken>`.")
    actor.require(permission)


def _nothing(model: type[Model]) -> QuerySet[Any]:
    return model.filter(pk__in=[])
