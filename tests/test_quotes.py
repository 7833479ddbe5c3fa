"""Quotes: written, sent, answered by the client on their page or on paper, and once accepted an order."""

import asyncio
import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tortoise import connections
from tortoise.exceptions import IntegrityError

import models
from models import ApiScope
from models.content import QuoteContent
from models.database import transaction
from services import outbox, quotes
from tests.security.test_keys import server
from tests.shop import Shop, said

pytestmark = pytest.mark.usefixtures("printer")

SEEN = """
  id number documentNumber version status note validUntil expiresAt contentSha256 sentAt emailedAt
  acceptedAt acceptedName acceptedFrom acceptedBy { user { email } } refusedAt refuseReason endedAt pdfUrl pageUrl
  subtotal { amount } discount { amount } discountReason total { amount } deposit { amount } client { id email }
  lines { position description quantity unitPrice { amount } discount { amount } share { amount } total { amount } }
  order { id number status total { amount } deposit { amount } discount { amount } discountReason source
    lines { description quantity total { amount } share { amount } } }
"""
QUOTE = f"query ($id: ID!) {{ quote(id: $id) {{ {SEEN} }} }}"


def doing(action: str, input: str) -> str:
    return f"mutation ($input: {input}!) {{ {action}(input: $input) {{ quote {{ {SEEN} }} }} }}"


CREATE, UPDATE = doing("quoteCreate", "QuoteCreateInput"), doing("quoteUpdate", "QuoteUpdateInput")
SEND, REVISE, CANCEL = (doing(name, "QuoteInput") for name in ("quoteSend", "quoteRevise", "quoteCancel"))
ACCEPT, REFUSE = doing("quoteAccept", "QuoteAcceptInput"), doing("quoteRefuse", "QuoteRefuseInput")
SIGNED = {"answer": "accept", "name": "Marie Curie", "agreed": "yes"}


async def test_a_draft_is_priced_like_an_order_and_can_be_written_anew(shop: Shop) -> None:
    product = await shop.product(10_000, name="Conseil")

    draft = await written(
        shop, product, quantity=2, discount={"percent": 1000, "reason": "Fidélité"}, deposit={"percent": 3000},
        note="Comme convenu.", validUntil=str(today() + timedelta(days=10)),
    )  # fmt: skip

    assert (draft["status"], draft["number"], draft["documentNumber"], draft["version"]) == ("DRAFT", None, None, 1)
    assert [draft[part]["amount"] for part in ("subtotal", "discount", "total", "deposit")] == [
        20000,
        2000,
        18000,
        5400,
    ]
    assert draft["pageUrl"] is None
    anew = await do(shop, UPDATE, draft, lines=[{"product": product, "quantity": 1}])
    assert [anew[part]["amount"] for part in ("subtotal", "discount", "total", "deposit")] == [10000, 0, 10000, 0]
    assert (anew["note"], anew["discountReason"], len(anew["lines"])) == (None, None, 1)


async def test_a_sent_quote_is_numbered_and_comes_with_a_page_and_its_pdf(shop: Shop) -> None:
    sent = await offered(shop, deposit={"amount": 3000})

    year = today().year
    assert (sent["number"], sent["documentNumber"], sent["status"]) == (f"D-FQCA-{year}-000001",) * 2 + ("SENT",)
    assert date.fromisoformat(sent["validUntil"]) == today() + timedelta(days=30)
    kept = await models.Quote.get()
    assert kept.content_sha256 == QuoteContent.model_validate(kept.content).sha256 == sent["contentSha256"]
    (mail,) = shop.mails(sent["client"]["email"])
    assert mail.message["Subject"].startswith(f"[TEST] Votre devis {sent['number']}, valable jusqu")
    assert [each.get_filename() for each in mail.attachments] == [f"Devis-{sent['number']}.pdf"]
    (link,) = re.findall(r"http://comptoir\.test/quote/\S+", said(mail))
    page = await shop.browse(link)
    assert page.status_code == 200
    for shown in ("99,99 €", "16,67 €", "Acompte à la commande", "30,00 €", "Bon pour accord", "TEST"):
        assert shown in page.text.replace("\N{NO-BREAK SPACE}", " "), shown
    pdf = await shop.browse(sent["pdfUrl"])
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.headers["content-disposition"] == f'inline; filename="{sent["number"]}.pdf"'


async def test_the_page_runs_nothing_sets_nothing_and_is_kept_by_nobody(shop: Shop) -> None:
    page = await shop.browse((await offered(shop, note="<script>alert(1)</script>"))["pageUrl"])

    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; base-uri 'none'; frame-ancestors")
    assert "script-src" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert (await shop.browse(f"{shop.http.base_url}/quote/nonsense")).status_code == 404


