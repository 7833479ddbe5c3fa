"""The five-minute tour: all that README and GraphiQL's tabs show is run, on the demonstration."""

import asyncio
import json
import os
import re
import shlex
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

import pytest
from graphql import build_schema, parse, validate

from main import create_app
from models import BilanStatus, OpportunityStage, Organization, QuoteStatus
from resolvers import examples
from services import demonstration, demonstration_sales
from services.demonstration_bookings import MASSAGE
from services.outside import outside
from settings import Settings
from tests.http.served import served
from tests.shop import Shop
from tests.streams.clients import Socket, socket

PROJECT = Path(__file__).parent.parent
PAGES = (PROJECT / "README.md", *sorted((PROJECT / "docs" / "guide").glob("*.md")))
SHOWN = "\n".join(page.read_text() for page in PAGES)
FREE = """query ($service: ID!, $from: DateTime!, $to: DateTime!) {
  portalAvailability(service: $service, from: $from, to: $to) { startsAt available }
}"""
JOHN, PARTNERED = "jean.dupont@example.com", "Déclaration d'impôts - Formule Complète"


class Tour:
    """GraphiQL's tabs, in the hands of the demonstration's owner."""

    def __init__(self, owner: Shop) -> None:
        self.owner = owner
        settings = outside().settings
        tabs = examples.tabs(settings.app_url, settings.sandbox_url, smtp_port=settings.smtp_port)
        self.tabs = {
            re.search(r"^(?:query|mutation|subscription) (\w+)", tab.query, re.MULTILINE)[1]: tab for tab in tabs
        }

    async def run(self, name: str, **filled: str) -> Any:
        """What its one root field gives, or all where it has several; every empty variable has to be filled."""
        assert set(filled) == {variable for variable, value in self.tabs[name].variables.items() if value == ""}
        return await self.run_again(name, **filled)

    async def run_again(self, name: str, **changed: Any) -> Any:
        """With other variables too."""
        return await answer(self.owner, self.tabs[name].query, {**self.tabs[name].variables, **changed})

    @asynccontextmanager
    async def follow(self, name: str) -> AsyncIterator[Socket]:
        """A subscription, once it has begun."""
        async with served(create_app(outside().settings)) as port, socket(port, self.owner.token) as client:
            await client.follow(self.tabs[name].query)
            yield client

    async def sign_in(self) -> dict[str, str]:
        """The ids that the second tab is for."""
        self.owner.token = (await self.run("SignIn"))["accessToken"]
        return ids(await self.run("Catalogue"))

    async def order(self) -> dict[str, Any]:
        order: dict[str, Any] = (await self.run("Order", **await self.sign_in()))["order"]
        return order


@pytest.fixture
async def tour(shop: Shop) -> Tour:
    """Nobody is signed in yet."""
    await demonstration.seed(outside().settings)
    organization = await Organization.get(slug=demonstration.SLUG)
    return Tour(Shop(shop.http, shop.sandbox, organization, "owner@demo.test", _seen=shop._seen, _read=shop._read))


def test_no_tab_is_left_out(tour: Tour) -> None:
    elsewhere = {"Consent", "Consented", "Connect"}  # on pages of Google's stand-in: test_google_consents.py
    assert set(re.findall(r'\.(?:run|follow)\("(\w+)"', Path(__file__).read_text())) == set(tour.tabs) - elsewhere


async def test_an_order_with_a_code_is_made_paid_and_told(tour: Tour) -> None:
    tour.owner.sandbox.partner.answer(500)
    made = await tour.order()
    assert amounts(made, "subtotal", "discount", "total") == ["99,99 €", "10,00 €", "89,99 €"]

    started = await tour.run("Checkout", order=made["id"])
    await pay(tour.owner, started["url"])

    seen = (await tour.run("Orders"))["nodes"][0]
    assert (seen["status"], bool(seen["invoices"][0]["emailedAt"])) == ("PAID", True)
    (notification,) = seen["notifications"]
    assert (notification["status"], notification["attempts"][0]["statusCode"]) == ("PENDING", 500)

    tour.owner.sandbox.partner.answer()
    await tour.run("Resend", notification=notification["id"])
    await tour.owner.work_is_done()
    assert (await tour.run("Orders"))["nodes"][0]["notifications"][0]["status"] == "DELIVERED"

    (partner,) = (await tour.run("Partners"))["nodes"]
    assert [endpoint["breaker"] for endpoint in partner["endpoints"]] == ["CLOSED", "CLOSED"]
    assert (await tour.run("Test", partner=partner["id"]))["accepted"]
    assert (await tour.run("Preview", notification=notification["id"]))["request"]["url"]


