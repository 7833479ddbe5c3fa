"""Reads: every list, every row, every relation, and one query for each relation whatever the page."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from tortoise.fields.relational import BackwardFKRelation, ForeignKeyFieldInstance, ReverseRelation

import models
from engine.reading import loaded
from engine.views import VIEWS
from tests.importing import imported
from tests.security.documents import (
    BY_ID,
    LISTS,
    OF_THE_CALLER,
    VIEWED,
    deepest,
    list_document,
    node_document,
    one_document,
    own_document,
    root_type,
    row_type,
)
from tests.shop import Shop

WHO_IS_CALLING = 1  # query


KEY_CREATE = "mutation ($input: PublishableKeyCreateInput!) { publishableKeyCreate(input: $input) { __typename } }"
PARTNER_KEY_CREATE = "mutation ($input: PartnerKeyCreateInput!) { partnerKeyCreate(input: $input) { __typename } }"
API_KEY_CREATE = "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { __typename } }"
WORDS = "mutation ($input: LegalMentionSetInput!) { legalMentionSet(input: $input) { __typename } }"
LINK_CREATE = "mutation ($input: PortalTokenCreateInput!) { portalTokenCreate(input: $input) { __typename } }"
TICKET_CREATE = "mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"
TICKET_REPLY = "mutation ($input: TicketReplyInput!) { ticketReply(input: $input) { __typename } }"
EXPORT_CREATE = "mutation ($input: ExportCreateInput!) { exportCreate(input: $input) { __typename } }"
QUOTE_CREATE = "mutation ($input: QuoteCreateInput!) { quoteCreate(input: $input) { __typename } }"
INVITE = "mutation ($input: InvitationCreateInput!) { invitationCreate(input: $input) { __typename } }"


@pytest.fixture
async def sold(shop: Shop) -> Shop:
    """A shop with a sale, a declined payment, a conflict and keys, so that every list has rows."""
    product = await shop.product(1000, (await shop.partner("one"), two := await shop.partner("two")))
    await shop(KEY_CREATE, input={"name": "Site", "origins": ["https://shop.example.com"]})
    await shop(PARTNER_KEY_CREATE, input={"partner": two["id"], "name": "Server"})
    await shop(INVITE, input={"email": "guest@example.com", "role": "ACCOUNTANT"})
    await shop(API_KEY_CREATE, input={"name": "ERP", "scopes": ["ORDERS_READ"]})
    await shop(WORDS, input={"code": "OTHER", "textFr": "À bientôt.", "validFrom": "2026-01-01"})
    await shop(LINK_CREATE, input={"client": await shop.client()})
    await shop(EXPORT_CREATE, input={"kind": "FEC", "from": "2026-01-01", "to": "2026-12-31"})
    await imported(shop, "E-mail\nnobody\n", dryRun=True)
    lines = [{"product": product, "quantity": 1}]
    await shop(QUOTE_CREATE, input={"client": await shop.client(), "lines": lines})
    asked = await shop(TICKET_CREATE, input={"client": await shop.client(), "subject": "Bilan", "body": "Bonjour"})
    await shop(TICKET_REPLY, input={"ticket": asked["ticket"]["id"], "body": "Bonjour"})
    order = await shop.order(product)
    session = await shop.checkout(order)
    for event in [
        *await shop.sandbox.stripe.pay(session, card="4000000000000002"),
        *await shop.sandbox.stripe.pay(session),
    ]:
        await shop.deliver(event)
    await shop.work_is_done()
    await models.Conflict.create(
        organization=shop.organization, order_id=(await models.Order.first()).id,
        kind=models.ConflictKind.DUPLICATE_PAYMENT, reference="pi_2", message="Paid twice",
    )  # fmt: skip
    await models.DiscountCode.create(organization=shop.organization, code="BIENVENUE", percent=1000)
    payment = await models.Payment.filter(organization=shop.organization, applied_cents__gt=0).first()
    money = {
        "organization": shop.organization, "order_id": payment.order_id, "payment": payment, "amount_cents": 100,
        "currency": "EUR", "stripe_account": payment.stripe_account, "live": False,
    }  # fmt: skip
    await models.Refund.create(method=payment.method, **money)
    await models.Dispute.create(reason="general", stripe_id="du_1", opened_at=payment.paid_at, **money)
    invoice = await models.Invoice.filter(organization=shop.organization).order_by("id").first()
    sale = await models.Order.get(id=invoice.order_id).prefetch_related("lines")
    subscription = await models.ClientSubscription.create(
        organization=shop.organization, client_id=sale.client_id, product_id=sale.lines[0].product_id, quantity=1,
        status=models.SubscriptionStatus.ACTIVE, amount_cents=1000, currency="EUR", stripe_account="platform",
        interval=models.Interval.MONTH, interval_count=1, current_period_start=sale.created_at, live=False,
        current_period_end=sale.created_at + timedelta(days=30), asked_at=sale.created_at, stripe_id="sub_1",
    )  # fmt: skip
    await models.Order.filter(id=sale.id).update(kind=models.OrderKind.SUBSCRIPTION, subscription_id=subscription.id)
    await models.Reminder.create(
        organization=shop.organization, order_id=invoice.order_id, invoice=invoice, number=1,
        due_at=invoice.issued_at, message_id="<1@shop.test>",
    )  # fmt: skip
    run = await models.Reconciliation.create(
        organization=shop.organization, stripe_account="platform", live=False, since=invoice.issued_at,
        started_at=invoice.issued_at, ended_at=invoice.issued_at, events_missed=1, orders_mended=1, unexplained=1,
    )  # fmt: skip
    await models.Drift.create(
        organization=shop.organization, reconciliation=run, order_id=invoice.order_id,
        kind=models.DriftKind.NOT_COUNTED, reference="pi_1", message="Paid",
    )  # fmt: skip
    integration = await models.Integration.create(
        organization=shop.organization, provider="smtp", configured_at=invoice.issued_at
    )
    secret = await models.IntegrationSecret.create(
        organization=shop.organization, integration=integration, provider="smtp", field="password",
        rotated_at=invoice.issued_at, destroyed_at=invoice.issued_at,
    )  # fmt: skip
    await models.SecretOpening.create(
        organization=shop.organization, table_name="integration_secrets", row_id=secret.id, field="sealed",
        key_id="k1", purpose="a test",
    )  # fmt: skip
    await models.NotificationReplay.create(
        organization=shop.organization, partner=await models.Partner.get(slug="two"), since=invoice.issued_at,
        until=invoice.issued_at + timedelta(days=1), total=1,
    )  # fmt: skip
    await book(sale.client_id, invoice.issued_at, organization_id=shop.organization.id)
    await know(sale.client_id, invoice.issued_at, organization_id=shop.organization.id)
    won = await models.Opportunity.create(
        organization=shop.organization, client_id=sale.client_id, title="Mission", stage=models.OpportunityStage.WON,
        won_at=sale.created_at, amount_cents=1000, order=sale,
    )  # fmt: skip
    await models.OpportunityMove.create(
        organization=shop.organization, opportunity=won, to_stage=models.OpportunityStage.WON
    )
    await agree(sale.client_id, invoice.issued_at, organization_id=shop.organization.id)
    return shop


async def know(client_id: Any, at: Any, **here: Any) -> None:
    """What is kept of the client besides."""
    tag = await models.Tag.create(name="Fidèle", **here)
    await models.ClientTag.create(client_id=client_id, tag=tag, **here)
    await models.Contact.create(client_id=client_id, first_name="Marie", **here)
    await models.ClientNote.create(client_id=client_id, body="Rappeler", **here)
    await models.ClientConsent.create(
        client_id=client_id, purpose=models.ConsentPurpose.EMAIL_MARKETING, wording="Oui", given_at=at,
        source=models.ConsentSource.PAPER, **here,
    )  # fmt: skip
    await models.ClientMerge.create(
        client_id=client_id, duplicate_id=client_id, duplicate_email="old@example.com", moved={}, **here
    )
    await models.Erasure.create(client_id=client_id, deleted={}, blanked={}, kept=[], **here)
    await models.ClientDataExport.create(client_id=client_id, **here)


async def book(client_id: Any, at: Any, **here: Any) -> None:
    """Somebody who gives a service in a room, with hours, and the client's booking of it."""
    service = await models.Service.create(name="Conseil", duration_minutes=60, price_cents=1000, **here)
    member = await models.Membership.filter(**here).first()
    staff = await models.Staff.create(display_name="Camille", membership=member, **here)
    consent = {"provider": "google_calendar", "scopes": "a\nb", "access_token": "v1", "connected_at": at}
    await models.OAuthGrant.create(membership=member, **consent, **here)
    room = await models.Resource.create(name="Salle", **here)
    await models.ServiceStaff.create(service=service, staff=staff, **here)
    await models.ServiceResource.create(service=service, resource=room, **here)
    await models.WeeklyHours.create(staff=staff, iso_weekday=1, starts_minute=540, ends_minute=720, **here)
    await models.HoursException.create(staff=staff, starts_on=at.date(), ends_on=at.date(), **here)
    times = {"starts_at": at, "ends_at": at + timedelta(hours=1)}
    await models.BusyBlock.create(staff=staff, **times, **here)
    appointment = await models.Appointment.create(
        service=service, staff=staff, resource=room, occupied_from=at, occupied_until=times["ends_at"], taken=1,
        **times, **here,
    )  # fmt: skip
    access = await models.Access.filter(client_id=client_id, **here).first().prefetch_related("product")
    assert access
    pack = await models.Pack.create(client_id=client_id, access=access, sessions=5, **here)
    await models.ProductService.create(product=access.product, service=service, **here)
    await models.CalendarFeed.create(staff=staff, token_hash="c" * 64, **here)
    booking = await models.Booking.create(
        appointment=appointment, client_id=client_id, attendee_name="Marie", price_cents=1000, currency="EUR",
        pack=pack, **here,
    )  # fmt: skip
    await models.BookingReminder.create(
        booking=booking, minutes_before=60, starts_at=at, due_at=at - timedelta(hours=1), **here
    )
    calendar = await models.Calendar.create(
        staff=staff, provider="google_calendar", remote_id="camille", name="Camille", time_zone="Europe/Paris",
        outgoing=True, incoming=True, **here,
    )  # fmt: skip
    await models.CalendarConflict.create(
        calendar=calendar, staff=staff, appointment=appointment, kind=models.CalendarConflictKind.OVERLAP,
        external_id="event", sequence=0, message="An event lies over it.", **times, **here,
    )  # fmt: skip


