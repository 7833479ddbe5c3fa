"""Files that people send."""

from typing import Any

import models
from schema.base import auto, computed, input, node
from schema.organizations import Membership
from schema.scalars import URL
from services import uploads


@node(models.Upload)
class Upload:
    """A file that somebody is about to send: asked for, sent to its address, used once within a day."""

    purpose: auto
    name: auto
    content_type: auto
    size_bytes: auto
    created_by: Membership | None
    expires_at: auto
    received_at: auto
    used_at: auto
    created_at: auto

    @computed(
        "Where to send the file, with PUT and the `Content-Type` that was announced: once, within an hour. Null from"
        " then on.",
        needs=("id", "expires_at", "received_at"),
    )
    def url(root: Any) -> URL | None:
        address = uploads.link(root.id, root.expires_at) if root.received_at is None else None
        return URL(address) if address else None


@input(models.Upload)
class UploadCreateInput:
    """Which file is to be sent."""

    purpose: auto
    name: auto
    content_type: auto
    size_bytes: auto