async def test_what_a_partner_failed_is_sent_again_after_the_outage(tour: Tour) -> None:
    made = await tour.order()
    started = await tour.run("Checkout", order=made["id"])
    await pay(tour.owner, started["url"])
    await tour.owner.sql("UPDATE notifications SET status = 'FAILED', delivered_at = NULL, next_attempt_at = NULL")
    (partner,) = (await tour.run("Partners"))["nodes"]

    assert (await tour.run("Replay", partner=partner["id"]))["notificationReplay"]["total"] == 1


async def test_who_follows_the_orders_is_told_of_a_new_one(tour: Tour) -> None:
    await tour.sign_in()
    async with tour.follow("Follow") as client:
        made = await tour.order()

        event = await client.event()

    assert (event["happened"][0], event["order"]["number"], event["order"]["status"]) == (
        "CREATED", made["number"], "OPEN",
    )  # fmt: skip


async def test_a_deposit_is_paid_by_the_link_and_then_the_balance(tour: Tour) -> None:
    made = (await tour.run("Deposit", **await tour.sign_in()))["order"]
    assert amounts(made, "total", "deposit") == ["189,98 €", "56,99 €"]

    for status in ("OPEN", "PAID"):
        page = await tour.owner.http.post(urlsplit(made["payUrl"]).path)
        await pay(tour.owner, page.headers["location"])
        seen = (await tour.run("Orders"))["nodes"][0]
        assert seen["status"] == status

    assert [invoice["type"] for invoice in seen["invoices"]] == ["PREPAYMENT", "INVOICE"]


async def test_a_form_of_ones_own_pays_by_the_intents_secret(tour: Tour) -> None:
    made = await tour.order()

    secret = (await tour.run("Intent", order=made["id"]))["clientSecret"]

    assert f"{tour.owner.sandbox.url}/pay-intent/<clientSecret>" in tour.tabs["Intent"].query
    await happen(tour.owner, await tour.owner.sandbox.stripe.confirm(secret.partition("_secret_")[0]))
    assert (await tour.run("Orders"))["nodes"][0]["status"] == "PAID"


async def test_an_order_is_invoiced_ahead_and_paid_by_two_transfers(tour: Tour) -> None:
    made = await tour.order()

    ahead = (await tour.run("Invoice", order=made["id"]))["order"]
    assert (ahead["status"], ahead["invoices"][0]["settledAt"]) == ("OPEN", None)

    part = (await tour.run("Record", order=made["id"]))["order"]
    assert (part["status"], amounts(part, "balance")) == ("OPEN", ["69,99 €"])
    rest = (await tour.run_again("Record", order=made["id"], amount=None))["order"]
    assert (rest["status"], bool(rest["invoices"][0]["settledAt"])) == ("PAID", True)


async def test_something_is_credited_and_then_what_was_paid_is_given_back(tour: Tour) -> None:
    made = await tour.order()
    await tour.run("Invoice", order=made["id"])
    (invoice,) = (await tour.run("Orders"))["nodes"][0]["invoices"]
    credited = await tour.run("CreditNote", invoice=invoice["id"])
    assert credited["invoice"]["corrects"]["number"] == invoice["number"]

    rest = (await tour.run_again("Record", order=made["id"], amount=None))["order"]
    assert amounts(rest, "paid", "balance") == ["84,99 €", "0,00 €"]
    (payment,) = (await tour.run("Orders"))["nodes"][0]["payments"]
    assert (await tour.run("Refund", payment=payment["id"]))["refund"]["status"] == "SUCCEEDED"

    seen = await tour.run("Refunds")
    assert amounts(seen["refunds"]["nodes"][0], "amount") == ["84,99 €"]
    assert {note["corrects"]["number"] for note in seen["invoices"]["nodes"]} == {invoice["number"]}
    assert len(seen["invoices"]["nodes"]) == 2