async def test_accepted_on_its_page_it_becomes_an_order_at_its_prices(shop: Shop) -> None:
    product = await shop.product(10_000, name="Conseil")
    sent = await offered(
        shop, product, quantity=3, discount={"amount": 1001, "reason": "Geste"}, deposit={"percent": 3000}
    )
    await shop.change("product", product, price={"amount": 99_900, "currency": "EUR"}, active=False)

    page = await shop.browse(sent["pageUrl"], SIGNED)

    accepted = await seen(shop, sent)
    assert (accepted["status"], accepted["acceptedName"], accepted["acceptedBy"]) == ("ACCEPTED", "Marie Curie", None)
    assert accepted["acceptedFrom"] == "127.0.0.1"
    order = accepted["order"]
    assert (order["status"], order["source"], order["discountReason"]) == ("OPEN", "QUOTE", "Geste")
    assert [order[part]["amount"] for part in ("total", "deposit", "discount")] == [28_999, 8700, 1001]
    assert order["lines"] == [
        {"description": "Conseil", "quantity": 3, "total": {"amount": 30_000}, "share": {"amount": 1001}}
    ]
    (pay,) = re.findall(r'href="(http://comptoir\.test/pay/[^"]+)"', page.text)
    assert "Payer 87,00 €" in (await shop.browse(pay)).text.replace("\N{NO-BREAK SPACE}", " ")
    paid = await shop.pay(order)
    assert [invoice["total"]["amount"] for invoice in paid["invoices"]] == [8700]


async def test_accepted_on_paper_it_says_who_noted_it(shop: Shop) -> None:
    accepted = await do(shop, ACCEPT, await offered(shop), name="Marie Curie")

    assert (accepted["status"], accepted["acceptedFrom"]) == ("ACCEPTED", None)
    assert accepted["acceptedBy"]["user"]["email"] == "owner@shop.test"
    assert accepted["order"]["number"] == 1


async def test_a_second_answer_is_refused_and_changes_nothing(shop: Shop) -> None:
    sent = await offered(shop)
    await shop.browse(sent["pageUrl"], SIGNED)

    again = await shop.browse(sent["pageUrl"], SIGNED)

    assert (again.status_code, "votre devis est accepté" in again.text) == (409, True)
    for document, extra in ((ACCEPT, {"name": "Paul"}), (REFUSE, {}), (CANCEL, {})):
        code, field, message = await shop.refused(document, input={"quote": sent["id"]} | extra)
        assert (code, field) == ("CONFLICT", "input.quote")
        assert "was accepted already" in message
    assert await models.Order.all().count() == 1


async def test_twenty_who_accept_at_once_make_one_order(shop: Shop) -> None:
    sent = await offered(shop)

    pages = await asyncio.gather(*(shop.browse(sent["pageUrl"], SIGNED) for _ in range(20)))

    assert Counter(page.status_code for page in pages) == {200: 1, 409: 19}
    assert await models.Order.all().count() == 1
    assert (await seen(shop, sent))["order"]["number"] == 1


async def test_after_its_end_it_is_accepted_no_more_whatever_the_clock_has_noted(shop: Shop) -> None:
    sent = await offered(shop)
    await long_ago(shop)

    page = await shop.browse(sent["pageUrl"], SIGNED)
    code, field, message = await shop.refused(ACCEPT, input={"quote": sent["id"], "name": "Marie"})

    assert (page.status_code, "n’est plus valable" in page.text) == (409, True)
    assert (code, field) == ("CONFLICT", "input.quote")
    assert "was good until" in message
    assert "quoteRevise" in message
    assert (await seen(shop, sent))["status"] == "SENT"
    await shop.time_passes(days=31)
    await shop.work_is_done()
    expired = await seen(shop, sent)
    assert (expired["status"], expired["endedAt"] is not None) == ("EXPIRED", True)
    assert "has expired" in (await shop.refused(ACCEPT, input={"quote": sent["id"], "name": "Marie"}))[2]
    assert not await models.Order.exists()


async def test_the_database_itself_refuses_an_acceptance_after_the_end(shop: Shop) -> None:
    await offered(shop)
    await long_ago(shop)
    order = await shop.order()

    with pytest.raises(IntegrityError, match="quotes_accepted_check"):
        await shop.sql(
            "UPDATE quotes SET status = 'ACCEPTED', accepted_at = now(), accepted_name = 'x',"
            " order_id = (SELECT id FROM orders WHERE number = $1)", order["number"],
        )  # fmt: skip


async def test_it_expires_only_once_its_last_day_is_over(shop: Shop) -> None:
    sent = await offered(shop)

    async with transaction():
        await outbox.hasten(quotes.expire, await models.Quote.get())
    await shop.work_is_done()

    assert (await seen(shop, sent))["status"] == "SENT"


