"""Who is let in, and what each role is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt

from engine.views import VIEWS
from models import Membership, Role, User
from policy import Key, Kind, Permission, Scoped, granted
from schema.roots import MUTATIONS, PERMISSIONS
from services import tokens
from services.hashing import PASSWORD_MOST
from tests.security.inputs import document_of, input_of
from tests.security.surroundings import CALLERS, coming_from, neighbour, never_made, nothing_changes
from tests.security.test_keys import partner, server, storefront
from tests.security.test_portal import portal
from tests.shop import PASSWORD, Shop

SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { ... on SignedIn { accessToken expiresAt } } }"
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
    passwords = ("", "wrong", PASSWORD + " ", PASSWORD.upper(), "a\0b", "é" * PASSWORD_MOST, "x" * 500_000)

    async with nothing_changes(shop):
        for number, password in enumerate(passwords):
            for email in (shop.email, "nobody@shop.test"):
                async with coming_from(shop, f"192.0.2.{number}") as caller:
                    refusal = await caller.refused(SIGN_IN, input={"email": email, "password": password})
                assert refusal == ("UNAUTHENTICATED", None, wrong), (email, password[:9])


async def test_a_person_of_no_organization_is_told_the_same(shop: Shop) -> None:
    await shop.sql("UPDATE memberships SET active = false")

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
        tokens.sign(tokens.ACCESS, {name: claims[name] for name in ("sid", "sub", "org")}, timedelta(seconds=-1))[0],
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

    await shop.sql("UPDATE memberships SET active = false")
    assert await shop.refused(ME) == SIGN_IN_FIRST


async def test_a_person_of_two_organizations_acts_in_the_one_of_the_token(shop: Shop) -> None:
    theirs = await neighbour(shop)
    user = await User.get(email=shop.email)
    await Membership.create(organization=theirs.organization, user=user, role=Role.ACCOUNTANT)
    client = await theirs.client()

    assert (await shop(ME))["organization"]["slug"] == "shop"
    assert await shop("query ($id: ID!) { client(id: $id) { id } }", id=client) is None


NEVER_MADE = {view.name: never_made(view.name) for view in VIEWS.values()}
CLOSED = [(kind, name) for kind in CALLERS for name in MUTATIONS if PERMISSIONS[name] not in granted(kind)]


async def test_a_role_or_a_key_changes_nothing_that_is_not_granted_to_it(shop: Shop) -> None:
    callers = {kind: await caller_of(shop, kind) for kind in CALLERS}

    async with nothing_changes(shop):
        for kind, mutation in CLOSED:
            refusal = await callers[kind].refused(document_of(mutation), input=input_of(mutation, NEVER_MADE))
            who_may = "an owner or an admin" if PERMISSIONS[mutation] in granted(Role.ADMIN) else "an owner"
            role = f"Your role, {kind.value}, may not do this. Ask {who_may}."
            message = role if isinstance(kind, Role) else kind.value
            if PERMISSIONS[mutation] is Permission.PORTAL:
                message = "Only a client's private link opens this. Make one (portalTokenCreate)."
            assert refusal == ("FORBIDDEN", None, message), (kind, mutation)


def test_who_does_not_run_the_shop_may_pay_quote_credit_and_export_and_change_nothing_else() -> None:
    book, ask = Permission.BOOKINGS_MAKE, Permission.TICKETS_ASK
    paying = {Permission.PUBLIC, Permission.MEMBER, Permission.ORDERS_PAY, Permission.CHECKOUT_START}
    for kind in CALLERS:
        opened = {PERMISSIONS[name] for name in MUTATIONS} & granted(kind)
        own = {
            Role.CONSULTANT: {
                Permission.QUOTES_WRITE, Permission.HOURS_WRITE, Permission.BOOKINGS_WRITE, book,
                Permission.TICKETS_WRITE, ask, Permission.UPLOADS, Permission.CRM_WRITE, Permission.TIMELINE_WRITE,
                Permission.OPPORTUNITIES_WRITE, Permission.BILANS_FOLLOW, Permission.BILANS_HOLD,
                Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE,
            },
            # What they answer, agree to and open of their own bilan, and order of what is kept of them.
            Role.BENEFICIARY: {
                Permission.SUBSCRIPTIONS_WRITE, Permission.BILANS_FOLLOW, Permission.DOCUMENTS_READ, book, ask,
                Permission.DATA_EXPORTS,
            },
            Key.STOREFRONT: {book},
            Key.PORTAL: {Permission.PORTAL},
            Role.ACCOUNTANT: {Permission.EXPORTS, Permission.CREDIT_NOTES_WRITE},
        }.get(kind, set())  # fmt: skip
        assert kind in (Role.OWNER, Role.ADMIN) or isinstance(kind, Scoped) or opened <= paying | own, kind


async def test_nobody_changes_nothing(shop: Shop) -> None:
    shop.token = ""

    async with nothing_changes(shop):
        for mutation in {name for name in MUTATIONS if PERMISSIONS[name] is not Permission.PUBLIC}:
            refusal = await shop.refused(document_of(mutation), input=input_of(mutation, NEVER_MADE))
            assert refusal == SIGN_IN_FIRST, mutation


async def caller_of(shop: Shop, kind: Kind) -> Shop:
    if kind is Key.STOREFRONT:
        return await storefront(shop)
    if kind is Key.PARTNER:
        await shop.partner("mine")
        return await partner(shop, "mine")
    if kind is Key.PORTAL:
        return await portal(shop, await shop.client())
    if isinstance(kind, Scoped):
        return await server(shop, *kind.scopes)
    return shop if kind is Role.OWNER else await Shop.open(shop.http, shop.sandbox, role=Role(kind.value))