async def agree(client_id: Any, at: Any, **here: Any) -> None:
    """A bilan of the client, with a row of every table about it."""
    formule = await models.Formule.create(slug="express", name="Express", minutes=720, price_cents=120000, **here)
    bilan = await models.Bilan.create(
        client_id=client_id, beneficiary_name="Marie", formule=formule, minutes_planned=720, price_cents=120000,
        vat_rate=0, currency="EUR", **here,
    )  # fmt: skip
    await models.BilanFunding.create(
        bilan=bilan, source=models.FundingSource.CPF, amount_cents=1000, currency="EUR", **here
    )
    await models.BilanAgreement.create(bilan=bilan, kind=models.AgreementKind.CONSENT, proposed_on=at.date(), **here)
    phase = await models.BilanPhase.create(bilan=bilan, kind=models.PhaseKind.PRELIMINARY, position=1, **here)
    await models.BilanSession.create(bilan=bilan, phase=phase, starts_at=at, ends_at=at + timedelta(hours=1), **here)
    await models.BilanWarning.create(bilan=bilan, rule="hours", message="Too long.", reference="L6313-4", **here)
    await models.Survey.create(bilan=bilan, kind=models.SurveyKind.END, due_at=at, **here)
    await models.QualityProof.create(
        bilan=bilan, indicator=4, kind=models.ProofKind.PHONE, title="a", happened_on=at.date(), **here
    )
    await models.QualityExport.create(starts_on=at.date(), ends_on=at.date(), **here)
    await keep(bilan, at, **here)


