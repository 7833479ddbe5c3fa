"""`comptoir rotate-keys`: every secret moves to the first key, while others write and open; nothing is lost."""

import asyncio
import base64
import os
import subprocess
from contextvars import Context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from models import Integration, IntegrationSecret, OAuthGrant, Partner, User
from models.base import Row
from models.database import transaction
from services import generations, outside, rotation, tokens, vault
from settings import Settings
from tests.security.surroundings import installed_with
from tests.shop import Shop

COMPTOIR = Path(__file__).parent.parent.parent / "bin" / "comptoir"
NEW = f"new:{base64.b64encode(os.urandom(32)).decode()}"
MANY = 250  # more than two batches
ROUNDS = 8


def keys(settings: Settings, *, newest: str = NEW) -> str:
    return f"{newest},{settings.comptoir_master_keys.get_secret_value()}"


def key_of(row: Any, field: str) -> str:
    return str(getattr(row, field)).split(".")[1]


async def many(shop: Shop, number: int = MANY) -> list[Partner]:
    """Partners with two secrets each."""
    partners = []
    for n in range(number):
        partner = Partner(
            organization=shop.organization, slug=f"p{n}", name="P", brand_name="P", contact_email="p@example.com"
        )
        vault.seal(partner, "api_key", f"the api key of partner {n}")
        vault.seal(partner, "signing_secret", f"the signing secret of partner {n}")
        partners.append(partner)
    await Partner.bulk_create(partners)
    return partners


async def test_all_that_is_sealed_moves_to_the_first_key_and_opens(shop: Shop, settings: Settings) -> None:
    partners = await many(shop)
    now, here = datetime.now(UTC), {"organization_id": shop.organization.id}
    user = await User.get(email=shop.email)
    integration = await Integration.create(provider="smtp", configured_at=now, **here)
    secret = IntegrationSecret(integration=integration, provider="smtp", field="password", rotated_at=now, **here)
    grant = OAuthGrant(provider="google_calendar", scopes="", connected_at=now, **here)
    for row, field in ((user, "totp_secret"), (secret, "sealed"), (grant, "access_token"), (grant, "refresh_token")):
        vault.seal(row, field, f"a secret in {field}")
        await row.save()
    done: list[int] = []

    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))):
        assert sum(each.number for each in await rotation.left()) == 2 * MANY + 4
        assert await rotation.rotate(done.append) == []
        assert await rotation.left() == []
        assert await rotation.rotate(done.append) == []  # and nothing is left to be done
        assert max(done) <= rotation.BATCH and sum(done) == 2 * MANY + 4
    async with installed_with(shop, comptoir_master_keys=SecretStr(NEW)):  # without the old one
        for partner in (partners[0], partners[-1]):
            again = await Partner.get(id=partner.id)
            number = partner.slug.removeprefix("p")
            assert await vault.open(again, "api_key", "a test") == f"the api key of partner {number}"
        for model, field in ((User, "totp_secret"), (IntegrationSecret, "sealed"), (OAuthGrant, "refresh_token")):
            row: Row | None = await model.all().order_by("id").first()
            assert row and await vault.open(row, field, "a test") == f"a secret in {field}"


async def test_what_is_written_and_opened_meanwhile_is_neither_lost_nor_refused(shop: Shop, settings: Settings) -> None:
    partners = await many(shop)
    known = {partner.id: f"the api key of partner {n}" for n, partner in enumerate(partners)}
    over = asyncio.Event()

    async def write(step: int) -> None:
        """As the API does, which locks the row; some as a process that was not started again with the newer key."""
        number = step
        while not over.is_set():
            partner = partners[number % MANY]
            number += step
            async with transaction():
                row = await Partner.select_for_update().get(id=partner.id)
                newest_first = use(None)
                if not number % 3:
                    use(",".join(reversed(newest_first.split(","))))
                vault.seal(row, "api_key", f"written {number}")
                use(newest_first)
                await row.save(update_fields=["api_key"])
                known[row.id] = f"written {number}"

    async def read(step: int) -> None:
        number = step
        while not over.is_set():
            number += step
            row = await Partner.get(id=partners[number % MANY].id)
            opened = await vault.open_several(row, ("api_key", "signing_secret"), "a test")
            assert opened["signing_secret"] == f"the signing secret of partner {row.slug.removeprefix('p')}"

    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))):
        traffic = [asyncio.create_task(work(step)) for work in (write, read) for step in (7, 11, 13)]
        for _ in range(ROUNDS):  # to the one and back to the other
            use(",".join(reversed(use(None).split(","))))
            assert await rotation.rotate(lambda done: None) == []
        over.set()
        await asyncio.gather(*traffic)
        assert await rotation.rotate(lambda done: None) == []  # once nobody seals with the old key
        assert await rotation.left() == []
        for partner in await Partner.all():
            assert await vault.open(partner, "api_key", "a test") == known[partner.id]


