"""Settings that would be dangerous are refused at start-up."""

from typing import Any

import pytest
from pydantic import ValidationError

from errors import NotConfigured
from services.keys import parse_master_keys
from settings import Settings

WHOLE: dict[str, Any] = {
    "database_url": "postgres://u:p@127.0.0.1/x",
    "redis_url": "redis://127.0.0.1",
    "comptoir_master_keys": "k1:" + "A" * 43 + "=",
}
KEY = "a-secret-that-nobody-may-read"


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_real_money_never_meets_the_sandbox(key: str) -> None:
    with pytest.raises(ValidationError, match="real money never meets the sandbox"):
        Settings(_env_file=None, **WHOLE, stripe_secret_key=key, sandbox_url="http://127.0.0.1:9")


def test_a_refusal_shows_no_secret() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None, **WHOLE, environment="production", smtp_password=KEY)

    assert KEY[-8:] not in str(refused.value)


def test_production_is_served_over_https() -> None:
    with pytest.raises(ValidationError, match="APP_URL must be https://"):
        Settings(_env_file=None, **WHOLE, environment="production", app_url="http://api.example.com")

    assert Settings(_env_file=None, **WHOLE, environment="production", app_url="https://api.example.com/").app_url


def test_production_has_no_sandbox() -> None:
    production = WHOLE | {"environment": "production", "app_url": "https://api.example.com"}

    with pytest.raises(ValidationError, match="SANDBOX_URL"):
        Settings(_env_file=None, **production, sandbox_url="http://127.0.0.1:9")
    with pytest.raises(ValidationError, match="GOOGLE_API_BASE"):
        Settings(_env_file=None, **production, google_api_base="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"),
        ({"s3_access_key_id": "x"}, "set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"),
        ({"s3_bucket": "my bucket"}, "s3_bucket"),
        ({"s3_addressing": "dns"}, "s3_addressing"),
        (
            {"s3_bucket": None, "s3_endpoint_url": "s3.example.com"},
            "S3_ENDPOINT_URL must begin with https:// or http://",
        ),
    ],
    ids=["no keys", "half of them", "a name that is none", "no such addressing", "no scheme"],
)
def test_a_bucket_comes_with_what_opens_it(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(_env_file=None, **WHOLE, **{"s3_bucket": "documents"} | given)


def test_in_production_documents_go_over_https() -> None:
    production = WHOLE | {"environment": "production", "app_url": "https://api.example.com"}

    with pytest.raises(ValidationError, match="S3_ENDPOINT_URL must begin with https://"):
        Settings(_env_file=None, **production, s3_endpoint_url="http://s3.example.com")


def test_the_prefix_has_no_slash_around() -> None:
    assert Settings(_env_file=None, **WHOLE, s3_prefix="/a/b/").s3_prefix == "a/b"


def test_the_apps_own_secrets_have_no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WHOLE:
        monkeypatch.delenv(name.upper(), raising=False)

    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None)

    assert {error["loc"][0] for error in refused.value.errors() if error["type"] == "missing"} == set(WHOLE)
    for name in (
        "stripe_secret_key",
        "stripe_webhook_secret",
        "smtp_password",
        "s3_secret_access_key",
        "metrics_token",
    ):
        assert not Settings.model_fields[name].default


def test_settings_are_frozen_and_show_no_secret() -> None:
    settings = Settings(
        _env_file=None,
        **WHOLE,
        stripe_secret_key=KEY,
        stripe_webhook_secret=KEY,
        smtp_password=KEY,
        s3_secret_access_key=KEY,
    )

    assert KEY not in repr(settings)
    assert KEY not in settings.model_dump_json()
    with pytest.raises(ValidationError):
        settings.stripe_secret_key = None


