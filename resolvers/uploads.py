"""Uploads: an address is asked for, and the file sent there."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.roots import Wanted, connection, mutation, one
from schema.uploads import Upload, UploadCreateInput
from services import uploads as uploads_service


@connection(Upload, requires=Permission.UPLOADS)
def uploads(info: Info) -> QuerySet[models.Upload]:
    """Uploads of the last day, newest first: all that one may see, or those that one sends oneself."""
    return actor(info).rows(models.Upload)


@one(Upload, requires=Permission.UPLOADS)
def upload(id: strawberry.ID) -> Wanted:
    """One upload: whether it was received."""
    return models.Upload, row_id(models.Upload, id)


@mutation(Upload, requires=Permission.UPLOADS, idempotent=True)
async def upload_create(info: Info, input: UploadCreateInput) -> models.Upload:
    """Say which file is to be sent, and learn where (`url`): PUT it there as it is, with its `Content-Type`. It is kept
    encrypted. Name the upload where it is used; of what is not used within a day nothing stays."""
    caller = actor(info)
    given(input)
    caller.require(uploads_service.TERMS[input.purpose].requires)
    by = caller.membership_id if caller.may(Permission.MEMBER) else None
    return await uploads_service.create(
        caller.organization_id, input.purpose, input.name, input.content_type, input.size_bytes, by=by
    )
