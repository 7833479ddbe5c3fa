"""Who is let in, and what each role is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from models import Membership, Role, User
from policy import GRANTS
from schema.roots import MUTATIONS, PERMISSIONS
from services import tokens
from services.identity import PASSWORD_MOST
from tests.security.surroundings import neighbour, never_made, nothing_changes
from tests.shop import PASSWORD, Shop

SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken expiresAt } }"
ME = "{ me { role user { email } organization { slug } } }"
SIGN_IN_FIRST = ("UNAUTHENTICATED", None, "Sign in first, and send `Authorization: Bearer <accessToken>`.")


async def test_the_bearer_of_a_token_is_who_signed_in(shop: Shop) -> None:
    me = await shop(ME)

    assert me == {"role": "OWNER", "user": {"email": shop.email}, "organization": {"slug": "shop"}}


async def test_an_address_is_known_in_any_case(shop: Shop) -> None:
    signed_in = await shop(SIGN_IN, input={"email": shop.email.upper(), "password": PASSWORD})

    assert signed_in["accessToken"]


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(shop: Shop) -> None:
    wrong = "Unknown e-mail address or wrong password."

    async with nothing_changes(shop):
        for password in ("", "wrong", PASSWORD + " ", PASSWORD.upper(), "a\0b", "é" * PASSWORD_MOST, "x" * 500_000):
            for email in (shop.email, "nobody@shop.test"):
                refusal = await shop.refused(SIGN_IN, input={"email": email, "password": password})
                assert refusal == ("UNAUTHENTICATED", None, wrong), (email, password[:9])


async def test_a_person_of_no_organization_is_told_the_same(shop: Shop) -> None:
    await shop.sql("DELETE FROM memberships")

    refusal = await shop.refused(SIGN_IN, input={"email": shop.email, "password": PASSWORD})

    assert refusal[0] == "UNAUTHENTICATED"


async def test_a_token_that_is_none_lets_nobody_in(shop: Shop) -> None:
    for token in ("", "x", "a.b.c", "é", "x" * 100_000):
        headers: Any = {"Authorization": b"Bearer " + token.encode("latin-1")}
        response = await shop.http.post("/graphql", json={"query": ME}, headers=headers)

        (error,) = response.json()["errors"]
        assert (error["extensions"]["code"], error["message"]) == (SIGN_IN_FIRST[0], SIGN_IN_FIRST[2]), token[:9]


async def test_an_altered_expired_foreign_or_unsigned_token_lets_nobody_in(shop: Shop) -> None:
    claims = jwt.decode(shop.token, options={"verify_signature": False})
    head, _, signature = shop.token.split(".")
    forged = jwt.encode(claims | {"org": str(uuid4())}, "k" * 32, algorithm="HS256")
    bad = [
        f"{head}.{forged.split('.')[1]}.{signature}",
        tokens.sign(tokens.ACCESS, {name: claims[name] for name in ("sub", "org")}, timedelta(seconds=-1))[0],
        tokens.sign(tokens.FILE, claims, timedelta(minutes=1))[0],
        jwt.encode(claims, "", algorithm="none"),
        forged,
    ]

    for token in bad:
        shop.token = token
        assert await shop.refused(ME) == SIGN_IN_FIRST


async def test_a_token_ends_with_the_membership_and_follows_its_role(shop: Shop) -> None:
    await shop.sql("UPDATE memberships SET role = 'ACCOUNTANT'")
    assert (await shop(ME))["role"] == "ACCOUNTANT"

    await shop.sql("DELETE FROM memberships")
    assert await shop.refused(ME) == SIGN_IN_FIRST


async def test_a_person_of_two_organizations_acts_in_the_one_of_the_token(shop: Shop) -> None:
    theirs = await neighbour(shop)
    user = await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)
    client = await theirs.client()

    assert (await shop(ME))["organization"]["slug"] == "shop"
    assert await shop("query ($id: ID!) { client(id: $id) { id } }", id=client) is None


WRITES: dict[str, Any] = {
    "clientCreate(input: $input) { client { id } }": ("ClientCreateInput", {"email": "a@b.fr"}),
    "productCreate(input: $input) { product { id } }": ("ProductCreateInput", {"name": "x", "price": {"amount": 1}}),
    "partnerCreate(input: $input) { partner { id } }": (
        "PartnerCreateInput",
        {"slug": "x", "name": "x", "brandName": "x", "contactEmail": "a@b.fr"},
    ),
    "orderCreate(input: $input) { order { id } }": ("OrderCreateInput", {"client": never_made("Client"), "lines": []}),
    "checkoutStart(input: $input) { __typename }": (
        "CheckoutStartInput",
        {"order": never_made("Order"), "successUrl": "http://comptoir.test/"},
    ),
    "paymentIntentStart(input: $input) { __typename }": ("PaymentIntentStartInput", {"order": never_made("Order")}),
    "paymentConfirm(input: $input) { order { id } }": ("PaymentConfirmInput", {"order": never_made("Order")}),
    "paymentRecord(input: $input) { order { id } }": (
        "PaymentRecordInput",
        {"order": never_made("Order"), "method": "TRANSFER"},
    ),
    "orderDiscount(input: $input) { order { id } }": ("OrderDiscountInput", {"order": never_made("Order")}),
    "orderInvoice(input: $input) { order { id } }": ("OrderInvoiceInput", {"order": never_made("Order")}),
    "orderCancel(input: $input) { order { id } }": ("OrderCancelInput", {"order": never_made("Order")}),
    "conflictResolve(input: $input) { conflict { id } }": (
        "ConflictResolveInput",
        {"conflict": never_made("Conflict"), "resolution": "x"},
    ),
    "discountCodeCreate(input: $input) { discountCode { id } }": (
        "DiscountCodeCreateInput",
        {"code": "X10", "percent": 1000},
    ),
    "discountCodeUpdate(input: $input) { discountCode { id } }": (
        "DiscountCodeUpdateInput",
        {"discountCode": never_made("DiscountCode"), "active": False},
    ),
    "notificationResend(input: $input) { notification { id } }": (
        "NotificationResendInput",
        {"notification": never_made("Notification")},
    ),
}


def test_every_mutation_is_tried() -> None:
    assert {call.partition("(")[0] for call in WRITES} == set(MUTATIONS) - {"signIn"}


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.CONSULTANT, Role.BENEFICIARY])
async def test_a_role_that_may_only_read_changes_nothing(shop: Shop, role: Role) -> None:
    person = await Shop.open(shop.http, shop.sandbox, role=role)

    async with nothing_changes(shop):
        for call, (kind, input) in WRITES.items():
            refusal = await person.refused(f"mutation ($input: {kind}!) {{ {call} }}", input=input)
            if PERMISSIONS[call.partition("(")[0]] in GRANTS[role]:  # their own orders are theirs to pay
                assert refusal[:2] == ("NOT_FOUND", "input.order"), call
                continue
            message = f"Your role, {role.value}, may not do this. Ask an owner or an admin."
            assert refusal == ("FORBIDDEN", None, message), call


async def test_nobody_changes_nothing(shop: Shop) -> None:
    shop.token = ""

    async with nothing_changes(shop):
        for call, (kind, input) in WRITES.items():
            assert await shop.refused(f"mutation ($input: {kind}!) {{ {call} }}", input=input) == SIGN_IN_FIRST, call
