"""Who did what to which row, when, from where: as owners read it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pyotp
import pytest
from tortoise import connections
from tortoise.exceptions import IntegrityError, OperationalError

import models
from engine.execution import Engine
from engine.plans.explaining import explained
from models import Role
from models.base import global_id, global_id_of
from models.database import transaction
from policy import Actor, Permission
from resolvers.schema import build
from schema import gates
from schema.context import Context
from schema.roots import MUTATIONS, PERMISSIONS
from services import audit
from services.outside import outside
from tests.authorization import in_place
from tests.bilans.agreed import Agreed
from tests.bookings.desk import Desk, ahead
from tests.calendars.memory import Memory
from tests.identity.accounts import (
    ACCEPT,
    CHANGE_EMAIL,
    CONFIRM_EMAIL,
    INVITE,
    as_nobody,
    bearer,
    sign_in,
    token_in_letter,
)
from tests.identity.test_registrations import ATELIER, CREATE
from tests.portal.clients import BOOK, PAY, come
from tests.portal.clients import CANCEL as GIVE_UP
from tests.security.surroundings import neighbour, nothing_changes
from tests.shop import CHECKOUT, PASSWORD, GraphQLErrors, Shop
from tests.subscribing import CANCEL, PORTAL, RESUME, begun
from tests.test_consents import FINISH, agreed
from tests.test_refunds import REFUND

SCHEMA = build()
ENTRIES = """
    query ($filter: AuditFilter, $first: Int, $after: String) {
      auditEntries(filter: $filter, first: $first, after: $after) {
        nodes {
            id actorKind actor { user { email } } key action operation subjectType subject
            changes { field before after } address requestId userAgent createdAt
        }
        pageInfo { hasNextPage endCursor }
        totalCount
      }
    }
"""
ROTATE = "mutation ($input: PartnerSecretRotateInput!) { partnerSecretRotate(input: $input) { signingSecret } }"
KEY = "mutation ($input: PartnerKeyCreateInput!) { partnerKeyCreate(input: $input) { key partnerKey { id } } }"
ADD = "mutation ($input: MemberAddInput!) { memberAdd(input: $input) { member { id } } }"
ROLE = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { membership { id } } }"
PUBLISHABLE = """
    mutation ($input: PublishableKeyCreateInput!) { publishableKeyCreate(input: $input) { publishableKey { id key } } }
