"""Servers that people name are dialled on the public internet alone, whatever their names lead to."""

import pytest
from pydantic import SecretStr

from errors import Disconnected, Invalid
from providers import addresses
from providers.base import Surroundings
from providers.s3 import S3
from providers.s3_settings import OwnBucket
from providers.smtp import OwnServer, Smtp

PUBLIC = Surroundings()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "169.254.169.254", "10.0.0.1", "0.0.0.0"])
async def test_nothing_but_the_public_internet_is_dialled(host: str) -> None:
    with pytest.raises(addresses.AddressRefused):
        await addresses.dial(host, 25)


async def test_a_mail_server_whose_name_leads_home_is_not_dialled() -> None:
    own = OwnServer(host="localhost", sender="a@example.com")
    with pytest.raises(Disconnected, match="public internet"):
        await Smtp(own, dial=addresses.dial).check()
    with pytest.raises(Invalid):
        Smtp.connect(own, PUBLIC)


async def test_a_name_that_nobody_knows_is_told_like_one_that_leads_home() -> None:
    said = []
    for host in ("localhost", "there-is-no.invalid"):
        own = OwnServer(host=host, sender="a@example.com")
        with pytest.raises(Disconnected) as refused:
            await Smtp(own, dial=addresses.dial).check()
        said.append(str(refused.value).replace(host, ""))
        bucket = OwnBucket(
            bucket="b", access_key_id="a", secret_access_key=SecretStr("s"), endpoint_url=f"https://{host}:9000",
        )  # fmt: skip
        async with S3(bucket, public_only=True, tries=1) as store:
            with pytest.raises(Disconnected) as refused:
                await store.check()
        said.append(str(refused.value))

    assert said[:2] == said[2:]


async def test_a_bucket_whose_name_leads_home_is_not_dialled() -> None:
    own = OwnBucket(
        bucket="b", access_key_id="a", secret_access_key=SecretStr("s"), endpoint_url="https://localhost:9000",
    )  # fmt: skip
    async with S3(own, public_only=True, tries=1) as store:
        with pytest.raises(Disconnected, match="public internet"):
            await store.check()
    with pytest.raises(Invalid):
        S3.connect(own, PUBLIC)
