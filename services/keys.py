"""Keys of this installation: the master keys that seal secrets, and one derived for each other use."""

import base64
import binascii
import re
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from errors import NotConfigured
from services.outside import outside


@lru_cache(maxsize=8)
def parse_master_keys(text: str) -> dict[str, bytes]:
    """`id:base64 of 32 bytes` for each, newest first. Raises NotConfigured, without showing any."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", key_id) or len(key) != 32:
            raise NotConfigured("COMPTOIR_MASTER_KEYS must be `id:base64 of 32 bytes`; `comptoir new-key` prints one.")
        keys[key_id] = key
    if not keys:
        raise NotConfigured("COMPTOIR_MASTER_KEYS is not set; `comptoir new-key` prints one.")
    return keys


def master_keys() -> dict[str, bytes]:
    return parse_master_keys(outside().settings.required("comptoir_master_keys"))


def derived(purpose: str) -> list[bytes]:
    """A key for a purpose (HKDF-SHA256, RFC 5869) from each master key, the newest first: sign with that one."""
    return [_derive(key, purpose) for key in master_keys().values()]


@lru_cache(maxsize=64)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"comptoir {purpose}".encode()).derive(master)
