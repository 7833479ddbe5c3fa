"""Logos that strangers hand in: an SVG that draws and does nothing else, a PNG drawn anew.

Storefronts put them into their pages, and WeasyPrint into documents: neither may be made to act, to fetch, or to work
for long. Raises and says why in sentences that go to whoever handed it in.
"""

import asyncio
import base64
import binascii
import io
import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

SVG_MOST = 64 * 1024  # characters
ELEMENTS_MOST, DEPTH_MOST, USES_MOST = 2_000, 40, 100
LENGTH_MOST = 20_000  # user units
PNG_MOST = 512 * 1024  # bytes handed in
SIDE_MOST, PIXELS_MOST = 6_000, 8_000_000  # of a picture before it is decoded
WIDTHS, HEIGHT, KEPT_MOST = (840, 600, 420, 280), 480, 96 * 1024  # pixels and bytes of what is kept: 70 mm at 300 dpi

_SVG = "{http://www.w3.org/2000/svg}"
_DRAW = frozenset(
    [
        "svg", "g", "defs", "title", "desc", "symbol", "use", "switch", "style", "image", "path", "rect", "circle",
        "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath", "linearGradient", "radialGradient",
        "stop", "clipPath", "mask", "pattern", "marker",
    ]
)  # fmt: skip
_REPEATED = frozenset(["clipPath", "mask", "pattern", "marker"])  # drawn each time that something refers to them
_LENGTHS = ("width", "height", "viewBox", "x", "y", "r", "rx", "ry", "cx", "cy", "font-size", "stroke-width")
_OWN_PART = re.compile(r"""url\(\s*["']?#[\w.-]+["']?\s*\)""")
_PNG = b"\x89PNG\r\n\x1a\n"


class NoLogo(Exception):
    """Why it is none."""


def check_svg(text: str) -> None:
    """Raises NoLogo for what is more than a drawing, or too much of one."""
    if len(text) > SVG_MOST:
        raise NoLogo(f"A logo is {SVG_MOST:,} characters at most.")
    if re.search(r"<!(DOCTYPE|ENTITY)|<\?(?!xml\s)", text, re.IGNORECASE):
        raise NoLogo("Leave out the document type, entities and instructions: the logo begins with <svg.")
    root = _parsed(text)
    if root.tag != f"{_SVG}svg":
        raise NoLogo('This is no SVG: it begins with <svg xmlns="http://www.w3.org/2000/svg">.')
    if any(map(_acts, root.iter())):
        raise NoLogo(
            "A logo holds no script, no page within it, nothing that moves, and no address but of its own parts"
            " (#name) or a picture. Export it as plain SVG."
        )
    _check_repetitions(root)


async def png(text: str) -> str:
    """The picture in base64, drawn anew within bounds: nothing that came with it is kept. Raises NoLogo."""
    return await asyncio.to_thread(_drawn_anew, _decoded(text))


def _parsed(text: str) -> ElementTree.Element:
    """Its tree, neither too deep nor too large to be walked."""
    elements = depth = 0
    try:
        for event, _ in ElementTree.iterparse(io.StringIO(text), ("start", "end")):  # noqa: S314 - it has no entities
            depth += 1 if event == "start" else -1
            elements += event == "start"
            if elements > ELEMENTS_MOST or depth > DEPTH_MOST:
                raise NoLogo(f"A logo has {ELEMENTS_MOST:,} elements at most, {DEPTH_MOST} within one another.")
        return ElementTree.fromstring(text)  # noqa: S314 - it has no entities
    except (ElementTree.ParseError, ValueError) as error:
        raise NoLogo("This is no SVG: it cannot be read as XML.") from error


def _acts(element: ElementTree.Element) -> bool:
    tag = str(element.tag)
    if not tag.startswith(_SVG) or tag.removeprefix(_SVG) not in _DRAW:
        return True
    if tag == f"{_SVG}style" and _reaches(element.text or ""):
        return True
    return any(_is_bad(name.rpartition("}")[2].lower(), value.strip(), tag) for name, value in element.attrib.items())


