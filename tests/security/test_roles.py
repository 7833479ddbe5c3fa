"""Which rows each role and each kind of key sees of its own organization; that nothing of another is seen is for
`test_tenants.py`."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import get_named_type
from tortoise.expressions import Q, Subquery
from tortoise.models import Model
from tortoise.queryset import QuerySet

import models
from engine.views import VIEWS
from models import Role
from models.base import global_id
from policy import NOBODY, READS, Actor, Key, Kind, Scoped
from services import demonstration, outside, tokens
from services.sessions import ACCESS_LIFE, IDLE_MOST
from tests.security.documents import SCHEMA
from tests.security.surroundings import CALLERS
from tests.shop import CHEAP_HASH, Shop

ACCOUNT = "acct_1"
WHOSE = ("mine", "other", "none")  # whose client's a row is: the actor's, another person's, nobody's
Rows = dict[type[Model], dict[str, UUID]]

PEOPLE = {models.Membership, models.User, models.Session}
OF_A_SALE = {
    models.Access, models.Client, models.ClientConsent, models.ClientSubscription, models.Contact, models.Dispute,
    models.Order, models.OrderLine, models.Pack, models.Payment, models.Refund, models.Reminder,
}  # fmt: skip
CRM = {models.ClientNote, models.ClientTag, models.ClientMerge}
TAGS = {models.Tag}  # which who sees any of these sees all
QUOTES = {models.Quote, models.QuoteLine}
DEALS = {models.Opportunity, models.OpportunityMove}
TICKETS = {models.Ticket, models.TicketReply}
TIMELINE = {models.TimelineEvent}
SERVICES = {models.Service, models.Staff, models.ServiceStaff, models.ProductService}
AGENDA = {models.WeeklyHours, models.HoursException, models.Resource, models.ServiceResource}
CALENDARS = {models.BusyBlock, models.Calendar, models.CalendarConflict}  # of oneself
UPLOADS = {models.Upload}  # of oneself
IMPORTS = {models.ClientImport, models.ClientImportLine}
CONSENTS = {models.OAuthGrant}  # of oneself
BOOKINGS = {models.Appointment, models.Booking, models.BookingReminder}
FEEDS = {models.CalendarFeed}
BILANS = {models.Bilan, models.BilanFunding}  # their money
CONTENT = {models.BilanAgreement, models.BilanPhase, models.BilanSession, models.Survey}
DOCUMENTS = {models.Document, models.DocumentShare, models.DocumentAccess, models.DestructionRecord}
WARNINGS = {models.BilanWarning, models.QualityProof}
AUDITS = {models.QualityExport}
DATA = {models.ClientDataExport}
HELD = BILANS | CONTENT | DOCUMENTS | WARNINGS
TENANT = {models.Organization, models.Storefront}
SAID = {models.LegalMention}  # what everybody of the organization reads
CATALOGUE = {*TENANT, models.Product, models.Formule}
EVERYTHING = set(READS) - PEOPLE
PARTNERS = {
    models.Partner, models.ProductPartner, models.PartnerEndpoint, models.Notification, models.NotificationAttempt,
    models.NotificationReplay,
}  # fmt: skip
OWNED = {models.AuditEntry}  # what those see whose shop it is
RUNNING = {
    models.DiscountCode,
    models.Erasure,
    models.PublishableKey,
    models.PartnerKey,
    models.ApiKey,
    models.PortalToken,
    models.Invitation,
    models.Reconciliation,
    models.Drift,
    models.Integration,
    models.IntegrationSecret,
    models.SecretOpening,
}  # what those who run the shop see

SERVED = (
    BILANS
    | {
        models.Export,
        models.Storefront,
        models.Product,
        models.Formule,
        models.DiscountCode,
        models.Conflict,
        models.Invoice,
    }
    | OF_A_SALE
    | PARTNERS
    | QUOTES
    | DEALS
    | CRM
    | TAGS
    | TICKETS
    | TIMELINE
    | SERVICES
    | AGENDA
    | BOOKINGS
    | CALENDARS
    | FEEDS
    | UPLOADS
    | IMPORTS
)

# The tables that a role sees whole, and those of which it sees what belongs to its own client; a storefront sees the
# products that are sold, a partner what is about itself.
WHOLE: dict[Kind, set[type[Model]]] = {
    Role.OWNER: EVERYTHING,
    Role.ADMIN: EVERYTHING - OWNED,
    Role.ACCOUNTANT: EVERYTHING
    - PARTNERS
    - RUNNING
    - OWNED
    - QUOTES
    - DEALS
    - CRM
    - TAGS
    - TICKETS
    - TIMELINE
    - AGENDA
    - BOOKINGS
    - CONSENTS
    - CALENDARS
    - FEEDS
    - UPLOADS
    - CONTENT
    - DOCUMENTS
    - WARNINGS
    - IMPORTS
    - AUDITS
    - DATA,
    Role.CONSULTANT: CATALOGUE | SAID | SERVICES | AGENDA | TAGS,
    Role.BENEFICIARY: TENANT | SAID | SERVICES | {models.Formule},
    Key.STOREFRONT: {models.Storefront, models.ServiceStaff, models.ProductService},
}
OWN: dict[Kind, set[type[Model]]] = {
    Role.CONSULTANT: OF_A_SALE
    | CRM
    | QUOTES
    | DEALS
    | TICKETS
    | TIMELINE
    | BOOKINGS
    | CONSENTS
    | CALENDARS
    | FEEDS
    | UPLOADS
    | HELD,
    Role.BENEFICIARY: OF_A_SALE
    | BOOKINGS
    | TICKETS
    | BILANS
    | CONTENT
    | DOCUMENTS
    | DATA
    | {models.Invoice, models.Product},
    Key.STOREFRONT: {models.Product, models.Formule, models.Service, models.Staff},
    Key.PARTNER: PARTNERS,
}


def whole(kind: Kind) -> set[type[Model]]:
    """The tables that a kind sees whole: an API key all that its scopes open, but for what is about people."""
    if isinstance(kind, Scoped):
        return {model for model, permission in READS.items() if permission in kind.permissions} & SERVED
    return WHOLE.get(kind, set())


@pytest.fixture
async def rows(shop: Shop) -> Rows:
    """One of every table for each of three clients; mine has a consultant and a member, another's has others, and only
    what mine bought is still sold."""
    made: Rows = {model: {} for model in READS if model not in PEOPLE}
    made[models.AuditEntry] = {"signed in": (await models.AuditEntry.get()).pk}
    for whose in WHOSE:
        people: dict[str, Any] = {}
        if whose != "none":
            people["consultant"] = await member(shop, Role.CONSULTANT, whose)
            people["member"] = await member(shop, Role.BENEFICIARY, whose)
        for row in await sale(shop, whose, WHOSE.index(whose) + 1, people):
            made[type(row)][whose] = row.pk
        client = await models.Client.get(id=made[models.Client][whose])
        for row in await agenda(shop, whose, client, people.get("consultant")):
            made[type(row)][whose] = row.pk
        for row in await bilan(whose, client, people.get("consultant")):
            made[type(row)][whose] = row.pk
    made |= {model: dict.fromkeys(WHOSE, shop.organization.id) for model in TENANT}
    return made


@pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name)
async def test_each_role_and_key_sees_of_each_table_what_is_its_own(shop: Shop, rows: Rows, kind: Kind) -> None:
    actor = await actor_of(shop, kind, rows)
    for model in READS:
        seen = set(await actor.rows(model).values_list("id", flat=True))
        assert seen == await its_own(actor, model, rows), model.__name__


async def its_own(actor: Actor, model: type[Model], rows: Rows) -> set[UUID]:
    """What an actor is to see of a table."""
    if model in PEOPLE:
        return await people(actor, model)
    if model in whole(actor.kind):
        return set(rows[model].values())
    return {rows[model]["mine"]} if model in OWN.get(actor.kind, ()) else set()


@pytest.mark.parametrize("role", [Role.CONSULTANT, Role.BENEFICIARY])
async def test_one_who_looks_after_nobody_and_is_nobodys_client_sees_no_sale(
    shop: Shop, rows: Rows, role: Role
) -> None:
    membership = await member(shop, role, "idle")
    actor = Actor(role, shop.organization.id, membership.id)

    for model in EVERYTHING - CATALOGUE - SAID - SERVICES - AGENDA - TAGS:
        assert await actor.rows(model).count() == 0, model.__name__


async def test_membership_in_one_organization_opens_nothing_in_another(shop: Shop, rows: Rows) -> None:
    theirs = await Shop.open(shop.http, shop.sandbox, "other")
    for kind in CALLERS:
        mine = await actor_of(shop, kind, rows)
        elsewhere = mine.having((theirs.organization.id, mine.own_id))
        for model in READS:
            seen = await elsewhere.rows(model).values_list("id", flat=True)
            assert not set(seen) & set(rows.get(model, {}).values()), (kind, model.__name__)


async def test_nobody_sees_nothing(rows: Rows) -> None:
    for model in READS:
        assert await NOBODY.rows(model).count() == 0


async def test_through_the_front_door_a_consultant_sees_their_own_clients_sales_without_invoices(
    shop: Shop, rows: Rows
) -> None:
    answer = await signed_in(shop, "consultant-mine@shop.test").post(SALES, {})

    assert ids(answer["data"]["orders"]) == {named(models.Order, rows)}
    assert ids(answer["data"]["clients"]) == {named(models.Client, rows)}
    assert ids(answer["data"]["products"]) == {named(models.Product, rows, whose) for whose in WHOSE}
    (order,) = answer["data"]["orders"]["nodes"]
    assert order["client"]["id"] == named(models.Client, rows)
    assert order["lines"][0]["product"]["id"] == named(models.Product, rows)
    assert order["payments"]
    assert order["invoices"] == order["notifications"] == order["conflicts"] == []


async def test_through_the_front_door_a_beneficiary_sees_their_own_orders_and_invoices(shop: Shop, rows: Rows) -> None:
    beneficiary = signed_in(shop, "beneficiary-mine@shop.test")
    answer = await beneficiary.post(SALES, {})

    for name, model in (("orders", models.Order), ("clients", models.Client), ("products", models.Product)):
        assert ids(answer["data"][name]) == {named(model, rows)}, name
    (order,) = answer["data"]["orders"]["nodes"]
    assert [invoice["id"] for invoice in order["invoices"]] == [named(models.Invoice, rows)]
    assert order["payments"]
    assert order["notifications"] == order["conflicts"] == []


@pytest.mark.parametrize("person", ["consultant", "beneficiary"])
async def test_through_the_front_door_anothers_row_is_as_one_that_never_was(
    shop: Shop, rows: Rows, person: str
) -> None:
    caller = signed_in(shop, f"{person}-mine@shop.test")
    for model in OF_A_SALE & set(VIEWS):
        found = await caller.post(NODE, {"id": named(model, rows)})
        assert found["data"]["node"], model.__name__
        for whose in ("other", "none"):
            answer = await caller.post(NODE, {"id": named(model, rows, whose)})
            assert (answer["data"], answer.get("errors")) == ({"node": None}, None), (model.__name__, whose)


async def test_a_beneficiary_who_is_no_member_any_more_sees_the_client_no_more(shop: Shop, rows: Rows) -> None:
    await models.Client.filter(id=rows[models.Client]["mine"]).update(member_id=None)

    answer = await signed_in(shop, "beneficiary-mine@shop.test").post(SALES, {})

    assert {name: page["nodes"] for name, page in answer["data"].items()} == {
        "orders": [],
        "clients": [],
        "products": [],
    }


async def test_the_demonstration_has_somebody_of_each_kind_to_try(shop: Shop) -> None:
    first, again = [await demonstration.seed(outside.outside().settings) for _ in range(2)]

    assert first == again
    roles = {role: (email, password) for role, email, password in first.logins}
    for role, key in ((Role.CONSULTANT, "consultant"), (Role.BENEFICIARY, "member")):
        email, password = roles[role.value]
        token = (await shop(SIGN_IN, input={"email": email, "password": password}))["accessToken"]
        page = await Shop(shop.http, shop.sandbox, shop.organization, email, token)("{ clients { nodes { email } } }")
        assert {"email": "beneficiary@demo.test"} in page["nodes"], role
        theirs = await models.Client.filter(**{f"{key}__user__email": email}).values_list("email", flat=True)
        assert sorted(each["email"] for each in page["nodes"]) == sorted(theirs), role


@pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name)
async def test_the_sql_of_a_scope_follows_from_the_kind_and_its_values_from_the_facts(shop: Shop, kind: Kind) -> None:
    first, second = (Actor(kind, uuid4(), uuid4()) for _ in range(2))
    for model in READS:
        (sql, values), (again, others) = statement(first.rows(model)), statement(second.rows(model))
        assert sql == again, model.__name__
        assert " JOIN " not in sql
        assert [place(first, value) for value in values] == [place(second, value) for value in others]
        assert statement(first.having(second.facts).rows(model)) == (again, others)


@pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name)
async def test_two_of_a_kind_who_see_alike_have_the_same_scopes(shop: Shop, kind: Kind) -> None:
    first = Actor(kind, uuid4(), uuid4())
    second = Actor(kind, first.organization_id, uuid4())
    apart = {each for each in READS if each is not models.Session}
    scopes = [{model: statement(each.rows(model)) for model in apart} for each in (first, second)]

    assert (first.sees_like == second.sees_like) == (scopes[0] == scopes[1])
    assert Actor(kind, uuid4(), first.own_id).sees_like != first.sees_like


def test_no_row_leads_to_a_session() -> None:
    for view in VIEWS.values():
        fields = SCHEMA.type_map[view.name].fields.values()  # type: ignore[attr-defined]
        assert not {str(get_named_type(field.type)) for field in fields} & {"Session", "SessionConnection"}, view.name


@pytest.mark.parametrize("kind", CALLERS, ids=lambda kind: kind.name)
async def test_every_sub_select_carries_the_tenant(shop: Shop, kind: Kind) -> None:
    actor = Actor(kind, uuid4(), uuid4())
    for model in READS:
        if not actor.may(READS[model]):
            assert statement(actor.rows(model)) == statement(NOBODY.rows(model))
            continue
        for rows in sub_selects(actor.rows(model)):
            column = "id" if rows.model in TENANT else "organization_id"
            of_tenant = any(q.filters.get(column) == actor.organization_id for q in rows._q_objects)
            assert of_tenant or rows.model in (models.User, models.Session), (
                model.__name__,
                rows.model.__name__,
            )  # people and their sessions belong to none


# What is needed to tell


SALES = """{
  orders(first: 100) { nodes { id client { id } lines { product { id } } payments { id } invoices { id }
                               notifications { id } conflicts { id } } }
  clients(first: 100) { nodes { id } }
  products(first: 100) { nodes { id } }
}"""
SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken } } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"


def signed_in(shop: Shop, email: str) -> Shop:
    """Somebody of the shop, with a token of theirs."""
    return Shop(shop.http, shop.sandbox, shop.organization, email, TOKENS[email])


TOKENS: dict[str, str] = {}


async def member(shop: Shop, role: Role, whose: str) -> models.Membership:
    email = f"{role.value.lower()}-{whose}@shop.test"
    user = await models.User.create(email=email, password_hash=CHEAP_HASH, first_name="Camille", last_name="Durand")
    until = datetime.now(UTC) + IDLE_MOST
    session = await models.Session.create(user=user, organization=shop.organization, expires_at=until)
    claims = {"sid": str(session.id), "sub": str(user.id), "org": str(shop.organization.id)}
    TOKENS[email] = tokens.sign(tokens.ACCESS, claims, ACCESS_LIFE)[0]
    return await models.Membership.create(organization=shop.organization, user=user, role=role)


SPEAKS_FOR: dict[Key, type[Model]] = {
    Key.STOREFRONT: models.PublishableKey, Key.PARTNER: models.Partner, Key.PORTAL: models.PortalToken,
}  # fmt: skip


async def actor_of(shop: Shop, role: Kind, rows: Rows) -> Actor:
    """Who has the role: of the consultants, beneficiaries, partners and clients, the one that "mine" is about."""
    if isinstance(role, Scoped):
        return Actor(role, shop.organization.id, rows[models.ApiKey]["mine"])
    if isinstance(role, Key):
        return Actor(role, shop.organization.id, rows[SPEAKS_FOR[role]]["mine"])
    narrowed = role in (Role.CONSULTANT, Role.BENEFICIARY)
    email = f"{role.value.lower()}-mine@shop.test" if narrowed else None
    found = await models.Membership.get_or_none(organization=shop.organization, role=role, **(
        {"user__email": email} if email else {}
    ))  # fmt: skip
    membership = found or await member(shop, role, "sole")
    return Actor(role, shop.organization.id, membership.id)


async def people(actor: Actor, model: type[Model]) -> set[UUID]:
    """A person's own membership or user, and for those who run the shop everybody's; the sessions of oneself alone,
    for whomever; nobody, for a key."""
    if model is models.Session:
        sessions = models.Session.filter(user__memberships__id=actor.own_id)
        return set(await sessions.values_list("id", flat=True))
    members = models.Membership.filter(organization_id=actor.organization_id)
    found = await (members if actor.kind in (Role.OWNER, Role.ADMIN) else members.filter(id=actor.own_id))
    return {member.id if model is models.Membership else member.user_id for member in found}


async def sale(shop: Shop, whose: str, number: int, people: dict[str, Any]) -> list[Model]:
    """A client with an order, and a row of every table about it."""
    here: dict[str, Any] = {"organization": shop.organization}
    paid: dict[str, Any] = {"currency": "EUR", "stripe_account": ACCOUNT, "live": False}
    now = datetime.now(UTC)
    client = await models.Client.create(email=f"client{number}@example.com", **here, **people)
    product = await models.Product.create(name=whose, price_cents=1200, active=whose == "mine", **here)
    partner = await models.Partner.create(
        slug=f"partner-{number}", name=whose, brand_name=whose, contact_email="contact@example.com", **here
    )
    link = await models.ProductPartner.create(product=product, partner=partner, **here)
    order = await models.Order.create(
        number=number,
        client=client,
        kind=models.OrderKind.PRODUCTS,
        subtotal_cents=1200,
        total_cents=1200,
        **paid,
        **here,
    )
    line = await models.OrderLine.create(
        order=order, position=1, product=product, description=whose, quantity=1, unit_price_cents=1200,
        currency="EUR", vat_rate=2000, total_cents=1200, **here,
    )  # fmt: skip
    quote = await models.Quote.create(
        client=client, currency="EUR", subtotal_cents=1200, total_cents=1200, live=False, **here
    )
    offered = await models.QuoteLine.create(
        quote=quote, position=1, product=product, description=whose, quantity=1, unit_price_cents=1200,
        currency="EUR", vat_rate=2000, total_cents=1200, **here,
    )  # fmt: skip
    deal = await models.Opportunity.create(client=client, title=whose, **here)
    moved = await models.OpportunityMove.create(opportunity=deal, to_stage=models.OpportunityStage.LEAD, **here)
    ticket = await models.Ticket.create(number=number, client=client, subject=whose, body=whose, **here)
    answer = await models.TicketReply.create(ticket=ticket, body=whose, **here)
    happened = await models.TimelineEvent.create(
        client=client, kind=models.TimelineKind.TICKET_OPENED, occurred_at=now, data={}, **here
    )
    payment = await models.Payment.create(
        order=order, method=models.PaymentMethod.STRIPE, status=models.PaymentStatus.SUCCEEDED, amount_cents=1200,
        paid_at=now, **paid, **here,
    )  # fmt: skip
    money: dict[str, Any] = {"order": order, "payment": payment, "amount_cents": 100, **paid, **here}
    refund = await models.Refund.create(method=models.PaymentMethod.STRIPE, **money)
    dispute = await models.Dispute.create(reason="general", stripe_id=f"du_{number}", opened_at=now, **money)
    access = await models.Access.create(client=client, product=product, order=order, live=False, starts_at=now, **here)
    conflict = await models.Conflict.create(
        order=order, kind=models.ConflictKind.DUPLICATE_PAYMENT, reference="pi_2", message="Paid twice", **here
    )
    series = await models.InvoiceSeries.create(prefix=f"T{number}", stripe_account=ACCOUNT, live=False, **here)
    invoice = await models.Invoice.create(
        order=order, partner=partner, series=series, type=models.InvoiceType.INVOICE, number=f"T-2026-{number:06}",
        year=2026, sequence=number, issued_at=now, due_on=now.date(), net_cents=1000, vat_cents=200,
        total_cents=1200, content={}, content_sha256="0" * 64, chain_sha256="0" * 64,
        message_id=f"<{number}@shop.test>", **paid, **here,
    )  # fmt: skip
    notification = await models.Notification.create(
        partner=partner, order=order, invoice=invoice, event_type="order.created", event_id="evt_1", payload="{}",
        live=False, **here,
    )  # fmt: skip
    attempt = await models.NotificationAttempt.create(
        notification=notification, number=1, url="https://example.com", started_at=now, duration_ms=1, **here
    )
    endpoint = await models.PartnerEndpoint.create(partner=partner, live=False, **here)
    replay = await models.NotificationReplay.create(
        partner=partner, since=now, until=now + timedelta(days=1), total=1, finished_at=now, **here
    )
    subscription = await models.ClientSubscription.create(
        client=client, product=product, status=models.SubscriptionStatus.ACTIVE, quantity=1, amount_cents=1200,
        interval=models.Interval.MONTH, interval_count=1, current_period_start=now, asked_at=now,
        current_period_end=now + timedelta(days=30), stripe_id=f"sub_{number}", **paid, **here,
    )  # fmt: skip
    reminder = await models.Reminder.create(
        order=order, invoice=invoice, number=1, due_at=now, message_id="<1@shop.test>", **here
    )
    code = await models.DiscountCode.create(code=f"CODE{number}", percent=1000, **here)
    key = await models.PublishableKey.create(
        name=whose, key=f"pk_{number:024}", origins="https://shop.example.com", **here
    )
    inviter = await models.Membership.filter(**here).order_by("id").first()
    invitation = await models.Invitation.create(
        email=f"guest{number}@example.com", role=Role.ADMIN, invited_by=inviter, expires_at=now, **here
    )
    own = await models.PartnerKey.create(partner=partner, name=whose, prefix="ptk_", key_hash=f"{number:064}", **here)
    entry = await models.AuditEntry.create(
        actor_kind=models.AuditActor.SYSTEM, action="sold", operation=models.AuditOperation.NOTE, **here
    )
    server = await models.ApiKey.create(name=whose, prefix="apk_", key_hash=f"{number:064}", scopes="", **here)
    portal = await models.PortalToken.create(
        client=client, token_hash=f"{number:064}", expires_at=now + timedelta(days=1), **here
    )
    words = await models.LegalMention.create(
        code=models.MentionCode.OTHER, scope=models.MentionScope.ALL, text_fr=whose, valid_from=now.date(), **here
    )
    run = await models.Reconciliation.create(
        stripe_account="platform", live=False, since=now, started_at=now, ended_at=now, events_missed=1,
        orders_mended=1, unexplained=1, **here,
    )  # fmt: skip
    drift = await models.Drift.create(
        reconciliation=run, order=order, kind=models.DriftKind.NOT_COUNTED, reference="pi_1", message="Paid", **here
    )
    export = await models.Export.create(
        kind=models.ExportKind.FEC, starts_on=now.date(), ends_on=now.date(), live=False, filename="1.txt", **here
    )
    integration = await models.Integration.create(provider=f"smtp{number}", configured_at=now, **here)
    secret = await models.IntegrationSecret.create(
        integration=integration, provider=integration.provider, field="password", sealed="v1", rotated_at=now, **here
    )
    tag = await models.Tag.create(name=whose, **here)
    crm = [
        tag,
        await models.Contact.create(client=client, first_name=whose, **here),
        await models.ClientNote.create(client=client, body=whose, **here),
        await models.ClientTag.create(client=client, tag=tag, **here),
        await models.ClientConsent.create(
            client=client, purpose=models.ConsentPurpose.EMAIL_MARKETING, wording=whose, given_at=now,
            source=models.ConsentSource.PAPER, **here,
        ),
        await models.ClientMerge.create(
            client=client, duplicate_id=uuid4(), duplicate_email="old@example.com", moved={}, **here
        ),
        await models.Erasure.create(client=client, deleted={}, blanked={}, kept=[], **here),
        await models.ClientDataExport.create(client=client, **here),
    ]  # fmt: skip
    opened: dict[str, Any] = {"field": "sealed", "key_id": "k1", "purpose": "a test", **here}
    opening = await models.SecretOpening.create(table_name="integration_secrets", row_id=secret.id, **opened)
    await models.SecretOpening.create(table_name="partners", row_id=partner.id, **opened)  # which nobody sees
    return [
        integration, secret, opening,
        run, drift, subscription, client, product, partner, link, order, line, payment, refund, dispute, access,
        conflict, invoice, endpoint, notification, attempt, replay, reminder, code, key, own, invitation, entry,
        server, portal, quote, offered, words, export, *crm, deal, moved, ticket, answer, happened,
    ]  # fmt: skip


async def agenda(shop: Shop, whose: str, client: models.Client, member: models.Membership | None) -> list[Model]:
    """Somebody who gives a service, with hours, and a client's booking of it."""
    here: dict[str, Any] = {"organization": shop.organization}
    now, active = datetime.now(UTC), whose == "mine"
    service = await models.Service.create(name=whose, duration_minutes=60, price_cents=1200, active=active, **here)
    staff = await models.Staff.create(display_name=whose, membership=member, active=active, **here)
    room = await models.Resource.create(name=whose, **here)
    times: dict[str, Any] = {"starts_at": now, "ends_at": now + timedelta(hours=1)}
    consent = await models.OAuthGrant.create(
        provider="google_calendar", membership=member, scopes="", access_token="v1", connected_at=now, **here
    )
    appointment = await models.Appointment.create(
        service=service, staff=staff, resource=room, occupied_from=now, occupied_until=now + timedelta(hours=1),
        taken=1, **times, **here,
    )  # fmt: skip
    calendar = await models.Calendar.create(
        staff=staff, provider="google_calendar", remote_id=whose, name=whose, time_zone="UTC", outgoing=True,
        incoming=True, **here,
    )  # fmt: skip
    booking = await models.Booking.create(
        appointment=appointment, client=client, attendee_name=whose, price_cents=1200, currency="EUR", **here
    )
    access = await models.Access.filter(client=client).first().prefetch_related("product")
    assert access
    return [
        service, staff, room, appointment, booking, consent, calendar,
        await models.CalendarConflict.create(
            calendar=calendar, staff=staff, appointment=appointment, kind=models.CalendarConflictKind.OVERLAP,
            external_id=whose, sequence=0, message="An event lies over it.", **times, **here,
        ),
        await models.Upload.create(
            purpose=models.UploadPurpose.DOCUMENT, name="a.pdf", content_type="application/pdf", size_bytes=1,
            created_by=member, expires_at=now, **here,
        ),
        *await imports(shop, whose),
        await models.ServiceStaff.create(service=service, staff=staff, **here),
        await models.ServiceResource.create(service=service, resource=room, **here),
        await models.WeeklyHours.create(staff=staff, iso_weekday=1, starts_minute=540, ends_minute=720, **here),
        await models.HoursException.create(staff=staff, starts_on=now.date(), ends_on=now.date(), **here),
        await models.BusyBlock.create(staff=staff, **times, **here),
        await models.CalendarFeed.create(staff=staff, token_hash=hashlib.sha256(whose.encode()).hexdigest(), **here),
        await models.BookingReminder.create(
            booking=booking, minutes_before=60, starts_at=now, due_at=now - timedelta(hours=1), **here
        ),
        await models.Pack.create(client=client, access=access, sessions=5, **here),
        await models.ProductService.create(product=access.product, service=service, **here),
    ]  # fmt: skip


