"""Exports for accountants."""

from datetime import date
from typing import Any

import strawberry

import models
from schema.base import auto, computed, enum, node
from schema.lists import among, between, filter
from schema.organizations import Membership
from schema.scalars import URL, Date
from services import files


@node(models.Export)
class Export:
    """A file of what happened in a period: asked for, made by a worker, fetched by its address within 30 days."""

    kind: auto
    status: auto
    starts_on: auto
    ends_on: auto
    live: auto
    total: auto
    done: auto
    left_out: auto
    filename: auto
    file_sha256: auto
    error: auto
    requested_by: Membership | None
    finished_at: auto
    created_at: auto

    @computed("How far it is, of 100.", needs=("status", "total", "done"))
    def percent(root: Any) -> int:
        return int(root.percent)

    @computed("How large it is, in kilobytes, rounded up; null until it is ready.", needs=("file_bytes",))
    def kilobytes(root: Any) -> int | None:
        return None if root.file_bytes is None else -(-int(root.file_bytes) // 1000)

    @computed("Where to fetch it, for 24 hours; null until it is ready.", needs=("id", "filename", "file_key"))
    def url(root: Any) -> URL | None:
        return URL(files.export_link(root)) if root.file_key else None


@filter(models.Export)
class ExportFilter:
    """Which exports."""

    kind: among
    status: among
    live: auto
    created_at: between


@strawberry.input(description="What to export, of which days, where the organization is.")
class ExportCreateInput:
    kind: enum(models.ExportKind) = strawberry.field(description="What is in it.")  # type: ignore[valid-type]
    starts_on: Date = strawberry.field(name="from", description="The first day.")
    ends_on: Date = strawberry.field(name="to", description="The last day: 731 days at most. A FEC is named after it.")

    @property
    def days(self) -> tuple[date, date]:
        return self.starts_on, self.ends_on
