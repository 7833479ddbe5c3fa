"""The demonstration organization: made once, completed where it is older, left as people changed it."""

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from models import (
    Bilan,
    BilanStatus,
    BilanWarning,
    Client,
    DiscountCode,
    Document,
    DocumentAccess,
    Export,
    Integration,
    Invoice,
    Order,
    Organization,
    Pack,
    Partner,
    Product,
    PublishableKey,
)
from services import client_duplicates, demonstration, demonstration_sales, integrations, quality, stored_files
from services.outside import outside
from tests.shop import Shop


async def test_it_is_made_once_and_is_the_same_again(shop: Shop) -> None:
    tables = ("organizations", "products", "clients", "discount_codes", "publishable_keys", "partners", "outbox")

    first = await demonstration.seed(outside().settings)
    made = {table: await shop.count(table) for table in tables}
    again = await demonstration.seed(outside().settings)

    assert again == first
    assert {table: await shop.count(table) for table in tables} == made


async def test_an_older_home_gets_what_it_lacks(shop: Shop) -> None:
    await demonstration.seed(outside().settings)
    organization = await Organization.get(slug=demonstration.SLUG)
    await Organization.filter(id=organization.id).update(iban=None, bic=None)
    await DiscountCode.filter(organization_id=organization.id).delete()
    await PublishableKey.filter(organization_id=organization.id).delete()

    await demonstration.seed(outside().settings)

    await organization.refresh_from_db()
    assert (organization.iban, organization.bic) == (demonstration.IBAN, demonstration.BIC)
    assert await DiscountCode.exists(organization_id=organization.id, code=demonstration.CODE)
    assert await PublishableKey.exists(organization_id=organization.id, key=demonstration.STOREFRONT_KEY)


async def test_what_people_changed_stays(shop: Shop) -> None:
    await demonstration.seed(outside().settings)
    organization = await Organization.get(slug=demonstration.SLUG)
    await Organization.filter(id=organization.id).update(iban="FR1420041010050500013M02606", bic=None)
    await DiscountCode.filter(organization_id=organization.id).update(active=False)
    await PublishableKey.filter(organization_id=organization.id).update(origins="https://shop.example.com")

    await demonstration.seed(outside().settings)

    await organization.refresh_from_db()
    assert organization.iban == "FR1420041010050500013M02606"
    assert not (await DiscountCode.get(organization_id=organization.id)).active
    key = await PublishableKey.get(organization_id=organization.id)
    assert key.origins.splitlines() == ["https://shop.example.com", shop.sandbox.url]


async def test_a_partner_who_is_gone_stays_gone(shop: Shop) -> None:
    await demonstration.seed(outside().settings)
    await shop.sql("DELETE FROM product_partners")
    await shop.sql("DELETE FROM partner_endpoints")
    await Partner.filter(slug=demonstration.PARTNER).delete()

    assert (await demonstration.seed(outside().settings)).partner_secret is None


async def test_its_products_are_told_to_stripe(shop: Shop) -> None:
    await demonstration.seed(outside().settings)

    await shop.work_is_done()

    organization = await Organization.get(slug=demonstration.SLUG)
    assert all(product.stripe_id for product in await Product.filter(organization_id=organization.id))


async def test_it_begins_with_a_sale_that_was_given_back_and_an_export(shop: Shop) -> None:
    await demonstration.seed(outside().settings)

    for _ in range(2):
        await demonstration_sales.seed()
        await shop.work_is_done()

    kinds = {(order.number, order.kind, order.status) for order in await Order.all()}
    assert kinds == {(1, "PRODUCTS", "REFUNDED"), (2, "PRODUCTS", "PAID"), (3, "OPPORTUNITY", "OPEN")}
    assert await Invoice.all().order_by("number").values_list("type", flat=True) == [
        "INVOICE", "INVOICE", "CREDIT_NOTE",
    ]  # fmt: skip
    assert (await Pack.get()).remaining == 5
    assert await Export.all().values_list("status", flat=True) == ["READY"]


async def test_a_service_account_that_the_settings_name_is_put_into_the_vault_once(shop: Shop) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"google_service_account_email": "a@b.iam.gserviceaccount.com"}
    settings = outside().settings.model_copy(update=account | {"google_service_account_private_key": SecretStr(pem)})

    for _ in range(2):
        await demonstration.seed(settings)

    integration = await Integration.get(provider="google_calendar")
    assert (integration.enabled, integration.settings["service_account_email"]) == (
        False,
        "a@b.iam.gserviceaccount.com",
    )
    assert (await integrations.secrets(integration, "a test"))["private_key"] == pem.strip()


async def test_it_has_bilans_in_each_state_with_what_an_auditor_would_miss(shop: Shop) -> None:
    await demonstration.seed(outside().settings)
    organization = await Organization.get(slug=demonstration.SLUG)

    assert {each.status for each in await Bilan.all()} == set(BilanStatus)
    today = datetime.now(UTC).date()
    seen = await quality.overview(organization.id, today - timedelta(days=365), today)
    gaps = {each.beneficiary_name: [gap.value for gap in each.missing] for each in seen.incomplete}
    assert gaps == {"Jean Dupont": ["CONSENT"], "Inès Rousseau": ["CONSENT", "SYNTHESIS", "SURVEY"]}
    assert {each.is_missing for each in seen.indicators} == {True, False}
    assert await BilanWarning.filter(decided_at__isnull=False).count() == 1


async def test_it_has_clients_who_may_be_the_same(shop: Shop) -> None:
    await demonstration.seed(outside().settings)
    organization = await Organization.get(slug=demonstration.SLUG)

    pairs = set()
    for client in await Client.filter(organization_id=organization.id):
        for found in await client_duplicates.of(client, "organization_id = $1", [organization.id], 5):
            pairs.add(frozenset((client.email, (await Client.get(id=found)).email)))

    assert pairs == {
        frozenset(("lea.moreau@example.com", "lea.moreau.rennes@example.org")),
        frozenset(("rh@ateliers-morvan.example", "comptabilite@ateliers-morvan.example")),
    }


async def test_its_documents_were_sent_and_kept_like_anybodys(shop: Shop) -> None:
    for _ in range(2):
        await demonstration.seed(outside().settings)

    kept = await Document.all().order_by("id").prefetch_related("file")
    assert [each.kind for each in kept] == ["CONSENT", "SYNTHESIS", "EVIDENCE", "OTHER", "OTHER"]
    assert [bool(each.destroyed_at) for each in kept] == [False, False, False, False, True]
    read = b"".join([piece async for piece in stored_files.read(kept[1].file, "a test")])
    assert read.decode().startswith("Synthèse du bilan de compétences")
    (refused,) = await DocumentAccess.all()
    assert (refused.granted, refused.requester) == (False, "M. Martin, son employeur")
