"""Secrets at rest: opened where they were sealed and nowhere else, by any key still known, each opening logged."""

import base64
import os
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from errors import NotConfigured
from models import Integration, IntegrationSecret, Partner, Product
from models.database import transaction
from services import vault
from tests.security.surroundings import installed_with, neighbour
from tests.shop import Shop

SECRET = "clé-de-l'API-0123456789-0123456789"
FIRST, SECOND = (f"{id}:{base64.b64encode(os.urandom(32)).decode()}" for id in ("first", "second"))


@pytest.fixture
async def partner(shop: Shop) -> Partner:
    await shop.partner("fiscalis", apiKey="x" * 40)
    return await Partner.get(slug="fiscalis")


async def test_what_is_sealed_is_opened_again(partner: Partner) -> None:
    vault.seal(partner, "api_key", SECRET)
    await partner.save()

    again = await Partner.get(id=partner.id)

    assert SECRET not in again.api_key
    assert again.api_key.startswith("v1.k1.")
    assert await vault.open(again, "api_key", "a test") == SECRET


async def test_the_same_secret_is_never_sealed_the_same_way(partner: Partner) -> None:
    envelopes = set()
    for _ in range(100):
        vault.seal(partner, "api_key", SECRET)
        envelopes.add(partner.api_key)

    assert len(envelopes) == 100


async def test_an_empty_column_has_no_secret_and_no_opening(shop: Shop, partner: Partner) -> None:
    partner.api_key = None

    assert await vault.open(partner, "api_key", "a test") is None
    assert await shop.count("secret_openings") == 0


async def test_each_opening_is_logged_with_its_purpose(shop: Shop, partner: Partner) -> None:
    await vault.open(partner, "signing_secret", "notification msg_1")

    (opening,) = await shop.sql("SELECT * FROM secret_openings")
    assert (opening["table_name"], opening["row_id"], opening["field"]) == ("partners", partner.id, "signing_secret")
    assert (opening["key_id"], opening["purpose"]) == ("k1", "notification msg_1")
    assert opening["organization_id"] == shop.organization.id


