"""E-mail addresses as they are kept."""

from email_validator import validate_email


def mailbox(text: str) -> str:
    """The address in lower case, whatever a person typed. Raises ValueError, saying why, for what is none."""
    # `.test` is reserved for tests and demonstrations (RFC 2606); nothing leaves for it
    checked = validate_email(text, check_deliverability=False, test_environment=True)
    return checked.normalized.lower()
