"""Master keys: from the environment or a file, and no start with others than those that sealed what is there."""

import asyncio
import base64
import os
import subprocess
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from errors import NotConfigured
from models import KeyGeneration, Partner
from services import generations, vault
from services.keys import parse_master_keys
from settings import Settings
from tests.security.surroundings import installed_with
from tests.shop import Shop

COMPTOIR = Path(__file__).parent.parent.parent / "bin" / "comptoir"
FIRST, SECOND = (f"{id}:{base64.b64encode(os.urandom(32)).decode()}" for id in ("first", "second"))
FIRST_MISTAKEN = f"first:{SECOND.partition(':')[2]}"


async def seen(shop: Shop, keys: str) -> None:
    """A process starts with these."""
    async with installed_with(shop, comptoir_master_keys=SecretStr(keys)):
        await generations.must_fit()


async def keeps_a_secret(shop: Shop, keys: str) -> None:
    """A process seals one with these."""
    await shop.partner("fiscalis")
    partner = await Partner.get(slug="fiscalis")
    async with installed_with(shop, comptoir_master_keys=SecretStr(keys)):
        vault.seal(partner, "api_key", "x" * 40)
    await partner.save(update_fields=["api_key"])


async def test_keys_that_sealed_what_is_there_are_taken_in_any_order(shop: Shop) -> None:
    await seen(shop, FIRST)
    await keeps_a_secret(shop, FIRST)

    await seen(shop, f"{FIRST},{SECOND}")
    await seen(shop, f"{SECOND}\n{FIRST}\n")

    rows = {each.key_id: each for each in await KeyGeneration.all()}
    assert set(rows) == {"first", "second"}
    assert rows["first"].sealing_since and rows["second"].sealing_since
    assert rows["first"].sealing_since < rows["second"].sealing_since


async def test_a_missing_key_that_sealed_something_is_named(shop: Shop) -> None:
    await seen(shop, FIRST)
    await keeps_a_secret(shop, FIRST)

    with pytest.raises(NotConfigured) as refused:
        await seen(shop, SECOND)

    told = "COMPTOIR_MASTER_KEYS lacks 'first', which sealed 1 of partners.api_key: put it back"
    assert refused.value.message.startswith(told)


async def test_a_missing_key_that_sealed_nothing_any_more_is_not_missed(shop: Shop) -> None:
    await seen(shop, FIRST)
    await seen(shop, SECOND)


async def test_another_key_of_the_same_id_is_named(shop: Shop) -> None:
    await seen(shop, FIRST)

    with pytest.raises(NotConfigured, match="'first' is another key than the one that was 'first' before") as refused:
        await seen(shop, FIRST_MISTAKEN)
    assert SECOND.partition(":")[2] not in refused.value.message


async def test_a_generation_from_before_they_were_remembered_is_proven_by_what_it_sealed(shop: Shop) -> None:
    await keeps_a_secret(shop, FIRST)
    await KeyGeneration.create(key_id="first")

    with pytest.raises(NotConfigured, match="'first' is another key"):
        await seen(shop, FIRST_MISTAKEN)
    await seen(shop, FIRST)


async def test_two_keys_of_one_id_are_refused_and_the_same_twice_is_one() -> None:
    with pytest.raises(NotConfigured, match="two keys of the id 'first'"):
        parse_master_keys(f"{FIRST},{FIRST_MISTAKEN}")
    assert list(parse_master_keys(f"{FIRST},{FIRST},{SECOND}")) == ["first", "second"]


@pytest.mark.parametrize("command", ["serve", "worker", "doctor"])
async def test_nothing_starts_with_a_key_missing_and_the_sentence_names_it(
    shop: Shop, settings: Settings, command: str
) -> None:
    await seen(shop, FIRST)
    await keeps_a_secret(shop, FIRST)

    done = await asyncio.to_thread(
        subprocess.run, [COMPTOIR, command], capture_output=True, text=True, timeout=60,
        env={
            "PATH": os.environ["PATH"], "COMPTOIR_HOME": str(settings.comptoir_home), "COMPTOIR_MASTER_KEYS": SECOND,
            "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
        },
    )  # fmt: skip

    assert done.returncode == 1
    assert "error: COMPTOIR_MASTER_KEYS lacks 'first', which sealed 1 of partners.api_key" in done.stderr
    assert "Traceback" not in done.stderr
    assert SECOND.partition(":")[2] not in done.stderr


async def test_a_process_that_found_no_database_is_not_ready_before_its_keys_fit(shop: Shop) -> None:
    await seen(shop, FIRST)
    await keeps_a_secret(shop, FIRST)

    async with installed_with(shop, comptoir_master_keys=SecretStr(SECOND)) as installed:
        answer = await installed.http.get("/readyz")

    assert answer.status_code == 503
    assert [each["what"] for each in answer.json()["missing"]] == ["keys"]


def test_keys_may_come_from_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{FIRST}\n{SECOND}\n")
    file.chmod(0o600)

    assert list(parse_master_keys(of_file(file).comptoir_master_keys.get_secret_value())) == ["first", "second"]


@pytest.mark.parametrize(
    ("mode", "content", "why"),
    [
        (0o604, FIRST, "chmod 600"),
        (0o620, FIRST, "chmod 600"),
        (0o600, "é", "something else than keys"),
        (0o600, "x" * 70_000, "longer than"),
        (None, "", "cannot be read"),
    ],
    ids=["read by all", "written by the group", "no keys", "too long", "not there"],
)
def test_a_file_that_is_no_file_of_keys_is_refused(tmp_path: Path, mode: int | None, content: str, why: str) -> None:
    file = tmp_path / "keys"
    if mode is not None:
        file.write_text(content)
        file.chmod(mode)

    with pytest.raises(ValidationError, match=why):
        of_file(file)


def test_keys_and_a_file_of_keys_are_not_given_together(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="both set"):
        of_file(tmp_path / "keys", comptoir_master_keys=FIRST)


def of_file(file: Path, **more: str) -> Settings:
    return Settings(
        _env_file=None, database_url="postgres://x", redis_url="redis://x", comptoir_master_keys_file=file, **more
    )  # type: ignore[call-arg]