async def test_a_sent_quote_is_changed_by_a_new_version_alone(shop: Shop) -> None:
    sent = await offered(shop)
    lines = [{"product": await shop.product(5000), "quantity": 1}]
    code, field, message = await shop.refused(UPDATE, input={"quote": sent["id"], "lines": lines})
    assert (code, field, "quoteRevise" in message) == ("CONFLICT", "input.quote", True)

    draft = await do(shop, REVISE, sent)
    assert (draft["number"], draft["version"], draft["status"]) == (sent["number"], 2, "DRAFT")
    assert draft["documentNumber"] == f"{sent['number']}-v2"
    assert draft["lines"] == sent["lines"]
    assert (await seen(shop, sent))["status"] == "SENT"  # good until the next is sent
    await do(shop, UPDATE, draft, lines=lines)
    second = await do(shop, SEND, draft)
    await shop.work_is_done()

    first = await seen(shop, sent)
    assert (first["status"], first["total"], first["contentSha256"]) == (
        "SUPERSEDED", sent["total"], sent["contentSha256"],
    )  # fmt: skip
    late = await shop.browse(sent["pageUrl"], SIGNED)
    assert (late.status_code, "a été remplacé" in late.text) == (409, True)
    await shop.browse(second["pageUrl"], SIGNED)
    assert (await seen(shop, second))["order"]["total"]["amount"] == 5000
    third = await do(shop, SEND, await written(shop))
    assert third["number"].endswith("-000002")


async def test_a_version_is_not_sent_once_the_one_before_it_was_accepted(shop: Shop) -> None:
    sent = await offered(shop)
    draft = await do(shop, REVISE, sent)
    assert (await shop.refused(REVISE, input={"quote": sent["id"]}))[2] == "Version 2 is newer: go on with that one."
    await shop.browse(sent["pageUrl"], SIGNED)

    code, field, message = await shop.refused(SEND, input={"quote": draft["id"]})

    assert (code, field, "was accepted already" in message) == ("CONFLICT", "input.quote", True)
    assert (await do(shop, CANCEL, draft))["status"] == "CANCELED"


async def test_what_was_refused_can_be_offered_again_under_the_same_number(shop: Shop) -> None:
    sent = await offered(shop)
    page = await shop.browse(sent["pageUrl"], {"answer": "refuse", "reason": "Trop cher"})

    refused = await seen(shop, sent)
    assert (refused["status"], refused["refuseReason"]) == ("REFUSED", "Trop cher")
    assert "Vous avez refusé" in page.text
    again = await do(shop, SEND, await do(shop, REVISE, sent))
    assert again["documentNumber"] == f"{sent['number']}-v2"
    assert (await do(shop, ACCEPT, again, name="Marie"))["status"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"answer": "accept", "agreed": "yes"}, "Indiquez votre nom"),
        ({"answer": "accept", "name": "Marie"}, "Cochez «\xa0Bon pour accord\xa0»"),
        ({"answer": "accept", "name": "x" * 201, "agreed": "yes"}, "200 caractères"),
        ({"answer": "refuse", "reason": "x" * 501}, "500 caractères"),
        ({"answer": "accept", "name": "\x00", "agreed": "yes"}, "n’est pas du texte"),
        ({}, "Choisissez"),
    ],
    ids=["no name", "no agreement", "long name", "long reason", "null", "nothing"],
)
async def test_an_answer_that_lacks_something_is_asked_for_again(
    shop: Shop, form: dict[str, str], problem: str
) -> None:
    sent = await offered(shop)

    page = await shop.browse(sent["pageUrl"], form)

    assert page.status_code == 422
    assert problem in page.text
    assert (await seen(shop, sent))["status"] == "SENT"


async def test_what_cannot_be_offered_is_refused(shop: Shop) -> None:
    product = await shop.product(1000)
    client, lines = await shop.client(), [{"product": product, "quantity": 1}]
    for extra, field in (
        ({"lines": []}, "input.lines"),
        ({"discount": {"amount": 1000}}, "input.lines"),
        ({"validUntil": "2020-01-01"}, "input.validUntil"),
        ({"validUntil": "2099-01-01"}, "input.validUntil"),
        ({"note": "x" * 2001}, "input.note"),
        ({"deposit": {"amount": 1000}}, "input.deposit.amount"),
    ):
        code, blamed, _ = await shop.refused(CREATE, input={"client": client, "lines": lines} | extra)
        assert (code, blamed) == ("INVALID", field)


