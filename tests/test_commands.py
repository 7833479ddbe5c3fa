"""The command line, run as an operator runs it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from services import configuration
from settings import Settings

COMPTOIR = Path(__file__).parent.parent / "bin" / "comptoir"
KEY = "k1:" + "c2VjcmV0" * 5 + "AAE="
PRODUCTION = {
    "ENVIRONMENT": "production",
    "APP_URL": "https://api.comptoir.test",
    "DATABASE_URL": "postgres://comptoir:a-password@127.0.0.1/comptoir",
    "REDIS_URL": "redis://127.0.0.1",
    "COMPTOIR_MASTER_KEYS": KEY,
    "STRIPE_SECRET_KEY": "sk_live_0123456789abcd",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789old1, whsec_0123456789new2",
    "SMTP_HOST": "mail.comptoir.test",
    "SMTP_FROM": "factures@comptoir.test",
    "SMTP_PASSWORD": "brief",
}


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A home where nothing runs."""
    return tmp_path


def test_every_setting_is_explained_and_secrets_show_their_last_characters_only(nowhere: Path) -> None:
    done = comptoir("settings", home=nowhere, **PRODUCTION)

    assert done.returncode == 0
    said = done.stdout.splitlines()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        (at,) = [at for at, line in enumerate(said) if line.startswith(f"  {name.upper()} ")]
        assert said[at + 1].strip() == field.description
        assert ("not set" in said[at]) == (name.upper() not in {*PRODUCTION, "COMPTOIR_HOME"})
    for shown in ("…abcd", "…old1, …new2", "…AAE=", "postgres://comptoir:…@127.0.0.1/comptoir", "mail.comptoir.test"):
        assert shown in done.stdout
    for secret in ("0123456789", "a-password", "brief", KEY[3:-4]):
        assert secret not in done.stdout


def test_the_check_of_an_installation_that_is_complete_passes(nowhere: Path) -> None:
    assert comptoir("settings", "--check", home=nowhere, **PRODUCTION).returncode == 0


def test_the_check_shows_all_settings_and_fails_with_what_is_lacking(nowhere: Path) -> None:
    done = comptoir("settings", "--check", home=nowhere, **PRODUCTION | {"DATABASE_URL": "", "SMTP_HOST": ""})

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: SMTP_HOST is not set: no letter is sent.",
        "error: DATABASE_URL is not set.",
    ]
    assert "SMTP_FROM" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY is not set: no payment can be started."),
        ("STRIPE_WEBHOOK_SECRET", "", "STRIPE_WEBHOOK_SECRET is not set: no payment is heard of."),
        ("ENVIRONMENT", "", "ENVIRONMENT is not production: set ENVIRONMENT=production."),
        ("APP_URL", "http://api.comptoir.test", "APP_URL must be https:// in production."),
        ("COMPTOIR_MASTER_KEYS", "k1:short", "COMPTOIR_MASTER_KEYS must be `id:base64 of 32 bytes`; "),
        ("SMTP_PORT", "many", "SMTP_PORT: Input should be a valid integer"),
    ],
)
def test_what_production_lacks_is_said(monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    for variable, usual in PRODUCTION.items():
        monkeypatch.setenv(variable, usual)
    monkeypatch.setenv(name, value)

    (lacking,) = configuration.lacking()

    assert lacking.startswith(told)


def comptoir(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder of somebody's, with these variables and no others of ours."""
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"], "COMPTOIR_HOME": str(home), **variables,
    }  # fmt: skip
    return subprocess.run([COMPTOIR, *words], capture_output=True, text=True, env=environment, cwd=home, timeout=60)
