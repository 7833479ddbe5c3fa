"""The organization of whoever is calling."""

import models
from policy import Permission
from schema.base import given
from schema.context import Info, actor
from schema.organizations import Organization, OrganizationUpdateInput, Storefront
from schema.roots import Wanted, mutation, one
from services import organizations


@one(Storefront, requires=Permission.CATALOGUE_READ)
def storefront(info: Info) -> Wanted:
    """Whose shop this is: name, brand, how to reach them, their terms."""
    return models.Storefront, actor(info).organization_id


@mutation(Organization, requires=Permission.ORGANIZATION_WRITE)
async def organization_update(info: Info, input: OrganizationUpdateInput) -> models.Organization:
    """Change how the organization presents itself, where it is paid, when it reminds. Invoices that were issued keep
    what they say; after another prefix their numbers begin anew."""
    row = await models.Organization.select_for_update(no_key=True).get(id=actor(info).organization_id)
    return await organizations.update(row, given(input))