async def test_a_sample_is_drawn_and_reconciliations_are_listed(tour: Tour) -> None:
    await tour.sign_in()
    assert (await tour.run("Sample"))["pdf"]
    assert (await tour.run("Reconciliations"))["nodes"] == []


async def test_what_renews_is_an_order_each_month_until_it_is_ended(tour: Tour) -> None:
    chosen = await tour.sign_in()
    found = await tour.owner("{ products { nodes { id interval } } }")
    (monthly,) = [product["id"] for product in found["nodes"] if product["interval"]]
    made = (await tour.run_again("Order", client=chosen["client"], product=monthly, code=None))["order"]
    await pay(tour.owner, (await tour.run("Checkout", order=made["id"]))["url"])
    await happen(tour.owner, tour.owner.sandbox.stripe.advance(months=1))

    seen = await tour.run("Subscriptions")
    (subscription,) = seen["subscriptions"]["nodes"]
    ending = await tour.run("Cancel", subscription=subscription["id"])

    assert [order["source"] for order in seen["orders"]["nodes"]] == ["RENEWAL", "BACK_OFFICE"]
    assert len(seen["accesses"]["nodes"]) == 2
    assert ending["clientSubscription"]["cancelAtPeriodEnd"] is True


async def test_who_paid_twice_waits_for_a_person(tour: Tour) -> None:
    made = await tour.order()
    started = await tour.run("Checkout", order=made["id"])
    held = await tour.owner.sandbox.stripe.pay(session_of(started["url"]))
    await tour.run_again("Record", order=made["id"], amount=None)
    await happen(tour.owner, held)

    (conflict,) = (await tour.run("Conflicts"))["nodes"]
    assert (conflict["kind"], conflict["proposal"]) == ("DUPLICATE_PAYMENT", "REFUND")
    await tour.run("Resolve", conflict=conflict["id"])

    assert (await tour.run("Conflicts"))["nodes"] == []


async def test_a_quote_is_sent_and_accepted_on_its_page_and_books_are_made(tour: Tour) -> None:
    await tour.sign_in()
    drafts = await answer(tour.owner, "{ quotes(filter: { status: [DRAFT] }) { nodes { id } } }")
    sent = (await tour.run("Quote", quote=drafts["nodes"][0]["id"]))["quote"]
    await tour.owner.work_is_done()
    listed = await answer(tour.owner, "{ quotes { nodes { status } } }")
    assert {each["status"] for each in listed["nodes"]} == set(QuoteStatus) - {QuoteStatus.DRAFT, QuoteStatus.ACCEPTED}
    page = await tour.owner.browse(sent["pageUrl"], {"answer": "accept", "name": "Jean Dupont", "agreed": "yes"})
    assert "votre devis est accepté" in page.text

    made = (await tour.run("Export"))["export"]
    await tour.owner.work_is_done()
    assert (made["status"], await tour.owner.count("exports", "status = 'READY'")) == ("PENDING", 1)


async def test_a_client_is_found_by_a_contact_and_by_a_slip(tour: Tour) -> None:
    await tour.sign_in()

    for found in (await tour.run("Clients"), await tour.run_again("Clients", text="duppont")):
        (client,) = found
        assert (client["email"], client["tags"]) == (JOHN, [{"name": "Fidèle"}])
        assert [bool(each["withdrawnAt"]) for each in client["consents"]] == [False, True]
        assert len(client["notes"]["nodes"]) == 2


async def test_a_file_of_clients_was_imported_but_for_three_lines(tour: Tour) -> None:
    await tour.sign_in()
    await tour.owner.work_is_done()

    (seen,) = (await tour.run("Imports"))["nodes"]

    assert (seen["status"], seen["encoding"], seen["total"], seen["created"]) == ("IMPORTED", "windows-1252", 6, 3)
    assert [line["problem"] for line in seen["lines"]["nodes"]] == ["CONSULTANT", "PHONE", "EMAIL"]
    assert seen["newTags"] == ["Salon"]
    report = await tour.owner.http.get(seen["reportUrl"])
    assert "quelquun@ailleurs.example" in report.text


