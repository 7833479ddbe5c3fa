"""Letters about consents that are over."""

from models import Lane, Membership, OAuthGrant, OAuthStatus, Organization, User
from providers import registry
from services import letters, post
from services.invoice_content import brand
from services.links import message_id
from services.outbox import job
from services.outside import outside


@job(Lane.MAIL)
async def tell_lost(grant: OAuthGrant) -> None:
    """Tell whose consent it was, or the organization, that it has to be given again; nothing once it was."""
    if grant.status is not OAuthStatus.DISCONNECTED:
        return
    organization = await Organization.get(id=grant.organization_id)
    to, name = organization.contact_email, ""
    if grant.membership_id:
        membership = await Membership.get(id=grant.membership_id)
        if not membership.active:
            return
        user = await User.get(id=membership.user_id)
        to, name = user.email, user.first_name
    kind = registry.provider(grant.provider)
    said = {"provider": kind.name if kind else grant.provider, "reason": grant.reason}
    envelope = post.envelope(to, message_id(f"consent-{grant.connected_at:%Y%m%d%H%M%S%f}", grant))
    await outside().mailer.send(
        letters.of_no_order("consent_lost", said, name=name, brand=brand(organization), envelope=envelope)
    )
