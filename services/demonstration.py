"""The demonstration organization that `make run` shows: a catalogue, a partner, and people to sign in as."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from errors import DomainError
from models import (
    Client,
    DiscountCode,
    Integration,
    Interval,
    Membership,
    Organization,
    Partner,
    Product,
    ProductPartner,
    PublishableKey,
    Role,
    User,
    VatRegime,
)
from models.database import transaction
from services import (
    catalogue_sync,
    demonstration_bilans,
    demonstration_bookings,
    demonstration_clients,
    demonstration_documents,
    demonstration_imports,
    demonstration_opportunities,
    demonstration_people,
    demonstration_quality,
    demonstration_quotes,
    demonstration_tickets,
    hashing,
    integration_settings,
    partners,
    vault,
)
from services.outbox import later
from services.outside import outside
from settings import Settings

SLUG, PARTNER = "demo", "fiscalis"
# Public on purpose: this organization exists on demonstration machines only.
PASSWORD = "comptoir-demo"
STOREFRONT_KEY = "pk_demo_comptoir_storefront"
IBAN, BIC = "FR7630006000011234567890189", "AGRIFRPP"  # the example of French banks' own documents
CODE = "BIENVENUE10"
CLIENT = "jean.dupont@example.com"
BENEFICIARY = "beneficiary@demo.test"
PEOPLE = (
    (Role.OWNER, "owner@demo.test", "Camille"),
    (Role.ACCOUNTANT, "accountant@demo.test", "Dominique"),
    (Role.CONSULTANT, "consultant@demo.test", "Claude"),
    (Role.BENEFICIARY, BENEFICIARY, "Marie"),
)

# Four levels (price in cents, each month or once), and one thing at a price that no net price reaches.
LEVELS = (
    (1, "Simple", 0, None, "Une carte et un PDF de 2 pages"),
    (2, "Intuitive", 1400, None, "Profil, PDF de 4 pages et audio de 5 minutes"),
    (3, "Alchimique", 2900, Interval.MONTH, "Chaque mois : blocages, rituel, PDF de 8 pages et audio de 12 minutes"),
    (4, "Intégrale", 4900, None, "Cartographie, PDF de 15 pages et audio de 25 minutes"),
)
PARTNERED = ("Déclaration d'impôts - Formule Complète", 9999, "Prise en charge de la déclaration, de A à Z")


@dataclass(frozen=True)
class Demonstration:
    """What a newcomer and the stand-ins are told; a login is (role, e-mail, password)."""

    organization: str
    logins: list[tuple[str, str, str]]
    storefront_key: str
    code: str
    partner: str  # slug
    partner_secret: str | None = field(repr=False)


async def seed(settings: Settings) -> Demonstration:
    """Make it where it is absent; the same again where it is there. Refused beside a live Stripe key."""
    if settings.live:
        raise DomainError("The demonstration is not for live Stripe keys.")
    async with transaction():
        organization = await Organization.get_or_none(slug=SLUG) or await _organization()
        await _people(organization)
        await _ways_to_pay(organization)
        client = await _client(organization)
        await demonstration_clients.seed(organization, client)
        await demonstration_people.seed(organization)
        await demonstration_quotes.seed(organization, client)
        await demonstration_opportunities.seed(organization, client)
        await demonstration_tickets.seed(organization, client)
        beneficiaries = await Client.filter(organization_id=organization.id, email=BENEFICIARY)
        await demonstration_bookings.seed(organization, [client, *beneficiaries])
        await demonstration_bilans.seed(organization, beneficiaries[0], client)
        await demonstration_quality.seed(organization, beneficiaries[0])
        await _storefront(organization, settings.sandbox_url or settings.app_url)
        secret = await _partner_secret(organization)
    await _service_account(organization, settings)
    await demonstration_bilans.give_up(organization)
    await demonstration_documents.seed(organization)
    await demonstration_imports.seed(organization)
    logins = [(role.value, email, PASSWORD) for role, email, _ in PEOPLE]
    return Demonstration(organization.name, logins, STOREFRONT_KEY, CODE, PARTNER, secret)


async def _service_account(organization: Organization, settings: Settings) -> None:
    """The one that the settings name, in the vault: it is switched on by whoever wants it (`integrationEnable`)."""
    key = settings.google_service_account_private_key
    known = await Integration.exists(organization_id=organization.id, provider="google_calendar")
    if known or key is None or not settings.google_service_account_email:
        return
    values = {
        "service_account_email": settings.google_service_account_email, "private_key": key.get_secret_value(),
        "subject": settings.google_service_account_subject,
    }  # fmt: skip
    await integration_settings.configure(organization.id, "google_calendar", values)


async def _organization() -> Organization:
    organization = await Organization.create(
        slug=SLUG, name="ComptAppart", legal_name="ComptAppart Démonstration", legal_form="SAS",
        share_capital="10 000 €", siren="732829320", siret="73282932000074", rcs="RCS Paris 732 829 320",
        vat_number="FR44732829320", vat_regime=VatRegime.STANDARD, address="12 rue de la Paix", postal_code="75002",
        city="Paris", invoice_prefix="FQCA", brand_name="ComptAppart", brand_color="#1f4e5f",
        contact_email="bonjour@comptappart.test", contact_phone="+33140000000",
        website="https://comptappart.test", terms_url="https://comptappart.test/cgv",
    )  # fmt: skip
    for level, name, price, interval, description in LEVELS:
        product = await Product.create(
            organization=organization, name=name, description=description, level=level, price_cents=price,
            interval=interval, interval_count=1 if interval else None,
        )  # fmt: skip
        await later(catalogue_sync.push, product)
    await Client.create(
        organization=organization, email=CLIENT, first_name="Jean", last_name="Dupont",
        phone="+33612345678", address="3 place Bellecour", postal_code="69002", city="Lyon", country="FR",
    )  # fmt: skip
    await _partnered_product(organization, await _partner(organization))
    return organization


async def _client(organization: Organization) -> Client:
    """Whom quotes are for: there from the beginning, unless somebody deleted them."""
    known = await Client.get_or_none(organization_id=organization.id, email=CLIENT)
    return known or await Client.create(organization=organization, email=CLIENT, first_name="Jean", last_name="Dupont")


async def _people(organization: Organization) -> None:
    """Those who sign in, and a client of the consultant's, who is the beneficiary; whoever is there already stays."""
    members = {role: await _member(organization, role, email, name) for role, email, name in PEOPLE}
    if not await Client.exists(organization_id=organization.id, email=BENEFICIARY):
        await Client.create(
            organization=organization, email=BENEFICIARY, first_name="Marie", last_name="Démo",
            city="Paris", country="FR", consultant=members[Role.CONSULTANT],
            member=members[Role.BENEFICIARY],
        )  # fmt: skip


