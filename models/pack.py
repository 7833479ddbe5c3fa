"""Prepaid packs (forfaits): so many sessions of given services, bought at once, drawn down by bookings."""

from uuid import UUID

from tortoise import fields

from models.agenda import Service
from models.base import Owned
from models.client import Client
from models.fields import belongs_to
from models.product import Access, Product


class ProductService(Owned):
    """A service of which a pack's sessions may be."""

    product_id: UUID
    product: Product = belongs_to("Product", "service_links", "The product, sold as a pack")
    service_id: UUID
    service: Service = belongs_to("Service", "pack_links", "The service")

    class Meta:
        table = "product_services"
        unique_together = (("product", "service"),)


class Pack(Owned):
    """Sessions that a client paid for. From when to when, and whether its money is still here, is its access's."""

    client_id: UUID
    client: Client = belongs_to("Client", "packs", "Whose sessions")
    access_id: UUID
    access: Access = belongs_to("Access", "packs", "From when to when they may be used; withdrawn with its money")
    sessions = fields.IntField(description="How many were bought")
    used = fields.IntField(default=0, description="How many of them bookings have drawn")

    class Meta:
        table = "packs"
        unique_together = (("organization", "access"),)

    @property
    def remaining(self) -> int:
        return self.sessions - self.used
