"""Nothing crosses: every type by its id, every root field, every list, for every role and key, in both organizations.

What is tried follows from the schema and from `policy.READS`: a type or a root field that is added is tried too.
"""

import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model
from uuid_utils.compat import uuid7

import models
from engine.views import VIEWS
from models import Role
from models.base import Owned, global_id
from models.database import transaction
from policy import READS, Key, Kind, Permission, Scoped, granted
from schema.roots import MUTATIONS, PERMISSIONS
from services import access_keys, credit_notes
from services.settlement import with_everything
from tests.security import inputs
from tests.security.documents import (
    BY_ID,
    LISTS,
    OF_THE_CALLER,
    deepest,
    list_document,
    node_document,
    one_document,
    own_document,
    root_type,
    row_type,
)
from tests.security.surroundings import CALLERS, neighbour, never_made, nothing_changes
from tests.security.test_keys import server
from tests.shop import Shop

MODELS = {model.__name__: model for model in VIEWS}
Ids = dict[type[Model], list[str]]
# All are tried with one document before the next, which is parsed and checked once so.
Callers = list[tuple[Shop, frozenset[Permission]]]
GATES = {"FORBIDDEN", "UNAUTHENTICATED"}
PEOPLE = {models.Membership, models.User}  # of these most see their own row only; of sessions everybody
OF_ONESELF = {models.Session, models.OAuthGrant}
ORIGIN = "https://shop.example.com"  # of the storefronts
ROWS_MOST = 1  # of each, people aside, so many are there; more of all that they lead to would cost too much
# What is named instead of something else, and never beside it.
INSTEAD = {("checkoutStart", "lines"), ("notificationPreview", "order"), ("notificationPreview", "partner")}
# Who sees what leads to a client that names them: here the organization's only one, and so all that their tables hold.
LED_TO_BY = {Role.CONSULTANT: "consultant_id", Role.BENEFICIARY: "member_id"}


@pytest.fixture
async def both(shop: Shop) -> tuple[Shop, Shop]:
    """Two organizations with a row of every table that is published."""
    theirs = await neighbour(shop)
    for each in (shop, theirs):
        await fill(each)
    return shop, theirs


async def test_every_type_every_field_and_every_list_for_every_role_and_key(both: tuple[Shop, Shop]) -> None:
    mine, theirs = both
    callers = [(await caller_of(mine, kind), granted(kind)) for kind in CALLERS]
    callers.append((await caller_of(mine, None), frozenset({Permission.PUBLIC})))
    own, foreign = await ids_of(mine), await ids_of(theirs)

    await try_types(callers, own, foreign)
    await try_fields(callers, own, foreign)
    await try_lists(callers, own, foreign)
    await try_own(callers, foreign)


async def test_to_every_mutation_what_another_organization_owns_is_as_what_never_was(both: tuple[Shop, Shop]) -> None:
    mine, theirs = both
    own, foreign = [{VIEWS[model].name: ids[0] for model, ids in (await ids_of(each)).items()} for each in both]
    client = await caller_of(mine, Key.PORTAL)
    await client("{ portal { clientName } }")  # which is noted once
    tried = set()

    async with nothing_changes(mine):
        for mutation in MUTATIONS:
            caller = client if PERMISSIONS[mutation] is Permission.PORTAL else mine
            for path, name in inputs.ids_of(mutation):
                if (mutation, path[0]) in INSTEAD:
                    continue
                refusals = {
                    await caller.refused(inputs.document_of(mutation), input=inputs.input_of(mutation, own, path, id))
                    for id in (foreign[name], never_made(name))
                }
                (code, field, _), *more = refusals
                assert (code, field, more) == ("NOT_FOUND", ".".join(map(str, ("input", *path))), []), mutation
                tried.add(mutation)

    assert {"productUpdate", "clientUpdate", "orderCreate", "memberRemove", "partnerKeyRevoke", "portalPay"} <= tried


async def test_every_table_that_is_published_has_a_row_to_try(both: tuple[Shop, Shop]) -> None:
    for each in both:
        for model, ids in (await ids_of(each)).items():
            assert ids, model.__name__


async def test_an_accountant_sees_orders_without_what_partners_are_told(both: tuple[Shop, Shop]) -> None:
    accountant = await caller_of(both[0], Role.ACCOUNTANT)

    page = await accountant(
        "{ orders { nodes { lines { product { partners { id } } } invoices { partner { id } } notifications { id } }"
        " } }"
    )

    (order,) = page["nodes"]
    assert order["invoices"][0]["partner"] is None
    assert order["lines"][0]["product"]["partners"] == []
    assert order["notifications"] == []


