"""Phone numbers as E.164 writes them."""

import phonenumbers


def e164(text: str, region: str | None = None) -> str | None:
    """`+33612345678` for whatever a person typed, national numbers read as of a region; None for what is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