async def keep(bilan: models.Bilan, at: Any, **here: Any) -> None:
    """A document of the bilan that somebody opened, and its destruction."""
    what = {"content_type": "application/pdf", "size_bytes": 1, "sha256": "0" * 64}
    file = await models.StoredFile.create(place="a", data_key="v1", **what, **here)
    document = await models.Document.create(
        bilan=bilan, kind=models.DocumentKind.SYNTHESIS, name="a.pdf", file=file, **what, **here
    )
    member = await models.Membership.filter(**here).first()
    await models.Upload.create(
        purpose=models.UploadPurpose.DOCUMENT, name="a.pdf", content_type="application/pdf", size_bytes=1,
        expires_at=at, **here,
    )  # fmt: skip
    await models.DocumentShare.create(
        document=document, recipient_name="Paul", recipient_email="paul@example.com", statement="Oui.",
        consented_at=at, consented_by=member, expires_at=at, **here,
    )  # fmt: skip
    await models.DocumentAccess.create(document=document, granted=True, membership=member, **here)
    await models.DestructionRecord.create(
        document=document, kind=document.kind, sha256="0" * 64, reason=models.DestructionReason.ERASURE,
        destroyed_at=at, **here,
    )  # fmt: skip


async def test_every_list_gives_its_rows_and_each_is_found_by_its_id(sold: Shop) -> None:
    for name in LISTS:
        page = await sold(list_document(name), first=5)  # more of all that they lead to would cost too much
        assert page["nodes"], f"nothing in {name}"
        assert min(page["totalCount"], 5) == len(page["nodes"])
        for row in page["nodes"]:
            assert without_links(await sold(node_document(row["__typename"]), id=row["id"])) == without_links(row)
            one = re.sub("ies$|s$", lambda end: "y" * (end[0] == "ies"), name)
            if one in BY_ID:
                assert without_links(await sold(one_document(one), id=row["id"])) == without_links(row)


