"""Keys of this installation: the master keys that seal secrets, and one derived for each other use."""

import base64
import re
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from errors import NotConfigured
from services.outside import outside


@lru_cache(maxsize=8)
def parse_master_keys(text: str) -> dict[str, bytes]:
    """`id:base64 of 32 bytes` for each generation, the one that seals first; between them commas or line ends.

    Raises NotConfigured, without showing any.
    """
    keys: dict[str, bytes] = {}
    for part in re.split(r"[,\s]+", text.strip(", \t\r\n")):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:  # binascii's, or no ASCII
            key = b""
        if not part:
            raise NotConfigured("COMPTOIR_MASTER_KEYS is not set; `comptoir new-key` prints one.")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", key_id) or len(key) != 32:
            raise NotConfigured("COMPTOIR_MASTER_KEYS must be `id:base64 of 32 bytes`; `comptoir new-key` prints one.")
        if keys.setdefault(key_id, key) != key:
            raise NotConfigured(
                f"COMPTOIR_MASTER_KEYS has two keys of the id {key_id!r}: give the newer one an id of its own."
            )
    return keys


def master_keys() -> dict[str, bytes]:
    return parse_master_keys(outside().settings.required("comptoir_master_keys"))


def derived(purpose: str) -> list[bytes]:
    """A key for a purpose (HKDF-SHA256, RFC 5869) from each master key, the newest first: sign with that one."""
    return [_derive(key, purpose) for key in master_keys().values()]


def check_value(key: bytes) -> str:
    """Tells a master key from another, and nothing of it; hexadecimal."""
    return _derive(key, "key check value")[:16].hex()


@lru_cache(maxsize=64)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"comptoir {purpose}".encode()).derive(master)