"""
DELETE = "mutation ($input: ProductDeleteInput!) { productDelete(input: $input) { id } }"
ORIGIN = "https://shop.example.com"
SACHA = {"email": "sacha@shop.test", "firstName": "Sacha", "lastName": "Petit", "role": "ACCOUNTANT"}


@pytest.fixture
async def shop(shop: Shop) -> Shop:
    """Nothing was done in it yet: that its owner signed in is forgotten."""
    await connections.get("default").execute_script(
        "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM audit_entries; COMMIT"
    )
    return shop


async def entries(shop: Shop, **filter: Any) -> list[dict[str, Any]]:
    """Signing in aside, unless it is asked for."""
    page = await shop(ENTRIES, filter=filter, first=100)
    assert page["totalCount"] == len(page["nodes"])
    return [node for node in page["nodes"] if node["action"] != "signedIn" or "action" in filter]


async def changes(shop: Shop, **filter: Any) -> dict[str, tuple[str | None, str | None]]:
    """Of the only entry: field → (before, after)."""
    (entry,) = await entries(shop, **filter)
    return {change["field"]: (change["before"], change["after"]) for change in entry["changes"]}


async def test_a_cancelled_order_says_who_cancelled_it_and_what_that_changed(shop: Shop) -> None:
    order = await shop.order()
    await shop.do("orderCancel", order, cancelReason="A mistake")

    (entry,) = await entries(shop, subject=order["id"], action=["orderCancel"])
    assert (entry["actorKind"], entry["actor"], entry["key"]) == ("PERSON", {"user": {"email": shop.email}}, None)
    assert (entry["operation"], entry["subjectType"], entry["subject"]) == ("UPDATE", "Order", order["id"])
    told = {change["field"]: (change["before"], change["after"]) for change in entry["changes"]}
    assert told.pop("canceledAt")[0] is None
    assert told == {"status": ("OPEN", "CANCELED"), "cancelReason": (None, "A mistake")}


async def test_an_order_that_was_made_is_told_with_its_lines_and_its_client_by_their_ids(shop: Shop) -> None:
    client = await shop.client()
    order = await shop.order(client=client)

    told = await changes(shop, subject=order["id"])
    lines = [entry for entry in await entries(shop, action=["orderCreate"]) if entry["subjectType"] == "OrderLine"]
    assert told["client"] == (None, client)
    assert told["totalCents"] == (None, "9999")
    assert told["live"] == (None, "false")
    assert {"field": "order", "before": None, "after": order["id"]} in lines[0]["changes"]


async def test_of_a_change_only_the_columns_that_changed_are_told(shop: Shop) -> None:
    product = await shop.product(price=9999)
    await shop.change("product", product, price={"amount": 4999, "currency": "EUR"})
    await shop.change("product", product, name="Déclaration d'impôts - Formule Complète")  # as it was

    assert await changes(shop, subject=product, action=["productUpdate"]) == {"priceCents": ("9999", "4999")}


async def test_a_deleted_row_is_told_with_what_it_held(shop: Shop) -> None:
    product = await shop.product(price=4999)
    await shop(DELETE, input={"product": product})

    (made, gone) = reversed(await entries(shop, subject=product))
    assert (made["operation"], gone["operation"]) == ("INSERT", "DELETE")
    assert {"field": "priceCents", "before": "4999", "after": None} in gone["changes"]


async def test_who_was_let_in_and_given_another_role_is_told_without_a_password(shop: Shop) -> None:
    member = (await shop(ADD, input=SACHA))["member"]["id"]
    await shop(ROLE, input={"member": member, "role": "ADMIN"})

    (person,) = [entry for entry in await entries(shop, action=["memberAdd"]) if entry["subjectType"] == "User"]
    assert {"field": "passwordHash", "before": None, "after": "[redacted]"} in person["changes"]
    assert await changes(shop, subject=member, action=["memberUpdate"]) == {"role": ("ACCOUNTANT", "ADMIN")}


async def test_of_a_secret_it_is_told_that_it_changed_and_nothing_else(shop: Shop) -> None:
    partner = await shop.partner()
    await shop(ROTATE, input={"partner": partner["id"]})
    key = (await shop(KEY, input={"partner": partner["id"], "name": "Server"}))["partnerKey"]["id"]

    rotated = await changes(shop, subject=partner["id"], action=["partnerSecretRotate"])
    assert rotated == {"signingSecret": ("[redacted]", "[redacted]")}
    assert (await changes(shop, subject=key))["keyHash"] == (None, "[redacted]")
    (kept,) = await shop.sql("SELECT key_hash FROM partner_keys")
    assert await shop.count("audit_entries", f"after::text LIKE '%{kept['key_hash']}%'") == 0


async def test_what_a_key_does_is_told_under_the_key(shop: Shop) -> None:
    product = await shop.product()
    made = (await shop(PUBLISHABLE, input={"name": "Shop", "origins": [ORIGIN]}))["publishableKey"]
    await sold_at_storefront(shop, made["key"], product)

    told = await entries(shop, actor=made["id"])
    assert {(each["actorKind"], each["actor"], each["key"]) for each in told} == {("PUBLISHABLE_KEY", None, made["id"])}
    assert {each["subjectType"] for each in told} == {"Client", "Order", "OrderLine", "Product"}  # whose twin is new
    assert {each["action"] for each in told} == {"checkoutStart"}


async def test_from_where_by_which_program_and_in_which_request_is_told(shop: Shop) -> None:
    headers = {"X-Request-Id": "seen-in-the-log", "User-Agent": "Accounting/1.0 " + "x" * 500}
    await asked(shop, "mutation ($input: ProductCreateInput!) { productCreate(input: $input) { product { id } } }",
                {"name": "Audit", "price": {"amount": 1}}, headers)  # fmt: skip

    (entry,) = await entries(shop, action=["productCreate"])
    assert (entry["address"], entry["requestId"]) == ("127.0.0.1", "seen-in-the-log")
    assert entry["userAgent"] == headers["User-Agent"][:200]


async def test_what_one_person_did_is_found_among_what_others_did(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    await shop.client()
    client = await admin.client("theirs@example.com")
    member = await models.Membership.get(user__email=admin.email)

    assert [entry["subject"] for entry in await entries(shop, actor=global_id(member))] == [client]


async def test_a_time_and_pages_narrow_the_list_newest_first(shop: Shop) -> None:
    clients = [await shop.client() for _ in range(5)]
    whole = await entries(shop)

    first = await shop(ENTRIES, first=3)
    rest = await shop(ENTRIES, first=3, after=first["pageInfo"]["endCursor"])
    assert [entry["subject"] for entry in whole] == clients[::-1]
    assert [*first["nodes"], *rest["nodes"]] == whole
    assert not rest["pageInfo"]["hasNextPage"]
    since = {"after": whole[1]["createdAt"]}
    assert {entry["subject"] for entry in await entries(shop, createdAt=since)} >= set(clients[-2:])
    assert await entries(shop, createdAt={"before": "2020-01-01T00:00:00Z"}) == []


async def test_the_list_is_answered_by_a_plan_whatever_it_is_narrowed_by(shop: Shop, database_url: str) -> None:
    client = await shop.client()
    owner = await models.Membership.get(user__email=shop.email)
    operation = Engine(SCHEMA).documents.operation(ENTRIES, None)
    connection = await asyncpg.connect(database_url)
    for filter in (
        {}, {"subject": client}, {"actor": global_id(owner)}, {"action": ["clientCreate"]},
        {"createdAt": {"after": "2020-01-01T00:00:00Z"}},
    ):  # fmt: skip
        values = operation.variables.values({"filter": filter})
        assert not isinstance(values, list)
        caller = Context(Actor(owner.role, shop.organization.id, owner.id))
        shown = await explained(SCHEMA, connection, operation, values, caller)
        assert shown.why_not is None, filter
    await connection.close()


async def test_one_entry_is_found_by_its_id(shop: Shop) -> None:
    await shop.client()
    (entry,) = await entries(shop)

    assert await shop("query ($id: ID!) { auditEntry(id: $id) { id action } }", id=entry["id"]) == {
        "id": entry["id"],
        "action": "clientCreate",
    }


@pytest.mark.parametrize("subject", ["", "x", "Q2xpZW50OgA", base64.b64encode(b"\0:" + b"0" * 32).decode()])
async def test_what_is_no_id_finds_nothing(shop: Shop, subject: str) -> None:
    await shop.client()

    assert await entries(shop, subject=subject) == await entries(shop, actor=subject) == []


async def test_another_organizations_owner_sees_nothing_of_it(shop: Shop) -> None:
    client = await shop.client()
    (entry,) = await entries(shop)
    other = await neighbour(shop)

    assert await entries(other) == await entries(other, subject=client) == []
    assert await other("query ($id: ID!) { auditEntry(id: $id) { id } }", id=entry["id"]) is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_nobody_but_owners_reads_it(shop: Shop, role: Role) -> None:
    caller = await Shop.open(shop.http, shop.sandbox, role=role)

    assert (await caller.refused(ENTRIES))[0] == "FORBIDDEN"


async def test_what_a_letter_of_another_organization_makes_of_a_person_is_not_told_here(shop: Shop) -> None:
    theirs = await neighbour(shop)
    await theirs(INVITE, input={"email": shop.email, "role": "ACCOUNTANT"})
    token = await token_in_letter(shop, shop.email, "invitation")

    await shop(ACCEPT, input={"token": token})  # and they are signed in here meanwhile

    assert await entries(shop) == []
    assert [entry["action"] for entry in await entries(theirs, action="invitationAccepted")] == ["invitationAccepted"]


async def test_a_new_address_is_told_though_nobody_is_signed_in_who_confirms_it(shop: Shop) -> None:
    await shop(CHANGE_EMAIL, input={"email": "camille@nouveau.test", "password": PASSWORD})
    token = await token_in_letter(shop, "camille@nouveau.test", "email")

    await as_nobody(shop)(CONFIRM_EMAIL, input={"token": token})

    told = await changes(shop, action="emailConfirmed")
    assert told == {"email": (None, "camille@nouveau.test")}


async def test_another_organization_of_ones_own_is_told_of_there_and_not_here(shop: Shop) -> None:
    await shop(CREATE, input={"organization": ATELIER})

    assert await entries(shop) == []
    signed_in = await sign_in(shop, organization="atelier-lea")
    (entry,) = await entries(bearer(shop, signed_in))
    assert (entry["action"], entry["actor"]) == ("organizationRegistered", {"user": {"email": shop.email}})


async def test_a_mutation_that_fails_leaves_no_entry(shop: Shop) -> None:
    await shop.client("taken@example.com")
    order = await shop.order()
    await shop.do("orderCancel", order)

    async with nothing_changes(shop):
        with pytest.raises(GraphQLErrors):
            await shop.client("taken@example.com")
        await shop.cannot("orderCancel", order)


async def test_those_who_act_at_once_are_not_confused(shop: Shop) -> None:
    admin = await Shop.open(shop.http, shop.sandbox, role=Role.ADMIN)
    callers = (shop, admin, await neighbour(shop))
    await asyncio.gather(*(each.client(f"{number}@example.com") for number in range(12) for each in callers[:2]
                           if number % 2 == callers.index(each)), *(callers[2].client() for _ in range(6)))  # fmt: skip

    told = await entries(shop, action=["clientCreate"])
    by = {change["after"]: entry["actor"]["user"]["email"] for entry in told for change in entry["changes"]
          if change["field"] == "email"}  # fmt: skip
    assert by == {f"{number}@example.com": callers[number % 2].email for number in range(12)}
    assert len(await entries(callers[2])) == 6


async def test_what_nobody_asked_for_is_not_logged(shop: Shop) -> None:
    order, events = await shop.paid_events()
    before = await shop.count("audit_entries")
    await shop.tell(events)

    assert (await shop.see(order))["status"] == "PAID"
    assert await shop.count("audit_entries") == before


async def test_long_texts_are_cut(shop: Shop) -> None:
    long = "é" * 1_000_000
    owner = await models.Membership.get(user__email=shop.email)
    with audit.acting("imported", Actor(owner.role, shop.organization.id, owner.id)):
        async with transaction():
            partner = await models.Partner.create(
                organization=shop.organization, slug="long", name="Long", brand_name="Long",
                contact_email="long@example.com", logo_svg=long,
            )  # fmt: skip

    told = await changes(shop, subject=global_id(partner))
    assert told["logoSvg"] == (None, "é" * 2000 + "… [1000000 characters]")


async def test_what_changes_no_row_is_noted(shop: Shop) -> None:
    member = await models.Membership.get(user__email=shop.email)
    with audit.acting("signIn", None, address="192.0.2.1", user_agent="Firefox"):
        await audit.note("signedIn", organization_id=shop.organization.id, member_id=member.id, factor="totp")
        await audit.note("signInRefused", organization_id=shop.organization.id, subject=member, reason="x" * 5000)
    await audit.note("sessionEnded", organization_id=shop.organization.id)

    ended, refused, signed_in = await entries(shop, action=["signedIn", "signInRefused", "sessionEnded"])
    assert (signed_in["action"], signed_in["operation"], signed_in["subject"]) == ("signedIn", "NOTE", None)
    assert (signed_in["actor"], signed_in["address"]) == ({"user": {"email": shop.email}}, "192.0.2.1")
    assert signed_in["changes"] == [{"field": "factor", "before": None, "after": "totp"}]
    assert (refused["actorKind"], refused["actor"], refused["subject"]) == ("SYSTEM", None, global_id(member))
    assert [len(change["after"]) for change in refused["changes"]] == [2000]
    assert (ended["actorKind"], ended["address"]) == ("SYSTEM", None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'nothing'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE false",
        "TRUNCATE audit_entries",
        "TRUNCATE organizations CASCADE",
    ],
)
async def test_postgresql_refuses_to_change_what_was_written(shop: Shop, statement: str) -> None:
    await shop.client()

    with pytest.raises(OperationalError, match="audit_entries is append-only|invoices are kept"):
        await shop.sql(statement)
    assert len(await entries(shop)) == 1


async def test_an_entry_cannot_name_a_member_of_another_organization(shop: Shop) -> None:
    other = await neighbour(shop)
    theirs = await models.Membership.get(organization=other.organization)

    with pytest.raises(IntegrityError, match="audit_entries_actor_id"):
        await audit.note("signedIn", organization_id=shop.organization.id, member_id=theirs.id)


async def test_no_exchange_changes_an_audited_row_outside_of_a_transaction(shop: Shop) -> None:
    assert {
        name
        for name, field in MUTATIONS.items()
        if isinstance(field.extensions[0], gates.Exchange) and PERMISSIONS[name] is not Permission.PUBLIC
    } == {
        "bilanCancel", "bilanCheckoutStart", "bilanFundingWithdraw",
        "billingPortalStart", "bookingCancel", "calendarConnect",
        "checkoutStart", "emailChange", "integrationConfigure",
        "integrationEnable",
        "integrationSecretRotate", "integrationTest", "invoicePreview", "orderCancel", "partnerTest",
        "oauthFinish", "opportunityPaymentLink",
        "passwordChange", "paymentConfirm", "paymentIntentStart", "paymentRefund", "recoveryCodesRenew",
        "portalBookingCancel", "portalPay", "secondFactorConfirm",
        "secondFactorRemove", "secondFactorStart", "subscriptionCancel", "subscriptionResume",
    }, "try it below"  # fmt: skip
    partner = await shop.partner()
    product, order = await shop.product(partners=(partner,)), await shop.order()
    paid = [(await shop.sell(product))["payments"][0], *(await by_hand(shop))["payments"]]
    key = (await shop(PUBLISHABLE, input={"name": "Shop", "origins": [ORIGIN]}))["publishableKey"]["key"]
    subscription = await begun(shop)
    desk, client = await Desk.open(shop, price_cents=6000), await come(shop, await shop.client())
    async with nobody_may_change_anything(shop):
        with pytest.raises(asyncpg.RaiseError, match="nobody acts"):
            await shop.sql("UPDATE products SET name = name")

        await shop(CHECKOUT, input=shop.checkout_input(order))
        await shop.intent(order)
        await shop("mutation ($input: PaymentConfirmInput!) { paymentConfirm(input: $input) { order { id } } }",
                   input={"order": order["id"]})  # fmt: skip
        for payment in paid:
            await shop(REFUND, input={"payment": payment["id"]})
        await sold_at_storefront(shop, key, product)
        await shop("mutation ($input: PartnerTestInput!) { partnerTest(input: $input) { accepted } }",
                   input={"partner": partner["id"]})  # fmt: skip
        await its_own_mail_server(shop)
        with in_place() as server:
            await shop(FINISH, input=await agreed(shop, server))
        await shop.do("orderDiscount", order, discount=None)
        await shop.do("orderCancel", order)
        await looked_after(shop, subscription)
        await shop("mutation ($input: InvoicePreviewInput!) { invoicePreview(input: $input) { __typename } }",
                   input={"brandColor": "#123456"})  # fmt: skip
        await its_opportunity(shop)
        await its_calendar(shop)
        await by_a_private_link(desk, client)
        await its_bilan(shop)
        await everything_of_oneself(shop)


async def its_bilan(shop: Shop) -> None:
    """One that is to be paid, withdrawn and given up."""
    bilan = await Agreed.open(shop, email="bilan@example.com")
    await bilan.checkout()
    (own,) = (await bilan.see())["fundings"]
    await bilan.do("bilanFundingWithdraw", bilanFunding=own["id"])
    await bilan.do("bilanCancel", bilan=bilan.id)


async def its_opportunity(shop: Shop) -> None:
    """Won, and its payment asked for."""
    made = await shop(
        "mutation ($input: OpportunityCreateInput!) { opportunityCreate(input: $input) { opportunity { id } } }",
        input={"client": await shop.client(), "title": "Mission", "stage": "WON", "amount": {"amount": 1000}},
    )
    document = "mutation ($input: OpportunityPaymentLinkInput!) { opportunityPaymentLink(input: $input) { url } }"
    await shop(document, input={"opportunity": made["opportunity"]["id"]})


async def its_calendar(shop: Shop) -> None:
    """Somebody's, connected."""
    made = await shop(
        "mutation ($input: StaffCreateInput!) { staffCreate(input: $input) { staff { id } } }",
        input={"displayName": "Camille"},
    )
    memory = Memory()
    memory.book("camille")
    outside().calendars = memory.opener
    document = "mutation ($input: CalendarConnectInput!) { calendarConnect(input: $input) { calendar { id } } }"
    try:
        await shop(document, input={"staff": made["staff"]["id"], "remoteId": "camille"})
    finally:
        outside().calendars = None