def test_every_list_has_its_row_by_id() -> None:
    assert {row_type(name).name for name in LISTS} == {root_type(name).name for name in BY_ID}


async def test_relations_are_followed_as_far_as_asked_and_every_type_is_reached(sold: Shop) -> None:
    seen: set[str] = set()

    for name in LISTS:
        seen |= types_in(await sold(list_document(name, deepest(name), columns=False), first=1))
        seen |= types_in(await sold(list_document(name), first=1))  # with the lists of pages
    for name in set(OF_THE_CALLER) - {"portal"}:  # which is shown to clients alone
        seen |= types_in(await sold(own_document(name)))

    assert seen >= set(VIEWED)


async def test_fragments_aliases_and_directives_are_understood(sold: Shop) -> None:
    document = """
      query ($yes: Boolean!, $no: Boolean!) {
        page: orders(first: 1) {
          ...Page
          edges { node { again: number client { id } } }
        }
      }
      fragment Page on OrderConnection { nodes { ...Whole ... on Node { key: id } } }
      fragment Whole on Order {
        who: client { ...Mail }
        client { first: firstName @include(if: $yes) lastName @skip(if: $yes) }
        sold: lines { quantity product { name } }
        lines { position }
        payments @include(if: $no) { status }
      }
      fragment Mail on Client { email }
    """

    page = await sold(document, yes=True, no=False)

    (node,) = page["nodes"]
    assert node["who"]["email"].endswith("@example.com")
    assert list(node["client"]) == ["first"]
    assert (node["sold"][0]["product"]["name"], node["lines"]) == (
        "Déclaration d'impôts - Formule Complète",
        [{"position": 1}],
    )
    assert node["key"]
    assert "payments" not in node
    assert page["edges"][0]["node"]["again"] == 1


async def test_a_page_takes_one_query_and_one_for_each_relation_whatever_its_size(sold: Shop) -> None:
    product = await sold.product(1000, (await sold.partner("three"),))
    for _ in range(4):
        await sold.sell(product)
    document = """query ($first: Int) { orders(first: $first) { nodes {
      number client { email } lines { product { partners { name } } }
      invoices { number } notifications { attempts { number } }
    } } }"""
    to_many = ["lines", "partners", "invoices", "notifications", "attempts"]

    for size in (1, 2, 5):
        with queries() as made:
            page = await sold(document, first=size)
        assert len(page["nodes"]) == size
        assert len(made) == WHO_IS_CALLING + 1 + len(to_many), "\n".join(made)


async def test_a_row_and_its_lists_take_one_query(sold: Shop) -> None:
    (order,) = (await sold("{ orders { nodes { id } } }"))["nodes"]

    with queries() as made:
        read = await sold(
            """query ($id: ID!) { order(id: $id) { client { email } lines { product { partners { name } } }
                 invoices { number } notifications { attempts { number } } } }""",
            id=order["id"],
        )

    assert [partner["name"] for partner in read["lines"][0]["product"]["partners"]] == ["One", "Two"]
    assert len(made) == WHO_IS_CALLING + 1, "\n".join(made)


async def test_what_is_not_asked_for_is_not_read(sold: Shop) -> None:
    with queries() as bare:
        await sold("{ orders { nodes { number total { amount } } } }")
    with queries() as counted:
        await sold("{ orders { totalCount nodes { number } } }")
    (order,) = (await sold("{ orders { nodes { id } } }"))["nodes"]
    with queries() as one:
        await sold("query ($id: ID!) { node(id: $id) { id } }", id=order["id"])

    assert (len(bare), len(counted), len(one)) == (2, 3, 2)


