"""E-mail over SMTP (RFC 5321): any mail server, ours or a vendor's. One connection a message."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from functools import cache
from typing import Literal, Protocol, Self

import aiosmtplib
from pydantic import BaseModel, ConfigDict, SecretStr

from errors import Disconnected, NotConfigured, ProviderError, Refused, Unavailable
from providers.base import Category, Provider
from providers.capabilities import Mailer
from providers.metrics import LETTERS, timed

Security = Literal["starttls", "tls", "none"]

TIMEOUT = 20.0  # seconds, each command
DEADLINE = 60.0  # seconds, the whole conversation
NOT_ALLOWED = (530, 534, 535, 538)  # authentication required, too weak, wrong, or wanting encryption (RFC 4954)


class Credentials(BaseModel):
    """`security`: STARTTLS is demanded, never merely tried; "tls" from the first byte; "none" for loopback."""

    model_config = ConfigDict(frozen=True)

    host: str | None
    port: int = 587
    user: str | None = None
    password: SecretStr | None = None
    security: Security = "starttls"


class SmtpSettings(Protocol):
    """The settings that say which server: `SMTP_HOST` and its kin."""

    @property
    def smtp_host(self) -> str | None: ...
    @property
    def smtp_port(self) -> int: ...
    @property
    def smtp_user(self) -> str | None: ...
    @property
    def smtp_password(self) -> SecretStr | None: ...
    @property
    def smtp_security(self) -> Security: ...


class Smtp(Provider[Credentials], Mailer):
    """A mail server. Raises NotConfigured at the first use where it has no host.

    `tls` says whom to trust, where that is not the usual authorities.
    """

    name, category = "SMTP", Category.INFRASTRUCTURE

    def __init__(
        self, credentials: Credentials, *, timeout: float = TIMEOUT, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(credentials)
        self._timeout = timeout
        self._tls = tls

    @classmethod
    def from_settings(cls, settings: SmtpSettings) -> Self:
        return cls(
            Credentials(
                host=settings.smtp_host,
                port=settings.smtp_port,
                user=settings.smtp_user,
                password=settings.smtp_password,
                security=settings.smtp_security,
            )
        )

    async def check(self) -> None:
        """Connect, sign in, and say nothing."""
        async with self._connection() as server:
            await server.noop()

    async def send(self, message: EmailMessage) -> None:
        """Hand the message to the server, for everyone in To, Cc and Bcc."""
        with timed(LETTERS):
            await self._send(message)

    async def _send(self, message: EmailMessage) -> None:
        async with self._connection() as server:
            refused, _ = await server.send_message(message)
            if refused:
                raise Refused(self.without_secrets(f"Some recipients were refused: {refused}"))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        to = self.credentials
        if not to.host:
            raise NotConfigured("SMTP_HOST is not set. Set it in the environment and restart.")
        server = aiosmtplib.SMTP(
            hostname=to.host,
            port=to.port,
            username=to.user,
            password=to.password.get_secret_value() if to.password else None,
            use_tls=to.security == "tls",
            start_tls=to.security == "starttls",
            tls_context=self._tls,
            timeout=self._timeout,
            local_hostname=await asyncio.to_thread(_own_name),
        )
        try:
            async with asyncio.timeout(DEADLINE), server:
                yield server
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError and TLS's errors are OSErrors
            raise self._told(error) from error

    def _told(self, error: Exception) -> ProviderError:
        """Which of the three it is: 5xx is final, 4xx and silence are not (RFC 5321 4.2.1)."""
        where = f"{self.credentials.host}:{self.credentials.port}"
        if isinstance(error, aiosmtplib.SMTPNotSupported):  # accents in an address
            return Refused(self.without_secrets(f"{where}: {error}"))
        if type(error) is aiosmtplib.SMTPException:  # no STARTTLS, or no AUTH
            return Disconnected(self.without_secrets(f"{where} does not offer what its settings ask for: {error}"))
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            codes = [(recipient.code, recipient.message) for recipient in error.recipients]
            code, text = min(codes)  # one that may be accepted later is enough to try again
        elif isinstance(error, aiosmtplib.SMTPResponseException):
            code, text = error.code, error.message
        else:
            return Unavailable(self.without_secrets(f"{where} did not answer: {type(error).__name__} {error}"))
        what = self.without_secrets(f"{where}: {code} {text}")
        if code in NOT_ALLOWED:
            return Disconnected(what)
        return Refused(what) if code >= 500 else Unavailable(what, answered=True)


@cache
def _own_name() -> str:
    """Our name for EHLO. Asked once: a slow resolver would be waited for at each message."""
    return socket.getfqdn()