async def looked_after(shop: Shop, subscription: dict[str, Any]) -> None:
    """A client's cards looked at, a subscription to be ended, resumed and ended."""
    (client,) = await shop.sql("SELECT client_id AS id FROM subscriptions")
    returned = {"client": global_id_of(models.Client, client["id"]), "returnUrl": f"{shop.sandbox.url}/shop"}
    await shop(PORTAL, input=returned)
    for document in (CANCEL, RESUME, CANCEL):
        await shop(document, input={"subscription": subscription["id"]})


async def its_own_mail_server(shop: Shop) -> None:
    """Set up, switched on, tried, its key replaced."""
    values = {"host": "127.0.0.1", "port": shop.sandbox.smtp_port, "security": "none", "sender": "a@nous.test"}
    of = {"provider": "smtp"}
    for name, kind, given in (
        ("integrationConfigure", "IntegrationConfigureInput", {"values": values}),
        ("integrationEnable", "IntegrationInput", {}),
        ("integrationTest", "IntegrationInput", {}),
        ("integrationSecretRotate", "IntegrationSecretRotateInput", {"field": "password", "value": PASSWORD}),
    ):
        document = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ integration {{ id }} }} }}"
        await shop(document, input=of | given)


async def by_a_private_link(desk: Desk, client: Shop) -> None:
    """A place booked by a client, paid for and given up."""
    made = await client(BOOK, input={"service": desk.service, "startsAt": ahead().isoformat()})
    await client(PAY, input={"order": made["order"]})
    await client(GIVE_UP, input={"booking": made["booking"]})


