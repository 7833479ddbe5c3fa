"""Factur-X in PDF/A-3b (ISO 19005-3) by WeasyPrint, and what its PDF still lacks of that."""

from collections.abc import Callable
from typing import Any

# Factur-X 1.0, § 6.2: what the document holds, and the schema that PDF/A wants of properties that it does not know.
_FACTUR_X = b"""<rdf:Description rdf:about="" xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
  xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>%s</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
"""
_PROPERTY = """<rdf:li rdf:parseType="Resource"><pdfaProperty:name>%s</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>%s</pdfaProperty:description></rdf:li>
"""
_PROPERTIES = {
    "DocumentFileName": "name of the embedded XML invoice file",
    "DocumentType": "INVOICE",
    "Version": "version of the Factur-X XML schema",
    "ConformanceLevel": "conformance level of the embedded Factur-X data",
}
_XMP = _FACTUR_X % "".join(_PROPERTY % each for each in _PROPERTIES.items()).encode()


def write(document: Any, attach: Callable[[], Any]) -> bytes:
    """The PDF of a `Document` of WeasyPrint's, with the `Attachment` that holds its XML, made anew each time."""
    pdf = _written(document, attach())
    if _AMBIGUOUS in pdf:
        return _written(document, attach(), uncompressed_pdf=True)
    return pdf


# Compressed data that happens to end like a line: how long it is can then be read in two ways, which PDF/A forbids.
_AMBIGUOUS = b"\r\nendstream"


def _written(document: Any, attached: Any, **options: bool) -> bytes:
    pdf: bytes = document.write_pdf(pdf_variant="pdf/a-3b", attachments=[attached], finisher=_finish, **options)
    return pdf


def _finish(document: Any, pdf: Any) -> None:
    """`pdf` is pydyf's, all but written."""
    _name_contents(_object(pdf, pdf.catalog["Metadata"]))
    pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])  # WeasyPrint names each file twice
    for each in pdf.objects:
        if getattr(each, "extra", {}).get("Interpolate"):  # PDF/A forbids it
            each.extra["Interpolate"] = "false"


def _name_contents(metadata: Any) -> None:
    """All in one `rdf:RDF`, and uncompressed, for readers that know no PDF."""
    head, end, tail = b"".join(metadata.stream).rpartition(b"</rdf:RDF>")
    metadata.stream, metadata.compress = [head + _XMP + end + tail], False


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]