def _is_bad(name: str, value: str, tag: str) -> bool:
    if name.startswith("on") or name in ("base", "src"):
        return True
    if name == "href":
        return not (value.startswith("#") or (tag == f"{_SVG}image" and _is_picture(value)))
    if name in map(str.lower, _LENGTHS) and any(abs(number) > LENGTH_MOST for number in _numbers(value)):
        return True
    return name != "d" and _reaches(value)


def _reaches(style: str) -> bool:
    """Whether CSS reaches beyond the drawing, or hides what it says."""
    rest = _OWN_PART.sub("", style)
    return re.search(r"url\(|image\(|image-set\(|expression|javascript:|https?:|@|\\|behavior", rest, re.I) is not None


def _numbers(value: str) -> Iterator[float]:
    return (float(number) for number in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?", value))


def _is_picture(address: str) -> bool:
    """Whether it is a small raster picture, within the address itself."""
    found = re.fullmatch(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/=\s]+)", address)
    if found is None:
        return False
    from PIL import Image  # a tenth of a second, for those who need it

    try:
        content = base64.b64decode(found[2])
        with Image.open(io.BytesIO(content), formats=(found[1].upper(),)) as picture:  # no more than its header
            return picture.width * picture.height <= PIXELS_MOST // 4
    except Exception:  # whatever Pillow makes of what is none
        return False


def _check_repetitions(root: ElementTree.Element) -> None:
    """Doubling what doubles is a small document and endless work. Raises NoLogo."""
    parts = {element.get("id"): element for element in root.iter() if element.get("id")}
    uses = [element for element in root.iter() if element.tag == f"{_SVG}use"]
    within: Counter[str] = Counter()
    for use in uses:
        name = next((value for key, value in use.attrib.items() if key.rpartition("}")[2] == "href"), "")
        target = parts.get(name.strip().removeprefix("#"))
        within["use"] += target is not None and any(each.tag == f"{_SVG}use" for each in target.iter())
    for element in root.iter():
        if str(element.tag).removeprefix(_SVG) in _REPEATED:
            inside = [each for each in element.iter() if each is not element]
            within["repeated"] += any(
                each.tag == f"{_SVG}use" or any("url(" in value for value in each.attrib.values()) for each in inside
            )
    if len(uses) > USES_MOST or within.total():
        raise NoLogo("Parts of a logo are repeated a few times at most, and what is repeated repeats nothing itself.")


def _decoded(text: str) -> bytes:
    """The file. Raises NoLogo for what is no PNG, or too large by what its header says: nothing is decoded before."""
    encoded = re.sub(r"\s", "", text.removeprefix("data:image/png;base64,"))
    if len(encoded) > PNG_MOST * 4 // 3 + 4:
        raise NoLogo(f"A logo is {PNG_MOST // 1024} KiB at most.")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoLogo("This is no base64.") from error
    if not content.startswith(_PNG) or content[12:16] != b"IHDR":
        raise NoLogo("This is no PNG: convert it first.")
    width, height = int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if not 0 < width <= SIDE_MOST or not 0 < height <= SIDE_MOST or width * height > PIXELS_MOST:
        raise NoLogo(f"A logo is {PIXELS_MOST // 1_000_000} megapixels at most: make it smaller.")
    return content


def _drawn_anew(content: bytes) -> str:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.verify()  # of each part: WeasyPrint, where it is loaded, has Pillow draw what is cut short
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
            drawn = ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception as error:  # whatever Pillow makes of a file that is broken
        raise NoLogo("This PNG is broken or cut short: export it again.") from error
    for width in WIDTHS:
        drawn.thumbnail((width, HEIGHT))
        kept = io.BytesIO()
        bare = Image.frombytes("RGBA", drawn.size, drawn.tobytes())  # its pixels, and no word beside
        bare.save(kept, "PNG", optimize=True)
        if kept.tell() <= KEPT_MOST:
            return base64.b64encode(kept.getvalue()).decode()
    raise NoLogo("This picture is too intricate for a logo: use fewer colours, or an SVG.")
