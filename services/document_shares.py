"""With whom a document is shared: for a while, with the beneficiary's written consent, kept word for word."""

from datetime import UTC, datetime, timedelta

from errors import Conflict, Forbidden, Invalid
from models import Bilan, Document, DocumentKind, DocumentShare, Membership
from services import document_letters
from services.document_rules import Relation, relation_of
from services.outbox import later

LONGEST = timedelta(days=365)
USUAL = timedelta(days=30)


async def create(
    document: Document, name: str, email: str, expires_at: datetime | None, paper: Document | None, member: Membership
) -> DocumentShare:
    """Share a document, locked, with somebody, who is written to. The beneficiary consents by asking; for anybody else
    who asks, `paper` is what the beneficiary signed, a CONSENT among the documents of the same bilan.

    Raises Forbidden without consent, Invalid for an end that cannot be, Conflict for what was destroyed.
    """
    document.must_be_there()
    now = datetime.now(UTC)
    until = expires_at or now + USUAL
    if not now < until <= now + LONGEST:
        raise Invalid("A share ends within a year.", field="input.expiresAt")
    bilan = await Bilan.get(id=document.bilan_id).prefetch_related("client")
    if paper or relation_of(bilan, member) is not Relation.BENEFICIARY:
        _must_prove(document, paper)
    statement = _statement(bilan, document, name, email, until, paper)
    made = await DocumentShare.create(
        organization_id=document.organization_id, document=document, recipient_name=name, recipient_email=email,
        statement=statement, consented_at=paper.created_at if paper else now,
        consented_by_id=None if paper else member.id, consent_document=paper, recorded_by_id=member.id,
        expires_at=until,
    )  # fmt: skip
    await later(document_letters.tell_recipient, made)
    return made


async def revoke(share: DocumentShare) -> DocumentShare:
    """It opens nothing from now on; when that began stays."""
    share.revoked_at = share.revoked_at or datetime.now(UTC)
    await share.save(update_fields=["revoked_at"])
    return share


def _must_prove(document: Document, paper: Document | None) -> None:
    if paper is None:
        raise Forbidden(
            "Only the beneficiary shares this document. Where they agreed on paper, add it as a CONSENT (documentAdd)"
            " and name it.",
            field="input.consentDocument",
        )
    if paper.kind is not DocumentKind.CONSENT or paper.bilan_id != document.bilan_id:
        raise Conflict("This is no written consent for a document of this bilan.", field="input.consentDocument")
    paper.must_be_there()


def _statement(bilan: Bilan, document: Document, name: str, email: str, until: datetime, paper: Document | None) -> str:
    signed = f" Accord signé : « {paper.name} » (SHA-256 {paper.sha256})." if paper else ""
    return (
        f"{bilan.beneficiary_name} autorise {name} ({email}) à consulter le document « {document.name} » (SHA-256"
        f" {document.sha256}) jusqu'au {until:%d/%m/%Y}. Cet accord peut être retiré à tout moment.{signed}"
    )
