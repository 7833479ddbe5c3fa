"""The organization of whoever is calling."""

import models
from policy import Permission
from schema.context import Info, actor
from schema.organizations import Storefront
from schema.roots import Wanted, one


@one(Storefront, requires=Permission.CATALOGUE_READ)
def storefront(info: Info) -> Wanted:
    """Whose shop this is: name, brand, how to reach them, their terms."""
    return models.Storefront, actor(info).organization_id
