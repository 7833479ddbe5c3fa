"""An organization's own Stripe account taken up from its integration: asked who it is, given a webhook endpoint, and
sold through from then on.

The integration says what the organization wants, `services/stripe_accounts.py` what is used. Of the rows of an
organization the integration is locked first, its accounts after it.
"""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import stripe

import errors
from models import Integration, IntegrationStatus, Lane, Product, StripeAccount
from models.database import after_commit, query, transaction
from providers.stripe import API_VERSION, OwnAccount, Stripe
from services import catalogue_sync, inbox, integrations, stripe_accounts, vault
from services.integration_health import Outcome, write_down
from services.outbox import job, later
from services.outside import outside

log = logging.getLogger("comptoir.stripe_accounts")

PURPOSE = "connecting the Stripe account"
SECRETS_MOST = 2  # of an endpoint, while it is rotated
FIELD = "input.provider"


async def changed(integration: Integration) -> None:
    """In the transaction that changed it, locked. On, its account is taken up soon; off, new sales are the platform's
    again, and what runs in the account goes on there, as its `detail` says. Raises Conflict for one that is removed
    while something runs: its key is needed for that."""
    if integration.enabled:
        await later(take_up, integration)
        return
    going_on = await running(integration.organization_id)
    mine = StripeAccount.filter(organization_id=integration.organization_id)
    if integration.removed_at is None:
        await mine.filter(current=True).update(current=False)
        integration.detail = going_on
        await integration.save(update_fields=["detail"])
    elif going_on:
        raise errors.Conflict(f"{going_on} Switch it off instead: its key is needed until that is over.", field=FIELD)
    else:
        await mine.update(current=False, secret_key=None, webhook_secrets=None, publishable_key=None)
    after_commit(_forget)


@job(Lane.SYNC)
async def take_up(integration: Integration) -> None:
    """Sell through the account that the integration's keys are of. What is wrong with them, its status says."""
    if integration.enabled:
        await write_down(integration, await confirm(integration), checked=True)


async def confirm(integration: Integration) -> Outcome:
    """The same, where that is not done yet; what came of it."""
    keys = OwnAccount.model_validate(integration.settings | await integrations.secrets(integration, PURPOSE))
    try:
        if not await _is_taken_up(integration, keys):
            await _take_up(integration, keys)
    except errors.Disconnected as error:
        return Outcome(IntegrationStatus.DISCONNECTED, str(error))
    except (errors.ProviderError, errors.Conflict) as error:
        return Outcome(IntegrationStatus.ERROR, str(error))
    return Outcome(IntegrationStatus.CONNECTED)


async def running(organization_id: UUID) -> str | None:
    """What still runs in the organization's own accounts, for a person; None where nothing does."""
    (found,) = await query(_RUNNING, organization_id)
    parts = [f"{number} {what}" for what, number in found.items() if number]
    return f"Goes on in the Stripe account: {', '.join(parts)}." if parts else None


_OWN = "organization_id = $1 AND stripe_account <> 'platform'"
_RUNNING = f"""
SELECT
    (SELECT count(*) FROM subscriptions WHERE {_OWN} AND ended_at IS NULL) AS "subscriptions",
    (SELECT count(*) FROM orders WHERE {_OWN} AND status = 'OPEN') AS "open orders",
    (SELECT count(*) FROM payments WHERE {_OWN} AND status = 'PROCESSING') AS "payments under way",
    (SELECT count(*) FROM refunds WHERE {_OWN} AND status = 'PENDING') AS "refunds under way",
    (SELECT count(*) FROM disputes WHERE {_OWN} AND status = 'OPEN') AS "open disputes"
"""  # noqa: S608  # names that stand there


async def _is_taken_up(integration: Integration, keys: OwnAccount) -> bool:
    """Whether sales are paid by just these keys."""
    row = await StripeAccount.get_or_none(organization_id=integration.organization_id, current=True, refused_at=None)
    if row is None or row.publishable_key != keys.publishable_key:
        return False
    known = await vault.open_several(row, ("secret_key", "webhook_secrets"), PURPOSE)
    given, signs = keys.secret_key.get_secret_value(), keys.webhook_secret
    return known["secret_key"] == given and (
        signs is None or signs.get_secret_value() == (known["webhook_secrets"] or "").split(",")[0]
    )


