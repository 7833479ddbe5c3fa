"""Clients that are imported from files."""

from typing import Any

import strawberry

import models
from models import Language
from schema.base import auto, computed, enum, node, pages
from schema.connections import Connection
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import URL
from services import import_reports

Field, OnExisting, OnBroken = (
    enum(models.ClientImportField), enum(models.OnExistingClient), enum(models.OnBrokenLine),
)  # fmt: skip
COLUMNS_MOST = 200


@strawberry.type(description="A column of an imported file, and what it was taken for.")
class ClientImportColumn:
    heading: str = strawberry.field(description="What the file calls it.")
    field: Field | None = strawberry.field(  # type: ignore[valid-type]
        description="What it says of a client; null where it is not imported."
    )


@node(models.ClientImportLine)
class ClientImportLine:
    """What is wrong with a line of an import, kept for 30 days."""

    line: auto
    last_line: auto
    heading: auto
    value: auto
    problem: auto
    first_line: auto

    @computed("The same in words, in French.", needs=("problem", "first_line"))
    def message_fr(root: Any) -> str:
        return import_reports.said(root.problem, root.first_line, Language.FR)

    @computed("The same in words, in English.", needs=("problem", "first_line"))
    def message_en(root: Any) -> str:
        return import_reports.said(root.problem, root.first_line, Language.EN)


@node(models.ClientImport)
class ClientImport:
    """Clients from a CSV file: first each line is looked at, then they are written, a thousand lines at a time."""

    filename: auto
    status: auto
    dry_run: auto
    on_existing: auto
    on_broken: auto
    encoding: auto
    delimiter: auto
    total: auto
    done: auto
    created: auto
    updated: auto
    unchanged: auto
    broken: auto
    lines: Connection[ClientImportLine] = pages(  # type: ignore[assignment]
        "lines", "What is wrong with lines, the last first; 10,000 at most are kept, `broken` counts them all."
    )
    requested_by: Membership | None
    finished_at: auto
    created_at: auto

    @computed("Tags that were made, or would be: look for slips before it is confirmed.", needs=("new_tags",))
    def new_tags(root: Any) -> list[str]:
        return list(root.new_tags)

    @computed("What each column was taken for; none before the file is read.", needs=("columns",))
    def columns(root: Any) -> list[ClientImportColumn]:
        return [
            ClientImportColumn(heading=heading, field=field and models.ClientImportField(field))
            for heading, field in root.columns
        ]

    @computed("How far it is, of 100.", needs=("status", "dry_run", "total", "done"))
    def percent(root: Any) -> int:
        return int(root.percent)

    @computed(
        "Where to fetch what is wrong with lines, as a list for spreadsheets in French and in English, for 24 hours;"
        " null where nothing is.",
        needs=("id", "status", "broken"),
    )
    def report_url(root: Any) -> URL | None:
        told = root.broken or root.status is models.ClientImportStatus.FAILED
        return URL(import_reports.link(root.id)) if told else None


@filter(models.ClientImport)
class ClientImportFilter:
    """Which imports."""

    status: among
    dry_run: auto
    created_at: between


@strawberry.input(description="What a column of a file says.")
class ClientImportColumnInput:
    heading: str = strawberry.field(description="What the file calls it; accents and capitals do not matter.")
    field: Field | None = strawberry.field(  # type: ignore[valid-type]
        description="What it says of a client; null to leave it out.", default=None
    )


@strawberry.input(description="Which file of clients to import, and how.")
class ClientImportCreateInput:
    upload: strawberry.ID = strawberry.field(
        description="The upload that brought the file (purpose CLIENT_IMPORT), by its global id."
    )
    dry_run: bool = strawberry.field(
        description="Only look at the lines, and tell what would come of them. `clientImportConfirm` imports them.",
        default=False,
    )
    on_existing: OnExisting = strawberry.field(  # type: ignore[valid-type]
        description="What happens to clients who are there already, by the e-mail address.",
        default=models.OnExistingClient.SKIP,
    )
    on_broken: OnBroken = strawberry.field(  # type: ignore[valid-type]
        description="What happens where lines are wrong.", default=models.OnBrokenLine.REFUSE
    )
    columns: list[ClientImportColumnInput] = strawberry.field(
        description="What columns say whose headings are not understood, or are misunderstood.", default_factory=list
    )


@strawberry.input(description="Which import to carry out for good.")
class ClientImportConfirmInput:
    client_import: strawberry.ID = strawberry.field(
        description="The global id of an import that is CHECKED or REFUSED."
    )
    on_broken: OnBroken | None = strawberry.field(  # type: ignore[valid-type]
        description="What happens where lines are wrong; as it was asked before unless given.", default=None
    )