async def by_hand(shop: Shop) -> dict[str, Any]:
    return await shop.do("paymentRecord", await shop.order(), method="CASH")


async def everything_of_oneself(shop: Shop) -> None:
    """A second factor set up, used and removed; another address asked for, another password chosen."""
    secret = (await shop(oneself("secondFactorStart", "secret"), input={"password": PASSWORD}))["secret"]
    app, now = pyotp.TOTP(secret), datetime.now(UTC)
    soon = [app.generate_otp(app.timecode(now) + step) for step in (-1, 0, 1)]  # each newer than the one before
    await shop(oneself("secondFactorConfirm", "codes"), input={"code": soon[0]})
    await shop(oneself("recoveryCodesRenew", "codes"), input={"password": PASSWORD, "code": soon[1]})
    await shop(oneself("secondFactorRemove", "done"), input={"password": PASSWORD, "code": soon[2]})
    await shop(oneself("emailChange", "to"), input={"password": PASSWORD, "email": "new@shop.test"})
    chosen = {"currentPassword": PASSWORD, "password": "four words are enough"}
    await shop(oneself("passwordChange", "done"), input=chosen)


def oneself(name: str, field: str) -> str:
    inputs = {"secondFactorRemove": "SecondFactorProofInput", "recoveryCodesRenew": "SecondFactorProofInput"}
    kind = inputs.get(name, f"{name[0].upper()}{name[1:]}Input")
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {field} }} }}"