async def bilan(whose: str, client: models.Client, consultant: models.Membership | None) -> list[Model]:
    """A bilan of the client that the consultant holds, with a row of every table about it."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    now = datetime.now(UTC)
    formule = await models.Formule.create(
        slug=whose, name=whose, minutes=1440, price_cents=240000, active=whose == "mine", **here
    )
    made = await models.Bilan.create(
        client=client, beneficiary_name=whose, consultant=consultant, formule=formule, minutes_planned=1440,
        price_cents=240000, vat_rate=0, currency="EUR", **here,
    )  # fmt: skip
    phase = await models.BilanPhase.create(bilan=made, kind=models.PhaseKind.PRELIMINARY, position=1, **here)
    return [
        formule, made, phase, *await document(made),
        await models.BilanFunding.create(
            bilan=made, source=models.FundingSource.EMPLOYER, amount_cents=100, currency="EUR", **here
        ),
        await models.BilanAgreement.create(
            bilan=made, kind=models.AgreementKind.CONSENT, proposed_on=now.date(), **here
        ),
        await models.BilanSession.create(
            bilan=made, phase=phase, starts_at=now, ends_at=now + timedelta(hours=1), **here
        ),
        await models.BilanWarning.create(bilan=made, rule="hours", message="Too long.", reference="L6313-4", **here),
        await models.Survey.create(bilan=made, kind=models.SurveyKind.END, due_at=now, **here),
        await models.QualityProof.create(
            bilan=made, indicator=4, kind=models.ProofKind.PHONE, title=whose, happened_on=now.date(), **here
        ),
        await models.QualityExport.create(starts_on=now.date(), ends_on=now.date(), **here),
    ]  # fmt: skip


async def document(bilan: models.Bilan) -> list[Model]:
    """A document of the bilan, with a row of every table about it."""
    here: dict[str, Any] = {"organization_id": bilan.organization_id}
    now, what = datetime.now(UTC), {"content_type": "text/plain", "size_bytes": 1, "sha256": "0" * 64}
    person = await models.Membership.filter(**here).order_by("id").first()
    file = await models.StoredFile.create(place=str(bilan.id), data_key="v1", **what, **here)
    made = await models.Document.create(
        bilan=bilan, kind=models.DocumentKind.OTHER, name="a", file=file, **what, **here
    )
    return [
        made,
        await models.DocumentShare.create(
            document=made, recipient_name="b", recipient_email="b@example.com", statement="c", consented_at=now,
            consented_by=person, recorded_by=person, expires_at=now, **here,
        ),
        await models.DocumentAccess.create(document=made, granted=True, membership=person, **here),
        await models.DestructionRecord.create(
            document=made, kind=made.kind, sha256="0" * 64, reason=models.DestructionReason.MISTAKE, destroyed_at=now,
            **here,
        ),
    ]  # fmt: skip


async def imports(shop: Shop, whose: str) -> list[Model]:
    """A client file that was looked at, and what is wrong with a line of it."""
    here: dict[str, Any] = {"organization": shop.organization}
    file = await models.StoredFile.create(
        place=f"{shop.organization.id}/{whose}", data_key="v1", content_type="text/csv", size_bytes=1, sha256="0" * 64,
        **here,
    )  # fmt: skip
    found = await models.ClientImport.create(
        filename=whose, file=file, dry_run=True, on_existing=models.OnExistingClient.SKIP,
        on_broken=models.OnBrokenLine.REFUSE, status=models.ClientImportStatus.CHECKED, finished_at=datetime.now(UTC),
        **here,
    )  # fmt: skip
    line = await models.ClientImportLine.create(
        client_import=found, line=2, last_line=2, problem=models.ClientImportProblem.EMAIL, **here
    )
    return [found, line]


def named(model: type[Model], rows: Rows, whose: str = "mine") -> str:
    return global_id(model(id=rows[model][whose]))


def ids(page: Any) -> set[str]:
    return {row["id"] for row in page["nodes"]}


def statement(rows: QuerySet[Any]) -> tuple[str, list[Any]]:
    """(SQL from the table on, parameters): the order of the columns differs from one time to the next."""
    rows._make_query()
    sql, parameters = rows.query.get_parameterized_sql()
    return sql.partition(" FROM ")[2], parameters


def place(actor: Actor, value: Any) -> int | bool:
    """Of a parameter: its place among the facts, or what all of the kind have in common."""
    return value if value in actor.constants else actor.facts.index(UUID(value))


def sub_selects(rows: Any) -> list[Any]:
    """The queryset and those within it."""
    values = (value for q in rows._q_objects for value in values_of(q))
    return [rows, *(inner for value in values if isinstance(value, Subquery) for inner in sub_selects(value.query))]


def values_of(q: Q) -> list[Any]:
    return [*q.filters.values(), *(value for child in q.children for value in values_of(child))]  # type: ignore[arg-type]