async def test_a_member_does_not_see_who_else_is_one(both: tuple[Shop, Shop]) -> None:
    accountant = await caller_of(both[0], Role.ACCOUNTANT)

    me = await accountant("{ me { user { email } role } }")

    assert me == {"user": {"email": accountant.email}, "role": "ACCOUNTANT"}


async def test_the_database_refuses_a_row_that_names_one_of_another_organization(both: tuple[Shop, Shop]) -> None:
    for role in LED_TO_BY:
        await caller_of(both[0], role)
    mine, theirs = (shop.organization.id for shop in both)
    await models.Erasure.filter(organization_id=theirs).delete()  # a client has one: that would be refused before
    async with unkept(both[0]):
        tried = await try_foreign_keys(mine, theirs)
    assert len(tried) > 12, tried


async def try_foreign_keys(mine: UUID, theirs: UUID) -> list[str]:
    """All of them, each with a row of another organization."""
    tried = []
    for model in set(READS) - {models.AuditEntry}:  # of which no row is ever changed: see test_audit_log.py
        for name, column in model._meta.fields_map.items():
            if not (isinstance(column, ForeignKeyFieldInstance) and issubclass(column.related_model, Owned)):
                continue
            row = await model.filter(organization_id=mine, **{f"{name}_id__not_isnull": True}).order_by("id").first()
            assert row is not None, f"{model.__name__}.{name}"
            foreign = await column.related_model.filter(organization_id=theirs).order_by("id").first()
            with pytest.raises(IntegrityError, match="foreign key"):
                await model.filter(pk=row.pk).update(**{f"{name}_id": foreign.pk}, **apart(model))
            tried.append(f"{model.__name__}.{name}")
    return tried


@asynccontextmanager
async def unkept(shop: Shop) -> AsyncIterator[None]:
    """Without the triggers that refuse to change what is kept before any foreign key could."""
    kept = (("invoices", "fixed"), ("document_accesses", "kept"), ("destruction_records", "kept"))
    for table, trigger in kept:
        await shop.sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    try:
        yield
    finally:
        for table, trigger in kept:
            await shop.sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")


def apart(model: type[Model]) -> dict[str, Any]:
    """Values that keep a row from being refused for being there twice."""
    numbers = ("position", "number", "sequence")
    columns = model._meta.fields_map
    found: dict[str, Any] = {name: 99 for name in numbers if isinstance(columns.get(name), fields.IntField)}
    if model is models.NotificationReplay:
        found["finished_at"] = datetime.now(UTC)  # of those under way there is one
    found |= {"live": True} if model is models.PartnerEndpoint else {}
    found |= {"status": models.AppointmentStatus.CANCELED} if model is models.Appointment else {}
    found |= {"minutes_before": 99} if model is models.BookingReminder else {}
    found |= {"revoked_at": datetime.now(UTC)} if model is models.CalendarFeed else {}
    found |= {"remote_id": "another", "outgoing": False} if model is models.Calendar else {}
    found |= {"kind": models.PhaseKind.CONCLUSION} if model is models.BilanPhase else {}
    found |= {"kind": models.AgreementKind.CONVENTION} if model is models.BilanAgreement else {}
    found |= {"rule": "another"} if model is models.BilanWarning else {}
    found |= {"kind": models.SurveyKind.FOLLOW_UP} if model is models.Survey else {}
    found |= {"purpose": models.ConsentPurpose.SMS_MARKETING} if model is models.ClientConsent else {}
    found |= {"iso_weekday": 7} if model is models.WeeklyHours else {}
    found |= {"field": "another"} if model is models.IntegrationSecret else {}
    return found | ({"reference": "another"} if "reference" in columns else {})


async def try_types(callers: Callers, own: Ids, foreign: Ids) -> None:
    """`node(id)` of every type."""
    for model, (caller, permissions) in itertools.product(VIEWS, callers):
        for id in own[model]:
            shown = not await is_anothers(caller, permissions, model, id)
            seen = {Permission.MEMBER, READS[model]} <= permissions and shown
            assert (await by_node(caller, model, id) is not None) == seen, (caller.email, model.__name__)
        for id in foreign[model]:
            assert await by_node(caller, model, id) is None, (caller.email, model.__name__)


