"""The organization: how it presents itself, where it is paid, when it reminds."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from errors import Incomplete, Invalid
from models import Order, Organization, VatRegime
from models.accounting import ACCOUNTS as DEFAULTS
from models.accounting import NUMBER_PATTERN
from models.legal import missing
from services import booking_reminders, branding, public_holidays

# (column, its name for clients, least, most), as the table's constraints have it.
_RANGES = (
    ("payment_days", "paymentDays", 0, 60),  # art. L441-10 du code de commerce
    ("reminder_every_days", "reminderEveryDays", 1, 90),
    ("reminders_most", "remindersMost", 0, 12),
    ("quote_days", "quoteDays", 1, 365),
    ("grace_days", "graceDays", 0, 90),
)

ACCOUNTS = "input.accounts"


async def update(organization: Organization, values: dict[str, Any]) -> Organization:
    """The organization with other values; what was issued stays as it was. Raises Invalid, naming the field."""
    check(values)
    values = await branding.drawn(dict(values))
    for column, name, least, most in _RANGES:
        if not least <= values.get(column, least) <= most:
            raise Invalid(f"This is {least} to {most}.", field=f"input.{name}")
    if values.get("vat_on_debits") and organization.vat_regime is VatRegime.FRANCHISE:
        raise Invalid("Under FRANCHISE no VAT is owed, on debits or otherwise.", field="input.vatOnDebits")
    if "accounts" in values:
        values["account_numbers"] = _accounts(values.pop("accounts") or [])
    if "booking_reminders" in values:
        minutes = values.pop("booking_reminders") or []
        values["reminder_minutes"] = booking_reminders.written(minutes, field="input.bookingReminders")
    if values.get("iban") is not None:
        values["iban"] = _iban(values["iban"])
    if values.get("bic") is not None:
        values["bic"] = _bic(values["bic"])
    before = organization.missing_legal_fields
    organization.update_from_dict(values)
    _check_vat_number(organization)
    if "holiday_region" in values or "country" in values:
        public_holidays.check(organization.country, organization.holiday_region)
    lost = [column for column in organization.missing_legal_fields if column not in before]
    if lost and await Order.exists(organization_id=organization.id):
        raise Invalid(
            "Your invoices have to say this, and you sell: give another instead.", field=f"input.{camel(lost[0])}"
        )
    if values:
        await organization.save(update_fields=list(values))
    return organization


async def must_be_complete(organization_id: UUID, *, field: str = "input.order") -> None:
    """Before anything is sold. Raises Incomplete, which names what its invoices lack."""
    organization = await Organization.get(id=organization_id)
    if missing := missing_names(organization):
        raise Incomplete(
            f"Nothing can be sold yet: invoices have to name {', '.join(missing)} of the organization. Complete it"
            " first (organizationUpdate).", missing, field=field,
        )  # fmt: skip


def missing_names(organization: Any) -> list[str]:
    """What its invoices lack, as clients name it."""
    return [camel(column) for column in missing(organization)]


async def incomplete() -> list[str]:
    """Organizations that have orders, and cannot sell any more for what their invoices lack."""
    selling = Organization.filter(last_order_number__gt=0).order_by("slug")
    return [f"{each.slug}: {', '.join(names)}" async for each in selling if (names := missing_names(each))]


def check(values: dict[str, Any], *, path: str = "input") -> None:
    """Raises Invalid, naming the field, for a brand or a prefix of invoices that cannot be."""
    branding.check(values)
    if not re.fullmatch(r"[A-Z0-9]{2,10}", values.get("invoice_prefix", "AA")):
        raise Invalid("A prefix is 2 to 10 capital letters and digits.", field=f"{path}.invoicePrefix")


def camel(column: str) -> str:
    """A column as clients name it: `legal_name` → `legalName`."""
    first, *rest = column.split("_")
    return first + "".join(map(str.title, rest))


def _check_vat_number(organization: Organization) -> None:
    number = organization.vat_number
    if number and not (number.startswith("FR") and number[4:] == organization.siren):
        raise Invalid("A French VAT number is FR, two characters and the SIREN.", field="input.vatNumber")


def _accounts(given: Sequence[Any]) -> dict[str, str]:
    """Numbers of the organization's own, by use. Each is one use's: entries of two would be one otherwise."""
    numbers = {each.use.value: each.number.strip().upper() for each in given}
    for number in numbers.values():
        if not re.fullmatch(NUMBER_PATTERN, number):
            raise Invalid("An account is 3 to 12 figures of the French chart, letters after them.", field=ACCOUNTS)
    used = [numbers.get(use.value, number) for use, (number, _) in DEFAULTS.items()]
    if len(numbers) < len(given) or len(set(used)) < len(used):
        raise Invalid("Each use has one account, and each account one use.", field=ACCOUNTS)
    return numbers


def _iban(text: str) -> str:
    """The account's number as banks write it to each other. Its check is ISO 13616's: letters are 10 to 35, what the
    country and the check digits say comes last, and of the whole 1 is left when divided by 97."""
    iban = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", iban, re.ASCII) or _rest(iban) != 1:
        raise Invalid("Not an IBAN: a letter or digit is wrong, missing or too much.", field="input.iban")
    return iban


def _rest(iban: str) -> int:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def _bic(text: str) -> str:
    bic = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", bic, re.ASCII):
        raise Invalid("Not a BIC: 8 or 11 letters and digits, like AGRIFRPP.", field="input.bic")
    return bic
