"""Letters about bilans, to who holds one in which nothing happens any more."""

from datetime import UTC, datetime

from models import Bilan, BilanWarning, Lane
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job


@job(Lane.MAIL)
async def propose_to_close(warning: BilanWarning) -> None:
    """To who holds the bilan, else to the organization; unless it was closed, goes on, or somebody decided."""
    bilan = await Bilan.get(id=warning.bilan_id).prefetch_related("organization", "consultant__user")
    if bilan.is_over or warning.cleared_at or warning.decided_at:
        return
    organization, holder = bilan.organization, bilan.consultant
    held = holder is not None and holder.active
    letter = letters.of_no_order(
        "bilan_idle",
        {"beneficiary": bilan.beneficiary_name, "contacts": []},
        name=holder.user.first_name if held else organization.brand_name,
        brand=brand(organization),
        envelope=post.envelope(holder.user.email if held else organization.contact_email,
            message_id(f"idle-{datetime.now(UTC):%Y%m%d}", warning)),
    )  # fmt: skip
    await post.send(bilan.organization_id, letter)
