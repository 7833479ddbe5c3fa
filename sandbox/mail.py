"""A mail server that keeps what it is sent and passes nothing on."""

import asyncio
import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.store import Store, Thing

HOST = "127.0.0.1"
LARGEST = 25 * 1024 * 1024
IDLE = 60.0


@dataclass(frozen=True)
class Mail:
    """One message received. `at` in unix seconds, `number` counted from 1."""

    number: int
    at: float
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @functools.cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def attachments(self) -> list[EmailMessage]:
        return list(self.message.iter_attachments())

    def body(self, kind: str) -> str | None:
        """The text of its `html` or `plain` part."""
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else None


class MailSink:
    def __init__(self, store: Store, clock: Callable[[], float], keep: int) -> None:
        self._store = store
        self._clock = clock
        self._keep = keep
        self._messages = deque((_mail(thing) for thing in store.all("mail")), maxlen=keep)
        self._refusals: list[int] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def messages(self) -> list[Mail]:
        """What was received, newest last."""
        return list(self._messages)

    def to(self, address: str) -> list[Mail]:
        """What was received for an address, newest last."""
        return [mail for mail in self._messages if address in mail.recipients]

    def find(self, number: int) -> Mail | None:
        return next((mail for mail in self._messages if mail.number == number), None)

    def refuse_next(self, code: int = 451, times: int = 1) -> None:
        """Answer the next messages with this SMTP code instead of keeping them."""
        self._refusals += [code] * times

    async def start(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(functools.partial(self._protocol, loop), HOST, port)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._refusals:
            return f"{self._refusals.pop(0)} Refused, as the sandbox was told to"
        number = self._messages[-1].number + 1 if self._messages else 1
        recipients = tuple(envelope.rcpt_tos)
        mail = Mail(
            number, self._clock(), envelope.mail_from or "", recipients, bytes(envelope.original_content or b"")
        )
        self._messages.append(mail)
        self._store.put("mail", str(number), _thing(mail), limit=self._keep)
        return "250 Kept in the sandbox"

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SMTP(
            self,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="sandbox",
            ident="Sandbox",
            timeout=IDLE,
            loop=loop,
        )


def _thing(mail: Mail) -> Thing:
    # latin-1 gives back the same bytes, whatever they are.
    return {
        "number": mail.number,
        "at": mail.at,
        "sender": mail.sender,
        "recipients": mail.recipients,
        "raw": mail.raw.decode("latin-1"),
    }


def _mail(thing: Thing) -> Mail:
    raw = thing["raw"].encode("latin-1")
    return Mail(thing["number"], thing["at"], thing["sender"], tuple(thing["recipients"]), raw)
