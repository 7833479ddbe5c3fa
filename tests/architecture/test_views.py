"""What is published says of its rows what the tables say."""

import re

import pytest
from graphql import GraphQLEnumType, GraphQLList, GraphQLNonNull, get_named_type, get_nullable_type
from tortoise.fields.data import CharEnumFieldInstance
from tortoise.fields.relational import BackwardFKRelation, ForeignKeyFieldInstance
from tortoise.models import Model

import models
from engine.reading import always_named
from engine.views import VIEWS, View
from policy import KINDS, READS, Permission, granted, must_be_seen_together
from tests.security.documents import SCHEMA
from tests.shop import Shop

TABLES: list[type[Model]] = [
    table for table in (getattr(models, name) for name in models.__all__) if hasattr(table, "_meta")
]


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_a_relation_is_nullable_where_its_column_is_and_a_list_where_there_are_many(view: View) -> None:
    fields = SCHEMA.type_map[view.name].fields  # type: ignore[attr-defined]
    not_for_all = {  # seen by rules of their own
        ("Notification", "order"), ("Access", "client"), ("Access", "product"), ("ClientSubscription", "product"),
        ("Refund", "payment"), ("Dispute", "payment"), ("Booking", "client"), ("Pack", "client"),
        ("Bilan", "client"),
    }  # fmt: skip
    for name, path in view.relations.items():
        hop = view.model._meta.fields_map[path.partition("__")[0]]
        type_ = fields[name].type
        assert isinstance(get_nullable_type(type_), GraphQLList) == isinstance(hop, BackwardFKRelation), name
        if isinstance(hop, ForeignKeyFieldInstance):
            null = hop.null or (view.name, name) in not_for_all
            assert isinstance(type_, GraphQLNonNull) != null, name
            assert get_named_type(type_).name == VIEWS[hop.related_model].name


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_a_column_is_nullable_where_the_table_says_so(view: View) -> None:
    columns = {_camel(name): column for name, column in view.model._meta.fields_map.items()}
    for name, field in SCHEMA.type_map[view.name].fields.items():  # type: ignore[attr-defined]
        if name in columns and not isinstance(columns[name], BackwardFKRelation) and name not in view.relations:
            assert isinstance(field.type, GraphQLNonNull) != columns[name].null, f"{view.name}.{name}"


def test_no_role_sees_a_row_without_what_it_always_shows() -> None:
    named = [(model, *hop) for model, view in VIEWS.items() for hop in always_named(view)]

    must_be_seen_together(named)
    assert (models.Order, "client", models.Client) in named
    assert (models.Invoice, "partner", models.Partner) not in named  # it may be null
    assert (models.Notification, "order", models.Order) not in named  # here too, for those who do not see it
    assert (models.Notification, "partner", models.Partner) in named


def test_a_role_that_would_is_refused_at_start_up() -> None:
    reads_orders = [kind for kind in KINDS if Permission.ORDERS_READ in granted(kind)]

    assert reads_orders
    with pytest.raises(TypeError, match="an Order without the Promise|a Order without the Promise"):
        must_be_seen_together([(models.Order, "promise", models.Promise)])


def test_what_nobody_may_read_is_not_published() -> None:
    assert {VIEWS[model].name for model in VIEWS} == {VIEWS[model].name for model in READS if model in VIEWS}
    secret = {"apiKey", "signingSecret", "passwordHash", "stripeAccount", "organization_id"}
    for view in VIEWS.values():
        assert not secret & set(SCHEMA.type_map[view.name].fields), view.name  # type: ignore[attr-defined]


async def test_the_database_takes_the_values_of_each_enum_and_no_other(shop: Shop) -> None:
    checks = {
        row["conname"]: set(re.findall(r"'(\w+)'::", row["definition"]))
        for row in await shop.sql(
            "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype = 'c'"
        )
    }
    for table in TABLES:
        for name, column in table._meta.fields_map.items():
            if isinstance(column, CharEnumFieldInstance):
                taken = checks[f"{table._meta.db_table}_{name}_check"]
                assert taken == {value.value for value in column.enum_type}, f"{table.__name__}.{name}"


def test_every_published_enum_has_the_values_of_its_model() -> None:
    coded = {
        column.enum_type.__name__: {value.value for value in column.enum_type}
        for table in TABLES
        for column in table._meta.fields_map.values()
        if isinstance(column, CharEnumFieldInstance)
    }
    for name, kind in SCHEMA.type_map.items():
        if isinstance(kind, GraphQLEnumType) and name in coded:
            assert set(kind.values) == coded[name]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
