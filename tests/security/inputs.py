"""Inputs of mutations generated from the schema, so that a mutation that is added is tried without being named."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from tests.security.documents import SCHEMA

Path = tuple[str | int, ...]

SCALARS: dict[str, Any] = {
    "Boolean": True,
    "CountryCode": "FR",
    "CurrencyCode": "EUR",
    "Date": "2100-01-01",
    "DateTime": "2100-01-01T00:00:00Z",
    "Email": "a@b.fr",
    "Int": 1,
    "JSON": {},
    "PhoneNumber": "+33612345678",
    "Siren": "732829320",
    "Siret": "73282932000074",
    "String": "x",
    "VatNumber": "FR44732829320",
    "URL": "http://comptoir.test/",
}
BY_NAME = {"origins": "https://shop.example.com"}
# Whose ids are called otherwise than their model.
MODELS = {
    "assignee": "Membership", "consultant": "Membership", "endpoint": "PartnerEndpoint", "member": "Membership",
    "consentDocument": "Document", "duplicate": "Client", "owner": "Membership", "employer": "Client",
    "calendarConflict": "CalendarConflict", "oauthGrant": "OAuthGrant", "subscription": "ClientSubscription",
    "packServices": "Service", "payer": "Client",
}  # fmt: skip


def document_of(mutation: str) -> str:
    if not _takes_input(mutation):
        return f"mutation {{ {mutation} {{ __typename }} }}"
    return f"mutation ($input: {_input_of(mutation).name}!) {{ {mutation}(input: $input) {{ __typename }} }}"


def input_of(mutation: str, ids: dict[str, str], path: Path = (), id: str = "") -> dict[str, Any]:
    """What a mutation has to be given, with ids by name of their model; at a path of `ids_of` another one."""
    if not _takes_input(mutation):
        return {}
    made: dict[str, Any] = _made(_input_of(mutation), "input", ids)
    if path:
        _put(made, _input_of(mutation), path, id, ids)
    return made


def question(field: str, ids: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """(document, variables) that ask a root field of the schema's queries or subscriptions for its type's name, with
    all that it has to be given."""
    found = next(kind for kind in (SCHEMA.query_type, SCHEMA.subscription_type) if kind and field in kind.fields)
    asked = found.fields[field]
    of = get_named_type(asked.type).name.removesuffix("Changed")
    ids = {"Id": ids.get(of, next(iter(ids.values()), "")), **ids}
    needed = {name: each for name, each in asked.args.items() if is_required_argument(each)}
    takes = ", ".join(f"${name}: {each.type}" for name, each in needed.items())
    gives = ", ".join(f"{name}: ${name}" for name in needed)
    word = "query" if found is SCHEMA.query_type else "subscription"
    document = f"{word}{f' ({takes})' if takes else ''} {{ {field}{f'({gives})' if gives else ''}"
    inner = "" if is_leaf_type(get_named_type(asked.type)) else " { __typename }"
    return f"{document}{inner} }}", {name: _made(each.type, name, ids) for name, each in needed.items()}


def ids_of(mutation: str) -> Iterator[tuple[Path, str]]:
    """(path, name of the model) of each id that a mutation can be given."""
    return _ids(_input_of(mutation), ()) if _takes_input(mutation) else iter(())


def _takes_input(mutation: str) -> bool:
    assert SCHEMA.mutation_type
    return "input" in SCHEMA.mutation_type.fields[mutation].args


def _input_of(mutation: str) -> GraphQLInputObjectType:
    assert SCHEMA.mutation_type
    named = get_named_type(SCHEMA.mutation_type.fields[mutation].args["input"].type)
    assert isinstance(named, GraphQLInputObjectType)
    return named


def _ids(type_: GraphQLInputObjectType, path: Path) -> Iterator[tuple[Path, str]]:
    for name, field in type_.fields.items():
        listed = (0,) if isinstance(get_nullable_type(field.type), GraphQLList) else ()
        named = get_named_type(field.type)
        if isinstance(named, GraphQLInputObjectType):
            yield from _ids(named, (*path, name, *listed))
        elif named.name == "ID":
            yield (*path, name, *listed), _model(name)


def _made(type_: GraphQLInputType, name: str, ids: dict[str, str]) -> Any:
    named = get_nullable_type(type_)
    if isinstance(named, GraphQLList):
        return [_made(named.of_type, name, ids)]
    if isinstance(named, GraphQLInputObjectType):
        required = ((each, field) for each, field in named.fields.items() if is_required_input_field(field))
        return {each: _made(field.type, each, ids) for each, field in required}
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    return ids[_model(name)] if named.name == "ID" else BY_NAME.get(name, SCALARS[named.name])


def _put(made: Any, type_: GraphQLInputType, path: Path, id: str, ids: dict[str, str]) -> None:
    """Set the id at a path, with whatever is needed around it."""
    here, *rest = path
    if isinstance(here, int):
        inner: Any = get_nullable_type(type_).of_type  # type: ignore[union-attr]
    else:
        inner = get_nullable_type(type_).fields[here].type  # type: ignore[union-attr]
        made.setdefault(here, _made(inner, here, ids))
    if rest:
        _put(made[here], inner, tuple(rest), id, ids)
    else:
        made[here] = id


def _model(name: str) -> str:
    singular = name[0].upper() + name[1:].removesuffix("s")
    return MODELS.get(name, singular)
