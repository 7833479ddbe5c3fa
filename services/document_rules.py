"""Who may open a document of a bilan, by what they are to it.

A synthesis is for its beneficiary alone (art. L6313-4 du code du travail): who holds the bilan may open it while they
write it, and anybody else only by a share to which the beneficiary agreed in writing.
"""

from collections.abc import Mapping
from enum import Enum, auto

from models import Bilan, Document, DocumentKind, Membership, Role

ALONE = (
    "La synthèse est destinée au seul bénéficiaire ; un tiers ne la reçoit qu'avec son accord écrit (art. L6313-4 du"
    " code du travail). / A synthesis is for its beneficiary alone; anybody else needs their written consent."
)
_CONTENT = (
    "Ce document relève du contenu du bilan : seuls le bénéficiaire et le consultant l'ouvrent. / This document is what"
    " the bilan is held with: only the beneficiary and the consultant open it."
)


class Relation(Enum):
    """What somebody is to a bilan."""

    BENEFICIARY = auto()
    HOLDER = auto()
    RUNNING = auto()  # an owner or an admin
    NOBODY = auto()


_CONCERNED = frozenset({Relation.BENEFICIARY, Relation.HOLDER})
OPENED_BY: Mapping[DocumentKind, frozenset[Relation]] = {
    DocumentKind.SYNTHESIS: _CONCERNED,  # of the holder while the bilan is under way
    DocumentKind.OTHER: _CONCERNED,
    DocumentKind.CONVENTION: _CONCERNED | {Relation.RUNNING},
    DocumentKind.CONSENT: _CONCERNED | {Relation.RUNNING},
    DocumentKind.EVIDENCE: _CONCERNED | {Relation.RUNNING},
}


def refused(document: Document, bilan: Bilan, member: Membership) -> str | None:
    """Why a person may not open a document of the bilan, which has its `client`; None where they may."""
    relation = relation_of(bilan, member)
    may = relation in OPENED_BY[document.kind]
    if document.is_synthesis and relation is Relation.HOLDER and bilan.is_over:
        may = False
    if may:
        return None
    return ALONE if document.is_synthesis else _CONTENT


def relation_of(bilan: Bilan, member: Membership) -> Relation:
    if not member.active:
        return Relation.NOBODY
    if bilan.client.member_id == member.id:
        return Relation.BENEFICIARY
    if bilan.consultant_id == member.id:
        return Relation.HOLDER
    return Relation.RUNNING if member.role in (Role.OWNER, Role.ADMIN) else Relation.NOBODY
