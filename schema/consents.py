"""Consents at other services (OAuth 2.0)."""

from typing import Any

import strawberry

import models
from schema.base import auto, computed, node
from schema.organizations import Membership
from schema.scalars import URL


@node(models.OAuthGrant)
class OAuthGrant:
    """What a person, or the organization, lets us do at another service. Its tokens are shown to nobody."""

    provider: auto
    membership: Membership | None
    status: auto
    reason: auto
    connected_at: auto
    refreshed_at: auto
    created_at: auto

    @computed("What was allowed, in the provider's words.", needs=("scopes",))
    def scopes(root: Any) -> list[str]:
        listed: list[str] = root.scope_list
        return listed


@strawberry.input(description="A consent to be asked for.")
class OAuthStartInput:
    provider: str = strawberry.field(description="The provider's key in the catalogue: `google_calendar`.")
    for_organization: bool = strawberry.field(
        description="Whether it is to be the organization's, which takes the right to change integrations; else one's"
        " own.",
        default=False,
    )
    redirect_uri: URL | None = strawberry.field(
        description="The page of yours that the provider sends the person back to, with `code` and `state`; registered"
        " there, and of APP_URL or of one of ALLOWED_ORIGINS. ACCOUNT_URL, or our own page, unless told.",
        default=strawberry.UNSET,
    )


@strawberry.type(description="Where a person is asked for their consent.")
class OAuthStarted:
    authorization_url: URL = strawberry.field(
        description="Send them there within ten minutes. They come back with `code` and `state`, for `oauthFinish`."
    )


@strawberry.input(description="What a person came back with.")
class OAuthFinishInput:
    code: str = strawberry.field(description="`code` of the address that they came back to.")
    state: str = strawberry.field(description="`state` of it: good once, in the session that began.")
    iss: str | None = strawberry.field(
        description="`iss` of it, where there is one: who says that it answers (RFC 9207).", default=strawberry.UNSET
    )


@strawberry.input(description="Which consent to withdraw.")
class OAuthRevokeInput:
    oauth_grant: strawberry.ID = strawberry.field(description="Its global id.")


@strawberry.type(description="A consent was given or withdrawn.")
class OAuthChanged:
    oauth_grant: OAuthGrant = strawberry.field(description="As it is now.")
