"""Origins of pages, as browsers say them (RFC 6454): scheme, host, and the port where it is not the scheme's own."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from errors import Invalid
from services.outside import outside

ORIGINS_MOST = 20
FIELD = "input.origins"
LOCAL = ("localhost", "127.0.0.1", "[::1]")
_PORTS = {"https": 443, "http": 80}


def normalized(texts: Sequence[str]) -> list[str]:
    """The origins as browsers will say them, each once. Raises Invalid, naming the one to blame."""
    if not 1 <= len(texts) <= ORIGINS_MOST:
        raise Invalid(f"A key has 1 to {ORIGINS_MOST} origins.", field=FIELD)
    return list(dict.fromkeys(_origin(text, f"{FIELD}.{place}") for place, text in enumerate(texts)))


def _origin(text: str, field: str) -> str:
    text = text.strip()
    try:
        at = urlsplit(text)
        host, port = at.netloc.lower().removesuffix(f":{at.port}"), at.port
    except ValueError:
        raise Invalid(_EXAMPLE, field=field) from None
    if (
        re.search(r"[\s\x00-\x1f]", text)
        or at.path not in ("", "/")
        or at.query
        or at.fragment
        or at.scheme not in _PORTS
        or port == 0
    ):
        raise Invalid(_EXAMPLE, field=field)
    if not host.isascii():
        raise Invalid("Write a name with accents as browsers send it: https://xn--caf-dma.example.", field=field)
    if not _HOST.fullmatch(host):
        raise Invalid(_EXAMPLE, field=field)
    if at.scheme == "http" and not (host in LOCAL and outside().settings.environment == "development"):
        raise Invalid("An origin begins with https://; http:// is for this machine, in development.", field=field)
    return f"{at.scheme}://{host}" + (f":{port}" if port not in (None, _PORTS[at.scheme]) else "")


_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]{2,45}\]")
_EXAMPLE = "An origin is a scheme, a host and maybe a port, and no path: https://shop.example.com."