async def test_a_row_that_is_locked_is_left_and_waited_for_by_nobody(shop: Shop, settings: Settings) -> None:
    (partner,) = await many(shop, 1)
    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))):
        async with transaction():
            await Partner.select_for_update().get(id=partner.id)
            rotating = asyncio.create_task(apart(rotation.rotate(lambda done: None)))
            await asyncio.sleep(rotation.PAUSE / 2)
            assert not rotating.done()
        assert await rotating == []
        assert await rotation.left() == []


def use(master_keys: str | None) -> str:
    """The keys of this process, after they are set to others, where some are given."""
    opened = outside.outside()
    if master_keys:
        opened.settings = opened.settings.model_copy(update={"comptoir_master_keys": SecretStr(master_keys)})
    return opened.settings.comptoir_master_keys.get_secret_value()


async def apart(work: Any) -> Any:
    """As another process does it: in no transaction of this one."""
    return await asyncio.get_running_loop().create_task(work, context=Context())


async def test_what_does_not_open_is_named_and_keeps_nothing_else(shop: Shop, settings: Settings) -> None:
    first, second = await many(shop, 2)
    await Partner.filter(id=first.id).update(api_key=second.api_key)

    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))):
        (trouble,) = await rotation.rotate(lambda done: None)

    assert trouble == f"partners.api_key of row {first.id} does not open with key 'k1'."
    assert key_of(await Partner.get(id=second.id), "api_key") == "new"


async def test_what_the_old_key_signed_is_good_as_long_as_it_is_there(shop: Shop, settings: Settings) -> None:
    link, _ = tokens.sign(tokens.PAY, {"order": "1"}, timedelta(days=1))

    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))) as installed:
        assert tokens.read(tokens.PAY, link)
        assert await installed("{ me { role } }") == {"role": "OWNER"}
        since, _ = tokens.sign(tokens.PAY, {"order": "1"}, timedelta(days=1))
    async with installed_with(shop, comptoir_master_keys=SecretStr(NEW)):
        assert tokens.read(tokens.PAY, link) is None
        assert tokens.read(tokens.PAY, since)


async def test_an_answer_that_was_kept_under_the_old_key_is_given_again(shop: Shop, settings: Settings) -> None:
    create = "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key } }"
    given = {"name": "ERP", "scopes": ["ORDERS_READ"], "idempotencyKey": "the same"}
    first = await shop(create, input=given)

    async with installed_with(shop, comptoir_master_keys=SecretStr(keys(settings))) as installed:
        assert await installed(create, input=given) == first
        await rotation.rotate(lambda done: None)
        assert await installed(create, input=given) == first


async def test_the_command_counts_rotates_and_says_when_a_key_may_go(shop: Shop, settings: Settings) -> None:
    await many(shop, 3)
    await generations.must_fit()

    counted = await run(settings, "--check")
    assert counted.returncode == 1
    assert "▸ partners.api_key: 3 sealed with k1\n" in counted.stdout
    assert "▸ k1: keep it\n" in counted.stdout

    rotated = await run(settings)
    assert rotated.returncode == 0, rotated.stderr
    assert "6/6" in rotated.stdout
    assert "▸ partners.api_key: 3 sealed with new\n" in rotated.stdout
    a_year_on = datetime.now(UTC) + timedelta(days=365)
    assert f"▸ k1: seals nothing any more. Take it away after {a_year_on:%Y-%m-%d}" in rotated.stdout
    assert (await run(settings, "--check")).returncode == 0


async def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"], "COMPTOIR_HOME": str(settings.comptoir_home), "COLUMNS": "200",
        "COMPTOIR_MASTER_KEYS": keys(settings), "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
    }  # fmt: skip
    return await asyncio.to_thread(
        subprocess.run, [COMPTOIR, "rotate-keys", *words], capture_output=True, text=True, env=given, timeout=60
    )
