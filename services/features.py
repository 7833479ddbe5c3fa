"""What an organization's integrations open: a feature is there only while a provider of it is switched on."""

from uuid import UUID

from models import Integration
from providers import registry
from providers.offers import Feature


async def has(organization_id: UUID, feature: Feature) -> bool:
    """Whether a provider of the feature is on."""
    return bool(await providers_of(organization_id, feature))


async def providers_of(organization_id: UUID, feature: Feature) -> list[str]:
    """The keys of the providers of a feature that are on."""
    opening = [key for key, listed in registry.catalogue().items() if feature in listed.offer.opens]
    found = Integration.filter(organization_id=organization_id, enabled=True, provider__in=opening)
    return [str(key) for key in await found.order_by("provider").values_list("provider", flat=True)]


def of(providers_on: str) -> list[Feature]:
    """All that an organization has, of its column of that name: in their order, and without asking the database."""
    listed = registry.catalogue()
    opened = {feature for key in providers_on.splitlines() if key in listed for feature in listed[key].offer.opens}
    return [feature for feature in Feature if feature in opened]
