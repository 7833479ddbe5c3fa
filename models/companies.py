"""Numbers of companies: SIREN and SIRET (INSEE), VAT numbers of the Union (Directive 2006/112/EC, article 215)."""

import re

LA_POSTE = "356000000"  # its establishments are too many for Luhn's check: their digits add up to a multiple of 5


def siren(text: str) -> str | None:
    """Nine digits, of which the last is a check, without spaces; None for what is none."""
    digits = re.sub(r"\s", "", text)
    return digits if re.fullmatch("[0-9]{9}", digits) and _luhn(digits) else None


def siret(text: str) -> str | None:
    """The SIREN of a company and five digits for the establishment (NIC), the last a check; None for what is none."""
    digits = re.sub(r"\s", "", text)
    if not re.fullmatch("[0-9]{14}", digits) or siren(digits[:9]) is None:
        return None
    fives = digits.startswith(LA_POSTE) and sum(map(int, digits)) % 5 == 0
    return digits if fives or _luhn(digits) else None


def vat_number(text: str) -> str | None:
    """A VAT number of a member state, or of Northern Ireland (XI), in capitals, without spaces, dots and dashes; None
    for what has not the form of one. Of a French one the check digits are looked at too."""
    number = re.sub(r"[\s.-]", "", text).upper()
    form = _VAT_NUMBERS.get(number[:2])
    if form is None or not re.fullmatch(form, number[2:], re.ASCII):
        return None
    return number if number[:2] != "FR" or _french(number[2:4], number[4:]) else None


def french_vat_number(company: str) -> str:
    """The intra-community number of a French company, by its SIREN (art. 286 ter du CGI): FR, a key, the SIREN."""
    return f"FR{_key(company)}{company}"


# https://ec.europa.eu/taxation_customs/vies/#/faq, question 11: the structures
_VAT_NUMBERS = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
    "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]", "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]",
    "IT": r"\d{11}", "LT": r"\d{9}|\d{12}", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{10}\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}",
    "SK": r"\d{10}", "XI": r"\d{9}|\d{12}|(GD|HA)\d{3}",
}  # fmt: skip


def _french(key: str, company: str) -> bool:
    """Two digits computed of the SIREN; other keys, with a letter, are given out without a published rule. A company of
    Monaco has no SIREN, but a number that begins with 000."""
    if siren(company) is None and not company.startswith("000"):
        return False
    return not key.isdigit() or key == _key(company)


def _key(company: str) -> str:
    return f"{(12 + 3 * (int(company) % 97)) % 97:02}"


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check on the others (ISO/IEC 7812-1)."""
    doubled = "".join(str(int(digit) * 2) for digit in digits[-2::-2])
    return sum(map(int, digits[-1::-2] + doubled)) % 10 == 0
