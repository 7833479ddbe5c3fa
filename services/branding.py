"""What may be shown of a brand: its colour, its logo."""

import re
from typing import Any
from xml.etree import ElementTree

from errors import Invalid

LOGO_MOST = 64 * 1024  # characters
SVG = "{http://www.w3.org/2000/svg}"


def check(values: dict[str, Any]) -> None:
    """Raises Invalid, naming the field, for a colour or a logo among the columns given that cannot be shown."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", values.get("brand_color", "#000000")):
        raise Invalid("A colour is written #rrggbb.", field="input.brandColor")
    logo = values.get("logo_svg")
    if logo is not None and (complaint := _complaint(logo)):
        raise Invalid(complaint, field="input.logoSvg")


def _complaint(logo: str) -> str | None:
    """Why a logo is refused. Pages of storefronts may put it into their own: it is a picture and nothing that acts."""
    if len(logo) > LOGO_MOST:
        return f"A logo is {LOGO_MOST:,} characters at most."
    if re.search(r"<!(DOCTYPE|ENTITY)", logo, re.IGNORECASE):
        return "Leave out the document type and its entities: the logo begins with <svg."
    try:
        root = ElementTree.fromstring(logo)  # noqa: S314 - it has no entities
    except (ElementTree.ParseError, ValueError):
        return "This is no SVG: it cannot be read as XML."
    if root.tag != f"{SVG}svg":
        return 'This is no SVG: it begins with <svg xmlns="http://www.w3.org/2000/svg">.'
    if any(map(_acts, root.iter())):
        return "A logo holds no script, no page within it, and no address but of its own parts (#name) or a picture."
    return None


def _acts(element: ElementTree.Element) -> bool:
    if element.tag in (f"{SVG}script", f"{SVG}foreignObject") or not str(element.tag).startswith(SVG):
        return True
    names = {name.rpartition("}")[2].lower(): value.strip() for name, value in element.attrib.items()}
    addresses = (value for name, value in names.items() if name in ("href", "src"))
    return any(name.startswith("on") for name in names) or any(
        not address.startswith(("#", "data:image/png;", "data:image/jpeg;")) for address in addresses
    )
