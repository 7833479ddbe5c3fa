"""What Google's APIs have in common: where they are, who asks, and their own client, which blocks, run in threads.

https://developers.google.com/identity/protocols/oauth2/service-account,
https://developers.google.com/workspace/calendar/api/guides/errors
"""

import asyncio
import http.client as http_client
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar

import httplib2
import orjson
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.oauth2 import service_account
from google_auth_httplib2 import Request
from googleapiclient.errors import HttpError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from errors import Changed, Disconnected, Gone, NotConfigured, ProviderError, Refused, SyncExpired, Unavailable
from providers.base import seconds_to_wait
from providers.offers import Words, asked

TIMEOUT = 10.0  # seconds, each time that the other side says nothing
DEADLINE = 30.0  # seconds, from asking for a call to its answer, the wait for a thread included
THREADS = 16  # calls at the same time, of the whole process
WAITING = 240  # calls that may wait for a thread
KEYS_KEPT = 256  # service accounts whose access token is kept
QUOTA_WINDOW = 60.0  # seconds: Google counts requests by the minute

QUOTA = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "calendarLimitsExceeded"}
NO_ACCESS = {"insufficientPermissions", "accessNotConfigured", "authError", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}

T = TypeVar("T")
Json = dict[str, Any]

logging.getLogger("googleapiclient.http").setLevel(
    logging.ERROR
)  # what it warns of is raised, and its text is not ours


class Duplicate(Refused):
    """What was to be made is there already, or was once."""


class Addresses(NamedTuple):
    """Where Google is spoken to."""

    api: str = "https://www.googleapis.com"
    authorize: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token: str = "https://oauth2.googleapis.com/token"  # noqa: S105
    revoke: str = "https://oauth2.googleapis.com/revoke"


def addresses(base: str | None) -> Addresses:
    """Google's own, or its stand-in's at `base` (setting GOOGLE_API_BASE)."""
    if not base:
        return Addresses()
    return Addresses(base, f"{base}/o/oauth2/v2/auth", f"{base}/token", f"{base}/revoke")


class ServiceAccount(BaseModel):
    """A service account's key. Without a `subject` it has calendars that are shared with it, and invites nobody."""

    model_config = ConfigDict(frozen=True)

    service_account_email: str | None = Field(
        None, title="Service account", description="Its address, …@….iam.gserviceaccount.com", max_length=320
    )
    private_key: SecretStr | None = Field(
        None,
        title="Private key",
        description="`private_key` of the account's JSON file, from -----BEGIN to END PRIVATE KEY-----",
        max_length=10_000,
    )
    subject: str | None = Field(
        None,
        title="Acts for",
        description="Address of the person it acts for, where the domain delegates that; empty elsewhere",
        max_length=320,
    )

    @field_validator("private_key")
    @classmethod
    def _line_breaks(cls, value: SecretStr | None) -> SecretStr | None:
        """As the JSON file and most environments write them: a backslash and an n."""
        return SecretStr(value.get_secret_value().strip(' "').replace("\\n", "\n")) if value else None


class OwnAccount(ServiceAccount):
    """The service account of an organization: what its form asks for."""

    service_account_email: str = asked(
        Words("Compte de service", "Service account"),
        Words("Vos agendas sont partagés avec cette adresse.", "Your calendars are shared with this address."),
        where=Words(
            "Google Cloud → IAM et administration → Comptes de service : …@….iam.gserviceaccount.com",
            "Google Cloud → IAM & Admin → Service accounts: …@….iam.gserviceaccount.com",
        ),
        pattern=r"^[^@\s]+@[^@\s]+$",
        max_length=320,
    )
    private_key: SecretStr = asked(
        Words("Clé privée", "Private key"),
        Words("Prouve que c'est bien ce compte.", "Proves that it is this account."),
        where=Words(
            "Compte de service → Clés → Ajouter une clé → JSON : `private_key`, de -----BEGIN à END PRIVATE KEY-----",
            "Service account → Keys → Add key → JSON: `private_key`, from -----BEGIN to END PRIVATE KEY-----",
        ),
        min_length=1,
        max_length=10_000,
    )
    subject: str | None = asked(
        Words("Agit pour", "Acts for"),
        Words(
            "Personne au nom de qui il agit et invite, là où le domaine le délègue ; sinon rien.",
            "The person in whose name it acts and invites, where the domain delegates that; else nothing.",
        ),
        where=Words(
            "Console d'administration Google → Sécurité → Délégation au niveau du domaine",
            "Google Admin console → Security → Domain-wide delegation",
        ),
        default=None,
        max_length=320,
    )


class AccessToken(BaseModel):
    """Of a person who agreed (OAuth 2). It is good for an hour, and somebody else renews it."""

    model_config = ConfigDict(frozen=True)

    access_token: SecretStr


Credentials = ServiceAccount | AccessToken


class Token(Protocol):
    """What a call is authorized by."""

    def get(self, http: httplib2.Http) -> str:
        """A bearer token; one is asked for where there is none. Raises GoogleAuthError."""
        ...

    def refuse(self, token: str) -> bool:
        """Note that it was not taken; whether another may be had."""
        ...


