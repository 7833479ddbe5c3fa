"""The tenant and its people."""

from typing import Any

import strawberry
from strawberry import UNSET

import models
from models.legal import COLUMNS
from schema.base import auto, computed, enum, input, node, optional
from schema.integrations import Feature
from schema.lists import among, filter
from services import features
from services.accounting import account
from services.organizations import missing_names


@strawberry.type(description="An account that sales and money are entered in.")
class Account:
    use: enum(models.AccountUse) = strawberry.field(description="What it is for.")  # type: ignore[valid-type]
    number: str = strawberry.field(description="`411000`.")
    name: str = strawberry.field(description="As books in French have it.")


@node(models.Organization)
class Organization:
    """Whoever sells: an institute, a consultancy, a freelance."""

    slug: auto
    name: auto
    legal_name: auto
    legal_form: auto
    share_capital: auto
    siren: auto
    siret: auto
    rcs: auto
    vat_number: auto
    vat_regime: auto
    vat_on_debits: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    time_zone: auto
    invoice_prefix: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto
    iban: auto
    bic: auto
    payment_days: auto
    reminder_every_days: auto
    reminders_most: auto
    quote_days: auto
    grace_days: auto
    language: auto
    suspend_disputed: auto
    public_holidays_off: auto
    holiday_region: auto

    @computed(
        "How long before appointments begin clients are reminded, in minutes, unless a service has its own.",
        needs=("reminder_minutes",),
    )
    def booking_reminders(root: Any) -> list[int]:
        minutes: list[int] = root.reminder_list
        return minutes

    @computed(
        "What its invoices have to say of it and lack, by the fields' names: while there are any, nothing can be sold.",
        needs=COLUMNS,
    )
    def missing_legal_fields(root: Any) -> list[str]:
        return missing_names(root)

    @computed("What its integrations open: a feature is there while a provider of it is on.", needs=("providers_on",))
    def features(root: Any) -> list[Feature]:
        return features.of(root.providers_on)

    @computed("The accounts that exports of entries name.", needs=("account_numbers",))
    def accounts(root: Any) -> list[Account]:
        numbers = ((use, *account(use, root.account_numbers)) for use in models.AccountUse)
        return [Account(use=use, number=number, name=name) for use, number, name in numbers]


@node(models.Storefront)
class Storefront:
    """Whoever sells, as the pages of its shop show it."""

    name: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto


@node(models.User)
class User:
    """A person who signs in."""

    email: auto
    first_name: auto
    last_name: auto
    second_factor_since: auto


@node(models.Membership)
class Membership:
    """A person's role in an organization."""

    role: auto
    active: auto
    user: User
    organization: Organization
    created_at: auto


@filter(models.Membership)
class MemberFilter:
    """Which members."""

    role: among
    active: auto


@input(models.Organization)
class OrganizationCreateInput:
    """A new organization, as its register has it."""

    name: auto
    legal_name: auto
    legal_form: auto
    share_capital: auto
    siren: auto
    siret: auto
    rcs: auto
    vat_regime: auto
    vat_number: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    invoice_prefix: optional
    brand_name: optional
    contact_email: optional


@strawberry.input(description="The number of an account.")
class AccountInput:
    use: enum(models.AccountUse) = strawberry.field(description="What it is for.")  # type: ignore[valid-type]
    number: str = strawberry.field(description="`411000`.")


@input(models.Organization, partial=True)
class OrganizationUpdateInput:
    """What to change of the organization; what is left out stays, null takes away."""

    name: auto
    legal_name: auto
    legal_form: auto
    share_capital: auto
    rcs: auto
    vat_on_debits: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    invoice_prefix: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
    logo_png: auto
    contact_email: auto
    contact_phone: auto
    website: auto
    terms_url: auto
    iban: auto
    bic: auto
    payment_days: auto
    reminder_every_days: auto
    reminders_most: auto
    quote_days: auto
    vat_number: auto
    language: auto
    grace_days: auto
    suspend_disputed: auto
    public_holidays_off: auto
    holiday_region: auto
    booking_reminders: list[int] | None = strawberry.field(
        description="How long before appointments begin clients are reminded, in minutes: 5 at most, or none.",
        default=UNSET,
    )
    accounts: list[AccountInput] | None = strawberry.field(
        description="All accounts that have numbers of the organization's own; the others have the chart's.",
        default=UNSET,
    )


@input(models.User)
class MemberAddInput:
    """Who is let in, as what."""

    email: auto
    first_name: auto
    last_name: auto
    role: enum(models.Role) = strawberry.field(description="What they may do.")  # type: ignore[valid-type]


@strawberry.type(description="Somebody was let in.")
class MemberAdded:
    member: Membership = strawberry.field(description="The new member.")
    temporary_password: str | None = strawberry.field(
        description="With which somebody new signs in. Shown this once; null for who has an account already."
    )


@input(models.Membership)
class MemberUpdateInput:
    """Who gets another role."""

    member: strawberry.ID = strawberry.field(description="The global id of their membership.")
    role: auto


@strawberry.input(description="Who is removed.")
class MemberRemoveInput:
    member: strawberry.ID = strawberry.field(description="The global id of their membership.")