async def _member(organization: Organization, role: Role, email: str, first_name: str) -> Membership:
    user = await User.get_or_none(email=email) or await User.create(
        email=email, password_hash=await hashing.hashed(PASSWORD), first_name=first_name, last_name="Démo",
        confirmed_at=datetime.now(UTC),
    )  # fmt: skip
    membership, _ = await Membership.get_or_create(organization=organization, user=user, defaults={"role": role})
    return membership


async def _ways_to_pay(organization: Organization) -> None:
    """The account that transfers go to, and a code; what is there already stays."""
    await Organization.filter(id=organization.id, iban=None).update(iban=IBAN, bic=BIC)
    await DiscountCode.get_or_create(
        organization=organization, code=CODE,
        defaults={"name": "Offre de bienvenue", "percent": 1000, "redemptions_most": 100},
    )  # fmt: skip


async def _storefront(organization: Organization, origin: str) -> None:
    """The shop's key, good for its pages wherever they are now."""
    key, _ = await PublishableKey.get_or_create(
        organization=organization, key=STOREFRONT_KEY, defaults={"name": "Boutique", "origins": origin}
    )
    if origin not in key.origins.splitlines():
        await PublishableKey.filter(id=key.id).update(origins=f"{key.origins}\n{origin}")


async def _partner_secret(organization: Organization) -> str | None:
    """What the partner, if it is still there, checks signatures with. Its stand-in may have moved to another port."""
    partner = await Partner.get_or_none(organization_id=organization.id, slug=PARTNER)
    if partner is None:
        return None
    await Partner.filter(id=partner.id).update(staging_url=_sandbox_partner())
    return await vault.open(partner, "signing_secret", "the demonstration's partner")


async def _partner(organization: Organization) -> Partner:
    partner, _ = await partners.create(
        organization.id,
        {
            "slug": PARTNER, "name": "Fiscalis",
            "brand_name": "Service Fiscalité - Fiscalis", "brand_color": "#7a2e4d",
            "contact_email": "contact@fiscalis.test", "terms_url": "https://fiscalis.test/cgv",
            "staging_url": _sandbox_partner(),
        },
        "demo-api-key-0123456789-0123456789",
    )  # fmt: skip
    return partner


def _sandbox_partner() -> str | None:
    sandbox = outside().settings.sandbox_url
    return f"{sandbox}/partner/{PARTNER}" if sandbox else None


async def _partnered_product(organization: Organization, partner: Partner) -> None:
    name, price, description = PARTNERED
    product = await Product.create(organization=organization, name=name, price_cents=price, description=description)
    await ProductPartner.create(organization=organization, product=product, partner=partner)
    await later(catalogue_sync.push, product)
