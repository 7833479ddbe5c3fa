"""Clients found by words, the best first; and those who may be the same."""

from collections.abc import Awaitable, Callable
from functools import partial

import strawberry
from tortoise.queryset import QuerySet

import models
from engine.plans.scopes import condition, shape
from errors import Invalid, NotFound
from policy import Permission, row_id
from schema.clients import Client
from schema.context import Info, actor
from schema.roots import Wanted, several
from services import client_duplicates as duplicates_service
from services import client_search as search_service

Looking = Callable[[], Awaitable[list[Wanted]]]


@several(Client, requires=Permission.CLIENTS_READ)
def client_search(info: Info, text: str, first: int = search_service.FOUND_USUALLY) -> Looking:
    """Clients by any part of their names, e-mail addresses and phone numbers, and their contacts', the best first.
    Accents and capitals never count; where nobody is called so, slips are forgiven."""
    return partial(_found, actor(info).rows(models.Client), search_service.words(text), _most(first))


async def _found(rows: QuerySet[models.Client], words: list[str], most: int) -> list[Wanted]:
    scope, values = _scope(rows)
    return [(models.Client, id) for id in await search_service.best(scope, values, words, most)]


@several(Client, requires=Permission.CLIENTS_READ)
def client_duplicates(info: Info, client: strawberry.ID, first: int = search_service.FOUND_USUALLY) -> Looking:
    """Who may be the same as a client: by name, company, SIREN, phone number, or the same address elsewhere; the most
    likely first. `clientMerge` makes them one."""
    return partial(_alike, actor(info).rows(models.Client), client, _most(first))


async def _alike(rows: QuerySet[models.Client], key: str, most: int) -> list[Wanted]:
    row = await rows.filter(pk=row_id(models.Client, key)).first()
    if row is None:
        raise NotFound("No such client.", field="client")
    scope, values = _scope(rows)
    return [(models.Client, id) for id in await duplicates_service.of(row, scope, values, most)]


def _scope(rows: QuerySet[models.Client]) -> tuple[str, list[object]]:
    """What a caller sees of clients, as SQL and its parameters."""
    _, values = shape(rows)
    return condition(rows, values).where, values


def _most(first: int) -> int:
    if not 1 <= first <= search_service.FOUND_MOST:
        raise Invalid(f"`first` is 1 to {search_service.FOUND_MOST}.", field="first")
    return first