async def test_a_ticket_is_answered_and_a_timeline_read(tour: Tour) -> None:
    await tour.sign_in()
    asked = await answer(tour.owner, "{ tickets(filter: { status: [NEW] }) { nodes { id client { id } } } }")
    ticket = asked["nodes"][-1]

    await tour.run("Tickets", ticket=ticket["id"])
    told = await tour.run("Timeline", client=ticket["client"]["id"])

    assert told["nodes"][0]["summary"] == "Réponse au client, ticket 1 : Où trouver ma facture ?"
    assert {"QUOTE_SENT", "TICKET_OPENED", "TICKET_RESOLVED"} <= {event["kind"] for event in told["nodes"]}


async def test_all_that_is_kept_of_a_client_is_put_together_and_fetched(tour: Tour) -> None:
    client = (await tour.sign_in())["client"]

    ordered = await tour.run("Data", client=client)
    await tour.owner.work_is_done()
    fetched = await tour.owner.http.get(
        (await tour.run("DataFetch", clientDataExport=ordered["clientDataExport"]["id"]))["url"]
    )

    assert fetched.content.startswith(b"PK")


async def test_a_private_link_opens_the_clients_portal_where_what_was_won_is_to_be_paid(tour: Tour) -> None:
    await demonstration_sales.seed()
    client = (await tour.sign_in())["client"]
    board = await answer(tour.owner, "{ opportunities(filter: { stage: [WON] }) { nodes { id } } }")
    columns = (await tour.run("Board"))["columns"]
    assert [column["stage"] for column in columns if column["opportunities"]["nodes"]] == list(OpportunityStage)
    await tour.run("PaymentLink", opportunity=board["nodes"][0]["id"])
    assert tour.tabs["Portal"].headers == {"Authorization": "Bearer "}

    tour.owner.token = (await tour.run("PortalLink", client=client))["token"]
    seen = await tour.run("Portal")

    assert {each["paymentStatus"] for each in seen["opportunities"]} == {"AWAITED"}
    assert all(seen[what] for what in ("orders", "quotes", "tickets", "bookings", "packs"))
    paying = await tour.run("PortalPay", order=seen["opportunities"][0]["order"])
    await pay(tour.owner, paying["url"])
    seen = await tour.run("Portal")
    assert seen["opportunities"][0]["paymentStatus"] == "PAID"
    assert [order["status"] for order in seen["orders"]] == ["PAID", "PAID", "REFUNDED"]


async def test_by_a_private_link_a_client_asks_and_books(tour: Tour) -> None:
    client = (await tour.sign_in())["client"]
    tour.owner.token = (await tour.run("PortalLink", client=client))["token"]
    (service,) = [each for each in (await tour.run("Portal"))["services"] if each["name"] == MASSAGE]
    week = dict(
        zip(("from", "to"), ((datetime.now(UTC) + timedelta(days)).isoformat() for days in (2, 9)), strict=True)
    )
    free = await answer(tour.owner, FREE, {"service": service["id"], **week})
    starts_at = next(slot["startsAt"] for slot in free if slot["available"])

    made = await tour.run("PortalBook", service=service["id"], startsAt=starts_at)
    asked = await tour.run("PortalAsk")

    assert (made["confirmed"], bool(made["order"]), asked["number"]) == (False, True, 5)


async def test_a_mail_server_of_ones_own_is_set_up_and_seen(tour: Tour) -> None:
    await tour.sign_in()

    done = await tour.run("OwnMail")
    assert done["integrationEnable"]["integration"]["status"] == "CONNECTED"
    assert done["integrationTest"]["connected"]
    seen = await tour.run("Integrations")

    assert "OWN_MAIL" in seen["me"]["organization"]["features"]
    assert {"name": "SMTP", "status": "CONNECTED"}.items() <= seen["integrations"]["nodes"][0].items()


