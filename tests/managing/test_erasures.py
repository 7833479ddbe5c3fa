"""A client asks to be erased: what no law keeps is gone from everywhere; what one keeps is kept, and says why."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from models import (
    Appointment,
    AuditEntry,
    Calendar,
    CalendarConflict,
    CalendarConflictKind,
    Client,
    ClientImport,
    ClientImportStatus,
    Invoice,
    Membership,
    PortalToken,
    Role,
    Ticket,
    TimelineEvent,
    User,
)
from models.base import global_id
from models.database import query, transaction
from tests.begun_at_stripe import MARIE, opened, orders, paid, twin
from tests.bilans.test_beneficiaries import came, leave
from tests.bookings.desk import Desk, ahead
from tests.importing import CREATE, begun, brought
from tests.managing.test_client_merges import MERGE, QUOTE
from tests.managing.test_crm import CONSENT, CONTACT, NOTE, OFFERS, TAG, TAG_CREATE
from tests.managing.test_portal_tokens import CREATE as LINK
from tests.managing.test_portal_tokens import PORTAL
from tests.security.surroundings import nothing_changes
from tests.security.test_keys import server
from tests.shop import Shop
from tests.test_exports import fetched

pytestmark = pytest.mark.usefixtures("printer")

ERASE = """mutation ($input: ClientEraseInput!) {
  clientErase(input: $input) {
    erasure { id client { email displayName } erasedBy { user { email } } documentsDestroyed stripeErasedAt
      deleted { kind count } blanked { kind count } kept { kind count reason } }
  }
}"""
ERASURES = "{ erasures { nodes { stripeErasedAt } } }"
SEARCH = "query ($search: String!) { clients(search: $search) { totalCount } }"
TICKET = """mutation ($input: TicketCreateInput!) { ticketCreate(input: $input) { ticket { id } } }"""
EMAIL = "mutation ($input: ClientEmailAddInput!) { clientEmailAdd(input: $input) { timelineEvent { id } } }"
OPPORTUNITY = "mutation ($input: OpportunityCreateInput!) { opportunityCreate(input: $input) { opportunity { id } } }"
OPPORTUNITY_UPDATE = OPPORTUNITY.replace("Create", "Update")
MOVE = "mutation ($input: OpportunityMoveInput!) { opportunityMove(input: $input) { opportunity { id } } }"
BILAN = "mutation ($input: BilanCreateInput!) { bilanCreate(input: $input) { bilan { id } } }"
UPDATE = "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { id } } }"
HELD = f"position('{MARIE}' IN encode(body, 'escape')) > 0"
WORDS = ("curie", "skłodowska", "612345678", "rue cuvier", "polonium", "irène")


async def known(shop: Shop) -> str:
    """A client of whom everything is known, and who bought something."""
    client = await shop.client(
        "marie.curie@example.com", firstName="Marie", lastName="Skłodowska Curie", phone="+33612345678",
        address="12 rue Cuvier", postalCode="75005", city="Paris",
    )  # fmt: skip
    tag = (await shop(TAG_CREATE, input={"name": "VIP"}))["tag"]["id"]
    await shop(TAG, input={"client": client, "tag": tag})
    await shop(NOTE, input={"client": client, "body": "Aime le polonium"})
    await shop(CONTACT, input={"client": client, "firstName": "Irène"})
    await shop(CONSENT, input={"client": client, **OFFERS})
    await shop(TICKET, input={"client": client, "subject": "Polonium", "body": "Où est-il ?"})
    return client


async def test_a_client_who_is_erased_is_found_by_nothing_and_what_the_law_keeps_is_kept(shop: Shop) -> None:
    client = await known(shop)
    token = (await shop(LINK, input={"client": client}))["token"]
    await shop.sell(await shop.product(), client=client)
    invoice, before = await Invoice.get(), (await fetched(shop, "FEC"))[1]

    erased = (await shop(ERASE, input={"client": client}))["erasure"]

    assert erased["client"]["email"] == erased["client"]["displayName"]
    assert erased["client"]["email"].endswith("@erased.invalid")
    assert erased["erasedBy"] == {"user": {"email": shop.email}}
    deleted = {row["kind"]: row["count"] for row in erased["deleted"]}
    assert deleted.items() >= {"Contact": 1, "ClientNote": 1, "ClientTag": 1, "Ticket": 1, "PortalToken": 1}.items()
    reasons = {row["kind"]: row["reason"] for row in erased["kept"]}
    assert "L123-22" in reasons["Invoice"]
    assert "art. 7(1)" in reasons["ClientConsent"]
    for search in ("marie.curie@example.com", "Curie", "0612345678", "Irène"):
        assert (await shop(SEARCH, search=search))["totalCount"] == 0, search
    assert (await replace(shop, token=token).refused(PORTAL))[0] == "UNAUTHENTICATED"
    assert await Ticket.all().count() == await TimelineEvent.all().count() == await PortalToken.all().count() == 0
    again = await Invoice.get()
    assert (again.content, again.chain_sha256) == (invoice.content, invoice.chain_sha256)
    assert (await fetched(shop, "FEC"))[1] == before


async def test_no_table_but_invoices_holds_their_words_any_more_nor_does_stripe(shop: Shop) -> None:
    client = await known(shop)
    await shop.sell(await shop.product(partners=(await shop.partner(),)), client=client)
    twin = (await Client.get()).stripe_id
    assert twin is not None
    await shop(UPDATE, input={"client": client, "lastName": "Curie"})
    await shop.sql("UPDATE outbox SET error = '550 <marie.curie@example.com>: unknown' WHERE job LIKE 'invoices.%'")

    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    held = await words_held(shop)
    assert held == {"invoices"}, held
    entries = await AuditEntry.filter(subject_type="Client").order_by("id")
    assert [entry.operation for entry in entries][:1] == ["INSERT"]  # who did what is still there
    assert entries[0].after["email"] == "[erased]"
    (done,) = (await shop(ERASURES))["nodes"]
    assert done["stripeErasedAt"]
    with pytest.raises(Exception, match="No such customer"):
        await shop.dashboard.v1.customers.retrieve_async(twin)


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_the_account_of_who_is_erased_says_nothing_of_them_unless_it_leads_elsewhere(
    shop: Shop, elsewhere: bool
) -> None:
    client = await known(shop)
    await came(shop, "marie.curie@example.com")
    member = await Membership.get(role=Role.BENEFICIARY)
    if elsewhere:
        other = await Shop.open(shop.http, shop.sandbox, "other")
        await Membership.create(organization=other.organization, user_id=member.user_id, role=Role.BENEFICIARY)
    remove = "mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { __typename } }"
    await shop(remove, input={"member": global_id(member)})

    erased = (await shop(ERASE, input={"client": client}))["erasure"]

    assert await words_held(shop) == ({"users"} if elsewhere else set())
    assert ("User" in {each["kind"] for each in erased["blanked"]}) is not elsewhere


async def test_so_does_the_account_by_which_they_came_before(shop: Shop) -> None:
    client = await known(shop)
    for address in ("marie.curie@example.com", "pierre@example.com"):
        await shop(UPDATE, input={"client": client, "email": address})
        await leave(shop, await came(shop, address))

    await shop(ERASE, input={"client": client})

    assert await words_held(shop) == set()
    assert await User.filter(email__endswith="@erased.invalid").count() == 2


async def test_of_stripes_events_those_about_who_was_erased_are_emptied_and_no_others(shop: Shop) -> None:
    client, product = await known(shop), await shop.product()
    await shop.sell(product, client=client)
    theirs = await shop.count("stripe_events")
    await shop.sell(product, client=await shop.client())

    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    assert await shop.count("stripe_events", """body = '{"erased": true}'""") == theirs > 0
    assert await shop.count("stripe_events") > theirs
    assert await shop.count("stripe_events", "handled_at IS NULL") == 0


async def test_what_stripe_tells_of_who_was_erased_long_after_is_emptied_with_its_handling(shop: Shop) -> None:
    before = len(shop.sandbox.stripe.events())
    client, product = await known(shop), await shop.product()
    order = await shop.sell(product, client=client)
    twin = str((await Client.get()).stripe_id)
    await shop.sell(product, client=await shop.client())
    await shop(ERASE, input={"client": client})
    await shop.work_is_done()
    await shop.time_passes(days=10)
    await shop.work_is_done()
    told = shop.sandbox.stripe.events()[before:]

    await shop.tell(each | {"id": f"evt_late_{place}"} for place, each in enumerate(told))

    late = await shop.sql("SELECT type, body, handled_at FROM stripe_events WHERE stripe_id LIKE 'evt_late%'")
    assert all(row["handled_at"] for row in late)
    assert not [row["type"] for row in late if twin in str(row["body"]) or order["id"] in str(row["body"])]
    emptied = Counter(row["type"] for row in late if bytes(row["body"]) == b'{"erased": true}')
    assert emptied == {
        "customer.created": 1, "payment_intent.created": 1, "charge.succeeded": 1, "payment_intent.succeeded": 1,
        "checkout.session.completed": 1, "customer.deleted": 1,
    }  # fmt: skip


async def test_so_are_those_of_a_sale_at_stripe_by_which_the_client_became_known(shop: Shop) -> None:
    await paid(shop, await opened(shop, await twin(shop, await shop.product(4900)), 4900))
    (order,) = await orders(shop)
    assert await shop.count("stripe_events", HELD) > 0

    await shop(ERASE, input={"client": order["client"]["id"]})
    await shop.work_is_done()

    assert await shop.count("stripe_events", HELD) == 0


async def test_what_an_event_was_called_in_a_calendar_goes_with_who_it_was_called_after(shop: Shop) -> None:
    client, desk = await known(shop), await Desk.open(shop)
    booked = await desk.book(ahead(), client=client)
    await desk.cancel(booked["booking"]["id"])
    appointment = await Appointment.get()
    here = {"organization": shop.organization, "staff_id": appointment.staff_id}
    calendar = await Calendar.create(
        provider="google_calendar", remote_id="camille", name="Camille", time_zone="Europe/Paris", outgoing=True,
        incoming=True, **here,
    )  # fmt: skip
    await CalendarConflict.create(
        calendar=calendar, appointment=appointment, kind=CalendarConflictKind.DELETED, external_id="event", sequence=0,
        title="Bilan – Marie Skłodowska Curie", message="The event was deleted.", **here,
    )  # fmt: skip
    await shop.work_is_done()

    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    assert (await CalendarConflict.get()).title is None
    assert await words_held(shop) == set()


async def test_what_is_under_way_is_named_and_nothing_changes(shop: Shop) -> None:
    client = await known(shop)
    await shop.order(await shop.product(), client=client)

    async with nothing_changes(shop):
        refusal = await shop.refused(ERASE, input={"client": client})

    message = "Settle first what is under way with this client: open orders (1)."
    assert refusal == ("CONFLICT", "input.client", message)


async def test_of_two_erasures_at_once_one_is_done(shop: Shop) -> None:
    client = await known(shop)

    answers = await asyncio.gather(*(shop.post(ERASE, {"input": {"client": client}}) for _ in range(3)))

    refused = [answer["errors"][0]["message"] for answer in answers if "errors" in answer]
    assert refused == ["This client is erased already."] * 2


async def test_a_client_who_is_merged_and_erased_at_once_is_one_or_the_other(shop: Shop) -> None:
    client, other = await known(shop), await shop.client("m.curie@example.com")

    merged, erased = await asyncio.gather(
        shop.post(MERGE, {"input": {"client": other, "duplicate": client}}),
        shop.post(ERASE, {"input": {"client": client}}),
    )

    (refused,) = [answer["errors"][0]["extensions"]["code"] for answer in (merged, erased) if "errors" in answer]
    assert refused in ("CONFLICT", "NOT_FOUND")
    assert (await shop.refused(ERASE, input={"client": client}))[0] in ("CONFLICT", "NOT_FOUND")


async def test_a_client_who_is_being_imported_is_erased_once_that_is_done(shop: Shop) -> None:
    client = await known(shop)
    file = "E-mail;Prénom\nmarie.curie@example.com;Manya\n"
    await begun(shop, file, onExisting="OVERWRITE")

    async with nothing_changes(shop):
        message = (await shop.refused(ERASE, input={"client": client}))[2]
    assert message == "Settle first what is under way with this client: an import of clients (1)."

    await shop.work_is_done()
    await shop(ERASE, input={"client": client})
    assert (await Client.get()).first_name is None


async def test_who_is_erased_while_an_import_begins_stays_erased_and_the_import_is_done(shop: Shop) -> None:
    client = await known(shop)
    upload = await brought(shop, "E-mail;Prénom\nmarie.curie@example.com;Manya\n")
    given = {"upload": upload, "idempotencyKey": "one", "onExisting": "OVERWRITE"}

    begins, erases = await asyncio.gather(
        shop.post(CREATE, {"input": given}), shop.post(ERASE, {"input": {"client": client}})
    )
    await shop.work_is_done()

    assert "errors" not in begins
    assert (await ClientImport.get()).status is ClientImportStatus.IMPORTED
    if "errors" in erases:
        assert "an import of clients (1)" in erases["errors"][0]["message"]
        await shop(ERASE, input={"client": client})
    erased = await Client.get(email__endswith="@erased.invalid")
    assert (erased.first_name, erased.phone) == (None, None)


async def test_those_whom_the_client_was_made_one_with_are_forgotten_too(shop: Shop) -> None:
    client = await shop.client("m@example.com", firstName="M.")
    await shop(MERGE, input={"client": client, "duplicate": await known(shop)})
    await shop.work_is_done()

    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    assert await words_held(shop) == set()
    again = await shop.client("marie.curie@example.com")
    for kept, duplicate in ((client, again), (again, client)):
        refusal = await shop.refused(MERGE, input={"client": kept, "duplicate": duplicate})
        assert refusal[2] == "One of them was erased: nothing is known of who that was."


async def test_nothing_is_written_of_one_who_was_erased(shop: Shop) -> None:
    client, other, product = await known(shop), await shop.client(), await shop.product()
    formule = (await shop("mutation { formulesInstall { formules { id } } }"))["formules"][0]["id"]
    lost = (await shop(OPPORTUNITY, input={"client": client, "title": "Marie"}))["opportunity"]["id"]
    await shop(MOVE, input={"opportunity": lost, "fromStage": "LEAD", "toStage": "LOST", "lostReason": "Marie"})
    await shop(ERASE, input={"client": client})
    await shop.work_is_done()

    line = {"product": product, "quantity": 1}
    order = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { id } } }"
    async with nothing_changes(shop):
        for document, asked in (
            (UPDATE, {"client": client, "lastName": "Curie"}),
            (NOTE, {"client": client, "body": "Marie"}),
            (order, {"client": client, "lines": [line]}),
            (MERGE, {"client": other, "duplicate": client}),
            (TICKET, {"client": client, "subject": "Polonium", "body": "Où est-il ?"}),
            (EMAIL, {"client": client, "message": "De : Marie Curie <marie.curie@example.com>\n\nBonjour"}),
            (OPPORTUNITY, {"client": client, "title": "Marie"}),
            (OPPORTUNITY_UPDATE, {"opportunity": lost, "title": "Marie"}),
            (QUOTE, {"client": client, "lines": [line]}),
            (LINK, {"client": client}),
            (BILAN, {"client": client, "formule": formule}),
            (BILAN, {"client": other, "formule": formule, "employer": client}),
        ):
            assert (await shop.refused(document, input=asked))[0] == "CONFLICT", document
    with pytest.raises(Exception, match="clients_erased_check"):
        await shop.sql("UPDATE clients SET last_name = 'Curie' WHERE email LIKE '%@erased.invalid'")


async def test_the_log_loses_nothing_but_what_it_held_of_who_was_erased(shop: Shop) -> None:
    await shop.client()
    for change in ("action = 'x'", 'after = \'{"email": "other@example.com"}\'', "after = '{}'", "actor_id = NULL"):
        with pytest.raises(Exception, match="only values can be erased"):
            async with transaction():
                await query("SELECT set_config('comptoir.erasing', 'x', true)")
                await query(f"UPDATE audit_entries SET {change} WHERE subject_type = 'Client'")


async def test_a_key_erases_nobody(shop: Shop) -> None:
    client = await shop.client()
    key = await server(shop, "CLIENTS_READ", "CLIENTS_WRITE")

    assert (await key.refused(ERASE, input={"client": client}))[0] == "FORBIDDEN"


async def words_held(shop: Shop) -> set[str]:
    """The tables that hold any of their words, anywhere."""
    tables: list[Any] = await shop.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    held = set()
    for (table,) in ((row["tablename"],) for row in tables):
        raw = " || encode(body, 'escape')" if table == "stripe_events" else ""
        rows = await shop.sql(f"SELECT lower(t::text{raw}) AS row FROM {table} t")
        if any(word in row["row"] for row in rows for word in WORDS):
            held.add(table)
    return held
