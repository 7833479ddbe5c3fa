"""How often a caller may ask. Counted by root field, before anything is done: ten aliases are ten."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from errors import Limited
from models import Role
from policy import Actor, Key, Kind, Permission, Scoped
from services.buckets import Charge, Rate
from services.outside import outside

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds


class Root(NamedTuple):
    """A root field that is asked for."""

    name: str
    permission: Permission
    writes: bool


class Use(Enum):
    READ = auto()
    WRITE = auto()


class Whose(Enum):
    """A table of limits."""

    NOBODY = "nobody"
    PERSON = "person"
    STOREFRONT = "storefront"
    PARTNER = "partner"
    SERVER = "server"
    PORTAL = "portal"


@dataclass(frozen=True)
class Rates:
    """What may be asked from one address, and by one person or key from all addresses together; each rate holds."""

    address: tuple[Rate, ...] = ()
    caller: tuple[Rate, ...] = ()


# Root fields for which nobody has to be signed in, and behind which a password is hashed, a token tried or a letter
# sent: from one address, whoever asks. Many people may share one.
TRIES = Rates(address=(Rate(30, MINUTE), Rate(300, HOUR)))
LETTERS = Rates(address=(Rate(5, MINUTE), Rate(20, HOUR)))
GUARDED: Mapping[str, Rates] = {
    "signIn": TRIES,
    "secondFactorVerify": TRIES,
    "sessionRefresh": Rates(address=(Rate(120, MINUTE),)),
    "registrationConfirm": TRIES,
    "emailConfirm": TRIES,
    "invitationOffer": TRIES,
    "invitationAccept": TRIES,
    "passwordReset": TRIES,
    "passwordResetRequest": LETTERS,
    "organizationRegister": LETTERS,
}

# What takes a process of its own for a while, or asks others each time: Stripe answers a hundred questions a second,
# and those who want to pay come first.
ASKS = Rates(caller=(Rate(60, MINUTE),))
DIALS = Rates(caller=(Rate(20, MINUTE), Rate(200, HOUR)))  # a server that somebody typed the address of
# A client's private link may have come into other hands: nobody fills a calendar by it, or gives back what others want.
PLACES = Rates(address=(Rate(20, MINUTE),), caller=(Rate(10, MINUTE), Rate(60, DAY)))
COSTLY: Mapping[str, Rates] = {
    "clientEmailAdd": Rates(caller=(Rate(60, MINUTE),)),
    "invoicePreview": Rates(caller=(Rate(12, MINUTE), Rate(120, HOUR))),
    "uploadCreate": Rates(caller=(Rate(60, MINUTE), Rate(600, HOUR))),  # of 25 MB each, kept for a day
    "exportCreate": Rates(caller=(Rate(12, MINUTE), Rate(120, HOUR))),
    "clientDataExportCreate": Rates(caller=(Rate(6, MINUTE), Rate(30, HOUR))),
    "clientImportCreate": Rates(caller=(Rate(12, MINUTE), Rate(120, HOUR))),
    "availability": Rates(address=(Rate(120, MINUTE),), caller=(Rate(1200, MINUTE, lease=20),)),
    "paymentMethods": ASKS,
    "billingPortalStart": ASKS,
    "subscriptionCancel": ASKS,
    "subscriptionResume": ASKS,
    "oauthFinish": ASKS,
    "partnerTest": ASKS,
    "portalAvailability": Rates(address=(Rate(120, MINUTE),), caller=(Rate(60, MINUTE),)),
    "portalPay": Rates(address=(Rate(20, MINUTE),), caller=(Rate(10, MINUTE), Rate(60, HOUR))),
    "portalTicketCreate": Rates(address=(Rate(20, HOUR),), caller=(Rate(5, MINUTE), Rate(20, DAY))),
    "portalTicketReply": Rates(address=(Rate(30, MINUTE),), caller=(Rate(10, MINUTE), Rate(100, DAY))),
    "portalBook": PLACES,
    "portalBookingMove": PLACES,
    "portalBookingCancel": PLACES,
    "integrationConfigure": DIALS,
    "integrationEnable": DIALS,
    "integrationSecretRotate": DIALS,
    "integrationTest": DIALS,
}

# What is behind a signed link, for whoever has it: from one address, whichever links it asks for, good or not, and of
# one link, from wherever. An answer writes, or asks Stripe.
LINKS: Mapping[str, Rates] = {
    "documents": Rates(address=(Rate(120, MINUTE),), caller=(Rate(60, MINUTE),)),
    "uploads": Rates(address=(Rate(120, MINUTE),)),
    "pages": Rates(address=(Rate(120, MINUTE),), caller=(Rate(60, MINUTE),)),
    "answers": Rates(address=(Rate(30, MINUTE),), caller=(Rate(10, MINUTE), Rate(60, HOUR))),
}

# Events that an organization's own account signed: whoever has its secret signs what they please. Stripe delivers again
# what is refused, for three days.
EVENTS = Rate(1800, MINUTE, lease=30)

# All others, by the permission that they ask, or else by whether they write. What is generous is leased.
LIMITS: Mapping[Whose, Mapping[Permission | Use, Rates]] = {
    Whose.NOBODY: {
        Use.READ: Rates(address=(Rate(300, MINUTE, lease=6),)),
        Use.WRITE: Rates(address=(Rate(60, MINUTE),)),
    },
    Whose.PERSON: {
        Use.READ: Rates(caller=(Rate(3000, MINUTE, lease=60),)),
        Use.WRITE: Rates(caller=(Rate(300, MINUTE, lease=6),)),
    },
    Whose.SERVER: {
        Use.READ: Rates(caller=(Rate(6000, MINUTE, lease=100),)),
        Use.WRITE: Rates(caller=(Rate(600, MINUTE, lease=10),)),
    },
    Whose.PARTNER: {
        Use.READ: Rates(caller=(Rate(600, MINUTE, lease=12),)),
        Use.WRITE: Rates(caller=(Rate(60, MINUTE),)),
    },
    Whose.STOREFRONT: {
        Use.READ: Rates(address=(Rate(600, MINUTE, lease=12),), caller=(Rate(6000, MINUTE, lease=100),)),
        Use.WRITE: Rates(address=(Rate(60, MINUTE),), caller=(Rate(600, MINUTE),)),
        Permission.CHECKOUT_START: Rates(address=(Rate(10, MINUTE), Rate(60, HOUR)), caller=(Rate(120, MINUTE),)),
    },
    Whose.PORTAL: {
        Use.READ: Rates(address=(Rate(300, MINUTE, lease=6),), caller=(Rate(120, MINUTE),)),
        Use.WRITE: Rates(address=(Rate(60, MINUTE),), caller=(Rate(30, MINUTE),)),
    },
}


async def spend(actor: Actor | None, address: str | None, asked: tuple[Root, ...]) -> None:
    """Count what an operation asks.

    Raises Limited, and counts nothing, where that is more than the caller may ask: `retry_after` says when it may.
    """
    counted = _counted(whose(actor.kind if actor else None), asked, outside().settings.rate_factor)
    caller, at = actor and actor.own_id, place(address)
    charges = [
        Charge(f"limit:{name}:{at if by_address else caller}", rate, number)
        for name, rate, number, by_address in counted
    ]
    wait = math.ceil(await outside().buckets.take(charges))
    if wait:
        raise Limited(f"Too many requests. Try again in {wait} s.", retry_after=wait)


async def spend_link(kind: str, token: str, address: str | None) -> None:
    """Count that somebody asks for what is behind a link. Raises Limited, and counts nothing, as `spend` does."""
    rates, link = LINKS[kind], hashlib.sha256(token.encode()).hexdigest()[:32]
    charges = [
        Charge(f"limit:link:{kind}:{whose}:{rate.seconds}", _scaled(rate, outside().settings.rate_factor), 1)
        for whose, some in ((place(address), rates.address), (link, rates.caller))
        for rate in some
    ]
    if wait := math.ceil(await outside().buckets.take(charges)):
        raise Limited(
            f"Trop de demandes : réessayez dans {wait} s. / Too many requests. Try again in {wait} s.", retry_after=wait
        )


async def spend_event(account: str) -> int:
    """Count an event of an organization's own account; in how many seconds there may be another, 0 where it is fine."""
    rate = _scaled(EVENTS, outside().settings.rate_factor)
    return math.ceil(await outside().buckets.take([Charge(f"limit:events:{account}", rate, 1)]))