async def sold_at_storefront(shop: Shop, key: str, product: str) -> None:
    """A storefront's checkout, of whoever it is."""
    storefront = replace(shop, token=key, origin=ORIGIN)
    await storefront(
        CHECKOUT,
        input={
            "email": "marie@example.com", "lines": [{"product": product, "quantity": 1}],
            "successUrl": f"{shop.sandbox.url}/shop",
        },
    )  # fmt: skip


async def asked(shop: Shop, document: str, input: dict[str, Any], headers: dict[str, str]) -> None:
    body = {"query": document, "variables": {"input": input}}
    answer = await shop.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {shop.token}", **headers})
    assert "errors" not in answer.json()


@asynccontextmanager
async def nobody_may_change_anything(shop: Shop) -> AsyncIterator[None]:
    """Audited rows are changed in transactions that know who acts, and else not at all."""
    audited = await shop.sql("SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'audited'")
    await shop.sql("CREATE FUNCTION nobody() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nobody acts'; END $$")
    for table in audited:
        await shop.sql(
            f"CREATE TRIGGER nobody BEFORE INSERT OR UPDATE OR DELETE ON {table['name']} FOR EACH STATEMENT"
            " WHEN (coalesce(current_setting('comptoir.actor', true), '') = '') EXECUTE FUNCTION nobody()"
        )
    try:
        yield
    finally:
        await shop.sql("DROP FUNCTION nobody() CASCADE")