async def test_what_a_mutation_returns_is_read_with_its_relations(sold: Shop) -> None:
    made = await sold(
        """mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order {
             client { email } lines { product { name partners { slug } } } payments { status } } } }""",
        input={
            "client": await sold.client("marie@example.com"),
            "lines": [{"product": (await sold("{ products { nodes { id } } }"))["nodes"][0]["id"], "quantity": 1}],
        },
    )

    order = made["order"]
    assert order["client"] == {"email": "marie@example.com"}
    assert [partner["slug"] for partner in order["lines"][0]["product"]["partners"]] == ["one", "two"]
    assert order["payments"] == []


async def test_relations_come_in_a_fixed_order(sold: Shop) -> None:
    first = "id = (SELECT min(id::text)::uuid FROM product_partners)"
    await sold.sql(  # stored anew, behind the other
        f"WITH gone AS (DELETE FROM product_partners WHERE {first} RETURNING *) INSERT INTO product_partners TABLE gone"
    )

    products = await sold("{ products { nodes { partners { slug } } } }")

    assert [partner["slug"] for partner in products["nodes"][0]["partners"]] == ["one", "two"]


# Inputs


async def test_null_and_absent_are_told_apart(shop: Shop) -> None:
    create = """mutation ($input: ProductCreateInput!) {
      productCreate(input: $input) { product { vatRate description level active } } }"""
    absent = {"name": "Bilan", "price": {"amount": 5}}

    default = await shop(create, input=absent)
    null = await shop(create, input=absent | {"description": None, "level": None})
    refused = await shop.refused(create, input=absent | {"vatRate": None})

    assert default == null == {"product": {"vatRate": 2000, "description": None, "level": None, "active": True}}
    assert refused == ("INVALID", "input.vatRate", "This cannot be null. Leave it out to keep its value.")


# What engine/reading.py relies on in Tortoise


def test_the_private_names_of_tortoise_are_where_they_were() -> None:
    order = models.Order()

    assert "lines" in order._meta.backward_fk_fields
    assert isinstance(order._meta.fields_map["lines"], BackwardFKRelation)
    assert isinstance(order._meta.fields_map["client"], ForeignKeyFieldInstance)
    assert order._meta.fields_map["client"].related_model is models.Client
    assert order._meta.fields_map["lines"].related_model is models.OrderLine
    assert models.OrderLine._meta.ordering
    assert not models.Payment._meta.ordering
    assert isinstance(order.lines, ReverseRelation)
    assert order.lines._fetched is False


async def test_a_relation_that_was_not_read_is_an_error_and_no_query(sold: Shop) -> None:
    order = await models.Order.first()
    assert order is not None
    for relation in ("client", "lines"):
        with pytest.raises(LookupError):
            loaded(order, relation)

    await order.fetch_related("client", "lines", "invoices__partner")

    assert loaded(order, "client").id == order.client_id
    assert [line.position for line in loaded(order, "lines")] == [1]
    assert loaded(loaded(order, "invoices")[0], "partner").slug == "one"


def test_every_relation_of_a_view_is_one_of_its_model() -> None:
    for model, view in VIEWS.items():
        for path in view.relations.values():
            hop, _, rest = path.partition("__")
            target = model._meta.fields_map[hop].related_model
            assert (target._meta.fields_map[rest].related_model if rest else target) in VIEWS


@contextmanager
def queries() -> Iterator[list[str]]:
    """The SQL statements that reach the database within the block."""
    made: list[str] = []

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            made.append(record.getMessage())

    heard, logs = Heard(), [logging.getLogger(name) for name in ("tortoise.db_client", "comptoir.sql")]
    levels = [log.level for log in logs]
    for log in logs:
        log.addHandler(heard)
        log.setLevel(logging.DEBUG)
    try:
        yield made
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.removeHandler(heard)
            log.setLevel(level)


def types_in(answer: Any) -> set[str]:
    if isinstance(answer, list):
        return set().union(*map(types_in, answer))
    if isinstance(answer, dict):
        named = {answer["__typename"]} if "__typename" in answer else set()
        return named.union(*map(types_in, answer.values()))
    return set()


def without_links(answer: Any) -> Any:
    """The same, but for links signed at the moment that they are asked for."""
    if isinstance(answer, list):
        return [without_links(each) for each in answer]
    if isinstance(answer, dict):
        links = ("pdfUrl", "payUrl", "pageUrl", "url")
        return {name: without_links(value) for name, value in answer.items() if name not in links}
    return answer
