"""Two clients that are one."""

import strawberry
from strawberry.utils.str_converters import to_camel_case

import models
from policy import Permission, row_id
from schema.clients import Client
from schema.context import Info, actor
from schema.crm import ClientMergeInput, ClientMergePreview, RowCount
from schema.roots import mutation, query
from services import client_merges


@query(ClientMergePreview, requires=Permission.CLIENTS_WRITE)
async def client_merge_preview(info: Info, client: strawberry.ID, duplicate: strawberry.ID) -> ClientMergePreview:
    """What merging two clients would do, and why it cannot be done, where that is so."""
    kept = await actor(info).get(models.Client, client, field="client")
    shown = await client_merges.preview(kept, await actor(info).get(models.Client, duplicate, field="duplicate"))
    return ClientMergePreview(
        moved=[RowCount(kind=kind, count=number) for kind, number in sorted(shown.moved.items())],
        learned=[to_camel_case(name.removesuffix("_id")) for name in shown.learned],
        refusals=shown.refusals,
    )


@mutation(Client, requires=Permission.CLIENTS_WRITE)
async def client_merge(info: Info, input: ClientMergeInput) -> models.Client:
    """Make one of two clients: orders, invoices, quotes and all else of the duplicate go over to the client who is
    kept, who learns what they lacked. The duplicate is no more, nor is their private link. It cannot be undone."""
    caller = actor(info)
    both = {}
    wanted = {"client": input.client, "duplicate": input.duplicate}
    seen = {name: await caller.get(models.Client, key, field=f"input.{name}") for name, key in wanted.items()}
    await client_merges.lock_before(seen["duplicate"])
    for name, key in sorted(wanted.items(), key=lambda each: row_id(models.Client, each[1])):
        both[name] = await caller.get(models.Client, key, field=f"input.{name}", for_update=True)
    by = caller.membership_id if caller.may(Permission.MEMBER) else None
    return await client_merges.merge(both["client"], both["duplicate"], by)