async def _take_up(integration: Integration, keys: OwnAccount) -> None:
    _must_be_allowed(keys)
    asked = outside().stripe.beside(keys)
    told = await asked.account()
    await _must_be_theirs(integration.organization_id, told.id)
    known = await StripeAccount.get_or_none(account=told.id, live=keys.live)
    endpoint_id, secrets = await _endpoint(integration, asked, keys, known)
    async with transaction():
        locked = await Integration.select_for_update().get(id=integration.id)
        if not locked.enabled or locked.configured_at != integration.configured_at:
            return  # changed meanwhile, which was promised to be taken up too
        now = await StripeAccount.get_or_none(account=told.id, live=keys.live)
        if now and now.version != (known.version if known else 0):
            return  # by the worker to whom that was promised, while we asked
        mine = StripeAccount.filter(organization_id=integration.organization_id)
        await mine.filter(current=True).select_for_update()
        row = known or StripeAccount(
            organization_id=integration.organization_id, account=told.id, live=keys.live, version=0
        )
        await mine.filter(current=True).exclude(id=row.id).update(current=False)
        row.update_from_dict({
            "current": True, "endpoint_id": endpoint_id, "version": row.version + 1, "refused_at": None,
            "publishable_key": keys.publishable_key, "name": _name(told),
        })  # fmt: skip
        vault.seal(row, "secret_key", keys.secret_key.get_secret_value())
        vault.seal(row, "webhook_secrets", ",".join(secrets))
        await row.save()
        for product in await Product.filter(organization_id=integration.organization_id, active=True):
            await later(catalogue_sync.push, product)
        after_commit(_forget)
    log.info("organization %s sells through Stripe account %s", integration.organization_id, told.id)


def _must_be_allowed(keys: OwnAccount) -> None:
    """Raises Conflict for keys that move real money anywhere but in production."""
    if keys.live and outside().settings.environment != "production":
        raise errors.Conflict(
            "These keys are live, and this installation is not in production: give keys of test mode."
        )


async def _must_be_theirs(organization_id: UUID, account: str) -> None:
    """Raises Conflict for the account of another organization, or of the platform: each event would come twice."""
    if await StripeAccount.filter(account=account).exclude(organization_id=organization_id).exists():
        raise errors.Conflict(f"Stripe account {account} is another organization's here: give each one of its own.")
    platform = outside().stripe
    try:
        its = (await platform.account()).id
    except (errors.ProviderError, errors.NotConfigured) as error:
        log.warning("the platform's own Stripe account is not known: %s", error)
        return
    if its == account:
        raise errors.Conflict("This is the account of the platform, which you sell through as long as this is off.")


async def _endpoint(
    integration: Integration, asked: Stripe, keys: OwnAccount, known: StripeAccount | None
) -> tuple[str | None, Sequence[str]]:
    """The webhook endpoint that we made, if any, and what signs the account's events, the newest first."""
    before = await vault.open(known, "webhook_secrets", PURPOSE) if known else None
    secrets = before.split(",") if before else []
    if keys.webhook_secret:
        given = keys.webhook_secret.get_secret_value()
        return None, [given, *(each for each in secrets if each != given)][:SECRETS_MOST]
    events = {"url": _url(integration), "enabled_events": sorted(inbox.HANDLERS)}
    try:
        if known and known.endpoint_id and secrets:
            try:
                await asked.update_webhook_endpoint(known.endpoint_id, events)
                return known.endpoint_id, secrets
            except errors.Gone:  # somebody deleted it at Stripe
                pass
        made = await _made(integration, asked, events)
    except errors.Refused as error:
        raise errors.Refused(f"{error} {_by_hand(integration)}") from error
    except errors.Disconnected as error:  # the key is good, as was seen
        raise errors.Refused(f"This key may not make webhook endpoints. {_by_hand(integration)}") from error
    assert made.secret is not None
    return made.id, [made.secret, *secrets][:SECRETS_MOST]


async def _made(integration: Integration, asked: Stripe, events: dict[str, Any]) -> stripe.WebhookEndpoint:
    """An endpoint with exactly the events that are handled. One at the same address whose secret nobody has is deleted:
    what it sends would never be taken."""
    request = events | {
        "api_version": API_VERSION, "description": "Comptoir",
        "metadata": {"organization": str(integration.organization_id)},
    }  # fmt: skip
    key = f"integration:{integration.id}:endpoint:{integration.configured_at.timestamp()}"
    made = await asked.create_webhook_endpoint(request, key)
    for other in await asked.webhook_endpoints():
        if other.url == events["url"] and other.id != made.id:
            await asked.delete_webhook_endpoint(other.id)
    return made


def _by_hand(integration: Integration) -> str:
    return f"Make the endpoint at Stripe, for {_url(integration)}, and give its signing secret (webhook_secret)."


def _url(integration: Integration) -> str:
    return f"{outside().settings.app_url}/webhooks/stripe/{integration.organization_id}"


def _name(told: stripe.Account) -> str | None:
    name = told.business_profile.name if told.business_profile else None
    return name[:200] if name else None


async def _forget() -> None:
    stripe_accounts.forget()
