"""Letters about documents: to whom one is shared with, with the link that opens it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from models import Document, DocumentShare, Lane
from services import document_access, letters, links, post
from services.invoice_content import brand
from services.outbox import job


@job(Lane.MAIL)
async def tell_recipient(share: DocumentShare) -> None:
    """Who may open it, until when; unless it was taken back, or is over, or nothing is left to open."""
    document = await Document.get(id=share.document_id).prefetch_related("organization", "bilan")
    if not share.is_good_at(datetime.now(UTC)) or document.is_destroyed:
        return
    organization = document.organization
    said = {
        "owner": document.bilan.beneficiary_name, "document": document.name,
        "action_url": document_access.share_link(share),
        "until": share.expires_at.astimezone(ZoneInfo(organization.time_zone)).date(),
    }  # fmt: skip
    letter = letters.of_no_order(
        "document_shared", said, name=share.recipient_name, brand=brand(organization),
        envelope=post.envelope(share.recipient_email, links.message_id("share", share)),
    )  # fmt: skip
    await post.send(share.organization_id, letter)
