"""An organization sells through a Stripe account of its own, beside the platform's: whatever is begun in one goes on
there."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from models import Attempt, Integration, Invoice, Order, Payment, StripeAccount, StripeEvent
from sandbox import Sandbox
from services import integration_checks, reconciliation, stripe_accounts, stripe_connecting
from services.inbox import HANDLERS
from services.stripe_accounts import Place
from tests.own_accounts import asked, configure, connect, pay, post, told
from tests.shop import Shop
from tests.subscribing import monthly
from workers import reconciling

REFUND = "mutation ($input: PaymentRefundInput!) { paymentRefund(input: $input) { refund { status } } }"
INTENT = """mutation ($input: PaymentIntentStartInput!) { paymentIntentStart(input: $input) {
    ... on PaymentIntentStarted { publishableKey clientSecret } } }"""


async def test_a_sale_goes_through_the_own_account_from_its_page_to_its_refund(shop: Shop, sandbox: Sandbox) -> None:
    product = await shop.product()
    on_platform = await shop.sell(product)
    account = await connect(shop)
    before = asked(sandbox.stripe)

    order = await pay(shop, account, await shop.order(product))
    await shop(REFUND, input={"payment": order["payments"][0]["id"]})
    await told(shop, account, account.events("charge.refunded")[-1:])

    assert (on_platform["status"], order["status"]) == ("PAID", "PAID")
    assert (await shop.see(order))["status"] == "REFUNDED"
    assert asked(sandbox.stripe) == before  # nothing of it
    rows = await Order.all().order_by("id")
    assert [row.stripe_account for row in rows] == ["platform", "acct_alpha"]
    told_by = {row.stripe_id: row.stripe_account for row in await StripeEvent.all()}
    assert {told_by[event["id"]] for event in account.events() if event["id"] in told_by} == {"acct_alpha"}
    numbers = await Invoice.filter(type="INVOICE").order_by("id").values_list("number", flat=True)
    assert [number[-6:] for number in numbers] == ["000001", "000002"]  # of one series, whichever account is paid


async def test_what_was_begun_on_the_platforms_account_is_paid_and_refunded_there(shop: Shop, sandbox: Sandbox) -> None:
    order = await shop.order(await shop.product())
    session = await shop.checkout(order)
    account = await connect(shop)
    at_first = asked(account)

    await shop.tell(await sandbox.stripe.pay(session))
    paid = await shop.see(order)
    await shop(REFUND, input={"payment": paid["payments"][0]["id"]})
    await shop.tell(sandbox.stripe.events("charge.refunded")[-1:])

    assert (await shop.see(order))["status"] == "REFUNDED"
    assert asked(account) == at_first


async def test_each_account_keeps_the_twins_of_clients_and_products(shop: Shop, sandbox: Sandbox) -> None:
    client, product = await shop.client(), await shop.product()
    older = await shop.order(product, client=client)
    alpha = await connect(shop, "alpha")
    await pay(shop, alpha, await shop.order(product, client=client))
    beta = await connect(shop, "beta")
    await pay(shop, beta, await shop.order(product, client=client))
    customers = await Attempt.filter(operation="CREATE_CUSTOMER").count()

    await shop.pay(older)
    await connect(shop, "alpha")
    await pay(shop, alpha, await shop.order(product, client=client))

    assert customers == 2
    assert await Attempt.filter(operation="CREATE_CUSTOMER").count() == 3  # once in each account
    made = await Attempt.filter(operation="CREATE_PRODUCT").order_by("id").values_list("stripe_account", flat=True)
    assert sorted(made) == ["acct_alpha", "acct_beta", "platform"]
    assert [row.stripe_account for row in await Order.all().order_by("id")] == [
        "platform", "acct_alpha", "acct_beta", "acct_alpha",
    ]  # fmt: skip


async def test_a_form_of_ones_own_is_told_the_accounts_publishable_key(shop: Shop) -> None:
    account = await connect(shop)
    started = await shop(INTENT, input={"order": (await shop.order())["id"]})
    intent = started["clientSecret"].partition("_secret_")[0]

    await told(shop, account, await account.confirm(intent))

    assert started["publishableKey"] == "pk_test_of_alpha_1"
    assert [payment.stripe_account for payment in await Payment.all()] == ["acct_alpha"]


async def test_an_event_of_one_account_never_settles_an_order_of_another(shop: Shop, sandbox: Sandbox) -> None:
    product = await shop.product()
    order, events = await shop.paid_events(product)
    other = await Shop.open(shop.http, sandbox, slug="other")
    theirs = await other.order(await other.product())
    account = await connect(shop)
    mine, own_events = await shop.order(product), []
    own_events = await account.pay(await shop.checkout(mine))
    (target, *_) = account.targets(own_events[-1])
    paid = next(each for each in own_events if each["type"] == "checkout.session.completed")

    # Signed by the account's own secret, and naming orders that are not its own
    for number, named in enumerate((await Order.get(number=1, organization_id=shop.organization.id), await Order.get(
        organization_id=other.organization.id))):  # fmt: skip
        forged = json.loads(json.dumps(paid))
        forged["id"] = f"evt_forged_{number}"
        forged["data"]["object"]["metadata"]["order"] = str(named.id)
        assert (await post(shop, account, forged, target.url, target.secret)).status_code == 200
    # An own account's event at the platform's address
    assert (await shop.deliver(paid)).status_code == 200
    await shop.work_is_done()

    assert (await shop.see(order))["status"] == "OPEN"
    assert (await other.see(theirs))["status"] == "OPEN"
    assert (await shop.see(mine))["status"] == "OPEN"
    assert await Payment.all().count() == 0
    await shop.tell(events)
    await told(shop, account, own_events)
    assert [(await shop.see(each))["status"] for each in (order, mine)] == ["PAID", "PAID"]


async def test_what_no_secret_of_the_organization_signed_is_refused_alike(shop: Shop, sandbox: Sandbox) -> None:
    account = await connect(shop)
    other = await Shop.open(shop.http, sandbox, slug="other")
    event = (await account.pay(await shop.checkout(await shop.order())))[-1]
    (target, *_) = account.targets(event)

    answers = [
        await post(shop, account, event, f"/webhooks/stripe/{name}", secret)
        for name, secret in (
            ("shop", "whsec_wrong"), ("nobody", target.secret), ("other", target.secret),
            (str(other.organization.id), target.secret), ("shop", shop.sandbox.stripe.courier.secret),
        )
    ]  # fmt: skip

    assert {(answer.status_code, answer.text) for answer in answers} == {(400, '{"error":"bad signature"}')}
    assert (await post(shop, account, event, "/webhooks/stripe", target.secret)).status_code == 400
    for name in ("shop", "SHOP", str(shop.organization.id)):
        assert (await post(shop, account, event, f"/webhooks/stripe/{name}", target.secret)).status_code == 200


async def test_a_secret_of_test_mode_tells_of_no_real_money(shop: Shop) -> None:
    account = await connect(shop)
    event = (await account.pay(await shop.checkout(await shop.order())))[-1]
    (target, *_) = account.targets(event)
    before = await StripeEvent.all().count()

    answer = await post(shop, account, event | {"livemode": True}, target.url, target.secret)

    assert (answer.status_code, answer.json()) == (400, {"error": "of another mode"})
    assert await StripeEvent.all().count() == before
    assert (await post(shop, account, event, target.url, target.secret)).status_code == 200


async def test_the_endpoint_is_made_at_stripe_with_exactly_what_is_handled(shop: Shop) -> None:
    account = await connect(shop)
    (endpoint,) = account.books.store.all("webhook_endpoint")
    await configure(shop, secret_key="sk_test_of_alpha_2")
    await shop.work_is_done()

    assert endpoint["enabled_events"] == sorted(HANDLERS)
    assert endpoint["url"] == f"http://comptoir.test/webhooks/stripe/{shop.organization.id}"
    assert len(account.books.store.all("webhook_endpoint")) == 1  # used again
    row = await StripeAccount.get()
    assert (row.endpoint_id, row.name, row.current, row.version) == (endpoint["id"], "alpha", True, 2)
    assert "sk_test" not in row.secret_key
    assert "whsec" not in row.webhook_secrets


async def test_a_new_key_is_used_at_once_and_the_old_secret_still_verifies(shop: Shop) -> None:
    account = await connect(shop, webhook_secret="whsec_first")
    product = await shop.product()
    await shop.checkout(await shop.order(product))
    account.revoke("sk_test_of_alpha_1")

    await configure(shop, secret_key="sk_test_of_alpha_3", webhook_secret="whsec_second")
    await shop.work_is_done()
    events = await account.pay(await shop.checkout(await shop.order(product)))

    for secret in ("whsec_first", "whsec_second"):
        assert (await post(shop, account, events[-1], "/webhooks/stripe/shop", secret)).status_code == 200
    account.api.revoked.clear()


async def test_who_take_an_account_up_at_once_come_to_one(shop: Shop) -> None:
    account = shop.sandbox.accounts.named("twice")
    await configure(shop, enabled=False, secret_key="sk_test_of_twice_1")
    integration = await Integration.get()
    await Integration.all().update(enabled=True, status="UNTESTED")
    integration.enabled = True

    outcomes = await asyncio.gather(*(stripe_connecting.confirm(integration) for _ in range(3)))

    assert {outcome.status for outcome in outcomes} == {"CONNECTED"}
    assert (await StripeAccount.get()).current
    assert len(account.books.store.all("webhook_endpoint")) == 1


async def test_keys_are_opened_once_and_the_access_log_says_so(shop: Shop) -> None:
    account = await connect(shop)
    product = await shop.product()
    await pay(shop, account, await shop.order(product))
    used = await shop.sql("SELECT field FROM secret_openings WHERE purpose = $1 ORDER BY 1", stripe_accounts.PURPOSE)

    await pay(shop, account, await shop.order(product))

    assert [each["field"] for each in used] == ["secret_key", "webhook_secrets"]
    assert await shop.count("secret_openings", f"purpose = '{stripe_accounts.PURPOSE}'") == 2


async def test_a_restricted_key_that_makes_no_endpoint_is_told_how_to_by_hand(shop: Shop) -> None:
    account = await connect(shop, secret_key="rk_test_of_alpha_1")
    refused = await Integration.get()
    await configure(shop, webhook_secret="whsec_by_hand")
    await shop.work_is_done()

    assert refused.status == "ERROR"
    assert f"/webhooks/stripe/{shop.organization.id}, and give its signing secret" in (refused.detail or "")
    assert account.books.store.all("webhook_endpoint") == []
    assert await stripe_accounts.of(shop.organization.id) == Place("acct_alpha", False)


@pytest.mark.parametrize(
    ("keys", "status", "said"),
    [
        ({"secret_key": "sk_live_of_alpha_1", "publishable_key": "pk_live_of_alpha_1"}, "ERROR", "not in production"),
        ({"secret_key": "sk_test_platforms"}, "ERROR", "the account of the platform"),
        ({"secret_key": "sk_test_of_beta_1"}, "ERROR", "another organization's"),
        ({"secret_key": "sk_test_of_gone_1"}, "DISCONNECTED", "refuses the secret key"),
    ],
    ids=["live", "the platform's", "another's", "refused"],
)
async def test_keys_that_cannot_be_used_leave_the_sale_where_it_was(
    shop: Shop, sandbox: Sandbox, keys: dict[str, str | None], status: str, said: str
) -> None:
    other = await Shop.open(shop.http, sandbox, slug="other")
    await connect(other, "beta")
    sandbox.accounts.named("gone").revoke("sk_test_of_gone_1")

    await connect(shop, **keys)

    integration = await Integration.get(organization_id=shop.organization.id)
    assert integration.status == status
    assert said in (integration.detail or "")
    assert await stripe_accounts.of(shop.organization.id) == Place("platform", False)
    assert (await shop.sell())["status"] == "PAID"


async def test_a_subscription_goes_on_where_it_was_begun_and_its_key_stays(shop: Shop) -> None:
    account = await connect(shop, "gamma")
    order = await pay(shop, account, await shop.order(await monthly(shop)))

    off = await configure(shop, enabled=False)
    events = account.advance(months=1)
    await told(shop, account, events)

    assert order["status"] == "PAID"
    assert off["detail"] == "Goes on in the Stripe account: 1 subscriptions."
    assert [row.stripe_account for row in await Order.filter(status="PAID")] == ["acct_gamma"] * 2
    assert await stripe_accounts.of(shop.organization.id) == Place("platform", False)
    assert (await shop.sell())["status"] == "PAID"


async def test_what_an_own_account_never_told_is_found_there(shop: Shop) -> None:
    await shop.paid_events()  # of which the platform's account knows
    account = await connect(shop, "delta")
    order = await shop.order()
    await account.pay(await shop.checkout(order))
    place = Place("acct_delta", False)
    await shop.sql("UPDATE stripe_accounts SET created_at = created_at - interval '1 hour'")

    result = await reconciliation.reconcile(place, young=timedelta(seconds=-60))
    await shop.work_is_done()

    assert place in await reconciliation.places()
    assert result is not None
    assert result.missed
    assert (await shop.see(order))["status"] == "PAID"
    assert await Order.filter(status="PAID").count() == 1
    (point,) = await shop.sql("SELECT stripe_account FROM reconciliation_points")
    assert point == {"stripe_account": "acct_delta"}


async def test_an_account_whose_key_is_refused_is_asked_by_the_clock_once_a_day(shop: Shop) -> None:
    await connect(shop)
    place = Place("acct_alpha", False)
    shop.sandbox.accounts.named("alpha").revoke("sk_test_of_alpha_1")

    await reconciling.compare(place)
    refused = await reconciliation.places()
    await shop.sql("UPDATE stripe_accounts SET refused_at = refused_at - interval '1 day'")

    assert refused == [stripe_accounts.platform()]
    assert place in await reconciliation.places()
    shop.sandbox.accounts.named("alpha").api.revoked.clear()
    await configure(shop, secret_key="sk_test_of_alpha_2")
    await shop.work_is_done()
    assert (await StripeAccount.get()).refused_at is None


async def test_keys_are_destroyed_once_nothing_runs_there(shop: Shop) -> None:
    await connect(shop)
    order = await shop.order()
    remove = "mutation ($input: IntegrationInput!) { integrationRemove(input: $input) { integration { status } } }"

    code, field, message = await shop.refused(remove, input={"provider": "stripe"})
    await shop.do("orderCancel", order)
    removed = await shop(remove, input={"provider": "stripe"})

    assert (code, field) == ("CONFLICT", "input.provider")
    assert message.startswith("Goes on in the Stripe account: 1 open orders.")
    assert removed["integration"]["status"] == "OFF"
    row: Any = await StripeAccount.get()
    assert (row.secret_key, row.webhook_secrets, row.current) == (None, None, False)
    assert not await stripe_accounts.serves("acct_alpha", False)
    assert (await shop.sell())["status"] == "PAID"


async def test_what_is_wrong_with_an_account_is_said_at_once_and_again_by_the_clock(
    shop: Shop, sandbox: Sandbox
) -> None:
    other = await Shop.open(shop.http, sandbox, slug="other")
    await connect(other, "beta")

    told_at_once = await configure(shop, secret_key="sk_test_of_beta_1")
    await integration_checks.check(await Integration.get(organization_id=shop.organization.id), "by the clock")

    assert told_at_once["status"] == (await Integration.get(organization_id=shop.organization.id)).status == "ERROR"
    assert "another organization's" in told_at_once["detail"]
