"""All that is kept of a client, put together for them."""

from typing import Any

import strawberry

import models
from schema.base import auto, computed, node
from schema.clients import Client
from schema.organizations import Membership
from schema.scalars import URL, DateTime


@node(models.ClientDataExport)
class ClientDataExport:
    """All that is kept of a client as one file, for whoever ordered it, fetched within a week
    (`clientDataExportOpen`)."""

    client: Client
    status: auto
    total: auto
    done: auto
    error: auto
    requested_by: Membership | None
    told_at: auto
    finished_at: auto
    created_at: auto

    @computed("How far it is, of 100.", needs=("status", "total", "done"))
    def percent(root: Any) -> int:
        return int(root.percent)


@strawberry.input(description="Whose data to put together.")
class ClientDataExportCreateInput:
    client: strawberry.ID = strawberry.field(description="The client's global id.")


@strawberry.input(description="Which export to fetch.")
class ClientDataExportInput:
    client_data_export: strawberry.ID = strawberry.field(description="The export's global id.")


@strawberry.type(description="Where an export is fetched.")
class ClientDataExportOpened:
    url: URL = strawberry.field(description="The address, for who ordered it: a ZIP, saved as a file.")
    expires_at: DateTime = strawberry.field(description="Until when it is good: five minutes.")
