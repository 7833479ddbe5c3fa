"""E-mail over SMTP (RFC 5321): any mail server, ours or a vendor's. One connection a message."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.message import EmailMessage
from functools import cache
from typing import Literal, Protocol, Self

import aiosmtplib
from email_validator import validate_email
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from errors import Disconnected, Invalid, NotConfigured, ProviderError, Refused, Unavailable
from providers import addresses
from providers.base import Provider, Surroundings
from providers.capabilities import Mailer
from providers.metrics import LETTERS, timed
from providers.offers import Category, Feature, Offer, Words, asked

Security = Literal["starttls", "tls", "none"]
Dial = Callable[[str, int], Awaitable[socket.socket]]

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


class OwnServer(Credentials):
    """The mail server of an organization: what its form asks for."""

    host: str = asked(
        Words("Serveur d'envoi", "Outgoing server"),
        Words(
            "Nom du serveur SMTP par lequel partent vos lettres.", "Name of the SMTP server that sends your letters."
        ),
        where=Words(
            "Dans l'aide de votre hébergeur, à « SMTP » ou « serveur sortant » : ssl0.ovh.net, smtp.gmail.com…",
            "In your host's help, under “SMTP” or “outgoing server”: ssl0.ovh.net, smtp.gmail.com…",
        ),
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9.:_-]+$",
    )
    port: int = asked(
        Words("Port", "Port"),
        Words("587 avec STARTTLS, 465 avec TLS.", "587 with STARTTLS, 465 with TLS."),
        where=Words("À côté du nom du serveur.", "Beside the server's name."),
        default=587,
        ge=1,
        le=65535,
    )
    security: Security = asked(
        Words("Chiffrement", "Encryption"),
        Words(
            "starttls ou tls : exigé, et le certificat est vérifié. none : en développement seulement.",
            "starttls or tls: demanded, and the certificate is verified. none: in development only.",
        ),
        where=Words("À côté du port ; 465 veut dire tls.", "Beside the port; 465 means tls."),
        default="starttls",
    )
    user: str | None = asked(
        Words("Identifiant", "User name"),
        Words("Pour s'identifier auprès du serveur.", "To sign in to the server."),
        where=Words("Souvent l'adresse e-mail entière.", "Often the whole e-mail address."),
        default=None,
        max_length=254,
    )
    password: SecretStr | None = asked(
        Words("Mot de passe", "Password"),
        Words("De cet identifiant.", "Of that user."),
        where=Words(
            "Celui de la boîte, ou un mot de passe d'application là où il y a deux facteurs.",
            "The mailbox's, or an application password where there are two factors.",
        ),
        default=None,
        max_length=500,
    )
    sender: str = asked(
        Words("Adresse d'expédition", "Sender's address"),
        Words(
            "Vos lettres viennent de cette adresse ; les réponses vont à l'adresse de contact.",
            "Your letters come from this address; answers go to the contact address.",
        ),
        where=Words(
            "Une adresse que ce serveur a le droit d'envoyer (SPF et DKIM de votre domaine).",
            "An address that this server may send for (SPF and DKIM of your domain).",
        ),
        max_length=254,
    )

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        # `.test` is reserved for tests and demonstrations (RFC 2606); nothing leaves for it
        return validate_email(value, check_deliverability=False, test_environment=True).normalized


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

    `tls` says whom to trust, where that is not the usual authorities; `dial` connects, where not everybody may be.
    """

    name, category = "SMTP", Category.INFRASTRUCTURE
    offer = Offer(
        does=Words(
            "Les lettres à vos clients partent par votre serveur, de votre adresse.",
            "Letters to your clients leave by your server, from your address.",
        ),
        needs=Words(
            "Une boîte chez votre hébergeur, et le droit d'envoyer pour son domaine.",
            "A mailbox at your host, and the right to send for its domain.",
        ),
        credentials=OwnServer,
        opens=(Feature.OWN_MAIL,),
    )

    def __init__(
        self,
        credentials: Credentials,
        *,
        timeout: float = TIMEOUT,
        tls: ssl.SSLContext | None = None,
        dial: Dial | None = None,
    ) -> None:
        super().__init__(credentials)
        self._timeout = timeout
        self._tls = tls
        self._dial = dial

    @classmethod
    def connect(cls, credentials: Credentials, surroundings: Surroundings) -> Self:
        """Raises Invalid for a server in a private network, or without encryption."""
        if surroundings.private:
            return cls(credentials)
        if credentials.security == "none":
            raise Invalid("Letters go encrypted: choose starttls or tls.", field="security")
        if not addresses.may_be_public(credentials.host or ""):
            raise Invalid("The server must be on the public internet.", field="host")
        return cls(credentials, dial=addresses.dial)

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
        try:
            dialled = await self._dial(to.host, to.port) if self._dial else None
        except OSError as error:
            raise self._told(error) from error
        server = aiosmtplib.SMTP(
            hostname=to.host,
            port=None if dialled else to.port,
            sock=dialled,
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
        if isinstance(error, addresses.AddressRefused):
            return Disconnected(f"{where}: {error}")
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