async def try_fields(callers: Callers, own: Ids, foreign: Ids) -> None:
    """Every root field by id."""
    for name, (caller, permissions) in itertools.product(BY_ID, callers):
        model = MODELS[root_type(name).name]
        for id in own[model]:
            hidden = model in OF_ONESELF and await is_anothers(caller, permissions, model, id)
            seen = id if PERMISSIONS[name] in permissions and not hidden else None
            assert await by_field(caller, name, id) == seen, (caller.email, name)
        for id in foreign[model]:
            assert await by_field(caller, name, id) is None, (caller.email, name)


async def try_lists(callers: Callers, own: Ids, foreign: Ids) -> None:
    """Every list, its rows and what they lead to."""
    not_theirs = {id for ids in foreign.values() for id in ids}
    for name, (caller, permissions) in itertools.product(LISTS, callers):
        model = MODELS[row_type(name).name]
        first = max(ROWS_MOST, len(own[model]))
        answer = await caller.post(list_document(name, deepest(name), columns=False), {"first": first})
        if PERMISSIONS[name] not in permissions:
            (error,) = answer["errors"]
            assert answer["data"] is None
            assert error["extensions"]["code"] == ("FORBIDDEN" if caller.token else "UNAUTHENTICATED"), name
            continue
        assert "errors" not in answer, (caller.email, name)
        page = answer["data"][name]
        seen = set(own[model])
        if model in OF_ONESELF:
            seen = {id for id in seen if not await is_anothers(caller, permissions, model, id)}
            assert seen or model is not models.Session, caller.email
        assert ({row["id"] for row in page["nodes"]}, page["totalCount"]) == (seen, len(seen))
        assert not ids_in(answer) & not_theirs, (caller.email, name)


async def try_own(callers: Callers, foreign: Ids) -> None:
    """Every root field that takes nothing: it is about the caller."""
    for name, (caller, permissions) in itertools.product(OF_THE_CALLER, callers):
        answer = await caller.post(own_document(name), {})
        assert codes_of(answer) <= GATES, answer
        assert bool(answer["data"] and answer["data"][name]) == (PERMISSIONS[name] in permissions), (caller.email, name)
        assert not ids_in(answer) & {id for ids in foreign.values() for id in ids}, (caller.email, name)


