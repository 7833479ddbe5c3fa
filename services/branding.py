"""What may be shown of a brand: its colour, its logo."""

import re
from typing import Any

from errors import Invalid
from services import logos


def check(values: dict[str, Any]) -> None:
    """Raises Invalid, naming the field, for a colour or an SVG among the columns given that cannot be shown."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", values.get("brand_color", "#000000")):
        raise Invalid("A colour is written #rrggbb.", field="input.brandColor")
    if values.get("logo_svg") is not None:
        try:
            logos.check_svg(values["logo_svg"])
        except logos.NoLogo as why:
            raise Invalid(str(why), field="input.logoSvg") from why


async def drawn(values: dict[str, Any]) -> dict[str, Any]:
    """The columns given with a PNG drawn anew; a logo takes the place of the one of the other kind. Raises Invalid."""
    svg, png = values.get("logo_svg"), values.get("logo_png")
    if svg is not None and png is not None:
        raise Invalid("Give one logo, as SVG or as PNG.", field="input.logoPng")
    if svg is not None:
        return values | {"logo_png": None}
    if png is None:
        return values
    try:
        return values | {"logo_png": await logos.png(png), "logo_svg": None}
    except logos.NoLogo as why:
        raise Invalid(str(why), field="input.logoPng") from why
