"""One execution: generated functions given its arguments, and what graphql-core tells resolvers of it."""

from collections.abc import Callable, Hashable
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from graphql import GraphQLAbstractType, GraphQLList, GraphQLObjectType, GraphQLResolveInfo, get_argument_values
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments

from engine.compiled.generating import Field, Generator
from engine.compiled.keeping import Selection, Selections
from engine.compiled.values import SIMPLE, Completer, Surprise, Unfit, checked, settled


class Bound(NamedTuple):
    """The function of a selection for this execution, and what it leaves to graphql-core."""

    complete: Completer
    rest: GroupedFieldSet
    selection: Selection


class Run:
    """Binds the selections of an operation, each once. They are made after so many values that they would complete."""

    def __init__(self, executor: StrawberryGraphQLCoreExecutionContext, selections: Selections, *, after: int) -> None:
        self._executor, self._generator, self._after = executor, Generator(executor, selections), after
        # By the identity of what graphql-core collected, which is held so that the ids stay theirs.
        self._bound: dict[Hashable, tuple[object, Bound | None]] = {}
        self._functions: dict[Selection, Completer] = {}

    def fields(self, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> Bound | None:
        """For the fields of an object; None where graphql-core completes them all."""
        found = self._bound.get(id(grouped))
        if found is None:
            selection = self._generator.fields(type_, grouped, after=self._after)
            if selection is None:
                return None
            found = self._bound[id(grouped)] = grouped, self._bind(selection, grouped)
        return found[1]

    def items(
        self, parent: GraphQLObjectType, type_: GraphQLList[Any], details: FieldDetailsList, values: int
    ) -> Bound | None:
        """For the list that a field gives; None where graphql-core completes it."""
        key = parent, id(type_), id(details)
        found = self._bound.get(key)
        if found is None:
            selection = self._generator.items(parent, type_, details, values, after=self._after)
            if selection is None:
                return None
            found = self._bound[key] = details, self._bind(selection, {})
        return found[1]

    # What `bind` of a generated function asks.

    def function(self, selection: Selection) -> Completer:
        """The function of a selection. Raises Unfit where it was given up, and whatever its arguments raise."""
        if selection not in self._functions:
            if selection.bind is None:
                raise Unfit
            self._functions[selection] = selection.bind(self)
        return self._functions[selection]

    def checked(self, field: Field, type_: GraphQLObjectType) -> Completer:
        """The check of an object that a field gives."""
        assert type_.is_type_of
        return checked(type_.is_type_of, self._info(field))

    def call(self, field: Field) -> Callable[..., Any]:
        """The resolver of a field with its arguments."""
        assert field.published
        assert field.published.base_resolver
        resolve: Any = field.published.base_resolver.wrapped_func
        arguments = self._arguments(field)
        if all(type(value) in SIMPLE or isinstance(value, Enum) for value in arguments.values()):
            return partial(resolve, **arguments)
        # What a resolver could change it is given anew, as graphql-core gives it.
        return lambda *source, **named: resolve(*source, **named, **self._arguments(field))

    def abstract(self, field: Field, type_: GraphQLAbstractType) -> Completer:
        """Completes a value of an interface or union by its type at run time."""
        info = self._info(field)
        resolve_type = type_.resolve_type or self._executor.type_resolver
        functions: dict[str, Completer] = {}

        def complete(value: Any) -> Any:
            name: Any = settled(resolve_type(settled(value), info, type_))
            if name not in functions:
                found = self._executor.ensure_valid_runtime_type(name, type_, field.details, info, value)
                functions[name] = self._of_type(field, found)
            return functions[name](value)

        return complete

    def _of_type(self, field: Field, type_: GraphQLObjectType) -> Completer:
        selection = self._generator.below(type_, field.details)
        if not selection.whole:
            raise Unfit
        complete = self.function(selection)
        if not type_.is_type_of:
            return complete
        check = self.checked(field, type_)
        return lambda value: complete(check(value))

    def _bind(self, selection: Selection, grouped: GroupedFieldSet) -> Bound | None:
        try:
            complete = self.function(selection)
        except Unfit:
            selection.bind = None
            return None
        except Exception:
            complete = _surprised  # an argument is wrong: graphql-core says so, at each field that has it
        return Bound(complete, {name: grouped[name] for name in selection.rest}, selection)

    def _arguments(self, field: Field) -> dict[str, Any]:
        """As graphql-core reads them and Strawberry converts them. Raises what they raise."""
        executor, published = self._executor, field.published
        assert published
        converter = executor.schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]
        given = get_argument_values(
            field.definition, field.node, executor.variable_values, None, executor.hide_suggestions
        )
        return convert_arguments(
            given,
            published.arguments,
            scalar_registry=converter.scalar_registry,
            config=converter.config,
            info=converter.config.info_class(_raw_info=self._info(field), _field=published),
        )

    def _info(self, field: Field) -> "GraphQLResolveInfo[Any]":
        nodes = [each.node for each in field.details]
        return self._executor.build_resolve_info(field.definition, nodes, field.parent, _NOWHERE)


def _surprised(value: Any) -> Any:
    raise Surprise


class _Nowhere:
    """Stands for the path of a value, unknown to generated functions: who looks at it is answered by graphql-core."""

    def __getattr__(self, name: str) -> Any:
        raise Surprise


_NOWHERE: Any = _Nowhere()
