"""Two organizations with rows of everything that is published, nulls wherever columns allow, and people of every role.

The same seed gives the same rows, ids included: a case that failed can be asked again.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model

import models
from models import ApiScope, OrderStatus, PaymentStatus, QuoteStatus, Role
from models.client_import import FINISHED
from policy import Actor, Key, Scoped
from tests.differential.strings import ABOUT, moment, text

T = TypeVar("T")

SLUGS = ("alpha", "beta")
PEOPLE = (*Role, Role.CONSULTANT, Role.BENEFICIARY)
SCOPES = ((), (ApiScope.ORDERS_READ,), (ApiScope.CLIENTS_READ, ApiScope.PARTNERS_READ), ApiScope)  # of API keys
SALES = 45  # of each organization
ACCOUNT = "acct_1"
FAR = datetime(2100, 1, 1, tzinfo=UTC)  # when private links end, and were noted last: nothing is written by a read


@dataclass(frozen=True)
class Caller:
    """Who asks: an actor, or nobody."""

    name: str
    actor: Actor | None

    @property
    def organization_id(self) -> UUID | None:
        return self.actor.organization_id if self.actor else None


@dataclass
class World:
    """All rows, in an order in which they can be inserted, and those who look at them."""

    rows: list[Any] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    def of(self, model: type[Model]) -> list[Any]:
        return [row for row in self.rows if type(row) is model]

    async def insert(self) -> None:
        for model in dict.fromkeys(map(type, self.rows)):
            if model is not models.Storefront:  # that is the organization once more
                await model.bulk_create(self.of(model))


def world(seed: int = 1) -> World:
    """The world of that seed, not yet inserted."""
    return _Builder(Random(seed)).built()


def said_of(kind: models.TimelineKind, text: str) -> dict[str, Any]:
    """The data of an event of that kind."""
    id, money = str(UUID(int=1)), {"amount_cents": 1200, "currency": "EUR"}
    if kind is models.TimelineKind.CLIENT_EMAIL:
        file = {"name": "1.pdf", "content_type": "application/pdf", "size": 1}
        return {
            "sender": "a@b.fr", "sender_name": None, "recipients": ["c@d.fr"], "from_client": False, "subject": text,
            "body": text, "truncated": False, "attachments": [file],
        }  # fmt: skip
    said: dict[str, dict[str, Any]] = {
        "PAYMENT_RECEIVED": {"order": id, "order_number": 1, "method": "STRIPE", "balance_cents": 0, **money},
        "PAYMENT_FLAGGED": {
            "order": id, "order_number": 1, "method": "STRIPE", "balance_cents": 0, "conflict": "OVERPAID", **money
        },
        "PAYMENT_REFUNDED": {"order": id, "order_number": 1, "method": "STRIPE", **money},
        "QUOTE": {"quote": id, "number": text, **money},
        "BOOKING": {
            "booking": id, "service": text, "staff": text, "starts_at": ABOUT.isoformat(), "ends_at": ABOUT.isoformat()
        },
        "TICKET": {"ticket": id, "number": 1, "subject": text, "type": "QUESTION", "from_client": True},
        "OPPORTUNITY": {"about": "T3Bwb3J0dW5pdHk", "title": text, "to_step": "WON"},
        "BILAN": {"about": "QmlsYW4", "title": text, "from_step": "FUNDED", "to_step": "COMPLETED"},
    }  # fmt: skip
    return said.get(kind.value) or said[kind.partition("_")[0]]


class _Builder:
    def __init__(self, random: Random) -> None:
        self.random, self.world, self.milliseconds = random, World(), 0
        self.packs: dict[UUID, UUID] = {}  # of clients
        self.codes: dict[UUID, list[models.DiscountCode]] = {}
        status = models.ClientImportStatus  # of an organization one is under way
        self.statuses = cycle((status.PENDING, *FINISHED[:2], status.IMPORTING, *FINISHED[2:]))
        self.problems = cycle(models.ClientImportProblem)
        self.intervals = cycle((None, *models.Interval))
        self.kinds, self.choices = cycle(models.CalendarConflictKind), cycle(models.CalendarChoice)

    def built(self) -> World:
        organizations = [self.organization(slug) for slug in SLUGS]
        both = self.user("both@example.com")
        members = [self.members(each, both) for each in organizations]
        goods = [self.goods(each) for each in organizations]
        clients = [self.clients(*each) for each in zip(organizations, members, strict=True)]
        for number in range(1, SALES + 1):  # in turn: ids and numbers of the one lie between those of the other
            for place in self.random.sample((0, 1), 2):
                self.sale(organizations[place], number, *goods[place], clients[place])
        for place, (organization, people) in enumerate(zip(organizations, members, strict=True)):
            series = self.row(models.QuoteSeries, organization_id=organization.id, prefix="D-FQCA", live=False)
            for number in range(1, 22):
                self.quote(series, number, goods[place][0], clients[place], people)
            self.opportunities(organization, people, clients[place])
            self.tickets(organization, people, clients[place])
            self.exports(organization, people)
            self.uploads(organization, people)
            self.imports(organization, people)
            self.integrations(organization)
            self.agenda(organization, people, clients[place], goods[place][0])
            self.calendars(organization)
            self.bilans(organization, people, clients[place])
            self.documents(organization, people)
            self.quality(organization, people)
        for each in zip(organizations, members, strict=True):
            self.reconciliations(each[0])
            self.entries(*each)
        self.signing_in()
        self.world.callers.append(Caller("nobody", None))
        kinds = list(dict.fromkeys(map(type, self.world.rows)))
        kinds.sort(key=lambda kind: kind is models.Conflict)  # after the payments that it names
        kinds.remove(models.ClientSubscription)
        kinds.insert(kinds.index(models.Order), models.ClientSubscription)  # before the orders that name it
        kinds.remove(models.Opportunity)
        kinds.insert(kinds.index(models.Quote), models.Opportunity)  # before the quotes that are for it
        self.world.rows.sort(key=lambda row: kinds.index(type(row)))
        return self.world

    # People

    def organization(self, slug: str) -> models.Organization:
        full = slug == SLUGS[0]
        made = self.row(
            models.Organization, slug=slug, name=self.text(), legal_name=self.text(), legal_form="SAS",
            siren="732829320", siret="73282932000074", vat_number="FR44732829320" if full else None,
            vat_regime=self.random.choice(list(models.VatRegime)), address="12 rue de la Paix", postal_code="75002",
            city="Paris", invoice_prefix="FQCA", logo_svg="<svg/>" if full else None,
            contact_phone="+33140000000" if full else None, website="https://example.com" if full else None,
            terms_url="https://example.com/cgv" if full else None, share_capital="10 000 €" if full else None,
            rcs="RCS Paris" if full else None, iban="FR1420041010050500013M02606" if full else None,
            bic="PSSTFRPPPAR" if full else None, **self.brand(slug),
        )  # fmt: skip
        public = {name: getattr(made, name) for name in models.Storefront._meta.db_fields}
        self.world.rows.append(models.Storefront(**public))
        return made

    def members(self, organization: models.Organization, both: models.User) -> list[models.Membership]:
        """One of each role, a second consultant and a second beneficiary, and one who is in both organizations."""
        users = [self.user(f"person{number}@{organization.slug}.test") for number in range(len(PEOPLE))]
        roles = (*PEOPLE, Role.ADMIN if organization.slug == SLUGS[0] else Role.ACCOUNTANT)
        members = []
        for user, role in zip((*users, both), roles, strict=True):
            member = self.row(models.Membership, organization_id=organization.id, user_id=user.id, role=role)
            members.append(member)
            actor = Actor(role, organization.id, member.id)
            self.world.callers.append(Caller(f"{role.value} {len(members)} of {organization.slug}", actor))
        left = self.user(f"left@{organization.slug}.test")
        self.row(models.Membership, organization_id=organization.id, user_id=left.id, role=Role.ADMIN, active=False)
        return members

    def user(self, email: str) -> models.User:
        return self.row(models.User, email=email, password_hash="none", first_name=self.text(), last_name=self.text())

    def clients(self, organization: models.Organization, members: list[models.Membership]) -> list[models.Client]:
        """Of one consultant, of the other, of none; the first beneficiaries are clients, the last is none yet."""
        consultants = [None, *(each for each in members if each.role is Role.CONSULTANT)]
        beneficiaries = [each for each in members if each.role is Role.BENEFICIARY][:1]
        clients = []
        for number in range(14):
            consultant = consultants[number % 3]
            member = beneficiaries.pop() if number == 1 else None
            clients.append(self.row(
                models.Client, organization_id=organization.id, email=f"client{number}@example.com",
                kind=list(models.ClientKind)[number % 2],
                first_name=self.maybe(self.text()), last_name=self.maybe(self.text()), company=self.maybe(self.text()),
                phone=self.maybe("+33612345678"), address=self.maybe(self.text()), postal_code=self.maybe("75002"),
                city=self.maybe(self.text()), siren=self.maybe("732829320"),
                vat_number=self.maybe("FR44732829320"), electronic_address=self.maybe("732829320_A"),
                delivery_city=self.maybe(self.text()), delivery_country=self.random.choice((None, "BE")),
                language=self.random.choice((None, *models.Language)),
                country=self.random.choice((None, "FR", "BE")),
                stripe_id=self.maybe(f"cus_{number}"), consultant_id=consultant and consultant.id,
                member_id=member and member.id,
            ))  # fmt: skip
        self.links(organization, clients)
        self.crm(organization, clients, members)
        self.words(organization)
        self.consents(organization, members)
        return clients

    def crm(
        self, organization: models.Organization, clients: list[models.Client], members: list[models.Membership]
    ) -> None:
        mine = {"organization_id": organization.id}
        tags = [self.row(models.Tag, **mine, name=f"{number} {self.text()}"[:50]) for number in range(6)]
        for client in clients[1:]:
            of_client = {**mine, "client_id": client.id}
            for tag in self.some(tags, 3):
                self.row(models.ClientTag, **of_client, tag_id=tag.id)
            for number in range(self.random.randint(0, 3)):
                self.row(
                    models.Contact, **of_client, first_name=f"Contact {number}" if number else None,
                    last_name="Noël" if number == 0 else self.maybe(self.text()),
                    job_title=self.maybe(self.text()), email=self.maybe("a@example.com"),
                    phone=self.maybe("+33612345678"),
                )  # fmt: skip
                author = self.random.choice((None, *members))
                self.row(
                    models.ClientNote, **of_client, body=self.text() or "É", author_id=author and author.id,
                    edited_at=self.maybe(moment(self.random)),
                )  # fmt: skip
            for purpose in self.some(list(models.ConsentPurpose), 3):
                self.row(
                    models.ClientConsent, **of_client, purpose=purpose, wording=self.text() or "É", given_at=ABOUT,
                    source=self.random.choice(list(models.ConsentSource)), withdrawn_at=self.maybe(FAR),
                )  # fmt: skip
        self.row(
            models.ClientMerge, **mine, client_id=clients[1].id, duplicate_id=self.id(), duplicate_email="old@b.fr",
            moved={"orders": 2}, merged_by_id=members[0].id,
        )  # fmt: skip
        for number, client in enumerate(clients[1:4]):
            self.row(
                models.Erasure, **mine, client_id=client.id, deleted={"Ticket": 2}, blanked={},
                kept=[["Order", 1, "ten years"]], documents=number, erased_by_id=members[0].id if number else None,
                stripe_erased_at=FAR if number else None,
            )  # fmt: skip

        for number, status in enumerate(models.ExportStatus):
            over = status in (models.ExportStatus.READY, models.ExportStatus.FAILED)
            file = self.row(
                models.StoredFile, **mine, place=f"{organization.id}/e{number}", data_key="v1", size_bytes=9,
                content_type="application/zip", sha256="0" * 64,
            )  # fmt: skip
            self.row(
                models.ClientDataExport, **mine, client_id=clients[number].id, status=status, total=24, done=number,
                error=self.text() if status is models.ExportStatus.FAILED else None, finished_at=FAR if over else None,
                told_at=FAR if status is models.ExportStatus.READY else None,
                requested_by_id=members[0].id if number else None,
                file_id=file.id if status is models.ExportStatus.READY else None,
            )  # fmt: skip

    def words(self, organization: models.Organization) -> None:
        for number, code in enumerate(models.MentionCode):
            day = ABOUT.date() + timedelta(days=self.random.randint(-400, 400))
            self.row(
                models.LegalMention, organization_id=organization.id, code=code,
                scope=list(models.MentionScope)[number % len(models.MentionScope)],
                text_fr=self.text() or "É", text_en=self.maybe("Words"), valid_from=day, valid_until=self.maybe(day),
            )  # fmt: skip

    def consents(self, organization: models.Organization, members: list[models.Membership]) -> None:
        for place, member in enumerate((None, *members)):
            status = list(models.OAuthStatus)[place % len(models.OAuthStatus)]
            self.row(
                models.OAuthGrant, organization_id=organization.id, provider="google_calendar",
                membership_id=member and member.id, scopes=self.text() or "", connected_at=FAR, status=status,
                access_token="v1" if status is models.OAuthStatus.CONNECTED else None,
                refreshed_at=self.maybe(FAR), reason=self.maybe(self.text()),
            )  # fmt: skip

    def links(self, organization: models.Organization, clients: list[models.Client]) -> None:
        made = [
            self.row(
                models.PortalToken, organization_id=organization.id, client_id=client.id,
                token_hash=f"{self.random.getrandbits(256):064x}", expires_at=FAR,
                last_used_at=FAR if number else None, revoked_at=None if number else moment(self.random),
            )
            for number, client in enumerate(clients[:3])
        ]  # fmt: skip
        actor = Actor(Key.PORTAL, organization.id, made[1].id)
        self.world.callers.append(Caller(f"{Key.PORTAL.name} of {organization.slug}", actor))

    # What is sold

    def goods(self, organization: models.Organization) -> tuple[list[Any], list[Any], models.InvoiceSeries]:
        """(products, partners, the series of invoices)."""
        partners = [
            self.row(
                models.Partner, organization_id=organization.id, slug=f"partner{number}", name=self.text(),
                staging_url=self.maybe("https://staging.example.com/é?a=1&b=2"), api_key_last4=self.maybe("ab\"'"),
                production_url=self.maybe("https://example.com"),
                retry_policy=self.random.choice(list(models.RetryPolicy)),
                tell_free_orders=self.random.random() < 0.5,
                active=self.random.random() < 0.5, logo_svg=self.maybe("<svg/>"),
                contact_phone=self.maybe("+33612345678"), website=self.maybe("https://example.com"),
                terms_url=self.maybe("https://example.com/cgv"), **self.brand(f"partner{number}"),
            )
            for number in range(5)
        ]  # fmt: skip
        self.codes[organization.id] = [
            self.row(
                models.DiscountCode, organization_id=organization.id, code=f"CODE{number}",
                name=self.maybe(self.text()), percent=1000 * (number % 2),
                amount_cents=0 if number % 2 else 500, currency="EUR",
                starts_at=self.maybe(moment(self.random)), ends_at=self.maybe(moment(self.random)),
                redemptions_most=self.maybe(9), per_client_most=self.maybe(2), active=number != 3,
            )
            for number in range(8)
        ]  # fmt: skip
        for partner in partners:
            self.endpoints(partner)
        self.keys(organization, partners)
        scoped = [(Scoped(frozenset(scopes)), self.id()) for scopes in SCOPES]
        for kind, own_id in ((Key.STOREFRONT, self.id()), (Key.PARTNER, partners[0].id), *scoped):
            actor = Actor(kind, organization.id, own_id)
            self.world.callers.append(Caller(f"{kind.name} of {organization.slug}", actor))
        series = self.row(
            models.InvoiceSeries, organization_id=organization.id, prefix="FQCA", stripe_account=ACCOUNT, live=False
        )
        products = [
            self.row(
                models.Product, organization_id=organization.id, name=self.text(), description=self.maybe(self.text()),
                level=self.maybe(self.random.randint(0, 4)), price_cents=self.amount() + 1,
                currency=self.random.choice(("EUR", "USD", "JPY")), vat_rate=self.random.choice((0, 550, 2000)),
                active=self.random.random() < 0.7, stripe_id=self.maybe("prod_1"),
                operation_category=self.random.choice(list(models.OperationCategory)), **self.periods(),
            )
            for _ in range(12)
        ]  # fmt: skip
        for product in products:
            for partner in self.some(partners[:4], 3):  # one sells nothing
                self.row(
                    models.ProductPartner, organization_id=organization.id, product_id=product.id, partner_id=partner.id
                )
        return products, partners, series

    def endpoints(self, partner: models.Partner) -> None:
        of_partner = {"organization_id": partner.organization_id, "partner_id": partner.id}
        for live in (False, True):
            disabled_at = self.maybe(moment(self.random))
            self.row(
                models.PartnerEndpoint, **of_partner, live=live, failures=self.random.randrange(9),
                opened_at=self.maybe(moment(self.random)), held_until=self.maybe(moment(self.random)),
                disabled_at=disabled_at, disabled_reason=disabled_at and self.text(),
                told_at=self.maybe(moment(self.random)),
            )  # fmt: skip
        for total in range(1, self.random.randint(1, 4)):
            self.row(
                models.NotificationReplay, **of_partner, since=ABOUT, until=ABOUT + timedelta(days=total), total=total,
                replayed=total - 1, finished_at=self.maybe(moment(self.random)) if total == 1 else moment(self.random),
            )  # fmt: skip

    def keys(self, organization: models.Organization, partners: list[Any]) -> None:
        for number in range(3):
            self.row(
                models.PublishableKey, organization_id=organization.id, name=self.text(), key=f"pk_{self.id().hex}",
                origins="https://example.com\nhttps://example.org:8443", last_used_at=self.maybe(moment(self.random)),
                revoked_at=None if number else moment(self.random),
            )  # fmt: skip
            self.row(
                models.PartnerKey, organization_id=organization.id, partner_id=partners[number % 2].id,
                name=self.text(), prefix="ptk_12345678", key_hash=f"{self.random.getrandbits(256):064x}",
                expires_at=self.maybe(moment(self.random)), last_used_at=self.maybe(moment(self.random)),
                revoked_at=None if number else moment(self.random),
            )  # fmt: skip
            self.row(
                models.ApiKey, organization_id=organization.id, name=self.text(), prefix="apk_12345678",
                key_hash=f"{self.random.getrandbits(256):064x}", scopes="\n".join(SCOPES[number]),
                expires_at=self.maybe(moment(self.random)), last_used_at=self.maybe(moment(self.random)),
                revoked_at=None if number else moment(self.random),
            )  # fmt: skip

    def sale(self, organization: models.Organization, number: int, products: list[Any], partners: list[Any],
             series: models.InvoiceSeries, clients: list[Any]) -> None:  # fmt: skip
        """An order with whatever came of it."""
        status = self.random.choice(list(OrderStatus))
        paid, subtotal = status in (OrderStatus.PAID, OrderStatus.REFUNDED), self.amount()
        discount = self.random.randint(0, subtotal)
        total = subtotal - discount
        client = self.random.choice(clients[:-2])  # two buy nothing
        begun = self.subscription(client, self.random.choice(products)) if self.random.random() < 0.5 else None
        once = [each for each in models.OrderKind if each is not models.OrderKind.SUBSCRIPTION]
        order = self.row(
            models.Order, organization_id=organization.id, number=number, status=status,
            kind=models.OrderKind.SUBSCRIPTION if begun else once[number % len(once)],
            subscription_id=begun and begun.id, client_id=client.id,
            subtotal_cents=subtotal, discount_cents=discount, total_cents=total,
            paid_cents=total if paid else self.random.randint(0, total),
            refunded_cents=total if status is OrderStatus.REFUNDED else 0,
            source=self.random.choice(list(models.OrderSource)),
            canceled_at=moment(self.random) if status is OrderStatus.CANCELED else None,
            cancel_reason=self.maybe(self.text()), discount_reason=self.maybe(self.text()),
            discount_code_id=self.maybe(self.random.choice(self.codes[organization.id]).id),
            currency=self.random.choice(("EUR", "USD")), live=self.random.random() < 0.5, stripe_account=ACCOUNT,
            paid_at=moment(self.random) if paid else None, event_id="evt_1" if paid else None,
        )  # fmt: skip
        of_order = {"organization_id": organization.id, "order_id": order.id}
        # Not in the order of their positions.
        for position in self.random.sample(range(1, 6), self.random.choice((0, 1, 2, 5))):
            self.line(of_order, position, self.random.choice(products), order.currency)
        for product in self.some(products, 2):
            self.access(of_order, order, product)
        payments = [
            self.payment(of_order, f"{organization.slug}_{number}_{each}", order.currency)
            for each in range(self.random.choice((0, 1, 3)))
        ]
        for payment in payments[:1]:
            self.refund(of_order, payment)
        for kind in self.some(list(models.ConflictKind), 2):
            refund = self.random.choice((0, 999))
            self.row(
                models.Conflict, **of_order, kind=kind, reference="pi_1", message=self.text(),
                resolved_at=self.maybe(moment(self.random)), resolution=self.maybe(self.text()),
                payment_id=self.maybe(payments[0].id) if payments else None, proposed_cents=refund,
                proposal=models.ConflictProposal.REFUND if refund else models.ConflictProposal.LOOK,
            )  # fmt: skip
        for partner in self.some([None, *partners], 2):
            self.invoice(of_order, partner, series, number, order.currency)
        for partner in self.some(partners, 3):
            self.notification(of_order, partner)

    def subscription(self, client: models.Client, product: models.Product) -> models.ClientSubscription:
        start, status = ABOUT, self.random.choice(list(models.SubscriptionStatus))
        ended = status in (models.SubscriptionStatus.CANCELED, models.SubscriptionStatus.INCOMPLETE_EXPIRED)
        failed = self.random.random() < 0.5
        return self.row(
            models.ClientSubscription, organization_id=client.organization_id, client_id=client.id,
            product_id=product.id, status=status, quantity=self.random.randint(1, 9), amount_cents=self.amount(),
            currency=self.random.choice(("EUR", "USD")), interval=self.random.choice(list(models.Interval)),
            interval_count=self.random.randint(1, 3), current_period_start=start,
            current_period_end=start + timedelta(days=self.random.randint(1, 400)),
            cancel_at_period_end=self.random.random() < 0.5,
            canceled_at=self.maybe(moment(self.random)), ended_at=moment(self.random) if ended else None,
            failed_at=self.maybe(moment(self.random)), failure_code=self.maybe("card_declined"),
            failure_message=self.maybe(self.text()), open_invoice="in_1" if failed else None,
            pay_url="https://example.com/in_1" if failed else None, stripe_id=f"sub_{self.random.getrandbits(64):x}",
            stripe_account=ACCOUNT, live=self.random.random() < 0.5, asked_at=start,
        )  # fmt: skip

    def periods(self) -> dict[str, Any]:
        """Of what is sold once, or each so often: one after the other, so that all are there."""
        interval = next(self.intervals)
        return {"interval": interval, "interval_count": interval and 2}

    def line(self, of_order: dict[str, Any], position: int, product: models.Product, currency: str) -> None:
        quantity, price = self.random.randint(1, 9), self.amount()
        periods = self.periods()
        start = ABOUT if periods["interval"] else None
        self.row(
            models.OrderLine, **of_order, position=position, product_id=product.id, description=self.text(),
            quantity=quantity, unit_price_cents=price, currency=currency, vat_rate=2000, total_cents=quantity * price,
            period_start=start, period_end=start and start + timedelta(days=30), **periods,
        )  # fmt: skip

    def access(self, of_order: dict[str, Any], order: models.Order, product: models.Product) -> None:
        (starts, ends), withdrawn = sorted((moment(self.random), moment(self.random))), self.maybe(moment(self.random))
        access = self.row(
            models.Access, **of_order, client_id=order.client_id, product_id=product.id, live=order.live,
            starts_at=starts, ends_at=self.maybe(ends) if ends > starts else None,
            withdrawn_at=withdrawn,
            withdrawn_reason=self.random.choice(list(models.AccessWithdrawal)) if withdrawn else None,
        )  # fmt: skip
        pack = self.row(
            models.Pack, organization_id=order.organization_id, client_id=order.client_id, access_id=access.id,
            sessions=10, used=self.random.randint(0, 10),
        )  # fmt: skip
        self.packs[order.client_id] = pack.id

    def payment(self, of_order: dict[str, Any], name: str, currency: str) -> models.Payment:
        status, amount = self.random.choice(list(PaymentStatus)), self.amount() + 1
        return self.row(
            models.Payment, **of_order, status=status, method=self.random.choice(list(models.PaymentMethod)),
            amount_cents=amount, applied_cents=amount if status is PaymentStatus.SUCCEEDED else 0, currency=currency,
            stripe_account=ACCOUNT, live=False, reference=self.maybe(self.text()),
            stripe_id=self.maybe(f"pi_{name}"), failure_code=self.maybe("card_declined"),
            failure_message=self.maybe(self.text()),
            paid_at=moment(self.random) if status is PaymentStatus.SUCCEEDED else None,
        )  # fmt: skip

    def refund(self, of_order: dict[str, Any], payment: models.Payment) -> None:
        """And a dispute."""
        status, decided = self.random.choice(list(models.RefundStatus)), self.random.choice(list(models.DisputeStatus))
        same = {"payment_id": payment.id, "currency": payment.currency, "stripe_account": ACCOUNT, "live": False}
        gone = status is models.RefundStatus.SUCCEEDED
        self.row(
            models.Refund, **of_order, **same, status=status, method=payment.method, amount_cents=self.amount() + 1,
            reason=self.maybe(self.text()), stripe_id=self.maybe(f"re_{payment.id}"), reference=self.maybe(self.text()),
            refunded_at=moment(self.random) if gone else None, failure_reason=self.maybe("declined"),
        )  # fmt: skip
        self.row(
            models.Dispute, **of_order, **same, status=decided, amount_cents=self.amount() + 1, reason="fraudulent",
            stripe_id=f"du_{payment.id}", opened_at=moment(self.random),
            evidence_due_at=self.maybe(moment(self.random)),
            closed_at=None if decided is models.DisputeStatus.OPEN else moment(self.random),
        )  # fmt: skip

    def invoice(self, of_order: dict[str, Any], partner: Any, series: models.InvoiceSeries, order: int,
                currency: str, corrects: models.Invoice | None = None) -> None:  # fmt: skip
        series.last_number += 1
        rendered = self.maybe(moment(self.random))
        net, vat = self.amount(), self.amount()
        kind = self.random.choice((models.InvoiceType.INVOICE, models.InvoiceType.PREPAYMENT))
        invoice = self.row(
            models.Invoice, **of_order, partner_id=partner and partner.id, series_id=series.id, year=2026,
            type=models.InvoiceType.CREDIT_NOTE if corrects else kind, corrects_id=corrects and corrects.id,
            number=f"FQCA-2026-{series.last_number:06}", sequence=series.last_number,
            issued_at=moment(self.random), due_on=ABOUT.date() + timedelta(days=self.random.randint(-400, 400)),
            currency=currency, net_cents=net, vat_cents=vat, total_cents=net + vat,
            stripe_account=ACCOUNT, live=self.random.random() < 0.5, content={}, content_sha256="0" * 64,
            chain_sha256="0" * 64, message_id="<1@example.com>",
            file_key=rendered and "1.pdf", file_sha256=rendered and "0" * 64, rendered_at=rendered,
            emailed_at=self.maybe(moment(self.random)), settled_at=self.maybe(moment(self.random)),
        )  # fmt: skip
        if corrects is None and self.random.random() < 0.5:
            self.invoice(of_order, partner, series, order, currency, corrects=invoice)
        for number in range(1, self.random.randint(1, 3)):
            self.row(
                models.Reminder, **of_order, invoice_id=invoice.id, number=number, due_at=moment(self.random),
                sent_at=self.maybe(moment(self.random)), message_id=f"<{number}@example.com>",
            )  # fmt: skip

    def notification(self, of_order: dict[str, Any], partner: models.Partner) -> None:
        status = self.random.choice(list(models.NotificationStatus))
        delivered = status is models.NotificationStatus.DELIVERED
        row = self.row(
            models.Notification, **of_order, partner_id=partner.id, event_type="order.created", event_id="evt_1",
            payload="{}", live=self.random.random() < 0.5, status=status, attempts_left=self.random.randint(0, 3),
            next_attempt_at=self.maybe(moment(self.random)), delivered_at=moment(self.random) if delivered else None,
        )  # fmt: skip
        for number in self.random.sample((1, 2, 3), self.random.randint(0, 3)):
            self.row(
                models.NotificationAttempt, organization_id=row.organization_id, notification_id=row.id, number=number,
                url="https://example.com", started_at=moment(self.random), duration_ms=self.random.randrange(9000),
                status_code=self.random.choice((None, 199, 200, 299, 300, 500)), error=self.maybe(self.text()),
                response=self.maybe(self.text()),
            )  # fmt: skip

    def quote(self, series: models.QuoteSeries, number: int, products: list[Any], clients: list[Any],
              members: list[models.Membership]) -> None:  # fmt: skip
        """A version in each of the states in turn."""
        status = list(QuoteStatus)[number % len(QuoteStatus)]
        orders = [each for each in self.world.of(models.Order) if each.organization_id == series.organization_id]
        mine, subtotal = {"organization_id": series.organization_id}, self.amount() + 2
        discount = self.random.randint(0, subtotal - 2)
        quote = self.row(
            models.Quote, **mine, version=self.random.randint(1, 3), client_id=self.random.choice(clients[:-2]).id,
            status=status, currency=self.random.choice(("EUR", "USD")), subtotal_cents=subtotal,
            discount_cents=discount, discount_reason=self.maybe(self.text()), total_cents=subtotal - discount,
            deposit_cents=self.random.choice((0, 1)), live=self.random.random() < 0.5, note=self.maybe(self.text()),
        )  # fmt: skip
        if status is not QuoteStatus.DRAFT:
            rendered = self.maybe(moment(self.random))
            quote.update_from_dict({
                "series_id": series.id, "number": f"D-FQCA-2026-{number:06}", "year": 2026, "sequence": number,
                "valid_until": FAR.date(), "expires_at": FAR, "content": {}, "content_sha256": "0" * 64,
                "message_id": "<1@example.com>", "file_key": rendered and "1.pdf",
                "file_sha256": rendered and "0" * 64, "rendered_at": rendered, "sent_at": moment(self.random),
                "emailed_at": self.maybe(moment(self.random)),
            })  # fmt: skip
        if status is QuoteStatus.ACCEPTED:
            quote.accepted_at, quote.accepted_name, quote.order_id = ABOUT, self.text(), orders[number].id
            quote.accepted_from = self.maybe("2001:db8::/64")
            quote.accepted_by_id = self.maybe(self.random.choice(members).id)
        if status is QuoteStatus.REFUSED:
            quote.refused_at, quote.refuse_reason = moment(self.random), self.maybe(self.text())
        if status in (QuoteStatus.EXPIRED, QuoteStatus.SUPERSEDED, QuoteStatus.CANCELED):
            quote.ended_at = moment(self.random)
        for position in self.random.sample(range(1, 4), self.random.randint(1, 3)):
            product, quantity, price = self.random.choice(products), self.random.randint(1, 9), self.amount()
            self.row(
                models.QuoteLine, **mine, quote_id=quote.id, position=position, product_id=product.id,
                description=self.text(), quantity=quantity, unit_price_cents=price, currency=quote.currency,
                vat_rate=2000, total_cents=quantity * price,
            )  # fmt: skip

    def opportunities(self, organization: models.Organization, members: list[models.Membership],
                      clients: list[models.Client]) -> None:  # fmt: skip
        """At each stage in turn, some paid by an order, some that quotes are for."""
        mine, stages = {"organization_id": organization.id}, list(models.OpportunityStage)
        quotes = iter([each for each in self.world.of(models.Quote) if each.organization_id == organization.id])
        sales = iter([each for each in self.world.of(models.Order) if each.organization_id == organization.id])
        for number in range(14):
            stage = stages[number % len(stages)]
            won, lost = stage is models.OpportunityStage.WON, stage is models.OpportunityStage.LOST
            sale = next(sales) if number % 2 == 0 else None
            opportunity = self.row(
                models.Opportunity, **mine, client_id=sale.client_id if sale else clients[number % 4].id,
                title=self.text() or "É", description=self.maybe(self.text()), stage=stage,
                amount_cents=self.maybe(1000 * number + 100), currency=("EUR", "USD")[number % 2], vat_rate=2000,
                probability=number, expected_on=self.maybe(ABOUT.date()),
                owner_id=self.maybe(self.random.choice(members).id), won_at=ABOUT if won else None,
                lost_at=ABOUT if lost else None, lost_reason=self.text() if lost else None,
                order_id=sale.id if sale else None,
            )  # fmt: skip
            for before, after in ((None, stages[0]), (stages[number % 6 - 1], stages[number % 6])):
                self.row(
                    models.OpportunityMove, **mine, opportunity_id=opportunity.id, from_stage=before, to_stage=after,
                    author_id=self.maybe(self.random.choice(members).id),
                    reason=self.text() or "É" if after is models.OpportunityStage.LOST else None,
                )  # fmt: skip
            next(quotes).opportunity_id = opportunity.id

    def tickets(self, organization: models.Organization, members: list[models.Membership],
                clients: list[models.Client]) -> None:  # fmt: skip
        """With replies, internal ones too, and what timelines say of them, and of each other kind."""
        mine = {"organization_id": organization.id}
        for number in range(1, 13):
            status = list(models.TicketStatus)[number % len(models.TicketStatus)]
            ticket = self.row(
                models.Ticket, **mine, number=number, client_id=clients[number % 4].id, subject=self.text(),
                body=self.text() or "É", status=status, type=self.random.choice(list(models.TicketType)),
                source=list(models.TicketSource)[number % len(models.TicketSource)],
                priority=list(models.TicketPriority)[number % len(models.TicketPriority)],
                replied_at=self.maybe(moment(self.random)),
                assignee_id=self.maybe(members[number % 3].id), opened_by_id=self.maybe(members[0].id),
                resolved_at=ABOUT if status is models.TicketStatus.RESOLVED else None,
                closed_at=ABOUT if status is models.TicketStatus.CLOSED else None,
            )  # fmt: skip
            for place in range(self.random.randint(0, 4)):
                by_client = place % 2 == 0
                self.row(
                    models.TicketReply, **mine, ticket_id=ticket.id, body=self.text() or "É", from_client=by_client,
                    author_id=None if by_client else members[0].id, internal=not by_client and place == 1,
                )  # fmt: skip
        for number, kind in enumerate(models.TimelineKind):
            email = kind is models.TimelineKind.CLIENT_EMAIL
            self.row(
                models.TimelineEvent, **mine, client_id=clients[number % 4].id, kind=kind,
                occurred_at=moment(self.random), author_id=self.maybe(members[0].id), data=said_of(kind, self.text()),
                message_id="<1@example.com>" if email else None, fingerprint="0" * 64 if email else None,
                thread_id=self.maybe("<1@example.com>") if email else None,
            )  # fmt: skip

    def integrations(self, organization: models.Organization) -> None:
        """In every state, one of a provider that is in no catalogue any more, and uses of their keys."""
        providers = ("smtp", "s3", "google_calendar", "nobody_s", "brevo")
        for provider, status in zip(providers, models.IntegrationStatus, strict=True):
            on = status is not models.IntegrationStatus.OFF
            integration = self.row(
                models.Integration, organization_id=organization.id, provider=provider, enabled=on, status=status,
                detail=self.maybe(self.text()), settings={"host": self.text()}, configured_at=moment(self.random),
                checked_at=self.maybe(moment(self.random)), next_check_at=FAR if on else None,
                failing_since=self.maybe(moment(self.random)), removed_at=None if on else moment(self.random),
            )  # fmt: skip
            secret = self.row(
                models.IntegrationSecret, organization_id=organization.id, integration_id=integration.id,
                provider=provider, field="password", sealed="v1" if on else None, last_four="1234" if on else None,
                rotated_at=moment(self.random), destroyed_at=None if on else moment(self.random),
            )  # fmt: skip
            for _ in range(self.random.randrange(3)):
                self.row(
                    models.SecretOpening, organization_id=organization.id, table_name="integration_secrets",
                    row_id=secret.id, secret_id=secret.id, field="sealed", key_id="k1", purpose=self.text(),
                )  # fmt: skip

    def exports(self, organization: models.Organization, members: list[models.Membership]) -> None:
        """Of each kind, as far as each goes."""
        kinds, statuses = list(models.ExportKind), list(models.ExportStatus)
        for number in range(8):
            status = statuses[(number + number // 4) % 4]
            ready, failed = status is models.ExportStatus.READY, status is models.ExportStatus.FAILED
            self.row(
                models.Export, organization_id=organization.id, kind=kinds[number % 4], status=status,
                starts_on=ABOUT.date(), ends_on=ABOUT.date(), live=self.random.random() < 0.5, total=number,
                done=self.random.randint(0, number), left_out=number % 2, filename="732829320FEC20261231.txt",
                file_key="1.txt" if ready else None, file_sha256="0" * 64 if ready else None,
                file_bytes=number if ready else None, error=self.text() if failed else None,
                finished_at=moment(self.random) if ready or failed else None,
                requested_by_id=self.maybe(self.random.choice(members).id),
            )  # fmt: skip

    def imports(self, organization: models.Organization, members: list[models.Membership]) -> None:
        """As far as some go, with lines that are wrong in each way."""
        for number in range(3):
            mine, status = {"organization_id": organization.id}, next(self.statuses)
            begun, finished = number > 0, status in FINISHED
            file = self.row(
                models.StoredFile, **mine, place=f"{organization.id}/import/{number}", content_type="text/csv",
                size_bytes=number, data_key="v1", sha256="0" * 64,
            )  # fmt: skip
            made = self.row(
                models.ClientImport, **mine, filename=self.text() or "É", file_id=file.id, status=status,
                dry_run=status is models.ClientImportStatus.CHECKED,
                on_existing=list(models.OnExistingClient)[number], on_broken=list(models.OnBrokenLine)[number % 2],
                columns=[["E-mail", "EMAIL"], ["É", None]] if begun else [], encoding="utf-8" if begun else None,
                delimiter=";" if begun else None, total=number, done=self.random.randint(0, number), broken=number % 2,
                new_tags=["É"] * number, finished_at=moment(self.random) if finished else None,
                requested_by_id=members[0].id if number else None,
            )  # fmt: skip
            for line in range(1, 5):
                problem = next(self.problems)
                self.row(
                    models.ClientImportLine, **mine, client_import_id=made.id, line=line, last_line=line + number,
                    heading=self.text() if line % 2 else None, value=self.text() if line > 2 else None,
                    problem=problem, first_line=1 if problem is models.ClientImportProblem.DUPLICATE else None,
                )  # fmt: skip

    def uploads(self, organization: models.Organization, members: list[models.Membership]) -> None:
        """By people and servers; some can still be sent, some were received and used."""
        for number in range(8):
            mine, kind = {"organization_id": organization.id}, "text/csv"
            received = number % 2 == 0
            file = self.row(
                models.StoredFile,
                **mine,
                place=f"{organization.id}/{number}",
                content_type=kind,
                size_bytes=number,
                data_key="v1",
                sha256="0" * 64,
            )
            self.row(
                models.Upload, **mine, purpose=list(models.UploadPurpose)[number % 2], name=self.text() or "É",
                content_type=kind, size_bytes=number + 1, created_by_id=self.maybe(self.random.choice(members).id),
                expires_at=moment(self.random), received_at=moment(self.random) if received else None,
                used_at=moment(self.random) if number % 4 == 0 else None, file_id=file.id if received else None,
            )  # fmt: skip

    # What is booked

    def agenda(self, organization: models.Organization, members: list[models.Membership],
               clients: list[models.Client], products: list[models.Product]) -> None:  # fmt: skip
        """Services with staff and rooms, of which some are not offered any more, and who booked what."""
        mine = {"organization_id": organization.id}
        services = [
            self.row(
                models.Service, **mine, name=self.text() or "É", description=self.maybe(self.text()),
                duration_minutes=30 * number, capacity=number, price_cents=1000 * number, deposit_cents=100,
                online=number % 2 == 0, location=self.maybe(self.text()), active=number != 3,
            )
            for number in range(1, 5)
        ]  # fmt: skip
        consultants = [each for each in members if each.role is Role.CONSULTANT]
        staff = [
            self.row(
                models.Staff, **mine, display_name=self.text() or "É", active=number != 2,
                time_zone=self.random.choice(("Europe/Paris", "America/Cayenne")),
                membership_id=consultants[number].id if number < len(consultants) else None,
            )
            for number in range(4)
        ]  # fmt: skip
        rooms = [self.row(models.Resource, **mine, name=self.text() or "É", active=number > 0) for number in range(3)]
        for number, person in enumerate(staff):
            self.row(models.ServiceStaff, **mine, service_id=services[number].id, staff_id=person.id)
            for weekday in self.random.sample(range(1, 8), 2):
                self.row(
                    models.WeeklyHours, **mine, staff_id=person.id, iso_weekday=weekday, starts_minute=540,
                    ends_minute=720,
                )  # fmt: skip
            begins = self.maybe(600)
            self.row(
                models.HoursException, **mine, staff_id=person.id if number else None, starts_on=ABOUT.date(),
                ends_on=ABOUT.date() + timedelta(days=number), starts_minute=begins, ends_minute=begins and 660,
                reason=self.maybe(self.text()),
            )  # fmt: skip
            self.row(
                models.BusyBlock, **mine, staff_id=person.id, source=list(models.BusySource)[number % 2],
                starts_at=ABOUT, ends_at=ABOUT + timedelta(hours=1), title=self.maybe(self.text()),
            )  # fmt: skip
            self.row(
                models.CalendarFeed, **mine, staff_id=person.id,
                token_hash=hashlib.sha256(person.id.bytes).hexdigest(), revoked_at=self.maybe(ABOUT),
            )  # fmt: skip
        for service, product in zip(services, products, strict=False):
            self.row(models.ProductService, **mine, product_id=product.id, service_id=service.id)
        for room in rooms[:2]:
            self.row(models.ServiceResource, **mine, service_id=services[0].id, resource_id=room.id)
        for number in range(12):
            at = ABOUT + timedelta(hours=number)
            self.appointment(mine, number, services, staff, rooms, clients, at)

    def appointment(self, mine: dict[str, Any], number: int, services: list[Any], staff: list[Any], rooms: list[Any],
                    clients: list[models.Client], at: datetime) -> None:  # fmt: skip
        ends_at = at + timedelta(minutes=30)
        row = self.row(
            models.Appointment, **mine, service_id=services[number % 4].id, staff_id=staff[number % 4].id,
            resource_id=self.maybe(rooms[number % 3].id), starts_at=at, ends_at=ends_at, occupied_from=at,
            occupied_until=ends_at, capacity=3, taken=2, sequence=number % 2, meet_url=self.maybe("https://example.com"),
            location=self.maybe(self.text()),
            status=models.AppointmentStatus.CANCELED if number % 5 == 4 else models.AppointmentStatus.ACTIVE,
        )  # fmt: skip
        for client in self.random.sample(clients, 2):
            status = self.random.choice(list(models.BookingStatus))
            canceled = status is models.BookingStatus.CANCELED
            has_fee = status in (models.BookingStatus.CANCELED, models.BookingStatus.NO_SHOW)
            booking = self.row(
                models.Booking, **mine, appointment_id=row.id, client_id=client.id, attendee_name=self.text() or "É",
                status=status, price_cents=1000, fee_cents=number if has_fee else 0, currency="EUR",
                hold_expires_at=at if status is models.BookingStatus.PENDING else None,
                pack_id=self.packs.get(client.id), client_notes=self.maybe(self.text()),
                canceled_at=at if canceled else None,
                cancel_reason=self.text() if canceled else None,
            )  # fmt: skip
            self.row(
                models.BookingReminder, **mine, booking_id=booking.id, minutes_before=60, starts_at=at,
                due_at=at - timedelta(hours=1), sent_at=self.maybe(at),
            )  # fmt: skip

    def calendars(self, organization: models.Organization) -> None:
        """Of everybody who has appointments, with what does not fit."""
        mine = {"organization_id": organization.id}
        appointments = [row for row in self.world.of(models.Appointment) if row.organization_id == organization.id]
        people = dict.fromkeys(row.staff_id for row in appointments)
        for number, staff_id in enumerate(people):
            calendar = self.row(
                models.Calendar, **mine, staff_id=staff_id, provider="google_calendar", remote_id=f"calendar{number}",
                name=self.text() or "É", time_zone="Europe/Paris", outgoing=number % 2 == 0, incoming=number != 2,
                status=list(models.CalendarStatus)[number % 3], status_reason=self.maybe(self.text()),
                synced_at=self.maybe(ABOUT),
            )  # fmt: skip
            for row in (each for each in appointments if each.staff_id == staff_id):
                kind, settled = next(self.kinds), self.maybe(ABOUT)
                there = kind is not models.CalendarConflictKind.DELETED
                self.row(
                    models.CalendarConflict, **mine, calendar_id=calendar.id, staff_id=staff_id, appointment_id=row.id,
                    kind=kind, external_id="event", title=self.maybe(self.text()), sequence=0, message=self.text(),
                    starts_at=row.starts_at if there else None, ends_at=row.ends_at if there else None,
                    resolved_at=settled,
                    resolution=next(self.choices) if settled else None,
                )  # fmt: skip

    # Bilans

    def bilans(self, organization: models.Organization, members: list[models.Membership],
               clients: list[models.Client]) -> None:  # fmt: skip
        """In each of the states in turn, held by one consultant, by the other, by nobody."""
        mine = {"organization_id": organization.id}
        holders = [None, *(each.id for each in members if each.role is Role.CONSULTANT)]
        orders = [each for each in self.world.of(models.Order) if each.organization_id == organization.id]
        bookings = [each for each in self.world.of(models.Booking) if each.organization_id == organization.id]
        formules = [
            self.row(
                models.Formule, **mine, slug=f"f{number}", name=self.text(), description=self.maybe(self.text()),
                minutes=number * 60, price_cents=number * 1000, active=number != 2,
            )
            for number in (1, 2, 3)
        ]  # fmt: skip
        for number, status in enumerate((*models.BilanStatus, *models.BilanStatus)):
            formule = formules[number % 3]
            bilan = self.row(
                models.Bilan, **mine, client_id=clients[number].id, beneficiary_name=self.text(),
                consultant_id=holders[number % len(holders)], formule_id=formule.id, status=status,
                employer_id=self.maybe(clients[-1].id), minutes_planned=formule.minutes,
                price_cents=formule.price_cents, vat_rate=0, currency="EUR", starts_on=self.maybe(ABOUT.date()),
                ends_on=self.maybe(FAR.date()), funded_at=self.maybe(ABOUT), begun_at=self.maybe(ABOUT),
                completed_at=ABOUT if status is models.BilanStatus.COMPLETED else None,
                canceled_at=ABOUT if status is models.BilanStatus.CANCELED else None,
                cancel_reason=self.maybe(self.text()),
            )  # fmt: skip
            self.funding(bilan, number, orders[number], clients)
            self.accompaniment(bilan, number, bookings[number], members)

    def funding(self, bilan: models.Bilan, number: int, order: models.Order, clients: list[models.Client]) -> None:
        mine = {"organization_id": bilan.organization_id, "bilan_id": bilan.id, "currency": "EUR"}
        source = list(models.FundingSource)[number % len(models.FundingSource)]
        status = list(models.FundingStatus)[number % len(models.FundingStatus)]
        self.row(
            models.BilanFunding, **mine, source=source, payer_id=self.maybe(clients[-1].id), amount_cents=500,
            status=status, reference=self.maybe(self.text()), order_id=order.id, agreed_at=self.maybe(ABOUT),
            paid_at=ABOUT, ended_at=self.maybe(ABOUT), end_reason=self.maybe(self.text()),
        )  # fmt: skip
        self.row(models.BilanFunding, **mine, source=models.FundingSource.OPCO, amount_cents=100)

    def accompaniment(self, bilan: models.Bilan, number: int, booking: models.Booking,
                      members: list[models.Membership]) -> None:  # fmt: skip
        mine = {"organization_id": bilan.organization_id, "bilan_id": bilan.id}
        status = list(models.AgreementStatus)[number % len(models.AgreementStatus)]
        self.row(
            models.BilanAgreement, **mine, kind=list(models.AgreementKind)[number % 2], status=status,
            proposed_on=ABOUT.date(), accept_by=self.maybe(FAR.date()),
            signer_name=self.text() if status is models.AgreementStatus.ACCEPTED else None,
            decided_on=None if status is models.AgreementStatus.PROPOSED else ABOUT.date(),
            decided_by_id=self.maybe(self.random.choice(members).id),
        )  # fmt: skip
        self.row(
            models.BilanWarning, **mine, rule="hours", message=self.text(), reference=self.text(),
            cleared_at=self.maybe(ABOUT),
        )  # fmt: skip
        for position, kind in enumerate(models.PhaseKind, 1):
            phase = self.row(models.BilanPhase, **mine, kind=kind, position=position, completed_at=self.maybe(ABOUT))
            for attendance in self.some(list(models.Attendance), 3):
                there = attendance is models.Attendance.ATTENDED
                self.row(
                    models.BilanSession, **mine, phase_id=phase.id, starts_at=ABOUT,
                    booking_id=booking.id if position == 1 and there else None, ends_at=ABOUT + timedelta(hours=1),
                    attendance=attendance, minutes=60 if there else 0, noted_at=self.maybe(ABOUT),
                    noted_by_id=self.maybe(self.random.choice(members).id),
                )  # fmt: skip

    def quality(self, organization: models.Organization, members: list[models.Membership]) -> None:
        mine = {"organization_id": organization.id}
        bilans = [each for each in self.world.of(models.Bilan) if each.organization_id == organization.id]
        for number, kind in enumerate((*models.SurveyKind, *models.SurveyKind)):
            answered = number % 2 == 0
            self.row(
                models.Survey, **mine, bilan_id=bilans[number // 2].id, kind=kind, due_at=ABOUT,
                sent_at=self.maybe(ABOUT), comment=self.maybe(self.text()),
                **dict.fromkeys(("satisfaction", "objectives", "accompaniment"), 3 if answered else None),
                recommends=7 if answered else None, answered_at=ABOUT if answered else None,
            )  # fmt: skip
        for number, kind in enumerate(models.ProofKind):
            self.row(
                models.QualityProof, **mine, indicator=number + 1, kind=kind, title=self.text() or "É",
                description=self.maybe(self.text()), happened_on=ABOUT.date(),
                bilan_id=self.maybe(bilans[number].id), added_by_id=self.maybe(self.random.choice(members).id),
            )  # fmt: skip
        file = self.row(
            models.StoredFile, **mine, place=f"{organization.id}/q", data_key="v1", content_type="application/zip",
            size_bytes=9, sha256="0" * 64,
        )  # fmt: skip
        for status in models.ExportStatus:
            ready = status is models.ExportStatus.READY
            self.row(
                models.QualityExport, **mine, status=status, starts_on=ABOUT.date(), ends_on=FAR.date(), total=3,
                done=self.random.randrange(3), error=self.maybe(self.text()), finished_at=self.maybe(ABOUT),
                requested_by_id=self.maybe(self.random.choice(members).id),
                file_id=file.id if ready else None,
            )  # fmt: skip

    def documents(self, organization: models.Organization, members: list[models.Membership]) -> None:
        """Of each kind; some are shared, some were opened, asked for and destroyed."""
        mine = {"organization_id": organization.id}
        bilans = [each for each in self.world.of(models.Bilan) if each.organization_id == organization.id]
        what = {"content_type": "application/pdf", "size_bytes": 9, "sha256": "0" * 64}
        for number, kind in enumerate((*models.DocumentKind, *models.DocumentKind)):
            gone = moment(self.random) if number % 2 == 0 else None
            file = self.row(models.StoredFile, **mine, place=f"{organization.id}/d{number}", data_key="v1", **what)
            document = self.row(
                models.Document, **mine, **what, bilan_id=bilans[number % len(bilans)].id, kind=kind, file_id=file.id,
                name=self.text() or "É", added_by_id=self.maybe(self.random.choice(members).id), destroyed_at=gone,
            )  # fmt: skip
            about, person = {**mine, "document_id": document.id}, self.random.choice(members)
            share = self.row(
                models.DocumentShare, **about, recipient_name=self.text() or "É", recipient_email="a@b.fr",
                statement=self.text(), consented_at=ABOUT, consented_by_id=person.id, recorded_by_id=person.id,
                expires_at=moment(self.random), revoked_at=self.maybe(moment(self.random)),
            )  # fmt: skip
            self.row(models.DocumentAccess, **about, granted=True, share_id=share.id, address=self.maybe("192.0.2.1"))
            self.row(
                models.DocumentAccess,
                **about,
                granted=False,
                reason=self.text(),
                membership_id=person.id,
                requester=self.maybe(self.text()),
            )
            if gone:
                self.row(
                    models.DestructionRecord, **about, kind=kind, sha256="0" * 64, destroyed_at=gone,
                    reason=list(models.DestructionReason)[number // 2 % 4], deleted_at=gone if number else None,
                    destroyed_by_id=self.maybe(person.id),
                )  # fmt: skip

    # What was done

    def reconciliations(self, organization: models.Organization) -> None:
        orders = [each for each in self.world.of(models.Order) if each.organization_id == organization.id]
        for unexplained in (0, 2):
            run = self.row(
                models.Reconciliation, organization_id=organization.id, stripe_account="platform",
                live=self.random.random() < 0.5, since=ABOUT, started_at=ABOUT, ended_at=ABOUT, events_missed=1,
                orders_mended=0, unexplained=unexplained,
            )  # fmt: skip
            for number in range(unexplained):
                self.row(
                    models.Drift, organization_id=organization.id, reconciliation_id=run.id,
                    order_id=self.random.choice(orders).id, kind=self.random.choice(list(models.DriftKind)),
                    reference=f"pi_{number}", message=self.text(),
                )  # fmt: skip

    def entries(self, organization: models.Organization, members: list[models.Membership]) -> None:
        """Of the audit log: by people, keys and nobody, about rows that are there, that are gone, and about none."""
        rows = [row for row in self.world.rows if getattr(row, "organization_id", None) == organization.id]
        for _ in range(40):
            kind, subject = self.random.choice(list(models.AuditActor)), self.maybe(self.random.choice(rows))
            person = kind is models.AuditActor.PERSON
            self.row(
                models.AuditEntry, organization_id=organization.id, actor_kind=kind,
                actor_id=self.random.choice(members).id if person else None,
                key_id=self.maybe(self.id()) if not person else None,
                action=self.random.choice(("orderCancel", "productUpdate", "signedIn")),
                operation=self.random.choice(list(models.AuditOperation)),
                subject_type=subject and type(subject).__name__, subject_id=subject and subject.id,
                before=self.held(members), after=self.held(members), address=self.maybe("2001:db8::1"),
                request_id=self.maybe("a" * 64), user_agent=self.maybe(self.text()),
            )  # fmt: skip

    def held(self, members: list[models.Membership]) -> dict[str, Any]:
        columns = {
            "name": self.text(), "price_cents": self.amount(), "active": True, "content": {"lines": [1, self.text()]},
            "signing_secret": "[redacted]", "consultant_id": str(self.random.choice(members).id), "gone": [],
        }  # fmt: skip
        return {name: columns[name] for name in self.some(list(columns), len(columns))}

    # Who signs in

    def signing_in(self) -> None:
        """Sessions of everybody, and who is invited."""
        members = self.world.of(models.Membership)
        for user in self.world.of(models.User):
            user.second_factor_since = self.maybe(moment(self.random))
        for member in members:
            for _ in range(self.random.choice((3, 4))):
                self.session(member)
        for number in range(24):
            self.invitation(number, self.random.choice(members))

    def session(self, member: models.Membership) -> None:
        reason = self.maybe(self.random.choice(list(models.SessionEnd)))
        self.row(
            models.Session, user_id=member.user_id, organization_id=member.organization_id,
            generation=self.random.randint(1, 9), refreshed_at=moment(self.random), expires_at=moment(self.random),
            ended_at=reason and moment(self.random), end_reason=reason, by_cookie=self.random.random() < 0.5,
            address=self.maybe("2001:db8::1"), user_agent=self.maybe(self.text()),
        )  # fmt: skip

    def invitation(self, number: int, by: models.Membership) -> None:
        accepted = self.maybe(moment(self.random))
        self.row(
            models.Invitation, organization_id=by.organization_id, email=f"guest{number}@example.com",
            role=self.random.choice(list(Role)), invited_by_id=by.id, expires_at=moment(self.random),
            accepted_at=accepted, revoked_at=None if accepted else self.maybe(moment(self.random)),
        )  # fmt: skip

    # Values

    def row(self, model: type[Any], **values: Any) -> Any:
        row = model(id=self.id(), created_at=moment(self.random), **values)
        self.world.rows.append(row)
        return row

    def id(self) -> UUID:
        """A UUIDv7, often of the same millisecond as the one before."""
        self.milliseconds += self.random.randint(0, 2)
        at = int(ABOUT.timestamp() * 1000) + self.milliseconds
        return UUID(int=at << 80 | 7 << 76 | self.random.getrandbits(12) << 64 | 2 << 62 | self.random.getrandbits(62))

    def brand(self, name: str) -> dict[str, Any]:
        return {"brand_name": self.text(), "brand_color": "#1F3a5f", "contact_email": f"{name}@example.com"}

    def amount(self) -> int:
        """Few enough that many are the same."""
        return self.random.choice((0, 1, 999, 1000, 9999, 99_999_999 // 20))

    def text(self) -> str:
        return text(self.random)

    def maybe(self, value: T) -> T | None:
        return value if self.random.random() < 0.6 else None

    def some(self, values: list[T], most: int) -> list[T]:
        return self.random.sample(values, self.random.randint(0, most))