async def fill(shop: Shop) -> None:
    product = await shop.product(1000, (await shop.partner("one"),))
    await shop.sell(product)
    here: dict[str, Any] = {"organization": shop.organization}
    order, person = await models.Order.get(**here), await models.Membership.filter(**here).order_by("id").first()
    payment, partner = await models.Payment.get(**here), await models.Partner.get(**here)
    await models.Conflict.create(
        order=order, kind=models.ConflictKind.DUPLICATE_PAYMENT, reference="pi_2", message="Paid twice",
        payment=payment, resolved_by=person, **here,
    )  # fmt: skip
    client, product_row = await models.Client.get(**here), await models.Product.get(**here)
    day = datetime(2099, 1, 1, tzinfo=UTC)
    quote = await models.Quote.create(
        client=client, currency="EUR", subtotal_cents=1000, total_cents=1000, live=False, number="D-1", year=2099,
        series=await models.QuoteSeries.create(prefix="D", live=False, **here), sequence=1, order=order,
        status=models.QuoteStatus.ACCEPTED, sent_at=day, valid_until=day.date(), content={}, message_id="<1@shop.test>",
        content_sha256="0" * 64, expires_at=day, accepted_at=order.created_at, accepted_name="Marie",
        accepted_by=person, opportunity=await fill_opportunity(client, product_row, order, person), **here,
    )  # fmt: skip
    await models.QuoteLine.create(
        quote=quote, position=1, product=product_row, description="Conseil", quantity=1, unit_price_cents=1000,
        currency="EUR", vat_rate=2000, total_cents=1000, **here,
    )  # fmt: skip
    ticket = await models.Ticket.create(
        number=1, client=client, subject="Bilan", body="Bonjour", assignee=person, opened_by=person, **here
    )
    await models.TicketReply.create(ticket=ticket, author=person, body="Bonjour", **here)
    await stored_file(shop)  # of no import, which would be the only one of its file
    checked = await models.ClientImport.create(
        filename="clients.csv", file=await stored_file(shop), dry_run=True, on_existing=models.OnExistingClient.SKIP,
        on_broken=models.OnBrokenLine.REFUSE, status=models.ClientImportStatus.CHECKED, requested_by=person,
        finished_at=day, **here,
    )  # fmt: skip
    await models.ClientImportLine.create(
        client_import=checked, line=2, last_line=2, problem=models.ClientImportProblem.EMAIL, **here
    )
    await models.TimelineEvent.create(
        client=client, kind=models.TimelineKind.TICKET_OPENED, occurred_at=day, author=person,
        data={"ticket": str(ticket.id), "number": 1, "subject": "B", "type": "QUESTION", "from_client": True}, **here,
    )  # fmt: skip
    await models.Export.create(
        kind=models.ExportKind.FEC, starts_on=day.date(), ends_on=day.date(), live=False, filename="1.txt",
        requested_by=person, **here,
    )  # fmt: skip
    await stored_file(shop)  # of no upload, which would be the only one of its file
    await models.Upload.create(
        purpose=models.UploadPurpose.DOCUMENT, name="a.pdf", content_type="application/pdf", size_bytes=1,
        created_by=person, expires_at=day, received_at=day, file=await stored_file(shop), **here,
    )  # fmt: skip
    await fill_agenda(client, order, person)
    await fill_crm(client, person)
    await fill_bilan(client, order, person)
    await fill_document(shop, person)
    await fill_quality(shop, person)
    await fill_data_export(shop, client, person)
    await models.Payment.filter(**here).update(recorded_by_id=person and person.pk)
    code = await models.DiscountCode.create(code="BIENVENUE", percent=1000, **here)
    await models.Order.filter(**here).update(discount_code_id=code.pk)
    slug = shop.organization.slug
    invoice = await models.Invoice.get(**here)
    money: dict[str, Any] = {
        "order": order, "payment": payment, "amount_cents": 100, "currency": "EUR", "live": False,
        "stripe_account": payment.stripe_account, **here,
    }  # fmt: skip
    attempt = await models.Attempt.filter(order_id=order.id).first()
    refund = await models.Refund.create(
        method=models.PaymentMethod.STRIPE, requested_by=person, attempt=attempt, **money
    )
    await models.Dispute.create(reason="general", stripe_id=f"du_{slug}", opened_at=order.created_at, **money)
    async with transaction():
        await credit_notes.issue(await with_everything(order), invoice, 400, refund=refund)
    await models.Reminder.create(
        order=order, invoice=invoice, number=1, due_at=order.created_at, message_id="<1@shop.test>", **here
    )
    await models.PartnerEndpoint.filter(live=True, **here).delete()
    await models.NotificationReplay.create(
        partner=partner, since=order.created_at, until=order.created_at + timedelta(days=1), total=1, **here
    )
    await models.LegalMention.create(
        code=models.MentionCode.OTHER, scope=models.MentionScope.ALL, text_fr="À bientôt.",
        valid_from=order.created_at.date(), **here,
    )  # fmt: skip
    subscription = await models.ClientSubscription.create(
        client_id=order.client_id if order else None, product=await models.Product.get(**here), quantity=1,
        status=models.SubscriptionStatus.ACTIVE, amount_cents=1000, currency="EUR", stripe_account="platform",
        interval=models.Interval.MONTH, interval_count=1, current_period_start=invoice.issued_at, live=False,
        current_period_end=invoice.issued_at + timedelta(days=30), asked_at=invoice.issued_at,
        stripe_id=f"sub_{slug}", **here,
    )  # fmt: skip
    await models.Order.filter(**here).update(kind=models.OrderKind.SUBSCRIPTION, subscription_id=subscription.pk)
    run = await models.Reconciliation.create(
        stripe_account="platform", live=False, since=order.created_at, started_at=order.created_at,
        ended_at=order.created_at, events_missed=1, orders_mended=1, unexplained=1, **here,
    )  # fmt: skip
    await models.Drift.create(
        reconciliation=run, order=order, kind=models.DriftKind.NOT_COUNTED, reference="pi_1", message="Paid", **here
    )
    integration = await models.Integration.create(provider="smtp", configured_at=order.created_at, **here)
    secret = await models.IntegrationSecret.create(
        integration=integration, provider="smtp", field="password", sealed="v1", rotated_at=order.created_at, **here
    )
    await models.SecretOpening.create(
        table_name="integration_secrets", row_id=secret.id, field="sealed", key_id="k1", purpose="a test", **here
    )
    await models.OAuthGrant.create(
        provider="google_calendar", membership=person, scopes="", access_token="v1", connected_at=order.created_at,
        **here,
    )  # fmt: skip
    await models.PublishableKey.create(name="site", key=f"pk_{slug:_<24}", origins=ORIGIN, **here)
    key_hash = access_keys.hash_of(f"ptk_{slug:_<64}")
    await models.PartnerKey.create(partner=partner, name="site", prefix="ptk_", key_hash=key_hash, **here)
    token_hash = access_keys.hash_of(f"{slug.encode().hex():0<96}")
    until = datetime.now(UTC) + timedelta(days=1)
    await models.PortalToken.create(client=client, token_hash=token_hash, expires_at=until, **here)
    key_hash = access_keys.hash_of(f"apk_{slug:_<64}")
    await models.ApiKey.create(name="site", prefix="apk_", key_hash=key_hash, scopes="", **here)
    await models.Invitation.create(
        email="guest@example.com", role=Role.ADMIN, invited_by=person, expires_at=order.created_at, **here
    )


