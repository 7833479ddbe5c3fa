"""The tenant and its people."""

import strawberry

import models
from schema.base import auto, input, node
from schema.scalars import DateTime


@node(models.Organization)
class Organization:
    """Whoever sells: an institute, a consultancy, a freelance."""

    slug: auto
    name: auto
    legal_name: auto
    legal_form: auto
    siren: auto
    siret: auto
    vat_number: auto
    vat_regime: auto
    time_zone: auto
    invoice_prefix: auto
    brand_name: auto
    brand_color: auto
    contact_email: auto


@node(models.Storefront)
class Storefront:
    """Whoever sells, as the pages of its shop show it."""

    name: auto
    brand_name: auto
    brand_color: auto
    logo_svg: auto
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


@node(models.Membership)
class Membership:
    """A person's role in an organization."""

    role: auto
    user: User
    organization: Organization


@input(models.User)
class SignInInput:
    """Who signs in."""

    email: auto
    password: str = strawberry.field(description="Their password.")


@strawberry.type(description="Signed in.")
class SignedIn:
    access_token: str = strawberry.field(description="Send it as `Authorization: Bearer …`.")
    expires_at: DateTime = strawberry.field(description="Until when it is good.")
