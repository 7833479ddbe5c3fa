"""An S3 of our own (moto), and buckets in it. Started once by each process that asks for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from providers.s3 import S3
from providers.s3_settings import Credentials

ACCESS_KEY_ID = "AKIATESTCOMPTOIR"
SECRET_ACCESS_KEY = "a-secret-access-key-that-nobody-may-read"
HERE = "<CreateBucketConfiguration><LocationConstraint>eu-west-3</LocationConstraint></CreateBucketConfiguration>"


@dataclass(frozen=True)
class Bucket:
    """A bucket. Moto looks whether a request is signed, and not by whom."""

    endpoint_url: str
    name: str

    @classmethod
    def make(cls, endpoint_url: str) -> "Bucket":
        bucket = cls(endpoint_url, f"documents-{uuid4().hex[:12]}")
        httpx.put(bucket.url, content=HERE).raise_for_status()
        return bucket

    @property
    def url(self) -> str:
        return f"{self.endpoint_url}/{self.name}"

    @property
    def settings(self) -> dict[str, Any]:
        """Those of an installation that keeps its documents here."""
        return {
            "s3_bucket": self.name,
            "s3_endpoint_url": self.endpoint_url,
            "s3_access_key_id": ACCESS_KEY_ID,
            "s3_secret_access_key": SecretStr(SECRET_ACCESS_KEY),
            "s3_addressing": "path",
        }

    def store(self, *, timeout: float = 10, tries: int = 1, **changes: Any) -> S3:
        given = {name.removeprefix("s3_"): value for name, value in self.settings.items()}
        return S3(Credentials(**given | changes), timeout=timeout, tries=tries)

    def get(self, key: str, *, signed: bool = True) -> httpx.Response:
        headers = {"Authorization": f"AWS {ACCESS_KEY_ID}:"} if signed else {}
        return httpx.get(f"{self.url}/{key}", headers=headers)

    def put(self, key: str, content: bytes) -> None:
        httpx.put(f"{self.url}/{key}", content=content).raise_for_status()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """For the time of the block no key is known."""
        allowed = f"{self.endpoint_url}/moto-api/reset-auth"
        httpx.post(allowed, content="0").raise_for_status()
        try:
            yield
        finally:
            httpx.post(allowed, content="inf").raise_for_status()


def opened(link: str) -> httpx.Response:
    """What a browser or a program gets that has nothing but the link."""
    return httpx.get(link)


@contextmanager
def served() -> Iterator[str]:
    """The address of the server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