async def stored_file(shop: Shop) -> models.StoredFile:
    id = uuid7()
    return await models.StoredFile.create(
        id=id, organization=shop.organization, place=str(id), data_key="v1", content_type="application/pdf",
        size_bytes=1, sha256="0" * 64, stored_sha256="0" * 64,
    )  # fmt: skip


async def fill_crm(client: Any, person: Any) -> None:
    """What is kept of the client besides."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    tag = await models.Tag.create(name="Fidèle", **here)
    await models.ClientTag.create(client=client, tag=tag, **here)
    await models.Contact.create(client=client, first_name="Marie", **here)
    await models.ClientNote.create(client=client, author=person, body="Rappeler", **here)
    await models.ClientConsent.create(
        client=client, purpose=models.ConsentPurpose.EMAIL_MARKETING, source=models.ConsentSource.PAPER, wording="Oui",
        given_at=client.created_at, **here,
    )  # fmt: skip
    await models.ClientMerge.create(
        client=client, duplicate_id=client.id, duplicate_email="old@example.com", moved={}, merged_by=person, **here
    )
    await models.Erasure.create(client=client, deleted={}, blanked={}, kept=[], erased_by=person, **here)


async def fill_agenda(client: Any, order: Any, person: Any) -> None:
    """Somebody who gives a service in a room, with hours, and the client's booking of it."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    starts_at = datetime(2099, 1, 1, 9, tzinfo=UTC)
    times: dict[str, Any] = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    product = await models.Product.filter(**here).first()
    service = await models.Service.create(
        name="Conseil", duration_minutes=60, price_cents=1000, product=product, **here
    )
    staff = await models.Staff.create(display_name="Camille", membership=person, **here)
    room = await models.Resource.create(name="Salle", **here)
    await models.ServiceStaff.create(service=service, staff=staff, **here)
    await models.ServiceResource.create(service=service, resource=room, **here)
    await models.WeeklyHours.create(staff=staff, iso_weekday=1, starts_minute=540, ends_minute=720, **here)
    await models.HoursException.create(staff=staff, starts_on=starts_at.date(), ends_on=starts_at.date(), **here)
    await models.BusyBlock.create(staff=staff, **times, **here)
    appointment = await models.Appointment.create(
        service=service, staff=staff, resource=room, occupied_from=times["starts_at"], occupied_until=times["ends_at"],
        taken=1, **times, **here,
    )  # fmt: skip
    access = await models.Access.filter(**here).first().prefetch_related("product")
    pack = await models.Pack.create(client=client, access=access, sessions=5, **here)
    await models.ProductService.create(product=access.product, service=service, **here)
    await models.CalendarFeed.create(staff=staff, token_hash=hashlib.sha256(staff.id.bytes).hexdigest(), **here)
    booking = await models.Booking.create(
        appointment=appointment, client=client, order=order, attendee_name="Marie", price_cents=1000, currency="EUR",
        canceled_by=person, canceled_at=starts_at, status=models.BookingStatus.CANCELED, pack=pack, **here,
    )  # fmt: skip
    calendar = await models.Calendar.create(
        staff=staff, provider="google_calendar", remote_id="camille", name="Camille", time_zone="Europe/Paris",
        outgoing=True, incoming=True, **here,
    )  # fmt: skip
    await models.CalendarConflict.create(
        calendar=calendar, staff=staff, appointment=appointment, kind=models.CalendarConflictKind.OVERLAP,
        external_id="event", sequence=0, message="An event lies over it.", resolved_at=starts_at,
        resolution=models.CalendarChoice.KEEP_OURS, resolved_by=person, **times, **here,
    )  # fmt: skip
    await models.BookingReminder.create(
        booking=booking, minutes_before=60, starts_at=starts_at, due_at=starts_at - timedelta(hours=1), **here
    )


