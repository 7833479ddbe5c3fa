"""Documents in S3 or any store that speaks it (Amazon S3 API 2006-03-01, signature version 4)."""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from errors import Disconnected, Gone, Invalid, NotConfigured, ProviderError, Refused, Unavailable
from providers import addresses
from providers.base import Provider, Surroundings
from providers.capabilities import DocumentStore
from providers.offers import Category, Feature, Offer, Words
from providers.s3_settings import Addressing, Credentials, OwnBucket, S3Settings

TIMEOUT = 10.0  # seconds, to connect, and between two pieces of an answer
DEADLINE = 30.0  # seconds, one call with its second try
FILE_DEADLINE = 900.0  # seconds, one file that is not in memory
TRIES = 2
PIECE = 256 * 1024  # bytes of a document that are read at once
LARGEST = 50 * 2**20  # bytes of a document
LARGEST_FILE = 5 * 2**30  # of one that is not in memory; more is not put there at once
LARGEST_ANSWER = 2**18  # of any other answer
LONGEST_LIFE = timedelta(days=7)  # of a signed address (signature version 4)

# Damage or delay on the way, told as 400: the same request may pass.
IN_TRANSIT = ("RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch")
# The document itself is at fault. All else that is refused is a matter of keys, bucket and settings.
OF_THE_DOCUMENT = ("EntityTooLarge", "KeyTooLongError")

