"""A document that asks for everything: each root field with all of its arguments, two levels deep."""

from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

DEEPER = 1  # levels below what a root field gives


def operations(schema: GraphQLSchema) -> str:
    """One operation for each field of Query, Mutation and, where there is one, Subscription."""
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    return "\n".join(
        _operation(schema, kind, name, field)
        for kind, root in roots.items()
        if root is not None
        for name, field in root.fields.items()
    )


def _operation(schema: GraphQLSchema, kind: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${argument}: {given.type}" for argument, given in field.args.items())
    passed = ", ".join(f"{argument}: ${argument}" for argument in field.args)
    title = f"{_title(name)}{kind.title()}" + (f"({declared})" if declared else "")
    asked = f"{name}({passed})" if passed else name
    return f"{kind} {title} {{ {asked} {_selection(schema, get_named_type(field.type), DEEPER)} }}"


def _selection(schema: GraphQLSchema, kind: GraphQLNamedType, levels: int) -> str:
    if is_leaf_type(kind):
        return ""
    if is_abstract_type(kind):
        # Under names of their own: types of a union may differ in what a field of one name is.
        each = [
            f"... on {member.name} {{ {' '.join(_fields(schema, member, levels, member.name.lower()))} }}"
            for member in schema.get_possible_types(kind)
        ]
        return f"{{ __typename {' '.join(each)} }}"
    return f"{{ __typename {' '.join(_fields(schema, kind, levels))} }}"


def _fields(schema: GraphQLSchema, kind: GraphQLNamedType, levels: int, alias: str = "") -> Iterator[str]:
    for name, field in kind.fields.items():  # type: ignore[attr-defined]
        named = get_named_type(field.type)
        if (levels or is_leaf_type(named)) and not any(map(is_required_argument, field.args.values())):
            asked = f"{alias}{_title(name)}: {name}" if alias else name
            yield f"{asked} {_selection(schema, named, levels - 1)}"


def _title(name: str) -> str:
    return name[0].upper() + name[1:]
