"""Organizations and their first owners: nothing of one exists before its e-mail address is confirmed.

To who registers everything looks the same whether or not the address has an account; the letter says which.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from errors import Conflict, Invalid
from models import Membership, Organization, Registration, Role, User, VatRegime
from models.companies import french_vat_number
from models.database import savepoint, transaction, unsigned
from services import account_letters, audit, hashing, organizations, passwords, tokens
from services.outbox import later

OWNED_MOST = 20  # organizations of one person
OVER = "This link is no longer good. Register again."


@dataclass(frozen=True, slots=True)
class Owner:
    """Who registers."""

    email: str
    first_name: str
    last_name: str


async def register(owner: Owner, organization: dict[str, Any]) -> None:
    """Ask who registers to confirm their address. Opens a transaction. Raises Invalid, naming the field."""
    columns = completed(organization, owner.email)
    async with transaction():
        registration = await Registration.create(
            email=owner.email, first_name=owner.first_name, last_name=owner.last_name, organization=columns
        )  # fmt: skip
        await later(account_letters.confirm_registration, registration)


async def confirm(token: str, password: str) -> Membership:
    """Make the organization and its owner. Opens a transaction. The password is chosen by whoever reads the letter: who
    registered may have given another's address.

    Raises Invalid for a link that is no longer good and for a password that is none, and Conflict for an address that
    got an account meanwhile.
    """
    claims = tokens.read(tokens.REGISTRATION, token)
    row = await Registration.get_or_none(id=UUID(claims["id"])) if claims else None
    if row is None or row.confirmed_at:
        raise Invalid(OVER, field="input.token")
    passwords.must_be_good(password, row.email)
    hashed = await hashing.hashed(password)  # it takes its time, and so before anything is locked
    async with transaction():
        return await _confirmed(row.id, hashed)


async def found(user: User, columns: dict[str, Any]) -> Membership:
    """A new organization, in a transaction, owned by somebody who has an account; `columns` as `completed` gives them.
    Raises Conflict for who owns too many."""
    await User.select_for_update(no_key=True).get(id=user.id)  # two at once take turns
    if await Membership.filter(user_id=user.id, role=Role.OWNER, active=True).count() >= OWNED_MOST:
        raise Conflict(f"You own {OWNED_MOST} organizations. Ask us for more.", field="input.organization")
    columns = columns | {"vat_regime": VatRegime(columns["vat_regime"])}
    await unsigned()
    slug = _slug(str(columns["name"]))
    try:
        async with savepoint():
            organization = await Organization.create(slug=slug, **columns)
    except IntegrityError:  # somebody has that name
        organization = await Organization.create(slug=f"{slug[:54].strip('-')}-{uuid4().hex[:8]}", **columns)
    member = await Membership.create(organization=organization, user=user, role=Role.OWNER)
    await audit.note("organizationRegistered", organization_id=organization.id, member_id=member.id)
    return member


def completed(given: dict[str, Any], email: str) -> dict[str, Any]:
    """The columns of an organization, with what follows from what was given. Raises Invalid, naming the field."""
    columns = {name: value for name, value in given.items() if value is not None}
    if not columns["siret"].startswith(columns["siren"]):
        raise Invalid("A SIRET is the SIREN and five more digits.", field="input.organization.siret")
    if columns["vat_regime"] == VatRegime.STANDARD:
        columns.setdefault("vat_number", french_vat_number(columns["siren"]))
    vat_number = columns.get("vat_number")
    if vat_number and not (vat_number.startswith("FR") and vat_number[4:] == columns["siren"]):
        raise Invalid("A French VAT number is FR, two characters and the SIREN.", field="input.organization.vatNumber")
    columns.setdefault("brand_name", columns["name"][:100])
    columns.setdefault("contact_email", email)
    columns.setdefault("invoice_prefix", _prefix(columns["name"]))
    organizations.check(columns, path="input.organization")
    return columns | {"vat_regime": VatRegime(columns["vat_regime"]).value}


async def _confirmed(id: UUID, password_hash: str) -> Membership:
    row = await Registration.select_for_update().get_or_none(id=id)
    if row is None or row.confirmed_at:
        raise Invalid(OVER, field="input.token")
    if await User.exists(email=row.email):
        raise Conflict("This address has an account already. Sign in.", field="input.token")
    row.confirmed_at = datetime.now(UTC)
    await row.save(update_fields=["confirmed_at"])
    user = await User.create(
        email=row.email, password_hash=password_hash, first_name=row.first_name, last_name=row.last_name,
        confirmed_at=row.confirmed_at,
    )  # fmt: skip
    return await found(user, row.organization)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _ascii(name).lower()).strip("-")[:63].strip("-") or "organization"


def _prefix(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", _ascii(name).upper())[:4].ljust(2, "X")


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
