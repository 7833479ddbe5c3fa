"""E-mail addresses as they are kept."""

import re
from functools import lru_cache

from email_validator import validate_email

# What most addresses are (RFC 5321, 4.1.2 and 4.5.3.1): a dot-string of ASCII, which is told at once.
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL_MOST, _MOST = 64, 254  # characters


def mailbox(text: str) -> str:
    """The address in lower case, whatever a person typed. Raises ValueError, saying why, for what is none."""
    local, _, domain = text.rpartition("@")
    if text.isascii() and len(text) <= _MOST and len(local) <= _LOCAL_MOST and _PLAIN.fullmatch(local):
        return f"{local.lower()}@{_domain(domain)}"
    return _validated(text)


@lru_cache(2000)
def _domain(text: str) -> str:
    """It takes most of the time, and those of a list of people are few."""
    return _validated(f"x@{text}").rpartition("@")[2]


def _validated(text: str) -> str:
    # `.test` is reserved for tests and demonstrations (RFC 2606); nothing leaves for it
    checked = validate_email(text, check_deliverability=False, test_environment=True)
    return checked.normalized.lower()
