"""Proven at start-up: who sees a row sees whatever that row always names, whatever the role."""

from typing import Any

import pytest
from tortoise.models import Model

import models
from engine.reading import always_named
from engine.views import VIEWS
from models import ApiScope, Role
from policy import (
    KINDS,
    READS,
    ROWS,
    SCOPES,
    Both,
    Either,
    Having,
    Mine,
    NamedBy,
    Of,
    Oneself,
    Permission,
    Rules,
    Scoped,
    granted,
    must_be_seen_together,
)


def test_who_may_ask_after_a_payment_may_start_one() -> None:
    for kind in KINDS:
        assert Permission.ORDERS_PAY not in granted(kind) or Permission.CHECKOUT_START in granted(kind), kind


def test_every_rule_stands_on_relations_that_are_there() -> None:
    for role, rules in ROWS.items():
        for model, rule in rules.items():
            assert READS[model] in granted(role), f"{role}: a rule for {model.__name__}, which it does not see at all"
            for each in (rule.one, rule.other) if isinstance(rule, Either | Both) else (rule,):
                stands(model, each)


def stands(model: type[Model], rule: Any) -> None:
    if isinstance(rule, Mine | Having | Oneself):
        *hops, column = rule.column.split("__")
        for hop in hops:
            model = model._meta.fields_map[hop].related_model  # type: ignore[attr-defined]
        assert column in model._meta.fields_map
    elif isinstance(rule, Of):
        assert model._meta.fields_map[rule.key].related_model is rule.model  # type: ignore[attr-defined]
    else:
        assert rule.model._meta.fields_map[rule.key].related_model is model


def test_what_is_published_is_proven() -> None:
    named = [(model, *hop) for model, view in VIEWS.items() for hop in always_named(view)]

    must_be_seen_together(named)
    assert (models.Order, "client", models.Client) in named
    assert (models.OrderLine, "product", models.Product) in named


# What people are and own, who may what, what is done in a person's name, and what a client's private link opens.
FOR_PEOPLE = {
    Permission.AUDIT_READ, Permission.CLIENTS_ERASE, Permission.DATA_EXPORTS, Permission.MEMBER,
    Permission.MEMBERS_READ, Permission.MEMBERS_WRITE, Permission.ORGANIZATION_WRITE, Permission.KEYS_READ,
    Permission.KEYS_WRITE,
    Permission.PAYMENTS_WRITE, Permission.CONFLICTS_WRITE, Permission.RECONCILIATIONS_READ,
    Permission.PORTAL, Permission.DOCUMENTS_READ, Permission.DOCUMENTS_WRITE,
    Permission.PAYMENTS_REFUND, Permission.CREDIT_NOTES_WRITE, Permission.INTEGRATIONS_READ,
    Permission.INTEGRATIONS_WRITE, Permission.BILANS_FOLLOW, Permission.BILANS_HOLD, Permission.QUALITY,
}  # fmt: skip


def test_every_scope_opens_something_and_none_what_is_for_people() -> None:
    assert set(SCOPES) == set(ApiScope)
    assert all(SCOPES.values())
    assert not FOR_PEOPLE & set().union(*SCOPES.values())
    assert set(Permission) - FOR_PEOPLE - {Permission.PUBLIC} == set().union(*SCOPES.values())


def test_a_scope_that_writes_opens_what_the_one_that_reads_does() -> None:
    for scope in ApiScope:
        if scope.endswith("_WRITE"):
            assert SCOPES[ApiScope(scope.replace("_WRITE", "_READ"))] < SCOPES[scope]


def test_several_scopes_open_what_each_does_and_are_one_kind_in_any_order() -> None:
    both = [ApiScope.ORDERS_READ, ApiScope.PARTNERS_READ]

    kind, same = Scoped(frozenset(both)), Scoped(frozenset(reversed(both)))

    assert (kind, hash(kind)) == (same, hash(same))
    assert kind.permissions == SCOPES[both[0]] | SCOPES[both[1]] | {Permission.PUBLIC}
    assert kind not in ROWS  # a union of what is closed is closed, since of each table it sees all rows
    assert Scoped(frozenset()).permissions == {Permission.PUBLIC}


def test_a_scope_that_is_not_closed_stops_the_start() -> None:
    with pytest.raises(TypeError, match=r"API_KEY\(CLIENTS_READ\) may see a Client without the Order that its order"):
        must_be_seen_together([(models.Client, "order", models.Order)], rules={})


MINE = Mine("consultant_id")
ORDER_TO_CLIENT = (models.Order, "client", models.Client)
LINE_TO_PRODUCT = (models.OrderLine, "product", models.Product)


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({}, ORDER_TO_CLIENT),
        ({models.Order: MINE}, ORDER_TO_CLIENT),
        ({models.Client: MINE, models.Order: Of(models.Client, "client")}, ORDER_TO_CLIENT),
        ({models.Product: NamedBy(models.OrderLine, "product")}, LINE_TO_PRODUCT),
        ({models.Client: Mine("id"), models.Order: Mine("client_id")}, ORDER_TO_CLIENT),
        ({models.Client: Either(MINE, NamedBy(models.Order, "client")), models.Order: MINE}, ORDER_TO_CLIENT),
    ],
    ids=[
        "all of both",
        "less of the source",
        "the source by the target",
        "the target by the source",
        "of each its own",
        "the target by the source, and others",
    ],
)
def test_rules_under_which_whoever_sees_the_one_sees_the_other_are_taken(
    rules: dict[type[Model], Any], named: tuple[type[Model], str, type[Model]]
) -> None:
    must_be_seen_together([named], for_consultants(rules))


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({models.Client: MINE}, ORDER_TO_CLIENT),
        ({models.Client: MINE, models.Order: MINE}, ORDER_TO_CLIENT),
        ({models.Client: MINE, models.Order: Of(models.Client, "payer")}, ORDER_TO_CLIENT),
        ({models.Client: NamedBy(models.Order, "payer")}, ORDER_TO_CLIENT),
        ({models.Product: NamedBy(models.Payment, "product")}, LINE_TO_PRODUCT),
        ({models.Client: Mine("id"), models.Order: Mine("payer_id")}, ORDER_TO_CLIENT),
        ({models.Client: Having("active", True)}, ORDER_TO_CLIENT),
        ({models.Client: MINE, models.Order: Either(MINE, Of(models.Client, "client"))}, ORDER_TO_CLIENT),
    ],
    ids=[
        "less of the target",
        "each by itself",
        "over another key",
        "named by another key",
        "named by another model",
        "its own by another key",
        "those of a value",
        "the source by the target, and others",
    ],
)
def test_rules_that_could_show_the_one_without_the_other_stop_the_start(
    rules: dict[type[Model], Any], named: tuple[type[Model], str, type[Model]]
) -> None:
    with pytest.raises(TypeError, match=f"CONSULTANT may see .* without the {named[2].__name__} that its {named[1]}"):
        must_be_seen_together([named], for_consultants(rules))


def test_a_role_that_sees_no_row_of_what_is_always_named_stops_the_start() -> None:
    with pytest.raises(TypeError, match="OWNER may see a Order without the Promise that its promise always names"):
        must_be_seen_together([(models.Order, "promise", models.Promise)])


def for_consultants(rules: dict[type[Model], Any]) -> Rules:
    return {kind: rules if kind is Role.CONSULTANT else {} for kind in KINDS}