def whose(kind: Kind | None) -> Whose:
    """The limits of a kind of caller; None is nobody."""
    if isinstance(kind, Role):
        return Whose.PERSON
    if isinstance(kind, Scoped):
        return Whose.SERVER
    return _OF_KEYS[kind] if kind else Whose.NOBODY


_OF_KEYS: Mapping[Key, Whose] = {
    Key.STOREFRONT: Whose.STOREFRONT, Key.PARTNER: Whose.PARTNER, Key.PORTAL: Whose.PORTAL,
}  # fmt: skip


@lru_cache(maxsize=10_000)
def place(address: str | None) -> str:
    """What is counted as one address: of IPv6 the network of 64 bits, which one subscriber has to themselves."""
    try:
        at = ip_address(address or "")
    except ValueError:
        return "elsewhere"
    if at.version == 4:
        return str(at)
    return str(at.ipv4_mapped or ip_network((at, 64), strict=False))


class _Counted(NamedTuple):
    """What an operation takes of a bucket, of the address or of the caller."""

    name: str
    rate: Rate
    number: int
    by_address: bool


@lru_cache(maxsize=2000)
def _counted(table: Whose, asked: tuple[Root, ...], factor: float) -> list[_Counted]:
    """Raises Limited for more than a rate ever allows."""
    numbers = Counter(_limit(table, root) for root in asked)
    counted = []
    for (name, rates), number in numbers.items():
        for by_address, rate in (*((True, rate) for rate in rates.address), *((False, rate) for rate in rates.caller)):
            scaled = _scaled(rate, factor)
            if number > scaled.number:
                raise Limited(f"This is too much for one operation: ask for {scaled.number} of these at most.")
            counted.append(_Counted(f"{name}:{rate.seconds}", scaled, number, by_address))
    return counted


def _scaled(rate: Rate, factor: float) -> Rate:
    most = max(1, round(rate.number * factor))
    return Rate(most, rate.seconds, min(rate.lease, most))


def _limit(table: Whose, root: Root) -> tuple[str, Rates]:
    """(the name under which a root field is counted, how many there may be of it)."""
    for named in (GUARDED, COSTLY):
        if root.name in named:
            return root.name, named[root.name]
    limits = LIMITS[table]
    use: Permission | Use = Use.WRITE if root.writes else Use.READ
    if root.permission in limits:
        use = root.permission
    return f"{table.value}:{use.name}", limits[use]
