"""SMTP against a real server on loopback, one that can refuse at each step."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from errors import Disconnected, NotConfigured, Refused, Unavailable
from providers.smtp import Credentials, Security, Smtp

PASSWORD = "correct horse battery staple"


class Server:
    """Keeps what it receives; answers `refusal` at the step of that name."""

    def __init__(self, **refusal: str) -> None:
        self.received: list[Envelope] = []
        self._refusal = refusal

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._refusal.get("mail", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._refusal.get("rcpt", "250 OK") if "paul" in address else "250 OK"
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.received.append(envelope)
        return self._refusal.get("data", "250 OK")


@asynccontextmanager
async def listening(server: Server, **options: Any) -> AsyncIterator[int]:
    """The port where the server listens."""
    at = await asyncio.get_running_loop().create_server(
        lambda: SMTP(server, hostname="localhost", **options), "127.0.0.1", 0, ssl=options.pop("tls", None)
    )
    async with at:
        yield at.sockets[0].getsockname()[1]


def smtp(port: int, *, security: Security = "none", timeout: float = 20.0, **more: Any) -> Smtp:
    tls = more.pop("tls", None)
    return Smtp(Credentials(host="127.0.0.1", port=port, security=security, **more), timeout=timeout, tls=tls)


def message(to: str = "paul@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Comptoir é <factures@comptoir.example>"
    mail["To"] = to
    mail["Subject"] = "Votre facture é"
    mail["Message-ID"] = "<1@comptoir.example>"
    mail.set_content("Bonjour é")
    return mail


async def test_a_message_arrives_as_it_was() -> None:
    server = Server()
    async with listening(server) as port, smtp(port) as mailer:
        await mailer.check()
        await mailer.send(message())

    (envelope,) = server.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("factures@comptoir.example", ["paul@example.com"])
    assert isinstance(envelope.content, bytes)
    assert b"Message-ID: <1@comptoir.example>" in envelope.content


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_a_5xx_answer_is_final(step: str) -> None:
    async with listening(Server(**{step: "550 no such user"})) as port:
        with pytest.raises(Refused, match="550 no such user"):
            await smtp(port).send(message())


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_a_4xx_answer_says_later(step: str) -> None:
    async with listening(Server(**{step: "451 try later"})) as port:
        with pytest.raises(Unavailable, match="451 try later") as failure:
            await smtp(port).send(message())

    assert failure.value.answered


@pytest.mark.parametrize("line", [b"220-" + b"x" * 70 + b"\r\n", b"x" * 4096], ids=["lines", "no end of a line"])
async def test_a_greeting_without_end_is_not_read_to_its_end(line: bytes) -> None:
    sent: list[int] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            for _ in range(10_000):
                writer.write(line * 50)
                await writer.drain()
                sent.append(len(line) * 50)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        with pytest.raises(Unavailable):
            await smtp(server.sockets[0].getsockname()[1]).check()

    assert sum(sent) < 2**23


async def test_one_recipient_refused_among_several_is_told() -> None:
    server = Server(rcpt="550 no such user")
    async with listening(server) as port:
        with pytest.raises(Refused, match=r"paul@example\.com"):
            await smtp(port).send(message("marie@example.com, paul@example.com"))

    assert server.received[0].rcpt_tos == ["marie@example.com"]


async def test_accents_in_an_address_are_refused_by_a_server_that_cannot_carry_them() -> None:
    async with listening(Server()) as port:
        with pytest.raises(Refused, match="SMTPUTF8"):
            await smtp(port).send(message("élodie@example.com"))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_right_password_is_accepted_and_a_wrong_one_disconnects() -> None:
    def authenticator(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, credentials: object
    ) -> AuthResult:
        assert isinstance(credentials, LoginPassword)
        return AuthResult(success=credentials.password == PASSWORD.encode(), handled=False)

    server = Server()
    options = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": False}
    async with listening(server, **options) as port:
        await smtp(port, user="comptoir", password=SecretStr(PASSWORD)).send(message())
        with pytest.raises(Disconnected, match="535") as wrong:
            await smtp(port, user="comptoir", password=SecretStr("wrong horse")).check()
        with pytest.raises(Disconnected, match="530"):
            await smtp(port).send(message())

    assert len(server.received) == 1
    assert "horse" not in str(wrong.value)


async def test_starttls_is_never_skipped() -> None:
    server = Server()
    async with listening(server) as port:
        with pytest.raises(Disconnected, match="does not offer"):
            await smtp(port, security="starttls").send(message())

    assert server.received == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_message_goes_encrypted_to_a_server_with_a_trusted_name(security: Security, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    there, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    there.load_cert_chain(certificate)
    server = Server()
    options: dict[str, Any] = {"tls": there} if security == "tls" else {"tls_context": there, "require_starttls": True}

    async with listening(server, **options) as port:
        await smtp(port, security=security, tls=trusting).send(message())
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await smtp(port, security=security).send(message())

    assert len(server.received) == 1


async def test_over_a_connection_that_was_dialled_for_it_the_certificate_is_verified_too(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    there, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    there.load_cert_chain(certificate)
    server = Server()

    async def dial(host: str, port: int) -> socket.socket:
        return await asyncio.to_thread(_dialled, port)

    async with listening(server, tls_context=there, require_starttls=True) as port:
        to = Credentials(host="127.0.0.1", port=port)
        await Smtp(to, tls=trusting, dial=dial).send(message())
        with pytest.raises(Unavailable, match="certificate verify failed"):
            await Smtp(to, dial=dial).send(message())
        with pytest.raises(Unavailable, match="certificate verify failed"):  # of another name
            await Smtp(Credentials(host="smtp.example.com", port=port), tls=trusting, dial=dial).send(message())

    assert len(server.received) == 1


async def test_a_server_that_is_away_or_silent_is_unavailable() -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(Unavailable, match="did not answer"):
        await smtp(port, timeout=0.2).check()
    silent.close()

    with pytest.raises(Unavailable, match="did not answer"):
        await smtp(port).check()


async def test_without_a_host_the_first_use_names_the_setting() -> None:
    with pytest.raises(NotConfigured, match="SMTP_HOST"):
        await Smtp(Credentials(host=None)).send(message())


def _dialled(port: int) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port))
    opened.setblocking(False)
    return opened


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
