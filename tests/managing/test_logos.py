"""Logos handed in: what is drawn and nothing else stays, what acts, fetches or works for long is refused."""

import base64
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from services import logos
from tests.security.surroundings import nothing_changes
from tests.shop import Shop

UPDATE = """mutation ($input: OrganizationUpdateInput!) {
  organizationUpdate(input: $input) { organization { logoSvg logoPng } }
}"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
GOOD = (
    '<rect fill="url(#a)" style="fill: url(\'#a\'); stroke: #123456"/><linearGradient id="a"><stop/></linearGradient>',
    '<style>.a { fill: #123456 }</style><g class="a"><path d="M0 0 1e9 1"/></g>',
    '<defs><g id="leaf"><path d="M0 0"/></g></defs><use href="#leaf"/><use xlink:href="#leaf" x="9"/>',
    '<clipPath id="c"><rect width="9" height="9"/></clipPath><g clip-path="url(#c)"><text font-size="9">Un</text></g>',
)
BAD = {
    "a script": "<script>1</script>",
    "a handler": '<rect onload="x()"/>',
    "a page": "<foreignObject><p/></foreignObject>",
    "an element of elsewhere": '<p xmlns="http://www.w3.org/1999/xhtml"/>',
    "a link": '<a href="#a"><path/></a>',
    "what moves": '<rect><set attributeName="href" to="javascript:alert(1)"/></rect>',
    "an animation": '<animate attributeName="x" from="0" to="9"/>',
    "a filter": '<filter id="f"><feImage href="https://evil.example/x"/></filter>',
    "another file": '<use href="https://evil.example/a.svg#a"/>',
    "another file, as it once was written": '<use xlink:href="file:///etc/passwd#a"/>',
    "a base": '<g xml:base="https://evil.example/"><use href="#a"/></g>',
    "an address in a style": '<rect style="fill: url(https://evil.example/x)"/>',
    "an address in an attribute": '<rect fill="url(//evil.example/x#a)"/>',
    "an address in quotes": "<rect fill=\"url( 'data:image/svg+xml,x' )\"/>",
    "an address of the web": '<rect style="background: http://evil.example"/>',
    "an import": "<style>@import 'https://evil.example/a.css';</style>",
    "a font": "<style>@font-face { src: local('Inter') }</style>",
    "an address in a sheet": "<style>rect { fill: url(https://evil.example/x) }</style>",
    "an escape": r"<style>rect { fill: u\72l(https://evil.example/x) }</style>",
    "an image set": "<style>rect { background: image-set('https://evil.example/x' 1x) }</style>",
    "an expression": '<rect style="width: expression(alert(1))"/>',
    "a drawing within a picture": '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
    "a picture that is none": '<image href="data:image/png;base64,AAAA"/>',
    "a width without end": '<rect width="1e99" height="1"/>',
    "a box without end": '<svg viewBox="0 0 9e9 1"/>',
    "a use of what uses": '<g id="a"><use href="#b"/></g><g id="b"><use href="#c"/></g><use href="#a"/>',
    "a pattern of patterns": '<pattern id="p"><rect fill="url(#p)"/></pattern>',
    "too many uses": '<g id="a"/>' + '<use href="#a"/>' * 101,
    "too deep": "<g>" * 5_000 + "</g>" * 5_000,
    "too many elements": "<g/>" * 10_000,
    "entities": "&a;",
}


@pytest.mark.parametrize("part", GOOD)
def test_what_only_draws_is_a_logo(part: str) -> None:
    logos.check_svg(SVG.format(part))


@pytest.mark.parametrize("case", BAD)
def test_what_does_more_is_none(case: str) -> None:
    with pytest.raises(logos.NoLogo):
        logos.check_svg(SVG.format(BAD[case]))


@pytest.mark.parametrize(
    "text",
    [
        '<?xml-stylesheet href="https://evil.example/a.css"?>' + SVG,
        "<!DOCTYPE svg SYSTEM 'https://evil.example/a.dtd'>" + SVG,
        "<html/>", "", "<svg/>", SVG + "<svg/>", SVG.format("x" * 65_536),
        SVG.format(f'<image href="data:image/png;base64,{"A" * 60_000}"/>'),
    ],
)  # fmt: skip
def test_what_is_no_svg_or_too_long_is_none(text: str) -> None:
    with pytest.raises(logos.NoLogo):
        logos.check_svg(text)


def test_a_picture_of_a_hundred_megapixels_within_a_drawing_is_refused_by_its_header() -> None:
    huge = base64.b64encode(header(10_000, 10_000)).decode()

    with pytest.raises(logos.NoLogo):
        logos.check_svg(SVG.format(f'<image href="data:image/png;base64,{huge}"/>'))


async def test_a_png_is_drawn_anew_without_what_came_with_it(shop: Shop) -> None:
    said = PngInfo()
    said.add_text("Comment", "written by a stranger")
    given = logo_png(3_000, 600, pnginfo=said, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00")

    kept = (await changed(shop, logoPng="data:image/png;base64," + base64.b64encode(given).decode()))["logoPng"]

    content = base64.b64decode(kept)
    assert b"stranger" not in content and b"tEXt" not in content and b"eXIf" not in content
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.width, picture.height, picture.format) == (840, 168, "PNG")
        assert picture.convert("RGBA").getpixel((0, 0)) == pytest.approx((200, 30, 45, 128), abs=2)


async def test_a_logo_takes_the_place_of_the_one_of_the_other_kind(shop: Shop) -> None:
    svg, png = SVG.format(GOOD[0]), base64.b64encode(logo_png(9, 9)).decode()

    assert await changed(shop, logoSvg=svg) == {"logoSvg": svg, "logoPng": None}
    assert (await changed(shop, logoPng=png))["logoSvg"] is None
    assert await changed(shop, logoSvg=svg) == {"logoSvg": svg, "logoPng": None}
    assert await changed(shop, logoSvg=None) == {"logoSvg": None, "logoPng": None}


@pytest.mark.parametrize("lenient", [False, True])
async def test_what_is_no_png_or_too_large_is_refused_and_named(
    shop: Shop, lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)  # as WeasyPrint sets it, where it is loaded
    whole = logo_png(900, 300)
    jpeg = io.BytesIO()
    Image.new("RGB", (9, 9)).save(jpeg, "JPEG")
    bad: list[tuple[bytes | str, str]] = [
        (header(10_000, 10_000), "megapixels"),
        (header(100_000, 2), "megapixels"),
        (header(0, 9), "megapixels"),
        (whole[: len(whole) // 2], "cut short"),
        (whole[:30], "cut short"),
        (whole.replace(b"IDAT", b"IDAX"), "cut short"),
        (jpeg.getvalue(), "no PNG"),
        (b"\x89PNG\r\n\x1a\n", "no PNG"),
        (b"GIF89a", "no PNG"),
        (b"", "no PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 600_000, "KiB at most"),
        ("not base64!", "no base64"),
    ]

    async with nothing_changes(shop):
        for content, says in bad:
            text = content if isinstance(content, str) else base64.b64encode(content).decode()
            code, field, message = await shop.refused(UPDATE, input={"logoPng": text})
            assert (code, field) == ("INVALID", "input.logoPng") and says in message, says
        both = {"logoPng": base64.b64encode(whole).decode(), "logoSvg": SVG.format("")}
        assert (await shop.refused(UPDATE, input=both))[:2] == ("INVALID", "input.logoPng")


async def test_what_stays_large_however_small_it_is_drawn_is_refused() -> None:
    kept = io.BytesIO()
    Image.effect_noise((400, 300), 100).convert("RGB").save(kept, "PNG")

    with pytest.raises(logos.NoLogo, match="too intricate"):
        await logos.png(base64.b64encode(kept.getvalue()).decode())


def logo_png(width: int, height: int, **saved: Any) -> bytes:
    """A picture of one colour, half of it shining through."""
    kept = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 30, 45, 128)).save(kept, "PNG", **saved)
    return kept.getvalue()


def header(width: int, height: int) -> bytes:
    """The beginning of a PNG of that size, of which there is no more."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


async def changed(shop: Shop, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await shop(UPDATE, input=given))["organization"]
    return found
