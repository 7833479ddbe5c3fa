"""Python for selections: which of their fields are plain, and the text of the function that completes these.

Nothing that a client wrote is in the text but response names, checked against the grammar of names first. Resolvers,
serializers and whatever else a function uses are names in its surroundings.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    TypeNameMetaFieldDef,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema import schema_converter
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from engine.compiled.keeping import Selection, Selections
from engine.compiled.values import Completer, leaf, listed, settled

if TYPE_CHECKING:
    from engine.compiled.running import Run


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field that a selection asks for, of an object type."""

    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList

    @property
    def node(self) -> FieldNode:
        return self.details[0].node

    @property
    def published(self) -> StrawberryField | None:
        """What Strawberry made it from; None for fields of others, introspection's among them."""
        found = self.definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        resolve = self.definition.resolve
        ours = hasattr(resolve, "_is_default") and getattr(resolve, "__module__", None) == schema_converter.__name__
        return found if ours and isinstance(found, StrawberryField) else None


class Generator:
    """Makes the selections of an operation, each once."""

    def __init__(self, executor: Executor[Any], selections: Selections) -> None:
        self._executor, self._selections = executor, selections

    def fields(self, type_: GraphQLObjectType, grouped: GroupedFieldSet, *, after: int = 0) -> Selection | None:
        """Fields of an object, by response name: the function takes the object and gives its part of the answer.

        None where it was not asked for more than `after` objects yet.
        """
        key = (type_, *(id(each.node) for details in grouped.values() for each in details))
        if key not in self._selections.made:
            if after and self._selections.met(key, 1) <= after:
                return None
            self._selections.add(key, self._fields(type_, grouped))
        return self._selections.made[key]

    def items(
        self, parent: GraphQLObjectType, type_: GraphQLList[Any], details: FieldDetailsList, values: int, *, after: int
    ) -> Selection | None:
        """The list that a field gives: the function takes the list and gives that of the answer.

        None where it was not asked for more than `after` items yet, with these `values`.
        """
        key = (parent, id(type_), *(id(each.node) for each in details))
        if key not in self._selections.made:
            if self._selections.met(key, values) <= after:
                return None
            self._selections.add(key, self._items(parent, type_, details))
        return self._selections.made[key]

    def below(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Selection:
        """What a field asks of the objects that it gives."""
        selection = self.fields(type_, self._executor.collect_subfields(type_, details).grouped_field_set)
        assert selection
        return selection

    def _fields(self, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> Selection:
        nodes, rest, lines = [*grouped.values()], [], []
        writer = _Writer()
        for name, details in grouped.items():
            field = self._field(type_, details)
            if field is None or not _NAME.fullmatch(name):
                return Selection(nodes)
            value = self._value(writer, field)
            if value is None:
                rest.append(name)
            lines.append(f'"{name}": {value},  # {field.node.name.value}{"" if value else ", by graphql-core"}')
        if rest and len(rest) == len(grouped):
            return Selection(nodes)
        source = writer.text(type_, "\n".join(("{", *(f"            {line}" for line in lines), "        }")))
        return Selection(nodes, writer.compiled(source), tuple(rest), source)

    def _items(self, parent: GraphQLObjectType, type_: GraphQLList[Any], details: FieldDetailsList) -> Selection:
        writer, field = _Writer(), self._field(parent, details)
        value = self._completed(writer, field, type_, "value") if field else None
        if value is None:
            return Selection([details])
        source = writer.text(type_, value)
        return Selection([details], writer.compiled(source), (), source)

    def _field(self, parent: GraphQLObjectType, details: FieldDetailsList) -> Field | None:
        definition = self._executor.schema.get_field(parent, details[0].node.name.value)
        return Field(parent, definition, details) if definition else None

    def _value(self, writer: "_Writer", field: Field) -> str | None:
        """An expression for the completed value of a field of `value`; None where it is not plain."""
        if field.definition is TypeNameMetaFieldDef:
            return f'"{field.parent.name}"'
        resolved = _resolved(writer, field)
        return resolved and self._completed(writer, field, field.definition.type, resolved)

    def _completed(
        self, writer: "_Writer", field: Field, type_: GraphQLOutputType, value: str, depth: int = 0
    ) -> str | None:
        """An expression that completes what the expression `value` gives; None where it is not plain."""
        nullable = not isinstance(type_, GraphQLNonNull)
        inner: Any = type_ if nullable else type_.of_type  # type: ignore[union-attr]
        if nullable:
            # What is looked at twice is given a name once.
            first, again = (value, value) if value.isidentifier() else (f"(v := {value})", "v")
            completed = self._completed(writer, field, GraphQLNonNull(inner), again, depth)
            return completed and f"None if {first} is None else {completed}"
        if is_leaf_type(inner):
            return _leaf(writer, inner, value)
        if isinstance(inner, GraphQLList):
            item = f"each_{depth}"
            completed = self._completed(writer, field, inner.of_type, item, depth + 1)
            return completed and f"[{completed} for {item} in listed({value})]"
        if isinstance(inner, GraphQLObjectType):
            return self._object_value(writer, field, inner, value)
        names = writer.known(field, "field"), writer.known(inner, "type")
        return f"{writer.bound('abstract', inner.name, *names)}({value})"

    def _object_value(self, writer: "_Writer", field: Field, type_: GraphQLObjectType, value: str) -> str | None:
        selection = self.below(type_, field.details)
        if not selection.whole:
            return None
        check = "settled"
        if type_.is_type_of:
            check = writer.bound("checked", type_.name, writer.known(field, "field"), writer.known(type_, "type"))
        complete = writer.bound("function", type_.name, writer.known(selection, "selection"))
        return f"{complete}({check}({value}))"


def _resolved(writer: "_Writer", field: Field) -> str | None:
    """An expression that resolves a field of `value` as Strawberry does; None where its resolver is not plain."""
    published = field.published
    if published is None or published.extensions or published.is_subscription or published.is_async:
        return None
    if type(published).get_result is not StrawberryField.get_result:
        return None
    resolver = published.base_resolver
    if resolver is None:
        return _attribute(writer, published.default_resolver, published.python_name)
    if type(resolver) is not StrawberryResolver or resolver.info_parameter:
        return None
    given = {each.name: None for each in (resolver.parent_parameter, resolver.root_parameter) if each}
    source = ", ".join([*(["value"] if resolver.self_parameter else []), *(f"{name}=value" for name in given)])
    if field.definition.args or field.node.arguments:
        return f"{writer.bound('call', field.node.name.value, writer.known(field, 'field'))}({source})"
    return f"{writer.known(resolver.wrapped_func, 'resolve')}({source})"


def _attribute(writer: "_Writer", get: Callable[[Any, str], Any], name: str) -> str:
    if get is getattr and name.isidentifier() and not iskeyword(name):
        return f"value.{name}"
    return f"{writer.known(get, 'get')}(value, {name!r})"


def _leaf(writer: "_Writer", type_: GraphQLLeafType, value: str) -> str:
    """The short way for values that serialize as they are and for members of enums; for others the type's own."""
    first, again = (value, value) if value.isidentifier() else (f"v := {value}", "v")
    complete = writer.leaf(type_)
    if type_ is GraphQLString or type_ is GraphQLID:
        return f"{again} if type({first}) is str else {complete}({again})"
    if type_ is GraphQLInt:
        return f"{again} if type({first}) is int and -2147483648 <= {again} <= 2147483647 else {complete}({again})"
    if type_ is GraphQLBoolean:
        return f"{again} if type({first}) is bool else {complete}({again})"
    if isinstance(type_, CustomGraphQLEnumType):
        members: Any = type_.wrapped_cls
        names = writer.known({member: type_.coerce_output_value(member) for member in members}, "names")
        return f"{names}[{again}] if type({first}) is {writer.known(members, 'enum')} else {complete}({again})"
    return f"{complete}({value})"


class _Writer:
    """The text of a function, and its surroundings."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {"settled": settled, "listed": listed}
        self._bound: list[str] = []
        self._leaves: dict[GraphQLLeafType, str] = {}

    def known(self, thing: Any, kind: str) -> str:
        """A name for something that the text uses."""
        name = self._name(kind)
        self._known[name] = thing
        return name

    def leaf(self, type_: GraphQLLeafType) -> str:
        """A name for how a type completes its values."""
        if type_ not in self._leaves:
            self._leaves[type_] = self.known(leaf(type_), "leaf")
        return self._leaves[type_]

    def bound(self, kind: str, of: str, *names: str) -> str:
        """A name for what an execution gives (`Run`), `of` what."""
        name = self._name(kind)
        self._bound.append(f"    {name} = run.{kind}({', '.join(names)})  # {of}")
        return name

    def text(self, type_: object, value: str) -> str:
        complete = (f"    def complete(value):  # {type_}", f"        return {value}", "    return complete")
        return "\n".join(("def bind(run):", *self._bound, *complete))

    def compiled(self, source: str) -> "Callable[[Run], Completer]":
        exec(compile(source, "<selection>", "exec"), self._known)  # noqa: S102 - our own text, see above
        bind: Callable[[Run], Completer] = self._known["bind"]
        return bind

    def _name(self, kind: str) -> str:
        return f"{kind}_{len(self._known) + len(self._bound)}"


_NAME = re.compile("[_A-Za-z][_0-9A-Za-z]*")
