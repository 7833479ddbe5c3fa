"""What people and keys do, for the audit log: changes of rows log themselves, the rest is noted."""

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID

from tortoise.models import Model

from models import AuditActor, AuditEntry, AuditOperation, Role
from models import audit as log
from models.audit import Acting
from policy import Actor, Key
from telemetry.context import current as log_ids

ADDRESS_MOST, REQUEST_MOST, AGENT_MOST, FACT_MOST = 45, 64, 200, 2000  # characters; more is cut

KINDS: dict[Any, AuditActor] = {
    Key.STOREFRONT: AuditActor.PUBLISHABLE_KEY,
    Key.PARTNER: AuditActor.PARTNER_KEY,
    Key.PORTAL: AuditActor.PORTAL_TOKEN,
}


def acting(
    action: str, actor: Actor | None, *, address: str | None = None, user_agent: str | None = None
) -> AbstractContextManager[None]:
    """What is changed in the block is the actor's doing, or nobody's."""
    request_id = log_ids().get("request_id")
    who = Acting(
        action, address=_cut(address, ADDRESS_MOST), request_id=_cut(request_id, REQUEST_MOST),
        user_agent=_cut(user_agent, AGENT_MOST),
    )  # fmt: skip
    return log.acting(replace(who, **_columns(actor)) if actor else who)


async def note(
    action: str,
    *,
    organization_id: UUID,
    member_id: UUID | None = None,
    subject: Model | None = None,
    **facts: str | int | bool | None,
) -> None:
    """Write down what changes no row (signed in, refused, ended, read), or what somebody changed who was not signed in
    (registered, another password). `facts` are for people, and hold no secret.

    It is done by the member, where one is named, else by whoever is acting, else by nobody. Written in the open
    transaction, with which it stands and falls: note a refusal outside of it.
    """
    who = log.current() or Acting(action)
    if member_id:
        who = replace(who, actor_kind=AuditActor.PERSON, actor_id=member_id)
    elif who.organization_id != organization_id:
        who = replace(who, actor_kind=AuditActor.SYSTEM, actor_id=None, key_id=None)
    await AuditEntry.create(
        organization_id=organization_id, actor_kind=who.actor_kind, actor_id=who.actor_id, key_id=who.key_id,
        action=action, operation=AuditOperation.NOTE, subject_type=type(subject).__name__ if subject else None,
        subject_id=subject.pk if subject else None, address=who.address, request_id=who.request_id,
        user_agent=who.user_agent, after={name: _fact(value) for name, value in facts.items() if value is not None},
    )  # fmt: skip


def _columns(actor: Actor) -> dict[str, Any]:
    """Who it is, as an entry has it."""
    who: dict[str, Any] = {"organization_id": actor.organization_id}
    if isinstance(actor.kind, Role):
        return who | {"actor_kind": AuditActor.PERSON, "actor_id": actor.own_id}
    return who | {"actor_kind": KINDS.get(actor.kind, AuditActor.API_KEY), "key_id": actor.own_id}


def _cut(text: object, most: int) -> str | None:
    """What the database takes of a text that anybody may have sent."""
    return str(text).replace("\x00", "")[:most] if text else None


def _fact(value: str | int | bool | None) -> str | int | bool | None:
    return _cut(value, FACT_MOST) if isinstance(value, str) else value
