"""Whatever is kept of a person is known, and what erasing them does to it."""

from typing import Any

from tortoise.models import Model

import models
from services.personal_data import HELD, texts


def leading_to_clients() -> set[type[Model]]:
    """The models from which keys lead to a client, over others or not."""
    every = {each for each in vars(models).values() if isinstance(each, type) and issubclass(each, Model)}
    named: dict[type[Model], set[Any]] = {
        each: {
            each._meta.fields_map[name].related_model  # type: ignore[attr-defined]
            for name in each._meta.fk_fields | each._meta.o2o_fields
        }
        for each in every
    }
    found: set[type[Model]] = {models.Client}
    while more := {each for each in every - found if named[each] & found}:
        found |= more
    return found


def test_every_table_that_leads_to_a_client_says_what_erasing_does_to_it() -> None:
    assert {each.__name__ for each in HELD} == {each.__name__ for each in leading_to_clients()}


def test_every_text_of_these_is_taken_away_or_kept_for_a_reason() -> None:
    for model, held in HELD.items():
        assert held.deleted or texts(model) == (held.blanked.keys() & texts(model)) | held.kept.keys(), model.__name__
        assert not held.blanked.keys() & held.kept.keys(), model.__name__
        assert held.blanked.keys() <= model._meta.fields_map.keys(), model.__name__
        assert all(held.kept.values()) and held.because


def test_what_is_deleted_is_named_by_nothing_that_stays() -> None:
    deleted = [model for model, held in HELD.items() if held.deleted]
    for place, model in enumerate(HELD):
        for name in model._meta.fk_fields:
            target = model._meta.fields_map[name].related_model
            assert target not in deleted or deleted.index(target) > place, (model.__name__, name)
