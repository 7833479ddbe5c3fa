"""Every setting, from the environment (or `.env` in development). The app's own secrets have no defaults."""

import re
import stat
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from errors import NotConfigured

FILE_MOST = 64 * 1024  # bytes of a file of keys


class Settings(BaseSettings):
    """Read once at start-up; frozen."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = Field(
        "development",
        description="production hides GraphiQL and introspection, takes queries by POST, allows live keys",
    )
    app_url: str = Field("http://127.0.0.1:8000", description="Public address; HTTPS in production")
    port: int = Field(8000, ge=1, le=65535, description="Where the API listens")
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Front ends, comma-separated: where clients come back to after paying, and who may use cookies"
    )
    account_url: str | None = Field(
        None, description="A front end's page for what letters ask to confirm, told what as `#invitation=…`; none: ours"
    )
    graphql_invalid_status: Annotated[Literal[400, 422], BeforeValidator(int)] = Field(
        400, description="Status of a document that the schema refuses, as application/graphql-response+json"
    )
    rate_factor: float = Field(
        1, gt=0, le=1_000_000, description="Every limit on how often a caller may ask, times this"
    )
    forwarded_allow_ips: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Proxies in front, addresses or networks: their word is taken for where a client comes from",
    )
    trusted_documents: Path | None = Field(
        None, description="Manifest of front ends' documents, by SHA-256: graphql-codegen's or Apollo's JSON"
    )
    trusted_documents_only: bool = Field(False, description="Whether no other document is answered")
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="What Prometheus sends to read /metrics; none in production: no such route"
    )
    worker_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Where each worker answers /metrics and /healthz; nowhere unless set"
    )
    worker_metrics_host: str = Field("127.0.0.1", description="Address that workers listen on for it")
    log_format: Literal["text", "json"] | None = Field(
        None, description="text for people or json, one object a line; in production json unless set, else text"
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="Project at Sentry that is told of alerts: https://<key>@<host>/<number>"
    )
    comptoir_home: Path = Field(Path("var"), description="Where data, servers and logs live")
    database_url: str = Field(description="postgres://…; `make run` starts one when it is absent")
    database_pool_size: int = Field(
        20, ge=1, le=1000, description="Connections of a process to PostgreSQL for writing at most, and as many to read"
    )
    read_timeout_seconds: float = Field(10, ge=0.1, le=600, description="A read that takes longer is given up")
    streams_most: int = Field(
        10_000, ge=0, le=100_000, description="Connections of subscribers that each process of the API keeps open"
    )
    streams_per_address: int = Field(1000, ge=1, description="Of them from one address, at most")
    streams_per_person: int = Field(100, ge=1, description="Of them by one person or key, at most")
    redis_url: str = Field(description="redis://…; `make run` starts one when it is absent")
    comptoir_master_keys: SecretStr = Field(
        description="`id:base64 of 32 bytes`, comma-separated, the one that seals first; `comptoir new-key` prints one"
    )
    comptoir_master_keys_file: Path | None = Field(
        None, description="A file with them instead, one a line, which only its owner may read (chmod 600)"
    )

    stripe_secret_key: SecretStr | None = Field(None, description="`sk_…` or `rk_…`, of test or live mode")
    stripe_publishable_key: str | None = Field(None, description="`pk_…`, for front ends with their own payment form")
    stripe_webhook_secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="`whsec_…`; several, comma-separated, while rotating; none: no webhook route"
    )
    stripe_payment_methods: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Stripe's names, comma-separated: `card,sepa_debit`; none: those that are switched on at Stripe",
    )
    stripe_api_base: str = Field("https://api.stripe.com", description="Stripe's address, or its stand-in's")

    google_service_account_email: str | None = Field(
        None, description="Service account that calendars are shared with: …@….iam.gserviceaccount.com"
    )
    google_service_account_private_key: SecretStr | None = Field(
        None, description="Its private key, whole; line breaks may be written \\n"
    )
    google_service_account_subject: str | None = Field(
        None, description="Whom it acts for, where the domain delegates that; without, it invites nobody"
    )
    google_oauth_client_id: str | None = Field(
        None, description="Client that people let into their calendars: Google Cloud, Credentials, OAuth 2.0 Client IDs"
    )
    google_oauth_client_secret: SecretStr | None = Field(None, description="Its secret")
    google_api_base: str | None = Field(None, description="Google's stand-in's address; none: Google itself")

    smtp_host: str | None = Field(None, description="Mail server")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port; 465 for SMTP_SECURITY=tls")
    smtp_user: str | None = Field(None, description="Name to sign in with, where it asks for one")
    smtp_password: SecretStr | None = Field(None, description="Password to sign in with")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls is demanded, not merely tried; tls from the first byte; none on loopback only"
    )
    smtp_from: str | None = Field(None, description="Sender's address; the name is the organization's")

    s3_bucket: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]{1,255}$", description="Where documents are kept; none: in COMPTOIR_HOME/files"
    )
    s3_region: str = Field("eu-west-3", description="Its region")
    s3_endpoint_url: str | None = Field(None, description="A store other than Amazon's that speaks S3")
    s3_access_key_id: str | None = Field(None, description="Key of an account that may read and write it")
    s3_secret_access_key: SecretStr | None = Field(None, description="Its secret")
    s3_prefix: str = Field("", description="Folder in the bucket")
    s3_addressing: Literal["auto", "path", "virtual"] = Field(
        "auto", description="Where addresses name the bucket; auto: in the host at Amazon, else in the path"
    )

    sandbox_url: str | None = Field(
        None, description="Base address of the stand-ins (`make run` sets it); refused with live keys"
    )

    @model_validator(mode="before")
    @classmethod
    def _keys_of_file(cls, given: Any) -> Any:
        path = given.get("comptoir_master_keys_file")
        if not path:
            return given
        if given.get("comptoir_master_keys"):
            raise ValueError("COMPTOIR_MASTER_KEYS and COMPTOIR_MASTER_KEYS_FILE are both set: unset one")
        return given | {"comptoir_master_keys": _read_private(Path(path))}

    @field_validator(
        "stripe_webhook_secret", "allowed_origins", "stripe_payment_methods", "forwarded_allow_ips", mode="before"
    )
    @classmethod
    def _several(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not re.fullmatch(r"https?://[^/?#@*\s]+/?", each):
                raise ValueError(f"{each} is no origin: a scheme, a host and maybe a port, https://app.example.com")
        return value

    @field_validator("app_url", "account_url", "sandbox_url", "stripe_api_base", "google_api_base", "s3_endpoint_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @field_validator("s3_prefix")
    @classmethod
    def _no_slash_around(cls, value: str) -> str:
        return value.strip("/")

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                everybody = ip_network(part).prefixlen == 0
            except ValueError:
                everybody = part == "*"
                if not everybody:
                    raise ValueError("must be addresses or networks, like 10.0.0.5 or 10.0.0.0/24") from None
            if everybody:
                raise ValueError("must name the proxies: trusting everybody lets anybody say where they come from")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _leads_to_a_project(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"https?://\w+(:\w+)?@[^\s/@]+(/\S*)?/\d+", value.get_secret_value()):
            raise ValueError("must be https://<key>@<host>/<number>, as Sentry shows it in the project's settings")
        return value

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.sandbox_url and self.live:
            raise ValueError("SANDBOX_URL is set beside a live STRIPE_SECRET_KEY: real money never meets the sandbox")
        if self.live and self.environment != "production":
            raise ValueError("STRIPE_SECRET_KEY is live: set ENVIRONMENT=production")
        if self.environment == "production" and not self.app_url.startswith("https://"):
            raise ValueError("APP_URL must be https:// in production")
        if self.environment == "production" and any(each.startswith("http:") for each in self.allowed_origins):
            raise ValueError("ALLOWED_ORIGINS must be https:// in production")
        if self.environment == "production" and self.sandbox_url:
            raise ValueError("SANDBOX_URL is for development and tests; unset it in production")
        if self.environment == "production" and self.google_api_base:
            raise ValueError("GOOGLE_API_BASE is for development and tests; unset it in production")
        if self.trusted_documents_only and not self.trusted_documents:
            raise ValueError("TRUSTED_DOCUMENTS_ONLY is set: set TRUSTED_DOCUMENTS to the manifest's path")
        if self.s3_bucket and not (self.s3_access_key_id and self.s3_secret_access_key):
            raise ValueError("S3_BUCKET is set: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY too")
        if self.s3_endpoint_url and not self.s3_endpoint_url.startswith(self._schemes):
            raise ValueError(f"S3_ENDPOINT_URL must begin with {' or '.join(self._schemes)}")
        return self

    @cached_property
    def live(self) -> bool:
        """Whether the platform's Stripe key moves real money."""
        key = self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else ""
        return key.startswith(("sk_live_", "rk_live_"))

    @property
    def own_origins(self) -> frozenset[str]:
        """Of pages that people sign in at, as browsers say them."""
        return frozenset(_origin(address) for address in (self.app_url, *self.allowed_origins))

    @property
    def _schemes(self) -> tuple[str, ...]:
        """How addresses that customers get may begin."""
        return ("https://",) if self.environment == "production" else ("https://", "http://")

    @property
    def logs_as(self) -> Literal["text", "json"]:
        return self.log_format or ("json" if self.environment == "production" else "text")

    def unset(self) -> dict[str, str]:
        """Variables that are not set, and what does not happen for want of each."""
        return {name.upper(): effect for name, effect in NEEDED.items() if not getattr(self, name)}

    def required(self, name: str) -> str:
        """A setting that this use cannot do without. Raises NotConfigured, naming the variable."""
        value = getattr(self, name)
        if not value:
            raise NotConfigured(f"{name.upper()} is not set. Set it in the environment and restart.")
        return value.get_secret_value() if isinstance(value, SecretStr) else value


def _read_private(path: Path) -> str:
    """A file that nobody else may read, as PostgreSQL wants of its own keys: 0600 at most, and 0640 where it is root's
    (https://www.postgresql.org/docs/current/ssl-tcp.html)."""
    name = f"COMPTOIR_MASTER_KEYS_FILE: {path}"
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{name} is no file")
        if found.st_mode & (0o137 if found.st_uid == 0 else 0o177):
            raise ValueError(f"{name} may be read or changed by others than its owner: chmod 600 it")
        if found.st_size > FILE_MOST:
            raise ValueError(f"{name} is longer than {FILE_MOST} bytes: it holds something else")
        return path.read_text("ascii")
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} holds something else than keys") from None


def _origin(address: str) -> str:
    """RFC 6454: in lower case, the port left out where it is the scheme's own."""
    at = urlsplit(address.lower())
    return f"{at.scheme}://{at.netloc.removesuffix({'https': ':443', 'http': ':80'}.get(at.scheme, ''))}"


# The application starts without these, and does less.
NEEDED = {
    "stripe_secret_key": "no payment can be started",
    "stripe_webhook_secret": "no payment is heard of",
    "smtp_host": "no letter is sent",
    "smtp_from": "no letter is sent",
}