async def test_a_time_is_found_booked_moved_and_cancelled(tour: Tour) -> None:
    client = (await tour.sign_in())["client"]
    services = (await answer(tour.owner, "{ services { nodes { id online staff { id } } } }"))["nodes"]
    service = next(each for each in services if each["online"])
    found = await tour.run("Availability", service=service["id"])
    first, *_, last = (each["startsAt"] for each in found["availability"] if each["available"])

    made = await tour.run("Book", service=service["id"], client=client, startsAt=first)
    assert made["confirmed"]
    moved = await tour.run("Move", booking=made["booking"]["id"], startsAt=last)
    assert moved["booking"]["appointment"]["sequence"] == 1
    canceled = await tour.run("CancelBooking", booking=made["booking"]["id"])
    assert canceled["booking"]["status"] == "CANCELED"

    feed = await tour.run("Feed", staff=service["staff"][0]["id"])
    read = await tour.owner.http.get(urlsplit(feed["url"]).path)
    assert read.text.startswith("BEGIN:VCALENDAR")


async def test_calendars_are_told_of_and_every_tab_is_a_good_document(tour: Tour) -> None:
    await tour.sign_in()
    sdl = build_schema((PROJECT / "schema.graphql").read_text())
    for tab in tour.tabs.values():
        assert validate(sdl, parse(tab.query)) == []

    assert await tour.run("Calendars") == {"calendars": {"nodes": []}, "calendarConflicts": {"nodes": []}}


async def test_bilans_are_held_documents_opened_and_quality_shown(tour: Tour) -> None:
    await tour.sign_in()
    bilans = (await tour.run("Bilans"))["nodes"]
    assert {each["status"] for each in bilans} == set(BilanStatus)
    funded = next(each["id"] for each in bilans if each["status"] == "FUNDED")
    held = await tour.run("Session", bilan=funded)
    assert held["bilanSession"]["attendance"] == "EXPECTED"

    kept = await tour.run("Documents")
    assert [each["granted"] for each in kept["documentAccesses"]["nodes"]] == [False]
    assert len(kept["destructionRecords"]["nodes"]) == 1
    synthesis = next(each["id"] for each in kept["documents"]["nodes"] if each["kind"] == "SYNTHESIS")
    assert "L6313-4" in (await tour.run("Open", document=synthesis))["reason"]


async def test_quality_is_seen_added_to_and_given_to_an_auditor(tour: Tour) -> None:
    await tour.sign_in()
    before = await tour.run("Quality")
    assert [each["beneficiaryName"] for each in before["quality"]["gaps"]] == ["Jean Dupont", "Inès Rousseau"]

    assert (await tour.run("Proof"))["qualityProof"]["indicator"] == 25

    after = {each["number"]: each for each in (await tour.run("Quality"))["quality"]["indicators"]}
    assert not after[25]["missing"]
    await tour.run("Auditor")
    await tour.owner.work_is_done()
    made = (await answer(tour.owner, "{ qualityExports { nodes { status } } }"))["nodes"]
    assert [each["status"] for each in made] == ["READY"]


async def test_lists_come_in_pages_and_who_did_what_is_told(tour: Tour) -> None:
    for _ in range(2):
        made = await tour.order()

    page = await tour.run("Pages")
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, False)
    following = await tour.run_again("Pages", after=page["pageInfo"]["endCursor"])
    assert following["nodes"] == []

    entries = (await tour.run("Audit"))["nodes"]
    assert ("orderCreate", made["id"], "INSERT") in {
        (entry["action"], entry["subject"], entry["operation"]) for entry in entries
    }


def test_the_guide_names_what_is_there() -> None:
    known = set(re.findall(r"\w+", (PROJECT / "schema.graphql").read_text()))
    prose = re.sub(r"```.*?```", "", SHOWN, flags=re.DOTALL)
    named = {name for code in re.findall(r"`([^`]+)`", prose) for name in re.findall(r"\b[a-z]+[A-Z]\w*", code)}
    tabs = {tab for said in re.findall(r"\(tabs? ([^)]+)\)", prose) for tab in re.split(r",\s+", said)}

    assert named - known == set()
    assert tabs - {tab.stem for tab in examples.DOCUMENTS.iterdir()} == set()


