"""What is kept of clients besides: contacts, notes, tags, consents; what is computed of them, and filters by it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import ClientSubscription, Role, SubscriptionStatus
from tests.managing.test_clients import membership
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

CONTACT = "mutation ($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id firstName email } } }"
CONTACT_UPDATE = "mutation ($input: ContactUpdateInput!) { contactUpdate(input: $input) { contact { id email } } }"
NOTE = """mutation ($input: ClientNoteCreateInput!) {
  clientNoteCreate(input: $input) { clientNote { id body editedAt author { user { email } } } }
}"""
NOTE_UPDATE = """mutation ($input: ClientNoteUpdateInput!) {
  clientNoteUpdate(input: $input) { clientNote { body editedAt } }
}"""
NOTE_DELETE = "mutation ($input: ClientNoteDeleteInput!) { clientNoteDelete(input: $input) { id } }"
TAG_CREATE = "mutation ($input: TagCreateInput!) { tagCreate(input: $input) { tag { id name } } }"
TAG_UPDATE = "mutation ($input: TagUpdateInput!) { tagUpdate(input: $input) { tag { id name } } }"
TAG_DELETE = "mutation ($input: TagDeleteInput!) { tagDelete(input: $input) { id } }"
TAG = "mutation ($input: ClientTagInput!) { clientTag(input: $input) { client { tags { name } } } }"
UNTAG = "mutation ($input: ClientTagInput!) { clientUntag(input: $input) { client { tags { name } } } }"
CONSENT = """mutation ($input: ClientConsentRecordInput!) {
  clientConsentRecord(input: $input) { clientConsent { id purpose wording source givenAt withdrawnAt } }
}"""
WITHDRAW = """mutation ($input: ClientConsentInput!) {
  clientConsentWithdraw(input: $input) { clientConsent { withdrawnAt } }
}"""
UPDATE = "mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { kind } } }"
DELETE = "mutation ($input: ClientDeleteInput!) { clientDelete(input: $input) { id } }"
OFFERS = {"purpose": "EMAIL_MARKETING", "wording": "J'accepte de recevoir vos offres.", "source": "PAPER"}


async def test_a_contact_is_of_somebody_who_can_be_reached_or_named(shop: Shop) -> None:
    client = await shop.client()
    made = (await shop(CONTACT, input={"client": client, "firstName": "Irène"}))["contact"]

    changed = await shop(CONTACT_UPDATE, input={"contact": made["id"], "email": "Irene@example.com"})

    assert changed["contact"]["email"] == "irene@example.com"
    for document, input in (
        (CONTACT, {"client": client}),
        (CONTACT, {"client": client, "jobTitle": "Comptable"}),
        (CONTACT_UPDATE, {"contact": made["id"], "firstName": None, "email": None}),
    ):
        assert (await shop.refused(document, input=input))[:2] == ("INVALID", "input")


async def test_a_note_is_its_authors_and_says_when_it_was_changed(shop: Shop) -> None:
    client = await shop.client()
    note = (await shop(NOTE, input={"client": client, "body": "Rappeler jeudi"}))["clientNote"]
    assert (note["author"], note["editedAt"]) == ({"user": {"email": shop.email}}, None)

    changed = (await shop(NOTE_UPDATE, input={"clientNote": note["id"], "body": "Rappelée"}))["clientNote"]
    assert changed["body"] == "Rappelée"
    assert changed["editedAt"]

    assert (await shop.refused(NOTE, input={"client": client, "body": " "}))[1] == "input.body"
    assert (await shop.refused(NOTE, input={"client": client, "body": "x" * 10_001}))[1] == "input.body"
    assert await shop(NOTE_DELETE, input={"clientNote": note["id"]}) == {"id": note["id"]}


async def test_notes_and_tags_are_shown_to_who_works_here_and_to_no_client(shop: Shop) -> None:
    person = await Shop.open(shop.http, shop.sandbox, role=Role.BENEFICIARY)
    consultant = await Shop.open(shop.http, shop.sandbox, role=Role.CONSULTANT)
    client = await shop.client(consultant=await membership(consultant))
    await shop.sql(
        "UPDATE clients SET member_id = (SELECT m.id FROM memberships m JOIN users u ON u.id = m.user_id"
        " WHERE u.email = $1)", person.email,
    )  # fmt: skip
    tag = (await shop(TAG_CREATE, input={"name": "Fidèle"}))["tag"]["id"]
    await consultant(TAG, input={"client": client, "tag": tag})
    await consultant(NOTE, input={"client": client, "body": "Difficile"})
    asked = "{ clients { nodes { id tags { name } notes { nodes { body } } } } }"

    seen = {"id": client, "tags": [{"name": "Fidèle"}], "notes": {"nodes": [{"body": "Difficile"}]}}
    assert (await consultant(asked))["nodes"] == (await shop(asked))["nodes"] == [seen]
    assert (await person(asked))["nodes"] == [{"id": client, "tags": [], "notes": {"nodes": []}}]
    assert (await person.refused("{ tags { nodes { name } } }"))[0] == "FORBIDDEN"
    assert (await person.refused(NOTE, input={"client": client, "body": "x"}))[0] == "FORBIDDEN"


async def test_there_is_one_tag_of_a_name_and_a_client_has_it_once(shop: Shop) -> None:
    client, tag = await shop.client(), (await shop(TAG_CREATE, input={"name": "VIP"}))["tag"]["id"]
    assert await shop.refused(TAG_CREATE, input={"name": "vip"}) == (
        "CONFLICT", "input.name", "A tag of this name already exists."
    )  # fmt: skip

    for _ in range(2):
        assert await shop(TAG, input={"client": client, "tag": tag}) == {"client": {"tags": [{"name": "VIP"}]}}
    await shop(TAG_UPDATE, input={"tag": tag, "name": "Fidèle"})
    found = "query ($tag: ID) { clients(filter: { tag: $tag }) { totalCount nodes { tags { name } } } }"
    assert await shop(found, tag=tag) == {"totalCount": 1, "nodes": [{"tags": [{"name": "Fidèle"}]}]}

    assert await shop(UNTAG, input={"client": client, "tag": tag}) == {"client": {"tags": []}}
    await shop(TAG, input={"client": client, "tag": tag})
    await shop(TAG_DELETE, input={"tag": tag})
    assert (await shop("{ tags { totalCount } }"))["totalCount"] == 0


async def test_a_consent_holds_until_it_is_taken_back_and_both_are_kept(shop: Shop) -> None:
    client = await shop.client()
    given = (await shop(CONSENT, input={"client": client, **OFFERS}))["clientConsent"]
    assert (given["wording"], given["withdrawnAt"]) == (OFFERS["wording"], None)
    assert await shop.refused(CONSENT, input={"client": client, **OFFERS}) == (
        "CONFLICT", "input.purpose", "A consent to this holds already: withdraw it first."
    )  # fmt: skip

    assert (await shop(WITHDRAW, input={"clientConsent": given["id"]}))["clientConsent"]["withdrawnAt"]
    assert (await shop.refused(WITHDRAW, input={"clientConsent": given["id"]}))[0] == "CONFLICT"
    await shop(CONSENT, input={"client": client, **OFFERS})
    assert len((await shop("{ clients { nodes { consents { purpose } } } }"))["nodes"][0]["consents"]) == 2

    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    again = {"client": client, **OFFERS, "purpose": "TESTIMONIAL", "givenAt": later}
    assert (await shop.refused(CONSENT, input=again))[:2] == ("INVALID", "input.givenAt")


async def test_a_client_of_whom_things_were_noted_is_deleted_with_them(shop: Shop) -> None:
    client, tag = await shop.client(), (await shop(TAG_CREATE, input={"name": "VIP"}))["tag"]["id"]
    await shop(CONTACT, input={"client": client, "firstName": "Irène"})
    await shop(NOTE, input={"client": client, "body": "x"})
    await shop(TAG, input={"client": client, "tag": tag})
    await shop(CONSENT, input={"client": client, **OFFERS})

    assert await shop(DELETE, input={"client": client}) == {"id": client}


async def test_what_becomes_known_as_a_company_is_one_unless_told(shop: Shop) -> None:
    kind = "query ($id: ID!) { client(id: $id) { kind } }"
    person = await shop.client()
    for values, expected in (
        ({}, "PERSON"), ({"company": "Radium"}, "COMPANY"), ({"siren": "732829320"}, "COMPANY"),
        ({"siren": "732829320", "kind": "PERSON"}, "PERSON"),
    ):  # fmt: skip
        assert (await shop(kind, id=await shop.client(**values)))["kind"] == expected, values

    for values, expected in (({"city": "Lyon"}, "PERSON"), ({"company": "Radium"}, "COMPANY"),
                             ({"kind": "PERSON"}, "PERSON"), ({"company": "Polonium"}, "PERSON")):  # fmt: skip
        await shop(UPDATE, input={"client": person, **values})
        assert (await shop(kind, id=person))["kind"] == expected, values
    async with nothing_changes(shop):
        assert (await shop.refused(
            UPDATE, input={"client": person, "kind": None}
        ))[:2] == ("INVALID", "input.kind")  # fmt: skip
    found = await shop("{ clients(filter: { kind: COMPANY }) { totalCount } }")
    assert found["totalCount"] == 2


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "INACTIVE"), (["CANCELED"], "INACTIVE"), (["TRIALING"], "TRIAL"), (["ACTIVE", "TRIALING"], "ACTIVE"),
        (["PAST_DUE"], "ACTIVE"), (["UNPAID", "CANCELED"], "INACTIVE"),
    ],
)  # fmt: skip
async def test_the_status_of_a_client_follows_their_subscriptions(
    shop: Shop, statuses: list[str], expected: str
) -> None:
    await shop.sell(await shop.product())
    for number, status in enumerate(statuses):
        await shop.sql(SUBSCRIBE, status, f"sub_{number}")
    assert len(await ClientSubscription.filter(status__in=[SubscriptionStatus(each) for each in statuses])) == len(
        statuses
    )

    assert (await shop("{ clients { nodes { status } } }"))["nodes"] == [{"status": expected}]
    for status in ("ACTIVE", "TRIAL", "INACTIVE"):
        found = await shop(
            "query ($is: ClientStatus) { clients(filter: { status: $is }) { totalCount } }", **{"is": status}
        )
        assert found["totalCount"] == (status == expected), status


async def test_orders_that_were_canceled_are_not_counted(shop: Shop) -> None:
    client, product = await shop.client(), await shop.product()
    asked = "{ clients { nodes { ordersCount lastOrderAt } } }"
    assert (await shop(asked))["nodes"] == [{"ordersCount": 0, "lastOrderAt": None}]
    first, second = [await shop.order(product, client=client) for _ in range(2)]
    (counted,) = (await shop(asked))["nodes"]
    newest: Any = (await shop("{ orders(first: 1) { nodes { createdAt } } }"))["nodes"][0]["createdAt"]
    assert counted == {"ordersCount": 2, "lastOrderAt": newest}

    cancel = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { id } } }"
    await shop(cancel, input={"order": second["id"] if isinstance(second, dict) else second})

    assert (await shop(asked))["nodes"][0]["ordersCount"] == 1
    assert first


SUBSCRIBE = """
INSERT INTO subscriptions (
    id, created_at, organization_id, client_id, product_id, status, quantity, amount_cents, currency, interval,
    interval_count, current_period_start, current_period_end, cancel_at_period_end, stripe_id, stripe_account, live,
    asked_at, ended_at
)
SELECT gen_random_uuid(), now(), c.organization_id, c.id, p.id, $1::text, 1, 1000, 'EUR', 'MONTH', 1, now(),
    now() + interval '30 days', false, $2, 'platform', false, now(), CASE WHEN $1 = 'CANCELED' THEN now() END
FROM clients c, products p
"""
