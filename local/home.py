"""What a home (`COMPTOIR_HOME`) remembers for the demonstration: secrets made once, and the addresses of this run."""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local import embedded
from local.embedded.server import write_private


def new_master_key() -> str:
    """One entry of COMPTOIR_MASTER_KEYS: `id:base64 of 32 bytes`; the id is when it was made."""
    return f"k{datetime.now(UTC):%Y%m%d-%H%M%S}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def own_secrets(home: Path) -> dict[str, str]:
    """The home's own secrets, as environment variables; those that are missing are made, in `secrets.env`."""
    path = home / "secrets.env"
    known = dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}
    made = {name: make() for name, make in _SECRETS.items() if name not in known}
    if made:
        known |= made
        write_private(path, "".join(f"{name}={value}\n" for name, value in known.items()))
    return known


@contextmanager
def shared(home: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Let other commands work in the environment of this run, for the time of the block."""
    path = home / "environment.json"
    write_private(path, json.dumps(environment))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def environment(home: Path) -> dict[str, str]:
    """The environment of the run that is going on in `home`; empty when there is none."""
    path = home / "environment.json"
    if embedded.running(home) is None or not path.exists():
        return {}
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _new_private_key() -> str:
    """Of the service account at Google's stand-in: PEM in one line, as environments write it."""
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode().replace("\n", "\\n")


_SECRETS = {
    "COMPTOIR_MASTER_KEYS": new_master_key,
    "STRIPE_SECRET_KEY": lambda: f"sk_test_{secrets.token_hex(24)}",
    "STRIPE_WEBHOOK_SECRET": lambda: f"whsec_{secrets.token_hex(32)}",
    "GOOGLE_SERVICE_ACCOUNT_PRIVATE_KEY": _new_private_key,
}