@pytest.mark.parametrize("keys", ["", "k1", "k1:", "k1:c2hvcnQ=", ":" + "A" * 43 + "=", "k1:***"])
def test_master_keys_that_are_none_are_refused_without_being_shown(keys: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        parse_master_keys(keys)

    assert "COMPTOIR_MASTER_KEYS" in refused.value.message
    assert "c2hvcnQ" not in refused.value.message


@pytest.mark.parametrize("status", [400, 422])
def test_the_status_of_what_the_schema_refuses_is_read_from_text(status: int) -> None:
    assert Settings(_env_file=None, **WHOLE, graphql_invalid_status=str(status)).graphql_invalid_status == status


@pytest.mark.parametrize("status", ["200", "no"])
def test_no_other_status_is_taken_for_what_the_schema_refuses(status: str) -> None:
    with pytest.raises(ValidationError, match="graphql_invalid_status"):
        Settings(_env_file=None, **WHOLE, graphql_invalid_status=status)


def test_a_metrics_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValidationError, match="metrics_token"):
        Settings(_env_file=None, **WHOLE, metrics_token="short")


@pytest.mark.parametrize("dsn", ["sentry.example.com/1", "https://sentry.example.com/1", "https://a1b2@host", "a1b2"])
def test_an_address_that_is_no_project_at_sentry_is_refused_without_being_shown(dsn: str) -> None:
    with pytest.raises(ValidationError, match="must be https://<key>@<host>/<number>") as refused:
        Settings(_env_file=None, **WHOLE, sentry_dsn=dsn)

    assert dsn not in str(refused.value)


def test_logs_are_for_people_in_development_and_for_machines_in_production_unless_told_otherwise() -> None:
    production = WHOLE | {"environment": "production", "app_url": "https://api.example.com"}

    assert Settings(_env_file=None, **WHOLE).logs_as == "text"
    assert Settings(_env_file=None, **production).logs_as == "json"
    assert Settings(_env_file=None, **production, log_format="text").logs_as == "text"


def test_only_trusted_documents_need_a_manifest() -> None:
    with pytest.raises(ValidationError, match="set TRUSTED_DOCUMENTS to the manifest's path"):
        Settings(_env_file=None, **WHOLE, trusted_documents_only="true")


@pytest.mark.parametrize("origin", ["*", "app.example.com", "https://app.example.com/path", "https://*.example.com"])
def test_a_front_end_is_an_origin(origin: str) -> None:
    with pytest.raises(ValidationError, match="is no origin"):
        Settings(_env_file=None, **WHOLE, allowed_origins=origin)


def test_front_ends_are_served_over_https_in_production() -> None:
    with pytest.raises(ValidationError, match="ALLOWED_ORIGINS must be https://"):
        Settings(
            _env_file=None, **WHOLE, environment="production", app_url="https://a.fr", allowed_origins="http://b.fr"
        )


def test_own_origins_are_said_as_browsers_say_them() -> None:
    settings = Settings(
        _env_file=None,
        **WHOLE,
        app_url="https://API.example.com:443/",
        allowed_origins="http://127.0.0.1:3000/,https://b.fr",
    )

    assert settings.own_origins == {"https://api.example.com", "http://127.0.0.1:3000", "https://b.fr"}


def test_proxies_that_are_trusted_are_read_from_text_and_are_on_this_machine_unless_set() -> None:
    assert Settings(_env_file=None, **WHOLE).forwarded_allow_ips == ("127.0.0.1", "::1")
    given = Settings(_env_file=None, **WHOLE, forwarded_allow_ips=" 10.0.0.5, 10.0.1.0/24 ,fd00::/8")
    assert given.forwarded_allow_ips == ("10.0.0.5", "10.0.1.0/24", "fd00::/8")


@pytest.mark.parametrize(
    ("proxies", "told"),
    [
        ("*", "must name the proxies"),
        ("10.0.0.5,0.0.0.0/0", "must name the proxies"),
        ("::/0", "must name the proxies"),
        ("proxy.example.com", "addresses or networks"),
        ("10.0.0.5/24", "addresses or networks"),
    ],
)
def test_not_everybody_is_a_proxy(proxies: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(_env_file=None, **WHOLE, forwarded_allow_ips=proxies)


@pytest.mark.parametrize("factor", [0, -1, 10_000_000])
def test_a_factor_of_rates_that_makes_no_sense_is_refused(factor: float) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, **WHOLE, rate_factor=factor)
