"""How often a caller may ask. Counted by root field: ten aliases are ten."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from errors import Limited
from policy import Actor, Key, Kind, Permission
from services.buckets import Charge, Rate
from services.outside import outside

MINUTE, HOUR = 60, 3600  # seconds


@dataclass(frozen=True)
class Rates:
    """What may be asked from one address, and with one key from all addresses together; each of the rates holds."""

    address: tuple[Rate, ...]
    key: tuple[Rate, ...]


# Of root fields, by the permission that they ask; None: of all others together. A kind that is not here has no limits.
LIMITS: Mapping[Kind, Mapping[Permission | None, Rates]] = {
    Key.STOREFRONT: {
        None: Rates(address=(Rate(600, MINUTE),), key=(Rate(6000, MINUTE),)),
        Permission.CHECKOUT_START: Rates(address=(Rate(10, MINUTE), Rate(60, HOUR)), key=(Rate(120, MINUTE),)),
    },
}


async def spend(actor: Actor, address: str | None, asked: Iterable[Permission]) -> None:
    """Count what an operation asks, `asked` naming the permission of each of its root fields.

    Raises Limited, and counts nothing, where that is more than the caller may ask: `retry_after` says when it may.
    """
    limits = LIMITS.get(actor.kind)
    if limits is None:
        return
    numbers = Counter(permission if permission in limits else None for permission in asked)
    charges = [
        Charge(f"limit:{actor.kind.name}:{kind.name if kind else 'ANY'}:{rate.seconds}:{whose}", rate, number)
        for kind, number in numbers.items()
        for whose, rates in ((actor.own_id, limits[kind].key), (_place(address), limits[kind].address))
        for rate in rates
    ]
    for charge in charges:
        if charge.number > charge.rate.number:
            raise Limited(f"This is too much for one operation: ask for {charge.rate.number} of these at most.")
    wait = math.ceil(await outside().buckets.take(charges))
    if wait:
        raise Limited(f"Too many requests. Try again in {wait} s.", retry_after=wait)


def _place(address: str | None) -> str:
    """What is counted as one address: of IPv6 the network of 64 bits, which one subscriber has to themselves."""
    try:
        at = ip_address(address or "")
    except ValueError:
        return "elsewhere"
    if at.version == 4:
        return str(at)
    return str(at.ipv4_mapped or ip_network((at, 64), strict=False))
