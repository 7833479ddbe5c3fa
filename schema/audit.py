"""Who did what: the audit log, as owners read it."""

from typing import Any

import orjson
import strawberry
from strawberry.utils.str_converters import to_camel_case
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

import models
from models.base import global_id_of, parse_global_id
from policy import row_id
from schema.base import auto, computed, expression, node
from schema.lists import among, between, filter, names
from schema.organizations import Membership

KEYS = {
    models.AuditActor.PUBLISHABLE_KEY: "PublishableKey",
    models.AuditActor.PARTNER_KEY: "PartnerKey",
    models.AuditActor.API_KEY: "ApiKey",
    models.AuditActor.PORTAL_TOKEN: "Client",
}


def _global_id_in_sql(type_: str, id: str) -> str:
    """The global id of a row of a type that a column names; null where there is none."""
    encoded = f"encode(convert_to({type_} || ':' || {id}, 'UTF8'), 'base64')"
    return f"rtrim(replace({encoded}, E'\\n', ''), '=')"


_KEY_TYPE = f'(CASE "actor_kind" {" ".join(f"WHEN {kind.value!r} THEN {name!r}" for kind, name in KEYS.items())} END)'


@strawberry.type(description="A column that a change was about.")
class AuditChange:
    field: str = strawberry.field(description="Its name: `totalCents`, `client`.")
    before: str | None = strawberry.field(
        description="What it held, as text, a row that it named by its global id; null for nothing. Long texts are cut;"
        " of a secret only that there was one: `[redacted]`."
    )
    after: str | None = strawberry.field(description="What it holds since, likewise.")


@node(models.AuditEntry)
class AuditEntry:
    """One change of one row, or a thing done that changed none: who, what, when, from where. Never changed itself."""

    actor_kind: auto
    actor: Membership | None
    key: strawberry.ID | None = expression(
        _global_id_in_sql(_KEY_TYPE, '"key_id"'),
        "The key by which it was done, by its global id, where it was one; of a private link the client.",
    )  # type: ignore[assignment]
    action: auto
    operation: auto
    subject_type: auto
    subject: strawberry.ID | None = expression(
        _global_id_in_sql('"subject_type"', '"subject_id"'),
        "The row, by its global id; `node` finds it where it is published and still there.",
    )  # type: ignore[assignment]
    address: auto
    request_id: auto
    user_agent: auto
    created_at: auto

    @computed(
        "What changed, column by column; of a new row what it was made with, of a deleted one what it held.",
        needs=("subject_type", "before", "after"),
    )
    def changes(root: Any) -> list[AuditChange]:
        relations = _relations(_model(root.subject_type))
        return [
            _change(relations.get(name), name, root.before.get(name), root.after.get(name))
            for name in sorted({**root.before, **root.after})
        ]


def _about(key: str) -> dict[str, Any]:
    name, _ = parse_global_id(key) or ("", None)
    model = _model(name) or models.AuditEntry  # which is no entry's subject
    return {"subject_type": model.__name__, "subject_id": row_id(model, key)}


def _done_by(key: str) -> dict[str, Any]:
    name, id = parse_global_id(key) or ("", None)
    return {"key_id": id} if name in KEYS.values() else {"actor_id": row_id(models.Membership, key)}


@filter(models.AuditEntry)
class AuditFilter:
    """Which entries."""

    subject: names(_about, "What was done to this row, of whatever type. By global id.")  # type: ignore[valid-type]
    actor: names(_done_by, "What this person did, by their membership, or this key. By global id.")  # type: ignore[valid-type]
    action: among
    created_at: between


def _model(name: str | None) -> type[Model] | None:
    found = getattr(models, name or "", None)
    return found if isinstance(found, type) and issubclass(found, Model) else None


def _relations(model: type[Model] | None) -> dict[str | None, Any]:
    """The relations of a table to one, by their columns."""
    columns = model._meta.fields_map.values() if model else ()
    return {column.source_field: column for column in columns if isinstance(column, ForeignKeyFieldInstance)}


def _change(relation: Any, name: str, before: Any, after: Any) -> AuditChange:
    if relation is None:
        return AuditChange(field=to_camel_case(name), before=_text(before), after=_text(after))
    named = relation.related_model
    return AuditChange(
        field=to_camel_case(relation.model_field_name),
        before=before and global_id_of(named, before),
        after=after and global_id_of(named, after),
    )


def _text(value: Any) -> str | None:
    """As people read it: a text as it is, all else as JSON."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