async def test_readme_s_graphql_works_as_it_stands(tour: Tour) -> None:
    sign_in, catalogue, order, checkout, seen, resend = snippets("graphql")
    owner = tour.owner
    owner.sandbox.partner.answer(500)

    owner.token = (await answer(owner, sign_in))["accessToken"]
    known = ids(await answer(owner, catalogue))
    known["order"] = (await answer(owner, filled(order, known)))["order"]["id"]
    await pay(owner, (await answer(owner, filled(checkout, known)))["url"])
    (sold,) = (await answer(owner, seen))["nodes"]
    known["notification"] = sold["notifications"][0]["id"]
    await answer(owner, filled(resend, known))

    (error,) = (await owner.post(filled(checkout, known), {}))["errors"]
    told = {"message": error["message"], "extensions": error["extensions"]}
    assert [told] == [json.loads(snippet) for snippet in snippets("json")]


async def test_readme_s_request_of_a_storefront_works_as_it_stands(tour: Tour) -> None:
    (command,) = [snippet for snippet in snippets("sh") if snippet.startswith("curl")]
    words = shlex.split(here(command).replace("\\\n", " "))
    headers = dict(word.split(": ", 1) for word, option in zip(words[1:], words, strict=False) if option == "-H")

    told = (await tour.owner.http.post(words[1], content=words[words.index("-d") + 1], headers=headers)).json()

    assert "errors" not in told
    assert PARTNERED in {product["name"] for product in told["data"]["products"]["nodes"]}


async def test_readme_s_plan_is_the_one_that_is_shown(tour: Tour, settings: Settings) -> None:
    (command,) = [snippet for snippet in snippets("sh") if "comptoir plan" in snippet]
    (shown,) = snippets("")
    environment = {
        "PATH": os.environ["PATH"],
        "COLUMNS": "200",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "COMPTOIR_MASTER_KEYS": settings.comptoir_master_keys.get_secret_value(),
    }

    done = await asyncio.to_thread(
        subprocess.run, ["sh", "-c", command], cwd=PROJECT, env=environment, capture_output=True, text=True
    )

    told = [line.rstrip() for line in done.stdout.splitlines()]
    # Of lines that are cut short, and of the counts of rows, each installation has its own.
    lasting = [line for line in shown.splitlines() if "…" not in line and "rows expected" not in line]
    assert [line for line in lasting if line not in told] == [], done


async def answer(owner: Shop, document: str, variables: dict[str, Any] | None = None) -> Any:
    answered = await owner.post(document, variables or {})
    assert "errors" not in answered, (document, answered["errors"])
    data = answered["data"]
    return next(iter(data.values())) if len(data) == 1 else data


def amounts(order: dict[str, Any], *names: str) -> list[str]:
    return [order[name]["formatted"].replace("\xa0", " ") for name in names]


def ids(catalogue: dict[str, Any]) -> dict[str, str]:
    """A client's, and the product's that has a partner."""
    (client,) = [each["id"] for each in catalogue["clients"]["nodes"] if each["email"] == JOHN]
    (product,) = [each["id"] for each in catalogue["products"]["nodes"] if each["name"] == PARTNERED]
    return {"client": client, "product": product}


async def pay(owner: Shop, url: str) -> None:
    """On Stripe's page; then all that follows."""
    await happen(owner, await owner.sandbox.stripe.pay(session_of(url)))


async def happen(owner: Shop, events: list[dict[str, Any]]) -> None:
    for event in events:
        await owner.deliver(event)
    await owner.work_is_done()


def session_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def snippets(language: str) -> list[str]:
    """README's and the guide's, those in lists too."""
    fences = re.findall(r"^( *)```(\w*)\n(.*?)^\1```", SHOWN, re.MULTILINE | re.DOTALL)
    return [dedent(snippet) for _, marked, snippet in fences if marked == language]


def filled(snippet: str, known: dict[str, str]) -> str:
    """With an id for each `name: "…"`, and with this installation's addresses."""
    return here(re.sub(r'(\w+): "…"', lambda gap: f'{gap[1]}: "{known[gap[1]]}"', snippet))


def here(snippet: str) -> str:
    settings = outside().settings
    assert settings.sandbox_url
    moved = snippet.replace("http://127.0.0.1:8000", settings.app_url)
    return moved.replace("http://127.0.0.1:8001", settings.sandbox_url)
