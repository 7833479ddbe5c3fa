"""Every setting told to an operator: what it means, whether it is set, and what production still lacks."""

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from errors import NotConfigured
from services.keys import parse_master_keys
from settings import NEEDED, Settings
from telemetry.redaction import HIDDEN, redacted

TELLING = 12  # characters of a secret, at least, before its last four are shown

# Headings, by what a variable's name begins with; all else is general.
GENERAL = "General"
HEADINGS = {
    "Database and Redis": ("DATABASE_", "READ_", "REDIS_"),
    "Stripe": ("STRIPE_",),
    "Mail": ("SMTP_",),
    "Documents": ("S3_",),
    "Watching": ("LOG_", "SENTRY_", "METRICS_", "WORKER_METRICS_"),
}


@dataclass(frozen=True)
class Told:
    """One setting. `value` is None where it is not set, and never holds more of a secret than its last characters;
    `default` is empty where there is none.
    """

    heading: str
    name: str
    meaning: str
    value: str | None
    default: str


def told() -> list[Told]:
    """Every setting as the environment and `.env` have it, good or not, heading by heading."""
    given = _given()
    each = [
        Told(_heading(name.upper()), name.upper(), field.description or "", _shown(field, given.get(name)),
             _default(field))
        for name, field in Settings.model_fields.items()
    ]  # fmt: skip
    order = [GENERAL, *HEADINGS]
    return sorted(each, key=lambda setting: order.index(setting.heading))


def lacking() -> list[str]:
    """What keeps this from being an installation in production, in sentences; nothing where all is well."""
    given, found = _given(), []
    if given.get("environment") != "production":
        found.append("ENVIRONMENT is not production: set ENVIRONMENT=production.")
    found += [f"{name.upper()} is not set: {effect}." for name, effect in NEEDED.items() if name not in given]
    try:
        parse_master_keys(Settings(environment="production").comptoir_master_keys.get_secret_value())
    except ValidationError as problems:
        found += [_sentence(problem) for problem in problems.errors()]
    except NotConfigured as problem:
        found.append(problem.message)
    return found


def _given() -> dict[str, Any]:
    """What is set and not empty, as it was typed, by field."""
    return DotEnvSettingsSource(Settings)() | EnvSettingsSource(Settings)()


def _heading(name: str) -> str:
    return next((heading for heading, beginnings in HEADINGS.items() if name.startswith(beginnings)), GENERAL)


def _shown(field: FieldInfo, value: str | None) -> str | None:
    if value is None or not _is_secret(field.annotation):
        return redacted(value) if value else None
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return ", ".join(HIDDEN + (part[-4:] if len(part) >= TELLING else "") for part in parts)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return str(field.default) if field.default not in (None, ()) else ""


def _sentence(problem: Any) -> str:
    name, said = ".".join(map(str, problem["loc"])).upper(), problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{name} is not set."
    return f"{name}: {said}." if name else f"{said}."
