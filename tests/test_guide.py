"""The partner guide's full example, played: what a partner who wrote to the guide receives, field by field."""

import hmac
import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request
from standardwebhooks import Webhook, WebhookVerificationError

from tests.shop import Shop

API_KEY = "cle-du-partenaire-0123456789-abcdef"

ISO_UTC = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"


@pytest.fixture
async def told(shop: Shop) -> tuple[Shop, dict[str, Any], Any, dict[str, Any]]:
    """(shop, the partner, what they received, the order): Marie Martin buys the complete formula at 99.99 EUR."""
    partner = await shop.partner(apiKey=API_KEY)
    product = await shop.product(9999, (partner,), name="Déclaration d'impôts - Formule Complète")
    client = await shop.client("marie.martin@gmail.com", firstName="Marie", lastName="Martin", phone="+33687654321")
    order = await shop.sell(product, client=client)
    (received,) = shop.told()
    return shop, partner, received, order


async def test_the_body_has_the_guides_fields_in_its_order_with_its_types(told: Any) -> None:
    _, _, received, order = told
    body = received.json
    event = order["notifications"][0]["eventId"]

    assert list(body) == ["event_type", "event_id", "order_id", "timestamp", "customer", "order", "invoice"]
    assert body["event_type"] == "order.created"
    assert body["event_id"] == event
    assert event.startswith("evt_")
    assert body["order_id"] == order["number"]
    assert type(body["order_id"]) is int
    assert re.fullmatch(ISO_UTC, body["timestamp"])
    assert body["customer"] == {
        "first_name": "Marie",
        "last_name": "Martin",
        "email": "marie.martin@gmail.com",
        "phone": "+33687654321",
    }
    assert list(body["order"]) == ["total_amount", "currency", "payment_date", "products"]
    assert body["order"]["total_amount"] == 99.99
    assert type(body["order"]["total_amount"]) is float
    assert body["order"]["currency"] == "EUR"
    assert re.fullmatch(ISO_UTC, body["order"]["payment_date"])
    (product,) = body["order"]["products"]
    assert list(product) == ["product_id", "product_name", "quantity", "unit_price"]
    assert product["product_id"].startswith("prod_")
    assert product["product_name"] == "Déclaration d'impôts - Formule Complète"
    assert (product["quantity"], type(product["quantity"])) == (1, int)
    assert (product["unit_price"], type(product["unit_price"])) == (83.32, float)
    assert list(body["invoice"]) == ["pdf_url", "number"]
    assert body["invoice"]["number"] == f"FQCA-{datetime.now().year}-000001"


async def test_the_headers_are_the_guides_and_standard_webhooks_beside(told: Any) -> None:
    _, partner, received, order = told
    headers = received.headers

    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "ComptAppart-Webhook/1.0"
    assert headers["x-api-key"] == API_KEY
    assert headers["webhook-id"] == order["notifications"][0]["webhookId"]
    assert Webhook(partner["secret"]).verify(received.body, dict(headers)) == received.json
    with pytest.raises(WebhookVerificationError):
        Webhook(partner["secret"]).verify(received.body.replace(b"99.99", b"9.99"), dict(headers))


async def test_the_link_gives_the_pdf_to_anyone(told: Any) -> None:
    shop, _, received, _ = told

    answer = await shop.http.get(received.json["invoice"]["pdf_url"])

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


async def test_a_receiver_written_to_the_guide_accepts_it_unchanged(told: Any) -> None:
    _, _, received, order = told
    kept: list[dict[str, Any]] = []
    partner = _receiver(kept).test_client()

    answer = partner.post("/api/comptappart/orders", data=received.body, headers=dict(received.headers))

    assert answer.status_code == 200
    assert answer.get_json() == {"success": True}
    (row,) = kept
    assert row["number"] == order["number"]
    assert row["name"] == "Marie Martin"
    assert row["invoice"].startswith("http")


async def test_names_and_phone_come_from_the_checkout_where_the_client_gave_none(shop: Shop) -> None:
    partner = await shop.partner()
    made = await shop.order(await shop.product(partners=(partner,)))
    session = await shop.checkout(made)

    for event in await shop.sandbox.stripe.pay(session, name="Jean de La Fontaine", phone="+33612345678"):
        await shop.deliver(event)
    await shop.work_is_done()

    customer = shop.told()[-1].json["customer"]
    assert (customer["first_name"], customer["last_name"]) == ("Jean", "de La Fontaine")
    assert customer["phone"] == "+33612345678"


async def test_a_server_error_is_tried_again_after_five_then_thirty_minutes_then_given_up(shop: Shop) -> None:
    shop.sandbox.partner.answer(500)
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    assert len(shop.told()) == 1

    for minutes, attempts in ((4, 1), (2, 2), (29, 2), (2, 3), (600, 3)):
        await shop.time_passes(minutes=minutes)
        await shop.work_is_done()
        assert len(shop.told()) == attempts

    (notification,) = (await shop.see(order))["notifications"]
    assert notification["status"] == "FAILED"
    assert [attempt["statusCode"] for attempt in notification["attempts"]] == [500, 500, 500]
    assert {received.headers["webhook-id"] for received in shop.told()} == {notification["webhookId"]}
    assert {received.json["event_id"] for received in shop.told()} == {notification["eventId"]}


async def test_a_client_error_is_final_and_an_admin_sends_it_again(shop: Shop) -> None:
    shop.sandbox.partner.answer(400)
    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))
    (notification,) = order["notifications"]
    assert (notification["status"], notification["attemptsLeft"]) == ("FAILED", 2)
    await shop.time_passes(hours=24)
    await shop.work_is_done()
    assert len(shop.told()) == 1

    shop.sandbox.partner.answer(200)
    again = await shop(
        "mutation ($input: NotificationResendInput!) { notificationResend(input: $input) { notification { status } } }",
        input={"notification": notification["id"]},
    )
    await shop.work_is_done()

    assert again["notification"]["status"] == "PENDING"
    (sent,) = (await shop.see(order))["notifications"]
    assert sent["status"] == "DELIVERED"
    assert [attempt["statusCode"] for attempt in sent["attempts"]] == [400, 200]
    first, second = shop.told()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_the_invoice_and_the_letter_do_not_wait_for_a_partner_who_is_away(shop: Shop) -> None:
    shop.sandbox.partner.answer(hang_up=True)

    order = await shop.sell(await shop.product(partners=(await shop.partner(),)))

    assert order["invoices"][0]["emailedAt"]
    (notification,) = order["notifications"]
    assert notification["status"] == "PENDING"
    (attempt,) = notification["attempts"]
    assert attempt["statusCode"] is None
    assert attempt["error"]


def _receiver(kept: list[dict[str, Any]]) -> Flask:
    """A partner's endpoint, written from the guide alone: key, event type, fields, 200."""
    app = Flask("partner")

    @app.post("/api/comptappart/orders")
    def order_created() -> tuple[Response, int]:
        if not hmac.compare_digest(request.headers.get("X-API-KEY", ""), API_KEY):
            return jsonify(error="bad key"), 401
        told = request.get_json()
        if told["event_type"] != "order.created":
            return jsonify(error="unknown event"), 400
        customer = told["customer"]
        kept.append(
            {
                "number": told["order_id"],
                "name": f"{customer['first_name'] or ''} {customer['last_name'] or ''}".strip(),
                "amount": float(told["order"]["total_amount"]),
                "products": [line["product_id"] for line in told["order"]["products"]],
                "invoice": told["invoice"]["pdf_url"],
            }
        )
        return jsonify(success=True), 200

    return app