async def fill_bilan(client: Any, order: Any, person: Any) -> None:
    """A bilan of the client, with a row of every table about it."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    at = datetime(2099, 1, 1, 9, tzinfo=UTC)
    formule = await models.Formule.create(
        slug="express", name="Express", minutes=720, price_cents=120000,
        product=await models.Product.filter(**here).first(), **here,
    )  # fmt: skip
    bilan = await models.Bilan.create(
        client=client, beneficiary_name="Marie", consultant=person, formule=formule, employer=client,
        minutes_planned=720, price_cents=120000, vat_rate=0, currency="EUR", **here,
    )  # fmt: skip
    await models.BilanFunding.create(
        bilan=bilan, source=models.FundingSource.EMPLOYER, payer=client, amount_cents=1000, currency="EUR",
        order=order, **here,
    )  # fmt: skip
    await models.BilanAgreement.create(
        bilan=bilan, kind=models.AgreementKind.CONSENT, status=models.AgreementStatus.ACCEPTED, proposed_on=at.date(),
        decided_on=at.date(), signer_name="Marie", decided_by=person, **here,
    )  # fmt: skip
    phase = await models.BilanPhase.create(bilan=bilan, kind=models.PhaseKind.PRELIMINARY, position=1, **here)
    await models.BilanSession.create(
        bilan=bilan, phase=phase, booking=await models.Booking.filter(**here).first(), starts_at=at,
        ends_at=at + timedelta(hours=1), noted_by=person, **here,
    )  # fmt: skip
    await models.BilanWarning.create(
        bilan=bilan, rule="hours", message="Too long.", reference="L6313-4", decided_by=person, decided_at=at,
        decision_reason="The beneficiary asks for it.", **here,
    )  # fmt: skip


async def fill_opportunity(client: Any, product: Any, order: Any, person: Any) -> models.Opportunity:
    """One that was won and is paid by an order."""
    here: dict[str, Any] = {"organization_id": client.organization_id}
    stage = models.OpportunityStage.WON
    made = await models.Opportunity.create(
        client=client, title="Mission", stage=stage, won_at=order.created_at, amount_cents=1000, owner=person,
        product=product, order=order, **here,
    )  # fmt: skip
    await models.OpportunityMove.create(opportunity=made, author=person, to_stage=stage, **here)
    return made


async def fill_document(shop: Shop, person: Any) -> None:
    """A document of the bilan, with a row of every table about it."""
    here: dict[str, Any] = {"organization": shop.organization}
    at, file = datetime.now(UTC), await stored_file(shop)
    of_bilan: dict[str, Any] = {"bilan": await models.Bilan.get(**here), "kind": models.DocumentKind.CONSENT, **here}
    what: dict[str, Any] = {"content_type": "application/pdf", "size_bytes": 1, "sha256": "0" * 64, "name": "a.pdf"}
    await models.Document.create(file=await stored_file(shop), **what, **of_bilan)  # of no destruction
    document = await models.Document.create(file=file, added_by=person, **what, **of_bilan)
    share = await models.DocumentShare.create(
        document=document, recipient_name="Paul", recipient_email="paul@example.com", statement="Oui.",
        consented_at=at, consented_by=person, consent_document=document, recorded_by=person,
        expires_at=at + timedelta(days=1), **here,
    )  # fmt: skip
    await models.DocumentAccess.create(document=document, granted=True, membership=person, share=share, **here)
    await models.DestructionRecord.create(
        document=document, kind=document.kind, sha256=file.sha256, reason=models.DestructionReason.MISTAKE,
        destroyed_at=at, destroyed_by=person, **here,
    )  # fmt: skip


async def fill_quality(shop: Shop, person: Any) -> None:
    """A survey of the bilan, evidence of it, and an export."""
    here: dict[str, Any] = {"organization": shop.organization}
    at, bilan = datetime.now(UTC), await models.Bilan.get(**here)
    await models.Survey.create(bilan=bilan, kind=models.SurveyKind.END, due_at=at, **here)
    await models.QualityProof.create(
        bilan=bilan, document=await models.Document.filter(**here).first(), added_by=person, indicator=4,
        kind=models.ProofKind.FILE, title="a", happened_on=at.date(), **here,
    )  # fmt: skip
    await models.QualityExport.create(
        starts_on=at.date(), ends_on=at.date(), requested_by=person, file=await stored_file(shop), finished_at=at,
        status=models.ExportStatus.READY, **here,
    )  # fmt: skip


async def fill_data_export(shop: Shop, client: Any, person: Any) -> None:
    await models.ClientDataExport.create(
        client=client, requested_by=person, file=await stored_file(shop), finished_at=client.created_at,
        status=models.ExportStatus.READY, organization=shop.organization,
    )  # fmt: skip


async def caller_of(shop: Shop, role: Kind | None) -> Shop:
    if role is Role.OWNER:
        return shop
    if isinstance(role, Scoped):
        return await server(shop, *role.scopes)
    if not isinstance(role, Role):
        slug = shop.organization.slug
        tokens = {
            Key.STOREFRONT: f"pk_{slug:_<24}", Key.PARTNER: f"ptk_{slug:_<64}",
            Key.PORTAL: f"{slug.encode().hex():0<96}", None: "",
        }  # fmt: skip
        return Shop(shop.http, shop.sandbox, shop.organization, str(role), token=tokens[role], origin=ORIGIN)
    caller = await Shop.open(shop.http, shop.sandbox, role=role)
    if role in LED_TO_BY:
        membership = await models.Membership.get(organization=shop.organization, user__email=caller.email)
        await models.Client.filter(organization=shop.organization).update(**{LED_TO_BY[role]: membership.id})
    if role is Role.CONSULTANT:
        await models.Staff.filter(organization=shop.organization).update(membership_id=membership.id)
        await models.Upload.filter(organization=shop.organization).update(created_by_id=membership.id)
        await models.Bilan.filter(organization=shop.organization).update(consultant_id=membership.id)
    return caller


async def ids_of(shop: Shop) -> Ids:
    """The global ids of an organization's rows, by model; of people and memberships too."""
    here = shop.organization.id
    ids: Ids = {}
    for model in VIEWS:
        rows = model.filter(organization_id=here)
        if model in (models.Organization, models.Storefront):
            rows = model.filter(id=here)
        elif model is models.User:
            rows = model.filter(memberships__organization_id=here)
        elif model is models.SecretOpening:  # those of other secrets are nobody's to see
            rows = rows.filter(secret_id__not_isnull=True)
        ids[model] = [global_id(row) for row in await rows]
    return ids