async def test_numbers_have_no_gap_whatever_fails_and_are_their_own_in_each_mode(shop: Shop) -> None:
    drafts = [await written(shop) for _ in range(6)]
    await models.Quote.filter(note=None).update(valid_until=None)
    canceled = await do(shop, CANCEL, drafts.pop())
    await asyncio.gather(*(shop(SEND, input={"quote": draft["id"]}) for draft in drafts))

    assert canceled["number"] is None
    numbers = await models.Quote.exclude(number=None).order_by("sequence").values_list("sequence", flat=True)
    assert numbers == [1, 2, 3, 4, 5]
    series = await models.QuoteSeries.get()
    assert (series.prefix, series.live, series.last_number) == ("D-FQCA", False, 5)


async def test_what_was_sent_is_changed_and_deleted_by_nobody(shop: Shop) -> None:
    await offered(shop)

    for statement in (
        "UPDATE quotes SET total_cents = 1, subtotal_cents = 1",
        "UPDATE quotes SET content = '{}'",
        "DELETE FROM quotes",
        "UPDATE quote_lines SET description = 'x'",
        "DELETE FROM quote_lines",
    ):
        with pytest.raises(IntegrityError, match="a quote that was sent is not changed|quote_lines_quote_id"):
            await connections.get("default").execute_query(statement)


async def test_a_consultant_keeps_the_quotes_of_their_own_clients(shop: Shop) -> None:
    theirs, others = await offered(shop), await offered(shop)
    consultant = await Shop.open(shop.http, shop.sandbox, role=models.Role.CONSULTANT)
    membership = await models.Membership.get(role=models.Role.CONSULTANT)
    await models.Client.filter(email=theirs["client"]["email"]).update(consultant_id=membership.id)

    listed = await consultant("{ quotes { nodes { id } } }")

    assert listed["nodes"] == [{"id": theirs["id"]}]
    assert (await consultant.refused(ACCEPT, input={"quote": others["id"], "name": "x"}))[0] == "NOT_FOUND"
    accepted = await do(consultant, ACCEPT, theirs, name="Marie")
    assert accepted["acceptedBy"]["user"]["email"] == "consultant@shop.test"


async def test_who_may_only_read_quotes_is_not_shown_the_page_on_which_the_client_answers(shop: Shop) -> None:
    sent = await offered(shop)

    for scopes, shown in (([ApiScope.QUOTES_READ], False), ([ApiScope.QUOTES_READ, ApiScope.QUOTES_WRITE], True)):
        key = await server(shop, *scopes)
        one = await key("query ($id: ID!) { quote(id: $id) { pdfUrl pageUrl } }", id=sent["id"])
        (listed,) = (await key("{ quotes { nodes { pdfUrl pageUrl } } }"))["nodes"]
        (followed,) = (await key("{ clients { nodes { quotes { nodes { pageUrl } } } } }"))["nodes"]
        assert [bool(each["pageUrl"]) for each in (one, listed, *followed["quotes"]["nodes"])] == [shown] * 3
        assert one["pdfUrl"] and listed["pdfUrl"]


async def test_a_quote_that_was_answered_before_its_letter_went_is_not_written(shop: Shop) -> None:
    draft = await written(shop)
    sent = await do(shop, SEND, draft)
    await do(shop, CANCEL, sent)

    await shop.work_is_done()

    assert shop.mails(sent["client"]["email"]) == []
    assert "a été retiré" in (await shop.browse(sent["pageUrl"])).text


def today() -> date:
    """Where the shop is."""
    return datetime.now(ZoneInfo("Europe/Paris")).date()


async def written(shop: Shop, *products: str, quantity: int = 1, **input: Any) -> dict[str, Any]:
    lines = [{"product": product, "quantity": quantity} for product in products or (await shop.product(),)]
    made = await shop(CREATE, input={"client": await shop.client(), "lines": lines} | input)
    return dict(made["quote"])


async def offered(shop: Shop, *products: str, **input: Any) -> dict[str, Any]:
    """A quote that was sent, once the client has it."""
    sent = await do(shop, SEND, await written(shop, *products, **input))
    await shop.work_is_done()
    return await seen(shop, sent)


async def do(shop: Shop, document: str, quote: dict[str, Any], **input: Any) -> dict[str, Any]:
    done = await shop(document, input={"quote": quote["id"]} | input)
    return dict(done["quote"])


async def seen(shop: Shop, quote: dict[str, Any]) -> dict[str, Any]:
    return dict(await shop(QUOTE, id=quote["id"]))


async def long_ago(shop: Shop) -> None:
    """All quotes were sent 31 days earlier, as a replica would have it: what was sent is changed by nobody else."""
    await connections.get("default").execute_script(
        "BEGIN; SET LOCAL session_replication_role = replica; UPDATE quotes SET sent_at = sent_at - interval '31 days',"
        " valid_until = valid_until - 31, expires_at = expires_at - interval '31 days'; COMMIT"
    )