async def test_an_envelope_that_was_moved_or_altered_is_not_opened(shop: Shop, partner: Partner) -> None:
    theirs = await neighbour(shop)
    await shop.partner("second", apiKey="y" * 40)
    await theirs.partner("fiscalis", apiKey="z" * 40)
    second = await Partner.get(slug="second")
    foreign = await Partner.get(organization=theirs.organization)
    product = Product(id=partner.id, organization_id=partner.organization_id)
    version, key_id, nonce, sealed = partner.api_key.split(".")
    altered = Partner(id=partner.id, organization_id=partner.organization_id)
    elsewhere = Partner(id=partner.id, organization_id=foreign.organization_id, api_key=partner.api_key)
    altered.api_key = ".".join((version, key_id, nonce, sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")))
    second.api_key = foreign.api_key = product.description = partner.api_key
    partner.signing_secret = partner.api_key

    for row, field in (
        (second, "api_key"),
        (foreign, "api_key"),
        (elsewhere, "api_key"),
        (product, "description"),
        (partner, "signing_secret"),
        (altered, "api_key"),
    ):
        with pytest.raises(NotConfigured) as refused:
            await vault.open(row, field, "a test")
        assert "xxxx" not in refused.value.message
    assert await shop.count("secret_openings", "opened") == 0


async def test_an_envelope_that_was_moved_raises_an_alarm_that_outlives_the_transaction(
    shop: Shop, partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = await neighbour(shop)
    await theirs.partner("fiscalis", apiKey="z" * 40)
    foreign = await Partner.get(organization=theirs.organization)
    await Partner.filter(id=partner.id).update(api_key=foreign.api_key)
    moved = await Partner.get(id=partner.id)

    with pytest.raises(NotConfigured, match=r"partners\.api_key of row .* moved there from elsewhere, or altered"):
        await vault.open(moved, "api_key", "a test")
    with pytest.raises(NotConfigured):
        async with transaction():
            await vault.open(moved, "api_key", "a transaction that fails")
    await vault.alarms_written()

    openings = await shop.sql("SELECT purpose, opened, organization_id FROM secret_openings ORDER BY id")
    assert [row["purpose"] for row in openings] == ["a test", "a transaction that fails"]
    assert {(row["opened"], row["organization_id"]) for row in openings} == {(False, shop.organization.id)}
    noted = await shop.sql("SELECT organization_id, after FROM audit_entries WHERE action = 'secretRefused'")
    assert [row["organization_id"] for row in noted] == [shop.organization.id] * 2
    alarms = [record for record in caplog.records if record.name == "comptoir.vault"]
    assert [record.levelname for record in alarms] == ["ERROR", "ERROR"]
    assert "zzzz" not in caplog.text
    assert moved.api_key not in caplog.text


async def test_an_integration_s_key_opens_for_its_own_provider_and_field_alone(shop: Shop) -> None:
    here = {"organization_id": shop.organization.id}
    now = datetime.now(UTC)
    integration = await Integration.create(provider="smtp", configured_at=now, **here)
    secret = IntegrationSecret(integration=integration, provider="smtp", field="password", rotated_at=now, **here)
    vault.seal(secret, "sealed", SECRET)
    await secret.save()
    assert await vault.open(secret, "sealed", "a test") == SECRET

    for changed in ({"provider": "s3"}, {"field": "user"}):
        elsewhere = IntegrationSecret(
            id=secret.id, integration_id=integration.id, sealed=secret.sealed,
            **{"provider": "smtp", "field": "password"} | changed, **here,
        )  # fmt: skip
        with pytest.raises(NotConfigured, match="altered"):
            await vault.open(elsewhere, "sealed", "a test")


def test_nothing_is_sealed_into_a_column_that_would_not_be_rotated(partner: Partner) -> None:
    with pytest.raises(TypeError, match=r"Partner\.name is not in SEALED"):
        vault.seal(partner, "name", SECRET)


async def test_after_a_new_key_the_old_ones_still_open_and_the_new_one_seals(shop: Shop, partner: Partner) -> None:
    async with installed_with(shop, comptoir_master_keys=SecretStr(FIRST)):
        vault.seal(partner, "api_key", SECRET)
    old = partner.api_key

    async with installed_with(shop, comptoir_master_keys=SecretStr(f"{SECOND}, {FIRST}")):
        opened = await vault.open(partner, "api_key", "a test")
        vault.seal(partner, "api_key", SECRET)
        assert await vault.open(partner, "api_key", "a test") == opened == SECRET

    assert (old.split(".")[1], partner.api_key.split(".")[1]) == ("first", "second")
    assert [row["key_id"] for row in await shop.sql("SELECT key_id FROM secret_openings ORDER BY id")] == [
        "first",
        "second",
    ]


async def test_a_missing_key_is_named_and_no_secret_shown(shop: Shop, partner: Partner) -> None:
    async with installed_with(shop, comptoir_master_keys=SecretStr(FIRST)):
        vault.seal(partner, "api_key", SECRET)

    async with installed_with(shop, comptoir_master_keys=SecretStr(SECOND)):
        with pytest.raises(NotConfigured) as refused:
            await vault.open(partner, "api_key", "a test")

    message = refused.value.message
    assert message == "COMPTOIR_MASTER_KEYS lacks key 'first', which sealed partners.api_key: put it back."
    for secret in (SECRET, FIRST.partition(":")[2], SECOND.partition(":")[2], partner.api_key):
        assert secret not in message


async def test_another_key_under_the_same_name_does_not_open(shop: Shop, partner: Partner) -> None:
    renamed = f"first:{SECOND.partition(':')[2]}"
    async with installed_with(shop, comptoir_master_keys=SecretStr(FIRST)):
        vault.seal(partner, "api_key", SECRET)

    async with installed_with(shop, comptoir_master_keys=SecretStr(renamed)):
        with pytest.raises(NotConfigured, match="'first'"):
            await vault.open(partner, "api_key", "a test")