async def is_anothers(caller: Shop, permissions: frozenset[Permission], model: type[Model], id: str) -> bool:
    """Whether a row is about another person, and hidden from the caller for that."""
    if model is models.OAuthGrant and Permission.MEMBERS_READ not in permissions:
        grants = await model.filter(membership__user__email=caller.email)
        return id not in map(global_id, grants)
    if model not in {*PEOPLE, models.Session} or (model in PEOPLE and Permission.MEMBERS_READ in permissions):
        return False
    user = await models.User.get_or_none(email=caller.email).prefetch_related("memberships", "sessions")
    return user is None or id not in map(global_id, (user, *user.memberships, *user.sessions))


async def by_node(caller: Shop, model: type[Model], id: str) -> Any:
    """Whatever `node(id)` gives; a refusal of the whole field is nothing."""
    answer = await caller.post(node_document(VIEWS[model].name), {"id": id})
    assert codes_of(answer) <= GATES, answer
    return answer["data"] and answer["data"]["node"]


async def by_field(caller: Shop, name: str, id: str) -> str | None:
    answer = await caller.post(one_document(name), {"id": id})
    assert codes_of(answer) <= GATES, answer
    row = answer["data"] and answer["data"][name]
    return row and str(row["id"])


def codes_of(answer: Any) -> set[str]:
    """Why something was refused. A row that is found and cannot be shown would be INTERNAL, not null."""
    return {error["extensions"]["code"] for error in answer.get("errors", [])}


def ids_in(answer: Any) -> set[str]:
    if isinstance(answer, list):
        return set().union(*map(ids_in, answer))
    if isinstance(answer, dict):
        own = {str(answer["id"])} if "id" in answer else set()
        return own.union(*map(ids_in, answer.values()))
    return set()
