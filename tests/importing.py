"""Importing clients in tests: the file sent, the import asked for, the workers' work done."""

from typing import Any
from uuid import uuid4

from tests.shop import Shop
from tests.uploading import sent

SEEN = """
  id filename status dryRun onExisting onBroken encoding delimiter columns { heading field } total done percent
  created updated unchanged broken newTags reportUrl finishedAt requestedBy { user { email } }
  lines(first: 100) { nodes { line lastLine heading value problem firstLine messageFr messageEn } }
"""
IN = f"{{ clientImport {{ {SEEN} }} }} }}"
CREATE = f"mutation ($input: ClientImportCreateInput!) {{ clientImportCreate(input: $input) {IN}"
CONFIRM = f"mutation ($input: ClientImportConfirmInput!) {{ clientImportConfirm(input: $input) {IN}"
IMPORT = f"query ($id: ID!) {{ clientImport(id: $id) {{ {SEEN} }} }}"


async def brought(shop: Shop, content: str | bytes, name: str = "clients.csv") -> str:
    """The upload of a client file, received."""
    raw = content.encode() if isinstance(content, str) else content
    return str((await sent(shop, raw, purpose="CLIENT_IMPORT", name=name, contentType="text/csv"))["id"])


async def begun(shop: Shop, content: str | bytes, **how: Any) -> dict[str, Any]:
    """An import that is asked for."""
    upload = await brought(shop, content)
    made = await shop(CREATE, input={"upload": upload, "idempotencyKey": str(uuid4()), **how})
    return dict(made["clientImport"])


async def imported(shop: Shop, content: str | bytes, **how: Any) -> dict[str, Any]:
    """An import, once it is done; what is wrong with its lines in the order of the file."""
    made = await begun(shop, content, **how)
    await shop.work_is_done()
    return await seen(shop, made)


async def seen(shop: Shop, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await shop(IMPORT, id=made["id"])
    return found | {"lines": list(reversed(found["lines"]["nodes"]))}
