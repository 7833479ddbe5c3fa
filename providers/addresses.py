"""Addresses that somebody typed lead to the public internet, or nowhere.

They are looked at when they are dialled, whatever DNS said before: a name that leads elsewhere the second time gains
nothing.
"""

import asyncio
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

TIMEOUT = 10.0  # seconds, to be connected


# Said alike of a name that leads into a private network and of one that nobody knows: the difference would tell which
# names there are in ours.
NOWHERE = "The address is not on the public internet."
UNKNOWN = (socket.EAI_NONAME, socket.EAI_NODATA)


class AddressRefused(OSError):
    """A private, loopback, link-local or otherwise special address was about to be dialled."""


def may_be_public(host: str) -> bool:
    """Whether a host is a public address, or a name: that is judged when it is dialled."""
    host = unicodedata.normalize("NFKC", host).rstrip(".").lower()
    try:
        return _public(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        last = host.rpartition(".")[2]
        number = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last)  # `2130706433`, `0x7f.1`: some dial these as IPv4
        return bool(host) and not number and last not in _PRIVATE_NAMES


def public_socket(info: "aiohttp.AddrInfoType") -> socket.socket:
    """aiohttp's `socket_factory`: the last moment before a connection, so that what is checked is what is dialled.
    Raises AddressRefused."""
    family, kind, protocol, _, address = info
    if not _public(ipaddress.ip_address(str(address[0]).partition("%")[0])):
        # The same words for each address of a host: where all are refused, that is the error that comes out.
        raise AddressRefused(NOWHERE)
    dialled = socket.socket(family, kind, protocol)
    dialled.setblocking(False)
    return dialled


def was_refused(error: BaseException) -> bool:
    """Whether a library failed since an address was refused, or its name is unknown, however it wraps that."""
    for _ in range(10):
        if isinstance(error, AddressRefused) or is_unknown(error):
            return True
        cause = error.__cause__ or error.__context__
        if cause is None:
            return False
        error = cause
    return False


def is_unknown(error: BaseException) -> bool:
    """Whether nobody knows a name; one that cannot be looked up just now is something else."""
    return isinstance(error, socket.gaierror) and error.errno in UNKNOWN


async def dial(host: str, port: int) -> socket.socket:
    """A connection to a public host, for libraries that take one. Raises AddressRefused, for a name that nobody knows
    too, or what the last of the host's addresses raised."""
    failed: OSError = AddressRefused(NOWHERE)
    async with asyncio.timeout(TIMEOUT):
        for info in await _looked_up(host, port):
            try:
                return await _dialled(info)
            except OSError as error:
                failed = error
    raise failed


async def _looked_up(host: str, port: int) -> Sequence[Any]:
    try:
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if is_unknown(error):
            raise AddressRefused(NOWHERE) from error
        raise


async def _dialled(info: "aiohttp.AddrInfoType") -> socket.socket:
    dialled = public_socket(info)
    try:
        await asyncio.get_running_loop().sock_connect(dialled, info[4])
    except BaseException:
        dialled.close()
        raise
    return dialled


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return _public(address.ipv4_mapped)
        if address in _NAT64:
            return _public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL)


_PRIVATE_NAMES = ("localhost", "local", "internal")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Global by the registries, or to some versions of `ipaddress`, and still no place for anybody's server.
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata among them
        "168.63.129.16/32",  # a cloud's metadata
        "2001::/23",  # Teredo and other protocol assignments
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