def token(credentials: Credentials, addresses: Addresses, scopes: tuple[str, ...]) -> Token:
    """Raises NotConfigured where nothing is given, Disconnected for a private key that is none."""
    if isinstance(credentials, AccessToken):
        return PersonsToken(credentials.access_token.get_secret_value())
    if not (credentials.service_account_email and credentials.private_key):
        raise NotConfigured("Google's service account is not set: its e-mail address and its private key.")
    return _service_account(
        credentials.service_account_email,
        credentials.private_key.get_secret_value(),
        credentials.subject,
        addresses.token,
        scopes,
    )


class PersonsToken:
    """One that somebody else renews (OAuth 2)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self, http: httplib2.Http) -> str:
        return self._token

    def refuse(self, token: str) -> bool:
        return False


class ServiceAccountToken:
    """Asked for with a JWT that the account's key signs, and kept for its hour. May be used by several threads."""

    def __init__(self, credentials: service_account.Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()

    def get(self, http: httplib2.Http) -> str:
        with self._lock:
            if not self._credentials.valid:
                self._credentials.refresh(Request(http))  # type: ignore[no-untyped-call]
            return str(self._credentials.token)

    def refuse(self, token: str) -> bool:
        with self._lock:
            if self._credentials.token == token:
                self._credentials.token = None
        return True


async def run(call: Callable[[httplib2.Http], T]) -> T:
    """What `call` gives, in one of a few threads, with connections that are that thread's own.

    Who has many to make should make THREADS at a time: of those that wait for a thread only so many may. Raises what
    goes wrong as a ProviderError.
    """
    if not _room.acquire(blocking=False):
        raise Unavailable("Too many requests to Google are waiting already.", retry_after=1)
    try:
        future = _pool.submit(_called, call)
    except BaseException:
        _room.release()
        raise
    future.add_done_callback(lambda _: _room.release())  # not before: a thread that hangs is a thread less
    try:
        async with asyncio.timeout(DEADLINE):
            return await asyncio.wrap_future(future)
    except TimeoutError as error:
        raise Unavailable("Google did not answer in time.") from error
    except (HttpError, GoogleAuthError, httplib2.HttpLib2Error, http_client.HTTPException, OSError) as error:
        raise told(error) from error


def _called(call: Callable[[httplib2.Http], T]) -> T:
    """Once more where a connection that was kept turns out to be closed by the other side: it did nothing with what was
    sent. Should it have, an insert is refused as a duplicate, and a change by its etag."""
    http = _connections()
    kept = any(connection.sock for connection in http.connections.values())
    try:
        return call(http)
    except ConnectionError as error:
        http.close()
        if not kept or isinstance(error, http_client.RemoteDisconnected):  # after which httplib2 tried again by itself
            raise
    return call(http)


def told(error: Exception) -> ProviderError:
    """Which of ours it is. No message holds a secret: Google repeats none, and addresses are left out."""
    if isinstance(error, HttpError):
        return _refusal(error)
    if isinstance(error, RefreshError) and not error.retryable:
        return Disconnected(f"Google gives no access: {_one_line(error.args[0] if error.args else '')}")
    return Unavailable(f"Google cannot be reached ({type(error).__name__}).")


def _refusal(error: HttpError) -> ProviderError:
    status, said = error.resp.status, _said(error)
    if said is None:  # a proxy's page: what it says is gone need not be
        return Unavailable(f"Google's answer cannot be read ({status}).", answered=status >= 500)
    why, message = said
    what = f"Google: {status} {_one_line(message) or 'refused'}"
    if status == 429 or (status == 403 and why in QUOTA):
        pause = seconds_to_wait(error.resp.get("retry-after"))
        return Unavailable(what, retry_after=QUOTA_WINDOW if pause is None else pause, answered=True)
    if status == 401 or (status == 403 and why in NO_ACCESS):
        return Disconnected(what)
    if status == 408 or status >= 500:
        return Unavailable(what, retry_after=seconds_to_wait(error.resp.get("retry-after")), answered=True)
    if status == 410 and why != "deleted":
        return SyncExpired(what)
    kinds: dict[int, type[Refused]] = {404: Gone, 410: Gone, 409: Duplicate, 412: Changed}
    return kinds.get(status, Refused)(what)


def _said(error: HttpError) -> tuple[str, str] | None:
    """The reason and the message of `{"error": {"errors": [{"reason": …}], "message": …}}`; None for another body."""
    try:
        said = orjson.loads(error.content)["error"]
        first = (said.get("errors") or said.get("details") or [{}])[0]
        return str(first.get("reason", "")), str(said.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:300]


def _connections() -> httplib2.Http:
    """This thread's: httplib2 is not to be shared, and its open connections are worth keeping."""
    if not hasattr(_own, "http"):
        _own.http = httplib2.Http(timeout=TIMEOUT)
        _own.http.follow_redirects = False
    own: httplib2.Http = _own.http
    return own


@lru_cache(KEYS_KEPT)
def _service_account(
    email: str, private_key: str, subject: str | None, token_url: str, scopes: tuple[str, ...]
) -> ServiceAccountToken:
    info = {"client_email": email, "private_key": private_key, "token_uri": token_url}
    try:
        made = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            info, scopes=list(scopes), subject=subject
        )
    except ValueError as error:
        raise Disconnected(
            "The service account's private key cannot be read: it goes from -----BEGIN to END PRIVATE KEY-----."
        ) from error
    return ServiceAccountToken(made)


_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="google")
_room = threading.BoundedSemaphore(THREADS + WAITING)
_own = threading.local()
