"""Those who work in the organization."""

import strawberry
from tortoise.queryset import QuerySet

import models
from policy import Permission, row_id
from schema.base import given
from schema.context import Info, actor
from schema.lists import filtered
from schema.organizations import (
    MemberAdded,
    MemberAddInput,
    MemberFilter,
    MemberRemoveInput,
    Membership,
    MemberUpdateInput,
)
from schema.roots import Wanted, connection, mutation, one
from services import members as members_service


@connection(Membership, requires=Permission.MEMBERS_READ)
def members(info: Info, filter: MemberFilter | None = None) -> QuerySet[models.Membership]:
    """Those who work in the organization, and who did; newest first."""
    return filtered(actor(info).rows(models.Membership), filter)


@one(Membership, requires=Permission.MEMBERS_READ)
def member(id: strawberry.ID) -> Wanted:
    """One member."""
    return models.Membership, row_id(models.Membership, id)


@mutation(
    MemberAdded, requires=Permission.MEMBERS_WRITE, idempotent=True,
    deprecated="Use `invitationCreate` instead. Goes on 2027-06-30.",
)  # fmt: skip
async def member_add(info: Info, input: MemberAddInput) -> MemberAdded:
    """Let somebody in. Who has no account gets one, with a password to be given to them. Only an owner adds owners."""
    given(input)
    person = members_service.Person(input.email, input.first_name, input.last_name)
    added, password = await members_service.add(actor(info), person, input.role)
    return MemberAdded(member=added, temporary_password=password)  # type: ignore[arg-type]


@mutation(Membership, requires=Permission.MEMBERS_WRITE)
async def member_update(info: Info, input: MemberUpdateInput) -> models.Membership:
    """Give a member another role, from their next request on. Only an owner makes and unmakes owners."""
    given(input)
    row = await actor(info).get(models.Membership, input.member, field="input.member")
    return await members_service.update(actor(info), row, input.role)


@mutation(Membership, requires=Permission.MEMBERS_WRITE)
async def member_remove(info: Info, input: MemberRemoveInput) -> models.Membership:
    """Let a member in no more, from their next request on; nobody looks after their clients. Only an owner removes
    owners, and never the last one."""
    row = await actor(info).get(models.Membership, input.member, field="input.member")
    return await members_service.remove(actor(info), row)
