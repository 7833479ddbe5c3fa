"""What an organization has to say of itself on its invoices, by its legal form.

Code de commerce, R123-237 (SIREN, RCS and its town, seat), L223-1 and L224-1 (form and capital of SARL, SA, SAS);
décret 78-704, art. 32 (sociétés civiles); CGI, annexe II, art. 242 nonies A (name, address, VAT number).
"""

import re
import unicodedata
from typing import Any

IDENTITY = ("legal_name", "legal_form", "siren", "siret", "address", "postal_code", "city", "country")
COLUMNS = (*IDENTITY, "share_capital", "rcs", "vat_number", "vat_regime")  # all that `missing` reads

_NAMES = {
    "SOCIETE PAR ACTIONS SIMPLIFIEE": "SAS",
    "SOCIETE A RESPONSABILITE LIMITEE": "SARL",
    "SOCIETE ANONYME": "SA",
    "SOCIETE CIVILE": "SC",
    "SOCIETE EN NOM COLLECTIF": "SNC",
    "COMMANDITE PAR ACTIONS": "SCA",
    "COMMANDITE SIMPLE": "SCS",
}
_WITH_CAPITAL = {
    "SA", "SAS", "SASU", "SARL", "EURL", "SCA", "SELARL", "SELARLU", "SELEURL", "SELAS", "SELASU", "SELAFA", "SELCA",
    "SC", "SCI", "SCM", "SCP", "SCOP", "SCIC", "SEM", "SPL",
}  # fmt: skip
_REGISTERED = _WITH_CAPITAL | {"SNC", "SCS", "GIE"}


def missing(organization: Any) -> list[str]:
    """The columns that an invoice needs and that are empty. None of an EI or an association but the common ones."""
    form = forms(organization.legal_form or "")
    needed = list(IDENTITY)
    if form & _WITH_CAPITAL:
        needed.append("share_capital")
    if form & _REGISTERED:
        needed.append("rcs")
    if organization.vat_regime == "STANDARD":
        needed.append("vat_number")
    return [column for column in needed if not (getattr(organization, column) or "").strip()]


def forms(text: str) -> set[str]:
    """The abbreviations in a legal form as people write it: `S.A.S. (société par actions simplifiée)` → SAS."""
    plain = unicodedata.normalize("NFD", text.upper()).encode("ascii", "ignore").decode().replace(".", "")
    words = set(re.findall(r"[A-Z]+", plain))
    return words | {short for name, short in _NAMES.items() if name in plain}
