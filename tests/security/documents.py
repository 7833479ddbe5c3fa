"""GraphQL documents generated from the schema, so that what is added is read by the tests without being named."""

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
)

from engine.roots import ROOTS, Kind
from resolvers.schema import build

SCHEMA = build()._schema
QUERY = SCHEMA.query_type
assert QUERY is not None

LISTS = sorted(name for name, field in QUERY.fields.items() if "after" in field.args)
BY_ID = sorted(name for name, field in QUERY.fields.items() if list(field.args) == ["id"] and name != "node")
OF_THE_CALLER = sorted(name for name, field in QUERY.fields.items() if not field.args)
BY_PLAN = sorted(name for name in OF_THE_CALLER if name in ROOTS)  # the others are values in Python
BOARDS = sorted(name for name, root in ROOTS.items() if root.kind is Kind.BOARD)
VIEWED = sorted(type.name for type in SCHEMA.get_possible_types(SCHEMA.type_map["Node"]))  # type: ignore[arg-type]


def everything_of(type: GraphQLNamedType, depth: int, *, columns: bool = True) -> str:
    """A selection of all that can be asked of a type without arguments, relations followed `depth` times; without
    `columns`, of its relations alone, each row known by its id."""
    if is_union_type(type):
        parts = (f"... on {one.name} {everything_of(one, depth, columns=columns)}" for one in type.types)
    else:
        fields = type.fields.items()  # type: ignore[attr-defined]
        parts = (_asked(type, name, field, depth, columns) for name, field in fields)
    return f"{{ __typename {' '.join(parts)} }}"


def list_document(name: str, depth: int = 1, *, columns: bool = True) -> str:
    """A page of a root list, with all of its rows."""
    rows = everything_of(row_type(name), depth, columns=columns)
    return f"query ($first: Int) {{ {name}(first: $first) {{ totalCount nodes {rows} }} }}"


def deepest(name: str) -> int:
    """How often relations can be followed from a root list's rows, of what an answer may cost."""
    return 2 if name == "orders" else 3


def one_document(name: str, depth: int = 1) -> str:
    """A root field by id, with all of its row."""
    return f"query ($id: ID!) {{ {name}(id: $id) {everything_of(root_type(name), depth)} }}"


def own_document(name: str, depth: int = 2) -> str:
    """A root field that takes no arguments, with all of its row."""
    return f"{{ {name} {everything_of(root_type(name), depth)} }}"


def node_document(type_name: str, depth: int = 1) -> str:
    """`node(id)`, with all of a row of that type."""
    inner = everything_of(SCHEMA.type_map[type_name], depth)
    return f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on {type_name} {inner} }} }}"


def root_type(name: str) -> GraphQLNamedType:
    """Of a root field: its type."""
    return get_named_type(QUERY.fields[name].type)


def row_type(name: str) -> GraphQLNamedType:
    """Of a root list: the type of its rows."""
    return get_named_type(root_type(name).fields["nodes"].type)  # type: ignore[attr-defined]


def _asked(type: GraphQLNamedType, name: str, field: GraphQLField, depth: int, columns: bool) -> str:
    named = get_named_type(field.type)
    name += "(first: 3)" if "first" in field.args else ""  # what clients have is much, and costs
    if any(is_required_argument(argument) for argument in field.args.values()):
        return ""
    if is_leaf_type(named):
        return name if columns or name == "id" else ""
    if named.name in VIEWED or is_union_type(named):
        below = 0 if named is type else depth - 1  # what leads to its own kind is followed once
        return f"{name} {everything_of(named, below, columns=columns)}" if depth else ""
    return f"{name} {everything_of(named, depth)}" if columns else ""