# Where botocore looks for a profile and its file: nowhere, so that our settings alone count.
_NO_FILES = {"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}

for _name in ("botocore", "aiobotocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # they log what they send, documents included


class S3(Provider[Credentials], DocumentStore):
    """A bucket. The keys need `s3:ListBucket`, `s3:GetObject` and `s3:PutObject`; `s3:DeleteObject` only where
    something sealed is kept (`delete`).

    Raises NotConfigured at the first use where it has no bucket or no keys.
    """

    name, category = "S3", Category.INFRASTRUCTURE
    offer = Offer(
        does=Words(
            "Chaque facture, une fois faite, est aussi déposée dans votre espace de stockage.",
            "Each invoice is also kept in your own bucket, once it is made.",
        ),
        needs=Words(
            "Un bucket chez Amazon ou un fournisseur compatible S3, et une clé qui peut y écrire.",
            "A bucket at Amazon or a store that speaks S3, and a key that may write to it.",
        ),
        credentials=OwnBucket,
        opens=(Feature.OWN_ARCHIVE,),
    )

    def __init__(
        self, credentials: Credentials, *, timeout: float = TIMEOUT, tries: int = TRIES, public_only: bool = False
    ) -> None:
        """`public_only`: nothing in a private network is dialled."""
        super().__init__(credentials)
        self._timeout, self._tries = timeout, tries
        self._dialling = {"socket_factory": addresses.public_socket} if public_only else {}
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: Any = None

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        """Raises Invalid for a store in a private network, or without TLS."""
        at = urlsplit(credentials.endpoint_url or "https://amazonaws.com")
        if not surroundings.private and at.scheme != "https":
            raise Invalid("The address must begin with https://.", field="endpoint_url")
        if not surroundings.private and not addresses.may_be_public(at.hostname or ""):
            raise Invalid("The address must be on the public internet.", field="endpoint_url")
        return cls(credentials, public_only=not surroundings.private)

    @classmethod
    def from_settings(cls, settings: S3Settings) -> Self:
        return cls(
            Credentials(
                bucket=settings.s3_bucket,
                region=settings.s3_region,
                endpoint_url=settings.s3_endpoint_url,
                access_key_id=settings.s3_access_key_id,
                secret_access_key=settings.s3_secret_access_key,
                prefix=settings.s3_prefix,
                addressing=settings.s3_addressing,
            )
        )

    async def check(self) -> None:
        """Look whether the bucket is there and ours (HeadBucket)."""
        async with self._asked() as client:
            await client.head_bucket(Bucket=self.credentials.bucket)

    async def save(self, key: str, content: bytes, content_type: str) -> str:
        """Also where a store takes no notice of the condition, only two who save at once could replace each other."""
        return await self._save(key, content, hashlib.sha256(content).hexdigest(), content_type)

    async def save_file(self, key: str, path: Path, content_type: str) -> str:
        """5 GB at most, as S3 takes it at once."""
        with path.open("rb") as file:
            digest = await asyncio.to_thread(lambda: hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            return await self._save(key, file, digest, content_type, deadline=FILE_DEADLINE)

    async def _save(
        self, key: str, content: bytes | IO[bytes], digest: str, content_type: str, *, deadline: float = DEADLINE
    ) -> str:
        kept = await self.digest(key)
        if kept is not None:
            return kept
        async with self._asked(deadline) as client:
            try:
                await client.put_object(
                    **self._place(key),
                    Body=content,
                    ContentType=content_type,
                    Metadata={"sha256": digest},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if _status(error) != 412:  # somebody was quicker
                    raise
                return hashlib.sha256(await self.load(key)).hexdigest()
        return digest

    async def load(self, key: str) -> bytes:
        async with self._asked() as client:
            found = await client.get_object(**self._place(key))
            async with found["Body"] as body:
                if found.get("ContentLength", 0) > LARGEST:
                    raise Refused(f"{key} holds more than {LARGEST // 2**20} MB")
                return b"".join([piece async for piece in _pieces(body, key, LARGEST)])

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        async with self._asked(FILE_DEADLINE) as client:
            found = await client.get_object(**self._place(key))
            async with found["Body"] as body:
                async for piece in _pieces(body, key, LARGEST_FILE):
                    yield piece

    async def digest(self, key: str) -> str | None:
        async with self._asked() as client:
            try:
                found = await client.head_object(**self._place(key))
            except ClientError as error:
                if _status(error) == 404:
                    return None
                raise
        told: str | None = found["Metadata"].get("sha256")  # put there by `save`, not by other tools
        return told or hashlib.sha256(await self.load(key)).hexdigest()

    async def link(self, key: str, *, filename: str, content_type: str, life: timedelta) -> str:
        """A signed address; nothing is asked of the store. `life` is seven days at most."""
        if life > LONGEST_LIFE:
            raise ValueError(f"a signed address lives {LONGEST_LIFE.days} days at most")
        shown = {"ResponseContentType": content_type, "ResponseContentDisposition": f'inline; filename="{filename}"'}
        async with self._asked() as client:
            address: str = await client.generate_presigned_url(
                "get_object", Params=self._place(key) | shown, ExpiresIn=int(life.total_seconds())
            )
        return address

    async def delete(self, key: str) -> None:
        """Needs `s3:DeleteObject`, for what is sealed alone: `*/sealed/*`."""
        async with self._asked() as client:
            await client.delete_object(**self._place(key))

    async def close(self) -> None:
        await self._opened.aclose()

    def _place(self, key: str) -> dict[str, Any]:
        prefix = self.credentials.prefix
        return {"Bucket": self.credentials.bucket, "Key": f"{prefix}/{key}" if prefix else key}

    @asynccontextmanager
    async def _asked(self, deadline: float = DEADLINE) -> AsyncIterator[Any]:
        """The client, for one call; what goes wrong is told as a ProviderError."""
        client = await self._connected()
        try:
            async with asyncio.timeout(deadline):
                yield client
        except (BotoCoreError, ClientError, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise self._told(error) from error

    async def _connected(self) -> Any:
        """The one client of this process: making it takes a tenth of a second."""
        async with self._opening:
            if self._client is None:
                self._client = await self._opened.enter_async_context(self._new_client())
        return self._client

    def _new_client(self) -> Any:
        to = self.credentials
        if not to.bucket or not to.access_key_id or not to.secret_access_key:
            raise NotConfigured(
                "Set S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY in the environment and restart."
            )
        return AioSession(_NO_FILES).create_client(
            "s3",
            region_name=to.region,
            endpoint_url=to.endpoint_url,
            aws_access_key_id=to.access_key_id,
            aws_secret_access_key=to.secret_access_key.get_secret_value(),
            config=AioConfig(
                signature_version="s3v4",
                s3={"addressing_style": _style(to), "payload_signing_enabled": True},  # the store checks SHA-256
                request_checksum_calculation="when_required",  # the newer checksums are Amazon's alone
                response_checksum_validation="when_required",
                ignore_configured_endpoint_urls=True,
                connect_timeout=self._timeout,
                read_timeout=self._timeout,
                retries={"mode": "standard", "total_max_attempts": self._tries},
                max_pool_connections=20,
                connector_args=self._dialling,
                http_session_cls=_Measured,
            ),
        )

    def _told(self, error: Exception) -> ProviderError:
        """Which it is: a document is hardly ever at fault, and what an operator can mend is never given up."""
        where = f"S3, bucket {self.credentials.bucket}"
        if self._dialling and addresses.was_refused(error):
            return Disconnected(f"{where}: {addresses.NOWHERE}")
        if not isinstance(error, ClientError):
            return Unavailable(self.without_secrets(f"{where} did not answer: {type(error).__name__} {error}"))
        status, code = _status(error), error.response["Error"].get("Code", "")
        what = self.without_secrets(f"{where}: {error}")
        if code == "NoSuchKey":
            return Gone(what)
        if code in OF_THE_DOCUMENT:
            return Refused(what)
        if status in (408, 409, 429) or status >= 500 or code in IN_TRANSIT:
            return Unavailable(what, answered=True)
        return Disconnected(what)


class _Measured(AIOHTTPSession):  # type: ignore[misc]
    """Reads answers, but for documents, to a size: a server that somebody named may send without end."""

    async def send(self, request: Any) -> Any:
        is_document, request.stream_output = request.stream_output, True  # nothing is read by itself
        response = await super().send(request)
        if not is_document or response.status_code >= 300:
            response._content = await self._read(request, response.raw)
        return response

    async def _read(self, request: Any, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        try:
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    answer.close()
                    raise Unavailable(f"The store answered more than {LARGEST_ANSWER // 2**10} kB", answered=True)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
        return bytes(body)


async def _pieces(body: Any, key: str, most: int) -> AsyncIterator[bytes]:
    """A document, whatever its length was said to be. Raises Refused for one that is longer than may be."""
    read = 0
    async for piece in body.iter_chunks(PIECE):
        read += len(piece)
        if read > most:
            raise Refused(f"{key} holds more than {most // 2**20} MB")
        yield piece


def _style(to: Credentials) -> Addressing:
    """Not botocore's own "auto", whose signed addresses go by Amazon's global endpoint, which redirects.

    No certificate fits a host with one more dot.
    """
    if to.addressing != "auto":
        return to.addressing
    return "path" if to.endpoint_url or "." in str(to.bucket) else "virtual"


def _status(error: ClientError) -> int:
    status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status
