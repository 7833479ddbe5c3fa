"""What a person settled."""

from datetime import UTC, datetime
from uuid import UUID

import errors
from models import Conflict


async def resolve(conflict: Conflict, resolution: str, by: UUID) -> Conflict:
    """Note how it was settled; the row is locked. Raises Conflict where it was before."""
    if conflict.resolved_at is not None:
        raise errors.Conflict("This is settled already.", field="input.conflict")
    conflict.resolved_at, conflict.resolution = datetime.now(UTC), resolution
    conflict.resolved_by_id = by
    await conflict.save()
    return conflict
