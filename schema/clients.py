"""Those who buy."""

import models
from schema.base import auto, input, node


@node(models.Client)
class Client:
    """A customer of the organization, one per e-mail address."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
    stripe_id: auto
    created_at: auto


@input(models.Client)
class ClientCreateInput:
    """A new client."""

    email: auto
    first_name: auto
    last_name: auto
    company: auto
    phone: auto
    address: auto
    postal_code: auto
    city: auto
    country: auto
